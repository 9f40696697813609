"""Sums of runs: finishes by rank, what runs out first, and differences of pairs with their error."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.line.change import Change
from controller.core.line.observed import rows
from controller.core.line.outcome import LineRun, Starving
from controller.core.line.summary import compare, quantile, sensitivity, summarise
from devices.defects import Step
from tests.controller.core.line.forked_floor import forked


def run(seed, finish, made=((100.0, 40), (200.0, 40), (300.0, 20)), starving=(), ended=1_000.0):
    bundles = [(1, "a", finish), (1, "b", None)]
    return LineRun(seed, 0.0, ended, {1: finish}, bundles, list(starving), list(made), {"print": 0.5, "pack": 0.25})


def test_the_ninth_of_nine_runs_is_what_a_tenth_stays_below_nine_times_of_ten():
    assert quantile(range(1, 10), 0.9) == 9
    assert quantile(range(1, 10), 0.5) == 5
    assert quantile(range(1, 200), 0.9) == 180
    assert quantile(range(8), 0.9) == inf


@given(values=st.lists(st.floats(0, 1e6), min_size=9, max_size=60))
def test_a_quantile_keeps_its_promise_among_equals(values):
    for share in (0.5, 0.9):
        held = sum(
            values[place] <= quantile(values[:place] + values[place + 1 :], share) for place in range(len(values))
        )
        assert held >= share * len(values) - 1e-9


def test_finishes_are_p50_and_p90_and_one_that_often_is_not_reached_has_none():
    forecast = summarise([run(seed, 100.0 * (seed + 1)) for seed in range(9)])
    batch, unit, open_one = forecast.batches[0], *forecast.bundles
    assert (batch.p50_floor_s, batch.p90_floor_s, batch.finished_share) == (500.0, 900.0, 1.0)
    assert (unit.unit, unit.p90_floor_s) == ("a", 900.0)
    assert (open_one.unit, open_one.p50_floor_s, open_one.finished_share) == ("b", None, 0.0)
    late = summarise([run(seed, None if seed < 3 else 10.0) for seed in range(9)])
    assert (late.batches[0].p50_floor_s, late.batches[0].p90_floor_s) == (10.0, None)
    assert forecast.busy_share == {"print": 0.5, "pack": 0.25}


def test_a_pace_lies_within_its_own_range_though_some_runs_are_over_at_once():
    at_once = [run(seed, 1.0, made=((0.01, 100),)) for seed in range(2)]
    forecast = summarise([*at_once, *(run(seed, 300.0) for seed in range(2, 60))])
    assert forecast.cards_per_day_low <= forecast.cards_per_day <= forecast.cards_per_day_high


def test_what_runs_out_first_is_told_by_its_share_and_time():
    film, data = Starving("film", "p1", 50.0), Starving("data", "", 80.0)
    forecast = summarise(
        [run(1, 1.0, starving=[film, data]), run(2, 1.0, starving=[data]), run(3, 1.0, starving=[data])]
    )
    first, second = forecast.starving
    assert (first.what, first.first_share, first.ran_out_share) == ("data", pytest.approx(2 / 3), 1.0)
    assert (second.where, second.first_share, second.p50_floor_s) == ("p1", pytest.approx(1 / 3), 50.0)


def test_a_difference_is_that_of_pairs_and_its_error_that_of_their_differences():
    base = [run(seed, 3_600.0 * (10 + seed)) for seed in range(6)]
    sooner = [run(seed, 3_600.0 * (9 + seed), made=((50.0, 40), (90.0, 40), (300.0, 20))) for seed in range(5, -1, -1)]
    difference = compare(base, sooner)
    assert (difference.hours.mean, difference.hours.error, difference.hours.pairs) == (-1.0, 0.0, 6)
    assert (difference.last_hours.mean, difference.batches[0].hours.mean) == (-1.0, -1.0)
    assert difference.horizon_floor_s == 200.0
    assert difference.cards.mean == 0
    noisy = compare(base, [run(seed, 3_600.0 * (10 + seed + (-1) ** seed)) for seed in range(6)])
    assert noisy.hours.mean == pytest.approx(0.0)
    assert noisy.hours.error == pytest.approx(2.57 * (6 / 5) ** 0.5 / 6**0.5)


def test_the_step_that_gains_most_by_a_station_more_comes_first():
    base = [run(seed, 500.0) for seed in range(4)]
    faster = [run(seed, 400.0, made=((50.0, 60), (100.0, 40))) for seed in range(4)]
    table = sensitivity(base, {Step.PACK: base, Step.PRINT: faster})
    assert [row.step for row in table] == ["print", "pack"]
    assert table[0].cards_per_day.mean > 0 == table[1].cards_per_day.mean
    assert (table[0].busy_share, table[1].busy_share) == (0.5, 0.25)


def test_the_same_runs_differ_by_nothing_and_a_lost_printer_costs_hours():
    floor = forked()
    base = [floor.run(seed) for seed in range(4)]
    assert compare(base, base).hours.error == compare(base, base).cards.mean == 0.0
    more = sensitivity(
        base, {step: [floor.run(seed, Change(added=((step, 1),))) for seed in range(4)] for step in Step}
    )
    assert {row.step for row in more} == set(Step)
    assert more[0].cards_per_day.mean >= more[-1].cards_per_day.mean
    forecast = summarise(base)
    assert forecast.cards_per_day_low <= forecast.cards_per_day <= forecast.cards_per_day_high


def test_what_was_seen_is_told_from_what_is_guessed():
    figures = {(one.what, one.where): one for one in rows(forked().estimates)}
    assert figures["pace", "w1"].observed
    assert figures["pace", "w1"].value == pytest.approx(60.0, rel=0.15)
    assert not figures["hold", ""].observed
    assert figures["hold", ""].count == 0
    assert figures["arrivals", ""].count == 8
