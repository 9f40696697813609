"""The writer: groups, order, acknowledgement only after the commit, and what a failure leaves."""

import itertools
import threading
from contextlib import asynccontextmanager

import pytest
import trio
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select
from sqlalchemy.exc import DBAPIError

from controller.ledger import writer as writer_module
from controller.ledger.committer import Committer
from controller.ledger.engine import Place
from controller.ledger.errors import ChangeRefused, LedgerBehind, LedgerError, LedgerStopped
from controller.ledger.inbox import AnnounceBatch, InboxRow, StoreChunk
from controller.ledger.store import open_ledger
from controller.ledger.writer import Writer
from tests.controller.ledger.desk import open_raw
from tests.controller.ledger.floor import SmallFloor

metadata = MetaData()
note = Table("note", metadata, Column("number", Integer, primary_key=True), Column("text", Text, nullable=False))

DEADLINE_S = 60.0
NEVER_S = 3_600.0
NAMELESS = InboxRow(0, None, b"d", b"i", b"p", "unit", False, "11")  # no acceptance number: the database refuses it


class Note:
    """A change that writes one row."""

    def __init__(self, number, text="x"):
        self.number, self.text = number, text

    def apply(self, connection):
        connection.execute(insert(note).values(number=self.number, text=self.text))
        return self.number


class Pause:
    """A change that keeps the writer's thread busy until it is told to go on."""

    def __init__(self):
        self.reached, self.gate = threading.Event(), threading.Event()

    def apply(self, connection):
        self.reached.set()
        assert self.gate.wait(DEADLINE_S)

    async def until_reached(self):
        assert await trio.to_thread.run_sync(self.reached.wait, DEADLINE_S)


class Sql:
    """A change that runs a statement."""

    def __init__(self, statement):
        self.statement = statement

    def apply(self, connection):
        connection.exec_driver_sql(self.statement)


class Failing:
    """A change that raises."""

    def __init__(self, error):
        self.error = error

    def apply(self, connection):
        raise self.error


@asynccontextmanager
async def notes(folder, url="", **options):
    """Give a writer on a database with one table, and the commits it reports."""
    place = Place(folder / "notes.db", "notes", url)
    engine, reading = place.writer(), place.reader()
    metadata.create_all(engine)
    commits = []
    one = Writer(Committer(engine), "notes", observe=lambda seconds, items: commits.append((seconds, items)), **options)
    one.start()
    one.commits = commits
    one.stored = lambda: _stored(reading)
    try:
        with trio.fail_after(DEADLINE_S):
            yield one
    finally:
        await one.stop()
        engine.dispose()
        reading.dispose()


def _stored(engine):
    with engine.connect() as connection:
        return [row[0] for row in connection.execute(select(note.c.number).order_by(note.c.number))]


async def _put_all(writer, changes):
    """Put changes and wait for the last; give the numbers in the order they were heard of."""
    heard, done = [], trio.Event()
    for change in changes:
        writer.put(change, lambda number=change.number: heard.append(number))
    writer.put(Note(-1), done.set)
    await done.wait()
    return heard


async def test_what_is_put_is_stored_and_heard_of_in_order(tmp_path, engine_url):
    async with notes(tmp_path, engine_url) as writer:
        assert await _put_all(writer, [Note(number) for number in range(500)]) == list(range(500))
        assert writer.stored() == list(range(-1, 500))


async def test_what_queued_while_a_commit_ran_goes_into_the_next_one_together(tmp_path, engine_url):
    async with notes(tmp_path, engine_url) as writer:
        pause = Pause()
        writer.put(pause)
        await pause.until_reached()
        async with trio.open_nursery() as nursery:
            for number in range(300):
                nursery.start_soon(writer.write, Note(number))
            await trio.testing.wait_all_tasks_blocked()
            pause.gate.set()
        assert [items for _, items in writer.commits] == [1, 300]
        assert all(seconds > 0 for seconds, _ in writer.commits)


async def test_a_group_is_never_larger_than_its_bound(tmp_path, engine_url):
    async with notes(tmp_path, engine_url, group_max=10) as writer:
        pause = Pause()
        writer.put(pause)
        await pause.until_reached()
        pause.gate.set()
        await _put_all(writer, [Note(number) for number in range(35)])
        assert max(items for _, items in writer.commits) <= 10
        assert sum(items for _, items in writer.commits) == 37


async def test_what_nobody_waits_for_gathers_until_somebody_waits(tmp_path, engine_url):
    async with notes(tmp_path, engine_url, gather_s=NEVER_S) as writer:
        first = trio.Event()
        writer.put(Note(0), first.set)
        await first.wait()  # after a pause at once
        for number in range(1, 6):
            writer.put(Note(number))
        await trio.testing.wait_all_tasks_blocked()
        assert writer.stored() == [0]
        await writer.write(Note(6))
        assert [items for _, items in writer.commits] == [1, 6]


async def test_what_gathers_goes_out_when_a_group_is_full_and_at_the_end(tmp_path, engine_url):
    async with notes(tmp_path, engine_url, gather_s=NEVER_S, group_max=4) as writer:
        full = trio.Event()
        writer.put(Note(0))
        for number in range(1, 10):
            writer.put(Note(number), full.set if number == 4 else None)
        await full.wait()
        await writer.stop()
        assert writer.stored() == list(range(10))


async def test_what_gathers_goes_out_when_its_time_has_come(tmp_path, engine_url):
    async with notes(tmp_path, engine_url, gather_s=0.01) as writer:
        for number in range(3):
            durable = trio.Event()
            writer.put(Note(number), durable.set)
            await durable.wait()
        assert writer.stored() == [0, 1, 2]


async def test_nothing_is_heard_of_before_another_connection_can_read_it(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        raw, done, early = open_raw(tmp_path, engine_url), trio.Event(), []
        records = list(SmallFloor(4).run(300))
        expected = list(itertools.accumulate(len(recorded.moves) for recorded in records))

        def look(seq):
            if raw.execute("SELECT max(seq) FROM move").fetchone()[0] < seq:
                early.append(seq)
            if seq == expected[-1]:
                done.set()

        for place, (recorded, seq) in enumerate(zip(records, expected, strict=True)):
            ledger.put(recorded, lambda seq=seq: look(seq))
            if place % 20 == 0:
                await trio.lowlevel.checkpoint()  # so that there are several groups
        with trio.fail_after(DEADLINE_S):
            await done.wait()
        raw.close()
        assert early == []
        assert ledger.head.seq == expected[-1]


async def test_write_gives_the_result_of_its_change(tmp_path, engine_url):
    async with notes(tmp_path, engine_url) as writer:
        assert await writer.write(Note(7)) == 7


async def test_a_refused_change_is_its_callers_alone(tmp_path, engine_url):
    async with notes(tmp_path, engine_url) as writer:
        await writer.write(Note(3))
        pause, refusals = Pause(), []

        async def try_to(change):
            try:
                await writer.write(change)
            except LedgerError as error:
                refusals.append((type(error), str(error)))

        writer.put(pause)
        await pause.until_reached()
        async with trio.open_nursery() as nursery:
            for change in (Note(1), Note(3), Failing(LedgerError("no")), Note(2), Note(4, None)):
                nursery.start_soon(try_to, change)
            await trio.testing.wait_all_tasks_blocked()
            pause.gate.set()
        assert writer.stored() == [1, 2, 3]
        assert sorted(kind.__name__ for kind, _ in refusals) == ["ChangeRefused", "ChangeRefused", "LedgerError"]
        assert any("unique constraint" in text.lower() for _, text in refusals)
        assert writer.failed is None


async def test_a_refused_inbox_change_leaves_moves_of_its_group_alone(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        floor, pause = SmallFloor(4), Pause()
        await ledger.record(floor.begin())
        ledger._writer.put(pause)
        await pause.until_reached()
        heard = []
        for _ in range(20):
            ledger.put(floor.step(), lambda: heard.append(True))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_expect_refusal, ledger, StoreChunk(1, [NAMELESS]))
            await trio.testing.wait_all_tasks_blocked()
            for _ in range(20):
                ledger.put(floor.step(), lambda: heard.append(True))
            pause.gate.set()
        await ledger.write(AnnounceBatch("1" * 25, "city", "20260101", 1, "d", "second", "20251201", 0.0))
        assert len(heard) == 40
        assert ledger.verify().faults == []


async def _expect_refusal(ledger, change):
    with pytest.raises(ChangeRefused):
        await ledger.write(change)


async def test_a_failure_that_nobody_waits_for_ends_the_writer(tmp_path, engine_url):
    async with notes(tmp_path, engine_url) as writer:
        await writer.write(Note(1))
        writer.put(Note(1))
        error = await writer.wait_failed()
        assert error is writer.failed
        assert "unique" in str(error).lower()
        with pytest.raises(LedgerStopped):
            writer.put(Note(2))


@pytest.mark.parametrize("error", [ValueError("a bug"), DBAPIError("x", None, OSError())])
async def test_an_unforeseen_failure_ends_the_writer_even_if_somebody_waits(tmp_path, error, engine_url):
    async with notes(tmp_path, engine_url) as writer:
        with pytest.raises(LedgerStopped) as stopped:
            await writer.write(Failing(error))
        assert stopped.value.__cause__ is writer.failed
        assert writer.failed.__cause__ is error


async def test_a_full_disk_ends_the_ledger_and_what_was_acknowledged_is_there(tmp_path):
    floor, heard, announced = SmallFloor(9), [], []

    async def announce(ledger, number):
        try:
            batch = AnnounceBatch(f"{number:025d}", "city", "20260101", 1, "d", "second", "20251201", 0.0)
            announced.append((await ledger.write(batch)).batch_number)
        except LedgerStopped:
            return

    async with open_ledger(tmp_path) as ledger:
        await ledger.record(floor.begin())
        pages = await trio.to_thread.run_sync(_pages, tmp_path)
        await ledger.write(Sql(f"PRAGMA max_page_count = {pages + 20}"))
        with trio.fail_after(DEADLINE_S):
            async with trio.open_nursery() as nursery:
                for number in itertools.count():
                    try:
                        ledger.put(floor.step(), lambda: heard.append(True))
                    except LedgerStopped:
                        break
                    nursery.start_soon(announce, ledger, number)
                    await trio.lowlevel.checkpoint()
                    await ledger.room()
        assert "full" in str(ledger.failed)
        assert (await ledger.wait_failed()) is ledger.failed
        with pytest.raises(LedgerStopped) as stopped:
            ledger.put(floor.step())
        assert stopped.value.code == "ledger.stopped"
        head = ledger.head
    assert len(heard) < number, "something must have been turned away"
    async with open_ledger(tmp_path) as ledger:  # the limit was the connection's: the disk has room again
        assert len(list(ledger.events())) == 1 + len(heard)
        assert all(ledger.reader.announced(batch_number) for batch_number in announced)
        assert ledger.head == head
        assert ledger.verify().faults == []


def _pages(folder):
    raw = open_raw(folder)
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.close()
    return pages


async def test_a_full_queue_makes_writers_wait_and_lets_them_go_on(tmp_path, engine_url):
    async with notes(tmp_path, engine_url, queue_max=5) as writer:
        pause = Pause()
        writer.put(pause)
        await pause.until_reached()
        for number in range(5):
            writer.put(Note(number))
        with trio.move_on_after(0.05) as patience:
            await writer.write(Note(90))
        assert patience.cancelled_caught
        async with trio.open_nursery() as nursery:
            for number in range(5, 25):
                nursery.start_soon(writer.write, Note(number))
            nursery.start_soon(writer.room)
            await trio.testing.wait_all_tasks_blocked()
            pause.gate.set()
        assert writer.stored() == list(range(25))


async def test_who_puts_without_end_and_never_waits_is_stopped(tmp_path, monkeypatch, engine_url):
    monkeypatch.setattr(writer_module, "QUEUE_OVERFLOW", 10)
    async with notes(tmp_path, engine_url) as writer:
        pause = Pause()
        writer.put(pause)
        await pause.until_reached()
        for number in range(10):
            writer.put(Note(number))
        with pytest.raises(LedgerBehind):
            writer.put(Note(10))
        pause.gate.set()


async def test_a_cancelled_write_is_written_all_the_same(tmp_path, engine_url):
    async with notes(tmp_path, engine_url) as writer:
        pause = Pause()
        writer.put(pause)
        await pause.until_reached()
        with trio.move_on_after(0.01):
            await writer.write(Note(1))
        pause.gate.set()
        await writer.write(Note(2))
        assert writer.stored() == [1, 2]


async def test_an_idle_writer_brings_the_log_into_the_database_file(tmp_path):
    async with notes(tmp_path, idle_s=0.01) as writer:
        await writer.write(Note(1, "x" * 100_000))
        while not writer._committer.is_checkpointed:
            await trio.lowlevel.checkpoint()
        assert (tmp_path / "notes.db").stat().st_size > 100_000


async def test_a_large_log_is_brought_in_between_commits_and_does_not_grow_on(tmp_path, monkeypatch):
    monkeypatch.setattr("controller.ledger.committer.WAL_LIMIT_BYTES", 200_000)
    async with notes(tmp_path, idle_s=1e6) as writer:
        writer._committer._checkpoint_at_bytes = 200_000
        for number in range(60):
            await writer.write(Note(number, "x" * 20_000))
        assert (tmp_path / "notes.db-wal").stat().st_size < 400_000
        assert (tmp_path / "notes.db").stat().st_size > 800_000
