"""Where every blank is, by the moves alone: the accounts balance, and no serial lies in two places (law 2)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from controller.core.cards import State
from controller.core.errors import CoreError
from controller.core.fold import apply
from controller.core.moves import AnyMove
from controller.core.state import FloorState
from controller.core.stock import Account
from controller.core.stock_moves import ShiftClosed
from controller.ledger.verify.report import Verified

ON_A_BLANK = (State.GOOD, State.QUARANTINED, State.MADE)
# what a fold raises at a move that no foreman made
NOT_OF_A_FOREMAN = (CoreError, LookupError, ValueError, TypeError, AttributeError)


class BlankCheck:
    """Folds every move as the foreman does at a start, and looks at the accounts whenever they were closed."""

    def __init__(self, report: Verified) -> None:
        self.state = FloorState()
        self._report = report
        self._is_broken = False

    def apply(self, seq: int, at_floor_s: float, move: AnyMove) -> None:
        """Fold one move; one that cannot follow ends the look at blanks."""
        if self._is_broken:
            return
        try:
            apply(self.state, at_floor_s, move)
        except NOT_OF_A_FOREMAN as error:
            self._is_broken = True
            self._report.add(f"move {seq}: no foreman would have made it: {error}")
            return
        if isinstance(move, ShiftClosed):
            self._shift(seq, move)

    def end(self) -> None:
        """Look at the accounts as they are after the last move."""
        stock, report = self.state.stock, self._report
        report.counts["blanks"] = stock.received
        if self._is_broken:
            return
        if not stock.balanced():
            report.add(f"blanks: {stock.received} were received, the accounts hold {sum(stock.blanks.values())}")
        for account, counted in self._counted().items():
            if stock.blanks[account] != counted:
                report.add(f"blanks: the account {account} has {stock.blanks[account]}, its cards are {counted}")
        self._serials()

    def _shift(self, seq: int, move: ShiftClosed) -> None:
        accounts = {account.value: blanks for account, blanks in self.state.stock.blanks.items()}
        if move.accounts != accounts:
            self._report.add(f"move {seq} closes shift {move.shift_id} with accounts that its blanks do not have")

    def _counted(self) -> dict[Account, int]:
        """Give what three accounts must hold, counted card by card."""
        states = Counter(card.state for card in self.state.cards.values())
        return {
            Account.GOOD: states[State.GOOD],
            Account.QUARANTINED: states[State.QUARANTINED],
            Account.BUNDLE: states[State.MADE],
        }

    def _serials(self) -> None:
        """Name a serial that lies in two places."""
        stock = self.state.stock
        ranges = [*stock.vault, *(one for magazine in stock.magazines.values() for one in magazine)]
        for one, after in pairwise(sorted(ranges, key=lambda one: one.first)):
            if one.first + one.sheets > after.first:
                self._report.add(f"blanks: body sheet {after.first} lies in two places")
        held = [card.blank for card in self.state.cards.values() if card.state in ON_A_BLANK and card.blank]
        for blank, times in Counter([*held, *stock.spoiled, *stock.returned]).items():
            if times > 1:
                self._report.add(f"blanks: blank {blank} lies in {times} places")
