"""The rows of an acceptance number, whoever sent them, and what became of each: what a correction has to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, select

from controller.application import CARD_IDS_PER_BATCH
from controller.core.cards import State
from controller.core.moves import Verdict
from controller.ledger import tables
from controller.ledger.columns import words_in
from controller.ledger.inbox import NO_VERDICT, InboxState

_REPLACEABLE = frozenset({"", State.HELD.value, State.REFUSED.value})  # of its card; empty: it never became one
TAKEN = frozenset({"duplicate.acceptance_before", "duplicate.acceptance_in_batch"})
_HISTORY = frozenset({InboxState.CHECKED.value, InboxState.RETURNED.value})


@dataclass(frozen=True, slots=True)
class SentRow:
    """One row with an acceptance number, and what became of it."""

    batch_id: int
    batch_number: str
    upstream: str
    card_kind: str
    due: str
    inbox_state: str
    index: int
    row_digest: bytes  # empty once it was purged
    verdict: int  # -1: none yet
    card_state: str  # empty: it is no card, or not yet
    purged_floor_s: float  # 0: its personal data are there
    codes: str  # JSON list

    @property
    def in_history(self) -> bool:
        """Say whether it is part of the history: its batch was judged, and not refused as a whole."""
        return self.inbox_state in _HISTORY and (bool(self.card_state) or self.inbox_state == InboxState.CHECKED)

    @property
    def has_number(self) -> bool:
        """Say whether it is of the application whose number it is: others brought it when it was taken already.

        The order of batches does not tell: one that was announced earlier may have become whole later.
        """
        return self.in_history and TAKEN.isdisjoint(words_in(self.codes))

    @property
    def undecided(self) -> bool:
        """Say whether its verdict is not out, or the floor has not heard of it."""
        if self.inbox_state in (InboxState.RECEIVING, InboxState.WHOLE):
            return True
        has_card = self.verdict not in (NO_VERDICT, Verdict.REFUSE)
        return self.inbox_state == InboxState.CHECKED and has_card and not self.card_state

    @property
    def replaceable(self) -> bool:
        """Say whether a correction may take its place: it was refused, or is held."""
        return self.card_state in _REPLACEABLE

    @property
    def card(self) -> int:
        """Give the number its card has, if it is one."""
        return self.batch_id * CARD_IDS_PER_BATCH + self.index


class SentRows:
    """Finds the rows of an acceptance number; any thread may ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, acceptance_number: str) -> list[SentRow]:
        """Give all rows of an acceptance number, whoever sent them, in the order in which their batches came."""
        row, inbox, card, floor = tables.inbox_application, tables.inbox_batch, tables.card, tables.batch
        of_batch = (inbox.c.batch_id, inbox.c.batch_number, inbox.c.upstream, inbox.c.card_kind, inbox.c.due)
        state = func.coalesce(card.c.state, "")
        purged = func.coalesce(floor.c.purged_floor_s, 0.0)
        query = (
            select(*of_batch, inbox.c.state, row.c.idx, row.c.row_digest, row.c.verdict, state, purged, row.c.codes)
            .join(inbox, inbox.c.batch_id == row.c.batch_id)
            .outerjoin(card, card.c.card_id == row.c.batch_id * CARD_IDS_PER_BATCH + row.c.idx)
            .outerjoin(floor, floor.c.batch_id == row.c.batch_id)
            .where(row.c.acceptance_number == acceptance_number)
            .order_by(row.c.batch_id, row.c.idx)
        )
        with self._engine.connect() as connection:
            rows: Sequence[Any] = connection.execute(query).all()
        return [SentRow(*found) for found in rows]


def is_too_late(rows: Sequence[SentRow]) -> bool:
    """Say whether an application may not be corrected any more: one of its rows is accepted, or was."""
    return any(row.in_history and not row.replaceable for row in rows)
