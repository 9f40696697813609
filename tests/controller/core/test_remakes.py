"""The clocks of what is made again: a remake by the next working day, a return in five days, express in three."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from controller.core import events as e
from controller.core.cards import State
from controller.core.cases import batch_opened
from controller.core.moves import (
    BatchOpened,
    BundleMade,
    CardDecided,
    CardMissing,
    Mark,
    PositionsMarked,
    RowVerdict,
    SheetImposed,
    Verdict,
)
from controller.core.quality_moves import CardSetGood
from controller.core.remakes import REMADE, RETURN_S, RETURNED, Remakes
from controller.core.settings import CalendarConfig
from controller.core.why.why import why
from tests.controller.core.rough_floor import RoughFloor

FRIDAY, SATURDAY, MONDAY, TUESDAY = "2026-03-06", "2026-03-07", "2026-03-09", "2026-03-10"
CARDS = [11, 12, 0, 0, 0, 0, 0, 0]


def at(day: str, clock: str = "00:00") -> float:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC).timestamp()


def marked(mark: Mark, mask: int = 1, sheet_id: int = 1) -> PositionsMarked:
    return PositionsMarked(sheet_id, mask, mark, "I1", "i1", "inspect", "inspect")


def spoiled(when: float, calendar: CalendarConfig | None = None) -> Remakes:
    remakes = Remakes(calendar or CalendarConfig())
    remakes.fold(0.0, SheetImposed(1, CARDS))
    remakes.fold(when, marked(Mark.SPOILED))
    return remakes


@pytest.mark.parametrize(
    ("when", "due"),
    [
        (at("2026-03-03", "00:00"), at("2026-03-05")),  # Tuesday: by the end of Wednesday
        (at("2026-03-03", "23:59"), at("2026-03-05")),
        (at(FRIDAY, "10:00"), at(TUESDAY)),  # by the end of Monday
        (at(SATURDAY, "10:00"), at(TUESDAY)),  # the first working day after it
    ],
)
def test_a_remake_is_due_at_the_end_of_the_next_working_day(when, due):
    clock = spoiled(when).remakes[11]
    assert (clock.began_floor_s, clock.due_floor_s) == (when, due)
    assert (clock.late_s(due), clock.late_s(due + 5)) == (0.0, 5.0)


def test_holidays_do_not_count():
    clock = spoiled(at(FRIDAY, "10:00"), CalendarConfig(holidays=f"{MONDAY}")).remakes[11]
    assert clock.due_floor_s == at("2026-03-11")


@pytest.mark.parametrize(("late_s", "counted"), [(0.0, (1, 0)), (1.0, (0, 1))])
def test_a_remake_counts_as_made_when_it_is_in_the_bundle_in_time_or_late(late_s, counted):
    remakes = spoiled(at(FRIDAY))
    remakes.fold(at(TUESDAY) + late_s, BundleMade(1, 1, "u", [11, 12], "k1"))
    assert (remakes.in_time[REMADE], remakes.late[REMADE]) == counted
    assert not remakes.remakes


def test_a_card_spoiled_again_has_a_new_clock_and_set_good_the_one_before():
    remakes = spoiled(at(FRIDAY, "09:00"))
    remakes.fold(at(MONDAY), SheetImposed(2, CARDS))
    remakes.fold(at(MONDAY), marked(Mark.SPOILED, sheet_id=2))
    assert remakes.remakes[11].began_floor_s == at(MONDAY)
    remakes.fold(at(MONDAY), CardSetGood(11, 5, "false_reject", "ann", "bob"))
    assert remakes.remakes[11].began_floor_s == at(FRIDAY, "09:00")
    remakes.fold(at(MONDAY), CardSetGood(12, 5, "false_reject", "ann", "bob"))  # was made once only
    assert list(remakes.remakes) == [11]


def test_a_first_attempt_set_good_is_no_remake_and_counts_nowhere():
    remakes = spoiled(at(FRIDAY))
    remakes.fold(at(FRIDAY), CardSetGood(11, 5, "false_reject", "ann", "bob"))
    remakes.fold(at(FRIDAY), BundleMade(1, 1, "u", [11], "k1"))
    assert (remakes.remakes, remakes.before, +remakes.in_time, +remakes.late) == ({}, {}, {}, {})


@pytest.mark.parametrize("decision", ["cancel", "refuse_late"])
def test_a_card_that_is_given_up_is_no_open_remake_and_was_not_made(decision):
    remakes = spoiled(at(FRIDAY))
    remakes.fold(at(MONDAY), CardDecided(11, decision, "ann", "enough"))
    assert (remakes.remakes, +remakes.in_time, +remakes.late) == ({}, {}, {})


def test_a_suspect_begins_its_clock_when_people_settle_it_and_a_missing_card_at_once():
    remakes = Remakes()
    remakes.fold(0.0, SheetImposed(1, CARDS))
    remakes.fold(at(FRIDAY), marked(Mark.SUSPECTED, 0b11))
    assert not remakes.remakes
    remakes.fold(at(MONDAY), marked(Mark.FOUND_SPOILED, 0b01))
    remakes.fold(at(MONDAY), marked(Mark.FOUND_GOOD, 0b10))
    remakes.fold(at(TUESDAY), CardMissing(12, 5, "K2", "ann", "bob"))
    assert {card: clock.began_floor_s for card, clock in remakes.remakes.items()} == {11: at(MONDAY), 12: at(TUESDAY)}
    assert not remakes.on_sheet


def test_a_card_that_came_back_has_five_days():
    remakes, came = Remakes(), at(FRIDAY, "15:00")
    row = RowVerdict(0, "1" * 22, "u", Verdict.OK, express=True, case_no=1)
    remakes.fold(came, BatchOpened(7, "1-R1-0", "north", "second", came, came + RETURN_S, [row]))
    assert remakes.returns[70_000].due_floor_s == at("2026-03-11", "15:00")
    remakes.fold(came + RETURN_S, BundleMade(1, 7, "u", [70_000], "k1"))
    assert (remakes.in_time[RETURNED], remakes.late[RETURNED], remakes.returns) == (1, 0, {})


def test_what_the_fold_remembers_is_no_larger_than_what_is_open():
    for seed in range(4):
        floor = RoughFloor(seed, trouble=0.1)
        for batch_id in range(1, 4):
            floor.submit(batch_id * 50.0, batch_id, cards=40)
        floor.run()
        remakes = floor.report.tally.remakes
        assert (remakes.remakes, remakes.returns, remakes.before, remakes.on_sheet) == ({}, {}, {}, {})
        assert remakes.in_time[REMADE] + remakes.late[REMADE] > 0
        assert floor.seen["came back"] > 0
        assert floor.seen["set good"] > 0


# ---- express -----------------------------------------------------------------------------------------------------


def checked(received: float, due: float, *, express: bool, case_no: int = 0) -> e.BatchChecked:
    rows = [
        RowVerdict(0, "1" * 22, "u", Verdict.OK),
        RowVerdict(1, "2" * 22, "u", Verdict.OK, express=express, case_no=case_no),
    ]
    return e.BatchChecked(1, "1" * 25, "north", "second", received, due, rows)


@pytest.mark.parametrize(
    ("event", "express_due"),
    [
        (checked(at(FRIDAY, "10:00"), at("2026-04-01"), express=True), at("2026-03-12")),
        (checked(at(FRIDAY, "10:00"), at(MONDAY), express=True), 0.0),  # the batch is due earlier
        (checked(at(FRIDAY, "10:00"), at("2026-04-01"), express=False), 0.0),
        (checked(at(FRIDAY, "10:00"), at("2026-04-01"), express=True, case_no=1), 0.0),  # five days, not three
    ],
)
def test_express_cards_are_due_in_three_working_days(event, express_due):
    assert batch_opened(event, CalendarConfig()).express_due_floor_s == express_due


def test_an_express_card_goes_by_its_own_due_date_also_when_it_is_made_again():
    floor = RoughFloor(1, trouble=0.0)
    received = at(FRIDAY, "10:00")
    floor.host.handle(checked(received, at("2026-04-01"), express=True), received)
    usual, express = floor.state.cards[10_000], floor.state.cards[10_001]
    assert (usual.due_floor_s, express.due_floor_s) == (at("2026-04-01"), at("2026-03-12"))
    assert (usual.rank[2], express.rank[2]) == (usual.due_floor_s, express.due_floor_s)
    assert express.rank < usual.rank
    floor.run()
    assert floor.refolded() == floor.state


def test_why_and_the_lateness_of_an_express_card_name_the_same_due_date():
    floor = RoughFloor(1, trouble=0.0)
    received, now = at(FRIDAY, "10:00"), at("2026-03-12", "06:00")
    floor.host.handle(checked(received, at("2026-04-01"), express=True), received)
    assert floor.state.cards[10_001].state is State.ACCEPTED
    told = {card: why(floor.state, floor.foreman.config, now, f"card {card}").facts for card in (10_000, 10_001)}
    assert (told[10_001]["due_floor_s"], told[10_001]["late_s"]) == (at("2026-03-12"), 21_600.0)
    assert (told[10_000]["due_floor_s"], told[10_000]["late_s"]) == (at("2026-04-01"), 0.0)
