"""Storms: laws hold under every seed, the same seed gives the same ledger, and a run says what it met."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sims.storm.errors import Broken, StormOptionError
from sims.storm.options import CARDS_MIN, draw_options
from sims.storm.run import Summary, read_seeds, run_command, run_storms
from sims.storm.seed import Outcome, outcome_of, run_seed
from sims.storm.sometimes import SEEDS, STATES, missed
from sims.storm.storm import Storm


@pytest.mark.parametrize("seed", range(6))
def test_every_law_holds_under_a_seed_with_400_cards_and_a_crash(seed):
    outcome = run_seed(seed)
    assert (outcome.law, outcome.what) == ("", "")
    assert outcome.cards >= CARDS_MIN
    assert outcome.crashes >= 1
    assert outcome.moves > CARDS_MIN


def digest_of(hash_seed: str, jobs: str) -> str:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "sims.cli", "storm", "--seeds", "5:9", "--jobs", jobs, "--json", "-"]
    run = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert (report["seeds"], report["violations"], report["mutants"], report["mutants_killed"]) == (4, 0, 0, 0)
    return report["digest"]


def test_the_same_seeds_have_one_digest_in_other_processes_under_other_hash_seeds_and_in_two_jobs():
    assert digest_of("1", "1") == digest_of("4242", "2") == run_storms(range(5, 9), 1).digest


def test_a_place_where_the_summary_cannot_be_written_is_refused_before_any_seed_runs(tmp_path):
    with pytest.raises(StormOptionError, match="make the folder first"):
        run_command("0:1000000", str(tmp_path / "none" / "x.json"), "", 1)


def test_other_seeds_have_another_digest():
    assert run_seed(5).head != run_seed(6).head


def test_each_seed_draws_its_own_rates_and_some_are_zero():
    drawn = [draw_options(seed) for seed in range(50)]
    assert draw_options(7) == drawn[7]
    assert len({one.told() for one in drawn}) == len(drawn)
    for name in ("lost", "jam", "crash_every_s", "power_every_s", "cancelled"):
        rates = {getattr(one, name) for one in drawn}
        assert 0.0 in rates, name
        assert len(rates) > 1, name
        assert f"{name}=" not in next(one for one in drawn if not getattr(one, name)).told()


def test_a_broken_law_is_told_with_its_seed_and_the_last_moves():
    storm = Storm(3)

    def break_it(recorded):
        if storm.laws.moves > 100:
            raise Broken("law 2", "a blank is in two places")

    storm.laws.saw, keep = (lambda recorded: (keep(recorded), break_it(recorded))), storm.laws.saw
    outcome = outcome_of(storm)
    assert (outcome.seed, outcome.law, outcome.what) == (3, "law 2", "law 2: a blank is in two places")
    assert len(outcome.last_moves) > 1


def test_what_kills_the_service_is_a_broken_law_too():
    storm = Storm(3)
    storm.hands.saw = lambda move: {}["nothing of this name"]
    outcome = outcome_of(storm)
    assert outcome.law == "KeyError"
    assert "the service died of KeyError" in outcome.what


def test_a_run_of_many_seeds_that_missed_a_state_is_no_good_run():
    assert missed({}) == list(STATES)
    assert missed(dict.fromkeys(STATES, 1)) == []
    assert not Summary(seeds=SEEDS, missed=["quarantine"]).is_good
    assert not Summary(seeds=1, failures=[Outcome(1, law="law 1")]).is_good
    assert Summary(seeds=1).is_good


@pytest.mark.parametrize("text", ["", "3", "5:5", "7:2", "a:b", "-1:4", "1:2:3"])
def test_seeds_that_are_no_range_are_refused(text):
    with pytest.raises(StormOptionError):
        read_seeds(text)


def test_a_range_of_seeds_leaves_its_end_out():
    assert list(read_seeds("3:6")) == [3, 4, 5]
