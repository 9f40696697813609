"""The laws where features meet: found by a review that let everything happen at once."""

from __future__ import annotations

import pytest

from controller.clock import floor_text
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import ActProposed, JobEnded, JobStarted, Mark, PositionsMarked, SheetImposed
from controller.core.quality_moves import CardsQuarantined
from controller.core.remakes import Remakes
from controller.core.settings import CalendarConfig, CoreConfig
from controller.core.stock_acts import LOST_MAX
from devices.defects import GOOD, Step
from devices.messages import Fate
from tests.controller.core.keepers_floor import KeepersFloor
from tests.controller.core.rough_floor import RoughFloor

DAY_S = 86_400.0
EIGHT = list(range(10_001, 10_009))


def mark(mask: int, kind: Mark, at: str = Step.INSPECT) -> PositionsMarked:
    return PositionsMarked(1, mask, kind, "I1", "i1", at, at)


def test_a_remake_keeps_its_clock_whatever_else_was_laid_into_its_tray():
    remakes = Remakes()
    remakes.fold(0.0, SheetImposed(1, EIGHT))
    remakes.fold(10.0, mark(0b0001, Mark.SUSPECTED))
    remakes.fold(10.0, mark(0b1110, Mark.PASSED))
    remakes.fold(20.0, CardsQuarantined(1, 1_000, [0, EIGHT[1], 0, 0, 0, 0, 0, 0], "w1"))
    remakes.fold(30.0, CardsQuarantined(1, 1_000, [0, 0, EIGHT[2], 0, 0, 0, 0, 0], "w2"))
    remakes.fold(40.0, mark(0b0010, Mark.SPOILED))
    remakes.fold(50.0, mark(0b0001, Mark.FOUND_SPOILED))
    remakes.fold(60.0, mark(0b0100, Mark.SPOILED))
    began = {card: clock.began_floor_s for card, clock in remakes.remakes.items()}
    assert began == {EIGHT[1]: 40.0, EIGHT[0]: 50.0, EIGHT[2]: 60.0}


def agreed(foreman: Foreman, verb: str, **args: int | str) -> str:
    """Let two people act; give the code of the refusal, or nothing."""
    turn = foreman.handle(e.ActAsked(verb, args, "ann"), 1.0)
    if turn.refused is None:
        turn = foreman.handle(e.ActSeconded(turn.answer, "bob"), 1.0)
    return turn.refused.code if turn.refused else ""


def test_a_shift_never_has_more_lost_serials_to_name_than_a_row_of_the_ledger_holds():
    floor, sheets = RoughFloor(1).foreman, LOST_MAX // 8
    assert agreed(floor, "receive", first_body=1_000_000, sheets=1_000_000, lot="A") == ""
    assert agreed(floor, "lost", station="vault", first_body=1_000_000, sheets=1_000_000) == "stock.count"
    assert agreed(floor, "lost", station="vault", first_body=1_000_000, sheets=sheets) == ""
    assert len(floor.state.stock.lost) == LOST_MAX
    assert agreed(floor, "lost", station="vault", first_body=1_000_000 + sheets, sheets=1) == "stock.count"
    left = sum(one.sheets for one in floor.state.stock.vault)
    for place, counted in (("vault", left), ("spoiled", 0), ("l1", 60), ("l2", 60)):
        floor.handle(e.CountTaken(place, counted, "ann"), 2.0)
    assert agreed(floor, "close_shift") == ""
    assert agreed(floor, "lost", station="vault", first_body=1_000_000 + sheets, sheets=1) == ""


def test_a_station_whose_load_seemed_longer_than_a_shift_works_again_in_the_next_one():
    floor = RoughFloor(1, CoreConfig(calendar=CalendarConfig(shifts="08:00-16:00")), trouble=0.0)
    monday_s = 4 * DAY_S + 8 * 3_600
    floor.submit(monday_s, 1, cards=8)
    slow = floor.start

    def stood_still(at: float, job: e.StartJob) -> None:
        """Its clock was never set when the load began, or it stood still over night."""
        if job.station not in ("p1", "p2"):
            slow(at, job)
            return
        outcomes = [floor.outcome(job, sheet_id, cards) for sheet_id, cards in job.sheets]
        floor.host.push(at + 20, e.StepDone(job.station, job.job_id, 0.0, at + 20, outcomes))

    floor.start = stood_still  # type: ignore[method-assign]
    floor.host.run(monday_s + DAY_S)
    for batch_id in (2, 3):
        floor.submit(monday_s + (batch_id - 1) * DAY_S, batch_id, cards=16)
        floor.host.run(monday_s + batch_id * DAY_S)
    ended = [move for _, move in floor.log if isinstance(move, JobEnded) and move.step == Step.PRINT]
    started = [move for _, move in floor.log if isinstance(move, JobStarted) and move.step == Step.PRINT]
    assert len(started) == len(ended) == 5
    assert not floor.state.batches
    assert {end.fate for move in ended for end in move.sheets} == {Fate.DONE}
    assert {
        code for _, event in floor.events if isinstance(event, e.StepDone) for one in event.sheets for code in one.codes
    } == {GOOD}


def spoiling_floor() -> KeepersFloor:
    """Give a floor at rest whose blanks are partly spoiled, and that has body sheets in its vault."""
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    assert floor.both("receive", first_body=90_000, sheets=50, lot="B").refused is None
    assert len(floor.state.stock.spoiled) > 3
    return floor


def spoil_more(floor: KeepersFloor) -> list[int]:
    """Let another batch spoil blanks; give their serials."""
    before = set(floor.state.stock.spoiled)
    floor.submit(floor.host.now_floor_s + 1, 2, cards=60)
    floor.run()
    return [blank for blank in floor.state.stock.spoiled if blank not in before]


def test_a_blank_spoiled_after_the_count_and_lost_explains_no_blank_that_lacked_before_it():
    floor = spoiling_floor()
    floor.count_all()
    floor.count("spoiled", off=-1)
    assert floor.both("lost_blank", blank=spoil_more(floor)[0]).refused is None
    for place in ("vault", "l1", "l2"):
        floor.count(place)
    assert floor.both("close_shift").refused.code == "shift.differs"
    assert floor.both("lost_blank", blank=min(floor.state.stock.spoiled)).refused is None
    assert floor.both("close_shift").refused is None


def test_body_sheets_that_came_after_the_count_and_were_lost_explain_none_that_lacked_before_it():
    floor = spoiling_floor()
    floor.count_all()
    floor.count("vault", off=-1)
    assert floor.both("receive", first_body=95_000, sheets=5, lot="C").refused is None
    assert floor.both("lost", station="vault", first_body=95_000, sheets=1).refused is None
    assert floor.both("close_shift").refused.code == "shift.not_counted"
    floor.count("vault", off=-1)
    assert floor.both("close_shift").refused.code == "shift.differs"


def test_a_proposal_to_destroy_ends_when_other_blanks_may_be_as_many_as_were_counted():
    floor = spoiling_floor()
    first = floor.say(e.ActAsked("destroy", {"count": len(floor.state.stock.spoiled)}, "ann")).answer
    assert floor.both("lost_blank", blank=min(floor.state.stock.spoiled)).refused is None
    assert floor.say(e.ActSeconded(first, "bob")).refused.code == "act.not_open"
    counted = len(floor.state.stock.spoiled)
    once, again = (floor.say(e.ActAsked("destroy", {"count": counted}, "ann")).answer for _ in range(2))
    assert floor.say(e.ActSeconded(once, "bob")).refused is None
    assert floor.say(e.ActSeconded(again, "bob")).refused.code == "act.not_open"
    assert floor.refolded() == floor.state


def test_one_person_learns_of_no_number_of_spoiled_blanks_whether_it_is_the_books_or_not():
    floor = spoiling_floor()
    there = len(floor.state.stock.spoiled)
    asked = [floor.say(e.ActAsked("destroy", {"count": count}, "ann")) for count in (1, there - 1, there, 8_000_000)]
    assert [turn.refused for turn in asked] == [None] * 4
    assert [[type(move) for move in turn.moves] for turn in asked] == [[ActProposed]] * 4
    differs = floor.say(e.ActSeconded(asked[1].answer, "bob"))
    assert (differs.refused.code, differs.moves) == ("stock.count_differs", [])
    assert not any(character.isdigit() for character in differs.refused.text)
    assert floor.say(e.ActSeconded(asked[2].answer, "bob")).refused is None
    assert not floor.state.stock.spoiled
    assert floor.say(e.ActAsked("destroy", {"count": 1}, "ann")).refused.code == "stock.none_spoiled"


def test_a_wrong_count_comes_true_by_no_blank_that_is_spoiled_later():
    floor = spoiling_floor()
    there, at = len(floor.state.stock.spoiled), floor.host.now_floor_s
    counts = [there + more for more in range(1, 30)]
    acts = [floor.say(e.ActAsked("destroy", {"count": count}, "ann")).answer for count in counts]
    until = min(floor.state.acts[act_id].until_floor_s for act_id in acts)
    floor.submit(at + 1, 2, cards=60)
    while len(floor.state.stock.spoiled) == there:
        assert set(acts) <= set(floor.state.acts)
        at += 1.0
        floor.host.run(at)
    assert len(floor.state.stock.spoiled) in counts
    assert at < until, "their time has not passed"
    assert not set(acts) & set(floor.state.acts)
    assert floor.refolded() == floor.state


@pytest.mark.parametrize("at_floor_s", [1e300, -1e300, 1e17, float("inf"), float("nan")])
def test_a_time_that_is_none_is_shown_as_none(at_floor_s):
    assert floor_text(at_floor_s) == "--"
    assert floor_text(0.0) == "1970-01-01 00:00:00"
