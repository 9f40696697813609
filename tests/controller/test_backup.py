"""Backups: whole copies of one moment beside a busy writer, checked, named only when whole, and without any key."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing

import pytest
import trio

from controller.backup.copying import plain_engine
from controller.backup.errors import BackupDamaged, NoneNamed, NothingToCopy, SourceUnreadable, TargetUnfit
from controller.backup.manifest import digest_of, read_manifest
from controller.backup.restore import restore_backup
from controller.backup.take import Source, check_pair, take_backup, whole_backups
from controller.ledger.errors import LedgerInUse
from controller.ledger.lock import lock_folder
from controller.ledger.store import open_ledger
from controller.ledger.verify.whole import verify
from controller.vault.store import open_vault
from tests.controller.copied import CLOCK, NATURE, SECRET, bring, fill, rows_of


async def test_a_copy_has_every_row_of_the_ledger_on_either_engine(tmp_path, engine_url):
    await fill(tmp_path / "data", engine_url)
    path, manifest = take_backup(Source(tmp_path / "data", engine_url), tmp_path / "kept")
    async with open_ledger(tmp_path / "data", url=engine_url) as ledger:
        assert (manifest.head_seq, manifest.head_hash) == (ledger.head.seq, ledger.head.hash.hex())
        assert rows_of(plain_engine(path / "ledger.db")) == rows_of(ledger.reading)
    assert (manifest.centre, manifest.simulated, manifest.clock) == ("test", True, CLOCK)
    assert manifest.engine == ("postgresql" if engine_url else "sqlite")
    assert {name: digest_of(path / name) for name in manifest.files} == manifest.files
    assert verify(plain_engine(path / "ledger.db")).sound
    assert read_manifest(path) == manifest


async def test_no_key_and_no_plain_text_is_in_a_backup(tmp_path, engine_url):
    await fill(tmp_path / "data", engine_url)
    path, _ = take_backup(Source(tmp_path / "data", engine_url), tmp_path / "kept")
    assert sorted(file.name for file in path.iterdir()) == ["backup.json", "ledger.db", "vault.db"]
    keys = [bytes.fromhex((tmp_path / "data" / name).read_text()) for name in ("master.key", "site.key")]
    wrapped = (tmp_path / "data" / "vault.keys").read_bytes().splitlines()[1].split()[2]
    for file in path.iterdir():
        content = file.read_bytes()
        assert not any(secret in content for secret in (*keys, *(key.hex().encode() for key in keys), wrapped, SECRET))


async def test_beside_a_busy_writer_each_copy_is_of_one_moment_and_its_pair_fits(tmp_path):
    await fill(tmp_path / "data", events=0, rows=5)
    stop, heads = threading.Event(), []
    async with (
        open_ledger(tmp_path / "data", nature=NATURE) as ledger,
        open_vault(tmp_path / "data") as vault,
        trio.open_nursery() as nursery,
    ):

        async def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                await bring(ledger, vault, f"520000000000202603020{number:04d}", 25)

        nursery.start_soon(write)
        for _ in range(6):
            path, _ = await trio.to_thread.run_sync(take_backup, Source(tmp_path / "data"), tmp_path / "kept")
            rows = rows_of(plain_engine(path / "ledger.db"))
            heads.append(len(rows["inbox_application"]))
            check_pair(path / "ledger.db", path / "vault.db")
        stop.set()
    assert heads == sorted(heads)
    assert heads[-1] > heads[0], "nothing was written meanwhile"


async def test_a_vault_that_lacks_what_the_ledger_has_makes_no_backup(tmp_path):
    await fill(tmp_path / "data", events=0)  # the batch is not on the floor yet
    with closing(sqlite3.connect(tmp_path / "data" / "vault.db")) as vault, vault:
        vault.execute("DELETE FROM sealed_application WHERE application_id % 10000 = 3")
    with pytest.raises(BackupDamaged, match="lacks 1 applications"):
        take_backup(Source(tmp_path / "data"), tmp_path / "kept")
    assert whole_backups(tmp_path / "kept") == []


async def test_a_ledger_whose_end_was_changed_makes_no_backup(tmp_path):
    await fill(tmp_path / "data")
    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger, ledger:
        ledger.execute("DROP TRIGGER move_no_update")
        ledger.execute("UPDATE move SET at_floor_s = at_floor_s + 1 WHERE seq = (SELECT max(seq) FROM move)")
    with pytest.raises(SourceUnreadable, match="not sound"):
        take_backup(Source(tmp_path / "data"), tmp_path / "kept")
    assert whole_backups(tmp_path / "kept") == []


async def test_what_was_broken_off_does_not_look_whole_and_is_removed_by_the_next(tmp_path):
    await fill(tmp_path / "data")

    def break_off(what: str, done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_backup(Source(tmp_path / "data"), tmp_path / "kept", tell=break_off)
    [left] = [path for path in (tmp_path / "kept").iterdir() if path.is_dir()]
    assert left.name.endswith(".part")
    assert whole_backups(tmp_path / "kept") == []
    path, _ = take_backup(Source(tmp_path / "data"), tmp_path / "kept")
    assert [one for one in (tmp_path / "kept").iterdir() if one.is_dir()] == [path]


async def test_the_newest_are_kept_and_those_of_another_centre_are_left_alone(tmp_path):
    await fill(tmp_path / "data", events=20, rows=2)
    taken = [take_backup(Source(tmp_path / "data"), tmp_path / "kept")[0] for _ in range(3)]
    manifest = json.loads((taken[0] / "backup.json").read_text())
    (taken[0] / "backup.json").write_text(json.dumps(manifest | {"centre": "other"}))
    newest, _ = take_backup(Source(tmp_path / "data"), tmp_path / "kept", keep=2)
    assert whole_backups(tmp_path / "kept", "test") == [taken[2], newest]
    assert whole_backups(tmp_path / "kept", "other") == [taken[0]]


async def test_two_backups_at_once_into_one_folder_are_refused(tmp_path):
    await fill(tmp_path / "data", events=20, rows=2)
    with lock_folder(tmp_path / "kept"), pytest.raises(LedgerInUse):
        take_backup(Source(tmp_path / "data"), tmp_path / "kept")


def test_a_folder_without_a_ledger_is_named(tmp_path):
    with pytest.raises(NothingToCopy, match=r"no ledger\.db"):
        take_backup(Source(tmp_path / "data"), tmp_path / "kept")
    assert whole_backups(tmp_path / "kept") == []


async def test_a_copy_that_would_be_lost_with_the_data_is_refused_and_a_file_is_no_place_for_one(tmp_path):
    await fill(tmp_path / "data", events=20, rows=2)
    before = sorted(path.name for path in (tmp_path / "data").iterdir())
    for target in (tmp_path / "data", tmp_path / "data" / "kept", tmp_path / "else" / ".." / "data" / "kept"):
        with pytest.raises(TargetUnfit, match="would be lost with it"):
            take_backup(Source(tmp_path / "data"), target)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == before
    (tmp_path / "config.toml").touch()
    with pytest.raises(TargetUnfit, match=r"config\.toml is a file: name a folder"):
        take_backup(Source(tmp_path / "data"), tmp_path / "config.toml")
    with pytest.raises(TargetUnfit, match="cannot be made"):
        take_backup(Source(tmp_path / "data"), tmp_path / "config.toml" / "kept")


async def test_the_folder_above_the_backups_is_not_restored_but_its_backups_are_named(tmp_path):
    await fill(tmp_path / "data", events=20, rows=2)
    taken = [take_backup(Source(tmp_path / "data"), tmp_path / "kept")[0] for _ in range(2)]
    with pytest.raises(NoneNamed) as refused:
        restore_backup(tmp_path / "kept", tmp_path / "fresh")
    assert all(path.name in str(refused.value) for path in taken)
    assert str(refused.value).endswith(f"the newest is {taken[1]}")
    assert not (tmp_path / "fresh").exists()


async def test_progress_is_told_and_ends_at_the_whole(tmp_path, engine_url):
    await fill(tmp_path / "data", engine_url)
    told: dict[str, tuple[int, int]] = {}
    take_backup(
        Source(tmp_path / "data", engine_url),
        tmp_path / "kept",
        tell=lambda what, done, whole: told.update({what: (done, whole)}),
    )
    assert any(what.startswith("copying") for what in told)
    assert all(done == whole for done, whole in told.values())
