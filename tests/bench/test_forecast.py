"""`python -m bench forecast`: its trials, what it counts of them, and its short form."""

import json
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest

from bench import forecast, forecast_beside
from bench.__main__ import main
from bench.forecast_beside import Window
from bench.forecast_trial import Trial, run_trial

ROOT = Path(forecast.__file__).parent.parent


def trial(truth_s: float) -> Trial:
    return Trial(1, 100, 2, 5.0, 50.0, 90.0, truth_s, min(1.0, truth_s / 100.0))


def result(
    held: float, runs_s: float, trials: int = forecast.JUDGED_FROM_TRIALS, runs: int = forecast.JUDGED_RUNS
) -> dict:
    found = {"p90_held": held, "trials": trials}
    return {"runs": runs, "open_cards": 3_000, f"runs_{runs}_s": runs_s, "calibration": found}


def test_a_trial_is_the_same_for_the_same_seed_and_its_batch_is_finished_in_truth():
    one = run_trial(1_000_003, 3)
    assert one == run_trial(1_000_003, 3)
    assert 0.0 < one.p50_s <= one.p90_s
    assert 0.0 < one.truth_s < inf
    assert one.open_cards > 0
    assert one.p90_s == inf, "three runs promise no P90"


def test_what_held_is_counted_and_has_an_interval():
    found = forecast.calibration([trial(one) for one in (10.0, 20.0, 60.0, 95.0)])
    assert (found["p90_held"], found["p50_held"]) == (0.75, 0.5)
    assert found["p90_held_low"] < 0.75 < found["p90_held_high"]
    assert found["runs_below_truth_tenths"] == [0, 1, 1, 0, 0, 0, 1, 0, 0, 1]
    low, high = forecast.wilson(360, 400)
    assert (round(low, 3), round(high, 3)) == (0.867, 0.926)


@pytest.mark.parametrize(
    ("figures", "good"),
    [
        (result(0.9, 20.0), True),
        (result(0.85, 20.0), False),
        (result(0.95, 20.0), False),
        (result(0.9, 31.0), False),
        (result(0.5, 20.0, trials=20), True),
        (result(0.9, 100.0, runs=20), True),
    ],
)
def test_figures_worse_than_wanted_are_an_exit_code(figures, good):
    assert forecast.is_good(figures) is good


def pairs(*losses_percent: float) -> dict:
    return forecast_beside.figures([(Window(40.0), Window(40.0 - 0.4 * loss, 30)) for loss in losses_percent])


def test_the_loss_of_pairs_is_their_middle_one_and_is_judged_from_five_on():
    found = pairs(1.0, 2.0, 2.5, -1.0, 30.0)
    assert (found["pairs"], found["runs_done"]) == (5, 150)
    assert found["loss_percent"] == pytest.approx(2.0)
    assert found["ratio"] == pytest.approx(0.98)
    assert forecast_beside.is_small(found)
    assert not forecast_beside.is_small(pairs(4.0, 3.5, 3.2, 5.0, 0.0))
    assert forecast_beside.is_small(pairs(20.0))
    assert not forecast.is_good({"beside": pairs(*[4.0] * 5)})
    assert forecast.is_good({"beside": pairs(*[2.0] * 5)})


@pytest.mark.whole
def test_a_pair_of_windows_is_taken_of_a_working_centre_and_no_worker_is_left(tmp_path):
    path = tmp_path / "forecast.json"
    options = ["--trials", "0", "--runs", "0", "--pairs", "1", "--window-s", "3", "--json", str(path)]
    # a process of its own: those that other tests fork must not inherit its sockets
    subprocess.run([sys.executable, "-m", "bench", "forecast", *options], cwd=ROOT, check=True)
    found = json.loads(path.read_text("utf-8"))["beside"]
    assert found["pairs"] == len(found["rounds"]["loss_percent"]) == 1
    assert min(found["cards_per_s"].values()) > 0


def test_the_short_form_writes_every_figure(tmp_path):
    path = tmp_path / "forecast.json"
    options = [
        "--trials",
        "2",
        "--first",
        "2",
        "--runs",
        "2",
        "--cards",
        "100",
        "--processes",
        "1",
        "--pairs",
        "0",
        "--json",
        str(path),
    ]
    assert main(["forecast", *options]) == 0
    written = json.loads(path.read_text("utf-8"))
    assert written["runs_2_s"] > 0
    assert written["open_cards"] >= 100
    assert written["calibration"]["trials"] == 2
