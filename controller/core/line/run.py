"""One pretend run of a line: the same foreman on a fork of the floor, with stations and people drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from controller.core.calendar import DAY_S
from controller.core.events import AnyAction, AnyEvent
from controller.core.foreman import Foreman
from controller.core.line.change import NOTHING, Change, changed_config
from controller.core.line.draws import Draws
from controller.core.line.figures import Estimates
from controller.core.line.floor import LineFloor
from controller.core.line.fork import Fork
from controller.core.line.outcome import LineRun
from controller.core.moves import AnyMove
from controller.core.settings import CoreConfig
from controller.core.turn import Turn

LOOK_S = 600.0  # between two looks at what has run out, and whether everything is finished
HORIZON_S = 14 * DAY_S  # no run is longer


class Host(Protocol):
    """What drives the foreman: `controller.hosts.heap.HeapHost`, which the core may not import."""

    now_floor_s: float

    def push(self, at_floor_s: float, event: AnyEvent) -> None:
        """Let an event happen at a time."""

    def run(self, until_floor_s: float = ...) -> None:
        """Handle everything up to and with a time."""

    def handle(self, event: AnyEvent, at_floor_s: float) -> Turn:
        """Give the foreman one event now."""


MakeHost = Callable[
    [Foreman, Callable[[float, AnyAction], None], Callable[[float, AnyEvent, list[AnyMove]], None]], Host
]


def run_line(
    fork: Fork,
    config: CoreConfig,
    estimates: Estimates,
    now_floor_s: float,
    seed: int,
    change: Change = NOTHING,
    until_floor_s: float = float("inf"),
    *,
    make_host: MakeHost,
    to_the_end: bool = False,
    watched: Collection[int] | None = None,
) -> LineRun:
    """Give what became of a fork of the floor in one run; the same arguments give the same run.

    Draws are hashes of the seed and of what they are about (station, number of its load …), so that runs of one seed
    under different changes differ by the change alone.

    Args:
        now_floor_s: when the fork was taken.
        change: what is different on this line.
        until_floor_s: the run ends here at the latest, and in any case 14 floor days after the fork.
        make_host: `controller.hosts.heap.HeapHost`.
        to_the_end: go on to `until_floor_s` though every batch of the fork is finished.
        watched: batches after whose finish the run may end; all that are open, without it.
    Cost: that of the foreman, and about a fifth more; see `bench forecast`.
    """
    draws = Draws(seed)
    state = fork.state()
    changed = changed_config(config, change)
    floor = LineFloor(state, changed, estimates, now_floor_s, draws, change)
    host = make_host(Foreman(changed, state), floor.perform, floor.saw)
    host.now_floor_s = now_floor_s
    floor.begin(host.push, host.handle)
    until = min(until_floor_s, now_floor_s + HORIZON_S)
    at = now_floor_s
    while at < until and (to_the_end or not floor.finishes.is_over(watched)):
        at = min(at + LOOK_S, until)
        host.run(at)
        floor.look(at)
    finishes, starving = floor.finishes, floor.starved()
    floor.let_go()
    return LineRun(
        seed,
        now_floor_s,
        at,
        finishes.batches,
        [(batch_id, unit, finish) for (batch_id, unit), finish in finishes.piles.items()],
        starving,
        finishes.made,
        floor.busy_share(at),
        finishes.others,
    )
