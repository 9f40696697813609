"""A whole floor in virtual time: what a seed fixes, that nothing is lost, and that a peak day fits into two shifts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from controller.core.drift import DriftWatch
from controller.core.fold import apply
from controller.core.moves import BatchClosed, BundleMade, JobEnded, Mark, PositionsMarked
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.stock import Account
from devices.defects import Step
from sims.faults import USUAL_FAULTS
from sims.heap_batches import floor_day
from sims.heap_floor import Digest, HeapFloor
from sims.heap_matter import Matter, MatterError

PEAK_DAY_CARDS = 37_800
TWO_SHIFTS_S = 16 * 3_600.0
SEEDS = (1, 2, 3)
MAKING = (Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.WRITE)
SIGMAS = 3.0
CHI_SQUARE = 18.47  # of 4 degrees of freedom, exceeded once in a thousand


class Day:
    """What is seen of one floor: every move, when the last card was packed, what was charged to whom."""

    def __init__(self, seed: int, cards: int) -> None:
        self.moves, self.packed, self.packed_s = [], 0, 0.0
        self.ends, self.charged, self.worked = [], Counter(), Counter()
        self.floor = HeapFloor(seed, watch=[self.saw])
        for arrival in floor_day(seed, cards):
            self.floor.submit(arrival)
        self.floor.run()

    def saw(self, at, move):
        if isinstance(move, BundleMade):
            self.packed, self.packed_s = self.packed + len(move.cards), at
        elif isinstance(move, BatchClosed):
            self.ends.append(move)
        elif isinstance(move, PositionsMarked) and move.mark in (Mark.FILM_SPOILED, Mark.SPOILED):
            if move.code in USUAL_FAULTS.of(Step(move.caused_at)).codes:
                self.charged[Step(move.caused_at)] += move.mask.bit_count()
        elif isinstance(move, JobEnded):
            self.worked[Step(move.step)] += sum(end.worked.bit_count() for end in move.sheets if end.fate == "done")


@pytest.fixture(scope="module")
def days():
    return [Day(seed, PEAK_DAY_CARDS) for seed in SEEDS]


def digest_of(seed: int) -> object:
    digest = Digest()
    floor = HeapFloor(seed, watch=[digest.saw])
    for arrival in floor_day(seed, 1_500):
        floor.submit(arrival)
    floor.run()
    return digest.head


def test_the_same_seed_gives_the_same_moves_and_another_seed_gives_others():
    assert digest_of(11) == digest_of(11)
    assert digest_of(11) != digest_of(12)


def test_folding_the_moves_gives_the_state_field_by_field_and_every_blank_has_an_account():
    moves = []
    floor = HeapFloor(5, watch=[lambda at, move: moves.append((at, move))])
    for arrival in floor_day(5, 2_500):
        floor.submit(arrival)
    refolded = FloorState(drift=DriftWatch(CoreConfig().drift))
    for until_s in (3_600.0, 9_000.0, float("inf")):
        floor.run(until_s)
        for at, move in moves:
            apply(refolded, at, move)
        refolded.drift.signals.clear()  # the foreman acted on them, the fold of moves does not
        moves.clear()
        state = floor.foreman.state
        for name in FloorState.__slots__:
            assert getattr(refolded, name) == getattr(state, name), name
        assert state.stock.balanced()
    assert not state.cards
    assert not state.sheets


def test_a_peak_day_with_breakdowns_and_remakes_is_packed_inside_two_shifts(days):
    for day in days:
        assert sum(len(machine.downs) for machine in day.floor.machines.values()) > 20, "a quiet day proves nothing"
        assert day.packed_s <= TWO_SHIFTS_S
        assert sum(end.dispatched for end in day.ends) == day.packed
        assert day.packed >= 0.999 * PEAK_DAY_CARDS
        assert sum(end.received for end in day.ends) == PEAK_DAY_CARDS


def test_at_the_days_end_no_blank_is_in_doubt_and_every_spoiled_one_is_counted(days):
    for day in days:
        stock = day.floor.foreman.state.stock
        assert stock.balanced()
        assert stock.blanks[Account.DISPATCHED] == day.packed
        for account in (Account.SHEET, Account.SUSPECT, Account.GOOD, Account.QUARANTINED, Account.BUNDLE):
            assert stock.blanks[account] == 0, account


def test_yields_charged_to_the_causing_step_agree_with_the_planted_rates(days):
    charged = sum((day.charged for day in days), Counter())
    worked = sum((day.worked for day in days), Counter())
    assert worked[Step.PRINT] >= 100_000
    chi_square = 0.0
    for step in MAKING:
        faults = USUAL_FAULTS.of(step)
        seen = 1 - (1 - faults.reported) * (USUAL_FAULTS.missed if step is not Step.WRITE else 0.0)
        if step is Step.WRITE:  # a wrong chip that nobody reported is found as such at inspection, and charged there
            dead = faults.codes["W1"] / sum(faults.codes.values())
            seen = dead + (1 - dead) * faults.reported
        expected = worked[step] * faults.position * seen
        deviation = (charged[step] - expected) / expected**0.5
        assert abs(deviation) < SIGMAS, f"{step}: {charged[step]} charged, {expected:.0f} expected"
        chi_square += deviation**2
    assert chi_square < CHI_SQUARE


def test_the_physical_line_refuses_what_no_floor_can_do():
    matter = Matter(1, replace(USUAL_FAULTS, breakdowns=False))
    matter.work(Step.PRINT, 7, [1] * 8)
    with pytest.raises(MatterError):
        matter.work(Step.PRINT, 7, [1] * 8)
    with pytest.raises(MatterError):
        matter.work(Step.PUNCH, 7, [])
