"""`python -m bench drift`: what it measures, in its short form and at its limits."""

import json
from statistics import median

import pytest

from bench import drift
from bench.__main__ import main
from bench.drift_line import STATIONS, cards_to_hold, false_holds


def result(per_100000: float, cards_to_the_hold: float) -> dict:
    quiet = {"cards": drift.JUDGED_FROM_CARDS, "false_holds": 1, "false_holds_per_100000": per_100000}
    runs = {"runs": drift.JUDGED_FROM_RUNS, "cards_to_hold": cards_to_the_hold, "cards_to_hold_p90": 900}
    return {"in_control": quiet, "drifted": runs}


def test_a_station_that_goes_from_one_to_three_percent_is_held_by_the_foreman_within_the_wanted_cards():
    held = [cards_to_hold(seed, list(STATIONS)[seed * 2 % 10], 0.01, 0.03) for seed in range(25)]
    assert all(cards > 0 for cards in held)
    assert 200 < median(held) < 650, "400 give or take three deviations of a median of 25"


def test_in_control_hardly_a_chart_signals_and_far_out_of_control_each_one_does():
    signals, cards = false_holds(3, 200_000, 0.01)
    assert cards >= 200_000
    assert signals <= 9  # 1.6 expected
    signals, cards = false_holds(3, 40_000, 0.05)
    assert signals > 40


@pytest.mark.parametrize(("rate", "cards", "good"), [(0.8, 400, True), (1.3, 400, False), (0.8, 421, False)])
def test_figures_worse_than_wanted_are_an_exit_code(rate, cards, good):
    assert drift.is_good(result(rate, cards)) is good


def test_the_short_form_writes_every_figure(tmp_path):
    path = tmp_path / "drift.json"
    assert main(["drift", "--cards", "20000", "--runs", "2", "--processes", "1", "--json", str(path)]) == 0
    found = json.loads(path.read_text("utf-8"))
    assert found["drifted"]["cards_to_hold"] > 0
    assert found["in_control"]["cards"] >= 20_000
    assert set(found["spread"]) == {"in_control", "drifted"}
