"""Entries of blanks between accounts as moves make them, without the floor's state: the other side of its books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core import stock_moves as s
from controller.core.moves import AnyMove, Mark
from controller.core.stock import ENTRY_OF_MARK, Account
from devices.messages import POSITIONS

OUTSIDE = "received"  # where blanks come from
FOUND = (Mark.FOUND_GOOD, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)

CardsOf = Callable[[int], int]
WasReturned = Callable[[int], bool]


class BlankEntries:
    """Folds moves from where every open sheet was imposed; `entries` are counted since `begin`.

    Args:
        cards_of: a bundle's number -> its cards.
        was_returned: a blank's serial -> whether it came back from outside before the first move folded here.
    """

    def __init__(self, cards_of: CardsOf, was_returned: WasReturned) -> None:
        self._cards_of, self._was_returned = cards_of, was_returned
        self._places: dict[int, int] = {}  # of sheets that are not of eight, until they are bound
        self._suspect: dict[int, int] = {}  # films: mask of what is suspect before a body is known
        self._bound: set[int] = set()
        self._quarantined: set[int] = set()
        self._returned: set[int] = set()
        self.accounts: Counter[str] = Counter()
        self.entries: Counter[tuple[str, str]] = Counter()

    def begin(self, accounts: Mapping[str, int]) -> None:
        """Count on from these accounts, with no entry."""
        self.accounts = Counter(dict(accounts))
        self.entries.clear()

    def fold(self, move: AnyMove) -> None:
        """Take one move."""
        fold = FOLDS.get(type(move))
        if fold:
            fold(self, move)

    def enter(self, source: str, target: str, blanks: int) -> None:
        """Move blanks from one account to another."""
        if blanks:
            self.entries[(source, target)] += blanks
            self.accounts[source] -= blanks
            self.accounts[target] += blanks

    # ---- sheets ------------------------------------------------------------------------------------------------

    def _imposed(self, move: m.SheetImposed) -> None:
        if move.places != POSITIONS:
            self._places[move.sheet_id] = move.places

    def _bind(self, move: m.SheetBound) -> None:
        self._bound.add(move.sheet_id)
        self.enter(Account.MAGAZINE, Account.SHEET, self._places.pop(move.sheet_id, POSITIONS))
        self.enter(Account.SHEET, Account.SUSPECT, self._suspect.pop(move.sheet_id, 0).bit_count())

    def _mark(self, move: m.PositionsMarked) -> None:
        if move.sheet_id not in self._bound:
            before = self._suspect.pop(move.sheet_id, 0)
            after = before | move.mask if move.mark is Mark.SUSPECTED else before & ~move.mask
            if after:
                self._suspect[move.sheet_id] = after
        elif move.mark in ENTRY_OF_MARK:
            lay = Account.QUARANTINED if move.sheet_id in self._quarantined else Account.SHEET
            source = Account.SUSPECT if move.mark in FOUND else lay
            self.enter(source, ENTRY_OF_MARK[move.mark], move.mask.bit_count())

    def _quarantine(self, move: q.CardsQuarantined) -> None:
        self._bound.add(move.sheet_id)
        self._quarantined.add(move.sheet_id)
        self.enter(Account.GOOD, Account.QUARANTINED, sum(map(bool, move.cards)))

    # ---- cards and bundles -------------------------------------------------------------------------------------

    def _bundle(self, move: m.BundleMade) -> None:
        self.enter(Account.GOOD, Account.BUNDLE, len(move.cards))

    def _opened(self, move: q.BundleOpened) -> None:
        self.enter(Account.BUNDLE, Account.GOOD, self._cards_of(move.bundle_id))

    def _sent(self, move: m.ConsignmentSent) -> None:
        self.enter(Account.BUNDLE, Account.DISPATCHED, sum(map(self._cards_of, move.bundles)))

    def _missing(self, move: m.CardMissing) -> None:
        self.enter(Account.GOOD, Account.MISSING, 1)

    def _set_good(self, move: q.CardSetGood) -> None:
        self.enter(Account.SPOILED, Account.GOOD, 1)

    def _came_back(self, move: q.CardReturned) -> None:
        self._returned.add(move.blank)
        self.enter(Account.DISPATCHED, Account.RETURNED, 1)

    # ---- stock -------------------------------------------------------------------------------------------------

    def _received(self, move: s.StockReceived) -> None:
        blanks = move.sheets * move.places
        self.entries[(OUTSIDE, Account.VAULT)] += blanks
        self.accounts[Account.VAULT] += blanks

    def _issued(self, move: s.MagazineIssued) -> None:
        self.enter(Account.VAULT, Account.MAGAZINE, move.sheets * move.places)

    def _unissued(self, move: s.BodiesReturned) -> None:
        self.enter(Account.MAGAZINE, Account.VAULT, move.sheets * move.places)

    def _sampled(self, move: s.BodiesSampled) -> None:
        self.enter(Account.VAULT, Account.SAMPLE, move.sheets * move.places)

    def _bodies_lost(self, move: s.BodiesLost) -> None:
        source = Account.MAGAZINE if move.station else Account.VAULT
        self.enter(source, Account.MISSING, move.sheets * move.places)

    def _blank_lost(self, move: s.BlanksLost) -> None:
        self.enter(self._void(move.blank), Account.MISSING, 1)

    def _destroyed(self, move: s.BlanksDestroyed) -> None:
        for blank in move.blanks:
            self.enter(self._void(blank), Account.DESTROYED, 1)

    def _void(self, blank: int) -> Account:
        """Give the account in which a blank that can become no card lies."""
        is_back = blank in self._returned or self._was_returned(blank)
        return Account.RETURNED if is_back else Account.SPOILED


FOLDS: dict[type, Callable[[BlankEntries, Any], None]] = {
    m.SheetImposed: BlankEntries._imposed,
    m.SheetBound: BlankEntries._bind,
    m.PositionsMarked: BlankEntries._mark,
    m.BundleMade: BlankEntries._bundle,
    m.ConsignmentSent: BlankEntries._sent,
    m.CardMissing: BlankEntries._missing,
    q.CardsQuarantined: BlankEntries._quarantine,
    q.BundleOpened: BlankEntries._opened,
    q.CardSetGood: BlankEntries._set_good,
    q.CardReturned: BlankEntries._came_back,
    s.StockReceived: BlankEntries._received,
    s.MagazineIssued: BlankEntries._issued,
    s.BodiesReturned: BlankEntries._unissued,
    s.BodiesSampled: BlankEntries._sampled,
    s.BodiesLost: BlankEntries._bodies_lost,
    s.BlanksLost: BlankEntries._blank_lost,
    s.BlanksDestroyed: BlankEntries._destroyed,
}
