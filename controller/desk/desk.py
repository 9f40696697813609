"""What every verb looks at and acts through, and how it reads its arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.andon.standing import Andon
from controller.campaign.plan import Plan
from controller.clock import FloorClock
from controller.config import Config
from controller.core.campaign import Campaign
from controller.core.events import AnyEvent
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.denials import Denials
from controller.desk.flights import Flights
from controller.evidence.signing import Signer
from controller.forecasting.forecasts import Forecasts
from controller.hosts.live import Ticket
from controller.ledger.store import Ledger
from controller.posts import Posts
from controller.refusals import Refusals
from controller.returns import Returns
from controller.upkeep.disk import DiskWatch
from controller.vault.store import Vault

MAX_REASON = 200

Args = Mapping[str, Any]
Verb = Callable[["Desk", str, Args], Awaitable[Any]]


def no_roles(user: str) -> frozenset[str]:
    """Give no role: who was given none has none."""
    return frozenset()


class BadArgument(Exception):
    """A command's argument is missing or of the wrong kind; `name` and `wanted` say which and what."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"{name}: {wanted}")
        self.name, self.wanted = name, wanted


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands look at and act through."""

    ledger: Ledger
    state: FloorState
    tally: Tally
    clock: FloorClock
    simulated: bool
    yearly_hours: float
    post: Callable[[AnyEvent], Ticket]
    core: CoreConfig = field(default_factory=CoreConfig)
    config: Config = field(default_factory=Config)
    campaign: Campaign = field(default_factory=Campaign)
    plan: Plan = field(default_factory=Plan)
    posts: Posts = field(default_factory=Posts)
    returns: Returns | None = None
    disk: DiskWatch | None = None
    vault: Vault | None = None
    signer: Signer | None = None  # of manifests; the service has one
    refusals: Refusals | None = None
    roles: Callable[[str], frozenset[str]] = no_roles  # of somebody's key; see `desk.rights.roles_of`
    denials: Denials | None = None
    insecure: bool = False  # the sockets are plain
    andon: Andon | None = None
    flights: Flights = field(default_factory=Flights)
    forecasts: Forecasts | None = None


class AllBefore:
    """A change of nothing: when it is durable, so is every turn that was taken before."""

    def apply(self, connection: object) -> None:
        """Write nothing."""


def number(args: Args, name: str) -> int:
    value = args.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise BadArgument(name, "a whole number")
    return value


def text(args: Args, name: str, longest: int) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest or "\0" in value:
        raise BadArgument(name, f"a text of 1 to {longest} characters, none of them U+0000")
    return value
