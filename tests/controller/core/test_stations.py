"""Stations: output clear before the next load, dead ones beside live ones, holds that end at the machine, sign-ons."""

from __future__ import annotations

from itertools import pairwise

import pytest

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, JobEnded, StationChanged, StationJoined
from controller.core.quality_moves import OperatorSignedOn, StationHeld, StationReleased
from controller.core.settings import CoreConfig
from controller.core.state import SILENT
from devices.defects import Step
from devices.messages import StationState
from sims.faults import NO_FAULTS, USUAL_FAULTS
from sims.floor import StationSpec
from sims.heap_batches import floor_day
from sims.heap_floor import HeapFloor
from tests.controller.core.rough_floor import RoughFloor

LAST_WORDS = (e.StepDone, e.BundlePacked, e.JobForgotten)


class OutputWatch(RoughFloor):
    """A rough floor that checks at every action whether a station's output was said to be clear."""

    def __init__(self, seed: int, trouble: float) -> None:
        self.inside: dict[str, int] = {}  # station -> the job it was given, until its last word
        self.clear: dict[str, int] = {}  # station -> the job its last word was of, until it is released
        self.given = 0
        super().__init__(seed, trouble=trouble)

    def perform(self, at: float, action: e.AnyAction) -> None:
        if isinstance(action, e.StartJob):
            assert self.state.stations[action.station].state == StationState.IDLE
            assert self.inside.get(action.station, action.job_id) == action.job_id, "a load on top of another"
            assert action.station not in self.clear, "a load before the one before it was let go"
            self.inside[action.station] = action.job_id
            self.given += 1
        elif isinstance(action, e.ReleaseJob) and self.clear.get(action.station) == action.job_id:
            del self.clear[action.station]
        super().perform(at, action)

    def keep(self, at: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        if isinstance(event, LAST_WORDS) and self.inside.get(event.station) == event.job_id:
            self.clear[event.station] = self.inside.pop(event.station)
        for move in moves:
            if isinstance(move, JobEnded):
                assert self.inside.get(move.station) != move.job_id, "an end that no station told"
        super().keep(at, event, moves)


@pytest.mark.parametrize("seed", range(8))
def test_no_load_is_given_before_the_station_said_that_the_output_of_the_last_one_is_clear(seed):
    floor = OutputWatch(seed, trouble=[0.0, 0.05, 0.15][seed % 3])
    for batch in range(1, 4):
        floor.submit(300.0 * batch, batch, cards=40)
    floor.run()
    assert floor.given > 50


def test_a_station_that_is_cleared_of_a_jam_gets_its_next_load_only_when_it_is_idle_again():
    floor = RoughFloor(1, trouble=0.0)
    floor.host.handle(e.StationReported("p1", StationState.HELD, "jam", 0.0), 0.0)
    floor.host.handle(e.StationReported("p2", StationState.STOPPED, "operator", 0.0), 0.0)
    floor.submit(1.0, 1, cards=40)
    floor.host.run(100.0)
    assert not floor.state.jobs
    floor.host.handle(e.StationReported("p1", StationState.IDLE, "", 0.0), 101.0)
    assert [job.station for job in floor.state.jobs.values()] == ["p1"], "at once, and nobody at a screen did anything"


# ---- dead stations beside a live one -----------------------------------------------------------------------------

DEAD = 54
LINE = (
    *(StationSpec(name=f"p{number}", step=Step.PRINT, unit_s=30.0) for number in range(1, 5)),
    *(StationSpec(name=f"l{number}", step=Step.LAMINATE, load_max=24, load_s=1200.0) for number in range(1, 7)),
    StationSpec(name="c1", step=Step.PUNCH, unit_s=9.0),
    StationSpec(name="i1", step=Step.INSPECT, unit_s=12.0),
    StationSpec(name="k1", step=Step.PACK, load_max=200, unit_s=0.5),
    StationSpec(name="w-live", step=Step.WRITE, unit_s=48.0),
)
GRAVES = tuple(StationSpec(name=f"w-dead-{number}", step=Step.WRITE, unit_s=48.0) for number in range(DEAD))


class HalfDeadFloor(HeapFloor):
    """A floor whose dead stations said hello, took one load, and were never heard again."""

    def _perform(self, at_floor_s: float, action: e.AnyAction) -> None:
        if isinstance(action, e.StartJob) and action.station.startswith("w-dead"):
            self.host.push(at_floor_s + 5.0, e.StationReported(action.station, SILENT, "", at_floor_s + 5.0))
        else:
            super()._perform(at_floor_s, action)


def written_by_the_live_one(floor: tuple[StationSpec, ...]) -> tuple[int, HalfDeadFloor]:
    """Give the sheets it wrote in ten hours from the third on, with more to write than it can."""
    ended: list[float] = []

    def saw(at: float, move: AnyMove) -> None:
        if isinstance(move, JobEnded) and move.station == "w-live":
            ended.append(at)

    line = HalfDeadFloor(5, floor=floor, faults=NO_FAULTS, watch=[saw])
    for arrival in floor_day(5, 12_000, before=1.0):
        line.submit(arrival)
    line.run(13 * 3_600.0)
    return sum(at >= 3 * 3_600.0 for at in ended), line


def test_54_dead_stations_cost_the_live_one_beside_them_less_than_a_hundredth_of_its_throughput():
    alone, _ = written_by_the_live_one(LINE)
    beside, line = written_by_the_live_one((*LINE, *GRAVES))
    assert alone > 700
    assert beside >= 0.99 * alone
    silent = [one for one in line.foreman.state.stations.values() if one.state == SILENT]
    assert len(silent) == DEAD
    assert all(0 < one.since_floor_s < line.host.now_floor_s for one in silent), "what the state's age is counted from"


# ---- gaps between loads ----------------------------------------------------------------------------------------


def test_at_full_load_the_stations_of_the_narrowest_step_stand_without_a_load_less_than_two_percent_of_the_time():
    """The gap is from a load's end to the next one's start, without the time the machine was down."""
    starts: dict[str, list[tuple[float, float]]] = {}

    def saw(at: float, move: AnyMove) -> None:
        if isinstance(move, JobEnded) and move.step == Step.LAMINATE:
            starts.setdefault(move.station, []).append((move.started_floor_s, move.ended_floor_s))

    line = HeapFloor(7, faults=USUAL_FAULTS, watch=[saw])
    for arrival in floor_day(7, 34_000, before=1.0):
        line.submit(arrival)
    first_s, last_s = 2 * 3_600.0, 10 * 3_600.0
    line.run(last_s)
    gap_s = 0.0
    for station, loads in starts.items():
        inside = [(start, end) for start, end in loads if first_s <= start and end <= last_s]
        gaps = [(end, start) for (_, end), (start, _) in pairwise(inside)]
        downs = [(one.from_floor_s, one.to_floor_s) for one in line.machines[station].downs]
        for begin, end in gaps:
            down_s = sum(max(0.0, min(end, to) - max(begin, since)) for since, to in downs)
            gap_s += max(0.0, end - begin - down_s)
    assert len(starts) == 6
    assert gap_s / ((last_s - first_s) * len(starts)) < 0.02


# ---- holds -----------------------------------------------------------------------------------------------------


def held_floor() -> RoughFloor:
    floor = RoughFloor(1, trouble=0.0)
    floor.host.handle(e.HoldAsked("p1", "cleaning", "ann"), 0.0)
    floor.host.handle(e.HoldAsked("p2", "cleaning", "ann"), 0.0)
    floor.submit(1.0, 1, cards=40)
    floor.host.run(100.0)
    return floor


def test_a_held_station_gets_no_load_until_a_person_releases_it():
    floor = held_floor()
    assert not floor.state.jobs
    floor.host.handle(e.ReleaseAsked("p1", "ann"), 101.0)
    assert [job.station for job in floor.state.jobs.values()] == ["p1"]


def test_a_hold_ends_when_its_operator_takes_the_station_off_line_and_back_and_nobody_visits_the_console():
    floor = held_floor()
    floor.host.handle(e.StationReported("p1", StationState.STOPPED, "operator", 0.0), 101.0)
    floor.host.handle(e.StationReported("p2", StationState.HELD, "jam", 0.0), 102.0)
    floor.host.handle(e.StationReported("p2", StationState.IDLE, "", 0.0), 103.0)
    assert set(floor.state.station_holds) == {"p1", "p2"}, "a jam that is cleared is not yet a cause that is found"
    floor.host.handle(e.StationReported("p1", StationState.IDLE, "", 0.0), 104.0)
    released = [move for _, move in floor.log if isinstance(move, StationReleased)]
    assert [(move.station, move.by) for move in released] == [("p1", "")]
    assert [job.station for job in floor.state.jobs.values()] == ["p1"]
    assert set(floor.state.station_holds) == {"p2"}


def test_off_line_by_the_operator_cannot_be_overruled_by_a_release():
    floor = held_floor()
    floor.host.handle(e.StationReported("p1", StationState.STOPPED, "operator", 0.0), 101.0)
    floor.host.handle(e.ReleaseAsked("p1", "ann"), 102.0)
    assert not floor.state.jobs
    floor.host.handle(e.StationReported("p1", StationState.IDLE, "", 0.0), 103.0)
    assert [job.station for job in floor.state.jobs.values()] == ["p1"]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (e.HoldAsked("p1", "again", "ann"), "station.held"),
        (e.HoldAsked("nosuch", "x", "ann"), "station.unknown"),
        (e.ReleaseAsked("l1", "ann"), "station.not_held"),
        (e.SignedOn("nosuch", "ann", 0.0), "station.unknown"),
    ],
)
def test_what_cannot_be_held_released_or_worked_at_is_refused_and_changes_nothing(event, code):
    floor = held_floor()
    turn = floor.host.handle(event, 101.0)
    assert turn.refused is not None
    assert turn.refused.code == code
    assert not turn.moves


def test_a_held_station_finishes_the_load_it_has():
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=40)
    floor.host.run(4.0)
    assert floor.state.stations["p1"].job_id
    floor.host.handle(e.HoldAsked("p1", "cleaning", "ann"), 5.0)
    floor.host.run(1_000.0)
    ended = [move for _, move in floor.log if isinstance(move, JobEnded) and move.station == "p1"]
    assert len(ended) == 1
    assert sum(isinstance(move, StationHeld) for _, move in floor.log) == 1


# ---- who works where -------------------------------------------------------------------------------------------


def test_a_person_is_signed_off_when_the_certificate_ends_at_the_second_it_ends():
    floor = RoughFloor(1, trouble=0.0)
    floor.host.handle(e.SignedOn("i1", "mei", 500.0), 10.0)
    floor.host.handle(e.SignedOn("p1", "lin", 0.0), 10.0)
    floor.host.run(499.0)
    assert floor.state.stations["i1"].operator == "mei"
    floor.host.run(10_000.0)
    signed = [(at, move) for at, move in floor.log if isinstance(move, OperatorSignedOn)]
    assert [(at, move.station, move.operator) for at, move in signed][-1] == (500.0, "i1", "")
    assert floor.state.stations["i1"].operator_until_floor_s == 500.0, "which says why nobody is there"
    assert floor.state.stations["p1"].operator == "lin", "no end date, no end"
    assert sum(move.station == "i1" and not move.operator for _, move in signed) == 1
    assert floor.refolded() == floor.state


def test_who_signs_on_anew_takes_the_place_and_who_leaves_leaves_it_empty():
    floor = RoughFloor(1, trouble=0.0)
    floor.host.handle(e.SignedOn("i1", "mei", 500.0), 10.0)
    floor.host.handle(e.SignedOn("i1", "lin", 900.0), 20.0)
    assert floor.state.stations["i1"].operator == "lin"
    floor.host.handle(e.SignedOn("i1", "", 0.0), 30.0)
    station = floor.state.stations["i1"]
    assert (station.operator, station.operator_until_floor_s) == ("", 0.0)


def test_a_stations_state_carries_the_time_since_when_it_is_in_it():
    floor = RoughFloor(1, trouble=0.0)
    floor.host.handle(e.StationReported("w1", StationState.ABORTED, "breakdown", 40.0), 50.0)
    changes = [move for _, move in floor.log if isinstance(move, StationChanged) and move.station == "w1"]
    assert (changes[-1].state, changes[-1].since_floor_s) == (StationState.ABORTED, 40.0)


def test_a_station_that_boasts_gets_no_job_too_long_for_one_message():
    foreman = Foreman(CoreConfig())
    foreman.handle(e.ServiceBegan(), 0.0)
    for name, step, taken in [("w1", Step.WRITE, 100), ("k1", Step.PACK, 200), ("i1", Step.INSPECT, 100)]:
        for again in (1, 0):
            turn = foreman.handle(e.StationSeen(name, step, "proud", 1_000, "idle", ""), 1.0)
            assert sum(isinstance(move, StationJoined) for move in turn.moves) == again
        assert foreman.state.stations[name].load_max == taken
