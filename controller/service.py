"""The service: everything opened in order, run under one nursery, and closed with nothing lost."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import structlog
import trio
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from controller.accounts.errors import AccountError
from controller.backup.errors import BackupError
from controller.backup.mark import require_no_copy, restore_of, to_accept
from controller.checks import pixels
from controller.checks.errors import CheckError
from controller.config import Config, ConfigError
from controller.console.serving import require_usable
from controller.core.calendar import Calendar
from controller.core.errors import CoreError
from controller.evidence.errors import EvidenceError
from controller.evidence.signing import open_signer
from controller.floor_time import open_clock
from controller.ledger.engine import reason_of
from controller.ledger.errors import (
    LedgerDamaged,
    LedgerError,
    LedgerInUse,
    LedgerOther,
    LedgerStopped,
    LedgerTooNew,
    LedgerUnfit,
    LedgerUnreadable,
)
from controller.ledger.journal import last_head
from controller.ledger.store import Ledger, open_ledger
from controller.metrics import Metrics
from controller.station_metrics import stations_with_key
from controller.upkeep.books import open_books
from controller.upkeep.core_dumps import forbid_core_dumps
from controller.upkeep.disk import DiskWatch, with_advice
from controller.upkeep.own_files import lost_vault, require_own_files
from controller.upkeep.snapshots import Snapshots
from controller.upkeep.turns import take_long_turns
from controller.vault.errors import VaultError
from controller.vault.store import Vault, open_vault
from controller.wiring import Doors, Parts, check_context, open_floor
from devices.key_ring import KeyRing
from devices.keys import KeyFileError, LinkError
from devices.limits import SocketLimits
from devices.peers import OPERATOR, STATION, UPSTREAM
from devices.zap import RouterSocket, serve_router, serve_zap
from devices.zlink import Context
from encoders import background, portrait, text_record
from encoders.portrait import PortraitError
from encoders.text_layout import TextRecordError

log = structlog.get_logger()
LIMITS = {UPSTREAM: SocketLimits(queue_messages=8)}  # chunks are large: libzmq counts messages, not bytes
STOPPED, UNUSABLE = 1, 2
LOOK_REST_S = 0.5  # real seconds between looks at the folder of keys for keys that are not in it
UNREAD = "ledger.unread: the database could not be read ({}): run `cardmill doctor`, then start again"
NOT_OURS = (LedgerInUse, LedgerOther, LedgerTooNew, LedgerUnfit)  # nothing is wrong with the ledger itself


async def run_service(config: Config, folder: Path | None, *, accept_restored: bool = False) -> tuple[int, str]:
    """Run the service; give 0, or the exit code and the sentence to end with.

    `accept_restored`: a ledger that came out of a backup may be started; without it that is refused.

    1: a law would have broken, or the disk failed: look before it is started again.  2: it could not start as it is
    set up.
    """
    if folder is not None:
        config = dataclasses.replace(config, service=dataclasses.replace(config.service, folder=str(folder)))
    ending: list[tuple[int, str]] = []
    try:
        await serve(config, accept_restored)
    except* (CoreError, LedgerError) as group:
        first = _first(group)
        not_ours = (*NOT_OURS, LedgerUnreadable) if config.storage.url else NOT_OURS
        ending.append((UNUSABLE if isinstance(first, not_ours) else STOPPED, with_advice(str(first))))
    except* (
        AccountError,
        ConfigError,
        CheckError,
        LinkError,
        BackupError,
        EvidenceError,
        VaultError,
        PortraitError,
        TextRecordError,
        OSError,
    ) as group:
        ending.append((UNUSABLE, with_advice(str(_first(group)))))
    except* DBAPIError as group:  # of a reader: the writer's own is a LedgerStopped
        ending.append((STOPPED, UNREAD.format(reason_of(_first(group)))))
    return min(ending, default=(0, ""))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the first error of a group of groups that is not just a door which closed because of another one."""
    waiting, found = list[BaseException]([group]), list[BaseException]()
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting[:0] = error.exceptions
        else:
            found.append(error)
    error = next((one for one in found if getattr(one, "code", "") != "link.closed"), found[0])
    while isinstance(error.__cause__, LedgerStopped):  # one that waited was refused: the writer's own has the reason
        error = error.__cause__
    return error


async def serve(config: Config, accept_restored: bool = False) -> None:
    """Run until SIGTERM or SIGINT.  Raises: the coded errors of settings, keys, links, ledger, vault and restore."""
    forbid_core_dumps()  # before any key or person is in memory
    take_long_turns()  # before there is another thread
    folder, url = config.service.path(), config.storage.url
    require_own_files(folder, url)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_usable(config.console, folder)
    disk = DiskWatch(folder, config.storage)
    disk.relieve()  # what a full disk stopped can begin again
    text_record.warm_up()
    portrait.warm_up()
    if config.portraits.flatten_background:
        background.warm_up()
    pixels.warm_up()
    context = check_context(config)
    ring = KeyRing(folder / "keys")
    commit_seconds: list[Metrics] = []
    nature = {"centre": config.service.centre, "simulated": "true" if config.clock.simulated else "false"}

    def observe(seconds: float, moves: int) -> None:
        commit_seconds[0].observe_commit(seconds, moves)

    def require(connection: Connection) -> None:
        _require_fit(connection, folder, url)

    async with (
        open_ledger(folder, url=url, observe=observe, nature=nature, require=require) as ledger,
        open_vault(folder, url=url) as vault,
    ):
        await trio.to_thread.run_sync(_require_pair, ledger, vault)
        signer = await trio.to_thread.run_sync(open_signer, ring.folder, config.service.centre)
        opened = await trio.to_thread.run_sync(open_books, ledger, config)
        books = opened.books
        last_floor_s = books.last_floor_s if opened.seq else None
        clock = open_clock(folder, config.clock, last_floor_s)  # under the ledger's lock: a second one must not set it
        restore = await trio.to_thread.run_sync(to_accept, ledger.reading, books.foreman.state, accept_restored)
        metrics = Metrics(
            books.tally,
            books.foreman.state,
            partial(stations_with_key, ring.folder),
            now_floor_s=clock.now_floor_s,
            calendar=Calendar(config.calendar),
        )
        metrics.watch_disk(disk)
        metrics.watch_ledger(lambda: ledger.head.seq)
        metrics.watch_tasks(lambda: trio.lowlevel.current_statistics().tasks_living)
        commit_seconds.append(metrics)
        snapshots = Snapshots(ledger, config, lambda: disk.is_low)
        await snapshots.store_after_start(opened)
        with Context() as links:
            parts = Parts(
                folder, ledger, vault, books, metrics, clock, context, ring, links, disk, restore, signer=signer
            )
            await _run(config, parts, snapshots)
        await snapshots.store_at_stop(books)
    log.info("stopped", head=ledger.head.hash.hex(), moves=ledger.head.seq)


def _require_fit(connection: Connection, folder: Path, url: str) -> None:
    """Raises: NotRestored: the ledger is a backup's.  LedgerDamaged: it has moves, and the vault is gone."""
    require_no_copy(connection)
    lost = lost_vault(folder, url, has_moves=last_head(connection).seq > 0)
    if lost:
        raise LedgerDamaged(lost)


def _require_pair(ledger: Ledger, vault: Vault) -> None:
    """Raises: LedgerDamaged: the vault holds batches that this ledger never numbered: it would number others so."""
    if restore_of(ledger.reading) is not None:
        return  # copies of two moments: its numbers jump past both before anything is taken in
    given, sealed = ledger.reader.last_batch_number(), max(vault.batches(), default=0)
    if sealed > given:
        raise LedgerDamaged(
            f"the vault holds batch {sealed}, and this ledger gave numbers up to {given} only: it is a new or an older "
            "one; put the right one back, or restore a backup with `cardmill restore`"
        )


async def _run(config: Config, parts: Parts, snapshots: Snapshots) -> None:
    """Open the doors, run the floor, and leave when told to or when the disk fails."""
    failed: list[LedgerStopped] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, nursery.cancel_scope)
        await nursery.start(parts.disk.run)
        for store in (parts.ledger, parts.vault):
            nursery.start_soon(_stop_on_failure, store, failed, nursery.cancel_scope)
        sockets, open_door = config.sockets, await _doorkeeper(config, parts, nursery)
        async with (
            open_door(sockets.upstreams, UPSTREAM) as upstreams,
            open_door(sockets.stations, STATION) as stations,
            open_door(sockets.operators, OPERATOR) as operators,
        ):
            doors = Doors(upstreams, stations, operators)
            for role, router in doors.by_role.items():
                parts.refusals.watch(role, router.counters)
            parts.metrics.watch_refusals(parts.refusals)
            parts.metrics.watch_keys(parts.books.foreman.state.peer_keys, sockets.insecure)
            await open_floor(config, parts, nursery, doors)
            await snapshots.keep()
    if failed:
        raise failed[0]


async def _doorkeeper(
    config: Config, parts: Parts, nursery: trio.Nursery
) -> Callable[[str, str], AbstractAsyncContextManager[RouterSocket]]:
    """Start the task that says who is let in; give how a door at an address is opened for a role.

    Raises: LinkError, KeyFileError.
    """
    ring, keys, sockets = parts.ring, parts.ring.ensure_server_keys(), config.sockets
    allowed, by_name = partial(_allowed, ring, rest=_Rest()), ring.is_listed if sockets.insecure else None
    await nursery.start(serve_zap, parts.links, allowed, by_name)
    if sockets.insecure:
        log.warning("INSECURE: the sockets are plain, every program of this machine can be any peer")

    def open_door(endpoint: str, role: str) -> AbstractAsyncContextManager[RouterSocket]:
        limits = dataclasses.replace(
            LIMITS.get(role, SocketLimits()),
            rate_per_s=sockets.messages_per_s * max(1.0, config.clock.scale),  # a simulated floor works faster
            burst_messages=sockets.burst_messages,
        )
        own, still = (None, partial(_named, ring, role)) if sockets.insecure else (keys, partial(ring.is_current, role))
        return serve_router(parts.links, endpoint, role=role, server_keys=own, limits=limits, still=still)

    return open_door


def _named(ring: KeyRing, role: str, name: str, mark: str) -> bool:
    """Say whether a peer that proved nothing may still be heard."""
    return ring.is_listed(role, name)


@dataclasses.dataclass(slots=True)
class _Rest:
    """Until when no unlisted key makes the service look at the folder again."""

    now_s: Callable[[], float] = time.monotonic
    until_s: float = 0.0


def _allowed(ring: KeyRing, role: str, public: str, rest: _Rest | None = None) -> str | None:
    """Give the name of a listed key; a key that is not is looked for once more in the folder, unless one looks `rest`.

    A look that found nothing is followed by a rest, so a flood of unlisted keys costs two looks a second.
    """
    rest = rest or _Rest()
    name = ring.user_for(role, public)
    if name is None and rest.now_s() >= rest.until_s:
        rest.until_s = rest.now_s() + LOOK_REST_S
        try:
            if ring.has_changed():
                ring.reload()
                rest.until_s = 0.0  # strangers cannot change the folder: the next key may be a new one too
        except KeyFileError as error:  # a stray file in the folder: who was let in before still is
            log.warning("keys not read again", code=error.code)
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
