"""The two people of a storm's floor: they fill magazines and look at what is suspect, held or stopped."""

from __future__ import annotations

from collections import Counter
from random import Random

from controller.application import batch_of, control_mark, index_of
from controller.core import events as e
from controller.core.cards import MOVES, Cause, Decision, State
from controller.core.moves import positions_in
from controller.core.review_folds import SHARED_NUMBER
from controller.core.state import SILENT, FloorState, Sheet
from controller.core.stocktaking import uncounted
from controller.core.turn import Turn
from devices.defects import Step
from devices.messages import POSITIONS, SINGLE, blank_serial
from sims.storm.application import card_of
from sims.storm.holds import hold_and_release
from sims.storm.life import Life
from sims.storm.matter import Lay, Matter, Place
from sims.storm.options import Options
from sims.storm.station import Station
from sims.storm.timeline import SCALE, Timeline

FIRST, SECOND = "ann", "bob"
PRESSES = ("l1", "l2")
LOW, REFILL, DELIVERY = 10, 24, 96
SINGLES = 8
FIRST_SINGLE = 500_000
GIVE_UP_S = 25.0  # link seconds without a word of a station that has a load

Args = dict[str, int | str]


class People:
    """Looks around every few seconds, at a page that shows what is durable, and asks for what is needed."""

    def __init__(
        self,
        matter: Matter,
        stations: dict[str, Station],
        timeline: Timeline,
        options: Options,
        seed: int,
        seen: Counter[str],
    ) -> None:
        self.life: Life | None = None
        self._matter, self._stations, self._timeline = matter, stations, timeline
        self._options, self._seen = options, seen
        self._luck = Random(f"storm people {seed}")
        self._holding = Random(f"storm holds {seed}")
        self._findings: dict[tuple[int, int], str] = {}  # sheet, position -> what the two found there
        self.is_calm = self.is_home = False
        self.done: list[str] = []  # verbs of acts that they were told are done
        timeline.after(0.3, self._look)

    def _look(self) -> None:
        life = self.life
        if self.is_home:
            return
        if life is not None and life.is_alive and life.has_begun and life.disk.is_idle:
            self._look_around(life, life.state)
            is_busy = self.is_calm or self._is_low(life.state)
            rest_s = 2.0 if is_busy else self._options.decides_s * (0.5 + self._luck.random())
            self._timeline.after(rest_s, self._look)
        else:
            self._timeline.after(0.3, self._look)

    def _look_around(self, life: Life, state: FloorState) -> None:
        self._agree(life, state)
        self._fill(life, state)
        self._settle(life, state)
        self._decide(life, state)
        for station in sorted(state.station_holds):
            life.post(e.ReleaseAsked(station, FIRST))
        self._look_through_piles(life, state)
        for blank in list(state.stock.spoiled):
            if self._matter.pieces[blank].place is Place.LOST:
                self.both(life, "lost_blank", {"blank": blank})
        self._give_up(life, state)
        hold_and_release(life, state, self._holding, (FIRST, SECOND), self.is_calm)

    # ---- two people --------------------------------------------------------------------------------------------

    def _agree(self, life: Life, state: FloorState) -> None:
        """Let the second agree to what the first asked for, before a crash too."""
        for act in list(state.acts.values()):
            if act.by == FIRST:
                self._second(life, act.act_id, act.verb)

    def _second(self, life: Life, act_id: int, verb: str) -> None:
        """Agree; what cannot be done any more is withdrawn."""

        def done(turn: Turn) -> None:
            if turn.refused is None:
                self._done(verb)
            elif life.is_alive and act_id in life.state.acts:
                self._seen[f"act refused: {turn.refused.code}"] += 1
                life.post(e.ActWithdrawn(act_id, FIRST))

        life.post(e.ActSeconded(act_id, SECOND), done)

    def both(self, life: Life, verb: str, args: Args) -> None:
        """Ask for an act; the second agrees when the proposal is durable."""
        if any((act.verb, act.args) == (verb, args) for act in life.state.acts.values()):
            return

        def asked(turn: Turn) -> None:
            if turn.refused is not None:
                self._seen[f"act refused: {turn.refused.code}"] += 1
            elif life.is_alive:
                self._second(life, turn.answer, verb)

        life.post(e.ActAsked(verb, args, FIRST), asked)

    def _done(self, verb: str) -> None:
        self.done.append(verb)
        if verb in ("issue", "receive"):
            for press in PRESSES:
                self._stations[press].filled()

    # ---- stock -------------------------------------------------------------------------------------------------

    def _fill(self, life: Life, state: FloorState) -> None:
        stock = state.stock
        for press in PRESSES:
            if press not in state.stations:
                continue
            for places, low, sheets in ((POSITIONS, LOW, REFILL), (SINGLE, SINGLES // 2, SINGLES)):
                if stock.in_magazine(press, places) < low or (places == POSITIONS and _asks(state, press)):
                    self._issue(life, state, press, places, sheets)
                    return  # one errand at a time

    def _is_low(self, state: FloorState) -> bool:
        return any(state.stock.in_magazine(press, POSITIONS) < LOW or _asks(state, press) for press in PRESSES)

    def _issue(self, life: Life, state: FloorState, press: str, places: int, sheets: int) -> None:
        lying = [one for one in state.stock.vault if one.places == places and one.sheets >= sheets]
        if lying:
            self.both(life, "issue", {"station": press, "first_body": lying[0].first, "sheets": sheets})
            return
        known = max((lot.first + lot.sheets for lot in state.stock.lots if lot.places == places), default=0)
        first = known or (FIRST_SINGLE if places == SINGLE else 1_000)
        args: Args = {"first_body": first, "sheets": DELIVERY, "lot": f"lot-{first}"}
        self.both(life, "receive", {**args, "places": SINGLE} if places == SINGLE else args)

    # ---- suspects ----------------------------------------------------------------------------------------------

    def _settle(self, life: Life, state: FloorState) -> None:
        inside = {sheet_id for station in self._stations.values() for sheet_id in station.holds}
        for sheet in list(state.sheets.values()):
            if sheet.suspect and not sheet.job_id and sheet.sheet_id not in inside:
                self._settle_sheet(life, sheet)

    def _settle_sheet(self, life: Life, sheet: Sheet) -> None:
        lay = self._matter.lays.get(sheet.sheet_id)
        by_finding: dict[str, int] = {}
        for position in positions_in(sheet.suspect):
            finding = self._found(life, sheet, position, lay)
            by_finding[finding] = by_finding.get(finding, 0) | 1 << position
        for finding, mask in sorted(by_finding.items()):
            args: Args = {"sheet_id": sheet.sheet_id, "mask": mask, "finding": finding}
            if not sheet.body and lay is not None and lay.body:
                args["body"] = lay.body
                self.both(life, "settle", args)
                return  # the others once the books know the body
            self.both(life, "settle", args)

    def _found(self, life: Life, sheet: Sheet, position: int, lay: Lay | None) -> str:
        """Give what two people find at a position: the same whenever they are asked."""
        place = (sheet.sheet_id, position)
        if place not in self._findings:
            self._findings[place] = self._look_at(life, sheet, position, lay)
        return self._findings[place]

    def _look_at(self, life: Life, sheet: Sheet, position: int, lay: Lay | None) -> str:
        card, piece = sheet.cards[position], lay.piece_of(position) if lay is not None else None
        named = self._matter.pieces.get(blank_serial(sheet.body, position)) if sheet.body else None
        if named is not None and named.place is Place.LOST:
            return "missing"
        if piece is not None and sheet.body and sheet.step is Step.INSPECT and lay is not None and not lay.turned:
            made = card_of(life.vault.applications[batch_of(card), index_of(card)])
            right = self._matter.is_right(piece, control_mark(card), made.record, made.portrait)
            if right and self._luck.random() < max(self._options.found_good, 0.3):
                return "good"
        if piece is not None and sheet.body and not self.is_calm and self._luck.random() < self._options.missing:
            return "missing"
        return "spoiled"

    def _give_up(self, life: Life, state: FloorState) -> None:
        """Stop waiting for a station that is gone: its machine is opened by force, and what is in it is suspect."""
        for job in list(state.jobs.values()):
            station = state.stations[job.station]
            gone_s = self._timeline.now_s - station.since_floor_s / SCALE
            if station.state == SILENT and gone_s > GIVE_UP_S:
                self._seen["job given up"] += 1
                self._stations[job.station].open_by_force()
                self.both(life, "give_up", {"job_id": job.job_id})

    # ---- cards -------------------------------------------------------------------------------------------------

    def _decide(self, life: Life, state: FloorState) -> None:
        for card, codes in list(state.holds.items()):
            if SHARED_NUMBER in codes:
                self.both(life, "override", {"card": card, "reason": "both are right"})
            else:
                decision = Decision.RELEASE if card % 3 else Decision.REFUSE
                life.post(e.DecisionMade(card, decision, FIRST, "looked"))
        for one in list(state.cards.values()):
            if one.state is State.STOPPED:
                dice = self._luck.randrange(4)
                decision = (Decision.REFUSE_LATE, Decision.CANCEL, Decision.RESUME, Decision.RESUME)[dice]
                life.post(e.DecisionMade(one.card, decision, FIRST, "looked"))
            elif one.rejected_blank and (one.state, Cause.SET_GOOD) in MOVES:
                self._look_at_reject(life, one.card, one.rejected_blank)

    def _look_at_reject(self, life: Life, card: int, blank: int) -> None:
        """Set a reject good that two people find right."""
        piece = self._matter.pieces.get(blank)
        if piece is None or piece.place is not Place.DRAWER:
            return
        made = card_of(life.vault.applications[batch_of(card), index_of(card)])
        if self._matter.is_right(piece, control_mark(card), made.record, made.portrait):
            self.both(life, "set_good", {"card": card, "code": "false_reject"})

    def _look_through_piles(self, life: Life, state: FloorState) -> None:
        for (batch_id, unit), pile in list(state.stopped_piles.items()):
            lost = [card for card in pile.cards if self._is_lost(state.cards[card].blank)]
            for card in lost:
                self.both(life, "missing", {"card": card})
            if not lost:
                self.both(life, "repack", {"batch_id": batch_id, "unit": unit})

    def _is_lost(self, blank: int) -> bool:
        piece = self._matter.piled.get(blank)
        return piece is not None and piece.place is Place.LOST

    # ---- the end of a shift ------------------------------------------------------------------------------------

    def close_shift(self, life: Life) -> bool:
        """Count everything there is, destroy the spoiled and close the shift; say whether all of it was asked."""
        state, matter = life.state, self._matter
        drawer = len(matter.serials(Place.DRAWER))
        if state.acts:
            return False
        if drawer or state.stock.spoiled:
            self.both(life, "destroy", {"count": max(drawer, 1)})
            return False
        counted = {"vault": len(matter.vault), "spoiled": drawer}
        counted |= {press: sum(map(len, stacks.values())) for press, stacks in matter.magazines.items()}
        missing = uncounted(state.stock)
        for place in missing:
            life.post(e.CountTaken(place, counted[place], FIRST))
        if not missing:
            self.both(life, "close_shift", {})
        return not missing


def _asks(state: FloorState, press: str) -> bool:
    """Say whether a press stands for want of bodies, whatever the books have: a lost load may have drawn some."""
    known = state.stations.get(press)
    return known is not None and known.reason == "magazine_empty"
