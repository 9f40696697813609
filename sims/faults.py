"""What goes wrong at the simulated stations, how often, and the draws that decide it: all from a seed.

A draw is a hash of the seed and of what it is about (sheet, step, position …), never the next number of a sequence,
so that the same things go wrong in whatever order they are done.  The rates are ours: no figure of a real centre is
public (DOMAIN.md 5.4); scrap of film, lamination and chip follow the proposals there.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import accumulate

from devices.defects import Step


def draw(seed: int, *about: object) -> float:
    """Give a number from 0 up to 1, the same for the same seed and matter.  Cost: 2 us."""
    text = "|".join(map(str, (seed, *about)))
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56


def pick(codes: Mapping[str, float], point: float) -> str:
    """Give the code whose share of the weights holds `point` (0 up to 1)."""
    below = list(accumulate(codes.values()))
    return list(codes)[bisect(below, point * below[-1])]


def triangular(mean: float, spread: float, point: float) -> float:
    """Give a value of the triangular distribution mean ± spread x mean; `point` (0 up to 1) places it."""
    tail = math.sqrt(2 * min(point, 1 - point))
    return mean * (1 + spread * (tail - 1 if point < 0.5 else 1 - tail))


def exponential(mean: float, point: float) -> float:
    """Give a value of the exponential distribution; `point` (0 up to 1) places it."""
    return -mean * math.log1p(-point)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFaults:
    """What goes wrong at one step; shares and probabilities from 0 to 1."""

    position: float = 0.0  # defect of one position
    codes: Mapping[str, float] = field(default_factory=dict)  # which, by weight
    reported: float = 1.0  # share of them that the station itself sees; inspection finds the rest
    load_spoiled: float = 0.0  # jam: every sheet of a load is spoiled
    load_returned: float = 0.0  # feed fault: the load comes back as it was
    jam_code: str = ""  # of both
    clear_s: float = 180.0  # floor seconds to clear either
    stop_returned: float = 0.0  # share of breakdowns in a job after which its load comes back as it was
    stop_spoiled: float = 0.0  # share after which it is spoiled; the rest goes on where it stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class WireFaults:
    """What the line does to messages, each way."""

    lost: float = 0.0
    repeated: float = 0.0
    late: float = 0.0
    late_s: float = 1.0  # real seconds, at most; what is late is overtaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Everything that goes wrong on a floor."""

    steps: Mapping[Step, StepFaults] = field(default_factory=dict)
    film_shifted: float = 0.0  # per sheet: the film lies one position further on the body sheet
    tray_shifted: float = 0.0002  # per tray: the cards left the punch one place further round
    false_reject: float = 0.0  # per good position: the inspector sees a defect that is none
    missed: float = 0.0  # per defect and inspection: the inspector sees none
    breakdowns: bool = False  # as each station's MTBF and MTTR say
    wire: WireFaults = field(default_factory=WireFaults)

    def of(self, step: Step) -> StepFaults:
        """Give the faults of a step."""
        return self.steps.get(step, _FAULTLESS)

    def times(self, factor: float) -> Faults:
        """Give the same faults `factor` times as frequent (probabilities end at 1), breakdowns as they are."""

        def scaled(rate: float) -> float:
            return min(1.0, rate * factor)

        steps = {
            step: replace(
                faults,
                position=scaled(faults.position),
                load_spoiled=scaled(faults.load_spoiled),
                load_returned=scaled(faults.load_returned),
            )
            for step, faults in self.steps.items()
        }
        return replace(
            self,
            steps=steps,
            film_shifted=scaled(self.film_shifted),
            tray_shifted=scaled(self.tray_shifted),
            false_reject=scaled(self.false_reject),
            missed=scaled(self.missed),
        )


_FAULTLESS = StepFaults()
NO_FAULTS = Faults()

USUAL_FAULTS = Faults(
    steps={
        Step.PRINT: StepFaults(
            position=0.005,
            codes={"P1": 5, "P2": 4, "P3": 1},
            reported=0.6,
            load_spoiled=0.001,
            load_returned=0.0005,
            jam_code="P4",
            clear_s=120.0,
            stop_returned=0.15,
            stop_spoiled=0.05,
        ),
        Step.LAMINATE: StepFaults(
            position=0.003,
            codes={"L1": 4, "L2": 3, "L3": 2, "L4": 1},
            reported=0.5,
            load_spoiled=0.0001,  # 24 sheets at once
            load_returned=0.0005,
            jam_code="L6",
            clear_s=600.0,
            stop_returned=0.05,
            stop_spoiled=0.01,
        ),
        Step.PUNCH: StepFaults(
            position=0.001,
            codes={"C1": 2, "C2": 5, "C3": 3},
            reported=0.5,
            load_spoiled=0.0002,
            load_returned=0.0005,
            jam_code="C4",
            clear_s=120.0,
            stop_returned=0.15,
            stop_spoiled=0.02,
        ),
        Step.WRITE: StepFaults(
            position=0.002,
            codes={"W1": 5, "W2": 3, "W3": 2},
            reported=0.95,  # the rest was written wrong and verified by mistake
            load_returned=0.0005,
            jam_code="W4",
            stop_returned=0.15,
            stop_spoiled=0.02,
        ),
        Step.INSPECT: StepFaults(load_returned=0.0005, jam_code="I4", clear_s=60.0, stop_returned=0.15),
        Step.PACK: StepFaults(clear_s=60.0),
    },
    film_shifted=0.0002,
    false_reject=0.0005,
    missed=0.02,
    breakdowns=True,
)
