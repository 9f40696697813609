"""Nobody destroys what one spoiled, and a role taken in an emergency ends by itself and lifts no second person."""

from __future__ import annotations

import pytest

from controller.core import events as e
from controller.core.break_glass import GLASS_S, REASONS
from controller.core.rights_events import AttemptRefused, GlassAsked
from controller.core.rights_moves import Denied, GlassBroken, GlassMended
from controller.core.separation import BARRED
from controller.core.stock import Account
from controller.core.stock_moves import BlanksDestroyed
from devices.peers import PERSON_ROLES
from tests.controller.core.keepers_floor import KeepersFloor

WORKERS = {"l1": "press-hand", "l2": "press-hand", "c1": "punch-hand", "w1": "writer-hand", "i1": "inspector"}


def spoiled_floor(cards: int = 60) -> KeepersFloor:
    """Give a floor at rest that spoiled blanks while somebody worked at each of these stations."""
    floor = KeepersFloor(2, trouble=0.1)
    for station, person in WORKERS.items():
        floor.say(e.SignedOn(station, person, 0.0))
    floor.submit(1.0, 1, cards=cards)
    floor.run()
    return floor


@pytest.fixture
def floor():
    return spoiled_floor()


def propose(floor, by):
    return floor.say(e.ActAsked("destroy", {"count": len(floor.state.stock.spoiled)}, by))


# ---- destruction ------------------------------------------------------------------------------------------------


def test_who_worked_where_a_blank_was_spoiled_is_remembered_with_it(floor):
    stock = floor.state.stock
    assert stock.spoilers
    assert stock.spoilers.keys() <= stock.spoiled.keys()
    assert set(stock.spoilers.values()) <= set(WORKERS.values())


def test_who_worked_where_a_blank_was_spoiled_neither_proposes_its_destruction_nor_agrees_to_it(floor):
    spoilers = sorted(set(floor.state.stock.spoilers.values()))
    act = propose(floor, "ann")
    assert act.refused is None
    for person in spoilers:
        assert propose(floor, person).refused.code == BARRED
        assert floor.say(e.ActSeconded(act.answer, person)).refused.code == BARRED
    assert floor.state.stock.spoiled
    done = floor.say(e.ActSeconded(act.answer, "bob"))
    assert done.refused is None
    assert any(isinstance(move, BlanksDestroyed) for move in done.moves)


def test_who_signed_off_since_still_spoiled_what_was_spoiled(floor):
    person = next(iter(floor.state.stock.spoilers.values()))
    for station in WORKERS:
        floor.say(e.SignedOn(station, "", 0.0))
    assert propose(floor, person).refused.code == BARRED


def test_with_the_blanks_goes_who_spoiled_them(floor):
    assert floor.both("destroy", count=len(floor.state.stock.spoiled)).refused is None
    assert floor.state.stock.spoilers == {}
    assert floor.state.stock.blanks[Account.SPOILED] == 0


def test_a_blank_that_was_lost_at_a_station_and_settled_as_spoiled_was_spoiled_there():
    floor = KeepersFloor(3, trouble=0.0)
    floor.say(e.SignedOn("l1", "press-hand", 0.0))
    floor.say(e.SignedOn("l2", "press-hand", 0.0))
    floor.submit(1.0, 1, cards=8)
    while not (job := next((one for one in floor.state.jobs.values() if one.step == "laminate"), None)):
        floor.host.run(floor.host.now_floor_s + 5)
        floor.host.now_floor_s += 5
    floor.say(e.JobForgotten(job.station, job.job_id))
    [sheet] = [one for one in floor.state.sheets.values() if one.suspect]
    body = floor.state.stock.magazines[job.station][0].first
    args = {"sheet_id": sheet.sheet_id, "mask": sheet.suspect, "finding": "spoiled", "body": body}
    assert floor.both("settle", **args).refused is None
    assert set(floor.state.stock.spoilers.values()) == {"press-hand"}


def test_where_nobody_signs_on_any_two_people_destroy():
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    assert floor.state.stock.spoiled
    assert floor.state.stock.spoilers == {}
    assert floor.both("destroy", count=len(floor.state.stock.spoiled)).refused is None


def test_who_spoiled_what_is_a_fold_of_moves(floor):
    assert floor.refolded().stock.spoilers == floor.state.stock.spoilers


# ---- a role taken in an emergency -------------------------------------------------------------------------------


@pytest.fixture
def rest():
    return KeepersFloor(1, trouble=0.0)


@pytest.mark.parametrize("reason", REASONS)
def test_a_role_is_taken_for_one_hour_and_ends_by_itself(rest, reason):
    began = rest.host.now_floor_s
    turn = rest.say(GlassAsked("supervisor", reason, "root"))
    assert turn.moves == [GlassBroken("root", "supervisor", reason, began + GLASS_S)]
    assert rest.state.glass["root"]["supervisor"].reason == reason
    rest.host.run(began + GLASS_S - 1.0)
    assert rest.state.glass
    rest.host.run(began + GLASS_S + 1.0)
    assert rest.state.glass == {}
    assert [move for _, move in rest.log if isinstance(move, GlassMended)] == [GlassMended("root", "supervisor")]
    assert rest.refolded().glass == {}


def test_taking_a_role_again_before_its_hour_is_over_is_refused_and_makes_it_no_longer(rest):
    rest.say(GlassAsked("supervisor", "danger", "root"))
    until = rest.state.glass["root"]["supervisor"].until_floor_s
    rest.host.now_floor_s += 100.0
    assert rest.say(GlassAsked("supervisor", "danger", "root")).refused.code == "glass.taken"
    assert rest.state.glass["root"]["supervisor"].until_floor_s == until
    assert rest.say(GlassAsked("quality", "danger", "root")).refused is None
    assert rest.refolded().glass == rest.state.glass


@pytest.mark.parametrize(
    ("role", "reason", "code"),
    [("king", "danger", "glass.role"), ("supervisor", "because I want", "glass.reason")],
)
def test_a_role_or_reason_that_is_none_is_refused_and_leaves_nothing(rest, role, reason, code):
    turn = rest.say(GlassAsked(role, reason, "root"))
    assert (turn.refused.code, turn.moves, rest.state.glass) == (code, [], {})


def test_with_every_role_taken_one_person_is_still_one_person(rest):
    for role in PERSON_ROLES:
        assert rest.say(GlassAsked(role, "danger", "root")).refused is None
    act = rest.say(e.ActAsked("receive", {"first_body": 90_000, "sheets": 5, "lot": "B"}, "root"))
    assert rest.say(e.ActSeconded(act.answer, "root")).refused.code == "act.same_person"


def test_a_refused_attempt_is_a_move_that_changes_nothing(rest):
    turn = rest.say(AttemptRefused("eve", "act", "destroy", "right.missing", 3))
    assert turn.moves == [Denied("eve", "act", "destroy", "right.missing", 3)]
    assert rest.refolded().glass == {}
