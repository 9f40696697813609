"""What the ledger's benchmark writes: the turns of a real floor, cut into groups of so many moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import msgspec

from controller.core.calendar import DAY_S
from controller.core.events import AnyEvent
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, RowVerdict, Verdict
from controller.core.settings import CoreConfig, PlanConfig
from controller.ledger.journal import Recorded
from sims.heap_batches import Arrival, floor_day
from sims.heap_floor import HeapFloor

MOVES_PER_CARD = 1.57  # of a default floor: what the simulated one was seen to make
DAY_CARDS = 30_000
_ROOM = 1.05  # so that a floor asked for moves has them


class RecordedFloor(HeapFloor):
    """A floor in virtual time that keeps what a ledger would be given."""

    def __init__(self, seed: int, auto_dispatch: bool = True, held_every: int = 0) -> None:
        """Set up the floor.

        Without `auto_dispatch` no card ever leaves it, so all work stays open.  One row in `held_every` (0: none)
        waits for a person, who never comes.
        """
        self._turns: list[Recorded] = []
        self._held_every = held_every
        config = CoreConfig(plan=PlanConfig(auto_dispatch=auto_dispatch))
        super().__init__(seed, foreman=Foreman(config))

    def submit(self, arrival: Arrival) -> int:
        """Let a batch come at its time; gives the number it has on this floor."""
        self._batches += 1
        checked = arrival.checked(self._batches)
        if self._held_every:
            rows = [self._verdict(row) for row in checked.rows]
            checked = msgspec.structs.replace(checked, rows=rows)
        self.host.push(arrival.at_floor_s, checked)
        return self._batches

    def _verdict(self, row: RowVerdict) -> RowVerdict:
        if row.index % self._held_every:
            return row
        return msgspec.structs.replace(row, verdict=Verdict.HOLD, codes=["name.glyph"], fields=["name"])

    def taken(self) -> list[Recorded]:
        """Give what was recorded since the last call."""
        turns, self._turns = self._turns, []
        return turns

    def _keep(self, at_floor_s: float, event: AnyEvent, moves: list[AnyMove]) -> None:
        self._turns.append(Recorded(at_floor_s, event, moves))
        super()._keep(at_floor_s, event, moves)


def turns_of(cards: int, *, seed: int = 1, auto_dispatch: bool = True, held_every: int = 0) -> Iterator[Recorded]:
    """Give the turns in which so many cards come and are made, day after day, until nothing is left to happen."""
    floor = RecordedFloor(seed, auto_dispatch, held_every)
    begin = 0.0
    for day, left in enumerate(range(cards, 0, -DAY_CARDS)):
        for arrival in floor_day(seed + day, min(left, DAY_CARDS)):
            floor.submit(
                replace(arrival, at_floor_s=begin + arrival.at_floor_s, due_floor_s=begin + arrival.due_floor_s)
            )
        begin += DAY_S
        floor.run(begin)
        yield from floor.taken()
    floor.run()
    yield from floor.taken()


def turns_with(moves: int, *, seed: int = 1, auto_dispatch: bool = True) -> Iterator[Recorded]:
    """Give the first turns of a floor up to so many moves."""
    written = 0
    for turn in turns_of(round(moves / MOVES_PER_CARD * _ROOM), seed=seed, auto_dispatch=auto_dispatch):
        yield turn
        written += len(turn.moves)
        if written >= moves:
            return


def grouped(turns: Iterable[Recorded], moves: int) -> Iterator[list[Recorded]]:
    """Cut turns into groups of at least so many moves each; the last one may be smaller."""
    group: list[Recorded] = []
    size = 0
    for turn in turns:
        group.append(turn)
        size += len(turn.moves)
        if size >= moves:
            yield group
            group, size = [], 0
    if group:
        yield group


def moves_in(group: Sequence[Recorded]) -> int:
    """Give how many moves a group holds."""
    return sum(len(turn.moves) for turn in group)
