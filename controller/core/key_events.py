"""Events about the keys of the doors, and what the shell is asked to do with their folder."""

from __future__ import annotations

import msgspec

from controller.core.event import Event


class SeenPeer(msgspec.Struct, frozen=True, array_like=True):
    """One peer as the folder of keys has it."""

    role: str
    name: str
    public: str
    next_public: str
    roles: list[str]


class KeysSeen(Event, frozen=True, array_like=True, tag="keys_seen"):
    """The folder of keys holds exactly these peers."""

    peers: list[SeenPeer]


class KeysKept(Event, frozen=True, array_like=True, tag="keys_kept"):
    """The folder of keys holds for a peer what two people approved."""

    role: str
    name: str


AnyKeyEvent = KeysSeen | KeysKept
