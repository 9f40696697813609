"""The wiring: what the service is put together from, and which part speaks to which."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog
import trio

from controller import commands
from controller.campaign.plan import capture_faults, load_plan
from controller.checks.context import CheckContext, load_context
from controller.checks.named_codes import read_authorities
from controller.checks.policy import Policy, SharedNumber
from controller.clock import FloorClock, floor_date
from controller.config import Config, ConfigError
from controller.core.campaign import Campaign
from controller.core.events import AnyAction, AnyEvent, Encode, ServiceBegan
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.remakes import Remakes
from controller.core.tally import Tally
from controller.desk.desk import AllBefore, Desk
from controller.doors import operator_requests, serve_door, upstream_requests
from controller.encoding import Encoders
from controller.floor import Floor
from controller.hosts.live import LiveHost, Ticket
from controller.intake import Intake, Place
from controller.judging import Judge
from controller.ledger.journal import Recorded
from controller.ledger.store import Ledger
from controller.metrics import Metrics
from controller.posts import open_posts
from controller.returns import Returns
from controller.vault.store import Vault
from controller.web import serve_web, web_app
from devices.driver import StationDriver
from devices.keys import KeyRing
from devices.zap import RouterSocket
from devices.zlink import Context
from encoders.fonts.coverage import bundled_coverage

log = structlog.get_logger()
ENDPOINTS = "endpoints.json"


@dataclass(slots=True)
class Books:
    """What is folded from the ledger at the start, and kept from then on."""

    foreman: Foreman
    tally: Tally
    last_floor_s: float
    campaign: Campaign = field(default_factory=lambda: Campaign(capture_faults()))

    def count(self, at_floor_s: float, moves: Sequence[AnyMove]) -> None:
        """Count moves that are durable."""
        for move in moves:
            self.tally.fold(at_floor_s, move)
            self.campaign.fold(at_floor_s, move)


class LedgerKeeper:
    """Hands the host's turns to the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def keep(
        self, at_floor_s: float, event: AnyEvent, moves: Sequence[AnyMove], on_durable: Callable[[], None]
    ) -> None:
        """See `hosts.live.Keeper`."""
        self._ledger.put(Recorded(at_floor_s, event, moves), on_durable)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service is put together from."""

    folder: Path
    ledger: Ledger
    vault: Vault
    books: Books
    metrics: Metrics
    clock: FloorClock
    context: CheckContext
    ring: KeyRing
    links: Context


@dataclass(frozen=True, slots=True)
class Doors:
    """The three bound routers."""

    upstreams: RouterSocket
    stations: RouterSocket
    operators: RouterSocket


async def open_floor(config: Config, parts: Parts, nursery: trio.Nursery, doors: Doors) -> None:
    """Start every task, tell the foreman that the service began, and say where everything is."""
    state, ledger, vault = parts.books.foreman.state, parts.ledger, parts.vault
    plan, posts = load_plan(config.campaign), open_posts(config.posts)
    workers = trio.CapacityLimiter(config.encoding.workers)
    driver = StationDriver(
        config.service.centre,
        parts.clock.now_floor_s,
        parts.clock.scale,
        settled_below=state.next_id("job"),
    )

    def perform(action: AnyAction) -> None:
        if nursery.cancel_scope.cancel_called:
            return  # the service stops: what is durable is asked for again at the next start
        if isinstance(action, Encode):
            nursery.start_soon(encoders.encode, action)
        else:
            floor.perform(action)

    host = LiveHost(parts.books.foreman, parts.clock, LedgerKeeper(ledger), perform, parts.books.count)
    host.start_after(parts.books.last_floor_s)
    floor = Floor(driver, vault, state, host.post, nursery)
    encoders = Encoders(vault, bundled_coverage(), workers, host.post, parts.metrics.observe_encode)
    judge = Judge(ledger, parts.context.policy, host.post, config.kinds)
    returns = Returns(ledger, vault, judge.history, parts.clock.now_floor_s, host.post)
    place = Place(parts.clock, config.clock.simulated)
    intake = Intake(ledger, vault, judge, parts.context, place, config.intake, host.post, workers, config.kinds)
    desk = dataclasses.replace(_desk(config, parts, host.post), plan=plan, posts=posts, returns=returns)
    await host.post(ServiceBegan()).wait()
    nursery.start_soon(host.run_timers)
    nursery.start_soon(judge.run)
    await nursery.start(driver.run, doors.stations, floor.heard)
    nursery.start_soon(serve_door, doors.upstreams, upstream_requests, intake.answer)
    nursery.start_soon(serve_door, doors.operators, operator_requests, partial(commands.answer_certified, desk))
    listens = await _open_web(config, parts, nursery)
    _say_ready(config, parts, doors, listens)


def _desk(config: Config, parts: Parts, post: Callable[[AnyEvent], Ticket]) -> Desk:
    """Give a desk that looks at the books; plan, posts and returns are the caller's."""
    return Desk(
        parts.ledger,
        parts.books.foreman.state,
        parts.books.tally,
        parts.clock,
        config.clock.simulated,
        config.calendar.yearly_hours(),
        post,
        config.core(),
        campaign=parts.books.campaign,
    )


async def _open_web(config: Config, parts: Parts, nursery: trio.Nursery) -> list[str]:
    if not config.metrics.listen:
        return []

    async def settled() -> None:
        await parts.ledger.write(AllBefore())

    return list(await nursery.start(serve_web, web_app(parts.metrics, settled), config.metrics.listen))


def _say_ready(config: Config, parts: Parts, doors: Doors, listens: list[str]) -> None:
    """Write where everything is bound to, for people and for the demo."""
    endpoints = {
        "upstreams": doors.upstreams.endpoint,
        "stations": doors.stations.endpoint,
        "operators": doors.operators.endpoint,
        "metrics": listens[0] if listens else "",
        "pid": os.getpid(),
    }
    fresh = parts.folder / f"{ENDPOINTS}.new"
    fresh.write_text(json.dumps(endpoints), "utf-8")
    fresh.replace(parts.folder / ENDPOINTS)
    log.info("ready", run=parts.books.foreman.state.run, simulated=config.clock.simulated, **endpoints)


def check_context(config: Config) -> CheckContext:
    """Give the tables and policies of the checks.  Raises: ConfigError."""
    coverage = bundled_coverage()
    authorities = None
    if config.checks.authorities:
        path = Path(config.checks.authorities)
        try:
            authorities = read_authorities(path.read_text("utf-8-sig"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"checks.authorities: {path} is not a CSV of code,name: {error}") from None
    policy = Policy(shared_number=SharedNumber(config.checks.shared_number), scope_age_years=config.campaign.scope_age)
    return load_context(
        floor_date(0.0),
        lambda code_point: not coverage.missing_glyphs(chr(code_point)),
        authorities=authorities,
        policy=policy,
    )


def fold(ledger: Ledger, config: Config) -> Books:
    """Fold the ledger's moves into the foreman's state, the tally and the campaign."""
    books = Books(Foreman(config.core()), Tally(remakes=Remakes(config.calendar)), 0.0)
    for at_floor_s, move in ledger.replay():
        books.foreman.replay(at_floor_s, move)
        books.count(at_floor_s, [move])
        books.last_floor_s = at_floor_s
    return books
