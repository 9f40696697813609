"""What users suffered on other floors, told to a whole one in virtual time: complaints 6 and 18 of EXPECTATIONS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core import events as e
from controller.core import moves as m
from controller.core.andon.alarm import Look
from controller.core.andon.andon import alarms
from controller.core.andon.rules import LISTED_MAX, REST
from controller.core.settings import CoreConfig
from controller.core.state import SILENT
from controller.core.tally import Tally
from devices.defects import Step
from sims.faults import NO_FAULTS
from sims.floor import DEFAULT_FLOOR
from sims.heap_batches import floor_day
from sims.heap_floor import HeapFloor

NEVER_S = 1e9
CARDS, DEAD = 2_000, 54
FULL_CARDS, FULL_S = 18_900, 4 * 3_600.0  # half a peak day lies there from the start on
STEADY = tuple(replace(one, mtbf_s=NEVER_S, roll_sheets=0) for one in DEFAULT_FLOOR)
LIVE = tuple(next(one for one in STEADY if one.step == step) for step in Step)
GONE = tuple(replace(LIVE[number % len(LIVE)], name=f"dead{number}") for number in range(DEAD))


class Watched:
    """A floor, when its last bundle was packed, who was given work, and the gaps of each station between its loads."""

    def __init__(self, floor, cards, dead=(), until_s=float("inf")):
        self.packed_s, self.given, self.tally = 0.0, set(), Tally()
        self._free, self.gaps_s, self.worked_s = {}, {}, {}
        self.floor = HeapFloor(1, floor=floor, faults=NO_FAULTS, watch=[self.saw, self.tally.fold])
        for spec in dead:
            self.floor.host.push(0.0, e.StationReported(spec.name, SILENT, "", 0.0))
        for arrival in floor_day(1, cards, before=1.0):
            self.floor.submit(arrival)
        self.floor.run(until_s)

    def saw(self, at, move):
        if isinstance(move, m.BundleMade):
            self.packed_s = at
        elif isinstance(move, m.JobStarted):
            self.given.add(move.station)
            if move.station in self._free:
                self.gaps_s[move.station] = self.gaps_s.get(move.station, 0.0) + at - self._free.pop(move.station)
        elif isinstance(move, m.JobEnded):
            self._free[move.station] = at
            span_s = move.ended_floor_s - move.started_floor_s
            self.worked_s[move.station] = self.worked_s.get(move.station, 0.0) + span_s


@pytest.fixture(scope="module")
def crowded():
    return Watched((*LIVE, *GONE), CARDS, GONE)


def test_complaint_6_fifty_four_dead_stations_cost_the_living_less_than_one_in_a_hundred(crowded):
    alone = Watched(LIVE, CARDS)
    assert crowded.tally.dispatched == alone.tally.dispatched == CARDS
    assert crowded.packed_s == pytest.approx(alone.packed_s, rel=0.01)
    assert crowded.given == {spec.name for spec in LIVE}


def test_complaint_6_the_dead_are_told_with_their_age_do_not_bury_the_list_and_the_living_are_not_on_it(crowded):
    state, config = crowded.floor.foreman.state, CoreConfig()
    now = crowded.floor.host.now_floor_s + 3_600.0
    told = [one for one in alarms(Look(state, crowded.tally, config, now), {}) if one.code == "station.silent"]
    named = {one.key for one in told if not one.key.endswith(REST)}
    assert len(named) == LISTED_MAX
    assert named < {f"station.silent {spec.name}" for spec in GONE}
    [rest] = [one for one in told if one.key.endswith(REST)]
    assert rest.facts["count"] == DEAD - LISTED_MAX, "a dead floor does not bury the list"
    assert {one.since_floor_s for one in told} == {0.0}
    soon = Look(state, crowded.tally, config, config.andon.silent_s / 2)
    assert not [one for one in alarms(soon, {}) if one.code == "station.silent"]


def test_complaint_18_presses_at_full_load_wait_less_than_two_in_a_hundred_between_loads():
    full = Watched(STEADY, FULL_CARDS, until_s=FULL_S)
    presses = [spec.name for spec in STEADY if spec.step == Step.LAMINATE]
    idle_s, worked_s = (sum(one.get(name, 0.0) for name in presses) for one in (full.gaps_s, full.worked_s))
    assert worked_s > 0.8 * len(presses) * FULL_S, "the presses are what limits this floor"
    assert idle_s < 0.02 * (idle_s + worked_s)
