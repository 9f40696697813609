"""One simulated week twice: on trio in virtual time through the real driver, and on the bare heap; both digests."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from controller.core.calendar import DAY_S
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, BundleMade
from controller.core.settings import CalendarConfig, CoreConfig
from controller.hosts.instant import VirtualConfig
from controller.hosts.virtual import SimClock, run_virtual
from controller.ledger.chain import Head
from devices.messages import StationState
from sims.faults import USUAL_FAULTS, Faults
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.heap_batches import Arrival, steady
from sims.heap_floor import Digest
from sims.virtual_floor import VirtualFloor
from sims.virtual_peer import CommittingHeapFloor

WEEK_S = 7 * DAY_S
# floor time 0 is a Thursday: the weekend stands in the middle
TWO_SHIFTS = CoreConfig(calendar=CalendarConfig(shifts="06:00-14:00, 14:00-22:00"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is simulated: both hosts are given the same."""

    seed: int
    cards_per_hour: float = 100.0  # that come, day and night
    until_floor_s: float = WEEK_S
    floor: Sequence[StationSpec] = DEFAULT_FLOOR
    faults: Faults = USUAL_FAULTS
    config: CoreConfig = TWO_SHIFTS
    virtual: VirtualConfig = field(default_factory=VirtualConfig)

    def arrivals(self) -> Iterator[Arrival]:
        """Give the batches."""
        return steady(self.seed, self.cards_per_hour, self.until_floor_s)


@dataclass(slots=True)
class Told:
    """What one host's moves were, up to a floor time."""

    until_floor_s: float
    digest: Digest = field(default_factory=Digest)
    counts: Counter[str] = field(default_factory=Counter)  # moves by kind
    packed: int = 0
    took_s: float = 0.0
    jumps: int = 0  # of the virtual clock
    violations: Counter[str] = field(default_factory=Counter)

    def saw(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move; those of turns after the end are no part of the sample."""
        if at_floor_s > self.until_floor_s:
            return
        self.digest.saw(at_floor_s, move)
        self.counts[type(move).__name__] += 1
        if isinstance(move, BundleMade):
            self.packed += len(move.cards)
        reason = getattr(move, "reason", "")
        if getattr(move, "state", "") in (StationState.ABORTED, StationState.HELD, StationState.SUSPENDED):
            self.counts[f"station {reason}"] += 1

    @property
    def head(self) -> Head:
        """Give the digest of all moves and how many there were."""
        return self.digest.head


def on_heap(sample: Sample) -> Told:
    """Play a sample on the bare heap."""
    began_s, told = time.perf_counter(), Told(sample.until_floor_s)
    floor = CommittingHeapFloor(
        sample.seed,
        sample.virtual.commit_floor_s,
        floor=sample.floor,
        faults=sample.faults,
        foreman=Foreman(sample.config),
        watch=[told.saw],
    )
    for arrival in sample.arrivals():
        floor.submit(arrival)
    floor.run(sample.until_floor_s)
    told.took_s = time.perf_counter() - began_s
    return told


def on_trio(sample: Sample) -> Told:
    """Play a sample in virtual time, with the floor's real tasks, driver, protocol and stations."""
    began_s, told = time.perf_counter(), Told(sample.until_floor_s)
    floor = VirtualFloor(
        sample.seed,
        floor=sample.floor,
        faults=sample.faults,
        config=sample.config,
        virtual=sample.virtual,
        watch=[told.saw],
    )

    async def main(clock: SimClock) -> None:
        await floor.run(clock, sample.arrivals(), sample.until_floor_s)
        told.jumps = clock.jumps

    run_virtual(main)
    told.violations = floor.world.violations
    told.took_s = time.perf_counter() - began_s
    return told
