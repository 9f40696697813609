"""The floor: the foreman's actions become messages to stations, and what stations say becomes events."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
import trio

from controller.application import batch_of, index_of
from controller.core import events as e
from controller.core.settings import ROUTES
from controller.core.state import SILENT, FloorState, Job
from controller.encoding import CardVault, MadeCard, made_cards, open_application
from controller.readback import outcome_of
from devices import protocol as p
from devices.defects import Step
from devices.driver import StationDriver
from devices.lies import Load
from devices.messages import BundleWork, JobDone, Magazine, PositionWork, SheetWork, Start, StationState
from encoders.envelope import pack

log = structlog.get_logger()
VAULT_READERS = 2  # threads that fetch what stations are given
LIE_AGAIN_S = 60.0  # real seconds in which the same lie of a station is recorded once


class Floor:
    """Between the foreman and the stations.  `post` hands an event to the host; it never waits."""

    def __init__(
        self,
        driver: StationDriver,
        vault: CardVault,
        state: FloorState,
        post: Callable[[e.AnyEvent], object],
        nursery: trio.Nursery,
    ) -> None:
        self._driver, self._vault, self._state, self._post = driver, vault, state, post
        self._nursery = nursery
        self._limiter = trio.CapacityLimiter(VAULT_READERS)
        self._lied_s: dict[tuple[str, str, int], float] = {}  # station, code, its open job -> when

    # ---- towards the stations ------------------------------------------------------------------------------

    def perform(self, action: e.AnyAction) -> None:
        """Do what the foreman asks of stations, now that it is durable."""
        if isinstance(action, e.StartJob):
            self._nursery.start_soon(self._start, action)
        elif isinstance(action, e.AskJob):
            self._driver.ask(action.station, action.job_id, self._load_of(action.job_id))
        elif isinstance(action, e.ReleaseJob):
            self._driver.release(action.station, [action.job_id])
        elif isinstance(action, e.FillMagazine):
            issue = Magazine(
                issue_id=action.issue_id,
                first_body=action.first_body,
                sheets=action.sheets,
                out=action.out,
                places=action.places,
            )
            self._driver.magazine(action.station, issue)

    async def _start(self, action: e.StartJob) -> None:
        step = Step(action.step)
        bundle = None
        if action.bundle_id:
            bundle = BundleWork(action.bundle_id, action.unit, action.blanks)
        sheets = await trio.to_thread.run_sync(self._work_of, step, action, limiter=self._limiter)
        if action.job_id not in self._state.jobs:
            return  # the station was heard meanwhile and could not say: its sheets are no longer to be worked on
        self._driver.start(action.station, Start(job_id=action.job_id, step=action.step, sheets=sheets, bundle=bundle))

    def _work_of(self, step: Step, action: e.StartJob) -> list[SheetWork]:
        """Fetch what the station needs for each position.  For a worker thread."""
        if step not in (Step.PRINT, Step.WRITE):
            return [SheetWork(sheet_id, [], sheet_id in action.singles) for sheet_id, _ in action.sheets]
        return [
            SheetWork(sheet_id, self._positions(step, cards), sheet_id in action.singles)
            for sheet_id, cards in action.sheets
        ]

    def _positions(self, step: Step, cards: list[int]) -> list[PositionWork]:
        present = [card for card in cards if card]
        made = dict(zip(present, made_cards(self._vault, present), strict=True))
        if step is Step.WRITE:
            work = {card: PositionWork(b"", one.record, one.portrait) for card, one in made.items()}
        else:
            work = {card: PositionWork(self._face(card, one)) for card, one in made.items()}
        return [work.get(card, PositionWork()) for card in cards]

    def _face(self, card: int, made: MadeCard) -> bytes:
        [sealed] = self._vault.applications(batch_of(card), [index_of(card)])
        picture = open_application(sealed).portrait
        return pack(msgspec.structs.replace(made.face, portrait=picture))

    def _load_of(self, job_id: int) -> Load | None:
        job = self._state.jobs.get(job_id)
        return None if job is None else Load(job.step, tuple(job.sheets))

    # ---- from the stations ---------------------------------------------------------------------------------

    def heard(self, station: str, event: p.Event) -> None:
        """Take what the link to a station noticed."""
        if isinstance(event, p.Finished):
            self._nursery.start_soon(self._finished, station, event.done)
            return
        said = self._event_of(station, event)
        if said is not None:
            self._post(said)

    def _event_of(self, station: str, event: p.Event) -> e.AnyEvent | None:
        if isinstance(event, p.Joined):
            hello = event.hello
            state = _told(hello.state)
            return e.StationSeen(station, hello.step, hello.model, hello.load_max, state, hello.reason)
        if isinstance(event, p.StateSeen):
            state = _told(event.state)
            reason = "" if state == StationState.IDLE else event.reason
            since_floor_s = event.since_floor_s if math.isfinite(event.since_floor_s) else 0.0
            return e.StationReported(station, state, reason, since_floor_s)
        if isinstance(event, p.Silent):
            return e.StationReported(station, SILENT, "", 0.0)
        if isinstance(event, p.NeverSeen):
            return e.JobNeverSeen(station, event.job_id)
        if isinstance(event, p.Unknown):
            return e.JobForgotten(station, event.job_id)
        if isinstance(event, p.Lied):
            return self._lie(station, event)
        return None  # taken, or back: the state that follows says more

    def _lie(self, station: str, lied: p.Lied) -> e.AnyEvent | None:
        """Give the event of a lie; said again every two seconds, or in a flood, it would fill the ledger."""
        lie = (station, lied.code, lied.job_id if lied.job_id in self._state.jobs else 0)
        now_s = trio.current_time()
        if now_s - self._lied_s.get(lie, -math.inf) < LIE_AGAIN_S:
            return None
        self._lied_s[lie] = now_s
        log.warning("station said what cannot be", station=station, code=lied.code, job_id=lied.job_id)
        return e.StationSpokeNonsense(station, lied.code, lied.job_id)

    async def _finished(self, station: str, done: JobDone) -> None:
        job = self._state.jobs.get(done.job_id)
        times = (done.started_floor_s, done.ended_floor_s)
        if job is not None and job.bundle_id:
            self._post(e.BundlePacked(station, done.job_id, *times, done.packed))
            return
        outcomes = [] if job is None else await self._outcomes(job, done)
        self._post(e.StepDone(station, done.job_id, *times, outcomes))

    async def _outcomes(self, job: Job, done: JobDone) -> list[e.SheetOutcome]:
        cards = {sheet_id: self._live_cards(sheet_id) for sheet_id in job.sheets}
        made: dict[int, Any] = {}
        if job.step is Step.INSPECT:
            wanted = [card for sheet in cards.values() for card in sheet if card]
            chipless = {one for sheet_id in job.sheets if self._is_chipless(sheet_id) for one in cards[sheet_id]}
            found = await trio.to_thread.run_sync(made_cards, self._vault, wanted, limiter=self._limiter)
            made = dict(zip(wanted, found, strict=True))
            for card in chipless & made.keys():  # no writer ever had them: nothing can be read back
                made[card] = msgspec.structs.replace(made[card], record=b"", portrait=b"")
        return [outcome_of(job.step, sheet, cards[sheet.sheet_id], made) for sheet in done.sheets]

    def _is_chipless(self, sheet_id: int) -> bool:
        return Step.WRITE not in ROUTES[self._state.sheets[sheet_id].kind]

    def _live_cards(self, sheet_id: int) -> list[int]:
        sheet = self._state.sheets[sheet_id]
        return [card if sheet.live >> place & 1 else 0 for place, card in enumerate(sheet.cards)]


def _told(state: str) -> str:
    """Give the state the foreman hears: whether a station executes, it knows from its jobs."""
    return StationState.IDLE if state == StationState.EXECUTE else state
