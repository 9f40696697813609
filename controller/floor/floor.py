"""The floor: the foreman's actions become messages to stations, and what stations say becomes events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import structlog
import trio

from controller.core import events as e
from controller.core.moves import StationLied
from controller.core.state import FloorState
from controller.core.turn import Turn
from controller.encoding import CardReader, CardVault, MadeCard, readable_applications, readable_cards
from controller.floor.words import (
    TOLD_PER_POSITION,
    TOO_MANY_WORDS,
    Lies,
    Patience,
    cards_of,
    cards_to_compare,
    event_of,
    load_of,
    magazine_of,
    result_of,
    start_of,
)
from controller.hosts.executor import Executor, in_thread
from controller.hosts.live import Ticket
from controller.refusals import Note, not_counted
from controller.tones import Tones
from devices import protocol as p
from devices.defects import Step
from devices.driver import StationDriver
from devices.messages import JobDone, PositionWork, Start
from encoders.envelope import pack

log = structlog.get_logger()
NO_MESSAGE = "envelope."  # codes of frames that nobody could open
VAULT_READERS = 2  # threads that fetch what stations are given
QUICK_CARDS = 16  # of a load or tray at most, to be opened without a thread: it takes 0.1 ms where all is at hand


class Floor:
    """Between the foreman and the stations.  `post` hands an event to the host; it never waits.

    `refused` is called with the code of each thing a station says that cannot be; not of frames that are no message.
    """

    def __init__(
        self,
        driver: StationDriver,
        vault: CardVault,
        state: FloorState,
        post: Callable[[e.AnyEvent], Ticket],
        nursery: trio.Nursery,
        tones: Tones | None = None,
        refused: Note = not_counted,
        scale: float = 1.0,
        run_in: Executor = in_thread,
    ) -> None:
        self._driver, self._vault, self._state, self._post = driver, vault, state, post
        self._nursery, self._run_in = nursery, run_in
        self._limiter = trio.CapacityLimiter(VAULT_READERS)
        self._lies, self._patience = Lies(), Patience(scale)
        self._waiting: dict[str, dict[type, p.Event]] = {}  # of stations that say too much
        self._tones, self._refused = tones or Tones(), refused

    # ---- towards the stations ------------------------------------------------------------------------------

    def perform(self, action: e.AnyAction) -> None:
        """Do what the foreman asks of stations, now that it is durable."""
        if isinstance(action, e.StartJob):
            if action.step not in TOLD_PER_POSITION:
                self._hand(action, start_of(action, _nothing))
            elif reader := self._quick_reader(cards_of(action), with_applications=action.step == Step.PRINT):
                self._hand(action, start_of(action, partial(_positions, reader, self._tone(action))))
            else:
                self._nursery.start_soon(self._start, action)
        elif isinstance(action, e.AskJob):
            self._driver.ask(action.station, action.job_id, load_of(self._state, action.job_id))
        elif isinstance(action, e.ReleaseJob):
            self._driver.release(action.station, [action.job_id])
        elif isinstance(action, e.FillMagazine):
            self._driver.magazine(action.station, magazine_of(action))

    async def _start(self, action: e.StartJob) -> None:
        positions = partial(_positions, self._vault, self._tone(action))
        self._hand(action, await self._run_in(start_of, action, positions, limiter=self._limiter))

    def _hand(self, action: e.StartJob, start: Start) -> None:
        """Give a station its load, unless it was heard meanwhile and could not say: then its sheets are not for it."""
        if action.job_id in self._state.jobs:
            self._driver.start(action.station, start)

    def _quick_reader(self, cards: list[int], *, with_applications: bool = False) -> CardReader | None:
        few = len(cards) <= QUICK_CARDS
        return self._vault.at_hand(cards, with_applications=with_applications) if few else None

    def _tone(self, action: e.StartJob) -> bytes:
        """Give the tone table of the lots a printer is loaded with now; nothing to other stations."""
        if action.step != Step.PRINT:
            return b""
        station = action.station
        supplies = self._state.stock.supplies.get(station, {})
        return self._tones.table_at(station, {kind: supply.lot for kind, supply in supplies.items()})

    # ---- from the stations ---------------------------------------------------------------------------------

    def heard(self, station: str, event: p.Event) -> None:
        """Take what the link to a station noticed."""
        if isinstance(event, p.Finished):
            self._finished(station, event.done)
            return
        if isinstance(event, p.Lied):
            self._lied(station, event)
            return
        noticed, waiting = event_of(self._state, station, event), self._waiting.get(station)
        if noticed is None and (waiting is None or not isinstance(event, p.StateSeen)):
            return  # a state that is known already is news all the same where another one waits to be heard
        if noticed and waiting is None and self._is_bearable(station, event):
            self._post(noticed).then(self._count_lies)
            return
        self._lied(station, p.Lied(TOO_MANY_WORDS))
        if waiting is None:
            waiting = self._waiting[station] = {}
            self._nursery.start_soon(self._hear_out, station, waiting)
        waiting.pop(type(event), None)  # of each kind the last one, in the order of what was said
        waiting[type(event)] = event

    def _is_bearable(self, station: str, event: p.Event) -> bool:
        return isinstance(event, p.Silent) or self._patience.lasts(station, trio.current_time())

    async def _hear_out(self, station: str, waiting: dict[type, p.Event]) -> None:
        """Take what a station said that says too much, a word at a time, as slowly as its words are given."""
        while waiting:
            await trio.sleep(self._patience.rest_s)
            if not self._patience.lasts(station, trio.current_time()):
                continue
            event = waiting.pop(next(iter(waiting)))
            noticed = event_of(self._state, station, event)
            if noticed is not None:
                self._post(noticed).then(self._count_lies)
        del self._waiting[station]

    def _lied(self, station: str, lied: p.Lied) -> None:
        if not lied.code.startswith(NO_MESSAGE):
            self._refused(lied.code)
        said = self._lies.event_of(self._state, station, lied, trio.current_time())
        if said is not None:
            self._post(said)
            log.warning("station said what cannot be", station=station, code=lied.code, job_id=lied.job_id)

    def _finished(self, station: str, done: JobDone) -> None:
        wanted = cards_to_compare(self._state, done)
        if not wanted:
            self._judged(station, done, {})
        elif reader := self._quick_reader(wanted):
            self._judged(station, done, readable_cards(reader, wanted))
        else:
            self._nursery.start_soon(self._compared, station, done, wanted)

    async def _compared(self, station: str, done: JobDone, wanted: list[int]) -> None:
        self._judged(station, done, await self._run_in(readable_cards, self._vault, wanted, limiter=self._limiter))

    def _judged(self, station: str, done: JobDone, made: dict[int, MadeCard]) -> None:
        self._post(result_of(self._state, station, done, made)).then(self._count_lies)

    def _count_lies(self, turn: Turn) -> None:
        """Count what only the foreman could see to be none."""
        for move in turn.moves:
            if isinstance(move, StationLied):
                self._refused(move.code)


def _nothing(step: Step, cards: list[int]) -> list[PositionWork]:
    """Give what the positions of a sheet need at a step that is told nothing of them."""
    return []


def _positions(reader: CardReader, tone: bytes, step: Step, cards: list[int]) -> list[PositionWork]:
    """Fetch what the positions of a sheet need.  For a worker thread where the reader is the vault."""
    made = readable_cards(reader, [card for card in cards if card])
    if step is Step.WRITE:
        work = {card: PositionWork(b"", one.record, one.portrait) for card, one in made.items()}
    else:  # an empty print job, which inspection finds, where a portrait cannot be read
        people = readable_applications(reader, list(made))
        work = {
            card: PositionWork(pack(msgspec.structs.replace(made[card].face, portrait=app.portrait, tone=tone)))
            for card, app in people.items()
        }
    return [work.get(card, PositionWork()) for card in cards]
