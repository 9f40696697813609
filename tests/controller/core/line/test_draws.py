"""Draws and spreads: points that are even, rates and shares with the right means, and values that stay in order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.line.bins import Bins
from controller.core.line.draws import Draws
from controller.core.line.spread import Guess, Spread

MANY = 4_000


def mean(values):
    return sum(values) / len(values)


def test_points_are_even_and_hang_on_seed_and_matter():
    points = [Draws(5).point(f"x {number}") for number in range(MANY)]
    assert mean(points) == pytest.approx(0.5, abs=0.02)
    assert mean([point**2 for point in points]) == pytest.approx(1 / 3, abs=0.02)
    assert Draws(5).point("x 1") == points[1] != Draws(6).point("x 1")
    assert all(0.0 <= point < 1.0 for point in points)


@pytest.mark.parametrize("shape", [0.2, 1.0, 3.5, 40.0])
def test_gamma_values_have_the_mean_and_the_variance_of_their_shape(shape):
    draws = Draws(1)
    values = [draws.gamma(shape, f"g {number}") for number in range(MANY)]
    middle = mean(values)
    assert middle == pytest.approx(shape, rel=0.1)
    assert mean([(value - middle) ** 2 for value in values]) == pytest.approx(shape, rel=0.2)
    assert min(values) >= 0.0


def test_rates_shares_and_times_have_the_means_of_what_was_counted():
    draws = Draws(2)
    numbers = range(MANY)
    assert mean([draws.rate(4.0, 100.0, f"r {one}") for one in numbers]) == pytest.approx(0.04, rel=0.05)
    assert mean([draws.share(3.0, 9.0, f"s {one}") for one in numbers]) == pytest.approx(0.25, rel=0.05)
    assert mean([draws.exponential(f"e {one}") for one in numbers]) == pytest.approx(1.0, rel=0.06)
    picked = [draws.pick({"a": 1.0, "b": 3.0}, f"p {one}") for one in numbers]
    assert picked.count("b") / MANY == pytest.approx(0.75, abs=0.03)


@given(
    values=st.lists(st.floats(0.5, 1e5), max_size=60),
    points=st.lists(st.floats(0.0, 1.0, exclude_max=True), min_size=2, max_size=20),
    least=st.floats(0.0, 1e6),
    seed=st.integers(0, 1_000),
)
@settings(deadline=None)
def test_values_grow_with_the_point_and_those_beyond_a_least_are(values, points, least, seed):
    bins = Bins()
    for value in values:
        bins.add(value)
    spread = Spread(bins, Guess(60.0, 1.0, 1.0), Draws(seed), "x")
    drawn = [spread.value(point) for point in sorted(points)]
    assert drawn == sorted(drawn)
    assert all(value > 0.0 for value in drawn)
    assert all(spread.beyond(least, point) >= least for point in points)


def test_a_spread_of_many_values_is_theirs_and_of_none_the_guess():
    bins = Bins(per_octave=32)
    for number in range(3_000):
        bins.add(90.0 + number % 21)
    seen = Spread(bins, Guess(10.0, 1.0, 1.0), Draws(1), "x")
    assert seen.value(0.5) == pytest.approx(100.0, rel=0.03)
    assert seen.mean() == pytest.approx(100.0, rel=0.03)
    guessed = [Spread(Bins(), Guess(10.0, 1.0, 1.0), Draws(seed), "x").value(0.5) for seed in range(300)]
    assert len(set(guessed)) > 100, "each run has a doubt of its own"
    assert 7.0 < sorted(guessed)[150] < 14.0


def test_a_time_that_lasted_longer_than_any_before_goes_on_a_while():
    bins = Bins()
    for _ in range(3_000):
        bins.add(100.0)
    spread = Spread(bins, Guess(100.0, 0.1, 0.01), Draws(1), "x")
    rest = [spread.beyond(1_000.0, point / 100) - 1_000.0 for point in range(100)]
    assert min(rest) >= 0.0
    assert 100.0 < mean(rest) < 1_000.0
