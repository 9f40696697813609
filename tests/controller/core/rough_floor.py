"""A floor for tests of the core: stations that answer at random, with every law checked at every turn."""

from __future__ import annotations

import random
from collections import Counter

from controller.core import events as e
from controller.core.cards import FINAL, State
from controller.core.fold import apply
from controller.core.foreman import Foreman
from controller.core.hold_events import BatchReleaseAsked, CardReleaseAsked
from controller.core.moves import (
    ActProposed,
    AnyMove,
    BatchOpened,
    BundleMade,
    CardDecided,
    ConsignmentSent,
    Mark,
    PositionsMarked,
    RowVerdict,
    Verdict,
)
from controller.core.quality_moves import CardReturned, CardSetGood
from controller.core.remakes import RETURN_S
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.stock import Account
from controller.hosts.heap import HeapHost
from controller.report.figures import Report
from devices.defects import GOOD, Step
from devices.messages import POSITIONS, SINGLE, Fate, blank_serial
from tests.controller.core.holders import Holders, check_holds

STATIONS = [
    ("p1", Step.PRINT, 1),
    ("p2", Step.PRINT, 1),
    ("l1", Step.LAMINATE, 3),
    ("l2", Step.LAMINATE, 24),
    ("c1", Step.PUNCH, 2),
    ("w1", Step.WRITE, 1),
    ("w2", Step.WRITE, 1),
    ("i1", Step.INSPECT, 1),
    ("k1", Step.PACK, 30),
]
SINGLES_FILLED = 6  # single bodies for each press
CODES = {Step.PRINT: "P1", Step.LAMINATE: "L1", Step.PUNCH: "C1", Step.WRITE: "W1", Step.INSPECT: "I1"}


class RoughFloor:
    """Twelve kinds of trouble, each drawn from one seed; `run` goes on until nothing happens any more."""

    def __init__(self, seed: int, config: CoreConfig | None = None, trouble: float = 0.05) -> None:
        self.random, self.trouble = random.Random(seed), trouble
        self.foreman = Foreman(config or CoreConfig())
        self.log: list[tuple[float, AnyMove]] = []
        self.events: list[tuple[float, e.AnyEvent]] = []
        self.host = HeapHost(self.foreman, self.perform, self.keep)
        self.bodies: dict[str, list[int]] = {}
        self.singles: dict[str, list[int]] = {}  # press -> its single bodies, a stack of their own
        self.drawn: dict[int, int] = {}  # sheet -> body
        self.lost: set[int] = set()
        self.never_found: set[int] = set()  # blanks that fell off a packer's belt
        self.next_body, self.next_single = 1_000, 500_000
        self.seen: Counter[str] = Counter()
        self.people = random.Random(seed + 1)  # luck of its own: what stations do stays the same
        self.holders = Holders(seed)
        self.last_seen: dict[int, tuple[int, str]] = {}  # card -> its blank and police station
        self.cases: dict[int, int] = {}  # card that is made again -> its case
        self.report = Report(yearly_hours=4_000)
        self.host.handle(e.ServiceBegan(), 0.0)
        for name, step, load_max in STATIONS:
            self.host.handle(e.StationSeen(name, step, "rough", load_max, "idle", ""), 0.0)
        self.fill(60)

    @property
    def state(self) -> FloorState:
        return self.foreman.state

    def fill(self, sheets: int) -> None:
        """Two keepers receive body sheets and issue half of them to each press."""
        self._fill(self.next_body, sheets, {"lot": "A"})
        self.next_body += 2 * sheets

    def fill_singles(self) -> None:
        """Two keepers do the same with single bodies."""
        self._fill(self.next_single, SINGLES_FILLED, {"lot": "S", "places": SINGLE})
        self.next_single += 2 * SINGLES_FILLED

    def _fill(self, first: int, sheets: int, what: dict[str, int | str]) -> None:
        for verb, args in [
            ("receive", {"first_body": first, "sheets": 2 * sheets, **what}),
            ("issue", {"station": "l1", "first_body": first, "sheets": sheets}),
            ("issue", {"station": "l2", "first_body": first + sheets, "sheets": sheets}),
        ]:
            turn = self.host.handle(e.ActAsked(verb, args, "ann"), self.host.now_floor_s)
            assert turn.refused is None, turn.refused
            turn = self.host.handle(e.ActSeconded(turn.answer, "bob"), self.host.now_floor_s)
            assert turn.refused is None, turn.refused

    def submit(self, at: float, batch_id: int, cards: int, holds: int = 0, refused: int = 0) -> None:
        """Let a batch arrive whole."""
        verdicts = [Verdict.HOLD] * holds + [Verdict.REFUSE] * refused
        verdicts += [Verdict.OK] * (cards - len(verdicts))
        rows = [
            RowVerdict(index, f"{batch_id:022d}", f"5201020{index % 3:02d}", verdict, ["x"] if verdict > 1 else [])
            for index, verdict in enumerate(verdicts)
        ]
        due = at + 86_400 * (1 + batch_id % 3)
        self.host.push(at, e.BatchChecked(batch_id, f"{batch_id:025d}", "north", "second", at, due, rows))
        for index in range(holds):
            decision = self.random.choice(["release", "refuse"])
            card = batch_id * 10_000 + index
            self.host.push(at + self.random.uniform(1, 5_000), e.DecisionMade(card, decision, "ann", "looked"))

    # ---- what the world does -------------------------------------------------------------------------------

    def perform(self, at: float, action: e.AnyAction) -> None:
        if isinstance(action, e.Encode):
            failed = [(card, "face.no_glyph") for card in action.cards if self.random.random() < self.trouble / 10]
            self.host.push(at + 2, e.CardsEncoded(action.job_id, failed))
            for card, _ in failed:
                decision = self.random.choice(["refuse_late", "cancel"])
                self.host.push(at + 90, e.DecisionMade(card, decision, "ann", "cannot be drawn"))
        elif isinstance(action, e.FillMagazine):
            stacks = self.singles if action.places == SINGLE else self.bodies
            have = stacks.setdefault(action.station, [])
            told = range(action.first_body, action.first_body + action.sheets)
            if action.out:
                have[:] = [body for body in have if body not in told]
            else:
                have += [body for body in told if body not in have]
        elif isinstance(action, e.StartJob):
            self.start(at, action)

    def start(self, at: float, job: e.StartJob) -> None:
        dice, end = self.random.random(), at + self.random.uniform(5, 60)
        if dice < self.trouble / 4:
            self.seen["never_seen"] += 1
            self.host.push(end, e.JobNeverSeen(job.station, job.job_id))
            return
        if dice < self.trouble / 2:
            self.seen["forgotten"] += 1
            self.host.push(end, e.JobForgotten(job.station, job.job_id))
            return
        if job.bundle_id:
            blanks = list(job.blanks)
            if dice < self.trouble:
                self.seen["short bundle"] += 1
                self.never_found.add(blanks.pop()) if self.random.random() < 0.5 else blanks.pop()
            event: e.AnyEvent = e.BundlePacked(job.station, job.job_id, at, end, blanks)
        else:
            event = e.StepDone(
                job.station, job.job_id, at, end, [self.outcome(job, sheet, cards) for sheet, cards in job.sheets]
            )
        self.host.push(end, event)
        if dice > 1 - self.trouble:
            self.seen["told twice"] += 1
            self.host.push(end + 1, event)

    def outcome(self, job: e.StartJob, sheet: int, cards: list[int]) -> e.SheetOutcome:
        step, dice = Step(job.step), self.random.random()
        body = self.drawn.get(sheet, 0)
        if step is Step.LAMINATE and dice > self.trouble / 3:
            body = self.drawn[sheet] = (self.singles if sheet in job.singles else self.bodies)[job.station].pop(0)
        if dice < self.trouble / 3:
            self.seen["untouched"] += 1
            return e.SheetOutcome(sheet, Fate.UNTOUCHED, GOOD)
        if dice < self.trouble / 2:
            self.seen["sheet spoiled"] += 1
            return e.SheetOutcome(sheet, Fate.SPOILED, CODES[step], body if step is Step.LAMINATE else 0)
        codes = [CODES[step] if card and self.random.random() < self.trouble else GOOD for card in cards]
        blanks = [blank_serial(body, place) if body and card else 0 for place, card in enumerate(cards)]
        if dice > 1 - self.trouble / 10 and step in (Step.WRITE, Step.INSPECT):
            self.seen["shifted"] += 1
            blanks = blanks[1:] + blanks[:1]
        return e.SheetOutcome(sheet, Fate.DONE, GOOD, body if step is Step.LAMINATE else 0, codes, blanks)

    # ---- what people do about single cards -----------------------------------------------------------------

    def meddle(self, at: float, moves: list[AnyMove]) -> None:
        """Let people set rejects good, whether it is too late or not, and bring cards back that were sent."""
        for card in self.state.cards.values():
            if card.blank:
                self.last_seen[card.card] = (card.blank, card.unit)
        for move in moves:
            if isinstance(move, PositionsMarked) and move.mark is Mark.SPOILED and move.found_at == Step.INSPECT:
                for card in self.state.cards.values():
                    if card.rejected_sheet_id == move.sheet_id and self.people.random() < self.trouble * 5:
                        asked = e.ActAsked("set_good", {"card": card.card, "code": "false_reject"}, "ann")
                        self.host.push(at + self.people.choice((0.0, 5.0, 500.0)), asked)
            elif isinstance(move, ActProposed) and move.verb == "set_good":
                self.host.push(at + self.people.choice((0.0, 30.0)), e.ActSeconded(move.act_id, "bob"))
            elif isinstance(move, CardSetGood):
                self.seen["set good"] += 1
            elif isinstance(move, ConsignmentSent):
                sent = [card for bundle in move.bundles for card in self.bundled(bundle)]
                for card in sent:
                    if self.cases.get(card, 0) < 3 and self.people.random() < self.trouble:
                        self.come_back(at + self.people.uniform(0, 50_000), card)

    def bundled(self, bundle_id: int) -> list[int]:
        return next(move.cards for _, move in self.log if isinstance(move, BundleMade) and move.bundle_id == bundle_id)

    def come_back(self, at: float, card: int) -> None:
        blank, unit = self.last_seen[card]
        batch_id, case = 500_000 + len(self.cases), self.cases.get(card, 0) + 1
        self.cases[batch_id * 10_000] = case
        row = RowVerdict(0, f"{batch_id:022d}", unit, Verdict.OK, express=True, case_no=case)
        opened = e.BatchChecked(batch_id, f"{batch_id}-R{case}", "north", "second", at, at + RETURN_S, [row])
        event = e.CardCameBack(card, blank, "chip_dead", "ann", opened)
        self.host.push(at, event)
        again = e.BatchChecked(batch_id + 400_000, f"{batch_id}-x", "north", "second", at, at + RETURN_S, [row])
        self.host.push(at, e.CardCameBack(card, blank, "chip_dead", "bob", again))  # the same card, by another desk

    def check_cases(self, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        """A blank comes back before its card's next case begins, and once (law 1)."""
        for place, move in enumerate(moves):
            if isinstance(move, CardReturned):
                self.seen["came back"] += 1
                assert isinstance(moves[place + 1], BatchOpened)
                assert move.blank in self.state.stock.returned
            elif isinstance(move, BatchOpened):
                assert not move.rows[0].case_no or isinstance(moves[place - 1], CardReturned)
        if isinstance(event, e.CardCameBack) and event.by == "bob":
            assert moves == [] or not isinstance(moves[0], CardReturned)

    # ---- what is true at every turn ------------------------------------------------------------------------

    def keep(self, at: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        self.events.append((at, event))
        self.log += [(at, move) for move in moves]
        self.check_cases(event, moves)
        self.meddle(at, moves)
        for move in moves:
            self.holders.saw(move)
        asked = self.holders.ask(self.state, self.trouble)
        if asked:
            self.seen[type(asked).__name__] += 1
            self.host.push(at + self.holders.luck.choice((0.0, 20.0, 900.0)), asked)
        for move in moves:
            self.report.fold(at, move)
            tally = self.report.tally
            ended = tally.refused + tally.cancelled + tally.refused_late + tally.dispatched
            assert tally.received == ended + tally.open()  # law 4
            assert 0 <= tally.dispatched <= tally.made <= tally.accepted
        state = self.state
        assert state.stock.balanced()
        assert not state.piles.keys() & state.stopped_piles.keys()
        packers = [one.load_max for one in state.stations.values() if one.step is Step.PACK]
        assert state.ripe_cards <= min([100, *packers])
        full = {pile for pile, cards in state.piles.items() if len(cards) >= state.ripe_cards}
        assert state.ripe == full | (state.piles.keys() - state.making.keys()), "a packer would not see a pile"
        piled = [card for pile in state.piles.values() for card in pile]
        piled += [card for pile in state.stopped_piles.values() for card in pile.cards]
        piled += [card for job in state.jobs.values() for card in job.cards]
        good = [card for card in state.cards.values() if card.state is State.GOOD]
        assert {card.card for card in good if not state.is_held(card)} <= set(piled) <= {card.card for card in good}
        assert len(piled) == len(set(piled))
        assert not any(state.is_held(state.cards[one]) for pile in state.piles.values() for one in pile)
        assert all(state.cards[number].state is State.GOOD for number in state.doubtful), "doubtful, and in a bundle"
        quarantined = sum(card.state is State.QUARANTINED for card in state.cards.values())
        assert quarantined == state.stock.blanks[Account.QUARANTINED]
        live = [card.blank for card in state.cards.values() if card.blank]
        assert len(live) == len(set(live)), "two cards on one blank"
        for sheet in state.sheets.values():
            assert not sheet.live & sheet.suspect
            assert not (sheet.live | sheet.suspect) & ~sheet.all_places()
            assert not sheet.body or state.stock.places_of(sheet.body) == sheet.places, "a body of another size"
            for place, number in enumerate(sheet.cards):
                if (sheet.live | sheet.suspect) >> place & 1:
                    card = state.cards[number]
                    assert card.sheet_id == sheet.sheet_id
                    alive = State.QUARANTINED if sheet.quarantined else State.IMPOSED
                    assert card.state is (alive if sheet.live >> place & 1 else State.SUSPECT)
        assert sum(len(ranks) for ranks in state.ready.values()) == sum(
            card.state is State.READY and not state.is_held(card) for card in state.cards.values()
        )
        for step, queue in state.waiting.items():
            assert queue == sorted(state.sheets[sheet_id].place() for _, sheet_id in queue), step
        assert state.sign_on_ends == {
            name: one.operator_until_floor_s
            for name, one in state.stations.items()
            if one.operator and one.operator_until_floor_s
        }
        check_holds(state)
        for batch in state.batches.values():
            counted = Counter(state.cards[number].state for number in batch.cards)
            assert counted == +batch.states
            assert not state.leaving(batch) or batch.in_making(), "bundles wait though no card can join them"

    def settle_suspects(self) -> int:
        """Two people look at every suspect and find it spoiled or missing (or good, when it was inspected)."""
        settled = 0
        for sheet in list(self.state.sheets.values()):
            if not sheet.suspect:
                continue
            findings = (
                ["spoiled", "missing"] if not (sheet.body and sheet.step is Step.INSPECT) else ["good", "spoiled"]
            )
            args: dict[str, int | str] = {
                "sheet_id": sheet.sheet_id,
                "mask": sheet.suspect,
                "finding": self.random.choice(findings),
            }
            if not sheet.body and sheet.sheet_id in self.drawn:
                args["body"] = self.drawn[sheet.sheet_id]
            now = self.host.now_floor_s
            turn = self.host.handle(e.ActAsked("settle", args, "ann"), now)
            assert turn.refused is None, turn.refused
            assert self.host.handle(e.ActSeconded(turn.answer, "ann"), now).refused is not None
            assert self.host.handle(e.ActSeconded(turn.answer, "bob"), now).refused is None
            settled += 1
        return settled

    def look_through_piles(self) -> None:
        """Two people look at every stopped pile: what they cannot find is missing, then the rest is packed anew."""
        for pile, stopped in list(self.state.stopped_piles.items()):
            for card in [card for card in stopped.missing if card in stopped.cards]:
                if self.state.cards[card].blank in self.never_found:
                    self.seen["missing"] += 1
                    self.two_people("missing", {"card": card})
            if pile in self.state.stopped_piles:
                self.seen["repack"] += 1
                self.two_people("repack", {"batch_id": pile[0], "unit": pile[1]})

    def two_people(self, verb: str, args: dict[str, int | str]) -> None:
        now = self.host.now_floor_s
        turn = self.host.handle(e.ActAsked(verb, args, "ann"), now)
        assert turn.refused is None, turn.refused
        turn = self.host.handle(e.ActSeconded(turn.answer, "bob"), now)
        assert turn.refused is None, turn.refused

    def run(self) -> None:
        """Go on until every batch is closed: refill magazines, settle suspects, decide about stopped cards, piles."""
        self.fill_singles()
        for _ in range(400):
            self.host.run()
            if not self.state.batches:
                return
            for station in ("l1", "l2"):
                if self.state.stock.in_magazine(station, POSITIONS) < 3:
                    self.fill(60)
                    break
            if not all(self.state.stock.in_magazine(station, SINGLE) for station in ("l1", "l2")):
                self.fill_singles()
            now = self.host.now_floor_s
            self.settle_suspects()
            self.look_through_piles()
            for blank in list(self.state.stock.returned):
                if self.people.random() < 0.5:
                    self.two_people("destroy_returned", {"blank": blank})
            for station in list(self.state.station_holds):
                self.host.handle(e.ReleaseAsked(station, "ann"), now)
            for number in list(self.state.card_holds):
                self.host.handle(CardReleaseAsked(number, "bob"), now)
            for number in list(self.state.batch_holds):
                self.host.handle(BatchReleaseAsked(number, "bob"), now)
            for card in list(self.state.cards.values()):
                if card.state is State.STOPPED:
                    self.host.handle(e.DecisionMade(card.card, "refuse_late", "ann", "enough"), now)
                elif card.state is State.HELD:
                    self.host.handle(e.DecisionMade(card.card, "release", "ann", "looked"), now)
        raise AssertionError(f"{len(self.state.batches)} batches never closed")

    def refolded(self) -> FloorState:
        state = FloorState()
        for at, move in self.log:
            apply(state, at, move)
        return state

    def ends(self) -> Counter[int]:
        """Count the final words per card over the whole log."""
        finals: Counter[int] = Counter()
        bundles: dict[int, list[int]] = {}
        for _, move in self.log:
            if isinstance(move, CardDecided) and move.decision in ("refuse", "cancel", "correct", "refuse_late"):
                finals[move.card] += 1
            elif type(move).__name__ == "BundleMade":
                bundles[move.bundle_id] = move.cards  # type: ignore[union-attr]
            elif isinstance(move, ConsignmentSent):
                finals.update(card for bundle in move.bundles for card in bundles[bundle])
        return finals

    def received(self) -> int:
        return sum(
            row.verdict != Verdict.REFUSE for _, move in self.log if isinstance(move, BatchOpened) for row in move.rows
        )


__all__ = ["FINAL", "Account", "RoughFloor"]
