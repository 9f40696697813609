"""The master key: rotated so that a pair opens at every instant, and put back."""

import pytest

from controller.vault.errors import KeyMissing, MasterKeyThere, WrongMasterKey
from controller.vault.key_files import open_key_files, put_master_back, read_ring, rotate_master
from controller.vault.keys import fingerprint, load_key
from controller.vault.store import open_vault
from tests.controller.vault.cuts import cuts

BATCHES = (1, 2, 3)


def _folder(folder):
    folder.mkdir()
    ring = open_key_files(folder, may_create=True).ring
    ring.mend()
    return {one: ring.key_or_new(one).encrypt(bytes(12), b"%d" % one, None) for one in BATCHES}


def _reads_all(ring, sealed):
    return all(ring.key(one).decrypt(bytes(12), sealed[one], None) == b"%d" % one for one in BATCHES)


def _leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".next", ".new"))


def test_after_a_rotation_the_same_keys_open_under_a_new_master_and_not_under_the_old_one(tmp_path):
    folder = tmp_path / "vault"
    sealed = _folder(folder)
    old = load_key(folder / "master.key")
    before = {line.split()[2] for line in (folder / "vault.keys").read_bytes().splitlines()[1:]}
    mark = rotate_master(folder)
    files = open_key_files(folder, may_create=False)
    assert mark == fingerprint(files.master) != fingerprint(old)
    assert _reads_all(files.ring, sealed)
    after = [line.split() for line in (folder / "vault.keys").read_bytes().splitlines()[1:]]
    assert not before & {parts[2] for parts in after}
    (folder / "master.key").write_text(f"{old.hex()}\n")
    with pytest.raises(WrongMasterKey):
        open_key_files(folder, may_create=False)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_cut_at_any_step_of_a_rotation_one_pair_opens_and_nothing_is_left_lying(tmp_path, monkeypatch):
    sealed, masters = {}, {}

    def prepare():
        folder = tmp_path / str(len(sealed))
        sealed[folder] = _folder(folder)
        masters[folder] = load_key(folder / "master.key")
        return folder

    outcomes = set()
    for calls, folder in cuts(monkeypatch, prepare, rotate_master):
        _, looked = read_ring(folder)  # as a look beside it would find the files
        assert _reads_all(looked, sealed[folder])
        files = open_key_files(folder, may_create=False)
        assert _reads_all(files.ring, sealed[folder])
        assert _leftovers(folder) == []
        assert load_key(folder / "master.key") == files.master
        outcomes.add((calls == -1, files.master == masters[folder]))
        files.ring.mend()
        files.ring.key_or_new(4)
        assert 4 in open_key_files(folder, may_create=False).ring
    assert outcomes == {(False, True), (False, False), (True, False)}


def test_cut_while_a_cut_rotation_is_ended_the_next_opening_ends_it(tmp_path, monkeypatch):
    sealed = {}

    def prepare():
        folder = tmp_path / str(len(sealed))
        sealed[folder] = _folder(folder)
        with monkeypatch.context() as patch:
            patch.setattr("controller.vault.key_files._put_in_place", _once())
            with pytest.raises(InterruptedError):
                rotate_master(folder)
        return folder

    for _, folder in cuts(monkeypatch, prepare, lambda folder: open_key_files(folder, may_create=False)):
        assert _reads_all(open_key_files(folder, may_create=False).ring, sealed[folder])
        assert _leftovers(folder) == []


def _once():
    """Put the first file in its place, and stop before the second."""
    from controller.vault.key_files import _put_in_place

    done = []

    def put(folder, name):
        if done:
            raise InterruptedError
        done.append(name)
        _put_in_place(folder, name)

    return put


async def test_a_vault_reads_on_after_a_rotation(tmp_path):
    async with open_vault(tmp_path) as vault:
        await vault.store_applications(1, [(0, b"before")])
    rotate_master(tmp_path)
    async with open_vault(tmp_path) as vault:
        await vault.store_applications(2, [(0, b"after")])
        assert (vault.application(1, 0), vault.application(2, 0)) == (b"before", b"after")


def test_a_rotation_keeps_no_destroyed_key(tmp_path):
    folder = tmp_path / "vault"
    _folder(folder)
    old = (folder / "vault.keys").read_bytes()
    files = open_key_files(folder, may_create=False)
    files.ring.destroy([1])
    (folder / "vault.keys").write_bytes(old)  # put back by hand
    rotate_master(folder)
    assert open_key_files(folder, may_create=False).ring.batches() == [2, 3]


def test_a_master_key_that_is_gone_is_put_back_and_one_that_opens_is_never_written_over(tmp_path):
    folder = tmp_path / "vault"
    sealed = _folder(folder)
    old = load_key(folder / "master.key")
    rotate_master(folder)
    key = load_key(folder / "master.key")
    with pytest.raises(MasterKeyThere):
        put_master_back(folder, old)
    assert put_master_back(folder, key) is False
    (folder / "master.key").unlink()
    with pytest.raises(KeyMissing):
        open_key_files(folder, may_create=False)
    with pytest.raises(WrongMasterKey):
        put_master_back(folder, old)
    assert not (folder / "master.key").exists()
    assert put_master_back(folder, key) is True
    assert _reads_all(open_key_files(folder, may_create=False).ring, sealed)


def test_a_wrong_master_key_is_replaced_by_the_right_one(tmp_path):
    folder = tmp_path / "vault"
    sealed = _folder(folder)
    key = load_key(folder / "master.key")
    (folder / "master.key").write_text("ab" * 32 + "\n")
    assert put_master_back(folder, key) is True
    assert _reads_all(open_key_files(folder, may_create=False).ring, sealed)
