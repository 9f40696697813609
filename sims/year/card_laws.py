"""Laws 1, 4, 5 and 6 out of the moves alone, and the figures of the year that follow from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from controller.core import moves as m
from controller.core import quality_moves as q
from sims.year.blank_laws import PLACES_OF, BlankLaws
from sims.year.broken import Broken

DEAD = frozenset({"film_spoiled", "spoiled", "found_spoiled", "found_missing"})
ENDING = {"refuse": "refused", "correct": "refused", "cancel": "cancelled", "refuse_late": "refused_late"}
ENDS = ("refused", "cancelled", "refused_late", "dispatched")
CARDS_A_BATCH = 10_000  # a card's number is its batch's times this, and its place
MINUTE_S, DAY_MINUTES = 60.0, 1_440


class Open:
    """A batch that is open: how many rows came, how they ended, which are over, and when it was received."""

    __slots__ = ("ends", "over", "received", "received_floor_s", "unaccepted")

    def __init__(self, move: m.BatchOpened) -> None:
        self.received, self.received_floor_s = len(move.rows), move.received_floor_s
        self.ends: Counter[str] = Counter(refused=sum(row.verdict == 3 for row in move.rows))
        self.over = bytearray(self.received)
        self.unaccepted = {row.index for row in move.rows if row.verdict >= 2}


class CardLaws:
    """Follows cards.  `lead_minutes`: from receipt to dispatch -> cards."""

    def __init__(self, broken: Broken, blanks: BlankLaws) -> None:
        self._broken, self._blanks = broken, blanks
        self.received = self.accepted = self.made = self.remade = self.sheets = 0
        self.ends: Counter[str] = Counter()
        self.lead_minutes: Counter[int] = Counter()
        self._batches: dict[int, Open] = {}
        self._last_batch = 0
        self._numbers: set[str] = set()  # of batches
        self._last_of: dict[str, str] = {}  # unit -> the last acceptance number: they only rise
        self._sent: dict[int, int] = {}  # batch -> cards that were dispatched and did not come back, as bits
        self._again: set[int] = set()  # cards that those which came back are made again as, and that are not here yet
        self._trays: dict[int, list[int]] = {}  # sheet -> cards by position, 0 where none is alive
        self._place: dict[int, int] = {}  # card -> the sheet with its one blank that may be good
        self._passed: set[int] = set()
        self._bundles: dict[int, list[int]] = {}
        self._jobs: set[int] = set()
        self._last_job = 0
        self.follow: dict[type, Callable[[float, Any], None]] = {
            m.BatchOpened: self._opened,
            m.BatchClosed: self._closed,
            m.CardDecided: self._decided,
            m.SheetImposed: self._imposed,
            m.PositionsMarked: self._marked,
            m.BundleMade: self._bundled,
            m.ConsignmentSent: self._left,
            m.JobStarted: self._started,
            m.JobEnded: self._ended,
            m.CardMissing: self._missing,
            q.BundleOpened: self._unbundled,
            q.CardsQuarantined: self._quarantined,
            q.CardSetGood: self._set_good,
            q.CardReturned: self._returned,
        }

    def open(self) -> int:
        """Give the cases that are not at their end."""
        return self.received - sum(self.ends.values())

    def lead_days(self, share: float) -> float:
        """Give the days from receipt to dispatch that a share of the cards does not exceed."""
        left = share * self.lead_minutes.total()
        for minutes, cards in sorted(self.lead_minutes.items()):
            left -= cards
            if left <= 0:
                return minutes / DAY_MINUTES
        return 0.0

    # ---- batches: laws 4 and 5 ---------------------------------------------------------------------------------

    def _opened(self, at: float, move: m.BatchOpened) -> None:
        if move.batch_id <= self._last_batch or move.batch_number in self._numbers:
            self._broken.note("law 5", f"batch {move.batch_id} came to the floor twice")
        self._last_batch = move.batch_id
        self._numbers.add(move.batch_number)
        for row in move.rows:
            number = row.acceptance_number
            if row.case_no:
                card = move.batch_id * CARDS_A_BATCH + row.index
                if card not in self._again:
                    self._broken.note("law 1", f"card {card} is made for a case whose card is not back")
                self._again.discard(card)
            elif number <= self._last_of.get(row.unit, ""):
                self._broken.note("law 1", f"batch {move.batch_id}: an acceptance number came before")
            else:
                self._last_of[row.unit] = number
        one = self._batches[move.batch_id] = Open(move)
        self.received += one.received
        self.accepted += one.received - len(one.unaccepted)
        self.ends["refused"] += one.ends["refused"]

    def _closed(self, at: float, move: m.BatchClosed) -> None:
        one = self._batches.pop(move.batch_id)
        told = (move.received, move.refused, move.cancelled, move.refused_late, move.dispatched)
        mine = (one.received, *(one.ends[how] for how in ENDS))
        if told != mine or sum(mine[1:]) != mine[0]:
            self._broken.note("law 4", f"batch {move.batch_id} is closed with {told}, and its cards ended as {mine}")

    def _decided(self, at: float, move: m.CardDecided) -> None:
        batch_id, place = divmod(move.card, CARDS_A_BATCH)
        one = self._batches[batch_id]
        if move.decision == "release":
            one.unaccepted.remove(place)
            self.accepted += 1
        elif move.decision in ENDING:
            how = ENDING[move.decision]
            if (how == "refused") != (place in one.unaccepted):
                self._broken.note("law 4", f"card {move.card} is {how}, and was accepted, or was not")
            if move.card in self._place:
                self._broken.note("law 1", f"card {move.card} ends as {how}, and a blank of it may be good")
            self._end(one, move.card, how)

    def _end(self, one: Open, card: int, how: str) -> None:
        place = card % CARDS_A_BATCH
        if one.over[place]:
            self._broken.note("law 4", f"card {card} ends twice, now as {how}")
        one.over[place] = 1
        one.ends[how] += 1
        self.ends[how] += 1

    # ---- sheets: law 1 -----------------------------------------------------------------------------------------

    def _imposed(self, at: float, move: m.SheetImposed) -> None:
        if move.sheet_id in self._trays:
            self._broken.note("law 1", f"sheet {move.sheet_id} is imposed twice")
        self.sheets += 1
        place = self._place
        for card in move.cards:
            if not card:
                continue
            if card in place:
                self._broken.note("law 1", f"card {card} is made again beside one that may be good")
            one = self._batches[card // CARDS_A_BATCH]
            if one.over[card % CARDS_A_BATCH] or card % CARDS_A_BATCH in one.unaccepted:
                self._broken.note("law 4", f"card {card} is made, and is not open and accepted")
            place[card] = move.sheet_id
        self._trays[move.sheet_id] = list(move.cards)

    def _marked(self, at: float, move: m.PositionsMarked) -> None:
        mark = move.mark.value
        if mark == "unused":
            return
        if mark.startswith("found_") and (not move.by or not move.second or move.by == move.second):
            self._broken.note("law 1", f"sheet {move.sheet_id}: a suspect is {mark} without two people")
        cards = self._trays.get(move.sheet_id)
        if cards is None:
            self._broken.note("law 1", f"sheet {move.sheet_id} is marked {mark}, and nothing of it is alive")
            return
        for position in PLACES_OF[move.mask]:
            card = cards[position]
            if self._place.get(card) != move.sheet_id:
                self._broken.note("law 1", f"sheet {move.sheet_id} position {position} is {mark}, and is over")
            elif mark in DEAD:
                del self._place[card]
                cards[position] = 0
                self.remade += 1
            elif mark in ("passed", "found_good"):
                self._passed.add(card)
                cards[position] = 0
        if not any(cards):
            del self._trays[move.sheet_id]

    def _quarantined(self, at: float, move: q.CardsQuarantined) -> None:
        cards = self._trays.setdefault(move.sheet_id, [0] * 8)
        for position, card in enumerate(move.cards):
            if card:
                if self._place.get(card) != move.sheet_id or card not in self._passed:
                    self._broken.note("law 1", f"card {card} is quarantined, and is not good, or on another sheet")
                self._passed.discard(card)
                cards[position] = card

    def _missing(self, at: float, move: m.CardMissing) -> None:
        self._place.pop(move.card)
        self._passed.discard(move.card)
        self.remade += 1

    def _set_good(self, at: float, move: q.CardSetGood) -> None:
        if move.card in self._place:
            self._broken.note("law 1", f"card {move.card} is set good beside a remake that may be good")
        self._place[move.card] = move.sheet_id
        self._passed.add(move.card)
        self.remade -= 1

    # ---- packing: law 6, and what leaves -----------------------------------------------------------------------

    def _bundled(self, at: float, move: m.BundleMade) -> None:
        for card in move.cards:
            if card not in self._passed:
                self._broken.note("law 6", f"card {card} is made, and did not pass inspection")
        self._bundles[move.bundle_id] = move.cards
        self.made += len(move.cards)

    def _unbundled(self, at: float, move: q.BundleOpened) -> None:
        cards = self._bundles.pop(move.bundle_id)
        self._blanks.went("bundle", "good", len(cards))
        self.made -= len(cards)

    def _left(self, at: float, move: m.ConsignmentSent) -> None:
        one = self._batches[move.batch_id]
        sent = self._sent.get(move.batch_id, 0)
        minutes = int((at - one.received_floor_s) // MINUTE_S)
        for bundle_id in move.bundles:
            if bundle_id not in self._bundles:
                self._broken.note("law 6", f"bundle {bundle_id} is sent, and is sent already or was never made")
                continue
            cards = self._bundles.pop(bundle_id)
            self._blanks.went("bundle", "dispatched", len(cards))
            self.lead_minutes[minutes] += len(cards)
            for card in cards:
                sent |= 1 << card % CARDS_A_BATCH
                self._end(one, card, "dispatched")
                del self._place[card]
                self._passed.remove(card)
        self._sent[move.batch_id] = sent

    def _returned(self, at: float, move: q.CardReturned) -> None:
        batch_id, place = divmod(move.card, CARDS_A_BATCH)
        if not self._sent.get(batch_id, 0) >> place & 1:
            self._broken.note("law 1", f"card {move.card} came back, and was not outside")
        else:
            self._sent[batch_id] ^= 1 << place
        self._again.add(move.case_card)

    # ---- jobs --------------------------------------------------------------------------------------------------

    def _started(self, at: float, move: m.JobStarted) -> None:
        if move.job_id <= self._last_job:
            self._broken.note("law 5", f"job number {move.job_id} is given twice")
        self._last_job = move.job_id
        self._jobs.add(move.job_id)

    def _ended(self, at: float, move: m.JobEnded) -> None:
        if move.job_id not in self._jobs:
            self._broken.note("law 5", f"job {move.job_id} ended twice, or never began")
        self._jobs.discard(move.job_id)
