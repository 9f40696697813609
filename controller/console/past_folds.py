"""Past floors that people look at: folded one at a time beside the service, and a few kept for the next look."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial

import structlog
import trio
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from controller.config import Config
from controller.core.errors import CoreError
from controller.ledger import tables
from controller.ledger.errors import LedgerError
from controller.ledger.store import Ledger
from controller.upkeep.books import Books
from controller.upkeep.past import books_at

log = structlog.get_logger()
KEPT = 3  # past floors: whoever drags time back and forth sees them again at once
GONE_S = 30.0  # real seconds without a word, after which nobody waits: a page that does asks every few of them
PATIENCE_S = 3.0  # real seconds a page waits for a fold; then it says how far it is, and asks again


@dataclass(slots=True)
class Fold:
    """One past floor: its books once they are folded, and until then how far it is, in moves."""

    at_floor_s: float
    books: Books | None = None
    done: int = 0
    total: int = 0
    failure: str = ""  # a code
    over: trio.Event = field(default_factory=trio.Event)  # without books where it failed or nobody wanted it any more
    asked_s: dict[str, float] = field(default_factory=dict)  # who waits for it, and when they asked last

    def is_wanted(self) -> bool:
        """Say whether somebody waits for it who asked lately."""
        return any(time.monotonic() - asked_s < GONE_S for asked_s in list(self.asked_s.values()))


class _Unwanted(Exception):
    """Nobody waits for this fold any more."""


class PastFolds:
    """Folds past floors in a thread; a later wish of somebody ends an earlier one, unless others wait for it."""

    def __init__(self, ledger: Ledger, config: Config, nursery: trio.Nursery) -> None:
        self._ledger, self._config, self._nursery = ledger, config, nursery
        self._kept: OrderedDict[float, Fold] = OrderedDict()
        self._one_at_a_time = trio.CapacityLimiter(1)
        self._first_floor_s: float | None = None

    async def at(self, at_floor_s: float, who: str) -> Fold:
        """Give the fold of a moment, done or on its way, for somebody."""
        for other in self._kept.values():
            other.asked_s.pop(who, None)
        fold = self._kept.get(at_floor_s)
        if fold is None:
            fold = self._kept[at_floor_s] = Fold(at_floor_s)
            self._nursery.start_soon(self._fold, fold)
        fold.asked_s[who] = time.monotonic()
        self._keep_few()
        with trio.move_on_after(PATIENCE_S):
            await fold.over.wait()
        return fold

    def _keep_few(self) -> None:
        """Forget the oldest of those that are done; of those on their way there is one for each who asks."""
        done = [at_floor_s for at_floor_s, fold in self._kept.items() if fold.books is not None]
        for at_floor_s in done[:-KEPT]:
            del self._kept[at_floor_s]

    async def first_floor_s(self) -> float:
        """Give the time of the ledger's first move, 0 while there is none."""
        if self._first_floor_s is None:
            self._first_floor_s = await trio.to_thread.run_sync(self._first)
        return self._first_floor_s or 0.0

    def _first(self) -> float | None:
        with self._ledger.reading.connect() as connection:
            return connection.execute(select(tables.move.c.at_floor_s).where(tables.move.c.seq == 1)).scalar()

    async def _fold(self, fold: Fold) -> None:
        work = partial(books_at, self._ledger, self._config, fold.at_floor_s, partial(_tell, fold))
        try:
            fold.books = await trio.to_thread.run_sync(work, limiter=self._one_at_a_time)
            self._keep_few()
        except (_Unwanted, LedgerError, CoreError, DBAPIError) as error:
            del self._kept[fold.at_floor_s]
            if not isinstance(error, _Unwanted):
                fold.failure = getattr(error, "code", "") or type(error).__name__
                log.error("the past floor cannot be folded", code=fold.failure)
        finally:
            fold.over.set()


def _tell(fold: Fold, done: int, total: int) -> None:
    fold.done, fold.total = done, total
    if not fold.is_wanted():
        raise _Unwanted
