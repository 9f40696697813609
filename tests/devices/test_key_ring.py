"""The key ring while keys change: two keys in a rotation, roles of people, what is held until it is written."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from devices import key_ring
from devices.key_ring import AllowedKey, KeyRing, Peer
from devices.keys import LinkError, curve_keypair, key_bytes
from devices.peers import OPERATOR, PERSON_ROLES, PRIME, STATION, UPSTREAM, fingerprint, is_public, key_text

FIRST, NEXT, OTHER = (curve_keypair().public for _ in range(3))
SURELY_S = 20.0


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(LinkError) as caught:
        call()
    return caught.value.code


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "allowed").rglob("*") if path.is_file())


def who(ring: KeyRing, *keys: str) -> list[str | None]:
    return [ring.user_for(STATION, key) for key in keys]


def test_in_a_rotation_both_keys_come_in_under_one_name_and_after_it_only_the_next(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.allow(STATION, "press-1", FIRST)
    assert ring.rotate(STATION, "press-1", NEXT).name == "press-1.next.public"
    for known in (ring, KeyRing(tmp_path)):
        assert who(known, FIRST, NEXT) == ["press-1", "press-1"]
        assert known.listing() == sorted(
            [AllowedKey(STATION, "press-1", FIRST), AllowedKey(STATION, "press-1", NEXT, True)]
        )
        assert [known.is_current(STATION, "press-1", fingerprint(key)) for key in (FIRST, NEXT, OTHER)] == [1, 1, 0]
    ring.finish(STATION, "press-1")
    for known in (ring, KeyRing(tmp_path)):
        assert who(known, FIRST, NEXT) == [None, "press-1"]
        assert known.peers() == [Peer(STATION, "press-1", NEXT)]
        assert not known.is_current(STATION, "press-1", fingerprint(FIRST))
    assert names(tmp_path) == ["press-1.public"]


def test_a_rotation_is_begun_once_and_ended_once(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert code_of(lambda: ring.rotate(STATION, "press-1", NEXT)) == "keys.missing"
    ring.allow(STATION, "press-1", FIRST)
    ring.allow(STATION, "press-2", OTHER)
    assert code_of(lambda: ring.finish(STATION, "press-1")) == "keys.not_rotating"
    assert code_of(lambda: ring.rotate(STATION, "press-1", OTHER)) == "keys.shared"
    assert code_of(lambda: ring.rotate(STATION, "press-1", FIRST)) == "keys.shared"
    assert code_of(lambda: ring.rotate(STATION, "press-1", "no key")) == "link.bad_key"
    ring.rotate(STATION, "press-1", NEXT)
    ring.rotate(STATION, "press-1", NEXT)  # the same again changes nothing
    assert code_of(lambda: ring.rotate(STATION, "press-1", curve_keypair().public)) == "keys.rotating"
    assert code_of(lambda: ring.allow(UPSTREAM, "north", NEXT)) == "keys.shared"
    assert names(tmp_path) == ["press-1.next.public", "press-1.public", "press-2.public"]


def test_a_rotation_cut_off_between_its_two_files_is_over_and_one_without_its_first_key_goes_on(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    path = ring.allow(STATION, "press-1", FIRST)
    following = ring.rotate(STATION, "press-1", NEXT)
    path.write_text(NEXT)  # written, and the power fails before the other file goes
    ring.reload()
    assert ring.peers() == [Peer(STATION, "press-1", NEXT)]
    path.unlink()
    ring.reload()
    assert ring.peers() == [Peer(STATION, "press-1", NEXT)]
    ring.revoke(STATION, "press-1")
    assert not following.exists()


def test_who_is_revoked_comes_in_by_no_key_and_has_no_roles(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    assert code_of(lambda: ring.revoke(OPERATOR, "wang")) == "keys.missing"
    ring.allow(OPERATOR, "wang", FIRST, ["quality"])
    ring.rotate(OPERATOR, "wang", NEXT)
    ring.revoke(OPERATOR, "wang")
    assert ring.peers() == KeyRing(tmp_path).peers() == []
    assert names(tmp_path) == []
    assert code_of(lambda: ring.revoke(OPERATOR, "wang")) == "keys.missing"
    for bad in (lambda: ring.revoke("boss", "wang"), lambda: ring.revoke(OPERATOR, "../wang")):
        assert code_of(bad) in ("keys.bad_role", "keys.bad_name")


def test_roles_are_words_of_one_line_and_hold_as_soon_as_the_file_says_them(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.allow(OPERATOR, "wang", FIRST, ["quality", "operator"])
    assert ring.roles_of(OPERATOR, "wang") == {"operator", "quality"}
    assert ring.peers() == [Peer(OPERATOR, "wang", FIRST, roles=("operator", "quality"))]
    path = tmp_path / "allowed" / OPERATOR / "wang.roles"
    assert path.read_text() == "operator quality\n"
    other = KeyRing(tmp_path)
    other.give_roles(OPERATOR, "wang", ["auditor"])
    assert ring.roles_of(OPERATOR, "wang") == {"auditor"}
    path.write_text("auditor, supervisor\n")
    os.utime(path, ns=(1, 1))
    assert ring.roles_of(OPERATOR, "wang") == {"auditor", "supervisor"}
    assert other.give_roles(OPERATOR, "wang", []) == path
    assert ring.roles_of(OPERATOR, "wang") == frozenset()
    assert not path.exists()
    assert ring.roles_of(OPERATOR, "nobody") == ring.roles_of(STATION, "wang") == frozenset()


def test_a_word_that_is_no_role_gives_none_at_all_and_the_folder_is_not_taken(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.allow(OPERATOR, "wang", FIRST, ["quality"])
    path = tmp_path / "allowed" / OPERATOR / "wang.roles"
    for line in ("quality boss", "Quality", "all", "\x00"):
        path.write_text(line)
        assert ring.roles_of(OPERATOR, "wang") == frozenset()
        assert code_of(ring.reload) == code_of(lambda: KeyRing(tmp_path)) == "keys.bad_roles"
    assert code_of(lambda: ring.give_roles(OPERATOR, "wang", ["boss"])) == "keys.bad_roles"
    path.unlink()
    assert code_of(lambda: ring.give_roles(STATION, "press-1", ["quality"])) == "keys.bad_roles"
    assert code_of(lambda: ring.allow(STATION, "press-1", OTHER, ["quality"])) == "keys.bad_roles"
    (tmp_path / "allowed" / STATION).mkdir()
    (tmp_path / "allowed" / STATION / "press-1.roles").write_text("quality")
    ring.reload()  # of no peer: nobody has them
    (tmp_path / "allowed" / STATION / "press-1.public").write_text(OTHER)
    assert code_of(ring.reload) == "keys.bad_roles"


def test_roles_without_a_key_are_nobodys(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.give_roles(OPERATOR, "ghost", PERSON_ROLES)
    assert ring.roles_of(OPERATOR, "ghost") == frozenset()
    assert ring.peers() == []


def test_the_folder_is_made_to_hold_exactly_what_is_put(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    whole = Peer(OPERATOR, "wang", FIRST, NEXT, ("quality",))
    for peer in (whole, Peer(OPERATOR, "wang", OTHER), whole, Peer(OPERATOR, "wang", NEXT, "", ("auditor",))):
        for _ in range(2):
            ring.put(peer)
            assert ring.peers() == KeyRing(tmp_path).peers() == [peer]
    ring.put(Peer(OPERATOR, "wang", ""))
    ring.put(Peer(UPSTREAM, "never-there", ""))
    assert ring.peers() == []
    ring.allow(STATION, "press-1", FIRST)
    assert code_of(lambda: ring.put(whole)) == "keys.shared"
    assert names(tmp_path) == ["press-1.public"]


def test_what_is_held_is_out_of_force_at_once_though_the_folder_still_has_it(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.allow(OPERATOR, "wang", FIRST, ["quality", "auditor"])
    ring.rotate(OPERATOR, "wang", NEXT)
    ring.hold(Peer(OPERATOR, "wang", NEXT, "", ("quality",)))
    for _ in range(2):
        assert [ring.user_for(OPERATOR, key) for key in (FIRST, NEXT)] == [None, "wang"]
        assert ring.roles_of(OPERATOR, "wang") == {"quality"}
        assert ring.is_listed(OPERATOR, "wang")
        ring.reload()
    ring.hold(Peer(OPERATOR, "wang", ""))
    assert [ring.user_for(OPERATOR, key) for key in (FIRST, NEXT)] == [None, None]
    assert not ring.is_listed(OPERATOR, "wang")
    assert ring.roles_of(OPERATOR, "wang") == frozenset()
    ring.put(Peer(OPERATOR, "wang", ""))
    ring.allow(OPERATOR, "wang", OTHER)
    assert ring.user_for(OPERATOR, OTHER) == "wang", "held no more: it was put"


def test_a_look_at_the_folder_sees_every_kind_of_change_and_nothing_else(tmp_path: Path) -> None:
    ring, other = KeyRing(tmp_path), KeyRing(tmp_path)
    other.allow(OPERATOR, "wang", FIRST)
    changes: list[Callable[[], object]] = [
        lambda: other.allow(OPERATOR, "li", OTHER),
        lambda: other.give_roles(OPERATOR, "wang", ["quality"]),
        lambda: other.give_roles(OPERATOR, "wang", ["auditor"]),
        lambda: other.rotate(OPERATOR, "wang", NEXT),
        lambda: other.finish(OPERATOR, "wang"),
        lambda: other.revoke(OPERATOR, "li"),
    ]
    for change in changes:
        ring.reload()
        assert not ring.has_changed()
        change()
        assert ring.has_changed()
    ring.reload()
    assert ring.peers() == other.peers()


def test_who_is_to_go_stays_out_while_the_folder_cannot_be_read_whoever_else_is_held(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.allow(OPERATOR, "eve", FIRST, ["quality"])
    ring.allow(OPERATOR, "fay", NEXT)
    ring.allow(OPERATOR, "cay", OTHER, ["quality"])
    slip = tmp_path / "allowed" / OPERATOR / "cay.roles"
    slip.write_text("qualitty")
    for name in ("eve", "fay"):
        ring.hold(Peer(OPERATOR, name, ""))
        assert code_of(lambda name=name: ring.put(Peer(OPERATOR, name, ""))) == "keys.bad_roles"  # type: ignore[misc]
    assert [ring.user_for(OPERATOR, key) for key in (FIRST, NEXT, OTHER)] == [None, None, "cay"]
    assert not ring.is_current(OPERATOR, "eve", fingerprint(FIRST))
    assert not ring.is_listed(OPERATOR, "eve")
    assert ring.roles_of(OPERATOR, "eve") == frozenset()
    slip.write_text("quality")
    ring.put(Peer(OPERATOR, "eve", ""))
    ring.allow(OPERATOR, "eve", FIRST)
    assert ring.user_for(OPERATOR, FIRST) == "eve", "held no more: it was put"


class TellingLock:
    """A lock that tells when one more thread comes to it."""

    def __init__(self) -> None:
        self.lock, self.came = threading.RLock(), threading.Event()

    def __enter__(self) -> None:
        self.came.set()
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_a_look_of_one_thread_undoes_nothing_that_another_put_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, gone = KeyRing(tmp_path), Peer(STATION, "press-1", "")
    ring.allow(STATION, "press-1", FIRST)
    ring.hold(gone)
    lock, load, began = TellingLock(), key_ring._load, threading.Event()
    ring._taking = lock  # type: ignore[assignment]

    def put() -> None:
        ring.put(gone)
        lock.came.set()

    other = threading.Thread(target=put)

    def slow_load(folder: Path) -> dict[tuple[str, str], Peer]:
        found = load(folder)
        if not began.is_set():  # this look has read the old folder when the other thread takes the key out of it
            began.set()
            lock.came.clear()
            other.start()
            assert lock.came.wait(SURELY_S)
        return found

    monkeypatch.setattr(key_ring, "_load", slow_load)
    ring.reload()
    other.join(SURELY_S)
    assert not other.is_alive()
    assert names(tmp_path) == []
    assert ring.user_for(STATION, FIRST) is None
    assert ring.peers() == []
    assert not ring.has_changed()


def twin_of(public: str) -> str:
    """Give another spelling of a key: its top bit, which X25519 takes no notice of, is the other one."""
    key = key_bytes(public)
    return key_text(key[:31] + bytes([key[31] ^ 0x80]))


def test_a_key_has_one_spelling_so_nobody_has_two_names_by_one_secret(tmp_path: Path) -> None:
    twin, mine = twin_of(FIRST), X25519PrivateKey.generate()
    shared = [mine.exchange(X25519PublicKey.from_public_bytes(key_bytes(key))) for key in (FIRST, twin)]
    assert shared[0] == shared[1], "libzmq would let both in"
    ring = KeyRing(tmp_path)
    ring.allow(OPERATOR, "ann", FIRST)
    largest = PRIME - 1
    for key in (twin, *(key_text(number.to_bytes(32, "little")) for number in (PRIME, PRIME + 9, 2**255, 2**256 - 1))):
        assert not is_public(key)
        assert fingerprint(key) == ""
        assert code_of(lambda key=key: ring.allow(OPERATOR, "bob", key)) == "keys.bad_key"  # type: ignore[misc]
        assert code_of(lambda key=key: ring.rotate(OPERATOR, "ann", key)) == "keys.bad_key"  # type: ignore[misc]
        assert code_of(lambda key=key: ring.put(Peer(OPERATOR, "bob", NEXT, key))) == "keys.bad_key"  # type: ignore[misc]
    assert names(tmp_path) == ["ann.public"]
    assert is_public(key_text(largest.to_bytes(32, "little")))
    (tmp_path / "allowed" / OPERATOR / "bob.public").write_text(twin)
    assert code_of(ring.reload) == code_of(lambda: KeyRing(tmp_path)) == "keys.bad_key"
    assert ring.user_for(OPERATOR, twin) is None


def test_roles_that_lead_in_a_circle_are_none(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    ring.allow(OPERATOR, "ann", FIRST, ["quality"])
    path = tmp_path / "allowed" / OPERATOR / "ann.roles"
    path.unlink()
    path.symlink_to(path.name)
    assert ring.roles_of(OPERATOR, "ann") == frozenset()
    assert code_of(ring.reload) == "keys.io"
    path.unlink()
    path.write_text("auditor")
    assert ring.roles_of(OPERATOR, "ann") == {"auditor"}
