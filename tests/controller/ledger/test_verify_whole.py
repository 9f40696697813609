"""The whole verification: what a change behind the back of ledger or vault looks like, wherever it is made."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from controller.audit.sealed import NO_KEYS
from controller.audit.verification import NO_VAULT, VAULT_GONE, as_json
from controller.backup.mark import Restore, mark_restored
from controller.backup.restore import BATCHES_OF_A_STEP, LEAST_STEP
from controller.core import events as e
from controller.core import moves as m
from controller.core import record_moves as r
from controller.core import stock_moves as sm
from controller.core.stock import Account
from controller.ledger import tables
from controller.ledger.engine import writer_engine
from controller.ledger.journal import Recorded
from controller.ledger.row_hash import rehash
from controller.ledger.store import open_ledger
from controller.ledger.verify.schema import BATCHES_OF_A_STEP as VERIFIED_STEP
from controller.ledger.verify.whole import verify
from controller.vault.store import open_vault
from tests.controller.ledger.audited import NUMBERS, audit, copy_of_centre, rewrite
from tests.controller.ledger.desk import Desk
from tests.controller.ledger.floor import SmallFloor
from tests.controller.ledger.test_migrations import SCHEMA_1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_of_centre(tmp_path)[0]


def faults(folder: Path, statement: str, file: str = "ledger.db") -> list[str]:
    rewrite(folder / file, statement)
    return audit(folder).faults


def edit_with_its_hash(folder: Path, table, where, statement: str) -> None:
    """Change a row as somebody who knows how rows carry hashes would."""
    rewrite(folder / "ledger.db", statement)
    engine = writer_engine(folder / "ledger.db")
    with engine.begin() as connection:
        rehash(connection, table, where)
    engine.dispose()


# ---- what is said ------------------------------------------------------------------------------------------------


def test_a_sound_centre_is_said_to_be_with_all_that_was_looked_at(folder):
    report = audit(folder)
    assert report.faults == report.notes == []
    assert report.counts["sealed_application"] == len(NUMBERS) + 1 + 6
    assert report.counts["sealed_card"] == len(NUMBERS) + 1
    assert report.counts["blanks"] == 800
    assert (report.counts["daily heads"], report.counts["batches in heads"]) == (1, 2)
    assert report.last_day == "20260101"
    told = as_json(report)
    assert told["head"] == {"seq": report.head.seq, "hash": report.head.hash.hex()}
    assert (told["sound"], told["moves"], told["checked"]["card"]) == (True, report.head.seq, len(NUMBERS) + 1)


def test_without_keys_it_is_said_that_the_vault_was_not_looked_into(folder):
    (folder / "master.key").unlink()
    report = audit(folder)
    assert report.sound
    assert report.notes == [NO_KEYS]
    assert "sealed_application" not in report.counts


def test_a_copy_without_vault_and_keys_is_sound_and_it_is_said_that_they_are_not_there(folder):
    for name in ("vault.db", "vault.keys", "master.key"):
        (folder / name).unlink()
    report = audit(folder)
    assert (report.sound, report.notes) == (True, [NO_VAULT])


@pytest.mark.parametrize("also", ["vault.keys", "master.key", "site.key"])
def test_a_vault_that_is_gone_while_a_key_of_it_is_there_is_a_fault(folder, also):
    for name in ("vault.db", also):
        (folder / name).unlink()
    report = audit(folder)
    assert (report.faults, report.notes) == ([VAULT_GONE], [])


def test_a_damaged_key_file_is_a_fault(folder):
    content = bytearray((folder / "vault.keys").read_bytes())
    content[60] ^= 1
    (folder / "vault.keys").write_bytes(content)
    assert any("keys cannot be used" in fault for fault in audit(folder).faults)


# ---- outside the chain -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE inbox_application SET person = x'00' WHERE batch_id = 1 AND idx = 4", "inbox_application 1, 4"),
        ("UPDATE inbox_application SET express = x'' WHERE batch_id = 3 AND idx = 0", "inbox_application 3, 0"),
        ("DELETE FROM inbox_application WHERE batch_id = 1 AND idx = 4", "inbox_application 1, 4"),
        ("DELETE FROM inbox_batch WHERE batch_id = 1", "batch 1"),
        ("UPDATE receipt_cursor SET acknowledged = acknowledged + 1", "receipt_cursor north"),
        ("UPDATE meta SET value = 'other' WHERE key = 'schema'", "meta schema"),
        ("UPDATE sqlite_sequence SET seq = 99", "sqlite_sequence"),
        ("DELETE FROM sqlite_sequence", "sqlite_sequence"),
        ("UPDATE event SET at_floor_s = at_floor_s + 1 WHERE seq = 9", "event 9"),
        ("UPDATE event SET move_seq_after = move_seq_after - 1 WHERE seq = 9", "event 9"),
    ],
)
def test_a_row_changed_or_taken_out_is_named(folder, statement, place):
    assert any(place in fault for fault in faults(folder, statement))


def test_a_row_written_anew_with_its_hash_is_found_by_the_daily_head(folder):
    table = tables.inbox_application
    edit_with_its_hash(
        folder, table, table.c.batch_id == 1, "UPDATE inbox_application SET person = x'00' WHERE idx = 4"
    )
    assert any("batch 1 are not those that move" in fault for fault in audit(folder).faults)


def test_a_row_whose_day_is_not_over_is_held_by_its_own_hash_and_the_digest_of_its_batch(folder):
    where = tables.inbox_application.c.batch_id == 3
    statement = "UPDATE inbox_application SET unit = '520102009' WHERE batch_id = 3 AND idx = 1"
    rewrite(folder / "ledger.db", statement)
    assert any("inbox_application 3, 1" in fault for fault in audit(folder).faults)
    edit_with_its_hash(folder, tables.inbox_application, where, statement)
    assert audit(folder).faults == []  # the head of its day will hold it


def test_a_cursor_set_back_with_its_hash_is_found_by_the_daily_head(folder):
    cursor = tables.receipt_cursor
    edit_with_its_hash(folder, cursor, cursor.c.upstream == "north", "UPDATE receipt_cursor SET acknowledged = 3")
    assert any("receipt_cursor north: it stands below 40" in fault for fault in audit(folder).faults)


def test_a_cursor_beyond_the_last_receipt_is_found(folder):
    cursor = tables.receipt_cursor
    edit_with_its_hash(folder, cursor, cursor.c.upstream == "north", "UPDATE receipt_cursor SET acknowledged = 9999")
    assert any("beyond the last receipt" in fault for fault in audit(folder).faults)


def test_verdicts_that_the_floor_was_not_told_are_found_though_each_row_carries_its_hash(folder):
    table = tables.inbox_application
    edit_with_its_hash(folder, table, table.c.batch_id == 1, "UPDATE inbox_application SET verdict = 3 WHERE idx = 7")
    assert any("inbox_application 1, 7: not there, or not as the floor was told" in one for one in audit(folder).faults)


def test_a_snapshot_written_anew_with_its_hash_is_not_what_the_moves_make(folder):
    table = tables.snapshot
    assert audit(folder).counts["snapshots compared"] == 1
    other = "CASE substr(body, -1) WHEN x'7e' THEN x'7d' ELSE x'7e' END"
    statement = f"UPDATE snapshot SET body = CAST(substr(body, 1, length(body) - 1) || {other} AS BLOB)"
    edit_with_its_hash(folder, table, table.c.seq > 0, statement)
    [fault] = audit(folder).faults
    assert fault.endswith("it is not what the moves make")
    edit_with_its_hash(folder, table, table.c.seq > 0, "UPDATE snapshot SET seq = seq - 1")
    [fault] = audit(folder).faults
    assert fault.endswith("the chain is another one at its move")


def test_a_snapshot_of_another_program_is_held_by_its_hash_alone(folder):
    table = tables.snapshot
    edit_with_its_hash(folder, table, table.c.seq > 0, "UPDATE snapshot SET code = 'another'")
    report = audit(folder)
    assert (report.faults, report.counts["snapshot"], report.counts["snapshots compared"]) == ([], 1, 0)


# ---- the schema --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    ["DROP TRIGGER move_no_update", "DROP INDEX card_waits", "CREATE TABLE more (a)", "CREATE INDEX i ON card (unit)"],
)
def test_a_schema_that_this_program_does_not_make_is_a_fault(folder, statement):
    raw = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    raw.execute(statement)
    raw.close()
    assert any("schema" in fault for fault in audit(folder).faults)


async def test_a_ledger_that_was_begun_with_schema_1_has_the_schema_of_one(tmp_path):
    for packed in SCHEMA_1.glob("*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    for key in ("master.key", "site.key", "vault.keys"):
        shutil.copy(SCHEMA_1 / key, tmp_path / key)
        (tmp_path / key).chmod(0o600)
    async with open_ledger(tmp_path), open_vault(tmp_path):
        pass
    assert audit(tmp_path).faults == []


def test_batch_numbers_that_a_restore_let_jump_are_no_fault_and_others_are(folder):
    engine = writer_engine(folder / "ledger.db")
    with engine.begin() as connection:
        mark_restored(connection, Restore(50, LEAST_STEP))
    engine.dispose()
    jumped = 3 + LEAST_STEP // BATCHES_OF_A_STEP
    assert VERIFIED_STEP == BATCHES_OF_A_STEP
    assert faults(folder, f"UPDATE sqlite_sequence SET seq = {jumped}") == []
    for seq in (2, 4, jumped - 1):
        assert any("sqlite_sequence" in fault for fault in faults(folder, f"UPDATE sqlite_sequence SET seq = {seq}"))


# ---- blanks and sums ---------------------------------------------------------------------------------------------


def _kept(*moves: m.AnyMove) -> list[str]:
    """Give what is wrong with a ledger whose chain and tables are good, and whose last moves are these."""
    desk = Desk()
    floor = SmallFloor(11)
    desk.keep(list(floor.run(40)))
    desk.keep([Recorded(floor.at_floor_s, e.TimerFired(), list(moves))])
    assert verify(desk.engine).faults == []
    return [fault for fault in verify(desk.engine, whole=True).faults if "inbox" not in fault]


def test_a_small_floor_has_no_blank_in_two_places():
    assert _kept() == []


def test_body_sheets_that_came_twice_are_a_fault():
    [fault] = _kept(sm.StockReceived(1_000, 5, "lot", "anna", "bert"))
    assert "no foreman would have made it" in fault


def test_a_shift_closed_with_other_accounts_is_a_fault():
    accounts = {account.value: 0 for account in Account}
    [fault] = _kept(sm.ShiftClosed(1, 0.0, accounts, [], "anna", "bert"))
    assert "closes shift 1 with accounts that its blanks do not have" in fault


def test_a_batch_closed_with_other_counts_is_a_fault():
    rows = [m.RowVerdict(0, "1", "110101001", m.Verdict.REFUSE, ["number.sex"], ["sex"])]
    desk = Desk()
    opened = m.BatchOpened(77, "77", "city", "second", 1.0, 2.0, rows)
    desk.keep([Recorded(5.0, e.TimerFired(), [opened, m.BatchClosed(77, 1, 0, 1, 0, 0)])])
    assert verify(desk.engine).faults == ["batch 77: it is closed, and what came in is not what ended"]


def test_a_head_of_another_event_is_a_fault():
    desk = Desk()
    desk.keep(list(SmallFloor(11).run(40)))
    told = r.TablesFolded("20260101", 7, bytes(32), [], [])
    desk.keep([Recorded(9e6, e.TimerFired(), [told])])
    assert any("event 7 is not the one whose hash" in fault for fault in verify(desk.engine).faults)


# ---- the vault ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("DELETE FROM sealed_application WHERE application_id = 10004", "sealed application 10004: it is not there"),
        ("DELETE FROM sealed_application WHERE application_id = 30005", "sealed application 30005: it is not there"),
        ("DELETE FROM sealed_card WHERE card_id = 20000", "sealed card 20000: it is not there"),
        ("UPDATE sealed_card SET blob = x'00' WHERE card_id = 10001", "sealed card 10001: it is not what was stored"),
        ("UPDATE sealed_card SET blob = 'text' WHERE card_id = 10001", "sealed card 10001: it is not what was stored"),
        (
            "UPDATE sealed_application AS a SET blob = b.blob FROM sealed_application AS b "  # noqa: ISC004
            "WHERE a.application_id = 10002 AND b.application_id = 10001",
            "sealed application 10002: it is not what was stored",
        ),
        ("DELETE FROM sealed_batch WHERE batch_id = 1", "sealed_batch 1: it is not there"),
        ("INSERT INTO sealed_batch VALUES (44)", "sealed_batch 44: no row"),
        ("UPDATE meta SET value = '9'", "meta"),
        (
            "CREATE TRIGGER spy AFTER INSERT ON sealed_card BEGIN SELECT 1; END",
            "not the one this program makes: look at spy",
        ),
    ],
)
def test_a_sealed_row_changed_moved_or_taken_out_is_named(folder, statement, place):
    raw = sqlite3.connect(folder / "vault.db", isolation_level=None)
    raw.execute(statement)
    raw.close()
    assert any(place in fault for fault in audit(folder).faults)


async def test_a_row_sealed_anew_over_another_application_is_found_by_its_digest(folder):
    async with open_vault(folder) as vault:
        await vault.store_applications(1, [(4, b"another person")])
    assert audit(folder).faults == ["sealed application 10004: it is not the application whose digest the inbox has"]


def test_a_batch_whose_key_is_gone_is_named_once(folder):
    lines = (folder / "vault.keys").read_bytes().splitlines(keepends=True)
    (folder / "vault.keys").write_bytes(b"".join(line for line in lines if not line.startswith(b"1 ")))
    found = audit(folder).faults
    assert "batch 1: sealed rows of it are there, and no key" in found
    assert sum("batch 1" in fault for fault in found) == 1


async def test_a_purge_that_is_under_way_is_no_fault_and_one_that_is_over_leaves_nothing_behind(folder):
    async with open_ledger(folder) as ledger, open_vault(folder) as vault:
        await vault.destroy_keys([1])
        assert audit(folder).faults == []  # its ciphertext is still there, and no ledger says so yet
        await vault.erase(1)
        assert audit(folder).faults == []
        with ledger.reading.connect() as connection:
            rows_hash = connection.execute(
                select(tables.batch.c.rows_hash).where(tables.batch.c.batch_id == 1)
            ).scalar()
        at_floor_s = 2e9
        await ledger.record(Recorded(at_floor_s, e.TimerFired(), [r.PurgeApproved(1, at_floor_s, "ann", "bob")]))
        purged = r.BatchesPurged(1, [(1, rows_hash)], True)
        await ledger.record(Recorded(at_floor_s, e.BatchesErased(1, [(1, rows_hash)], True), [purged]))
    report = audit(folder)
    assert report.faults == []
    assert report.counts["purged batches"] == 1
