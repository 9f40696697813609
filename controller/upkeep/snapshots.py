"""When snapshots are taken: after a start that folded much, while the service runs, and at an orderly stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import trio
from sqlalchemy.exc import DBAPIError

from controller.config import Config
from controller.desk.desk import AllBefore
from controller.ledger.engine import reason_of
from controller.ledger.errors import ChangeRefused
from controller.ledger.snapshot import StoreSnapshot, last_snapshot
from controller.ledger.store import Ledger
from controller.upkeep.books import Books, Folded, code_of, encode_books, open_books

log = structlog.get_logger()
EVERY_MOVES = 50_000  # a start folds so many in about a second, besides reading the snapshot
STOP_MOVES = 20_000  # at a stop fewer are not worth a snapshot
LOOK_S = 60.0  # real seconds


class Snapshots:
    """Takes the snapshots of one ledger; while the disk is low, none: what is left of it is for moves.

    One that cannot be taken costs a line in the log and a longer start, never the service.
    """

    def __init__(
        self, ledger: Ledger, config: Config, is_low: Callable[[], bool], every_moves: int = EVERY_MOVES
    ) -> None:
        self._ledger, self._config, self._is_low, self._every_moves = ledger, config, is_low, every_moves
        self._code = code_of(config)

    async def store_after_start(self, opened: Folded) -> None:
        """Keep what a start folded, when that was so much that the next one should not; before anything is recorded."""
        if opened.moves >= self._every_moves:
            with _without_it():
                await self._store(opened.books, opened.seq)

    async def keep(self) -> None:
        """Keep a snapshot whenever enough moves came since the last one, until cancelled.

        It is not made of the books in use, which no other thread may read, but folded anew beside them from the last
        snapshot and the ledger: the trio thread then waits for its turn of the interpreter, and no longer.
        """
        while True:
            await trio.sleep(LOOK_S)
            with _without_it():
                await self._keep_one()

    async def store_at_stop(self, books: Books) -> None:
        """Keep the books in use, which nobody changes any more, for the next start."""
        await self._ledger.write(AllBefore())  # all that was put is counted in them now
        with _without_it():
            if await self._since() >= min(STOP_MOVES, self._every_moves):
                await self._store(books, self._ledger.head.seq)

    async def _keep_one(self) -> None:
        if await self._since() < self._every_moves:
            return
        opened = await trio.to_thread.run_sync(open_books, self._ledger, self._config)
        await self._store(opened.books, opened.seq)
        await trio.to_thread.run_sync(_put_away, opened.books)

    async def _since(self) -> int:
        return self._ledger.head.seq - await trio.to_thread.run_sync(last_snapshot, self._ledger.reading, self._code)

    async def _store(self, books: Books, seq: int) -> None:
        if self._is_low():
            log.warning("no snapshot while the disk is low", seq=seq)
            return
        started = time.perf_counter()
        body = await trio.to_thread.run_sync(encode_books, books)
        await self._ledger.write(StoreSnapshot(seq, self._code, body))
        log.info("snapshot kept", seq=seq, size_bytes=len(body), took_s=round(time.perf_counter() - started, 3))


@contextmanager
def _without_it() -> Iterator[None]:
    """Let a snapshot that could not be read for, or that the database refused, be none."""
    try:
        yield
    except DBAPIError as error:
        log.error("no snapshot kept", reason=reason_of(error))
    except ChangeRefused as error:
        log.error("no snapshot kept", reason=str(error))


def _put_away(books: Books) -> None:
    """Let go of books one by one: all at once, they would hold every thread for as long as it takes."""
    for many in (books.foreman.state.cards, books.foreman.state.sheets, books.campaign.kept.open):
        while many:
            many.popitem()
