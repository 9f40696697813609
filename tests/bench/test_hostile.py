"""`python -m bench hostile`: one attack against a service of its own, and what its figures are made of."""

from __future__ import annotations

import json

import pytest

from bench.hostile import figures_of, is_good, main


def result(pairs: int, **row: float) -> dict[str, object]:
    return {"pairs": pairs, "attacks": {"one": {"median_ratio": 1.0, "got_through": 0} | row}}


def test_figures_are_median_and_p95_of_both_windows_and_their_quotients():
    figures = figures_of([0.001] * 20, [0.002] * 19 + [0.1])
    assert figures["median_without_ms"] == pytest.approx(1.0)
    assert figures["median_ratio"] == pytest.approx(2.0)
    assert figures["p95_ratio"] > 2.0
    assert (figures["answers_without"], figures["answers_during"]) == (20, 20)


@pytest.mark.parametrize(
    ("pairs", "row", "good"),
    [
        (3, {}, True),
        (3, {"median_ratio": 2.1}, False),
        (1, {"median_ratio": 9.0}, True),
        (1, {"got_through": 1}, False),
    ],
)
def test_an_attack_that_gets_through_is_bad_and_so_is_a_doubled_median_of_enough_pairs(pairs, row, good):
    assert is_good(result(pairs, **row)) is good


def test_one_attack_is_played_against_a_real_service_and_stopped(tmp_path, capsys):
    out = tmp_path / "result.json"
    only = ("unlisted key", "batch flood")
    named = [word for name in only for word in ("--only", name)]
    assert main(["--pairs", "1", "--window-ms", "100", *named, "--json", str(out)]) == 0
    found = json.loads(out.read_text("utf-8"))
    assert set(found["attacks"]) == set(only)
    for row in found["attacks"].values():
        assert row["rounds"] >= 1
        assert row["got_through"] == 0
        assert min(row["median_without_ms"], row["median_during_ms"]) > 0
    assert "unlisted key" in capsys.readouterr().out
