"""Backups of keys: they expire, bring back no purged batch, and an old backup of everything opens nothing purged."""

import shutil

import pytest

from controller.vault.errors import BackupExpired, BackupUnusable, CannotWrite, KeyExposed, KeyMissing, WrongMasterKey
from controller.vault.key_backup import backup_of, read_backup, require_usable, restore, write_backup
from controller.vault.key_files import open_key_files, rotate_master
from controller.vault.keys import load_key
from controller.vault.store import open_vault
from tests.controller.purge_centre import can_read, later, make_all, purged, purger
from tests.controller.returning import centre
from tests.controller.vault.cuts import cuts

NOBODY = frozenset()
BATCHES = (1, 2, 3)


def _filled(folder):
    folder.mkdir()
    files = open_key_files(folder, may_create=True)
    files.ring.mend()
    return files, {one: files.ring.key_or_new(one).encrypt(bytes(12), b"%d" % one, None) for one in BATCHES}


def _backup(folder, path, created="20260301", expires="20260828"):
    files = open_key_files(folder, may_create=False)
    write_backup(path, backup_of(files.ring, files.master, files.site, created, expires))
    return path


def _restored(folder, path, barred=NOBODY):
    files = open_key_files(folder, may_create=False)
    return restore(read_backup(path), files.ring, files.master, lambda batch_ids: set(batch_ids) & barred)


def _reads(folder, sealed, batch_id):
    try:
        key = open_key_files(folder, may_create=False).ring.key(batch_id)
    except KeyMissing:
        return False
    return key.decrypt(bytes(12), sealed[batch_id], None) == b"%d" % batch_id


def test_keys_that_were_lost_come_back_and_those_that_are_there_stay(tmp_path):
    folder = tmp_path / "vault"
    files, sealed = _filled(folder)
    path = _backup(folder, tmp_path / "backup")
    (folder / "vault.keys").unlink()
    files = open_key_files(folder, may_create=False)
    files.ring.mend()
    fresh = files.ring.key_or_new(4).encrypt(bytes(12), b"4", None)
    done = _restored(folder, path)
    assert (done.added, done.there, done.refused) == (3, 0, 0)
    assert all(_reads(folder, sealed | {4: fresh}, one) for one in (1, 2, 3, 4))
    again = _restored(folder, path)
    assert (again.added, again.there, again.refused) == (0, 3, 0)


def test_a_backup_is_taken_up_to_and_with_its_last_day(tmp_path):
    folder = tmp_path / "vault"
    files, _ = _filled(folder)
    found = read_backup(_backup(folder, tmp_path / "backup"))
    require_usable(found, files.master, "20260828")
    with pytest.raises(BackupExpired, match="until 20260828"):
        require_usable(found, files.master, "20260829")


def test_a_backup_of_another_master_key_is_named_by_both_fingerprints(tmp_path):
    folder = tmp_path / "vault"
    _filled(folder)
    found = read_backup(_backup(folder, tmp_path / "backup"))
    mark = rotate_master(folder)
    with pytest.raises(BackupUnusable, match=f"{found.fingerprint}.*{mark}"):
        require_usable(found, load_key(folder / "master.key"), "20260301")


def test_what_was_destroyed_since_does_not_come_back_out_of_an_old_backup(tmp_path):
    folder = tmp_path / "vault"
    files, sealed = _filled(folder)
    path = _backup(folder, tmp_path / "backup")
    files.ring.destroy([1])
    done = _restored(folder, path)
    assert (done.added, done.there, done.refused) == (0, 2, 1)
    assert not _reads(folder, sealed, 1)


def test_a_backup_carries_along_what_was_destroyed_before_it(tmp_path):
    folder = tmp_path / "vault"
    files, sealed = _filled(folder)
    old = (folder / "vault.keys").read_bytes()
    files.ring.destroy([1])
    path = _backup(folder, tmp_path / "backup")
    (folder / "vault.keys").write_bytes(old)
    (folder / "vault.purged").unlink()
    assert _reads(folder, sealed, 1)
    _restored(folder, path)
    assert not any(line.startswith(b"1 ") for line in (folder / "vault.keys").read_bytes().splitlines())
    assert not _reads(folder, sealed, 1)
    assert _reads(folder, sealed, 2)


def test_a_batch_the_ledger_bars_is_buried_when_it_would_come_back_and_left_alone_when_it_is_there(tmp_path):
    folder = tmp_path / "vault"
    _, sealed = _filled(folder)
    path = _backup(folder, tmp_path / "backup")
    _restored(folder, path, barred={1})
    assert _reads(folder, sealed, 1)  # nothing was restored: a purge is what two people agree to
    (folder / "vault.keys").unlink()
    done = _restored(folder, path, barred={1})
    assert (done.added, done.there, done.refused) == (2, 0, 1)
    assert not _reads(folder, sealed, 1)
    open_key_files(folder, may_create=False).ring.require(BATCHES)


def test_the_site_key_comes_back_too_and_stands_in_no_backup_in_the_open(tmp_path):
    folder = tmp_path / "vault"
    files, _ = _filled(folder)
    path = _backup(folder, tmp_path / "backup")
    assert read_backup(path).site_key(files.master) == files.site
    for secret in (files.site, files.master):
        assert secret.hex() not in path.read_text("ascii")
        assert secret not in path.read_bytes()


def test_a_backup_is_its_owner_s_alone_and_no_file_is_written_over(tmp_path):
    folder = tmp_path / "vault"
    _filled(folder)
    path = _backup(folder, tmp_path / "backup")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CannotWrite):
        _backup(folder, path)
    before = (folder / "vault.keys").read_bytes()
    with pytest.raises(CannotWrite):
        _backup(folder, folder / "vault.keys")
    assert (folder / "vault.keys").read_bytes() == before
    path.chmod(0o640)
    with pytest.raises(KeyExposed):
        read_backup(path)


def test_a_backup_that_was_cut_or_changed_is_refused_whole(tmp_path):
    folder = tmp_path / "vault"
    _filled(folder)
    path = _backup(folder, tmp_path / "backup")
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole[: len(whole) // 2], whole + b"\n"):
        path.write_bytes(content)
        with pytest.raises(BackupUnusable):
            read_backup(path)
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(BackupUnusable):
            read_backup(path)


def test_cut_at_any_step_of_a_restore_nothing_is_lost_and_the_same_again_ends_it(tmp_path, monkeypatch):
    _, sealed = _filled(tmp_path / "first")
    path = _backup(tmp_path / "first", tmp_path / "backup")
    made = []

    def prepare():
        folder = shutil.copytree(tmp_path / "first", tmp_path / str(len(made)))
        made.append(folder)
        open_key_files(folder, may_create=False).ring.destroy([3])
        ring = open_key_files(folder, may_create=False).ring
        lines = (folder / "vault.keys").read_bytes().splitlines(keepends=True)
        (folder / "vault.keys").write_bytes(b"".join(lines[:2]))  # the keys of batch 2 are lost
        assert ring.batches() == [1, 2]
        return folder

    for _, folder in cuts(monkeypatch, prepare, lambda folder: _restored(folder, path)):
        assert _reads(folder, sealed, 1)
        assert not _reads(folder, sealed, 3)
        _restored(folder, path)
        assert [_reads(folder, sealed, one) for one in BATCHES] == [True, True, False]


# ---- an old backup of everything -------------------------------------------------------------------------------


def _whole_backup(folder, out):
    """Copy what a machine's backup may have of a data folder, and take a backup of the keys."""
    out.mkdir()
    for name in ("ledger.db", "vault.db", "vault.keys"):
        shutil.copy(folder / name, out / name)
    _backup(folder, out / "keys.backup", expires="20260829")


async def test_old_databases_old_key_file_and_old_key_backup_restored_over_a_purge_open_nothing_purged(tmp_path):
    folder, old = tmp_path / "data", tmp_path / "old"
    async with centre(folder) as made:
        mixed, refused, fresh = await make_all(made)
        assert can_read(made, mixed)
    _whole_backup(folder, old)
    async with later(folder) as made:
        await purged(made)
        assert not can_read(made, mixed)
    for name in ("ledger.db", "vault.db", "vault.keys"):
        for rest in ("", "-wal", "-shm"):
            (folder / f"{name}{rest}").unlink(missing_ok=True)
        shutil.copy(old / name, folder / name)
    _restored(folder, old / "keys.backup")
    async with later(folder) as made:
        assert made.ledger.reader.batch(mixed).purged_floor_s == 0  # this ledger knows nothing of a purge
        await purger(made).bury_again()
        assert not can_read(made, mixed)
        assert not can_read(made, refused)
        assert can_read(made, fresh)
        assert len(made.vault.application(fresh, 0)) > 1_000  # with its portrait


async def test_on_a_new_machine_the_old_backups_open_only_what_the_ledger_calls_young(tmp_path):
    folder, old, new = (tmp_path / name for name in ("data", "old", "new"))
    async with centre(folder) as made:
        mixed, refused, fresh = await make_all(made)
        now = made.clock.now_floor_s()
    _whole_backup(folder, old)
    new.mkdir()
    for name in ("ledger.db", "vault.db"):
        shutil.copy(old / name, new / name)
    for name in ("master.key", "site.key"):  # from its shares, and out of the backup
        shutil.copy(folder / name, new / name)
    from controller.ledger.engine import reader_engine
    from controller.ledger.purge_rows import PurgeReader

    engine = reader_engine(new / "ledger.db")
    files = open_key_files(new, may_create=False)
    reader, oldest = PurgeReader(engine), now - 180 * 86_400.0
    found = read_backup(old / "keys.backup")
    done = restore(found, files.ring, files.master, lambda batch_ids: reader.barred(batch_ids, oldest))
    engine.dispose()
    assert (done.added, done.refused) == (1, 2)
    async with open_vault(new) as vault:
        assert vault.application(fresh, 0)
        for one in (mixed, refused):
            with pytest.raises(KeyMissing):
                vault.application(one, 0)


def test_the_wrong_master_key_restores_nothing(tmp_path):
    folder = tmp_path / "vault"
    _filled(folder)
    path = _backup(folder, tmp_path / "backup")
    (folder / "master.key").write_text("ab" * 32 + "\n")
    with pytest.raises(WrongMasterKey):
        _restored(folder, path)
    (folder / "vault.keys").unlink()
    with pytest.raises(BackupUnusable):
        _restored(folder, path)
    assert not (folder / "vault.keys").exists()
