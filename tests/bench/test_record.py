"""`python -m bench record`: the table, the JSON and what it refuses."""

import json

import pytest

from bench import record
from bench.__main__ import main

SHORT = ["--n", "30", "--rounds", "5"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The JSON file of one short run."""
    path = tmp_path_factory.mktemp("bench") / "record.json"
    assert main(["record", *SHORT, "--json", str(path)]) == 0
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_json_has_machine_medians_and_the_spread_of_each_under_the_same_path(written):
    assert set(written["machine"]) == {"cpus", "system", "python", "numpy", "numba"}
    assert (written["n"], written["rounds"]) == (30, 5)
    for way in ("kernel", "twin", "str_encode"):
        assert written[way]["us_per_record"] > 0
        assert written[way]["records_per_s"] == pytest.approx(1e6 / written[way]["us_per_record"])
        assert written[way]["chunk"] in record.CHUNKS
        assert written["spread"][way]["us_per_record"] >= 0
        assert written["spread"]["ratio"][way] >= 0


def test_the_best_chunk_of_each_way_counts_and_ratios_are_taken_round_by_round(monkeypatch):
    best = {"kernel": 200, "twin": 1, "str_encode": 1000}
    weather = [1.0, 3.0, 1.0, 2.0, 1.0]
    slowness = {"kernel": 1, "twin": 40, "str_encode": 2}

    def measured(jobs, rounds):
        assert set(jobs) == {f"{way}/{chunk}" for way in best for chunk in record.CHUNKS} | {"compiled_part"}
        times = {
            f"{way}/{chunk}": [slowness[way] * (1 if chunk == best[way] else 9) * factor for factor in weather]
            for way in best
            for chunk in record.CHUNKS
        }
        return times | {"compiled_part": [0.5] * rounds}

    monkeypatch.setattr(record, "seconds_in_turn", measured)
    result = record.measure(record.sample_people(10), rounds=5)
    assert {way: result[way]["chunk"] for way in best} == best
    assert result["ratio"] == slowness
    assert result["spread"]["ratio"] == dict.fromkeys(best, 0)
    assert result["twin"]["us_per_record"] == pytest.approx(40 / 10 * 1e6)
    assert result["compiled_part"]["us_per_record"] == pytest.approx(0.5 / 10 * 1e6)


def test_json_to_standard_output_is_nothing_but_json(capsys):
    assert main(["record", *SHORT, "--json", "-"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["bench"] == "record"
    assert "str.encode" in said.err


def test_ways_that_disagree_are_not_timed(monkeypatch, capsys):
    monkeypatch.setitem(record.WAYS, "twin", lambda people: bytes(256 * len(people)))
    assert main(["record", *SHORT]) == 1
    assert "different bytes" in capsys.readouterr().err


def test_the_people_are_the_same_for_the_same_seed_only():
    assert record.sample_people(5, seed=3) == record.sample_people(5, seed=3)
    assert record.sample_people(5, seed=3) != record.sample_people(5, seed=4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--n", "0"], "not a whole number from 1"),
        (["--n", "９"], "not a whole number"),
        (["--n", "9" * 30], "not a whole number"),
        (["--rounds", "4"], "from 5"),
        (["--json", ""], "not a file"),
        (["--json", "no/such/folder/file"], "existing folder"),
        (["--colour"], "unrecognized arguments: --colour"),
        (["--js", "x"], "unrecognized"),
        (["stray"], "stray"),
    ],
)
def test_a_bad_option_is_one_sentence_and_exit_code_2(options, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["record", *options])
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in error
    assert error.count("\n") == 1
