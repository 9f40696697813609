"""Keys, their files and the lists of who may connect: nothing half written, readable by others, or held twice."""

from __future__ import annotations

import errno
import os
import shlex
import stat
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85

from devices.key_files import new_pair, read_pair, read_public
from devices.key_ring import AllowedKey, KeyRing
from devices.keys import FAULTS, KeyFileError, KeyPair, LinkError, curve_keypair, key_bytes, public_from_secret
from devices.peers import OPERATOR, ROLES, STATION, UPSTREAM, key_text

Result = TypeVar("Result")
AT_ONCE = 16
RFC_32_KEY = bytes.fromhex("8E0BDD697628B91D8F245587EE95C5B04D48963F79259877B49CD9063AEAD3B7")


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(KeyFileError) as caught:
        call()
    assert str(caught.value).startswith(f"{caught.value.code}: ")
    return caught.value.code


def at_once(call: Callable[[int], Result]) -> list[Result | KeyFileError]:
    """What a call returns or raises in many threads that start together, each with its number."""
    start = threading.Barrier(AT_ONCE)

    def work(number: int) -> Result | KeyFileError:
        start.wait()
        try:
            return call(number)
        except KeyFileError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(work, range(AT_ONCE)))


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def wide_umask() -> object:
    """No help from the umask: a file has the mode it was created with."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_key_text_is_that_of_the_standard() -> None:
    """Source: ZeroMQ RFC 32 and the keys of zmq_curve(7)."""
    assert key_text(bytes.fromhex("864FD26FB559F75B") * 4) == "HelloWorld" * 4
    assert key_text(RFC_32_KEY) == "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"


@given(st.binary(min_size=32, max_size=32))
def test_key_text_and_bytes_are_inverse_and_agree_with_pyzmq(key: bytes) -> None:
    assert key_text(key) == z85.encode(key).decode()
    assert key_bytes(key_text(key)) == key


@given(st.binary(min_size=32, max_size=32))
def test_the_public_half_of_any_secret_is_the_one_libzmq_finds(secret: bytes) -> None:
    assert public_from_secret(key_text(secret)) == zmq.curve_public(z85.encode(secret)).decode()


def test_a_fresh_pair_is_one_of_libzmqs_kind_and_never_the_same() -> None:
    pairs = [curve_keypair() for _ in range(20)]
    assert len({pair.secret for pair in pairs} | {pair.public for pair in pairs}) == 40
    assert all(zmq.curve_public(pair.secret.encode()).decode() == pair.public for pair in pairs)


@given(st.text(max_size=45))
def test_text_that_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(LinkError) as caught:
        key_bytes(text)
    assert (caught.value.code, str(caught.value)) == ("link.bad_key", f"link.bad_key: {FAULTS['link.bad_key']}")


def test_a_word_beyond_32_bits_is_no_key() -> None:
    assert key_bytes("%nSc0" * 8) == b"\xff" * 32
    with pytest.raises(LinkError):
        key_bytes("%nSc1" + "%nSc0" * 7)


def test_a_secret_does_not_show_in_the_repr_of_its_pair() -> None:
    pair = curve_keypair()
    assert pair.secret not in repr(pair)
    assert pair.public in repr(pair)


def test_every_fault_is_a_sentence_with_a_code_of_its_family() -> None:
    for code, sentence in FAULTS.items():
        assert code.split(".")[0] in ("link", "keys")
        assert sentence.count("{}") <= 1
        assert str(LinkError(code, "it")) == f"{code}: {sentence.format('it')}"


def test_a_new_pair_is_kept_in_two_files_and_read_back(tmp_path: Path, wide_umask: object) -> None:
    pair = new_pair(tmp_path / "a" / "b", "press-1")
    assert read_pair(tmp_path / "a" / "b", "press-1") == pair
    assert read_public(tmp_path / "a" / "b" / "press-1.public") == pair.public
    assert files_in(tmp_path) == ["press-1.public", "press-1.secret"]
    assert mode_of(tmp_path / "a" / "b" / "press-1.secret") == 0o600
    assert mode_of(tmp_path / "a" / "b") == 0o700


def test_a_secret_has_its_mode_from_the_start(tmp_path: Path, wide_umask: object, monkeypatch) -> None:
    modes = []

    def fsync(opened: int) -> None:
        status = os.fstat(opened)
        if stat.S_ISREG(status.st_mode):
            modes.append(stat.S_IMODE(status.st_mode))

    monkeypatch.setattr(os, "fsync", fsync)
    for change in ("chmod", "fchmod"):
        monkeypatch.setattr(os, change, lambda *_: pytest.fail("changed after it was there"))
    new_pair(tmp_path, "press-1")
    assert modes == [0o600, 0o644]


def test_a_file_is_durable_before_it_has_its_name_and_its_folder_after(tmp_path: Path, monkeypatch) -> None:
    steps, fsync, rename = [], os.fsync, Path.rename

    def note_fsync(opened: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(opened).st_mode) else "file"
        steps.append(f"sync {kind}")
        fsync(opened)

    def note_rename(path: Path, target: Path) -> Path:
        assert path.read_text().strip()
        steps.append(f"name {target.suffix}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    new_pair(tmp_path, "press-1")
    assert steps == ["sync file", "name .secret", "sync folder", "sync file", "name .public", "sync folder"]


def test_a_full_disk_leaves_no_half_file_and_is_told(tmp_path: Path, monkeypatch) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fsync)
        with pytest.raises(KeyFileError, match=r"keys\.io: .*No space left"):
            new_pair(tmp_path, "press-1")
        assert list(tmp_path.iterdir()) == []
    assert new_pair(tmp_path, "press-1")


def test_what_a_crash_left_half_written_is_swept_by_the_next_write(tmp_path: Path) -> None:
    (tmp_path / ".press-1.secret.new").write_text("half")
    pair = new_pair(tmp_path, "press-1")
    assert files_in(tmp_path) == ["press-1.public", "press-1.secret"]
    assert read_pair(tmp_path, "press-1") == pair


@pytest.mark.parametrize("left", ["secret", "public"])
def test_a_pair_is_never_overwritten_not_even_by_halves(tmp_path: Path, left: str) -> None:
    new_pair(tmp_path, "press-1")
    kept = tmp_path / f"press-1.{left}"
    content = kept.read_text()
    (tmp_path / f"press-1.{'public' if left == 'secret' else 'secret'}").unlink()
    assert code_of(lambda: new_pair(tmp_path, "press-1")) == "keys.exists"
    assert (files_in(tmp_path), kept.read_text()) == ([kept.name], content)


def test_of_many_who_make_the_same_pair_one_succeeds(tmp_path: Path) -> None:
    made = at_once(lambda _: new_pair(tmp_path, "press-1"))
    [pair] = [result for result in made if isinstance(result, KeyPair)]
    assert {result.code for result in made if isinstance(result, KeyFileError)} == {"keys.exists"}
    assert read_pair(tmp_path, "press-1") == pair


GOOD_NAMES = ["a", "7", "press-1", "a-", "x" * 32]
BAD_NAMES = ["", "-a", "A", "a.b", "a/b", "../a", "a b", "a\n", "\u00e9", "\uff11", "x" * 33, ".secret", "a_b"]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_plain_name_is_taken(tmp_path: Path, name: str) -> None:
    pair = new_pair(tmp_path, name)
    assert read_pair(tmp_path, name) == pair


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_be_anything_else_is_refused_and_writes_nothing(tmp_path: Path, name: str) -> None:
    ring, pair = KeyRing(tmp_path), curve_keypair()
    for call in (
        lambda: new_pair(tmp_path, name),
        lambda: read_pair(tmp_path, name),
        lambda: ring.allow(STATION, name, pair.public),
    ):
        assert code_of(call) == "keys.bad_name"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_a_secret_others_can_use_is_refused_until_the_told_command_is_run(tmp_path: Path, bit: int) -> None:
    folder = tmp_path / "it's a folder"
    pair = new_pair(folder, "press-1")
    (folder / "press-1.secret").chmod(0o600 | bit)
    with pytest.raises(KeyFileError) as caught:
        read_pair(folder, "press-1")
    assert caught.value.code == "keys.mode"
    command = caught.value.sentence[caught.value.sentence.index("chmod 600") :]
    subprocess.run(shlex.split(command), check=True)
    assert read_pair(folder, "press-1") == pair


def test_a_file_that_holds_no_key_is_named_but_not_repeated(tmp_path: Path) -> None:
    pair = new_pair(tmp_path, "press-1")
    for content in (b"", b"\n", b"\xff\xfe", pair.secret[:39].encode(), pair.secret.encode() * 2, b"x" * 100_000):
        (tmp_path / "press-1.secret").write_bytes(content)
        with pytest.raises(KeyFileError) as caught:
            read_pair(tmp_path, "press-1")
        assert caught.value.code == "keys.bad_key"
        assert str(tmp_path / "press-1.secret") in caught.value.sentence
        assert pair.secret[:10] not in caught.value.sentence


def test_spaces_and_line_ends_around_a_key_do_no_harm(tmp_path: Path) -> None:
    pair = new_pair(tmp_path, "press-1")
    (tmp_path / "press-1.public").write_text(f"  {pair.public}\r\n\n")
    assert read_public(tmp_path / "press-1.public") == pair.public


def test_what_is_no_file_is_a_sentence_and_never_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.secret", 0o600)
    (tmp_path / "folder.secret").mkdir(mode=0o700)
    (tmp_path / "file").touch()
    assert code_of(lambda: read_pair(tmp_path, "pipe")) == "keys.bad_key"
    assert code_of(lambda: read_pair(tmp_path, "folder")) in ("keys.io", "keys.bad_key")
    assert code_of(lambda: read_pair(tmp_path, "nobody")) == "keys.missing"
    assert code_of(lambda: read_pair(tmp_path / "file", "press-1")) == "keys.io"
    assert code_of(lambda: new_pair(tmp_path / "file", "press-1")) == "keys.io"
    assert code_of(lambda: KeyRing(tmp_path / "file").ensure_server_keys()) == "keys.io"


def test_halves_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    new_pair(tmp_path, "press-1")
    (tmp_path / "press-1.public").write_text(curve_keypair().public)
    assert code_of(lambda: read_pair(tmp_path, "press-1")) == "keys.mismatch"


def test_the_service_makes_its_pair_once(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    made = at_once(lambda _: KeyRing(folder).ensure_server_keys())
    assert len({pair.secret for pair in made if isinstance(pair, KeyPair)}) == 1
    assert KeyRing(folder).ensure_server_keys() == made[0]
    assert files_in(folder) == ["server.public", "server.secret"]
    assert mode_of(folder / "server.secret") == 0o600


def test_a_lost_public_half_is_made_again_and_a_lost_secret_never(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    pair = ring.ensure_server_keys()
    (tmp_path / "server.public").unlink()
    assert ring.ensure_server_keys() == pair
    assert read_public(tmp_path / "server.public") == pair.public
    (tmp_path / "server.secret").unlink()
    assert code_of(ring.ensure_server_keys) == "keys.secret_missing"
    assert read_public(tmp_path / "server.public") == pair.public


def test_allowed_keys_are_known_by_role_and_name_and_survive(tmp_path: Path) -> None:
    ring, keys = KeyRing(tmp_path), {role: curve_keypair().public for role in ROLES}
    for role, public in keys.items():
        assert ring.allow(role, "a", public) == tmp_path / "allowed" / role / "a.public"
        assert ring.allow(role, "a", public), "the same again changes nothing"
    for known in (ring, KeyRing(tmp_path)):
        assert known.listing() == sorted(AllowedKey(role, "a", public) for role, public in keys.items())
        assert [known.user_for(UPSTREAM, keys[role]) for role in ROLES] == ["a", None, None]
    assert ring.user_for("no role", keys[UPSTREAM]) is None


def test_a_name_keeps_its_key_and_a_key_has_one_name_and_role(tmp_path: Path) -> None:
    ring, first, second = KeyRing(tmp_path), curve_keypair().public, curve_keypair().public
    ring.allow(OPERATOR, "wang", first)
    assert code_of(lambda: ring.allow(OPERATOR, "wang", second)) == "keys.name_taken"
    assert code_of(lambda: ring.allow(OPERATOR, "li", first)) == "keys.shared"
    with pytest.raises(KeyFileError, match=r"keys\.shared: operator wang and station wang have the same key"):
        ring.allow(STATION, "wang", first)
    assert code_of(lambda: ring.allow("admin", "li", second)) == "keys.bad_role"
    with pytest.raises(LinkError, match=r"link\.bad_key"):
        ring.allow(OPERATOR, "li", "no key")
    assert ring.listing() == [AllowedKey(OPERATOR, "wang", first)]
    assert files_in(tmp_path) == ["wang.public"]


def test_of_many_who_allow_one_key_under_different_names_one_succeeds(tmp_path: Path) -> None:
    public = curve_keypair().public
    results = at_once(lambda number: KeyRing(tmp_path).allow(OPERATOR, f"person-{number}", public))
    assert sum(isinstance(result, Path) for result in results) == 1
    assert {result.code for result in results if isinstance(result, KeyFileError)} == {"keys.shared"}


def test_a_reload_that_fails_leaves_what_was_known(tmp_path: Path) -> None:
    ring, public = KeyRing(tmp_path), curve_keypair().public
    path = ring.allow(STATION, "press-1", public)
    spoilt = {
        path.with_name("press-2.public"): (public, "keys.shared"),
        path.with_name("Press.public"): (curve_keypair().public, "keys.bad_name"),
        path.with_name("press-3.public"): ("", "keys.bad_key"),
        path.parents[1] / "stray.public": (public, "keys.bad_role"),
    }
    for file, (content, code) in spoilt.items():
        file.write_text(content)
        assert code_of(ring.reload) == code_of(lambda: KeyRing(tmp_path)) == code
        assert code_of(lambda: ring.allow(STATION, "press-9", curve_keypair().public)) == code
        assert ring.user_for(STATION, public) == "press-1"
        file.unlink()
    for harmless in (".press-1.public.new", "notes.txt", ".hidden"):
        path.with_name(harmless).write_text("anything")
    ring.reload()
    assert ring.user_for(STATION, public) == "press-1"
    path.unlink()
    assert ring.user_for(STATION, public) == "press-1"
    ring.reload()
    assert ring.user_for(STATION, public) is None
