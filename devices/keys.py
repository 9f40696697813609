"""Key pairs of the centre and its peers: the keys themselves, their files, and who may connect as what."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

UPSTREAM, STATION, OPERATOR = "upstream", "station", "operator"
ROLES = (UPSTREAM, STATION, OPERATOR)
SERVER = "server"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
KEY_BYTES, KEY_CHARS = 32, 40
LONGEST_FILE_BYTES = 256


FAULTS = {  # code -> what is wrong and what to do; {} is what it is about, never a key
    "link.bad_key": "a key is 40 characters of Z85: make a pair with `cardmill keys new`",
    "link.no_zap": "no ZAP task serves this context, and without one any key would be let in: start serve_zap first",
    "link.zap_taken": "a ZAP task serves this context already: one is enough",
    "link.bad_endpoint": "{} is no endpoint: write tcp://ADDRESS:PORT, or ipc://PATH in a folder you own",
    "link.address_in_use": "{} is taken: stop the program that holds it, or set another port",
    "link.address_not_here": "{} is not an address of this machine: set one that is",
    "link.address_denied": "{} is not open to this account: set a port from 1024 up",
    "link.too_long": "{} bytes are more than one message may have: send less at once",
    "link.peer_gone": "the peer has left: it has to ask again",
    "link.peer_shed": "the peer reads too slowly, what waited for it is dropped: it has to ask again",
    "link.key_refused": "{} does not know your key: have it listed with `cardmill keys allow`",
    "link.not_cardmill": "{} does not speak with you as a Cardmill service does: check its address, its port,"
    " your copy of its public key, and both versions",
    "link.unreachable": "{} lets nobody in: check that it runs, its address, and your copy of its public key",
    "link.timeout": "{} is there but gave no answer in time: ask again",
    "link.closed": "the socket is closed",
    "keys.bad_name": "{} is no name for a key: up to 32 of a-z, 0-9 and -, the first not a -",
    "keys.bad_role": "{} is no role: keys are allowed as upstream, station or operator",
    "keys.bad_key": "{} does not hold one key, 40 characters of Z85: restore it, or remove it",
    "keys.mode": "others may use the secret: chmod 600 {}",
    "keys.missing": "{} is not there: check the folder, or make it with `cardmill keys new`",
    "keys.exists": "{} is there already: take another name or folder",
    "keys.name_taken": "{} holds another key: take another name, or remove it",
    "keys.shared": "{} have the same key: each needs its own",
    "keys.mismatch": "{} is not the public key of the secret beside it: remove the wrong one",
    "keys.secret_missing": "{} is gone: restore it from the backup; or remove the public half too and give every peer"
    " the new one",
    "keys.io": "{}",
}


class LinkError(Exception):
    """The errors of links and keys: `code` is stable (see FAULTS), `sentence` says what to do."""

    def __init__(self, code: str, about: object = "") -> None:
        self.code, self.sentence = code, FAULTS[code].format(about)
        super().__init__(f"{code}: {self.sentence}")


class PeerGone(LinkError):
    """A message that cannot reach its peer, which has left or (link.peer_shed) reads too slowly."""

    def __init__(self, peer: bytes, code: str = "link.peer_gone") -> None:
        super().__init__(code)
        self.peer = peer


class LinkTimeout(LinkError):
    """Nothing came, or nothing could be sent, in the time given."""


class KeyFileError(LinkError):
    """A key file, or the name or role of one, that cannot be used; codes `keys.*`."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE pair (X25519), each key 40 characters of Z85."""

    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class AllowedKey:
    """One peer that may connect."""

    role: str
    name: str
    public: str


def curve_keypair() -> KeyPair:
    """A fresh pair, from the system's randomness."""
    return _pair(X25519PrivateKey.generate())


def public_from_secret(secret: str) -> str:
    """The public key that belongs to a secret one.  Raises: LinkError link.bad_key."""
    return _pair(X25519PrivateKey.from_private_bytes(key_bytes(secret))).public


def key_text(key: bytes) -> str:
    """Z85 of a key's 32 bytes: each 4 bytes, big-endian, are 5 characters.  Source: ZeroMQ RFC 32."""
    words = [int.from_bytes(key[start : start + 4]) for start in range(0, KEY_BYTES, 4)]
    return "".join(Z85[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


def key_bytes(key: str) -> bytes:
    """The 32 bytes of a key's Z85.  Raises: LinkError link.bad_key: its length, a character or a sum is wrong."""
    digits = [Z85.find(char) for char in key]
    if len(digits) == KEY_CHARS and min(digits) >= 0:
        groups = [digits[start : start + 5] for start in range(0, KEY_CHARS, 5)]
        words = [
            sum(digit * 85**power for digit, power in zip(group, (4, 3, 2, 1, 0), strict=True)) for group in groups
        ]
        if max(words) < 1 << 32:
            return b"".join(word.to_bytes(4) for word in words)
    raise LinkError("link.bad_key")


def new_pair(folder: Path, name: str) -> KeyPair:
    """A fresh pair, kept as `<name>.secret` (mode 0600 from the start) and `<name>.public` in `folder`.

    Raises: KeyFileError: keys.bad_name, keys.exists, keys.io.
    """
    _check_name(name)
    pair = curve_keypair()
    with _locked(folder):
        for path in _paths(folder, name):
            if path.exists():
                raise KeyFileError("keys.exists", path)
        _write_pair(folder, name, pair)
    return pair


def read_pair(folder: Path, name: str) -> KeyPair:
    """The pair of `<folder>/<name>.secret`.

    Raises: KeyFileError: keys.bad_name, keys.missing, keys.mode, keys.bad_key, keys.io; keys.mismatch, where a
    `<name>.public` lies beside it that belongs to another secret.
    """
    _check_name(name)
    secret_path, public_path = _paths(folder, name)
    secret = _read(secret_path, is_secret=True)
    pair = KeyPair(public_from_secret(secret), secret)
    if public_path.exists() and read_public(public_path) != pair.public:
        raise KeyFileError("keys.mismatch", public_path)
    return pair


def read_public(path: Path) -> str:
    """The key in a `.public` file.  Raises: KeyFileError: keys.missing, keys.bad_key, keys.io."""
    return _read(path, is_secret=False)


class KeyRing:
    """The service's own pair and the peers it lets in, all in one folder.

    `server.secret`, `server.public`, and one `allowed/<role>/<name>.public` a peer.  No two of these may hold the
    same key: a person with two names could be both halves of a two-person act.
    Raises: KeyFileError, as `reload`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[tuple[str, str], str] = {}
        self.reload()

    def ensure_server_keys(self) -> KeyPair:
        """The service's pair, made now if there is none.

        Raises: KeyFileError: as `read_pair`; keys.secret_missing: only the public half is there.
        """
        secret_path, public_path = _paths(self.folder, SERVER)
        with _locked(self.folder):
            if not secret_path.exists():
                if public_path.exists():
                    raise KeyFileError("keys.secret_missing", secret_path)
                _write_pair(self.folder, SERVER, curve_keypair())
            pair = read_pair(self.folder, SERVER)
            if not public_path.exists():
                _write(public_path, pair.public, 0o644)
        return pair

    def allow(self, role: str, name: str, public: str) -> Path:
        """Let the holder of `public` connect in `role` as `name`; the same again changes nothing.

        Raises: LinkError link.bad_key; KeyFileError: keys.bad_role, keys.bad_name, keys.name_taken (it has
        another key), keys.shared (the key has another name or role), keys.io; as `reload`.
        """
        _check_role(role)
        _check_name(name)
        key_bytes(public)
        path = self.folder / "allowed" / role / f"{name}.public"
        with _locked(self.folder):
            allowed = self._load()
            if AllowedKey(role, name, public) not in allowed:
                if path.exists():
                    raise KeyFileError("keys.name_taken", path)
                _check_unique([*allowed, AllowedKey(role, name, public)])
                _make_folder(path.parent)
                _write(path, public, 0o644)
        self.reload()
        return path

    def listing(self) -> list[AllowedKey]:
        """Who may connect, as last loaded, by role and name."""
        return sorted(AllowedKey(role, name, public) for (role, public), name in self._names.items())

    def user_for(self, role: str, public: str) -> str | None:
        """The name under which a key may connect in a role, or None; asks memory only."""
        return self._names.get((role, public))

    def reload(self) -> None:
        """Read the folder again; after an error what was loaded before still holds.

        Raises: KeyFileError: keys.bad_role, keys.bad_name, keys.bad_key, keys.shared, keys.io.
        """
        self._names = {(key.role, key.public): key.name for key in self._load()}

    def _load(self) -> list[AllowedKey]:
        found = []
        with _explained(self.folder):
            for folder in _visible(self.folder / "allowed"):
                _check_role(folder.name)
                for path in _visible(folder):
                    if path.suffix == ".public":
                        _check_name(path.stem)
                        found.append(AllowedKey(folder.name, path.stem, read_public(path)))
        _check_unique(found)
        return found


def _pair(private: X25519PrivateKey) -> KeyPair:
    return KeyPair(key_text(private.public_key().public_bytes_raw()), key_text(private.private_bytes_raw()))


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise KeyFileError("keys.bad_name", repr(name))


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise KeyFileError("keys.bad_role", repr(role))


def _check_unique(keys: list[AllowedKey]) -> None:
    holders: dict[str, AllowedKey] = {}
    for key in keys:
        if (other := holders.setdefault(key.public, key)) is not key:
            raise KeyFileError("keys.shared", f"{other.role} {other.name} and {key.role} {key.name}")


def _paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"{name}.secret", folder / f"{name}.public"


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name[0] != ".") if folder.exists() else []


def _read(path: Path, *, is_secret: bool) -> str:
    # not blocking, or a pipe laid in place of the file would stop the service
    with _explained(path), open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        mode = os.fstat(file.fileno()).st_mode
        if is_secret and mode & 0o077:
            raise KeyFileError("keys.mode", shlex.quote(str(path)))
        text = file.read(LONGEST_FILE_BYTES).decode("ascii", "replace").strip() if stat.S_ISREG(mode) else ""
    try:
        key_bytes(text)
    except LinkError:
        raise KeyFileError("keys.bad_key", path) from None
    return text


def _write_pair(folder: Path, name: str, pair: KeyPair) -> None:
    secret_path, public_path = _paths(folder, name)
    _write(secret_path, pair.secret, 0o600)
    _write(public_path, pair.public, 0o644)


def _write(path: Path, key: str, mode: int) -> None:
    """Put a key file in place whole and durable, or not at all; the folder is locked."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)  # left by a crash: under the lock nobody else is writing it
    try:
        with open(unfinished, "x", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make the folder if need be and keep other processes from writing keys in it."""
    with _explained(folder):
        _make_folder(folder)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise KeyFileError("keys.missing", error.filename or path) from None
    except OSError as error:
        raise KeyFileError("keys.io", f"{error.filename or path}: {error.strerror}") from None
