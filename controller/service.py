"""The service: everything opened in order, run under one nursery, and closed with nothing lost."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
import trio

from controller import commands
from controller.checks.context import CheckContext, load_context
from controller.checks.named_codes import read_authorities
from controller.checks.policy import Policy, SharedNumber
from controller.clock import FloorClock, floor_date
from controller.config import Config, ConfigError
from controller.core.events import AnyAction, AnyEvent, Encode, ServiceBegan
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.tally import Tally
from controller.doors import operator_requests, serve_door, upstream_requests
from controller.encoding import Encoders
from controller.floor import Floor
from controller.floor_time import open_clock
from controller.hosts.live import LiveHost
from controller.intake import Intake, Place
from controller.judging import Judge
from controller.ledger.errors import LedgerStopped
from controller.ledger.journal import Recorded
from controller.ledger.store import Ledger, open_ledger
from controller.metrics import Metrics
from controller.vault.store import Vault, open_vault
from controller.web import serve_web, web_app
from devices.driver import StationDriver
from devices.keys import OPERATOR, STATION, UPSTREAM, KeyRing
from devices.zap import RouterSocket, serve_router, serve_zap
from devices.zlink import Context
from encoders import portrait, text_record
from encoders.fonts.coverage import bundled_coverage

log = structlog.get_logger()
ENDPOINTS = "endpoints.json"


@dataclass(slots=True)
class Books:
    """What is folded from the ledger at the start, and kept from then on."""

    foreman: Foreman
    tally: Tally
    last_floor_s: float


class LedgerKeeper:
    """Hands the host's turns to the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def keep(
        self, at_floor_s: float, event: AnyEvent, moves: Sequence[AnyMove], on_durable: Callable[[], None]
    ) -> None:
        """See `hosts.live.Keeper`."""
        self._ledger.put(Recorded(at_floor_s, event, moves), on_durable)


async def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT.  Raises: the coded errors of config, keys, links, ledger and vault."""
    folder = config.service.path()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text_record.warm_up()
    portrait.warm_up()
    context = check_context(config)
    clock = open_clock(folder, config.clock)
    ring = KeyRing(folder / "keys")
    commit_seconds: list[Metrics] = []
    async with (
        open_ledger(folder, observe=lambda seconds, moves: commit_seconds[0].observe_commit(seconds, moves)) as ledger,
        open_vault(folder) as vault,
    ):
        books = await trio.to_thread.run_sync(fold, ledger, config)
        metrics = Metrics(books.tally, books.foreman.state)
        commit_seconds.append(metrics)
        with Context() as links:
            await _run(config, Parts(folder, ledger, vault, books, metrics, clock, context, ring, links))
    log.info("stopped", head=ledger.head.hash.hex(), moves=ledger.head.seq)


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
    policy = Policy(shared_number=SharedNumber(config.checks.shared_number))
    return load_context(
        floor_date(0.0),
        lambda code_point: not coverage.missing_glyphs(chr(code_point)),
        authorities=authorities,
        policy=policy,
    )


def fold(ledger: Ledger, config: Config) -> Books:
    """Fold the ledger's moves into the foreman's state and the tally."""
    books = Books(Foreman(config.core()), Tally(), 0.0)
    for at_floor_s, move in ledger.replay():
        books.foreman.replay(at_floor_s, move)
        books.tally.fold(at_floor_s, move)
        books.last_floor_s = at_floor_s
    return books


async def _run(config: Config, parts: Parts) -> None:
    """Open the doors, run the floor, and leave when told to or when the disk fails."""
    failed: list[LedgerStopped] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, nursery.cancel_scope)
        for store in (parts.ledger, parts.vault):
            nursery.start_soon(_stop_on_failure, store, failed, nursery.cancel_scope)
        await nursery.start(serve_zap, parts.links, partial(_allowed, parts.ring))
        keys = parts.ring.ensure_server_keys()
        open_door = partial(serve_router, parts.links, server_keys=keys)
        async with (
            open_door(config.sockets.upstreams, role=UPSTREAM) as upstreams,
            open_door(config.sockets.stations, role=STATION) as stations,
            open_door(config.sockets.operators, role=OPERATOR) as operators,
        ):
            await _open_floor(config, parts, nursery, Doors(upstreams, stations, operators))
            await trio.sleep(math.inf)
    if failed:
        raise failed[0]


@dataclass(frozen=True, slots=True)
class Doors:
    """The three bound routers."""

    upstreams: RouterSocket
    stations: RouterSocket
    operators: RouterSocket


async def _open_floor(config: Config, parts: Parts, nursery: trio.Nursery, doors: Doors) -> None:
    """Start every task, tell the foreman that the service began, and say where everything is."""
    state, ledger, vault = parts.books.foreman.state, parts.ledger, parts.vault
    workers = trio.CapacityLimiter(config.encoding.workers)
    driver = StationDriver(
        config.service.centre,
        parts.clock.now_floor_s,
        parts.clock.scale,
        settled_below=state.next_id("job"),
    )

    def perform(action: AnyAction) -> None:
        if isinstance(action, Encode):
            nursery.start_soon(encoders.encode, action)
        else:
            floor.perform(action)

    def count(at_floor_s: float, moves: Sequence[AnyMove]) -> None:
        for move in moves:
            parts.books.tally.fold(at_floor_s, move)

    host = LiveHost(parts.books.foreman, parts.clock, LedgerKeeper(ledger), perform, count)
    host.start_after(parts.books.last_floor_s)
    floor = Floor(driver, vault, state, host.post, nursery)
    encoders = Encoders(vault, bundled_coverage(), workers, host.post, parts.metrics.observe_encode)
    judge = Judge(ledger, parts.context.policy, host.post)
    place = Place(parts.clock, config.clock.simulated)
    intake = Intake(ledger, vault, judge, parts.context, place, config.intake, host.post, workers)
    desk = commands.Desk(
        ledger,
        state,
        parts.books.tally,
        parts.clock,
        config.clock.simulated,
        config.calendar.yearly_hours(),
        host.post,
    )
    await host.post(ServiceBegan()).wait()
    nursery.start_soon(host.run_timers)
    nursery.start_soon(judge.run)
    await nursery.start(driver.run, doors.stations, floor.heard)
    nursery.start_soon(serve_door, doors.upstreams, upstream_requests, intake.answer)
    nursery.start_soon(serve_door, doors.operators, operator_requests, partial(commands.answer, desk))
    listens = await _open_web(config, parts, nursery)
    _say_ready(config, parts, doors, listens)


async def _open_web(config: Config, parts: Parts, nursery: trio.Nursery) -> list[str]:
    if not config.metrics.listen:
        return []
    return list(await nursery.start(serve_web, web_app(parts.metrics), config.metrics.listen))


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


def _allowed(ring: KeyRing, role: str, public: str) -> str | None:
    """Give the name of a listed key; a key that is not is looked for once more in the folder."""
    name = ring.user_for(role, public)
    if name is None:
        ring.reload()
        name = ring.user_for(role, public)
    return name


async def _stop_on_signal(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            log.info("stopping", signal=signal.Signals(number).name)
            scope.cancel()
            return


async def _stop_on_failure(store: Ledger | Vault, failed: list[LedgerStopped], scope: trio.CancelScope) -> None:
    failed.append(await store.wait_failed())
    scope.cancel()
