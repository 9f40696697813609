"""The heap floor with the commits of the virtual one: what rests on a turn happens the same constant time after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from sims.faults import USUAL_FAULTS, Faults
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.heap_floor import HeapFloor, Watch


class CommittingHeapFloor(HeapFloor):
    """A heap floor on which actions, and what people see, wait for the commit of the turn they rest on."""

    def __init__(
        self,
        seed: int,
        commit_floor_s: float,
        *,
        floor: Sequence[StationSpec] = DEFAULT_FLOOR,
        faults: Faults = USUAL_FAULTS,
        foreman: Foreman | None = None,
        watch: Iterable[Watch] = (),
    ) -> None:
        self._commit_floor_s = commit_floor_s
        super().__init__(seed, floor=floor, faults=faults, foreman=foreman, watch=watch)

    def _perform(self, at_floor_s: float, action: e.AnyAction) -> None:
        super()._perform(at_floor_s + self._commit_floor_s, action)

    def _keep(self, at_floor_s: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        staff, *others = self._watch
        for move in moves:
            staff(at_floor_s + self._commit_floor_s, move)
            for watch in others:
                watch(at_floor_s, move)
