"""One life of the service, from start to crash: the real host, core, ledger, switchboard and recovery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from random import Random
from typing import Any

from sqlalchemy import Engine

from controller.application import batch_of, index_of
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig, VaultConfig
from controller.core.turn import Turn
from controller.floor.words import Lies, cards_to_compare, event_of, load_of, magazine_of, result_of, start_of
from controller.hosts.live import LiveHost
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, link
from controller.ledger.journal import Recorded, open_move, read_rows
from controller.ledger.reader import Reader
from devices import protocol as p
from devices.defects import Step
from devices.messages import PositionWork, StationSaid
from devices.switchboard import Switchboard
from encoders.envelope import Opener, pack
from sims.storm.application import TokenCard, card_of, face_of
from sims.storm.disk import Disk
from sims.storm.errors import Broken
from sims.storm.line import Lines
from sims.storm.options import Options
from sims.storm.timeline import SCALE, FloorTime, Timeline

TICK_S = 1.0
_ANSWERS: dict[type, str] = {p.Finished: "done", p.Taken: "running", p.NeverSeen: "never seen", p.Unknown: "forgotten"}
CONFIG = CoreConfig(vault=VaultConfig(retention_days=1))

Resume = Callable[..., None]
Wait = Callable[[Resume], None]
Task = Generator[Wait, Any, None]
_opener: Opener[StationSaid] = Opener(StationSaid)


class Vault:
    """What is sealed in a real centre: tokens and what was encoded of them; durable when it is here."""

    def __init__(self) -> None:
        self.applications: dict[tuple[int, int], bytes] = {}  # batch, index
        self.cards: dict[int, TokenCard] = {}


def fold_ledger(engine: Engine, foreman: Foreman) -> tuple[Head, float]:
    """Fold the durable moves into a fresh foreman, checking each link (law 9); give the head and the last stamp."""
    head, last_floor_s = GENESIS, 0.0
    for row in read_rows(engine, tables.move):
        seq, last_floor_s, _, body, chain = row
        head = Head(head.seq + 1, link(head.hash, last_floor_s, body))
        if (seq, chain) != head:
            raise Broken("law 9", f"move {seq} does not carry the hash of what stands before it and in it")
        foreman.replay(last_floor_s, open_move(row))
    return head, last_floor_s


class Life:
    """The service while it lives; after its crash it does nothing any more.

    `peers` has the ears of stations and upstreams, by name.
    """

    def __init__(
        self,
        engine: Engine,
        disk: Disk,
        timeline: Timeline,
        lines: Lines,
        vault: Vault,
        peers: dict[str, Callable[[bytes], None]],
        options: Options,
        luck: Random,
        seen: Counter[str],
    ) -> None:
        self.engine, self.disk, self.vault, self.reader = engine, disk, vault, Reader(engine)
        self._timeline, self._lines, self._peers, self._options = timeline, lines, peers, options
        self._luck, self._seen = luck, seen
        self.is_alive = True
        self.foreman = Foreman(CONFIG)
        self.state = self.foreman.state  # asked for after everything that happens
        self.head, last_floor_s = fold_ledger(engine, self.foreman)
        self.host = LiveHost(self.foreman, FloorTime(timeline), self, self._perform, _count)
        self.host.start_after(last_floor_s)
        self._board = Switchboard("storm", SCALE, settled_below=self.state.next_id("job"))
        self._lies = Lies()
        self._timer, self._wake_floor_s = 0, -1.0
        self._asked: set[int] = set()  # jobs of an earlier life, until the station answered
        self.has_begun = False
        self.purge: Callable[[Life, e.Purge], None] | None = None

    def begin(self) -> None:
        """Tell the foreman that the service began; the doors are open once that is durable."""
        self.post(e.ServiceBegan(), self._open)

    def _open(self, turn: Turn) -> None:
        self.has_begun = True
        self.after(TICK_S, self._tick)

    # ---- the host ----------------------------------------------------------------------------------------------

    def keep(self, at_floor_s: float, event: e.AnyEvent | None, moves: Any, on_durable: Callable[[], None]) -> None:
        """See `hosts.live.Keeper`.  Raises: Broken: the accounts do not balance."""
        if moves and not self.state.stock.balanced():
            raise Broken("law 2", f"the accounts do not balance after {type(event).__name__}")
        self.disk.put(Recorded(at_floor_s, event, moves), lambda item: on_durable())

    def post(self, event: e.AnyEvent, told: Callable[[Turn], None] | None = None) -> None:
        """Let the foreman decide; `told` gets the turn once it is durable."""
        ticket = self.host.post(event)
        if told is not None:
            ticket.then(told)
        self._set_timer()

    def _set_timer(self) -> None:
        wake = self.host.wake_floor_s
        if wake is None or wake == self._wake_floor_s:
            return
        self._timer, self._wake_floor_s = self._timer + 1, wake
        self.after(max(0.0, wake / SCALE - self._timeline.now_s) + 1e-6, self._ring, self._timer)

    def _ring(self, timer: int) -> None:
        if timer == self._timer:
            self._wake_floor_s = -1.0
            self.host.fire_timers()
            self._set_timer()

    # ---- tasks -------------------------------------------------------------------------------------------------

    def after(self, delay_s: float, do: Callable[..., object], *args: Any) -> None:
        """Do something later, if this life lasts."""
        self._timeline.after(delay_s, self._do, do, args)

    def _do(self, do: Callable[..., object], args: tuple[Any, ...]) -> None:
        if self.is_alive:
            do(*args)

    def spawn(self, task: Task) -> None:
        """Run a task that yields what it waits for: `pause` and `write`."""
        self._go(task, None)

    def _go(self, task: Task, value: Any) -> None:
        if not self.is_alive:
            return
        try:
            wait = task.send(value)
        except StopIteration:
            return
        wait(lambda value=None: self._go(task, value))

    def pause(self, most_s: float) -> Wait:
        """Wait for up to so long: work in a thread, or in the vault's own commit."""
        delay_s = self._luck.random() * most_s
        return lambda go: self.after(delay_s, go)

    def write(self, change: Any) -> Wait:
        """Wait until a change of the inbox is durable; the task is sent the item, refused or not."""
        return lambda go: self.disk.put(change, go, forgiving=True)

    def posted(self, event: e.AnyEvent) -> Wait:
        """Wait until an event's turn is durable; the task is sent the turn."""
        return lambda go: self.post(event, go)

    def note(self, what: str) -> None:
        """Count something that was seen to happen."""
        self._seen[what] += 1

    # ---- towards the stations ----------------------------------------------------------------------------------

    def _perform(self, action: e.AnyAction) -> None:
        if not self.is_alive:
            return
        if isinstance(action, e.Encode):
            self.spawn(self._encode(action))
        elif isinstance(action, e.StartJob):
            self.spawn(self._start(action))
        elif isinstance(action, e.AskJob):
            self._asked.add(action.job_id)
            load = load_of(self.state, action.job_id)
            self.say(action.station, self._board.ask(action.station, action.job_id, self._timeline.now_s, load))
        elif isinstance(action, e.ReleaseJob):
            self.say(action.station, self._board.release(action.station, [action.job_id]))
        elif isinstance(action, e.FillMagazine):
            told = self._board.magazine(action.station, magazine_of(action), self._timeline.now_s)
            self.say(action.station, told)
        elif isinstance(action, e.Purge) and self.purge is not None:
            self.purge(self, action)

    def _encode(self, job: e.Encode) -> Task:
        yield self.pause(0.3)
        failed = []
        for card in job.cards:
            token = self.vault.applications[batch_of(card), index_of(card)]
            if sum(token) % 61 == 5 and not self._lines.is_calm:
                failed.append((card, "face.no_glyph"))
            self.vault.cards[card] = card_of(token)
        yield self.pause(0.05)
        self.post(e.CardsEncoded(job.job_id, failed))

    def _start(self, action: e.StartJob) -> Task:
        yield self.pause(0.03)
        start = start_of(action, self._positions)
        if action.job_id in self.state.jobs:
            self.say(action.station, self._board.start(action.station, start, self._timeline.now_s))

    def _positions(self, step: Step, cards: list[int]) -> list[PositionWork]:
        if step is Step.PRINT:
            return [PositionWork(face_of(card)) if card else PositionWork() for card in cards]
        made = self.vault.cards
        return [PositionWork(b"", made[card].record, made[card].portrait) if card else PositionWork() for card in cards]

    def say(self, peer: str, messages: Any) -> None:
        """Say something to a peer."""
        for message in messages:
            self._lines.send(peer, self._peers[peer], pack(message))

    # ---- from the stations -------------------------------------------------------------------------------------

    def hear(self, station: str, body: bytes) -> None:
        """Take one message of a station."""
        if not self.has_begun:
            return
        timeline = self._timeline
        heard = self._board.received(station, _opener.unpack(body), timeline.now_s, timeline.now_floor_s)
        self._follow(station, heard)

    def _tick(self) -> None:
        for station, heard in self._board.tick(self._timeline.now_s):
            self._follow(station, heard)
        self.after(TICK_S, self._tick)

    def _follow(self, station: str, heard: p.Heard) -> None:
        self.say(station, heard.messages)
        for event in heard.events:
            self._notice(station, event)
            if isinstance(event, p.Finished):
                self.spawn(self._finished(station, event))
                continue
            if isinstance(event, p.Lied):
                said = self._lies.event_of(self.state, station, event, self._timeline.now_s)
            else:
                said = event_of(self.state, station, event)
            if said is not None:
                self.post(said)

    def _notice(self, station: str, event: p.Event) -> None:
        """Count what a storm must have met at least once."""
        job_id = event.done.job_id if isinstance(event, p.Finished) else getattr(event, "job_id", 0)
        word = _ANSWERS.get(type(event))
        if word and job_id in self._asked:
            self._asked.discard(job_id)
            self._seen[f"asked after a crash: {word}"] += 1
        if isinstance(event, p.Silent):
            known = self.state.stations.get(station)
            self._seen["station lost in a load"] += known is not None and known.job_id > 0

    def _finished(self, station: str, finished: p.Finished) -> Task:
        wanted = cards_to_compare(self.state, finished.done)
        if wanted:
            yield self.pause(0.03)
        sent = {card: self.vault.cards[card] for card in wanted}
        self.post(result_of(self.state, station, finished.done, sent))


def _count(at_floor_s: float, moves: Any) -> None:
    """Count nothing: a storm has no metrics."""
