"""Snapshots in the ledger: what is kept, and what is not believed."""

import sqlite3

import pytest
from structlog.testing import capture_logs

from controller.ledger.engine import reader_engine
from controller.ledger.errors import UnknownRow
from controller.ledger.snapshot import StoreSnapshot, last_snapshot, usable_snapshots
from controller.ledger.store import open_ledger
from tests.controller.ledger.desk import open_raw
from tests.controller.ledger.floor import SmallFloor

CODE = "the program"


async def _record(ledger, steps):
    for recorded in SmallFloor(3).run(steps):
        await ledger.record(recorded)


async def _store(ledger, *numbers, code=CODE):
    for seq in numbers:
        await ledger.write(StoreSnapshot(seq, code, b"body %d" % seq))


def _usable(ledger):
    return [(one.at.seq, one.body) for one in usable_snapshots(ledger.reading, CODE)]


async def test_the_newest_two_are_kept_and_the_newest_comes_first(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        await _record(ledger, 20)
        await _store(ledger, 4, 7, 9)
        assert _usable(ledger) == [(9, b"body 9"), (7, b"body 7")]
        assert last_snapshot(ledger.reading, CODE) == 9


async def test_a_snapshot_taken_twice_at_one_move_is_there_once(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        await _record(ledger, 20)
        await _store(ledger, 4, 7, 7)
        assert [seq for seq, _ in _usable(ledger)] == [7, 4]


async def test_a_snapshot_of_a_move_that_is_not_there_is_refused(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        await _record(ledger, 2)
        with pytest.raises(UnknownRow):
            await _store(ledger, ledger.head.seq + 1)
        assert _usable(ledger) == []


async def test_the_snapshot_of_another_program_is_not_used_and_the_log_says_so(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        await _record(ledger, 20)
        await _store(ledger, 4)
        await _store(ledger, 9, code="another")
        with capture_logs() as logs:
            assert [seq for seq, _ in _usable(ledger)] == [4]
        assert [(one["seq"], one["why"]) for one in logs] == [(9, "another program, or other settings, made it")]
        assert last_snapshot(ledger.reading, CODE) == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("body = x'00'", "it does not carry its own hash"),
        ("row_hash = x'00'", "it does not carry its own hash"),
        ("chain = x'00'", "it does not carry its own hash"),
        ("code = 'x'", "it does not carry its own hash"),
    ],
)
async def test_a_snapshot_that_somebody_changed_is_not_used(tmp_path, change, why):
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, 20)
        await _store(ledger, 4, 9)
    raw = open_raw(tmp_path)
    raw.execute(f"UPDATE snapshot SET {change} WHERE seq = 9")
    raw.commit()
    raw.close()
    async with open_ledger(tmp_path) as ledger:
        with capture_logs() as logs:
            assert [seq for seq, _ in _usable(ledger)] == [4]
        assert [one["why"] for one in logs] == [why]


async def test_a_snapshot_of_a_chain_that_was_written_anew_is_not_used(tmp_path):
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, 20)
        await _store(ledger, 4, 9)
    raw = sqlite3.connect(tmp_path / "ledger.db")
    raw.execute("DROP TRIGGER move_no_update")
    raw.execute("UPDATE move SET hash = x'01' WHERE seq = 9")
    raw.commit()
    raw.close()
    engine = reader_engine(tmp_path / "ledger.db")  # past the look that an opening takes at the chain
    with capture_logs() as logs:
        assert [one.at.seq for one in usable_snapshots(engine, CODE)] == [4]
    engine.dispose()
    assert [one["why"] for one in logs] == ["the chain is another one at its move"]
