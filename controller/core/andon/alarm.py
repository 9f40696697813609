"""An alarm, what it is found from, and where one looks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from controller.core.andon.rules import RULES, Severity
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.core.why.sentences import Fact, Facts
from devices.peers import STATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the shell alone knows of itself."""

    disk: str = "ok"  # or `low`, `reserve_given_up`
    free_bytes: int = 0
    is_insecure: bool = False  # the sockets are plain
    refused_frames: int = 0  # by all doors, in the last real minutes


@dataclass(frozen=True, slots=True)
class Look:
    """All that alarms are found in, at a time."""

    state: FloorState
    tally: Tally
    config: CoreConfig
    now_floor_s: float
    conditions: Conditions = field(default_factory=Conditions)

    def is_gone(self, station: str) -> bool:
        """Say whether a station was taken away: peers have keys here, and it has none any more."""
        keys = self.state.peer_keys
        return bool(keys.peers) and keys.of(STATION, station) is None


class Found(NamedTuple):
    """A cause that stands now.  `since_floor_s` None: nothing says since when, so it is since it was seen first."""

    code: str
    subject: str
    since_floor_s: float | None
    facts: Facts

    @property
    def key(self) -> str:
        """Give the key of its alarm."""
        return f"{self.code} {self.subject}".rstrip()


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong now: `key` names it as long as it stands, `facts` stand in the sentence of `code`."""

    key: str
    code: str
    subject: str  # a station, step, blank, batch, account or kind of input; never a person's data
    since_floor_s: float
    facts: dict[str, Fact]
    to_do: str
    owner: str = ""  # who acknowledged it, empty: nobody
    owned_floor_s: float = 0.0

    @property
    def severity(self) -> Severity:
        """Give how grave it is."""
        return RULES[self.code].severity
