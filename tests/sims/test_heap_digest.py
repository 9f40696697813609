"""The moves of some floors, pinned: whoever makes the foreman or the pretend stations faster changes nothing of them.

A digest here may change only with a commit that says which decision is another one now, and why.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import events as e
from controller.core import hold_events as he
from controller.core.foreman import Foreman
from controller.core.settings import CalendarConfig, CoreConfig, PlanConfig
from devices.defects import Step
from sims.faults import USUAL_FAULTS
from sims.heap_batches import floor_day
from sims.heap_floor import Digest, HeapFloor

SHIFTS = CalendarConfig(shifts="00:00-03:00, 04:00-16:00", maintenance="l1 1970-01-01T01:00/1970-01-01T02:00")
CARDS = 1_500


def a_usual_day(digest):
    floor = HeapFloor(21, watch=[digest.saw])
    for arrival in floor_day(21, CARDS):
        floor.submit(arrival)
    return floor


def a_day_of_many_faults_in_shifts(digest):
    foreman = Foreman(replace(CoreConfig(), calendar=SHIFTS))
    floor = HeapFloor(22, foreman=foreman, faults=USUAL_FAULTS.times(5), watch=[digest.saw], singles=30)
    for arrival in floor_day(22, CARDS):
        floor.submit(arrival)
    return floor


def a_day_of_two_kinds_with_people_between(digest):
    floor = HeapFloor(23, faults=USUAL_FAULTS.times(3), watch=[digest.saw])
    for place, arrival in enumerate(floor_day(23, CARDS), 1):
        checked = arrival.checked(place)
        kind = "first" if place % 2 else "second"
        asked = e.BatchChecked(
            place, checked.batch_number, "north", kind, checked.received_floor_s, checked.due_floor_s, checked.rows
        )
        floor.host.push(arrival.at_floor_s, asked)
    presses = [name for name, one in floor.foreman.state.stations.items() if one.step is Step.LAMINATE]
    for at, asked in (
        (300.0, he.BatchHoldAsked(1, "look", "eve")),
        (400.0, e.ExpressAsked(20_030, "north", "exam")),
        (500.0, he.CardHoldAsked(20_040, "look", "eve")),
        (900.0, e.HoldAsked(presses[0], "look", "eve")),
        (1_500.0, e.SignedOn(presses[1], "zed", 9_000.0)),
        (2_400.0, e.DecisionMade(20_041, "cancel", "eve", "so")),
        (4_000.0, e.ReleaseAsked(presses[0], "eve")),
        (5_000.0, he.BatchReleaseAsked(1, "eve")),
        (20_000.0, he.CardReleaseAsked(20_040, "eve")),
    ):
        floor.host.push(at, asked)
    return floor


def a_day_on_which_printing_pauses(digest):
    """Presses end the pause within a plan, so that printers start in the same one."""
    config = replace(CoreConfig(), plan=PlanConfig(films_max=24, sheets_max=60))
    floor = HeapFloor(24, foreman=Foreman(config), watch=[digest.saw])
    for arrival in floor_day(24, 2 * CARDS):
        floor.submit(arrival)
    return floor


PINNED = {
    a_usual_day: "2549 7aeb3bbfce1cef2037c42b6fda7186fe",
    a_day_of_many_faults_in_shifts: "2854 2588b563ba0507319810b7a78c403e52",
    a_day_of_two_kinds_with_people_between: "2325 d7c4af3060955086aad0e78a02e70e10",
    a_day_on_which_printing_pauses: "4969 dc90ad1eba5cf62032e94741dc67a7b6",
}


@pytest.mark.parametrize("floor_of", PINNED, ids=lambda one: one.__name__)
def test_a_seed_gives_the_moves_it_always_gave(floor_of):
    digest = Digest()
    floor_of(digest).run()
    assert f"{digest.head.seq} {digest.head.hash.hex()[:32]}" == PINNED[floor_of]
