"""The most cards a line could have packed in a window, from the times its stations were up, their speeds and yields.

The bound is the answer of a linear program: minute by minute, pass as many good cards through each step as its
stations were up for and as had come there; what to pass is free, and so are all ways between the steps.  Every card
goes one way, so to pass all one can at once is best, and the answer has a closed form, in good cards since the window
began and for each step k after the other:

    passed[k](t + 1 minute) = least of  passed[k](t) + capacity[k] in that minute
                                        lay before k at the beginning + passed[k - 1](t + 1 minute)

- capacity: sum over the step's stations of up-time / seconds of a sheet in a full load
  x good cards a full sheet gives / times a sheet comes to that step.
- up-time: the time without breakdowns, jams and changes of rolls; to wait for work, for company in a press or for
  bodies is no excuse and counts as up.
- seconds of a sheet: what a load took at the step (executing, stops taken out) by the sheets of a full load.
- good cards: 8 x the share of the imposed cards that passed inspection, so an empty place is no excuse either.
- times: sheets the step worked on, those that came back or were ruined too, per sheet imposed.
- lay before: live cards of sheets there; a load that was in the machine is passed as far as it was done.

Nothing that lies on the floor at the window's end is an excuse.  For packing the unit is the card: up-time / seconds
of a card.  Speeds, yields and times are those of the whole run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from controller.core.moves import AnyMove, JobEnded, Mark, PositionsMarked, SheetImposed
from controller.core.state import FloorState
from devices.defects import Step
from devices.messages import POSITIONS
from sims.heap_machine import HeapMachine

LINE = tuple(Step)
SLICE_S = 60.0

Cards = NDArray[np.float64]


@dataclass(slots=True)
class Flow:
    """What went through a line, from its moves: watches a floor."""

    from_floor_s: float
    to_floor_s: float
    imposed: int = 0  # sheets
    cards: int = 0  # imposed on them
    passed: int = 0
    packed: float = 0.0  # cards in the window; a bundle that lies in it in part counts in part
    visits: Counter[str] = field(default_factory=Counter)  # step -> sheets worked on (pack: cards)
    begun: dict[str, float] = field(default_factory=dict)  # as `visits`: what was done when the window began

    def saw(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move."""
        if isinstance(move, SheetImposed):
            self.imposed += 1
            self.cards += POSITIONS - move.cards.count(0)
        elif isinstance(move, PositionsMarked) and move.mark is Mark.PASSED:
            self.passed += move.mask.bit_count()
        elif isinstance(move, JobEnded):
            self._ended(move)

    def _ended(self, job: JobEnded) -> None:
        worked, lasted_s = len(job.sheets) + job.cards, job.ended_floor_s - job.started_floor_s
        self.visits[job.step] += worked
        within_s = min(job.ended_floor_s, self.to_floor_s) - max(job.started_floor_s, self.from_floor_s)
        self.packed += job.cards * max(0.0, within_s) / lasted_s
        if job.started_floor_s < self.from_floor_s < job.ended_floor_s:
            done = worked * (self.from_floor_s - job.started_floor_s) / lasted_s
            self.begun[job.step] = self.begun.get(job.step, 0.0) + done


def lying_before(state: FloorState) -> dict[Step, int]:
    """Give the live cards that wait for each step or are in it; before the first, none are counted."""
    lying = dict.fromkeys(LINE, 0)
    for sheet in state.sheets.values():
        lying[sheet.step] += sheet.live.bit_count()
    lying[Step.PACK] = sum(map(len, state.piles.values())) + sum(len(job.cards) for job in state.jobs.values())
    return lying


def bound(machines: Iterable[HeapMachine], flow: Flow, lying: Mapping[Step, int]) -> float:
    """Give the most cards that could have been packed in the window; `lying` as `lying_before` gave when it began."""
    by_step: dict[Step, list[HeapMachine]] = {}
    for machine in machines:
        by_step.setdefault(machine.spec.step, []).append(machine)
    passed: Cards | None = None
    for step in LINE:
        gain = _good_a_visit(step, flow)
        head = 0.0 if step is Step.PACK else flow.begun.get(step, 0.0) * gain  # a bundle counts in part anyhow
        capacity = head + _visits(by_step[step], flow) * gain
        passed = capacity if passed is None else _through(capacity, lying[step] + passed)
    assert passed is not None  # a line has steps
    return float(passed[-1])


def capacities(machines: Iterable[HeapMachine], flow: Flow) -> dict[Step, float]:
    """Give the good cards that each step could have passed in the window with work always at hand."""
    by_step: dict[Step, list[HeapMachine]] = {}
    for machine in machines:
        by_step.setdefault(machine.spec.step, []).append(machine)
    return {step: float(_visits(ones, flow)[-1]) * _good_a_visit(step, flow) for step, ones in by_step.items()}


def up_s(machine: HeapMachine, from_floor_s: float, at_floor_s: Cards) -> Cards:
    """Give the seconds since a time in which a machine could work, at each of some later times."""
    up: Cards = at_floor_s - from_floor_s
    for down in machine.downs:
        up = up - np.clip(np.minimum(at_floor_s, down.to_floor_s) - max(from_floor_s, down.from_floor_s), 0.0, None)
    return up


def _through(capacity: Cards, come: Cards) -> Cards:
    """Give what is passed at each time, from what could be and what had come, all since the beginning.

    To pass all one can is `passed[t] = min(passed[t - 1] + gained[t], come[t])`: the capacity, less the most that was
    ever lost of it for want of cards.
    """
    lost = np.maximum.accumulate(np.maximum(capacity - come, 0.0))
    return np.asarray(capacity - lost, np.float64)


def _visits(machines: list[HeapMachine], flow: Flow) -> Cards:
    """Give the sheets (packing: cards) that a step's stations could have worked on since the window began."""
    spec = machines[0].spec
    slices = round((flow.to_floor_s - flow.from_floor_s) / SLICE_S)
    ends = np.linspace(flow.from_floor_s, flow.to_floor_s, slices + 1)
    up = np.sum([up_s(machine, flow.from_floor_s, ends) for machine in machines], axis=0)
    executing_s = sum(machine.executing_s for machine in machines)
    worked = flow.visits[spec.step] if spec.step is Step.PACK else spec.load_max * sum(one.loads for one in machines)
    return np.asarray(up * worked / executing_s, np.float64)


def _good_a_visit(step: Step, flow: Flow) -> float:
    """Give the good cards of a sheet without empty places each time it comes to a step (packing: a card)."""
    if step is Step.PACK:
        return 1.0
    return POSITIONS * flow.passed / flow.cards * flow.imposed / flow.visits[step]
