"""Shares of the master key: any K of N bring it back, fewer or mixed ones never a wrong key."""

import itertools
import secrets

import pytest

from controller.vault.errors import CannotWrite, ShareUnusable
from controller.vault.keys import fingerprint
from controller.vault.shares import Share, join, read_numbers, read_share, split, write_shares

KEY = bytes(range(32))


@pytest.mark.parametrize(("needed", "count"), [(2, 2), (2, 3), (3, 5), (9, 9), (2, 9)])
def test_any_so_many_shares_bring_the_key_back(tmp_path, needed, count):
    paths = write_shares(tmp_path / "out", split(KEY, needed, count))
    shares = [read_share(path) for path in paths]
    assert len(shares) == count
    for some in itertools.islice(itertools.combinations(shares, needed), 40):
        assert join(some[::-1]) == KEY
    assert join(shares) == KEY


def test_fewer_shares_than_are_needed_are_refused_and_one_given_twice_is_one(tmp_path):
    one, other, third = split(KEY, 3, 3)
    for some in ([one], [one, other], [one, other, one]):
        with pytest.raises(ShareUnusable, match="3 different shares are needed"):
            join(some)
    assert join([one, one, other, third]) == KEY


def test_shares_of_different_exports_or_keys_never_give_a_key():
    one, other = split(KEY, 2, 3), split(KEY, 2, 3)
    with pytest.raises(ShareUnusable, match="of different exports"):
        join([one[0], other[1]])
    with pytest.raises(ShareUnusable, match="not of one export"):
        join([one[0], split(secrets.token_bytes(32), 2, 3)[1]])
    with pytest.raises(ShareUnusable, match="not of one export"):
        join([one[0], split(KEY, 3, 3)[1]])


def test_a_share_s_file_says_what_it_is_and_is_its_owner_s_alone(tmp_path):
    paths = write_shares(tmp_path / "out", split(KEY, 2, 3))
    mark = fingerprint(KEY)
    assert [path.name for path in paths] == [f"master-{mark}-{which}of3.share" for which in (1, 2, 3)]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    lines = paths[1].read_text("ascii").splitlines()
    assert lines[:3] == ["cardmill master key share 1", "share 2 of 3, 2 needed", f"master {mark}"]
    assert KEY.hex() not in paths[1].read_text("ascii")
    assert KEY[:16].hex() not in "".join(path.read_text("ascii") for path in paths)
    with pytest.raises(CannotWrite):
        write_shares(tmp_path / "out", split(KEY, 2, 3))


def test_any_changed_character_of_a_share_is_found(tmp_path):
    path = write_shares(tmp_path, split(KEY, 2, 2))[0]
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ShareUnusable, match=path.name):
            read_share(path)
    for cut in (0, 10, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(ShareUnusable):
            read_share(path)


def test_the_library_joins_what_the_tool_ssss_split():
    # `ssss-split -t 2 -n 3 -s 128 -D -x` of 000102…0f, with ssss 0.5 of Debian
    told = ("d83230e313ca95e61a5b74cc3dacebb7", "b06767c32b9a21c52cadf7856f4ec5fe", "685455233c55b2243eff89425eef2046")
    key = KEY[:16] * 2
    shares = [Share(at, 3, 2, fingerprint(key), (bytes.fromhex(one),) * 2) for at, one in enumerate(told, 1)]
    assert [join(list(some)) for some in itertools.combinations(shares, 2)] == [key] * 3


@pytest.mark.parametrize("text", ["", "1of3", "3of2", "2of10", "0of0", "2 of 3", "2of3of4", "10of9", "-2of3", "２of3"])
def test_numbers_of_shares_that_cannot_be_are_refused(text):
    with pytest.raises(ShareUnusable, match="2of3"):
        read_numbers(text)


def test_numbers_of_shares_are_read():
    assert [read_numbers(text) for text in ("2of3", "2of2", "9of9")] == [(2, 3), (2, 2), (9, 9)]


def test_neither_shares_nor_their_halves_show_in_a_representation():
    share = split(KEY, 2, 2)[0]
    assert share.halves[0].hex() not in repr(share)
    assert repr(share.halves[0]) not in repr(share)
