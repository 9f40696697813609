"""Tests of the step from schema 2 to 3, on a ledger that an older program wrote and on both engines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from controller.backup.copying import plain_engine
from controller.backup.restore import restore_backup
from controller.backup.take import Source, take_backup
from controller.ledger import tables
from controller.ledger.batch_pages import receipts_of
from controller.ledger.migrations import SCHEMA, write_meta
from controller.ledger.receipts import counts_add_up
from controller.ledger.store import ledger_place, open_ledger
from controller.ledger.verify.whole import verify
from tests.controller.copied import NATURE, fill, rows_of

SCHEMA_2 = Path(__file__).parent / "schema_2"
HEAD_OF_SCHEMA_2 = "6bd7fc60e5137e12684ee61ceb632e39eccccbcedb33faae94a764f56d1e9e78"
RECEIPTS = {"accepted": 8, "batch_closed": 1, "dispatched": 8, "made": 8, "refused": 2}


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """Give a folder with the ledger that a program with schema 2 wrote."""
    (tmp_path / "ledger.db").write_bytes(gzip.decompress((SCHEMA_2 / "ledger.db.gz").read_bytes()))
    return tmp_path


def counted(engine: Engine) -> tuple[dict[tuple[int, str], int], dict[tuple[int, str], int]]:
    """Give how many receipts there are by batch and kind, as the ledger keeps it and as they stand there."""
    receipt, kept = tables.receipt, tables.receipt_count
    with engine.connect() as connection:
        stand = select(receipt.c.batch_id, receipt.c.kind, func.count()).group_by(receipt.c.batch_id, receipt.c.kind)
        both = (connection.execute(query).all() for query in (select(kept), stand))
        told, there = ({(batch_id, kind): count for batch_id, kind, count in rows} for rows in both)
    return told, there


def back_to_schema_2(folder: Path, url: str) -> None:
    """Make of a ledger what the program before schema 3 would have left."""
    engine = ledger_place(folder, url).writer()
    with engine.begin() as connection:
        tables.receipt_count.drop(connection)
        write_meta(connection, tables.meta, "schema", "2")
    engine.dispose()


async def test_a_ledger_of_schema_2_opens_with_its_chain_and_with_every_receipt_counted(old_folder: Path) -> None:
    async with open_ledger(old_folder) as ledger:
        assert ledger.head.hash.hex() == HEAD_OF_SCHEMA_2
        assert receipts_of(ledger.reading, 1) == RECEIPTS
        report = verify(ledger.reading, whole=True)
        assert (report.faults, report.counts["receipt_count"]) == ([], len(RECEIPTS))


def test_a_ledger_of_schema_2_is_sound_before_it_was_brought_to_3_and_that_is_said(old_folder: Path) -> None:
    report = verify(plain_engine(old_folder / "ledger.db"), whole=True)
    assert report.faults == []
    assert f"the next start brings the ledger to schema {SCHEMA}, with receipt_count" in report.notes


async def test_without_its_counts_a_ledger_of_schema_3_is_not_sound(old_folder: Path) -> None:
    async with open_ledger(old_folder):
        pass
    engine = plain_engine(old_folder / "ledger.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE receipt_count SET count = count + 1 WHERE kind = 'made'")
    assert any("receipt_count 1, made" in fault for fault in verify(engine).faults)
    with engine.begin() as connection:
        tables.receipt_count.drop(connection)
    assert any("schema" in fault for fault in verify(engine, whole=True).faults)


async def test_the_step_counts_what_the_program_counts_and_goes_on_from_there(tmp_path: Path, engine_url: str) -> None:
    await fill(tmp_path, engine_url)
    engine = ledger_place(tmp_path, engine_url).reader()
    before = rows_of(engine)
    told, there = counted(engine)
    assert told == there != {}
    back_to_schema_2(tmp_path, engine_url)
    async with open_ledger(tmp_path, url=engine_url, nature=NATURE) as ledger:
        assert rows_of(ledger.reading) == before
        assert ledger.verify().faults == []
    engine.dispose()


async def test_a_backup_of_a_ledger_of_schema_2_can_be_taken_and_restored_by_this_program(
    tmp_path: Path, engine_url: str, request: pytest.FixtureRequest
) -> None:
    other_url = "" if engine_url else request.getfixturevalue("postgres_url")
    await fill(tmp_path / "data", engine_url, events=120)
    engine = ledger_place(tmp_path / "data", engine_url).reader()
    before = rows_of(engine)
    engine.dispose()
    back_to_schema_2(tmp_path / "data", engine_url)
    path, manifest = take_backup(Source(tmp_path / "data", engine_url), tmp_path / "kept")
    assert manifest.schema == 2
    restore_backup(path, tmp_path / "new", url=other_url)
    async with open_ledger(tmp_path / "new", url=other_url, nature=NATURE) as ledger:
        assert rows_of(ledger.reading) == before
        assert ledger.verify().faults == []


async def test_the_counts_add_up_to_the_last_numbers_and_one_more_does_not(tmp_path: Path, engine_url: str) -> None:
    await fill(tmp_path, engine_url, events=120)
    engine = ledger_place(tmp_path, engine_url).writer()
    with engine.begin() as connection:
        assert counts_add_up(connection)
        connection.exec_driver_sql("UPDATE receipt_count SET count = count + 1")
        assert not counts_add_up(connection)
        connection.exec_driver_sql("DELETE FROM receipt_count")
        connection.exec_driver_sql("DELETE FROM receipt")
        assert counts_add_up(connection)
    engine.dispose()
