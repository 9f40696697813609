"""The simulated disk: the real committer on a database in memory, and what a crash loses.

A group is applied when its sync ends, so the database holds exactly what is durable.  A crash loses what is queued;
the group whose sync is under way is durable, though nobody was told, or lost: by a draw, as on a real disk.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from sqlalchemy import Connection, Engine

from controller.core.events import TimerFired
from controller.ledger import tables
from controller.ledger.committer import Committer, Item
from controller.ledger.engine import scratch_engine
from controller.ledger.epoch import Epoch
from controller.ledger.errors import LedgerOvertaken
from controller.ledger.journal import Journal, Recorded
from sims.storm.errors import Broken
from sims.storm.options import Options
from sims.storm.timeline import Timeline

TELL_S = 0.03  # at most, from the end of a sync until the loop hears of it


@cache
def _blank() -> tuple[Engine, sqlite3.Connection]:
    """Give this process's database, and an empty one to copy from."""
    engine, empty = scratch_engine(), sqlite3.connect(":memory:")
    tables.metadata.create_all(engine)
    with engine.connect() as connection:
        _raw(connection).backup(empty)
    return engine, empty


def empty_engine() -> Engine:
    """Give this process's database, emptied: statements stay compiled from seed to seed."""
    engine, empty = _blank()
    restore(engine, empty)
    return engine


def image_of(engine: Engine) -> sqlite3.Connection:
    """Give a copy of the database as it stands."""
    image = sqlite3.connect(":memory:")
    with engine.connect() as connection:
        _raw(connection).backup(image)
    return image


def restore(engine: Engine, image: sqlite3.Connection) -> None:
    """Put a copy in the database's place."""
    with engine.connect() as connection:
        image.backup(_raw(connection))


def _raw(connection: Connection) -> sqlite3.Connection:
    raw: Any = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


class Waiting(Item):
    """An item with whoever is to hear that it is durable."""

    __slots__ = ("told",)

    def __init__(self, change: Any, told: Callable[[Waiting], None] | None, forgiving: bool) -> None:
        super().__init__(change, forgiving=forgiving)
        self.told = told


class Disk:
    """One service life's way to the database; `saw` is told each item once it is durable."""

    def __init__(
        self,
        engine: Engine,
        timeline: Timeline,
        options: Options,
        luck: Random,
        seen: Counter[str],
        saw: Callable[[Waiting], None],
        failed: Callable[[], None],
    ) -> None:
        self.engine, self._timeline, self._options, self._luck, self._seen = engine, timeline, options, luck, seen
        self._saw, self._failed = saw, failed
        with engine.begin() as connection:
            epoch = Epoch(connection, tables.meta)
        self.committer = Committer(engine, Journal, epoch)
        self._queue: list[Waiting] = []
        self._group: list[Waiting] = []
        self._untold: list[Waiting] = []
        self.is_calm = self._is_gone = False

    @property
    def is_idle(self) -> bool:
        """Say whether all that was put is durable and told."""
        return not (self._queue or self._group or self._untold)

    def unwritten(self) -> list[Recorded]:
        """Give the turns that are not durable yet, in order."""
        return [item.change for item in (*self._group, *self._queue) if isinstance(item.change, Recorded)]

    def put(self, change: Any, told: Callable[[Waiting], None] | None = None, *, forgiving: bool = False) -> None:
        """Queue a change, as `Writer.put` and, forgiving, `Writer.write` do."""
        self._queue.append(Waiting(change, told, forgiving))
        if not self._group and not self._untold:
            self._begin()

    def crash(self) -> None:
        """Lose what is not durable; the group whose sync is under way may be."""
        self._is_gone = True
        if self._untold:
            self._seen["durable, nobody was told"] += 1
        if self._group and self._luck.random() < 0.5:
            self._seen["group durable at a crash, nobody was told"] += 1
            self._write()
        elif self._group:
            self._seen["group lost at a crash"] += 1
        if self._queue:
            self._seen["queue lost at a crash"] += 1
        self.committer.close()

    def hang(self) -> None:
        """Stand still, as a paused process does; `wake` goes on where it stood."""
        self._is_gone = True

    def wake(self) -> None:
        """Commit what was queued, though another life works here by now.  Raises: Broken: it is let."""
        late = Item(Recorded(self._timeline.now_floor_s, TimerFired(), []))
        try:
            self.committer.commit([*self._group, *self._queue, late])
        except LedgerOvertaken:
            self._seen["zombie fenced off"] += 1
        else:
            raise Broken("law 3", "a life whose time is over commits")
        finally:
            self.committer.close()

    # ---- inside ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._queue:
            return
        self._group, self._queue = self._queue, []
        lasts_s = self._options.sync_s
        if not self.is_calm and self._luck.random() < self._options.sync_slow:
            self._seen["slow sync"] += 1
            lasts_s *= 5
        self._timeline.after(lasts_s, self._synced)

    def _synced(self) -> None:
        if self._is_gone:
            return
        if not self.is_calm and self._luck.random() < self._options.sync_fails:
            self._seen["sync failed"] += 1
            self._failed()  # what is on the disk now, only opening it anew can tell
            return
        self._write()
        self._timeline.after(TELL_S * self._luck.random(), self._tell)

    def _write(self) -> None:
        self.committer.commit(self._group)
        self._group, self._untold = [], self._group
        for item in self._untold:
            self._saw(item)

    def _tell(self) -> None:
        if self._is_gone:
            return
        group, self._untold = self._untold, []
        for item in group:
            if item.told is not None:
                item.told(item)
        if not self._group and not self._is_gone:
            self._begin()
