"""The laws as the durable moves must keep them, one by one as they come: a second opinion, beside the core's own."""

from __future__ import annotations

from collections import Counter, defaultdict

from controller.application import batch_of
from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core.cards import Decision
from controller.core.moves import Mark, Verdict, positions_in
from controller.ledger.journal import Recorded
from devices.messages import Fate, position_of
from sims.storm.errors import Broken
from sims.storm.holds import HeldThings

_DEAD = (Mark.FILM_SPOILED, Mark.SPOILED, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)
_ENDING: dict[str, str] = {
    Decision.REFUSE: "refused",
    Decision.CORRECT: "refused",
    Decision.CANCEL: "cancelled",
    Decision.REFUSE_LATE: "refused_late",
}


class Laws:
    """Follows durable turns.  Raises: Broken."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen
        self.moves = 0
        self.last_floor_s = 0.0
        self.started: set[int] = set()  # jobs whose intent is durable
        self.ended: set[int] = set()  # jobs whose end is durable
        self.remakes: Counter[int] = Counter()
        self._cards: dict[int, list[int]] = {}  # sheet -> cards by position
        self._alive: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)  # card -> places that may be good
        self._held: set[int] = set()
        self._held_things = HeldThings(seen)
        self._received: dict[int, int] = {}
        self._ends: defaultdict[int, Counter[str]] = defaultdict(Counter)  # batch -> how its rows ended
        self._ended_cards: dict[int, str] = {}
        self._bundles: dict[int, list[int]] = {}
        self._jobs: dict[int, m.JobStarted] = {}
        self._follow = {
            m.BatchOpened: self._opened,
            m.BatchClosed: self._closed,
            m.CardDecided: self._decided,
            m.SheetImposed: self._imposed,
            m.JobStarted: self._started,
            m.JobEnded: self._job_ended,
            m.PositionsMarked: self._marked,
            m.BundleMade: self._bundle_made,
            q.BundleOpened: self._bundle_opened,
            m.ConsignmentSent: self._sent,
            m.CardMissing: self._missing,
            q.CardSetGood: self._set_good,
            q.StationHeld: lambda move: self._saw("station held"),
            q.CardsQuarantined: lambda move: self._saw("quarantine"),
            m.PileRepacked: lambda move: self._saw("pile repacked"),
            m.StationLied: lambda move: self._saw("station lied"),
        }

    def saw(self, recorded: Recorded) -> None:
        """Take one durable turn."""
        if recorded.at_floor_s < self.last_floor_s:
            raise Broken("law 7", f"a stamp of {recorded.at_floor_s} after one of {self.last_floor_s}")
        self.last_floor_s = recorded.at_floor_s
        for move in recorded.moves:
            self.moves += 1
            self._held_things.saw(move)
            follow = self._follow.get(type(move))
            if follow:
                follow(move)  # type: ignore[operator]

    def _saw(self, what: str) -> None:
        self._seen[what] += 1

    # ---- law 4: where applications end -------------------------------------------------------------------------

    def _opened(self, move: m.BatchOpened) -> None:
        if move.batch_id in self._received:
            raise Broken("law 5", f"batch {move.batch_id} came to the floor twice")
        self._received[move.batch_id] = len(move.rows)
        self._ends[move.batch_id]["refused"] = sum(row.verdict == Verdict.REFUSE for row in move.rows)
        for row in move.rows:
            if row.verdict == Verdict.HOLD:
                self._held.add(move.batch_id * 10_000 + row.index)

    def _decided(self, move: m.CardDecided) -> None:
        if move.card in self._held and move.decision == Decision.REFUSE_LATE:
            raise Broken("law 4", f"card {move.card} is refused late, and was never accepted")
        self._held.discard(move.card)
        if move.decision in _ENDING:
            self._end(move.card, _ENDING[move.decision])
            self._saw(f"card {move.decision}")
        else:
            self._saw(f"card {move.decision}")

    def _end(self, card: int, how: str) -> None:
        if card in self._ended_cards:
            raise Broken("law 4", f"card {card} ended as {self._ended_cards[card]}, and now as {how}")
        if how != "dispatched" and self._alive.get(card):
            raise Broken("law 1", f"card {card} ends as {how}, and a blank of it may be good")
        self._ended_cards[card] = how
        self._ends[batch_of(card)][how] += 1

    def _closed(self, move: m.BatchClosed) -> None:
        ends = self._ends[move.batch_id]
        told = (move.received, move.refused, move.cancelled, move.refused_late, move.dispatched)
        mine = (self._received[move.batch_id], *(ends[how] for how in _HOWS))
        if told != mine or sum(mine[1:]) != mine[0]:
            raise Broken("law 4", f"batch {move.batch_id} is closed with {told}, and its cards ended as {mine}")

    # ---- law 1: one good card ----------------------------------------------------------------------------------

    def _imposed(self, move: m.SheetImposed) -> None:
        if move.sheet_id in self._cards:
            raise Broken("law 1", f"sheet {move.sheet_id} is imposed twice")
        for card in filter(None, move.cards):
            if self._alive.get(card):
                raise Broken("law 1", f"card {card} is made again beside one that may be good")
            if card in self._held or card in self._ended_cards:
                raise Broken("law 4", f"card {card} is made, and is not accepted")
            self._alive[card] = {(move.sheet_id, move.cards.index(card))}
        self._cards[move.sheet_id] = list(move.cards)

    def _marked(self, move: m.PositionsMarked) -> None:
        if move.mark is Mark.UNUSED:
            return
        if move.mark in (Mark.FOUND_GOOD, Mark.FOUND_SPOILED, Mark.FOUND_MISSING):
            if not move.by or not move.second or move.by == move.second:
                raise Broken("law 1", f"sheet {move.sheet_id}: a suspect is {move.mark} without two people")
            self._saw(f"suspect {move.mark}")
        for position in positions_in(move.mask):
            card, place = self._cards[move.sheet_id][position], (move.sheet_id, position)
            if place not in self._alive[card]:
                raise Broken("law 1", f"sheet {move.sheet_id} position {position} is {move.mark}, and is over")
            if move.mark in _DEAD:
                self._alive[card].discard(place)
                self._remade(card)
            elif len(self._alive[card]) != 1:
                raise Broken("law 1", f"card {card} has two blanks that may be good")

    def _remade(self, card: int) -> None:
        self.remakes[card] += 1
        if self.remakes[card] > 1:
            self._saw("remake of a remake")

    def _missing(self, move: m.CardMissing) -> None:
        self._alive[move.card].clear()
        self._remade(move.card)
        self._saw("good card missing")

    def _set_good(self, move: q.CardSetGood) -> None:
        if self._alive[move.card]:
            raise Broken("law 1", f"card {move.card} is set good beside a remake that may be good")
        self._alive[move.card] = {(move.sheet_id, position_of(move.blank))}
        self._saw("reject set good")

    # ---- law 6: made means in the bundle -----------------------------------------------------------------------

    def _bundle_made(self, move: m.BundleMade) -> None:
        self._bundles[move.bundle_id] = list(move.cards)

    def _bundle_opened(self, move: q.BundleOpened) -> None:
        self._bundles.pop(move.bundle_id)
        self._saw("bundle opened")

    def _sent(self, move: m.ConsignmentSent) -> None:
        for bundle in move.bundles:
            if bundle not in self._bundles:
                raise Broken("law 6", f"bundle {bundle} is sent, and is sent already or was never made")
            for card in self._bundles.pop(bundle):
                self._end(card, "dispatched")

    # ---- jobs --------------------------------------------------------------------------------------------------

    def _started(self, move: m.JobStarted) -> None:
        if move.job_id in self.started:
            raise Broken("law 3", f"job number {move.job_id} is given twice")
        self.started.add(move.job_id)
        self._jobs[move.job_id] = move
        if move.step == "laminate" and move.because in ("waited", "no_more"):
            self._saw(f"press half full closed: {move.because}")
        if move.because == "single":
            self._saw("single body")

    def _job_ended(self, move: m.JobEnded) -> None:
        if move.job_id in self.ended:
            raise Broken("law 5", f"job {move.job_id} ended twice")
        self.ended.add(move.job_id)
        self._saw(f"job ended: {move.answer}")
        if any(end.fate == Fate.UNTOUCHED for end in move.sheets):
            self._saw("load came back untouched")


_HOWS = ("refused", "cancelled", "refused_late", "dispatched")
