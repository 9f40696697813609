"""Inspectors: who judged what, and what was found out about it later."""

from __future__ import annotations

import pytest

from controller.core import moves as m
from controller.core.inspectors import BLANKS_KEPT, Inspectors
from controller.core.moves import AnyMove, Mark, PositionsMarked, SheetBound
from controller.core.quality_moves import CardReturned, CardSetGood, CardsQuarantined, OperatorSignedOn
from devices.defects import GOOD, Step
from devices.messages import blank_serial
from tests.controller.core.rough_floor import RoughFloor

BODY = 1_000


def judged(mask: int, mark: Mark, station: str = "i1", sheet_id: int = 1, by: str = "") -> PositionsMarked:
    code = GOOD if mark is Mark.PASSED else "I1"
    return PositionsMarked(sheet_id, mask, mark, code, station, Step.INSPECT, Step.INSPECT, by, by)


def book(*moves: AnyMove) -> Inspectors:
    inspectors = Inspectors()
    for move in (SheetBound(1, BODY, "l1"), *moves):
        inspectors.fold(1.0, move)
    return inspectors


def row(inspectors: Inspectors, name: str) -> dict:
    return next(row for row in inspectors.rows() if row["inspector"] == name)


def test_a_judgement_counts_for_who_is_signed_on_and_for_the_station_when_nobody_is():
    inspectors = book(
        judged(0b1, Mark.PASSED),
        OperatorSignedOn("i1", "mei", 0.0),
        judged(0b110, Mark.PASSED),
        judged(0b1000, Mark.SPOILED),
        judged(0b10000, Mark.PASSED, station="i2"),
        OperatorSignedOn("i1", "", 0.0),
        judged(0b100000, Mark.SPOILED),
    )
    counts = {one["inspector"]: (one["inspected"], one["rejected"]) for one in inspectors.rows()}
    assert counts == {"i1": (2, 1), "mei": (3, 1), "i2": (1, 0)}
    assert row(inspectors, "mei")["reject_rate"] == pytest.approx(1 / 3)


def test_a_reject_that_two_people_find_good_is_a_false_reject_of_who_rejected_it():
    blank = blank_serial(BODY, 3)
    inspectors = book(
        OperatorSignedOn("i1", "mei", 0.0),
        judged(0b11110111, Mark.PASSED),
        judged(0b1000, Mark.SPOILED),
        CardSetGood(4, blank, "false_reject", "ann", "bob"),
    )
    assert row(inspectors, "mei")["false_rejects_found"] == 1
    assert row(inspectors, "mei")["false_reject_rate"] == pytest.approx(1 / 8)


def test_a_card_that_is_bad_at_its_second_inspection_was_missed_by_who_passed_it_unless_it_is_set_good():
    first = (OperatorSignedOn("i1", "mei", 0.0), judged(0b11, Mark.PASSED), OperatorSignedOn("i1", "lin", 0.0))
    again = (
        CardsQuarantined(1, BODY, [1, 2, 0, 0, 0, 0, 0, 0], "p1"),
        judged(0b1, Mark.SPOILED),
        judged(2, Mark.PASSED),
    )
    found = book(*first, *again)
    assert (row(found, "mei")["misses_found"], row(found, "mei")["miss_rate"]) == (1, 0.5)
    assert row(found, "lin")["misses_found"] == 0
    back = book(*first, *again, CardSetGood(1, blank_serial(BODY, 0), "false_reject", "ann", "bob"))
    assert row(back, "mei")["misses_found"] == 0
    assert row(back, "lin")["false_rejects_found"] == 1


def test_a_card_that_comes_back_from_outside_was_missed_by_who_passed_it_last_and_once_only():
    returned = CardReturned(1, blank_serial(BODY, 0), 20_000, "chip_dead", "ann")
    inspectors = book(
        judged(0b1, Mark.PASSED),
        OperatorSignedOn("i1", "mei", 0.0),
        judged(0b1, Mark.PASSED),
        returned,
        returned,
    )
    assert row(inspectors, "mei")["misses_found"] == 1
    assert row(inspectors, "i1")["misses_found"] == 0


def test_what_two_people_settle_and_what_earlier_steps_find_is_no_inspectors_judgement():
    other = PositionsMarked(1, 1, Mark.SPOILED, "W2", "w1", Step.WRITE, Step.WRITE)
    assert book(judged(1, Mark.SPOILED, by="ann"), judged(1, Mark.FOUND_GOOD, by="ann"), other).rows() == []


def test_all_judgements_of_a_rough_floor_are_somebodys():
    floor, inspectors = RoughFloor(2, trouble=0.05), Inspectors()
    floor.submit(600.0, 1, cards=120)
    floor.run()
    for at, move in floor.log:
        inspectors.fold(at, move)
    marks = [move for _, move in floor.log if isinstance(move, m.PositionsMarked) and move.found_at == Step.INSPECT]
    passed = sum(move.mask.bit_count() for move in marks if move.mark is Mark.PASSED)
    rejected = sum(move.mask.bit_count() for move in marks if move.mark is Mark.SPOILED and not move.by)
    [one] = inspectors.rows()
    assert (one["inspected"], one["rejected"]) == (passed + rejected, rejected)
    assert len(inspectors.passed) <= BLANKS_KEPT
