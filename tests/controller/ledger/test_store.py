"""The ledger in its folder: locked, migrated, replayed."""

import os

import pytest
import trio

from controller.core.events import ServiceBegan
from controller.ledger import migrations, store, tables
from controller.ledger.chain import GENESIS, head_of
from controller.ledger.errors import (
    LedgerDamaged,
    LedgerInUse,
    LedgerOther,
    LedgerStopped,
    LedgerTooNew,
    LedgerUnreadable,
)
from controller.ledger.journal import Recorded
from controller.ledger.lock import LOCK_NAME, lock_folder
from controller.ledger.migrations import SCHEMA, migrate
from controller.ledger.store import check_tail, open_ledger
from tests.controller.ledger.desk import Desk, open_raw
from tests.controller.ledger.floor import SmallFloor


async def test_a_new_folder_gives_an_empty_ledger(tmp_path, engine_url):
    async with open_ledger(tmp_path / "new" / "folder", url=engine_url) as ledger:
        assert ledger.head == GENESIS
        assert list(ledger.replay()) == list(ledger.events()) == []
        assert ledger.verify().sound


async def test_what_was_recorded_is_replayed_after_a_restart(tmp_path, engine_url):
    records = list(SmallFloor(5).run(100))
    moves = [(recorded.at_floor_s, move) for recorded in records for move in recorded.moves]
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        for recorded in records:
            ledger.put(recorded)
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        assert ledger.head == head_of(moves)
        assert list(ledger.replay()) == moves
        assert list(ledger.replay(after=40)) == moves[40:]
        assert list(ledger.events()) == [(recorded.at_floor_s, recorded.event) for recorded in records]


async def test_what_leaves_no_event_is_durable_in_its_place_and_leaves_no_row(tmp_path, engine_url):
    records, told = list(SmallFloor(5).run(10)), []
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        for number, recorded in enumerate(records):
            ledger.put(recorded, lambda number=number: told.append(number))
            for _ in range(200):
                ledger.put(Recorded(recorded.at_floor_s, None, []), lambda number=number: told.append(number))
    assert told == sorted(told)
    assert len(told) == 201 * len(records)
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        assert list(ledger.events()) == [(recorded.at_floor_s, recorded.event) for recorded in records]
        assert ledger.verify().sound


async def test_a_ledger_goes_on_after_a_restart_as_if_there_had_been_none(tmp_path, engine_url):
    records = list(SmallFloor(6).run(300))
    desk = Desk()
    desk.keep(records)
    for first in range(0, len(records), 50):
        async with open_ledger(tmp_path, url=engine_url) as ledger:
            for recorded in records[first : first + 50]:
                ledger.put(recorded)
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        assert ledger.head == desk.journal.durable_head
        assert ledger.verify().faults == []


async def test_a_long_journal_is_read_page_by_page(tmp_path, monkeypatch, engine_url):
    monkeypatch.setattr("controller.ledger.journal.PAGE_ROWS", 7)
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        for recorded in SmallFloor(5).run(40):
            ledger.put(recorded)
        await ledger.record(SmallFloor(5).begin().__class__(9e9, ServiceBegan(), []))
        assert len(list(ledger.replay())) == ledger.head.seq
        assert len(list(ledger.events())) == 42


async def test_a_second_instance_is_refused_and_told_who_works_there(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url):
        with pytest.raises(LedgerInUse, match=f"process {os.getpid()} already works") as refusal:
            async with open_ledger(tmp_path, url=engine_url):
                pass
    assert refusal.value.pid == os.getpid()
    async with open_ledger(tmp_path, url=engine_url):
        pass


async def test_a_simulated_floors_ledger_is_never_opened_for_a_real_one_nor_for_another_centre(tmp_path, engine_url):
    nature = {"centre": "guiyang", "simulated": "true"}
    for _ in range(2):
        async with open_ledger(tmp_path, url=engine_url, nature=nature):
            pass
    for key, wanted in [("simulated", "false"), ("centre", "elsewhere")]:
        with pytest.raises(LedgerOther, match=f"begun with {key} = {nature[key]}, the settings say {wanted}"):
            async with open_ledger(tmp_path, url=engine_url, nature={**nature, key: wanted}):
                pass
    async with open_ledger(tmp_path, url=engine_url, nature=nature):
        pass


def test_a_lock_file_left_behind_locks_nothing(tmp_path):
    (tmp_path / LOCK_NAME).write_text("999999\n")
    with lock_folder(tmp_path), pytest.raises(LedgerInUse), lock_folder(tmp_path):
        pass


async def test_a_closed_ledger_takes_nothing_more(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        pass
    with pytest.raises(LedgerStopped, match="closed"):
        ledger.put(SmallFloor(1).begin())


async def test_what_was_queued_when_the_ledger_closes_is_durable(tmp_path, engine_url):
    heard = []
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        for number, recorded in enumerate(SmallFloor(2).run(50)):
            ledger.put(recorded, lambda number=number: heard.append(number))
    assert heard == list(range(51))
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        assert len(list(ledger.events())) == 51


async def test_closing_is_not_cut_short_by_a_cancellation(tmp_path, engine_url):
    heard = []
    with trio.CancelScope() as scope:
        async with open_ledger(tmp_path, url=engine_url) as ledger:
            ledger.put(SmallFloor(2).begin(), lambda: heard.append(True))
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert heard == [True]


async def test_a_database_of_a_later_program_is_refused_with_a_sentence(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url):
        pass
    raw = open_raw(tmp_path, engine_url)
    raw.execute("UPDATE meta SET value = '99'")
    raw.close()
    with pytest.raises(LedgerTooNew, match=f"schema 99, this program knows up to {SCHEMA}"):
        async with open_ledger(tmp_path, url=engine_url):
            pass


async def test_a_database_that_does_not_say_its_schema_is_refused(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url):
        pass
    raw = open_raw(tmp_path, engine_url)
    raw.execute("DELETE FROM meta")
    raw.close()
    with pytest.raises(LedgerDamaged):
        async with open_ledger(tmp_path, url=engine_url):
            pass


@pytest.mark.usefixtures("engine_url")
def test_an_older_database_is_brought_here_step_by_step():
    desk, done = Desk(), []
    steps = {2: lambda connection: done.append(2), 3: lambda connection: done.append(3)}
    with desk.engine.begin() as connection:
        tables.metadata.drop_all(connection)
        assert migrate(connection, tables.metadata, tables.meta, schema=1) == 0
        assert migrate(connection, tables.metadata, tables.meta, schema=3, steps=steps) == 1
        assert migrate(connection, tables.metadata, tables.meta, schema=3, steps=steps) == 3
    assert done == [2, 3]


def test_there_is_a_step_for_every_schema_after_the_first():
    assert set(migrations.STEPS) == set(range(2, SCHEMA + 1))


@pytest.mark.usefixtures("engine_url")
@pytest.mark.parametrize("moves", [1, 5, 1_000_000])
def test_the_end_of_a_sound_chain_passes_however_much_of_it_is_checked(moves):
    desk = Desk()
    desk.keep(list(SmallFloor(8).run(20)))
    with desk.engine.connect() as connection:
        check_tail(connection, moves)


def test_the_database_name_is_the_one_the_documents_give():
    assert store.DATABASE_NAME == "ledger.db"


async def test_a_file_that_is_no_database_is_refused_with_a_sentence(tmp_path):
    (tmp_path / store.DATABASE_NAME).write_bytes(b"this is not what SQLite wrote" * 100)
    with pytest.raises(LedgerUnreadable, match=r"ledger\.db cannot be opened: file is not a database"):
        async with open_ledger(tmp_path):
            pass
