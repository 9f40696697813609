"""Law 2 out of the moves alone: each blank by its serial in one account, written without a line of the fold's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core import stock_moves as s
from sims.year.broken import Broken

PLACES_OF = tuple(tuple(place for place in range(8) if mask >> place & 1) for mask in range(256))
TO_DRAWER = frozenset({"unused", "spoiled", "found_spoiled"})
FROM_SUSPECT = frozenset({"found_good", "found_spoiled", "found_missing"})
ACCOUNT_OF = {
    "unused": "spoiled",
    "spoiled": "spoiled",
    "passed": "good",
    "quarantined": "quarantined",
    "suspected": "suspect",
    "found_good": "good",
    "found_spoiled": "spoiled",
    "found_missing": "missing",
}


class Body:
    """One body sheet under a film; `inside` are the positions whose blanks did not leave it."""

    __slots__ = ("body", "inside", "places", "quarantined", "suspect")

    def __init__(self, body: int, places: int) -> None:
        self.body, self.places, self.inside = body, places, (1 << places) - 1
        self.quarantined = self.suspect = 0  # masks


class BlankLaws:
    """Follows blanks; `accounts` are its own sums."""

    def __init__(self, broken: Broken) -> None:
        self._broken = broken
        self.accounts: Counter[str] = Counter()
        self.received = 0
        self.spoiled_ever = 0
        self._sizes: dict[int, int] = {}  # sheet -> places of the body it is for, where it is a single one
        self._bodies: dict[int, Body] = {}  # sheet -> what lies under it
        self._issued: dict[str, list[list[int]]] = {}  # station -> [first, sheets, places] in the magazine
        self._drawn: dict[int, bytearray] = {}  # first serial of a delivery -> 1 for each body that was bound
        self._drawer: set[int] = set()
        self._back: set[int] = set()
        self.follow: dict[type, Callable[[Any], None]] = {
            s.StockReceived: self._received,
            s.MagazineIssued: self._was_issued,
            s.BlanksDestroyed: self._destroyed,
            s.ShiftClosed: self._closed,
            m.SheetImposed: self._imposed,
            m.SheetBound: self._bound,
            m.PositionsMarked: self._marked,
            m.BundleMade: lambda move: self._enter("good", "bundle", len(move.cards)),
            m.CardMissing: lambda move: self._enter("good", "missing", 1),
            q.CardReturned: self._returned,
            q.CardSetGood: self._set_good,
            q.CardsQuarantined: self._quarantined,
        }

    def went(self, source: str, target: str, blanks: int) -> None:
        """Enter what the cards' side knows: bundles that leave, or are opened."""
        self._enter(source, target, blanks)

    def compare(self, told: Mapping[str, int], what: str) -> None:
        """Hold other sums of the accounts against these, and the sums against the serials."""
        mine = {account: count for account, count in self.accounts.items() if count}
        if mine != {account: count for account, count in told.items() if count}:
            self._broken.note("law 2", f"{what}: the books have {dict(told)}, the moves give {mine}")
        if sum(mine.values()) != self.received:
            self._broken.note("law 2", f"{what}: {sum(mine.values())} blanks in accounts, {self.received} received")
        if len(self._drawer) != self.accounts["spoiled"] or len(self._back) != self.accounts["returned"]:
            self._broken.note("law 2", f"{what}: serials and sums of spoiled or returned blanks differ")
        inside = sum(one.inside.bit_count() for one in self._bodies.values())
        if inside != self.accounts["sheet"] + self.accounts["suspect"] + self.accounts["quarantined"]:
            self._broken.note("law 2", f"{what}: {inside} blanks lie in sheets, the sums have others")

    def _enter(self, source: str, target: str, blanks: int) -> None:
        accounts = self.accounts
        accounts[source] -= blanks
        accounts[target] += blanks
        if accounts[source] < 0:
            self._broken.note("law 2", f"{blanks} blanks from {source} to {target}, and there were not so many")

    # ---- body sheets -------------------------------------------------------------------------------------------

    def _received(self, move: s.StockReceived) -> None:
        end = move.first_body + move.sheets
        if any(first < end and move.first_body < first + len(seen) for first, seen in self._drawn.items()):
            self._broken.note("law 2", f"body sheets from {move.first_body} on came twice")
        self._drawn[move.first_body] = bytearray(move.sheets)
        self.received += move.sheets * move.places
        self.accounts["vault"] += move.sheets * move.places

    def _was_issued(self, move: s.MagazineIssued) -> None:
        self._issued.setdefault(move.station, []).append([move.first_body, move.sheets, move.places])
        self._enter("vault", "magazine", move.sheets * move.places)

    def _imposed(self, move: m.SheetImposed) -> None:
        if move.places != 8:
            self._sizes[move.sheet_id] = move.places

    def _bound(self, move: m.SheetBound) -> None:
        places, body = self._sizes.pop(move.sheet_id, 8), move.body
        for number, (first, sheets, size) in enumerate(self._issued.get(move.station, [])):
            if first <= body < first + sheets and size == places:
                if body == first + sheets - 1 and all(self._is_drawn(one) for one in range(first, body)):
                    del self._issued[move.station][number]
                break
        else:
            self._broken.note("law 2", f"body {body} was bound at {move.station}, and lay in another place")
        if self._is_drawn(body):
            self._broken.note("law 2", f"body {body} was bound twice")
        self._draw(body)
        self._bodies[move.sheet_id] = Body(body, places)
        self._enter("magazine", "sheet", places)

    def _delivery(self, body: int) -> tuple[int, bytearray]:
        for first, seen in self._drawn.items():
            if first <= body < first + len(seen):
                return first, seen
        raise KeyError(f"body {body}")

    def _is_drawn(self, body: int) -> bool:
        first, seen = self._delivery(body)
        return bool(seen[body - first])

    def _draw(self, body: int) -> None:
        first, seen = self._delivery(body)
        seen[body - first] = 1

    # ---- positions ---------------------------------------------------------------------------------------------

    def _marked(self, move: m.PositionsMarked) -> None:
        under, mark, mask = self._bodies.get(move.sheet_id), move.mark.value, move.mask
        if under is None:
            if mark == "film_spoiled":
                self._sizes.pop(move.sheet_id, None)
            elif mark not in FROM_SUSPECT and mark != "suspected":
                self._broken.note("law 2", f"sheet {move.sheet_id} is marked {mark}, and no blank lies under it")
            return
        if mark == "film_spoiled" or mask & ~under.inside:
            self._broken.note("law 2", f"sheet {move.sheet_id}: {mark} of positions that are not there")
            return
        suspect, quarantined = mask & under.suspect, mask & under.quarantined
        source = "suspect" if suspect else "quarantined" if quarantined else "sheet"
        if suspect not in (0, mask) or quarantined not in (0, mask):
            self._broken.note("law 2", f"sheet {move.sheet_id}: {mark} of blanks out of two accounts")
        self._enter(source, ACCOUNT_OF[mark], mask.bit_count())
        self._leave(move.sheet_id, under, mark, mask)

    def _leave(self, sheet_id: int, under: Body, mark: str, mask: int) -> None:
        under.suspect, under.quarantined = under.suspect & ~mask, under.quarantined & ~mask
        if mark == "suspected":
            under.suspect |= mask
            return
        if mark == "quarantined":
            under.quarantined |= mask
            return
        if mark in TO_DRAWER:
            self.spoiled_ever += mask.bit_count()
            for place in PLACES_OF[mask]:
                self._into_drawer(under.body * 10 + place + 1)
        under.inside &= ~mask
        if not under.inside:
            del self._bodies[sheet_id]

    def _into_drawer(self, serial: int) -> None:
        if serial in self._drawer:
            self._broken.note("law 2", f"blank {serial} is spoiled twice")
        self._drawer.add(serial)

    def _quarantined(self, move: q.CardsQuarantined) -> None:
        under = self._bodies.get(move.sheet_id)
        if under is None:
            under = self._bodies[move.sheet_id] = Body(move.body, 8)
            under.inside = 0
        mask = sum(1 << place for place, card in enumerate(move.cards) if card)
        if mask & under.inside or under.body != move.body:
            self._broken.note("law 2", f"sheet {move.sheet_id}: blanks come back to it that never left")
        under.inside |= mask
        under.quarantined |= mask
        self._enter("good", "quarantined", mask.bit_count())

    # ---- spoiled and returned ----------------------------------------------------------------------------------

    def _set_good(self, move: q.CardSetGood) -> None:
        if move.blank not in self._drawer:
            self._broken.note("law 2", f"blank {move.blank} is set good, and was not spoiled")
        self._drawer.discard(move.blank)
        self.spoiled_ever -= 1
        self._enter("spoiled", "good", 1)

    def _returned(self, move: q.CardReturned) -> None:
        if move.blank in self._back:
            self._broken.note("law 2", f"blank {move.blank} came back twice")
        self._back.add(move.blank)
        self._enter("dispatched", "returned", 1)

    def _destroyed(self, move: s.BlanksDestroyed) -> None:
        for blank in move.blanks:
            if blank in self._back:
                self._back.remove(blank)
                self._enter("returned", "destroyed", 1)
            elif blank in self._drawer:
                self._drawer.remove(blank)
                self._enter("spoiled", "destroyed", 1)
            else:
                self._broken.note("law 2", f"blank {blank} is destroyed, and was neither spoiled nor returned")
        if not move.by or not move.second or move.by == move.second:
            self._broken.note("law 2", f"destruction {move.destruction_id} had not two people")

    def _closed(self, move: s.ShiftClosed) -> None:
        self.compare(move.accounts, f"shift {move.shift_id}")
