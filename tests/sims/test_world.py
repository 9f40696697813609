"""The matter of a simulated floor: what is planted, at which rates, and that a shift by one is physical."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from devices.defects import GOOD, Step
from devices.messages import POSITIONS, Fate, PositionResult, PositionWork, blank_serial
from encoders.envelope import pack
from encoders.face import PORTRAIT_BOX, SPECIMEN, FaceJob
from sims.faults import NO_FAULTS, USUAL_FAULTS, Faults, StepFaults, draw, exponential, pick, triangular
from sims.world import World

SHEETS = 4_000


def face(mark: str) -> PositionWork:
    job = FaceJob(front=(), back=(), control_mark=mark, specimen=SPECIMEN, mirrored=True, portrait_box=PORTRAIT_BOX)
    return PositionWork(face=pack(job))


def faces(sheet_id: int) -> list[PositionWork]:
    return [face(f"{sheet_id}-{position}") for position in range(POSITIONS)]


def chips(sheet_id: int) -> list[PositionWork]:
    return [PositionWork(record=b"r%d" % sheet_id, portrait=b"p%d" % position) for position in range(POSITIONS)]


def make(world: World, sheet_id: int) -> list[PositionResult]:
    """Take one sheet through the route; give what inspection read."""
    world.print(sheet_id, faces(sheet_id))
    world.laminate(sheet_id, 100_000 + sheet_id)
    world.punch(sheet_id)
    world.write(sheet_id, chips(sheet_id))
    return world.inspect(sheet_id).positions


def within(count: int, trials: int, rate: float) -> bool:
    """Whether a count is within five deviations of what the rate gives: wrong once in a million."""
    deviation = math.sqrt(trials * rate * (1 - rate))
    return abs(count - trials * rate) <= 5 * deviation + 1


def test_a_sheet_without_faults_reads_back_what_was_sent():
    world = World(1, NO_FAULTS)
    for position, seen in enumerate(make(world, 7)):
        blank = blank_serial(100_007, position)
        assert seen == PositionResult(GOOD, blank, b"r7", b"p%d" % position, f"7-{position}")
    blanks = [blank_serial(100_007, position) for position in range(POSITIONS)]
    assert world.pack(blanks) == blanks
    assert not world.violations
    assert not world.planted


def test_a_position_without_work_stays_clear_and_unwritten():
    world = World(1, replace(USUAL_FAULTS.times(1000), film_shifted=0.0, tray_shifted=0.0))
    world.print(7, [face("a"), *[PositionWork()] * 7])
    world.laminate(7, 50)
    world.punch(7)
    world.write(7, [PositionWork()] * 8)
    seen = world.inspect(7).positions
    assert [one.mark for one in seen] == ["a"] + [""] * 7
    assert {one.record for one in seen} == {b""}
    assert [one.blank for one in seen] == [blank_serial(50, position) for position in range(8)]
    assert [one.code for one in seen[1:]] == [GOOD] * 7, "nothing is planted where nobody's card is"


def test_planted_rates_are_what_they_say():
    world = World(3, replace(USUAL_FAULTS, film_shifted=0.0, tray_shifted=0.0))
    told: Counter[Step] = Counter()
    for sheet_id in range(SHEETS):
        results = [
            (Step.PRINT, world.print(sheet_id, faces(sheet_id))),
            (Step.LAMINATE, world.laminate(sheet_id, sheet_id + 1)),
            (Step.PUNCH, world.punch(sheet_id)),
            (Step.WRITE, world.write(sheet_id, chips(sheet_id))),
        ]
        for step, result in results:
            told[step] += sum(position.code != GOOD for position in result.positions)
        world.inspect(sheet_id)
    cards = SHEETS * POSITIONS
    for step, rate, reported in (
        (Step.PRINT, 0.005, 0.6),
        (Step.LAMINATE, 0.003, 0.5),
        (Step.PUNCH, 0.001, 0.5),
        (Step.WRITE, 0.002, 0.95 + 0.05 * 0.5),  # half of the chip faults are dead chips, which nobody can miss
    ):
        planted = sum(count for (where, _), count in world.planted.items() if where is step)
        assert within(planted, cards, rate), step
        assert within(told[step], planted, reported), step
        assert planted == told[step] + world.unseen[step]
        kinds = {code for where, code in world.planted if where is step}
        assert kinds <= set(USUAL_FAULTS.of(step).codes)
        assert len(kinds) >= 3
    flawed = sum(count for (step, _), count in world.planted.items() if step in (Step.PRINT, Step.LAMINATE, Step.PUNCH))
    assert within(world.misses, flawed, 0.02)
    assert within(world.planted[Step.INSPECT, "I1"], cards, 0.0005)
    assert not world.violations


def test_what_goes_wrong_does_not_depend_on_the_order_of_work():
    def flaws(seed: int, order: list[int]) -> tuple[Counter[tuple[Step, str]], dict[int, list[PositionResult]]]:
        world = World(seed, USUAL_FAULTS.times(20))
        seen = {}
        for sheet_id in order:
            seen[sheet_id] = make(world, sheet_id)
        return world.planted, seen

    order = list(range(50))
    shuffled = order[:]
    Random(1).shuffle(shuffled)
    assert flaws(5, order) == flaws(5, shuffled)
    assert flaws(5, order) != flaws(6, order)


def test_a_shifted_film_puts_each_face_on_the_next_body():
    world = World(1, Faults(film_shifted=1.0))
    seen = make(world, 7)
    assert [one.mark for one in seen] == ["", *(f"7-{position}" for position in range(7))]
    assert [one.blank for one in seen] == [blank_serial(100_007, position) for position in range(8)]
    assert [one.portrait for one in seen] == [b"p%d" % position for position in range(8)], "chips go by position"


def test_a_shifted_tray_shows_in_the_chips_own_numbers():
    world = World(1, Faults(tray_shifted=1.0))
    world.print(7, faces(7))
    world.laminate(7, 9)
    world.punch(7)
    written = world.write(7, chips(7)).positions
    assert [one.blank for one in written] == [blank_serial(9, position) for position in (7, 0, 1, 2, 3, 4, 5, 6)]
    assert [one.mark for one in world.inspect(7).positions] == [f"7-{p}" for p in (7, 0, 1, 2, 3, 4, 5, 6)]


def test_a_dead_chip_answers_nothing_from_then_on():
    dead = {Step.WRITE: StepFaults(position=1.0, codes={"W1": 1}, reported=0.0)}
    world = World(1, Faults(steps=dead))
    world.print(7, faces(7))
    world.laminate(7, 9)
    world.punch(7)
    assert {(one.code, one.blank) for one in world.write(7, chips(7)).positions} == {("W1", 0)}
    assert {(one.blank, one.record) for one in world.inspect(7).positions} == {(0, b"")}
    assert world.unseen[Step.WRITE] == 0


def test_a_chip_written_wrong_and_not_noticed_reads_back_wrong():
    silent = {Step.WRITE: StepFaults(position=1.0, codes={"W3": 1}, reported=0.0)}
    world = World(1, Faults(steps=silent))
    seen = make(world, 7)
    assert {one.code for one in seen} == {GOOD}
    assert all(one.record != b"r7" and len(one.record) == 2 for one in seen)
    assert world.unseen[Step.WRITE] == 8


def test_what_no_floor_can_do_is_counted_and_survived():
    world = World(1, NO_FAULTS)
    make(world, 1)
    make(world, 2)
    assert world.write(1, chips(1)).fate is Fate.SPOILED
    assert world.punch(99).fate is Fate.SPOILED
    assert world.laminate(2, 100_001).fate is Fate.SPOILED
    world.print(1, faces(1))
    assert world.pack([blank_serial(100_001, 0), blank_serial(100_001, 0), 5]) == [blank_serial(100_001, 0)]
    assert world.violations == Counter(
        write_out_of_turn=1,
        punch_out_of_turn=1,
        laminate_out_of_turn=1,
        body_drawn_twice=1,
        printed_again=1,
        packed_twice=1,
        pack_nothing=1,
    )
    assert world.punch(98).code != GOOD, "a spoiled sheet without a code would be a lie"


def test_a_good_chip_is_never_overwritten():
    world = World(1, NO_FAULTS)
    make(world, 1)
    world._last[1] = Step.PUNCH  # a controller that sends the tray through the writer again
    result = world.write(1, [PositionWork(record=b"another person")] * 8)
    assert {one.code for one in result.positions} == {"W2"}
    assert world.violations["chip_written_twice"] == 8
    assert {one.record for one in world.inspect(1).positions} == {b"r1"}


def test_a_spoiled_sheet_is_gone_and_takes_its_body_with_it():
    world = World(1, USUAL_FAULTS)
    world.print(1, faces(1))
    result = world.spoil(Step.LAMINATE, 1, 77)
    assert (result.fate, result.code, result.body) == (Fate.SPOILED, "L6", 77)
    assert world.bodies == {77}
    assert world.laminate(1, 78).fate is Fate.SPOILED
    world.print(1, faces(1))
    assert world.violations == Counter(laminate_out_of_turn=1), "printing a spoiled sheet anew is allowed"


def test_a_face_that_is_no_print_job_leaves_the_film_clear():
    world = World(1, NO_FAULTS)
    world.print(1, [PositionWork(face=b"\xc1"), *faces(1)[1:]])
    world.laminate(1, 1)
    world.punch(1)
    assert world.inspect(1).positions[0].mark == ""


def test_draws_are_even_and_depend_on_all_they_are_about():
    points = [draw(1, "x", number) for number in range(20_000)]
    assert all(0 <= point < 1 for point in points)
    for tenth in range(10):
        assert within(sum(tenth / 10 <= point < (tenth + 1) / 10 for point in points), 20_000, 0.1)
    assert len({draw(1, "x", 2), draw(2, "x", 2), draw(1, "y", 2), draw(1, "x", 3)}) == 4


def test_codes_come_by_their_weights():
    counted = Counter(pick({"a": 5, "b": 3, "c": 2}, draw(1, number)) for number in range(10_000))
    assert all(within(counted[code], 10_000, share) for code, share in (("a", 0.5), ("b", 0.3), ("c", 0.2)))


def test_cycle_times_stay_in_their_spread_and_repairs_around_their_mean():
    cycles = [triangular(100.0, 0.1, draw(1, number)) for number in range(10_000)]
    assert 90 <= min(cycles) < 91
    assert 109 < max(cycles) <= 110
    assert sum(cycles) / len(cycles) == pytest.approx(100.0, rel=0.002)
    times = [exponential(900.0, draw(2, number)) for number in range(10_000)]
    assert sum(times) / len(times) == pytest.approx(900.0, rel=0.05)


def test_faults_can_be_made_more_frequent_and_stay_probabilities():
    worse = USUAL_FAULTS.times(1e6)
    assert worse.film_shifted == worse.missed == worse.of(Step.PRINT).position == 1.0
    assert USUAL_FAULTS.times(1.0) == USUAL_FAULTS


def test_jams_come_at_their_rate_and_not_again_for_the_next_film_of_the_number():
    world = World(4, USUAL_FAULTS)
    jams = [sheet_id for sheet_id in range(50_000) if world.will_jam(Step.PRINT, sheet_id)]
    assert within(len(jams), 50_000, 0.001)
    for sheet_id in jams:
        world.spoil(Step.PRINT, sheet_id)
    assert world.planted[Step.PRINT, "P4"] == len(jams)
    assert sum(world.will_jam(Step.PRINT, sheet_id) for sheet_id in jams) <= 3


def test_cards_that_were_packed_are_inspected_again_read_back_as_before_and_packed_anew():
    world = World(1, NO_FAULTS)
    before = make(world, 7)
    blanks = [seen.blank for seen in before]
    assert world.pack(blanks) == blanks
    assert world.inspect(7).positions == before
    assert world.pack(blanks) == blanks, "they were taken out of their bundle"
    assert not world.violations
    assert world.pack(blanks[:1]) == []
    assert world.violations == {"packed_twice": 1}


def test_of_packed_cards_beyond_what_is_remembered_the_oldest_lose_their_content_and_no_others(monkeypatch):
    monkeypatch.setattr("sims.world.PACKED_READABLE", 2 * POSITIONS)
    world = World(1, NO_FAULTS)
    for sheet_id in (1, 2, 3):
        world.pack([seen.blank for seen in make(world, sheet_id)])
    assert {seen.record for seen in world.inspect(1).positions} == {b""}
    assert {seen.record for seen in world.inspect(2).positions} == {b"r2"}
    assert {seen.record for seen in world.inspect(3).positions} == {b"r3"}
