"""A ledger replayed: every recorded event decided anew by a fresh foreman, each move compared with the one that stands.

The stamps are the recorded ones, timers too, so nothing waits and no clock is asked.  An event and its moves are
committed together: where the moves of each event are the same, ledger and replay agree at each commit boundary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select

from controller.core.errors import CoreError
from controller.core.events import AnyEvent, BatchesErased, RestoreAccepted, ServiceBegan
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.hosts import heap
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, event_link, link
from controller.ledger.errors import LedgerError
from controller.ledger.journal import last_event, open_event, open_move, read_rows
from controller.ledger.migrations import SCHEMA
from controller.ledger.verify.report import Tell, tell_nobody
from controller.replay.errors import NoBeginning, OtherSchema
from controller.replay.run import settings_of, this_program
from encoders.envelope import pack

TELL_EVERY = 500  # events
CAME_OUT_DIFFERENTLY = "the foreman makes another move now"
A_MOVE_MORE = "the foreman makes a move more now"
A_MOVE_LESS = "the foreman makes a move less now"
# what a foreman raises at an event that no program of ours recorded
NOT_OURS = (CoreError, LedgerError, LookupError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Where a replay ends: before the first event after a floor time, or after the last whole event up to a move."""

    at_floor_s: float = float("inf")
    move_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where ledger and replay part: after which event, at which move, and what each of the two says."""

    event_seq: int
    move_seq: int
    at_floor_s: float
    event: str  # what kind of event
    why: str
    recorded: AnyMove | None = None
    again: AnyMove | None = None


@dataclass(slots=True)
class Replayed:
    """What a replay came to."""

    events: int = 0
    moves: int = 0
    head: Head = GENESIS  # of the moves made anew: the ledger's own, as far as there is no difference
    last_floor_s: float = 0.0
    runs: int = 0
    runs_untold: int = 0  # of them, that did not record their settings
    runs_of_others: int = 0  # of them, that another program made
    restores: list[int] = field(default_factory=list)  # the moves at which backups ended
    purged: int = 0  # batches
    difference: Difference | None = None
    state: FloorState = field(default_factory=FloorState)

    @property
    def is_equal(self) -> bool:
        """Say whether all came out as it is recorded."""
        return self.difference is None


def replay_ledger(engine: Engine, config: CoreConfig, until: Until | None = None, tell: Tell = tell_nobody) -> Replayed:
    """Replay a ledger from its start, as far as it went when this began; a service may work there meanwhile.

    `config`: of runs that did not record their settings.  It ends at the first difference.
    Raises: ReplayError: it cannot be replayed from its start.  DBAPIError: it cannot be read.
    """
    return _Replay(engine, config, until or Until(), tell).run()


class _Differs(Exception):
    """Ends a replay."""

    def __init__(self, why: str, *, recorded: AnyMove | None = None, again: AnyMove | None = None) -> None:
        super().__init__(why)
        self.why, self.recorded, self.again = why, recorded, again


class _Ahead:
    """Rows of the journal, of which the next ones can be looked at before they are taken."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows, self._seen = iter(rows), deque[Any]()

    def look(self, place: int = 0) -> Any:
        """Give the next row, or one after it, without taking it; None where there is none."""
        while len(self._seen) <= place:
            row = next(self._rows, None)
            if row is None:
                return None
            self._seen.append(row)
        return self._seen[place]

    def take(self) -> Any:
        """Take the next row, None where there is none."""
        row = self.look()
        if row is not None:
            self._seen.popleft()
        return row


class _Replay:
    """One replay under way."""

    def __init__(self, engine: Engine, config: CoreConfig, until: Until, tell: Tell) -> None:
        self._engine, self._config, self._until, self._tell = engine, config, until, tell
        self._program = this_program()
        self._found = Replayed()
        self._events = _Ahead(read_rows(engine, tables.journal_event))
        self._moves = _Ahead(read_rows(engine, tables.move))
        self._event_head = GENESIS
        self._row: Any = None  # of the event that is decided
        self._last = 0

    def run(self) -> Replayed:
        """Replay run by run, each under its own settings."""
        with self._engine.connect() as connection:
            self._last = last_event(connection).seq
        if self._last:
            self._require_beginning()
        foreman: Foreman | None = None
        try:
            while self._is_wanted(self._events.look()):
                foreman = self._foreman(foreman)
                self._found.state = foreman.state
                heap.replay(foreman, self._one_run(), self._compare)
            self._tell("events", self._found.events, self._found.events)
        except _Differs as error:
            self._found.difference = self._difference(error.why, error.recorded, error.again)
        except NOT_OURS as error:
            text = str(error) or type(error).__name__
            self._found.difference = self._difference(f"the foreman cannot take this event: {text}")
        return self._found

    # ---- events ------------------------------------------------------------------------------------------------

    def _require_beginning(self) -> None:
        """Raises: NoBeginning."""
        for rows, noun in ((self._events, "event"), (self._moves, "move")):
            first = rows.look()
            if first is not None and first.seq != 1:
                before = f"{noun}s 1 to {first.seq - 1} are not in this ledger"
                raise NoBeginning(f"{before}, so what came after them cannot be decided anew; see docs/replay.md")

    def _is_wanted(self, row: Any) -> bool:
        if row is None or row.seq > self._last or row.at_floor_s > self._until.at_floor_s:
            return False
        return self._until.move_seq is None or row.move_seq_after <= self._until.move_seq

    def _one_run(self) -> Iterator[tuple[float, AnyEvent]]:
        """Give the events of one run with their stamps."""
        before: AnyEvent | None = None
        while self._is_wanted(self._events.look()):
            event = self._opened(self._events.look())
            if before is not None and _begins(event, before):
                return
            self._row = self._events.take()
            self._check_event(self._row)
            self._found.events += 1
            if self._found.events % TELL_EVERY == 0:
                self._tell("events", self._found.events, self._last)
            self._count(event)
            yield self._row.at_floor_s, event
            before = event

    def _opened(self, row: Any) -> AnyEvent:
        try:
            return open_event(row)
        except LedgerError as error:
            self._row = row
            raise _Differs(str(error)) from None

    def _check_event(self, row: Any) -> None:
        """Compute an event's own chain, and look that none is left out."""
        if row.seq != self._event_head.seq + 1:
            raise _Differs(f"events {self._event_head.seq + 1} to {row.seq - 1} are missing")
        chain = event_link(self._event_head.hash, row.at_floor_s, row.move_seq_after, row.body)
        self._event_head = Head(row.seq, chain)

    def _count(self, event: AnyEvent) -> None:
        if isinstance(event, RestoreAccepted):
            self._found.restores.append(event.at_seq)
        elif isinstance(event, BatchesErased):
            self._found.purged += len(event.batches)

    def _foreman(self, before: Foreman | None) -> Foreman:
        """Give the foreman of the run that begins now, as the service made it at its start."""
        start = self._start_ahead()
        config = None if start is None else settings_of(start)
        self._found.runs += 1
        self._found.runs_untold += config is None
        self._found.runs_of_others += start is not None and start.program not in ("", self._program)
        foreman = Foreman(config or self._config)
        if before is None:
            return foreman
        if not _must_fold(before.config, foreman.config):
            return Foreman(foreman.config, before.state)
        for row in read_rows(self._engine, tables.move):  # charts under new limits: the service folds them anew too
            if row.seq > self._found.head.seq:
                break
            foreman.replay(row.at_floor_s, open_move(row))
        return foreman

    def _start_ahead(self) -> ServiceBegan | None:
        """Give the start of the run that begins now; one on a restored ledger begins with the restore."""
        for place in range(2):
            row = self._events.look(place)
            event = None if row is None else self._opened(row)
            if isinstance(event, ServiceBegan):
                return event
            if not isinstance(event, RestoreAccepted):
                break
        return None

    # ---- moves -------------------------------------------------------------------------------------------------

    def _compare(self, at_floor_s: float, event: AnyEvent, made: list[AnyMove]) -> None:
        """Compare the moves that an event led to with those that were recorded with it."""
        for move in made:
            row = self._next_move()
            if row is None:
                raise _Differs(self._blame(A_MOVE_MORE), again=move)
            body = pack(move)
            chain = link(self._found.head.hash, at_floor_s, body)
            if (row.at_floor_s, row.body) != (at_floor_s + 0.0, body):
                raise _Differs(self._blame(), recorded=self._move_in(row), again=move)
            if row.hash != chain:
                raise _Differs(f"move {row.seq} does not carry the hash of what stands before it and in it")
            self._found.head = Head(row.seq, chain)
            self._found.moves += 1
            self._moves.take()
        row = self._next_move()
        if row is not None:
            raise _Differs(self._blame(A_MOVE_LESS), recorded=self._move_in(row))
        if self._row.hash != self._event_head.hash:
            raise _Differs(self._blame())
        self._found.last_floor_s = at_floor_s

    def _next_move(self) -> Any:
        """Give the next recorded move, None where the event has no more."""
        row, wanted = self._moves.look(), self._found.head.seq + 1
        if wanted > self._row.move_seq_after:
            return None
        if row is None or row.seq != wanted:
            raise _Differs(f"move {wanted} is missing, event {self._row.seq} ends at move {self._row.move_seq_after}")
        return row

    def _blame(self, otherwise: str = CAME_OUT_DIFFERENTLY) -> str:
        """Say why moves differ: somebody changed the event, or the foreman decides otherwise now."""
        if self._row.hash == self._event_head.hash:
            return otherwise
        return f"event {self._row.seq} was changed: it does not carry the hash of what stands before it and in it"

    @staticmethod
    def _move_in(row: Any) -> AnyMove | None:
        try:
            return open_move(row)
        except LedgerError:
            return None

    def _difference(self, why: str, recorded: AnyMove | None = None, again: AnyMove | None = None) -> Difference:
        row = self._row
        return Difference(
            event_seq=row.seq if row is not None else 1,
            move_seq=self._found.head.seq + 1,
            at_floor_s=row.at_floor_s if row is not None else 0.0,
            event=_kind(row),
            why=why,
            recorded=recorded,
            again=again,
        )


def _must_fold(before: CoreConfig, now: CoreConfig) -> bool:
    """Say whether the fold of moves is another one under the settings of the next run: charts have their limits."""
    return before.drift != now.drift


def _begins(event: AnyEvent, before: AnyEvent) -> bool:
    """Say whether a run begins with an event."""
    if isinstance(event, ServiceBegan):
        return not isinstance(before, RestoreAccepted)
    return isinstance(event, RestoreAccepted)


def _kind(row: Any) -> str:
    try:
        return str(type(open_event(row)).__struct_config__.tag)
    except (LedgerError, AttributeError):
        return "unreadable"


def require_schema(engine: Engine) -> None:
    """Raises: OtherSchema: another program wrote the database, and this one never opened it for writing."""
    meta = tables.meta
    with engine.connect() as connection:
        schema = connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar_one_or_none()
    if schema != str(SCHEMA):
        raise OtherSchema(f"the database has schema {schema}, this program {SCHEMA}: a start of `serve` converts it")
