"""The key ring: the service's own pair, the peers it lets in, and what people among them may do."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from devices.folders import make_folder
from devices.key_files import (
    check_name,
    explained,
    locked,
    paths_of,
    read_line,
    read_pair,
    read_public,
    remove,
    visible,
    write_line,
    write_pair,
)
from devices.keys import KeyFileError, KeyPair, curve_keypair, key_bytes
from devices.peers import OPERATOR, ROLES, fingerprint, is_public, read_roles, roles_line

SERVER = "server"
PUBLIC, NEXT, ROLES_SUFFIX = ".public", ".next", ".roles"
Stamp = tuple[tuple[str, int, int, int], ...]  # of files: path, inode, size, time of change


@dataclass(frozen=True, slots=True, order=True)
class AllowedKey:
    """One key that may connect; `is_next`: the one that takes over when a rotation ends."""

    role: str
    name: str
    public: str
    is_next: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Peer:
    """One peer that may connect, with all that lies in the folder for it."""

    role: str
    name: str
    public: str
    next_public: str = ""  # while the key is being rotated: both let it in
    roles: tuple[str, ...] = ()  # of a person
    since_unix_s: float = field(default=0.0, compare=False)


class KeyRing:
    """The service's own pair and the peers it lets in, all in one folder.

    `server.secret`, `server.public`; one `allowed/<role>/<name>.public` a peer, a `<name>.next.public` beside it while
    its key is rotated, and for a person a `<name>.roles`.  No two of these may hold the same key: a person with two
    names could be both halves of a two-person act.
    Raises: KeyFileError, as `reload`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: dict[tuple[str, str], str] = {}
        self._current: frozenset[tuple[str, str, str]] = frozenset()  # role, name, fingerprint
        self._peers: dict[tuple[str, str], Peer] = {}
        self._stamp: Stamp = ()
        self._roles: dict[tuple[str, str], tuple[Stamp, frozenset[str]]] = {}
        self._held: dict[tuple[str, str], Peer] = {}  # what is to be in the folder, while it is not
        self._taking = threading.RLock()  # one thread's older look at the folder must not undo what another has put
        self.reload()

    # ---- asking --------------------------------------------------------------------------------------------

    def listing(self) -> list[AllowedKey]:
        """Which keys may connect, as last loaded, by role and name."""
        return sorted(_keys_of(self._peers))

    def peers(self) -> list[Peer]:
        """Who may connect, as last loaded, by role and name."""
        return sorted(self._peers.values())

    def user_for(self, role: str, public: str) -> str | None:
        """The name under which a key may connect in a role, or None; asks memory only."""
        return self._names.get((role, public))

    def is_current(self, role: str, name: str, mark: str) -> bool:
        """Whether a peer that came in by the key with this fingerprint may still be heard; asks memory only."""
        return (role, name, mark) in self._current

    def is_listed(self, role: str, name: str) -> bool:
        """Whether a peer of this name may connect in a role, by whatever key; asks memory only."""
        held = self._held.get((role, name))
        return (role, name) in self._peers and (held is None or bool(held.public))

    def roles_of(self, role: str, name: str) -> frozenset[str]:
        """What a peer may do, from its file as it is now; nothing for one that is missing, broken, or of no peer."""
        if (role, name) not in self._peers:
            return frozenset()
        path, known = self._file(role, name, ROLES_SUFFIX), self._roles.get((role, name))
        try:
            with explained(path):
                stamp = _stamp_of([path])
            if known is None or known[0] != stamp:
                known = self._roles[role, name] = (stamp, frozenset(_read_roles(path, role)))
        except KeyFileError:
            return frozenset()
        held = self._held.get((role, name))
        return known[1] if held is None else known[1].intersection(held.roles)

    # ---- changing ------------------------------------------------------------------------------------------

    def ensure_server_keys(self) -> KeyPair:
        """The service's pair, made now if there is none.

        Raises: KeyFileError: as `read_pair`; keys.secret_missing: only the public half is there.
        """
        secret_path, public_path = paths_of(self.folder, SERVER)
        with locked(self.folder):
            if not secret_path.exists():
                if public_path.exists():
                    raise KeyFileError("keys.secret_missing", secret_path)
                write_pair(self.folder, SERVER, curve_keypair())
            pair = read_pair(self.folder, SERVER)
            if not public_path.exists():
                write_line(public_path, pair.public, 0o644)
        return pair

    def allow(self, role: str, name: str, public: str, roles: Iterable[str] = ()) -> Path:
        """Let the holder of `public` connect in `role` as `name`; the same again changes nothing.

        `roles`: what a person may do, if it is to change.
        Raises: LinkError link.bad_key; KeyFileError: keys.bad_role, keys.bad_name, keys.bad_key (another spelling of a
        key), keys.bad_roles, keys.name_taken (it has another key), keys.shared (the key has another name or role),
        keys.io; as `reload`.
        """
        path, key = self._file(role, name, PUBLIC), AllowedKey(role, name, public)
        _check_public(path, public)
        line = _checked_roles(role, name, roles)
        with locked(self.folder):
            allowed = _keys_of(_load(self.folder))
            if key not in allowed:
                if path.exists():
                    raise KeyFileError("keys.name_taken", path)
                _check_unique([*allowed, key])
            if line:
                self._write(role, name, ROLES_SUFFIX, line)
            if key not in allowed:
                self._write(role, name, PUBLIC, public)
        self.reload()
        return path

    def give_roles(self, role: str, name: str, roles: Iterable[str]) -> Path:
        """Say what a person may do from now on; none takes all away.

        Raises: KeyFileError: keys.bad_role, keys.bad_name, keys.bad_roles, keys.io; as `reload`.
        """
        path, line = self._file(role, name, ROLES_SUFFIX), _checked_roles(role, name, roles)
        with locked(self.folder):
            if line:
                self._write(role, name, ROLES_SUFFIX, line)
            elif path.parent.exists():
                remove(path)
        self.reload()
        return path

    def revoke(self, role: str, name: str) -> None:
        """Let a peer in no more, by none of its keys.

        Raises: KeyFileError: keys.bad_role, keys.bad_name, keys.io; keys.missing: it was not let in; as `reload`.
        """
        path = self._file(role, name, PUBLIC)
        if not self._remove(role, name):
            raise KeyFileError("keys.missing", path)
        self.reload()

    def rotate(self, role: str, name: str, public: str) -> Path:
        """Let a peer in by another key too, the one that takes over at `finish`; the same again changes nothing.

        Raises: LinkError link.bad_key; KeyFileError: as `allow`; keys.missing: it was not let in; keys.rotating: it has
        another next key already.
        """
        path = self._file(role, name, NEXT + PUBLIC)
        _check_public(path, public)
        with locked(self.folder):
            peers = _load(self.folder)
            peer = peers.get((role, name))
            if peer is None:
                raise KeyFileError("keys.missing", self._file(role, name, PUBLIC))
            if peer.next_public and peer.next_public != public:
                raise KeyFileError("keys.rotating", f"{role} {name}")
            if not peer.next_public:
                _check_unique([*_keys_of(peers), AllowedKey(role, name, public, True)])
                self._write(role, name, NEXT + PUBLIC, public)
        self.reload()
        return path

    def finish(self, role: str, name: str) -> None:
        """End a rotation: the next key is the only one.

        Raises: KeyFileError: keys.bad_role, keys.bad_name, keys.not_rotating, keys.io; as `reload`.
        """
        self._file(role, name, PUBLIC)
        with locked(self.folder):
            peer = _load(self.folder).get((role, name))
            if peer is None or not peer.next_public:
                raise KeyFileError("keys.not_rotating", f"{role} {name}")
            self._write(role, name, PUBLIC, peer.next_public)
            remove(self._file(role, name, NEXT + PUBLIC))
        self.reload()

    def hold(self, peer: Peer) -> None:
        """Let a peer in by no other keys than these, no other roles, whatever the folder says, until `put` did it."""
        with self._taking:
            self._held[peer.role, peer.name] = peer
            self._take(self._peers)

    def put(self, peer: Peer) -> None:
        """Make the folder hold exactly this for a peer, whatever it held; without a public key, nothing.

        What is held stays so until the whole folder was read again without an error.
        Raises: KeyFileError: keys.bad_role, keys.bad_name, keys.bad_key, keys.bad_roles, keys.shared (another peer has
        one of the keys), keys.io; as `reload`; LinkError link.bad_key.
        """
        role, name = peer.role, peer.name
        if not peer.public:
            self._remove(role, name)
            self._let_go(role, name)
            return
        path, line = self._file(role, name, PUBLIC), _checked_roles(role, name, peer.roles)
        for public in filter(None, (peer.public, peer.next_public)):
            _check_public(path, public)
        with locked(self.folder):
            others = {at: one for at, one in _load(self.folder).items() if at != (role, name)}
            _check_unique(_keys_of({**others, (role, name): peer}))
            for suffix, text in ((ROLES_SUFFIX, line), (PUBLIC, peer.public), (NEXT + PUBLIC, peer.next_public)):
                if text:
                    self._write(role, name, suffix, text)
                elif path.parent.exists():
                    remove(self._file(role, name, suffix))
        self._let_go(role, name)

    # ---- the folder ----------------------------------------------------------------------------------------

    def has_changed(self) -> bool:
        """Whether the folder is another than at the last load, by the times, sizes and numbers of its files."""
        with explained(self.folder):
            return _stamp_of(_files(self.folder)) != self._stamp

    def reload(self) -> None:
        """Read the folder again; after an error what was loaded before still holds.

        Raises: KeyFileError: keys.bad_role, keys.bad_name, keys.bad_key, keys.bad_roles, keys.shared, keys.io.
        """
        with self._taking:
            with explained(self.folder):
                stamp = _stamp_of(_files(self.folder))  # before: what changes meanwhile is seen as a change later
            self._take(_load(self.folder))
            self._stamp = stamp

    def _let_go(self, role: str, name: str) -> None:
        """Hold a peer no more: from here on it is what the folder says.  Raises: as `reload`; then it is still held."""
        with self._taking:
            self.reload()
            if self._held.pop((role, name), None):
                self._take(self._peers)

    def _take(self, peers: dict[tuple[str, str], Peer]) -> None:
        keys = [one for one in _keys_of(peers) if self._may_have(one)]
        self._names = {(key.role, key.public): key.name for key in keys}
        self._current = frozenset((key.role, key.name, fingerprint(key.public)) for key in keys)
        self._peers = peers

    def _may_have(self, key: AllowedKey) -> bool:
        held = self._held.get((key.role, key.name))
        return held is None or key.public in (held.public, held.next_public)

    def _file(self, role: str, name: str, suffix: str) -> Path:
        _check_role(role)
        check_name(name)
        return self.folder / "allowed" / role / f"{name}{suffix}"

    def _write(self, role: str, name: str, suffix: str, line: str) -> None:
        path = self._file(role, name, suffix)
        make_folder(path.parent)
        write_line(path, line, 0o644)

    def _remove(self, role: str, name: str) -> bool:
        """Whether there was a key; the keys go first."""
        path = self._file(role, name, PUBLIC)
        with locked(self.folder):
            if not path.parent.exists():
                return False
            gone = [remove(self._file(role, name, suffix)) for suffix in (NEXT + PUBLIC, PUBLIC, ROLES_SUFFIX)]
        return gone[0] or gone[1]


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise KeyFileError("keys.bad_role", repr(role))


def _check_public(path: Path, public: str) -> None:
    """Raises: LinkError link.bad_key: it is no key.  KeyFileError keys.bad_key: it is another spelling of one."""
    key_bytes(public)
    if not is_public(public):
        raise KeyFileError("keys.bad_key", path)


def _checked_roles(role: str, name: str, roles: Iterable[str]) -> str:
    """The line of some roles.  Raises: KeyFileError keys.bad_roles."""
    try:
        line = roles_line(read_roles(" ".join(roles)))
    except ValueError as error:
        raise KeyFileError("keys.bad_roles", repr(str(error))) from None
    if line and role != OPERATOR:
        raise KeyFileError("keys.bad_roles", f"{role} {name}")
    return line


def _read_roles(path: Path, role: str) -> tuple[str, ...]:
    try:
        line = read_line(path)
    except KeyFileError as error:
        if error.code == "keys.missing":
            return ()
        raise
    try:
        roles = roles_line(read_roles(line)).split()
    except ValueError:
        raise KeyFileError("keys.bad_roles", path) from None
    if roles and role != OPERATOR:
        raise KeyFileError("keys.bad_roles", path)
    return tuple(roles)


def _files(folder: Path) -> list[Path]:
    rooms = visible(folder / "allowed")
    return [*rooms, *(path for room in rooms if room.is_dir() for path in visible(room))]


def _stamp_of(paths: Iterable[Path]) -> Stamp:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)


def _load(folder: Path) -> dict[tuple[str, str], Peer]:
    """Every peer of a folder, by role and name."""
    keys: dict[tuple[str, str], dict[str, Path]] = {}
    with explained(folder):
        for room in visible(folder / "allowed"):
            _check_role(room.name)
            for path in visible(room):
                if path.suffix == PUBLIC:
                    name, kind = (path.stem.removesuffix(NEXT), NEXT) if path.stem.endswith(NEXT) else (path.stem, "")
                    check_name(name)
                    keys.setdefault((room.name, name), {})[kind] = path
        found = {at: _read_peer(*at, files) for at, files in keys.items()}
    _check_unique(_keys_of(found))
    return found


def _read_peer(role: str, name: str, files: dict[str, Path]) -> Peer:
    present = [files[kind] for kind in ("", NEXT) if kind in files]  # a next key without the other is it
    publics, first = [read_public(path) for path in present], present[0]
    for path, public in zip(present, publics, strict=True):
        _check_public(path, public)
    next_public = publics[1] if len(publics) > 1 and publics[1] != publics[0] else ""  # the same: a finish was cut off
    roles = _read_roles(first.with_name(f"{name}{ROLES_SUFFIX}"), role)
    return Peer(role, name, publics[0], next_public, roles, max(path.stat().st_mtime for path in files.values()))


def _keys_of(peers: dict[tuple[str, str], Peer]) -> list[AllowedKey]:
    found = []
    for peer in peers.values():
        found.append(AllowedKey(peer.role, peer.name, peer.public))
        if peer.next_public:
            found.append(AllowedKey(peer.role, peer.name, peer.next_public, True))
    return found


def _check_unique(keys: list[AllowedKey]) -> None:
    holders: dict[str, AllowedKey] = {}
    for key in keys:
        if (other := holders.setdefault(key.public, key)) is not key:
            raise KeyFileError("keys.shared", f"{other.role} {other.name} and {key.role} {key.name}")
