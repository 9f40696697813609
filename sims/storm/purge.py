"""The purge at the end of some storms: the real key ring on a real file, ordered as in `controller.upkeep.purging`."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from controller.core.calendar import DAY_S
from controller.core.events import BatchesErased, Purge
from controller.ledger.purge_rows import BlankDigests, PurgeReader
from controller.upkeep.purging import BATCHES, ROWS
from controller.vault.key_files import KEYRING_NAME
from controller.vault.keyring import KeyRing
from sims.storm.errors import Broken
from sims.storm.life import CONFIG, Life, Task
from sims.storm.storm import Storm
from sims.storm.timeline import SCALE

PURGED_EVERY, PURGED_AT = 16, 8  # seeds
LIMIT_S = 400.0
MASTER = bytes(range(32))  # of keys that protect nothing


class Purges:
    """One storm's key ring, and what a life does when two people want old data destroyed."""

    def __init__(self, storm: Storm, folder: Path) -> None:
        self._storm, self._path = storm, folder / KEYRING_NAME
        self._life: Life | None = None
        self._ring = self._opened()
        self._crash_next = True

    def fill(self, batches: Sequence[int]) -> None:
        """Give each batch its key."""
        for batch_id in batches:
            self._ring.key_or_new(batch_id)

    def __call__(self, life: Life, action: Purge) -> None:
        """Take the foreman's action; a new life opens the key file anew, as a start does."""
        if life is not self._life:
            self._life, self._ring = life, self._opened()
        life.spawn(self._purge(life, action))

    def _opened(self) -> KeyRing:
        ring = KeyRing(self._path, MASTER)
        ring.mend()
        return ring

    def _purge(self, life: Life, action: Purge) -> Task:
        reader = PurgeReader(life.engine)
        after, is_last = 0, False
        while not is_last:
            due = reader.due(action.closed_before_floor_s, after, BATCHES)
            is_last = len(due) < BATCHES
            erased = yield from self._erase(life, reader, due)
            yield life.posted(BatchesErased(action.purge_id, erased, is_last))
            after = max(due, default=after)

    def _erase(self, life: Life, reader: PurgeReader, due: list[int]) -> Generator[Any, Any, list[tuple[int, bytes]]]:
        self._ring.destroy(due)
        self._crash_once(life)
        erased = []
        for batch_id in due:
            yield life.pause(0.05)
            for key in [key for key in life.vault.applications if key[0] == batch_id]:
                del life.vault.applications[key]
            for first in range(0, reader.rows_of(batch_id), ROWS):
                yield life.write(BlankDigests(batch_id, first, ROWS))
            erased.append((batch_id, reader.rows_hash(batch_id)))
        return erased

    def _crash_once(self, life: Life) -> None:
        """Kill the service once between the destruction of keys and the move that records it."""
        if self._crash_next:
            self._crash_next = False
            life.note("crash during a purge")
            life.after(0.02, self._storm.crash)

    def check(self, batches: Sequence[int]) -> None:
        """Check that no file holds the key of a purged batch (law 8)."""
        known = KeyRing(self._path, MASTER)
        lines = self._path.read_text("ascii").splitlines()
        for batch_id in batches:
            if batch_id in known or any(line.startswith(f"{batch_id} ") for line in lines):
                raise Broken("law 8", f"batch {batch_id} is purged, and its key is still there")


def purge(storm: Storm) -> None:
    """Let a day pass, let two people purge all of it, and check that keys are gone and counts are not."""
    life = storm.life
    assert life is not None
    reader = life.reader
    batches = [row.batch_id for row in reader.batches()]
    before = {batch_id: reader.counts(batch_id) for batch_id in batches}
    with tempfile.TemporaryDirectory() as folder:
        purges = storm.purges = Purges(storm, Path(folder))
        purges.fill(batches)
        _ask(storm, batches)
        purges.check(batches)
    left = PurgeReader(life.engine).purged(batches)
    if left != set(batches) or storm.vault.applications:
        raise Broken("law 8", f"{len(left)} of {len(batches)} batches are purged")
    if before != {batch_id: reader.counts(batch_id) for batch_id in batches}:
        raise Broken("law 4", "a purge changed what became of applications")


def _ask(storm: Storm, batches: Sequence[int]) -> None:
    days = CONFIG.vault.retention_days
    storm.rest(days * DAY_S / SCALE + 1.0)

    def is_over() -> bool:
        life = storm.life
        is_asked = "purge" in storm.people.done
        return is_asked and life is not None and life.has_begun and life.disk.is_idle and not life.state.purges

    def ask() -> None:
        if storm.life is not None and storm.life.has_begun and "purge" not in storm.people.done:
            storm.people.both(storm.life, "purge", {"days": days})
        if not is_over():
            storm.timeline.after(2.0, ask)

    ask()
    if not storm.timeline.run(storm.timeline.now_s + LIMIT_S, is_over):
        raise Broken("law 8", "a purge does not come to its end")
