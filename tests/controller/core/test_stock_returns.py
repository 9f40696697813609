"""Body sheets that leave a magazine again: the press is told, told again when it says hello, and draws none of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import events as e
from controller.core.moves import SheetBound, StationLied
from devices.defects import Step
from devices.memlink import MemoryAddress
from devices.messages import Magazine
from devices.protocol import StateSeen
from sims.faults import NO_FAULTS
from sims.floor import DEFAULT_FLOOR
from sims.heap_batches import Arrival
from sims.heap_floor import HeapFloor
from sims.machine import without
from sims.world import World
from tests.controller.core.keepers_floor import KeepersFloor
from tests.sims.floor_desk import FloorDesk, plain_start, print_start, serving, stations

SPECS = {spec.name: replace(spec, spread=0.0) for spec in DEFAULT_FLOOR}


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        (range(1, 5), [range(10, 20)]),
        (range(20, 25), [range(10, 20)]),
        (range(10, 20), []),
        (range(5, 25), []),
        (range(10, 12), [range(12, 20)]),
        (range(15, 30), [range(10, 15)]),
        (range(13, 15), [range(10, 13), range(15, 20)]),
    ],
)
def test_what_is_taken_out_of_a_range_leaves_what_lies_before_and_after(taken, left):
    assert without(range(10, 20), taken) == left


async def test_a_station_told_of_a_taking_draws_what_is_left_and_shows_that_it_heard(autojump_clock):
    address, world = MemoryAddress(), World(1, NO_FAULTS)
    specs = [SPECS["p1"], SPECS["l1"]]
    async with serving(FloorDesk(), address) as desk, stations(address, world, specs) as floor:
        await desk.joined("p1", "l1")
        desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=4))
        desk.driver.magazine("l1", Magazine(issue_id=2, first_body=500, sheets=3, out=True))
        await desk.until(lambda: 2 in [seen.issue_id for seen in desk.of("l1", StateSeen)])
        assert floor["l1"].machine.bodies_left == 1
        await desk.does("p1", print_start(1, 1))
        done = await desk.does("l1", plain_start(9, Step.LAMINATE, 1))
        assert done.sheets[0].body == 503


def test_a_floor_whose_keepers_take_body_sheets_out_and_put_them_elsewhere_hears_no_lie():
    moves = []
    floor = HeapFloor(3, watch=[lambda at, move: moves.append(move)])
    state, say = floor.foreman.state, floor.host.handle
    presses = [one.station for one in state.stations.values() if one.step is Step.LAMINATE]
    floor.submit(Arrival(at_floor_s=0.0, due_floor_s=9e9, units=("520102001",) * 1_600))
    for hour in range(1, 6):
        floor.run(hour * 3_600.0)
        now = hour * 3_600.0
        press, other = presses[hour % len(presses)], presses[(hour + 1) % len(presses)]
        if state.stations[press].job_id or not state.stock.in_magazine(press):
            continue
        one = state.stock.magazines[press][0]
        first, sheets = one.first + 1, max(1, one.sheets // 2)
        sheets = min(sheets, one.first + one.sheets - first)
        say(e.StationReported(press, "stopped", "", now), now)
        for verb, station in (("return", press), ("issue", other)):
            args = {"station": station, "first_body": first, "sheets": sheets}
            act = say(e.ActAsked(verb, args, "cat"), now)
            assert act.refused is None, act.refused
            assert say(e.ActSeconded(act.answer, "dan"), now).refused is None
        say(e.StationReported(press, "idle", "", now), now)
    floor.run()
    assert state.stock.taken
    assert not [move for move in moves if isinstance(move, StationLied)]
    bodies = [move.body for move in moves if isinstance(move, SheetBound)]
    assert len(bodies) == len(set(bodies))
    for name in presses:
        assert floor.machines[name].bodies_left == state.stock.in_magazine(name)


def test_a_press_that_says_hello_is_told_of_issues_and_takings_in_their_order():
    floor = KeepersFloor(1, trouble=0.0)
    floor.off_line("l1")
    floor.both("return", station="l1", first_body=1_010, sheets=5)
    floor.both("issue", station="l1", first_body=1_010, sheets=2)
    turn = floor.say(e.StationSeen("l1", "laminate", "rough", 3, "stopped", ""))
    told = [one for one in turn.actions if isinstance(one, e.FillMagazine)]
    assert [one.issue_id for one in told] == sorted(one.issue_id for one in told)
    assert [(one.first_body, one.sheets, one.out) for one in told] == [
        (1_000, 60, False),
        (1_010, 5, True),
        (1_010, 2, False),
    ]
    held: list[int] = []
    for one in told:  # as a press that lost its memory follows them
        bodies = range(one.first_body, one.first_body + one.sheets)
        held = [body for body in held if body not in bodies] if one.out else [*held, *bodies]
    there = floor.state.stock.magazines["l1"]
    assert sorted(held) == sorted(body for one in there for body in range(one.first, one.first + one.sheets))


def test_a_press_that_draws_a_body_sheet_that_was_taken_out_is_caught():
    floor = KeepersFloor(1, trouble=0.0)
    floor.off_line("l1")
    floor.off_line("l2")
    floor.both("return", station="l1", first_body=1_000, sheets=1)
    floor.bodies["l1"].insert(0, 1_000)  # it was not heard, and the machine still has it
    floor.submit(1.0, 1, cards=8)
    floor.off_line("l1", False)
    floor.host.run()
    assert [move.code for _, move in floor.log if isinstance(move, StationLied)] == ["station.foreign_body"]
    assert floor.state.stock.lies_in("", 1_000, 1)
    assert any(sheet.suspect for sheet in floor.state.sheets.values())


def test_one_issue_takes_body_sheets_of_two_deliveries_whose_serials_follow_each_other():
    floor = KeepersFloor(1, trouble=0.0)
    for first in (700_000, 700_060):
        assert floor.both("receive", first_body=first, sheets=60, lot="maker").refused is None
    assert floor.both("issue", station="l1", first_body=700_050, sheets=20).refused is None
    stock = floor.state.stock
    assert stock.magazine_holds("l1", 700_069, 8)
    assert [one.sheets for one in stock.vault if one.first >= 700_000] == [50, 50]
    assert stock.balanced()
    assert floor.both("issue", station="l1", first_body=700_050, sheets=20).refused.code == "stock.not_in_vault"
