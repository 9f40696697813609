"""The wiring: what the service is put together from, and which part speaks to which."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog
import trio

from controller import commands
from controller.accounts.recording import Recorder
from controller.andon.standing import Andon, Surroundings
from controller.backup.mark import Restore
from controller.campaign.plan import Plan, load_plan
from controller.checks.context import CheckContext, load_context
from controller.checks.errors import CheckError
from controller.checks.named_codes import read_authorities
from controller.checks.policy import Policy, SharedNumber
from controller.clock import FloorClock, floor_date
from controller.config import Config, ConfigError
from controller.console.house import House
from controller.console.serving import open_console
from controller.core.events import AnyAction, AnyEvent, Encode, KeepKeys, Purge, RestoreAccepted
from controller.core.moves import AnyMove
from controller.denials import Denials
from controller.desk.desk import AllBefore, Desk
from controller.doors import operator_requests, serve_door, upstream_requests
from controller.encoding import Encoders
from controller.evidence.signing import Signer
from controller.floor.floor import Floor
from controller.forecasting.forecasts import Forecasts
from controller.hosts.live import LiveHost, Ticket
from controller.intake.giving_up import GivingUp
from controller.intake.intake import Intake
from controller.intake.judging import Judge
from controller.intake.place import Place
from controller.ledger.journal import Recorded
from controller.ledger.store import Ledger
from controller.metrics import Metrics
from controller.posts import Posts, open_posts
from controller.readiness import Readiness
from controller.refusals import CONSOLE, Refusals
from controller.replay.run import began
from controller.returns import Returns
from controller.tones import open_tones
from controller.upkeep.books import Books
from controller.upkeep.day_head import DayHeads
from controller.upkeep.disk import DiskWatch
from controller.upkeep.key_folder import KeyFolder
from controller.upkeep.purging import Purger, keep_key_acts
from controller.vault.store import Vault
from controller.web import serve_web, web_app
from devices.driver import StationDriver
from devices.key_ring import KeyRing
from devices.peers import OPERATOR, STATION, UPSTREAM
from devices.zap import RouterSocket
from devices.zlink import Context
from encoders.fonts.coverage import bundled_coverage

log = structlog.get_logger()
ENDPOINTS = "endpoints.json"


class LedgerKeeper:
    """Hands the host's turns to the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def keep(
        self, at_floor_s: float, event: AnyEvent | None, moves: Sequence[AnyMove], on_durable: Callable[[], None]
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
    disk: DiskWatch
    restore: Restore | None = None  # that this start has to record
    refusals: Refusals = field(default_factory=Refusals)
    signer: Signer | None = None  # of receipts; the service has one


@dataclass(frozen=True, slots=True)
class Doors:
    """The three bound routers."""

    upstreams: RouterSocket
    stations: RouterSocket
    operators: RouterSocket

    @property
    def by_role(self) -> dict[str, RouterSocket]:
        """Give each router with the role of its peers."""
        return {UPSTREAM: self.upstreams, STATION: self.stations, OPERATOR: self.operators}

    def drop_revoked(self) -> int:
        """Hang up on every peer that may connect no more; give how many."""
        return sum(router.drop_revoked() for router in self.by_role.values())

    def take_heard(self) -> list[tuple[str, str]]:
        """Give role and name of each peer that was heard since the last call."""
        found = []
        for role, router in self.by_role.items():
            found += [(role, name) for name in router.heard]
            router.heard.clear()
        return found


async def open_floor(config: Config, parts: Parts, nursery: trio.Nursery, doors: Doors) -> None:
    """Start every task, tell the foreman that the service began, and say where everything is.

    Raises: PlanError, PostTableError, ToneTableError: nothing is started then.
    """
    plan, posts, tones = load_plan(config.campaign), open_posts(config.posts), open_tones(config.portraits)
    state, ledger, vault = parts.books.foreman.state, parts.ledger, parts.vault
    workers = trio.CapacityLimiter(config.encoding.workers)
    driver = _driver(config, parts)

    def perform(action: AnyAction) -> None:
        if nursery.cancel_scope.cancel_called:
            return  # the service stops: what is durable is asked for again at the next start
        if isinstance(action, Encode):
            nursery.start_soon(encoders.encode, action)
        elif isinstance(action, Purge):
            nursery.start_soon(purger.purge, action)
        elif isinstance(action, KeepKeys):
            key_folder.wake()
        else:
            floor.perform(action)

    count = partial(parts.books.count, seen=parts.metrics.note)
    host = LiveHost(parts.books.foreman, parts.clock, LedgerKeeper(ledger), perform, count, parts.metrics.observe_turn)
    host.start_after(parts.books.last_floor_s)
    floor = Floor(driver, vault, state, host.post, nursery, tones, parts.refusals.at(STATION), parts.clock.scale)
    flatten = config.portraits.flatten_background
    observe, spend = parts.metrics.observe_encode, parts.metrics.spend_on_portraits
    encoders = Encoders(vault, bundled_coverage(), workers, host.post, observe, flatten=flatten, spend=spend)
    judge = Judge(ledger, parts.context.policy, host.post, config.kinds, parts.refusals.at(UPSTREAM))
    returns = Returns(ledger, vault, judge.history, parts.clock.now_floor_s, host.post)
    place = Place(parts.clock, config.clock.simulated, lambda: parts.disk.is_low, lambda: state.reconciling)
    intake = Intake(
        ledger, vault, judge, parts.context, place, config.intake, host.post, workers, config.kinds, config.upstreams,
        parts.signer,
    )  # fmt: skip
    denials, andon, forecasts = Denials(host.post), _andon(config, parts, host.post), _forecasts(config, parts)
    desk = _desk(config, parts, host.post, returns, plan, posts, denials, andon, forecasts)
    giving_up = GivingUp(ledger, judge.history, host.post, intake.forget)
    purger = Purger(ledger, vault, host.post, giving_up.give_up, judge.history)
    key_folder = KeyFolder(parts.ring, state.peer_keys, host.post, doors.drop_revoked, doors.take_heard)
    if parts.restore:
        await host.post(_restore_accepted(parts, parts.restore)).wait()
    await purger.bury_again()
    await host.post(began(config.core())).wait()
    await key_folder.look()
    nursery.start_soon(key_folder.run)
    nursery.start_soon(host.run_timers)
    nursery.start_soon(judge.run)
    nursery.start_soon(denials.run)
    nursery.start_soon(andon.run)
    nursery.start_soon(forecasts.run)
    nursery.start_soon(DayHeads(ledger.reading, parts.clock, state, host.post).run)
    nursery.start_soon(keep_key_acts, parts.folder, host.post)
    await nursery.start(driver.run, doors.stations, floor.heard)
    _answer_peers(parts, nursery, doors, intake, desk)
    listens = await _open_web(config, parts, nursery)
    _say_ready(config, parts, doors, listens, await _open_console(config, parts, desk, nursery))


def _driver(config: Config, parts: Parts) -> StationDriver:
    """Give who speaks to the stations."""
    return StationDriver(
        config.service.centre,
        parts.clock.now_floor_s,
        parts.clock.scale,
        # what stations remember of jobs that a restored ledger lost is taken off them unread
        settled_below=parts.books.foreman.state.next_id("job") + (parts.restore.step if parts.restore else 0),
        refused=parts.refusals.at(STATION),
    )


def _answer_peers(parts: Parts, nursery: trio.Nursery, doors: Doors, intake: Intake, desk: Desk) -> None:
    """Let upstreams and operators be answered."""
    at_desk = partial(commands.answer_certified, desk)
    for role, router, opener, answer in (
        (UPSTREAM, doors.upstreams, upstream_requests, intake.answer),
        (OPERATOR, doors.operators, operator_requests, at_desk),
    ):
        nursery.start_soon(serve_door, router, opener, answer, parts.refusals.at(role))


def _restore_accepted(parts: Parts, restore: Restore) -> RestoreAccepted:
    """Give the event that begins a restored ledger, for all upstreams that it or the doors know."""
    known = {one.name for one in parts.ring.listing() if one.role == UPSTREAM}
    upstreams = sorted(known.union(parts.ledger.reader.upstreams()))
    log.warning("restored ledger accepted", at_seq=restore.at_seq, step=restore.step, upstreams=len(upstreams))
    return RestoreAccepted(restore.at_seq, restore.step, upstreams)


def _desk(
    config: Config,
    parts: Parts,
    post: Callable[[AnyEvent], Ticket],
    returns: Returns,
    plan: Plan,
    posts: Posts,
    denials: Denials,
    andon: Andon,
    forecasts: Forecasts,
) -> Desk:
    """Give a desk that looks at the books."""
    return Desk(
        parts.ledger,
        parts.books.foreman.state,
        parts.books.tally,
        parts.clock,
        config.clock.simulated,
        config.calendar.yearly_hours(),
        post,
        config.core(),
        config=config,
        campaign=parts.books.campaign,
        plan=plan,
        posts=posts,
        returns=returns,
        disk=parts.disk,
        vault=parts.vault,
        refusals=parts.refusals,
        signer=parts.signer,
        roles=partial(parts.ring.roles_of, OPERATOR),
        denials=denials,
        insecure=config.sockets.insecure,
        andon=andon,
        forecasts=forecasts,
    )


def _andon(config: Config, parts: Parts, post: Callable[[AnyEvent], Ticket]) -> Andon:
    """Give the list of alarms, which the metrics show too."""
    around = Surroundings(parts.disk, parts.refusals, config.sockets.insecure)
    andon = Andon(parts.books.foreman.state, parts.books.tally, config.core(), parts.clock, around, post)
    parts.metrics.watch_alarms(andon.alarms)
    return andon


def _forecasts(config: Config, parts: Parts) -> Forecasts:
    """Give who forecasts beside the service; the metrics show how often that held."""
    state = parts.books.foreman.state
    forecasts = Forecasts(parts.folder, config, parts.ledger, state, parts.clock.now_floor_s)
    parts.metrics.watch_forecasts(lambda: forecasts.record, forecasts.made_floor_s)
    return forecasts


async def _open_web(config: Config, parts: Parts, nursery: trio.Nursery) -> list[str]:
    if not config.metrics.listen:
        return []

    async def settled() -> None:
        await parts.ledger.write(AllBefore())

    state, ledger = parts.books.foreman.state, parts.ledger
    readiness = Readiness(lambda: parts.disk.is_low, lambda: state.reconciling, lambda: ledger.failed is not None)
    parts.metrics.watch_readiness(readiness)
    return list(await nursery.start(serve_web, web_app(parts.metrics, readiness, settled), config.metrics.listen))


async def _open_console(config: Config, parts: Parts, desk: Desk, nursery: trio.Nursery) -> str:
    """Let people log in with a browser, if that is set; what happened to accounts is recorded in any case."""
    recorder = Recorder(parts.folder, desk.post)
    nursery.start_soon(recorder.run)
    if not config.console.listen:
        return ""
    house, refused = House(desk, config, nursery), parts.refusals.at(CONSOLE)
    return await open_console(
        config.console, parts.folder, desk.roles, recorder.note, nursery, house.routes, house.home_of, refused
    )


def _say_ready(config: Config, parts: Parts, doors: Doors, listens: list[str], console: str) -> None:
    """Write where everything is bound to, for people and for the demo."""
    endpoints = {
        "upstreams": doors.upstreams.endpoint,
        "stations": doors.stations.endpoint,
        "operators": doors.operators.endpoint,
        "metrics": listens[0] if listens else "",
        "insecure": config.sockets.insecure,
        "console": console,
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
        except (OSError, ValueError, CheckError) as error:
            raise ConfigError(f"checks.authorities: {path} is not a CSV of code,name: {error}") from None
    policy = Policy(shared_number=SharedNumber(config.checks.shared_number), scope_age_years=config.campaign.scope_age)
    return load_context(
        floor_date(0.0),
        lambda code_point: not coverage.missing_glyphs(chr(code_point)),
        authorities=authorities,
        policy=policy,
    )
