"""One storm: a whole centre from one seed, with everything that can fail, and a calm tail in which all must end."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from random import Random

from controller.core.events import Purge
from controller.core.moves import AnyMove
from controller.ledger.journal import Recorded
from sims.storm.batches import draw_batches
from sims.storm.disk import Disk, Waiting, empty_engine
from sims.storm.door import Door
from sims.storm.errors import Broken
from sims.storm.hands import Hands
from sims.storm.laws import Laws
from sims.storm.life import Life, Vault
from sims.storm.line import Lines
from sims.storm.matter import Matter
from sims.storm.options import draw_options
from sims.storm.people import People
from sims.storm.station import FLOOR, Floor, Station
from sims.storm.timeline import Timeline
from sims.storm.told import Told
from sims.storm.upstream import Upstream

CALM_AT_S = 65.0  # the faults end at the latest
LIMIT_S = 1_000.0  # of the calm tail: by then everything must have ended
LAST_MOVES = 6


class Storm:
    """One seed's centre."""

    def __init__(self, seed: int) -> None:
        self.seed, self.options = seed, draw_options(seed)
        self.timeline, self.seen = Timeline(), Counter[str]()
        self._luck = Random(f"storm service {seed}")
        self.engine = empty_engine()
        self.lines = Lines(self.timeline, self.options, seed, self.seen)
        self.matter, self.vault, self.laws = Matter(), Vault(), Laws(self.seen)
        self.hands, self.told = Hands(self.matter), Told()
        self.last_moves: deque[AnyMove] = deque(maxlen=LAST_MOVES)
        self.life: Life | None = None
        self.door: Door | None = None
        self.purges: Callable[[Life, Purge], None] | None = None
        self._dead: tuple[Life, list[Recorded]] | None = None
        self.crashes = self.lives = 0
        self._lived: list[Life] = []
        self.is_calm = False
        self.floor = Floor(
            self.timeline, self.lines, self.matter, self.laws, self.options, self.seen, self._hear_station
        )
        self.stations = {spec.name: Station(spec, self.floor, seed) for spec in FLOOR}
        self.people = People(self.matter, self.stations, self.timeline, self.options, seed, self.seen)
        self.upstreams = {
            name: Upstream(
                name, batches, self.timeline, self.lines, self.options, seed, self.seen, self.told, self._hear_upstream
            )
            for name, batches in draw_batches(seed, self.options).items()
        }
        self._peers: dict[str, Callable[[bytes], None]] = {
            **{name: one.hear for name, one in self.stations.items()},
            **{name: one.hear for name, one in self.upstreams.items()},
        }
        self._boot()
        self._plan_trouble()

    # ---- ears --------------------------------------------------------------------------------------------------

    def _hear_station(self, name: str, body: bytes) -> None:
        if self.life is not None:
            self.life.hear(name, body)

    def _hear_upstream(self, name: str, body: bytes) -> None:
        if self.door is not None:
            self.door.hear(name, body)

    def _saw(self, item: Waiting) -> None:
        """Take what is durable now."""
        if not isinstance(item.change, Recorded):
            self.told.saw(item)
            return
        self.last_moves.extend(item.change.moves)
        self.laws.saw(item.change)
        for move in item.change.moves:
            self.hands.saw(move)

    # ---- lives and deaths --------------------------------------------------------------------------------------

    def _boot(self) -> None:
        """Open the ledger and fold it; law 7 is checked against what the dead life had in memory."""
        self.lives += 1
        disk = Disk(self.engine, self.timeline, self.options, self._luck, self.seen, self._saw, self.crash)
        disk.is_calm = self.is_calm
        life = Life(
            self.engine, disk, self.timeline, self.lines, self.vault, self._peers, self.options, self._luck, self.seen
        )
        self._lived.append(life)
        self._check_recovered(life)
        life.purge = self._purge
        self.life, self.door, self.people.life = life, Door(life), life
        life.begin()
        self.door.begin()
        if self.lives > 1 and not self.is_calm and self._luck.random() < self.options.crash_again:
            self.timeline.after(self._luck.random() * 0.2, self._crash_again, life)

    def _purge(self, life: Life, action: Purge) -> None:
        assert self.purges is not None
        self.purges(life, action)

    def _crash_again(self, life: Life) -> None:
        if life is self.life and not self.is_calm:
            self.seen["crash during recovery"] += not life.has_begun
            self.crash()

    def _check_recovered(self, life: Life) -> None:
        if self._dead is None:
            return
        dead, unwritten = self._dead
        self._dead = None
        if unwritten:
            return  # its memory ran ahead of the disk
        self.seen["fold compared with memory"] += 1
        check_fold(dead, life)

    def crash(self) -> None:
        """Kill the service: its memory is gone, the disk keeps what it has."""
        life = self.life
        if life is None:
            return
        self.crashes += 1
        self.seen["service crash"] += 1
        life.is_alive = False
        if not self.is_calm and self._luck.random() < self.options.zombie:
            life.disk.hang()
            self.timeline.after(9.5 + 5.0 * self._luck.random(), life.disk.wake)
        else:
            life.disk.crash()
        self._dead = (life, life.disk.unwritten())
        self.life = self.door = None
        self.timeline.after(0.5 + self._luck.random() * (1.0 if self.is_calm else 8.0), self._boot)

    # ---- trouble -----------------------------------------------------------------------------------------------

    def _plan_trouble(self) -> None:
        options, after, chance = self.options, self.timeline.after, self._luck.random
        after(2.0 + chance() * options.crash_first_s, self._crash_now)
        for every_s, do in (
            (options.down_every_s, self._cut_line),
            (options.power_every_s, self._cut_power),
            (options.off_line_every_s, self._take_off_line),
        ):
            if every_s:
                after(chance() * every_s, self._again, every_s, do)
        after(CALM_AT_S, self._calm)

    def _again(self, every_s: float, do: Callable[[], None]) -> None:
        if not self.is_calm:
            do()
            self.timeline.after(self._luck.random() * every_s / 2, self._again, every_s, do)

    def _crash_now(self) -> None:
        if self.is_calm:
            return
        self.crash()
        if self.options.crash_every_s:
            self.timeline.after(2.0 + self._luck.random() * self.options.crash_every_s, self._crash_now)

    def _cut_line(self) -> None:
        peer = self._luck.choice(list(self._peers))
        is_gone = self._luck.random() < self.options.gone
        self.seen["line down long" if is_gone else "line down"] += 1
        self.lines.cut(peer, (90.0 if is_gone else 8.0) * (0.3 + self._luck.random()))

    def _cut_power(self) -> None:
        self._luck.choice(list(self.stations.values())).power_cut()

    def _take_off_line(self) -> None:
        self._luck.choice(list(self.stations.values())).take_off_line(5.0 + 30.0 * self._luck.random())

    def _calm(self) -> None:
        """End the faults: from here on everything must come to its end."""
        self.is_calm = self.floor.is_calm = self.people.is_calm = True
        self.lines.heal()
        if self.life is not None:
            self.life.disk.is_calm = True

    # ---- the run -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of everything: what stays in circles is for the collector, which is slower than all of this."""
        self.timeline.close()
        for one in (*self._lived, self):
            vars(one).clear()

    def play(self) -> None:
        """Run until everything has come to its end in the calm, and the shift is closed.  Raises: Broken."""
        if not self.timeline.run(LIMIT_S, self._is_over):
            raise Broken("liveness", self._still_open())
        if not self.is_calm:
            self._calm()
        self._close_shift()

    def rest(self, lasts_s: float) -> None:
        """Let time pass in which nobody works: stations are dark, upstreams silent, people at home."""
        self.people.is_home = True
        for station in self.stations.values():
            station.switch_off()
        for upstream in self.upstreams.values():
            upstream.is_silent = True
        self.timeline.run(self.timeline.now_s + lasts_s, lambda: False)
        self.timeline.after(0.0, lambda: None)

    def _is_over(self) -> bool:
        return self._is_quiet() and all(one.is_over for one in self.upstreams.values())

    def _is_quiet(self) -> bool:
        life = self.life
        return life is not None and life.has_begun and not life.state.batches and life.disk.is_idle

    def _close_shift(self) -> None:
        """Let the two people count everything and close the shift: it closes when the blanks balance."""

        def is_closed() -> bool:
            return "close_shift" in self.people.done and self.life is not None and self.life.disk.is_idle

        def go_on() -> None:
            if not is_closed():
                if self._is_quiet():
                    self.people.close_shift(self.life)  # type: ignore[arg-type]
                self.timeline.after(1.0, go_on)

        go_on()
        if not self.timeline.run(self.timeline.now_s + 200.0, is_closed):
            raise Broken("law 2", "the shift does not close: what was counted is not what the books have")

    def _still_open(self) -> str:
        life = self.life
        if life is None:
            return "the service is down"
        state = life.state
        states: Counter[str] = Counter(card.state.value for card in state.cards.values())
        jobs = {job.station: job.job_id for job in state.jobs.values()}
        ups = [one.is_over for one in self.upstreams.values()]
        return (
            f"{len(state.batches)} batches are open: {dict(states)}, jobs {jobs}, sheets {len(state.sheets)}, "
            f"stopped piles {len(state.stopped_piles)}, upstreams done {ups}"
        )


def check_fold(dead: Life, life: Life) -> None:
    """Compare the fold of the durable moves with the memory of a life that had nothing else (law 7)."""
    mine, theirs = life.state, dead.state
    if mine == theirs:
        return
    wrong = [name for name in mine.__slots__ if getattr(mine, name) != getattr(theirs, name)]
    raise Broken("law 7", f"folded from the ledger, {', '.join(wrong)} are not what the foreman had in memory")
