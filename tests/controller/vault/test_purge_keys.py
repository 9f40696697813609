"""Destroyed keys: gone from every file, whenever the work was cut short and whatever is put back."""

import pytest

from controller.vault.errors import KeyExposed, KeyFileDamaged, KeyMissing, VaultStopped
from controller.vault.key_line import KeyLine, read_line
from controller.vault.keyring import KeyRing
from tests.controller.vault.cuts import cuts

MASTER = bytes(range(32))


def _ring(folder, *batch_ids):
    ring = KeyRing(folder / "vault.keys", MASTER)
    ring.mend()
    for batch_id in batch_ids:
        ring.key_or_new(batch_id)
    return ring


def _sealed(ring, batch_id):
    return ring.key(batch_id).encrypt(bytes(12), b"plain", None)


def _again(folder):
    ring = KeyRing(folder / "vault.keys", MASTER)
    ring.mend()
    return ring


def _secret_lines(path):
    return [line for line in path.read_bytes().splitlines(keepends=True)[1:] if isinstance(read_line(line), KeyLine)]


def test_a_destroyed_key_is_in_no_file_and_the_others_still_open(tmp_path):
    ring = _ring(tmp_path, 1, 2, 3)
    sealed = {one: _sealed(ring, one) for one in (1, 2, 3)}
    old = (tmp_path / "vault.keys").read_bytes().splitlines()[1:]
    ring.destroy([1, 3, 99])
    for now in (ring, _again(tmp_path)):
        assert now.batches() == [2]
        assert now.key(2).decrypt(bytes(12), sealed[2], None) == b"plain"
        with pytest.raises(KeyMissing, match="batch 1 has no key: it was purged"):
            now.key(1)
        now.require([1, 2, 3])
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert old[1] in files
    assert not any(line.split()[2] in files for line in (old[0], old[2]))
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "vault.keys": 0o600,
        "vault.purged": 0o600,
    }


def test_a_key_that_was_lost_and_not_destroyed_is_still_missed(tmp_path):
    ring = _ring(tmp_path, 1, 2)
    ring.destroy([1])
    with pytest.raises(KeyMissing, match="the keys of 1 batch, the first is 3"):
        ring.require([1, 2, 3])


def test_cut_before_any_change_of_the_disk_the_next_start_reads_the_same_keys_or_fewer_and_ends_it(
    tmp_path, monkeypatch
):
    sealed = {}

    def prepare():
        folder = tmp_path / str(len(sealed))
        folder.mkdir()
        ring = _ring(folder, 1, 2, 3)
        sealed[folder] = _sealed(ring, 2)
        return folder

    seen = set()
    for calls, folder in cuts(monkeypatch, prepare, lambda folder: KeyRing(folder / "vault.keys", MASTER).destroy([1])):
        ring = _again(folder)
        assert ring.key(2).decrypt(bytes(12), sealed[folder], None) == b"plain"
        assert 3 in ring
        seen.add(1 in ring)
        if calls == -1:
            assert 1 not in ring
        is_buried = (folder / "vault.purged").exists()
        assert (1 in ring) != is_buried
        assert len(_secret_lines(folder / "vault.keys")) == 2 + (1 in ring)
        ring.destroy([1])
        ring.key_or_new(4)
        assert _again(folder).batches() == [2, 3, 4]
    assert seen == {True, False}


def test_an_old_key_file_that_is_put_back_opens_no_destroyed_key_and_is_cleaned_at_once(tmp_path):
    path = tmp_path / "vault.keys"
    ring = _ring(tmp_path, 1, 2)
    old = path.read_bytes()
    ring.destroy([1])
    path.write_bytes(old)
    again = KeyRing(path, MASTER)
    assert (again.batches(), again.came_back) == ([2], {1})
    again.mend()
    assert len(_secret_lines(path)) == 1
    assert KeyRing(path, MASTER).came_back == set()


def test_a_number_that_is_given_again_has_a_key_of_its_own(tmp_path):
    ring = _ring(tmp_path, 1)
    ring.destroy([1])
    ring.key_or_new(1)
    sealed = _sealed(ring, 1)
    assert _again(tmp_path).key(1).decrypt(bytes(12), sealed, None) == b"plain"


def test_a_key_file_that_cannot_be_replaced_says_so_and_the_key_is_gone_at_the_next_start(tmp_path, monkeypatch):
    ring = _ring(tmp_path, 1, 2)
    real = __import__("os").replace

    def refuse(one, other):
        if str(other).endswith("vault.keys"):
            raise OSError(28, "No space left on device")
        real(one, other)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", refuse)
        with pytest.raises(VaultStopped, match="No space left on device"):
            ring.destroy([1])
    assert ring.key_or_new(2)
    ring.key_or_new(3)  # the floor works on
    assert len(_secret_lines(tmp_path / "vault.keys")) == 3
    assert KeyRing(tmp_path / "vault.keys", MASTER).batches() == [2, 3]
    ring.destroy([1])  # asked again, it ends what it began
    assert len(_secret_lines(tmp_path / "vault.keys")) == 2
    assert _again(tmp_path).batches() == [2, 3]


@pytest.mark.parametrize("content", [b"", b"something\n", b"cardmill destroyed keys 1\n1 destroyed 00 12345678\n"])
def test_a_damaged_list_of_destroyed_keys_is_refused(tmp_path, content):
    _ring(tmp_path, 1)
    (tmp_path / "vault.purged").write_bytes(content)
    (tmp_path / "vault.purged").chmod(0o600)
    with pytest.raises(KeyFileDamaged, match=r"vault\.purged"):
        KeyRing(tmp_path / "vault.keys", MASTER)


def test_the_list_of_destroyed_keys_is_its_owners_alone(tmp_path):
    _ring(tmp_path, 1).destroy([1])
    (tmp_path / "vault.purged").chmod(0o644)
    with pytest.raises(KeyExposed, match=r"vault\.purged has mode 0644"):
        KeyRing(tmp_path / "vault.keys", MASTER)
