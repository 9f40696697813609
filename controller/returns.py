"""Cards that came back bad: the shell finds the last case, copies its application, and tells the foreman."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
import trio

from controller.application import index_of
from controller.clock import floor_date
from controller.core.cards import FINAL, State
from controller.core.events import AnyEvent, BatchChecked, CardCameBack
from controller.core.moves import RowVerdict, Verdict
from controller.core.remakes import RETURN_S
from controller.core.turn import Refused
from controller.hosts.live import Ticket
from controller.ledger.errors import RowPurged
from controller.ledger.reader import OPEN
from controller.ledger.returns import OpenReturn
from controller.ledger.rows import BatchRow, CardRow
from controller.ledger.store import Ledger
from controller.vault.errors import KeyMissing, RowMissing, Tampered
from controller.vault.store import Vault

log = structlog.get_logger()

UNKNOWN = Refused("return.unknown", "no card of this acceptance number was ever made here")
OPEN_CASE = Refused("return.open_case", "this card is back already, and its next case is under way: see `remakes`")
OTHER_OPEN = Refused("return.other_open", "another application of this person is open: that one will be the card")
PURGED = Refused("return.purged", "its personal data were destroyed: upstream has to send a new application")
DAMAGED = Refused("return.damaged", "its application cannot be read from the vault: restore the vault, then try again")


@dataclass(frozen=True, slots=True)
class NextCase:
    """What a card that came back is made again as."""

    batch_number: str
    case: int
    card: int
    due_floor_s: float


class Returns:
    """Takes back one card at a time.

    `history` is the judge's lock: no application of the same person may be judged between the look at the history and
    the moment the case is part of it.  Killed before the foreman's turn is durable, there is no case: what lies in
    inbox and vault by then is found and used when the card is taken back again.
    """

    def __init__(
        self,
        ledger: Ledger,
        vault: Vault,
        history: trio.Lock,
        now_floor_s: Callable[[], float],
        post: Callable[[AnyEvent], Ticket],
    ) -> None:
        self._ledger, self._vault, self._history = ledger, vault, history
        self._now_floor_s, self._post = now_floor_s, post

    async def take_back(self, acceptance_number: str, code: str, by: str) -> NextCase | Refused:
        """Record that the card of the last case came back, and begin the next case; durable on return."""
        async with self._history:
            found = await trio.to_thread.run_sync(self._last_case, acceptance_number)
            if isinstance(found, Refused):
                return found
            return await self._next_case(*found, code, by)

    def _last_case(self, acceptance_number: str) -> tuple[CardRow, BatchRow, bytes] | Refused:
        """Give the last case of a card, its batch and its application, if it can be made again."""
        reader = self._ledger.reader
        cards = reader.cards_of(acceptance_number)
        if not cards:
            return UNKNOWN
        card = cards[0]
        batch, row = reader.batch(card.batch_id), reader.row(card.batch_id, index_of(card.card_id))
        if batch is None or row is None:
            return UNKNOWN
        if card.case_no and card.state not in FINAL:
            return OPEN_CASE
        if card.state != State.DISPATCHED:
            return Refused("return.not_sent", f"its card is {card.state}: only one that was dispatched can come back")
        others = reader.known_people([row.identity], card.batch_id)
        if any(other.standing == OPEN and other.person == row.person for other in others):
            return OTHER_OPEN
        try:
            return card, batch, self._vault.application(card.batch_id, row.index)
        except KeyMissing:
            return PURGED
        except (RowMissing, Tampered) as error:
            log.error("application unreadable", card=card.card_id, code=error.code)
            return DAMAGED

    async def _next_case(
        self, card: CardRow, batch: BatchRow, application: bytes, code: str, by: str
    ) -> NextCase | Refused:
        now, case = self._now_floor_s(), card.case_no + 1
        number, due_floor_s = case_number(batch.batch_number, card, case), now + RETURN_S
        index = index_of(card.card_id)
        change = OpenReturn(card.batch_id, index, number, floor_date(due_floor_s), floor_date(now), now)
        try:
            batch_id = await self._ledger.write(change)
            await self._vault.store_applications(batch_id, [(0, application)])
        except (RowPurged, KeyMissing):  # a purge began meanwhile
            return PURGED
        row = RowVerdict(0, card.acceptance_number, card.unit, Verdict.OK, express=True, case_no=case)
        opened = BatchChecked(batch_id, number, batch.upstream, batch.card_kind, now, due_floor_s, [row])
        turn = await self._post(CardCameBack(card.card_id, card.blank, code, by, opened)).wait()
        if turn.refused:
            return turn.refused
        log.info("card came back", card=card.card_id, case=case, code=code)
        return NextCase(number, case, batch_id * 10_000, due_floor_s)


def case_number(batch_number: str, card: CardRow, case: int) -> str:
    """Give the batch number of a returned card's case: that of the first making, `-R`, the case, and its place.

    Two cards of one batch may come back, so the case alone would not tell them apart.
    """
    first, _, rest = batch_number.partition("-R")
    place = rest.partition("-")[2] or str(index_of(card.card_id))
    return f"{first}-R{case}-{place}"
