"""The journal: an event and its moves are appended with their chain, their state rows and receipts, as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from sqlalchemy import Connection, Engine, bindparam, insert, literal_column, select

from controller.core.events import AnyEvent
from controller.core.moves import AnyMove
from controller.core.record_moves import LedgerRestored
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, event_link, link
from controller.ledger.errors import LedgerDamaged
from controller.ledger.prepared import Prepared
from controller.ledger.projection import Projection
from controller.ledger.receipts import Stamp
from encoders.envelope import EnvelopeError, Opener, pack

PAGE_ROWS = 10_000  # a long read is cut into short ones, so that the WAL can be checkpointed meanwhile

ROW_BYTES_MAX = 64 * 1024 * 1024  # our own rows: a batch of 10,000 verdicts is about 1 MB

# the short name that stands for each kind of move in the ledger
TAGS: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(AnyMove)}

_moves: Opener[AnyMove] = Opener(AnyMove, ROW_BYTES_MAX)
_events: Opener[AnyEvent] = Opener(AnyEvent, ROW_BYTES_MAX)
_INSERT_MOVE, _INSERT_EVENT = Prepared(insert(tables.move)), Prepared(insert(tables.journal_event))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the foreman heard and what followed: durable together, or not at all.

    Without an event, and then without moves, it is a place in the order of the commits and leaves no row.
    """

    at_floor_s: float
    event: AnyEvent | None
    moves: Sequence[AnyMove]


class Journal:
    """Takes what is recorded and writes it together.  It lives in the writer's thread, on the writer's connection."""

    kind: type = Recorded

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.head = self.durable_head = last_head(connection)
        self._events = last_event(connection)
        self._projection = Projection(connection, _jumped(connection))
        self._move_rows: list[tuple[Any, ...]] = []
        self._event_rows: list[tuple[Any, ...]] = []

    def take(self, recorded: Recorded) -> int:
        """Chain and fold what was recorded; give the number of its last move.  Nothing is written yet.

        Raises: UnknownRow, IllegalMove: a move does not fit what came before.
        """
        at_floor_s = recorded.at_floor_s + 0.0  # -0.0 would come back from the database as 0.0
        seq, chain = self.head
        if recorded.event is None:
            return seq
        append, apply = self._move_rows.append, self._projection.apply
        for move in recorded.moves:
            body = pack(move)
            seq += 1
            chain = link(chain, at_floor_s, body)
            append((seq, at_floor_s, TAGS[type(move)], body, chain))
            apply(Stamp(seq, at_floor_s, chain), move)
        self.head = Head(seq, chain)
        body = pack(recorded.event)
        number, chain = self._events.seq + 1, event_link(self._events.hash, at_floor_s, seq, body)
        self._events = Head(number, chain)
        self._event_rows.append((number, at_floor_s, body, seq, chain))
        return seq

    def flush(self) -> int:
        """Write what was taken, inside the transaction that is open on the connection; give the number of moves."""
        if not self._event_rows:
            return 0
        written = len(self._move_rows)
        _INSERT_EVENT.run(self._connection, self._event_rows)
        _INSERT_MOVE.run(self._connection, self._move_rows)
        self._projection.flush()
        self._event_rows.clear()
        self._move_rows.clear()
        return written

    def settle(self) -> None:
        """Take note that all that was written is durable, and forget what nobody needs in memory."""
        self.durable_head = self.head
        self._projection.settle()


def _jumped(connection: Connection) -> int:
    """Give by how much all restores together let numbers jump, from their moves."""
    move = tables.move
    is_restore = move.c.tag == literal_column(f"'{TAGS[LedgerRestored]}'")  # as the index of rare moves has it
    moves = [open_move(row) for row in connection.execute(select(move).where(is_restore))]
    return sum(one.step for one in moves if isinstance(one, LedgerRestored))


def last_head(connection: Connection) -> Head:
    """Give the head of the chain as it stands in the database."""
    move = tables.move
    row = connection.execute(select(move.c.seq, move.c.hash).order_by(move.c.seq.desc()).limit(1)).first()
    return Head(row[0], row[1]) if row else GENESIS


def last_event(connection: Connection) -> Head:
    """Give the head of the events' chain as it stands in the database."""
    event = tables.journal_event
    row = connection.execute(select(event.c.seq, event.c.hash).order_by(event.c.seq.desc()).limit(1)).first()
    return Head(row[0], row[1]) if row else GENESIS


def read_rows(engine: Engine, table: Any, after: int = 0) -> Iterator[Any]:
    """Give the rows of a journal table numbered above `after`, in order, page by page."""
    while True:
        with engine.connect() as connection:
            page = connection.execute(_page_of(table), {"after": after, "most": PAGE_ROWS}).all()
        yield from page
        if len(page) < PAGE_ROWS:
            return
        after = page[-1].seq


@cache
def _page_of(table: Any) -> Any:
    return select(table).where(table.c.seq > bindparam("after")).order_by(table.c.seq).limit(bindparam("most"))


def open_move(row: Any) -> AnyMove:
    """Give the move of a row of `tables.move`.  Raises: LedgerDamaged."""
    move: AnyMove = _open(_moves, row, "move")
    return move


def open_event(row: Any) -> AnyEvent:
    """Give the event of a row of `tables.journal_event`.  Raises: LedgerDamaged."""
    event: AnyEvent = _open(_events, row, "event")
    return event


def _open(opener: Any, row: Any, noun: str) -> Any:
    try:
        return opener.unpack(row.body)
    except EnvelopeError as error:
        raise LedgerDamaged(f"{noun} {row.seq} cannot be read ({error.code}): run `cardmill audit verify`") from error
