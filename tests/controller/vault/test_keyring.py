"""The key ring's file: what a power cut can leave of it, and what damage cannot pass for that."""

import pytest

from controller.vault.errors import KeyFileDamaged, KeyMissing
from controller.vault.keyring import HEADER, KeyRing

MASTER = bytes(range(32))


def _ring(path, *batch_ids):
    ring = KeyRing(path, MASTER)
    ring.mend()
    for batch_id in batch_ids:
        ring.key_or_new(batch_id)
    return ring


def _opens(ring, other, batch_id):
    sealed = ring.key(batch_id).encrypt(bytes(12), b"plain", None)
    return other.key(batch_id).decrypt(bytes(12), sealed, None) == b"plain"


def test_keys_are_found_again_and_are_the_same(tmp_path):
    path = tmp_path / "vault.keys"
    first = _ring(path, 1, 2, 3)
    again = KeyRing(path, MASTER)
    assert all(_opens(first, again, batch_id) for batch_id in (1, 2, 3))
    assert 4 not in again
    with pytest.raises(KeyMissing):
        again.key(4)


def test_a_key_asked_for_again_is_not_written_again(tmp_path):
    path = tmp_path / "vault.keys"
    ring = _ring(path, 1)
    size = path.stat().st_size
    assert ring.key_or_new(1) is ring.key(1)
    assert path.stat().st_size == size


def test_the_file_is_as_its_format_says(tmp_path):
    path = tmp_path / "vault.keys"
    _ring(path, 7, 123)
    header, *lines, end = path.read_text("ascii").split("\n")
    assert header == "cardmill vault keys 1"
    assert end == ""
    assert [[len(part) for part in line.split(" ")] for line in lines] == [[1, 24, 96, 8], [3, 24, 96, 8]]
    assert [line.split(" ")[0] for line in lines] == ["7", "123"]


def test_wherever_the_last_append_was_torn_the_keys_before_it_stand_and_writing_goes_on(tmp_path):
    path = tmp_path / "vault.keys"
    first = _ring(path, 1)
    keep = path.read_bytes()
    first.key_or_new(2)
    whole = path.read_bytes()
    for cut in {len(keep), len(keep) + 1, *range(len(keep) + 2, len(whole) - 2, 12), len(whole) - 2, len(whole) - 1}:
        for rest in (b"", b"\0" * 40, b"\n"):
            path.write_bytes(whole[:cut] + rest)
            if path.read_bytes() == whole:
                continue  # the last cut took only the line's end, and the rest put it back
            torn = KeyRing(path, MASTER)
            assert torn.torn_bytes == cut + len(rest) - len(keep)
            assert 2 not in torn
            torn.mend()
            assert path.read_bytes() == keep
            torn.key_or_new(3)
            again = KeyRing(path, MASTER)
            assert _opens(first, again, 1)
            assert _opens(torn, again, 3)


@pytest.mark.parametrize("cut", range(len(HEADER)))
def test_a_file_torn_in_its_first_line_begins_anew(tmp_path, cut):
    path = tmp_path / "vault.keys"
    path.write_bytes(HEADER[:cut])
    path.chmod(0o600)
    _ring(path, 1)
    assert 1 in KeyRing(path, MASTER)


@pytest.mark.parametrize("place", [30, 60, 140])
def test_a_damaged_line_that_whole_ones_follow_is_no_torn_end(tmp_path, place):
    path = tmp_path / "vault.keys"
    _ring(path, 1, 2)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(KeyFileDamaged, match="line 2"):
        KeyRing(path, MASTER)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "vault.keys"
    path.write_bytes(b"something else\n1 2 3 4\n")
    path.chmod(0o600)
    with pytest.raises(KeyFileDamaged, match="does not begin as a key file"):
        KeyRing(path, MASTER)


def test_a_damaged_last_line_whose_rows_are_stored_is_not_cut_off(tmp_path):
    path = tmp_path / "vault.keys"
    _ring(path, 1, 2)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    ring = KeyRing(path, MASTER)
    with pytest.raises(KeyMissing, match="the first is 2"):
        ring.require([1, 2])
    assert path.read_bytes() == content


def test_neither_the_keys_nor_the_master_stand_in_the_file_in_the_open(tmp_path):
    path = tmp_path / "vault.keys"
    _ring(path, 1)
    assert MASTER.hex() not in path.read_text("ascii")
