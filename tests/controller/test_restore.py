"""Restores: into an empty place only, with digests and chain checked, and marked so that no service starts unasked."""

from __future__ import annotations

import json
import shutil

import pytest

from controller.backup.copying import plain_engine
from controller.backup.errors import (
    BackupDamaged,
    BackupError,
    FolderNotEmpty,
    NotRestored,
    RestoreNotAccepted,
)
from controller.backup.mark import Restore, restore_of, to_accept
from controller.backup.restore import LEAST_STEP, restore_backup, restore_step
from controller.backup.take import Source, take_backup
from controller.core.state import FloorState
from controller.ledger.store import ledger_place, open_ledger
from controller.vault.errors import KeyMissing
from controller.vault.store import open_vault, vault_place
from tests.controller.copied import CLOCK, NATURE, SECRET, bring, fill, rows_of

NOW_S = 1_800_000_000.0
KEYS = ("master.key", "site.key", "vault.keys")


@pytest.fixture
async def taken(tmp_path):
    """One backup of a filled folder of SQLite."""
    await fill(tmp_path / "data")
    return take_backup(Source(tmp_path / "data"), tmp_path / "kept")[0]


async def test_a_restored_ledger_and_vault_hold_what_was_copied_from_either_engine_into_either(
    tmp_path, engine_url, request
):
    other_url = "" if engine_url else request.getfixturevalue("postgres_url")
    await fill(tmp_path / "data", engine_url)
    path, manifest = take_backup(Source(tmp_path / "data", engine_url), tmp_path / "kept")
    restore_backup(path, tmp_path / "new", url=other_url, now_s=NOW_S)
    for name in KEYS:
        shutil.copy(tmp_path / "data" / name, tmp_path / "new" / name)
    async with (
        open_ledger(tmp_path / "new", url=other_url, nature=NATURE) as ledger,
        open_vault(tmp_path / "new", url=other_url) as vault,
    ):
        assert rows_of(ledger.reading) == rows_of(plain_engine(path / "ledger.db"))
        assert (ledger.head.seq, ledger.head.hash.hex()) == (manifest.head_seq, manifest.head_hash)
        assert ledger.verify().sound
        assert vault.application(1, 7) == SECRET
        last = max(row[0] for row in rows_of(ledger.reading)["inbox_batch"])
        assert await bring(ledger, vault, "5200000000002026030299999", 1) == last + restore_step(NOW_S) // 1_000 + 1
    assert json.loads((tmp_path / "new" / "clock.json").read_text()) == CLOCK
    names = {path.name for path in (tmp_path / "new").iterdir()} - {*KEYS, "clock.json", "cardmill.lock"}
    assert {name for name in names if not name.startswith("vault.")} == (set() if other_url else {"ledger.db"})


async def test_without_its_keys_a_restored_vault_is_not_opened(tmp_path, taken):
    restore_backup(taken, tmp_path / "new")
    async with open_ledger(tmp_path / "new", nature=NATURE):
        with pytest.raises(KeyMissing):
            async with open_vault(tmp_path / "new"):
                raise AssertionError("opened")


async def test_a_folder_that_is_not_empty_is_refused_and_left_as_it_is(tmp_path, taken):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "notes.txt").write_text("mine")
    with pytest.raises(FolderNotEmpty, match=r"notes\.txt"):
        restore_backup(taken, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["notes.txt"]


async def test_a_database_that_is_not_empty_is_refused(tmp_path, taken, postgres_url):
    restore_backup(taken, tmp_path / "new", url=postgres_url)
    with pytest.raises(FolderNotEmpty, match="has tables already"):
        restore_backup(taken, tmp_path / "again", url=postgres_url)


@pytest.mark.parametrize("name", ["ledger.db", "vault.db"])
async def test_one_changed_bit_in_a_file_is_found_and_nothing_is_restored(tmp_path, taken, name):
    content = bytearray((taken / name).read_bytes())
    content[len(content) // 2] ^= 1
    (taken / name).write_bytes(content)
    with pytest.raises(BackupDamaged, match=f"{name} is not what was copied"):
        restore_backup(taken, tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_a_file_that_is_gone_or_a_manifest_that_is_cut_is_named(tmp_path, taken):
    (taken / "vault.db").rename(taken / "elsewhere.db")
    with pytest.raises(BackupDamaged, match=r"vault\.db is missing"):
        restore_backup(taken, tmp_path / "new")
    (taken / "backup.json").write_bytes((taken / "backup.json").read_bytes()[:50])
    with pytest.raises(BackupDamaged, match=r"backup\.json"):
        restore_backup(taken, tmp_path / "new")
    (taken / "backup.json").unlink()
    with pytest.raises(BackupDamaged, match="no whole backup"):
        restore_backup(taken, tmp_path / "new")


async def test_a_ledger_that_does_not_end_where_the_manifest_says_is_refused(tmp_path, taken):
    manifest = json.loads((taken / "backup.json").read_text())
    (taken / "backup.json").write_text(json.dumps(manifest | {"head_seq": manifest["head_seq"] + 1}))
    with pytest.raises(BackupDamaged, match="does not end where"):
        restore_backup(taken, tmp_path / "new")
    assert not (tmp_path / "new" / "ledger.db").exists()


async def test_a_restore_that_is_broken_off_leaves_no_ledger(tmp_path, taken):
    def break_off(what: str, done: int, whole: int) -> None:
        if what == "copying ledger.db":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_backup(taken, tmp_path / "new", tell=break_off)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["vault.db.part"]


async def test_the_copy_in_a_backup_is_no_ledger_to_start_on_and_a_restored_one_has_to_be_accepted(tmp_path, taken):
    with pytest.raises(NotRestored, match="cardmill restore"):
        restore_of(plain_engine(taken / "ledger.db"))
    manifest = restore_backup(taken, tmp_path / "new", now_s=NOW_S)
    engine = ledger_place(tmp_path / "new").reader()
    wanted = Restore(manifest.head_seq, restore_step(NOW_S))
    with pytest.raises(RestoreNotAccepted, match=r"--accept-restored"):
        to_accept(engine, FloorState(), False)
    assert to_accept(engine, FloorState(), True) == wanted
    assert to_accept(engine, FloorState(restored_step=wanted.step), False) is None, "it was accepted before"
    assert vault_place(tmp_path / "new").path.stat().st_mode & 0o777 == 0o600


async def test_a_ledger_that_was_never_copied_has_nothing_to_accept(tmp_path):
    await fill(tmp_path / "data", events=5, rows=1)
    assert to_accept(ledger_place(tmp_path / "data").reader(), FloorState(), False) is None


def test_a_second_restore_of_the_same_backup_jumps_past_the_first(tmp_path):
    assert restore_step(NOW_S + 60) == restore_step(NOW_S) + 60_000
    assert restore_step(0.0) == LEAST_STEP, "a clock that stands in 1970 does not jump back"
    assert issubclass(BackupDamaged, BackupError)
