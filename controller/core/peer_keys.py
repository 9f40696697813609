"""Who may connect, as the ledger has it: the keys of each peer, and which approved changes the folder still lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from devices.peers import ADMINISTRATOR, OPERATOR

ACT, FOLDER, SETUP = "act", "folder", "setup"  # where a change of the keys was made


@dataclass(slots=True)
class PeerKey:
    """The keys of one peer."""

    public: str
    next_public: str
    roles: list[str]
    since_floor_s: float
    where: str


@dataclass(slots=True)
class PeerKeys:
    """All peers by role and name, and what was done past the service."""

    peers: dict[str, dict[str, PeerKey]] = field(default_factory=dict)
    pending: list[tuple[str, str]] = field(default_factory=list)  # approved, and not in the folder yet
    had_administrator: bool = False  # from then on a change of the folder is an alarm
    outside: int = 0  # changes past the service since then
    outside_floor_s: float = 0.0  # of the last one

    def of(self, role: str, name: str) -> PeerKey | None:
        """Give a peer's keys, None of one that may not connect."""
        return self.peers.get(role, {}).get(name)

    def all(self) -> Iterator[tuple[str, str, PeerKey]]:
        """Give every peer with its role and name."""
        for role, named in self.peers.items():
            for name, key in named.items():
                yield role, name, key

    def administrators(self) -> set[str]:
        """Give the people who can change keys by an act."""
        return {name for role, name, key in self.all() if role == OPERATOR and ADMINISTRATOR in key.roles}

    def put(self, role: str, name: str, key: PeerKey) -> None:
        """Let a peer connect."""
        self.peers.setdefault(role, {})[name] = key
        self.had_administrator = self.had_administrator or (role == OPERATOR and ADMINISTRATOR in key.roles)

    def remove(self, role: str, name: str) -> None:
        """Let a peer connect no more; one that could not stays so."""
        named = self.peers.get(role, {})
        named.pop(name, None)
        if not named:
            self.peers.pop(role, None)

    def note(self, role: str, name: str, where: str, at_floor_s: float) -> None:
        """Note where a change was made: what was approved waits for the folder, the rest is there."""
        if where == ACT and (role, name) not in self.pending:
            self.pending.append((role, name))
        elif where == FOLDER:
            self.outside, self.outside_floor_s = self.outside + 1, at_floor_s
