"""The command line's commands for the doors' keys: who may connect as what, and what people may do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from controller.commandline import show
from controller.commandline.options import ConfigPath, DataPath, JsonPath
from controller.commandline.which_folder import data_folder
from controller.config import ConfigError
from controller.upkeep.last_seen import read_last_seen
from devices.key_files import new_pair, read_public
from devices.key_ring import SERVER, KeyRing, Peer
from devices.peers import OPERATOR, PERSON_ROLES, ROLES, fingerprint

Role = Annotated[str, typer.Argument(help=", ".join(ROLES))]
Name = Annotated[str, typer.Argument(help="The peer's name.")]
Public = Annotated[Path | None, typer.Argument(help="The peer's .public file.", show_default=False)]
Roles = Annotated[str, typer.Option(help=f"What a person may do, commas between: {', '.join(PERSON_ROLES)}.")]
BREAK_GLASS = (
    "Beside a running centre this is break-glass: it takes one person, and raises an alarm there. Two administrators do"
    " it with `cardmill act {}` and `cardmill second`."
)
_ALLOW_HELP = f"""Let a peer in, or say anew what a person may do.

{BREAK_GLASS.format("allow_key role= name= public= roles=")}
"""
_REVOKE_HELP = f"""Let a peer in no more, by none of its keys; a running service hangs up on it within seconds.

{BREAK_GLASS.format("revoke_key role= name=")}
"""
_ROTATE_HELP = f"""Let a peer in by its next key too; with --finish, by that one only.

{BREAK_GLASS.format("rotate_key role= name= public=")}
"""


def add_keys_to(keys: typer.Typer) -> None:
    """Add the commands that work on the folder of keys."""
    keys.command("new")(new)
    keys.command("allow", help=_ALLOW_HELP)(allow)
    keys.command("revoke", help=_REVOKE_HELP)(revoke)
    keys.command("rotate", help=_ROTATE_HELP)(rotate)
    keys.command("list")(listing)


def new(
    name: Annotated[str, typer.Argument(help="The peer's name: a-z, 0-9 and -.")],
    role: Annotated[str, typer.Option(help=f"Allow it at once as one of: {', '.join(ROLES)}.")] = "",
    roles: Roles = "",
    folder: Annotated[Path | None, typer.Option(help="Where it is written; else peers/ of the data folder.")] = None,
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Make a key pair for a peer. NAME.secret (mode 0600) is for the peer alone; NAME.public is for others."""
    if role and role not in ROLES:
        raise ConfigError(f"{role!r} is no role: a key is allowed as one of {', '.join(ROLES)}")
    words = _roles(role, roles)
    base = data_folder(config, data)
    target = folder or base / "peers"
    pair = new_pair(target, name)
    print(f"written: {target / name}.secret and {target / name}.public")
    print(f"fingerprint: {fingerprint(pair.public)}")
    if role:
        KeyRing(base / "keys").allow(role, name, pair.public, words)
        _say_allowed(role, name, words)


def allow(
    role: Role, name: Name, public: Public = None, roles: Roles = "", config: ConfigPath = None, data: DataPath = None
) -> None:
    """Let a peer in, or say anew what a person may do."""
    words, ring = _roles(role, roles), KeyRing(data_folder(config, data) / "keys")
    if public is None:
        if not roles or not any((one.role, one.name) == (role, name) for one in ring.peers()):
            raise ConfigError("name the peer's .public file, or --roles of a person who is let in already")
        ring.give_roles(role, name, words)
    else:
        ring.allow(role, name, _read(public), words)
    _say_allowed(role, name, words)


def revoke(role: Role, name: Name, config: ConfigPath = None, data: DataPath = None) -> None:
    """Let a peer in no more."""
    KeyRing(data_folder(config, data) / "keys").revoke(role, name)
    print(f"revoked: {name} as {role}")


def rotate(
    name: Name,
    public: Public = None,
    role: Annotated[str, typer.Option(help=", ".join(ROLES))] = OPERATOR,
    finish: Annotated[bool, typer.Option("--finish", help="The next key is the only one from now on.")] = False,
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Let a peer in by its next key too; with --finish, by that one only."""
    if finish == (public is not None):
        raise ConfigError("name the .public file of the next key, or end the rotation with --finish: one of both")
    ring = KeyRing(data_folder(config, data) / "keys")
    if public is not None:
        ring.rotate(role, name, _read(public))
        print(f"allowed too: the next key of {name} as {role}; once the peer uses it, say this again with --finish")
    else:
        ring.finish(role, name)
        print(f"rotated: {name} as {role} has its next key only")


def listing(config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """List who may connect as what, by fingerprint, with what people may do, since when, and when last seen."""
    folder = data_folder(config, data) / "keys"
    seen = read_last_seen(folder)
    rows = [_row(peer, seen.get(f"{peer.role} {peer.name}", "")) for peer in KeyRing(folder).peers()]
    server = folder / f"{SERVER}.public"
    if server.exists() and not json:
        print(f"the service's own key: {fingerprint(read_public(server))}")
    show.answer("Allowed keys", rows, json)


def _row(peer: Peer, seen: str) -> dict[str, str]:
    return {
        "role": peer.role,
        "name": peer.name,
        "fingerprint": fingerprint(peer.public),
        "next": fingerprint(peer.next_public),
        "roles": " ".join(peer.roles),
        "since": datetime.fromtimestamp(peer.since_unix_s, UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "last_seen": seen,
    }


def _roles(role: str, roles: str) -> list[str]:
    """Give the roles of a person as an option names them.  Raises: ConfigError."""
    words = roles.replace(",", " ").split()
    if unknown := sorted(set(words).difference(PERSON_ROLES)):
        raise ConfigError(f"--roles: {', '.join(unknown)} is none of {', '.join(PERSON_ROLES)}")
    if words and role != OPERATOR:
        raise ConfigError(f"--roles is for people: keys of the role {OPERATOR}")
    return words


def _read(public: Path) -> str:
    """Give the key of a public half.  Raises: ConfigError, KeyFileError."""
    if public.suffix == ".secret":
        raise ConfigError(f"{public} is a secret, which only the peer should have: give the .public file beside it")
    return read_public(public)


def _say_allowed(role: str, name: str, words: list[str]) -> None:
    print(f"allowed: {name} as {role}{', ' + ' '.join(words) if words else ''}")
    if role == OPERATOR and not words:
        print(f"{name} may do nothing yet: say what with `cardmill keys allow {OPERATOR} {name} --roles …`")
