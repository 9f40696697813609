"""Pretend runs: the same for the same seed, alike under a change but for the change, and never against a law."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.events import StartJob
from controller.core.foreman import Foreman
from controller.core.line.change import NOTHING, Change, Down
from controller.core.line.draws import Draws
from controller.core.line.estimates import Estimator
from controller.core.line.floor import LineFloor
from controller.core.line.fork import Fork
from controller.core.line.machine import LineMachine
from controller.core.line.nature import Nature
from controller.core.line.run import run_line
from controller.core.moves import SheetBound
from controller.core.settings import CalendarConfig, CoreConfig
from controller.hosts.heap import HeapHost
from devices.defects import Step
from tests.controller.core.line.forked_floor import Forked, forked
from tests.controller.core.line.troubled_floor import estimates_of, troubled


class WatchedHost(HeapHost):
    """A heap host that checks the books after each turn."""

    def __init__(self, foreman, perform, keep):
        super().__init__(foreman, perform, keep)
        self.turns = 0

    def handle(self, event, at_floor_s):
        turn = super().handle(event, at_floor_s)
        self.turns += 1
        assert self.foreman.state.stock.balanced()
        return turn


@given(seed=st.integers(0, 2**40))
@settings(max_examples=4, deadline=None)
def test_the_same_seed_gives_the_same_run_and_another_one_another(seed):
    floor = forked()
    assert floor.run(seed) == floor.run(seed)
    assert floor.run(seed).made != floor.run(seed + 1).made


def test_a_run_finishes_every_open_batch_and_every_police_stations_cards_of_it_before():
    run = forked().run(3)
    assert run.batches
    for batch_id, finish in run.batches.items():
        units = [at for one, _, at in run.bundles if one == batch_id]
        assert None not in units
        assert finish == max(units)
        assert run.began_floor_s < finish <= run.ended_floor_s
    assert all(0.0 <= share <= 1.0 for share in run.busy_share.values())


def test_a_run_keeps_every_blank_in_one_account():
    floor = forked()
    run = run_line(floor.fork, CoreConfig(), floor.estimates, floor.now, 5, make_host=WatchedHost)
    assert None not in run.batches.values()


@given(seed=st.integers(0, 500), until=st.floats(300.0, 6_000.0))
@settings(max_examples=8, deadline=None)
def test_a_floor_with_every_kind_of_trouble_can_be_run_on(seed, until):
    rough = troubled(seed, until)
    now = rough.host.now_floor_s
    run = run_line(
        Fork.of(rough.state),
        CoreConfig(),
        estimates_of(rough),
        now,
        seed,
        NOTHING,
        now + 86_400.0,
        make_host=WatchedHost,
    )
    assert run.ended_floor_s <= now + 86_400.0


def test_a_floor_of_which_nothing_is_known_runs_on_guesses():
    floor = Forked(11, 0.2, batches=2)
    run = run_line(floor.fork, CoreConfig(), Estimator().estimates(), floor.now, 1, make_host=HeapHost)
    assert None not in run.batches.values()


def test_runs_end_once_the_watched_batch_is_finished_and_give_it_the_same_finish():
    floor = forked()
    batch_id = min(floor.run(2).batches, key=lambda one: floor.run(2).batches[one])
    short = floor.run(2, watched={batch_id})
    assert short.batches[batch_id] == floor.run(2).batches[batch_id]
    assert short.ended_floor_s <= floor.run(2).ended_floor_s


# ---- common random numbers ------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), loads=st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_what_a_station_draws_hangs_on_its_own_loads_alone(seed, loads):
    floor, draws = forked(), Draws(seed)
    one = LineMachine("w1", Step.WRITE, Nature(floor.estimates, draws))
    beside = Nature(floor.estimates, draws)
    other, third = LineMachine("w1", Step.WRITE, beside), LineMachine("w2", Step.WRITE, beside)
    for number in range(loads):
        at = 50.0 * number
        third.run(job("w2"), at)
        assert one.run(job("w1"), at) == other.run(job("w1"), at)


def job(station):
    return StartJob(1, station, Step.WRITE, [(1, [1] * 8)])


def test_a_station_more_changes_nothing_but_what_it_brings():
    floor = forked()
    for seed in range(3):
        with_it, without = floor.run(seed, Change(added=((Step.WRITE, 1),))), floor.run(seed)
        assert sum(with_it.batches.values()) <= sum(without.batches.values()) + 3_600.0
        gone = floor.run(seed, Change(down=(Down("w1", floor.now + 90 * 86_400.0),)))
        assert gone == without, "what lies beyond the run changes nothing in it"


# ---- changes --------------------------------------------------------------------------------------------------


def test_a_step_without_a_station_finishes_nothing_until_it_is_back():
    floor = forked()
    back = floor.now + 6 * 3_600.0
    run = floor.run(4, Change(down=(Down("i1", floor.now, back),)))
    assert all(at > back for at in run.batches.values())
    never = floor.run(4, Change(down=(Down("i1", floor.now),)), hours=12.0)
    assert set(never.batches.values()) == {None}
    assert never.ended_floor_s == floor.now + 12 * 3_600.0


def test_an_added_press_gets_blanks_and_works():
    floor = forked()
    seen = {}

    class Host(HeapHost):
        def handle(self, event, at_floor_s):
            turn = super().handle(event, at_floor_s)
            for move in turn.moves:
                if isinstance(move, SheetBound):
                    seen[move.station] = seen.get(move.station, 0) + 1
            return turn

    change = Change((Down("l1", floor.now), Down("l2", floor.now)), ((Step.LAMINATE, 2),))
    run_line(floor.fork, CoreConfig(), floor.estimates, floor.now, 1, change, make_host=Host)
    assert {"laminate-more-1", "laminate-more-2"} <= seen.keys()


def test_the_calendar_of_the_settings_is_obeyed_and_more_shifts_are_sooner():
    floor = forked()
    config = CoreConfig(calendar=CalendarConfig(shifts="00:00-01:15", weekdays="1234567", shift_hours=1.25))
    runs = {
        shifts: run_line(
            floor.fork,
            config,
            floor.estimates,
            floor.now,
            1,
            Change(shifts=shifts),
            floor.now + 5 * 86_400.0,
            make_host=HeapHost,
        )
        for shifts in (0, 1, 3)
    }
    assert runs[0] == runs[1]
    assert max(runs[3].batches.values()) < max(runs[0].batches.values())
    day_s = [at % 86_400.0 / 3_600.0 for at, _ in runs[0].made]
    assert all(hour < 3.0 for hour in day_s), "a load begins only if it is done by then, unless its station goes down"


@pytest.mark.parametrize("hours", [0.5, 1.0, 2.0, 3.0])
def test_loads_under_way_end_after_the_fork_and_none_is_forgotten(hours):
    floor = Forked(3, hours)
    state, pushed = floor.fork.state(), []
    jobs = set(state.jobs)
    line = LineFloor(state, CoreConfig(), floor.estimates, floor.now, Draws(1), NOTHING)
    host = HeapHost(Foreman(CoreConfig(), state), line.perform, line.saw)
    line.begin(lambda at, event: (pushed.append((at, event)), host.push(at, event)), host.handle)
    ended = {event.job_id: at for at, event in pushed if getattr(event, "job_id", 0) in jobs}
    assert ended.keys() == jobs
    assert min(ended.values(), default=floor.now) >= floor.now
