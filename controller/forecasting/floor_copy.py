"""The worker's own copy of the floor: state and estimates of all durable moves, kept from one question to the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from controller.config import Config
from controller.core.foreman import Foreman
from controller.core.line.estimates import Estimator
from controller.core.moves import AnyMove
from controller.forecasting.rests import Rests
from controller.ledger import tables
from controller.ledger.journal import last_head, open_move, read_rows
from controller.ledger.store import ledger_place
from controller.upkeep.books import open_books

REST_MOVES = 1_000  # between two rests: some 30 ms of work
REST_MOST_S = 20.0  # of one reading: somebody waits for the answer
LOOK_BACK_MOVES = 300_000  # of which estimates are made at first: some two weeks of a provincial centre


class DurableMoves:
    """The moves of a ledger that another process writes, on short read-only connections."""

    def __init__(self, reading: Engine) -> None:
        self._reading = reading

    @property
    def reading(self) -> Engine:
        """The engine of its read-only connections."""
        return self._reading

    def replay(self, after: int = 0) -> Iterator[tuple[float, AnyMove]]:
        """Give the durable moves numbered above `after`, in order, with their floor times.  Raises: LedgerDamaged."""
        rests = Rests(REST_MOST_S)
        for count, row in enumerate(read_rows(self._reading, tables.move, after), 1):
            yield row.at_floor_s, open_move(row)
            if not count % REST_MOVES:
                rests.rest()


class FloorCopy:
    """State and estimates after move `seq`; between two calls nothing of the ledger is open."""

    def __init__(self, folder: Path, config: Config, look_back_moves: int = LOOK_BACK_MOVES) -> None:
        self._engine = ledger_place(folder, config.storage.url).reader()
        self._moves, self._config, self._look_back_moves = DurableMoves(self._engine), config, look_back_moves
        self._foreman: Foreman | None = None
        self.estimator = Estimator(config.calendar)
        self.seq, self.last_floor_s = 0, 0.0

    def catch_up(self) -> Foreman:
        """Fold what is new and give the foreman, whose state is that of the last durable turn.

        Cost at first: a snapshot and the moves after it, and the look back; then the new moves alone.
        Raises: LedgerDamaged, CoreError, DBAPIError.
        """
        try:
            if self._foreman is None:
                self._foreman = self._first()
            else:
                self._fold(self._foreman)
        finally:
            self._engine.dispose()  # runs are forked: no process may inherit a connection
        return self._foreman

    def _first(self) -> Foreman:
        opened = open_books(self._moves, self._config)
        self.seq, self.last_floor_s = opened.seq, opened.books.last_floor_s
        with self._engine.connect() as connection:
            newest = last_head(connection).seq
        if newest > self._look_back_moves:
            self.estimator.know(opened.books.foreman.state.stations.values())
        begin, fold = max(0, newest - self._look_back_moves), self.estimator.fold
        for seq, (at_floor_s, move) in enumerate(self._moves.replay(begin), begin + 1):
            if seq > self.seq:
                break
            fold(at_floor_s, move)
        return opened.books.foreman

    def _fold(self, foreman: Foreman) -> None:
        replay, fold = foreman.replay, self.estimator.fold
        for at_floor_s, move in self._moves.replay(self.seq):
            replay(at_floor_s, move)
            fold(at_floor_s, move)
            self.seq += 1
            self.last_floor_s = at_floor_s
