"""Two controllers: the second is refused, takes over once the first is gone, and then the first cannot commit."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trio

from controller.ledger import postgresql, tables
from controller.ledger.chain import head_of
from controller.ledger.committer import Committer, Item
from controller.ledger.engine import Place
from controller.ledger.epoch import Epoch
from controller.ledger.errors import LedgerInUse, LedgerOvertaken, LedgerStopped
from controller.ledger.lock import LOCK_NAME
from controller.ledger.migrations import migrate
from controller.ledger.store import open_ledger
from tests.controller.ledger.desk import open_raw
from tests.controller.ledger.floor import SmallFloor

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 60.0
SEED = 31


class Record:
    """A change that writes one row and may wait inside its transaction."""

    def __init__(self, key, gate=None):
        self.key, self.gate, self.reached = key, gate, threading.Event()

    def apply(self, connection):
        connection.execute(tables.meta.insert().values(key=self.key, value="x", row_hash=b""))
        self.reached.set()
        assert self.gate is None or self.gate.wait(DEADLINE_S)


@pytest.fixture
def quick_refusal(monkeypatch):
    """A second controller is told at once that there is a first."""
    monkeypatch.setattr(postgresql, "LOCK_WITHIN_S", 0.1)


@pytest.fixture
def broken_lock(tmp_path, monkeypatch):
    """Locks that hold nobody off, as on a file system that forgets them."""
    monkeypatch.setattr(postgresql, "_take_lock", lambda connection, schema: None)
    return lambda: (tmp_path / LOCK_NAME).unlink()


async def test_each_opening_has_a_number_of_its_own_that_no_digest_knows(tmp_path, engine_url):
    numbers, records = [], list(SmallFloor(SEED).run(30))
    for first in range(0, 31, 10):
        async with open_ledger(tmp_path, url=engine_url) as ledger:
            for recorded in records[first : first + 10]:
                ledger.put(recorded)
        raw = open_raw(tmp_path, engine_url)
        numbers.append(int(raw.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0]))
        raw.close()
    assert numbers == [1, 2, 3, 4]
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        moves = [(recorded.at_floor_s, move) for recorded in records for move in recorded.moves]
        assert ledger.head == head_of(moves)
        assert ledger.verify().faults == []


async def test_even_where_locks_do_not_hold_the_earlier_controller_cannot_commit(tmp_path, engine_url, broken_lock):
    floor = SmallFloor(SEED)
    async with open_ledger(tmp_path, url=engine_url) as first:
        await first.record(floor.begin())
        broken_lock()
        async with open_ledger(tmp_path, url=engine_url) as second:
            head, step = second.head, floor.step()
            with pytest.raises(LedgerStopped):
                await first.record(step)
            assert isinstance(first.failed, LedgerOvertaken)
            assert (first.failed.code, first.failed.epoch, first.failed.found) == ("ledger.overtaken", 1, "2")
            assert (await first.wait_failed()) is first.failed
            with pytest.raises(LedgerStopped):
                first.put(step)
            await second.record(step)
            assert second.head.seq == head.seq + len(step.moves)
            assert second.verify().faults == []


async def test_a_second_controller_on_one_database_is_refused_and_told_who_works_there(
    tmp_path, postgres_url, quick_refusal
):
    async with open_ledger(tmp_path / "one", url=postgres_url):
        with pytest.raises(LedgerInUse, match=f"process {os.getpid()} on .*schema cardmill") as refusal:
            async with open_ledger(tmp_path / "two", url=postgres_url):
                pass
        assert refusal.value.pid == os.getpid()
    async with open_ledger(tmp_path / "two", url=postgres_url):
        pass


async def test_who_lost_its_session_is_followed_by_another_and_cannot_commit(tmp_path, postgres_url):
    floor = SmallFloor(SEED)
    async with open_ledger(tmp_path / "one", url=postgres_url) as first:
        await first.record(floor.begin())
        raw = open_raw(tmp_path, postgres_url)
        ended = raw.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        ).fetchall()
        raw.close()
        assert ended == [(True,)]
        async with open_ledger(tmp_path / "two", url=postgres_url) as second:
            step = floor.step()
            with pytest.raises(LedgerStopped):
                await first.record(step)
            assert "terminating connection" in str(first.failed)
            await second.record(step)
            assert second.verify().faults == []


def _appender(folder, url):
    command = [sys.executable, "-m", "tests.controller.ledger.appender", str(folder), str(SEED), url]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


async def test_who_was_killed_is_followed_by_another_at_once(tmp_path, postgres_url, monkeypatch):
    monkeypatch.setattr(postgresql, "LOCK_WITHIN_S", 0.1)
    with _appender(tmp_path / "one", postgres_url) as process:
        lines = [process.stdout.readline() for _ in range(50)]
        with pytest.raises(LedgerInUse, match=f"process {process.pid} on"):
            async with open_ledger(tmp_path / "two", url=postgres_url):
                pass
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    monkeypatch.setattr(postgresql, "LOCK_WITHIN_S", DEADLINE_S)
    async with open_ledger(tmp_path / "two", url=postgres_url) as second:
        assert second.head.seq >= int([line for line in lines if line.endswith(b"\n")][-1].split()[1])
        assert second.verify().faults == []


async def test_the_next_one_waits_for_a_commit_that_is_under_way(tmp_path, postgres_url):
    place = Place(tmp_path, "fenced", postgres_url, locking=False)
    engines = [place.writer(), place.writer()]
    with engines[0].begin() as connection:
        migrate(connection, tables.metadata, tables.meta)
        epoch = Epoch(connection, tables.meta)
    committer = Committer(engines[0], epoch=epoch)
    slow, raised = Record("under way", threading.Event()), []

    def take_over():
        with engines[1].begin() as connection:
            raised.append(Epoch(connection, tables.meta).number)

    with trio.fail_after(DEADLINE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, committer.commit, [Item(slow)])
            assert await trio.to_thread.run_sync(slow.reached.wait, DEADLINE_S)
            nursery.start_soon(trio.to_thread.run_sync, take_over)
            while not await trio.to_thread.run_sync(_somebody_waits, postgres_url):
                await trio.lowlevel.checkpoint()
            assert raised == []
            slow.gate.set()
    assert raised == [2]
    with pytest.raises(LedgerOvertaken):
        committer.commit([Item(Record("too late"))])
    with engines[1].begin() as connection:
        keys = {row.key for row in connection.execute(tables.meta.select())}
    assert keys == {"schema", "epoch", "under way"}
    committer.close()
    for engine in engines:
        engine.dispose()


def _somebody_waits(url):
    raw = open_raw(Path(), url)
    waiting = raw.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()[0]
    raw.close()
    return waiting > 0
