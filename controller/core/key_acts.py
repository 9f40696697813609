"""Changes of the doors' keys: those that two administrators make, and those that are found in the folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import events as e
from controller.core.key_events import KeysKept, KeysSeen, SeenPeer
from controller.core.key_moves import KeyAllowed, KeyInPlace, KeyRevoked, KeyRotated
from controller.core.peer_keys import ACT, FOLDER, SETUP, PeerKey, PeerKeys
from controller.core.turn import Turn
from devices.peers import ADMINISTRATOR, NAME, OPERATOR, ROLES, fingerprint, read_roles, roles_line

Args = Mapping[str, int | str]
Why = tuple[str, str] | None
TWO_PEOPLE = 2


def keep_keys(turn: Turn) -> None:
    """Ask for the changes of the folder that were approved and not seen to be done."""
    for role, name in turn.state.peer_keys.pending:
        turn.act(e.KeepKeys(role, name))


# ---- what the folder holds ------------------------------------------------------------------------------------


def differs(keys: PeerKeys, peers: list[SeenPeer]) -> list[tuple[str, str]]:
    """Give the peers, by role and name, of whom the folder says something else than the ledger.

    Those that wait for an approved change of the folder are left out.
    """
    seen = {(one.role, one.name): (one.public, one.next_public, one.roles) for one in peers}
    known = {(role, name): (key.public, key.next_public, key.roles) for role, name, key in keys.all()}
    return [at for at in sorted({*seen, *known}) if seen.get(at) != known.get(at) and at not in keys.pending]


def _seen(turn: Turn, event: KeysSeen) -> None:
    keys = turn.state.peer_keys
    where = FOLDER if keys.had_administrator else SETUP
    peers = {(one.role, one.name): one for one in event.peers}
    for role, name in differs(keys, event.peers):
        peer, known = peers.get((role, name)), keys.of(role, name)
        if peer is not None:
            _found(turn, peer, known, where)
        elif known is not None:
            turn.record(KeyRevoked(role, name, known.public, "", "", where))


def _found(turn: Turn, peer: SeenPeer, known: PeerKey | None, where: str) -> None:
    """Record one peer as the folder has it."""
    role, name = peer.role, peer.name
    is_turned = known is not None and known.next_public == peer.public
    if known is None or peer.roles != known.roles or (peer.public != known.public and not is_turned):
        public = known.public if known is not None and is_turned else peer.public
        turn.record(KeyAllowed(role, name, public, peer.roles, "", "", where))
    now = turn.state.peer_keys.of(role, name)
    if now is not None and (now.public, now.next_public) != (peer.public, peer.next_public):
        turn.record(KeyRotated(role, name, peer.public, peer.next_public, "", "", where))


def _kept(turn: Turn, event: KeysKept) -> None:
    if (event.role, event.name) in turn.state.peer_keys.pending:
        turn.record(KeyInPlace(event.role, event.name))


# ---- what two administrators do -------------------------------------------------------------------------------


def _peer_why(args: Args) -> Why:
    if args["role"] not in ROLES or not NAME.fullmatch(str(args["name"])):
        return ("key.peer", f"a peer has a role ({', '.join(ROLES)}) and a name: up to 32 of a-z, 0-9 and -")
    return None


def _public_why(turn: Turn, args: Args) -> Why:
    public = str(args["public"])
    if not fingerprint(public):
        return ("key.public", "public is the line of the peer's .public file: 40 characters of Z85")
    for role, name, key in turn.state.peer_keys.all():
        is_own = (role, name) == (args["role"], args["name"])
        if public == key.next_public or (public == key.public and not is_own):
            return ("key.shared", f"{role} {name} has this key: each key has one name and one role")
    return None


def _roles_of(args: Args) -> list[str] | None:
    """Give the roles that an act names, in their order; None: one is none, or the key is no person's."""
    try:
        roles = roles_line(read_roles(str(args.get("roles", "")))).split()
    except ValueError:
        return None
    return roles if args["role"] == OPERATOR or not roles else None


def _allow_why(turn: Turn, args: Args) -> Why:
    why = _peer_why(args) or _public_why(turn, args)
    if why:
        return why
    roles, known = _roles_of(args), turn.state.peer_keys.of(str(args["role"]), str(args["name"]))
    if roles is None:
        return ("key.roles", "only an operator has roles, and roles names one that is none, see `cardmill rights`")
    if known and known.public != args["public"]:
        return ("key.name_taken", "this name has another key: change it with rotate_key, or revoke it first")
    if known and known.roles == roles:
        return ("key.same", "this peer has this key and these roles already")
    if known and ADMINISTRATOR not in roles:
        return _last_why(turn, args)
    return None


def _allow(turn: Turn, args: Args, by: str, second: str) -> None:
    role, name = str(args["role"]), str(args["name"])
    turn.record(KeyAllowed(role, name, str(args["public"]), _roles_of(args) or [], by, second, ACT))
    keep_keys(turn)


def _unknown_why(turn: Turn, args: Args) -> Why:
    if turn.state.peer_keys.of(str(args["role"]), str(args["name"])) is None:
        return ("key.unknown", "no peer of this role and name may connect: see `cardmill keys list`")
    return None


def _last_why(turn: Turn, args: Args) -> Why:
    """Give why a person must stay an administrator: with fewer than two nobody could change a key by an act."""
    people = turn.state.peer_keys.administrators()
    if args["role"] == OPERATOR and args["name"] in people and len(people) <= TWO_PEOPLE:
        return ("key.last_administrators", "two administrators must be left: allow another one first")
    return None


def _revoke_why(turn: Turn, args: Args) -> Why:
    return _peer_why(args) or _unknown_why(turn, args) or _last_why(turn, args)


def _revoke(turn: Turn, args: Args, by: str, second: str) -> None:
    role, name = str(args["role"]), str(args["name"])
    known = turn.state.peer_keys.of(role, name)
    turn.record(KeyRevoked(role, name, known.public if known else "", by, second, ACT))
    keep_keys(turn)


def _rotate_why(turn: Turn, args: Args) -> Why:
    why = _peer_why(args) or _unknown_why(turn, args)
    known = turn.state.peer_keys.of(str(args["role"]), str(args["name"]))
    if why or known is None:
        return why
    if "public" not in args:
        return None if known.next_public else ("key.not_rotating", "this peer has no next key: name it with public")
    if known.next_public:
        return ("key.rotating", "this peer has a next key already: end that with rotate_key without public")
    if known.public == args["public"]:
        return ("key.same", "this peer has this key already")
    return _public_why(turn, args)


def _rotate(turn: Turn, args: Args, by: str, second: str) -> None:
    role, name = str(args["role"]), str(args["name"])
    known = turn.state.peer_keys.of(role, name)
    if known is None:
        return
    keys = (known.public, str(args["public"])) if "public" in args else (known.next_public, "")
    turn.record(KeyRotated(role, name, *keys, by, second, ACT))
    keep_keys(turn)


_PEER: Mapping[str, type] = {"role": str, "name": str}
KEY_ACTS: Mapping[str, Any] = {
    "allow_key": ({**_PEER, "public": str}, _allow, _allow_why),
    "revoke_key": (_PEER, _revoke, _revoke_why),
    "rotate_key": (_PEER, _rotate, _rotate_why),
}
KEY_OPTIONAL: Mapping[str, Mapping[str, type]] = {"allow_key": {"roles": str}, "rotate_key": {"public": str}}
KEY_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {KeysSeen: _seen, KeysKept: _kept}
