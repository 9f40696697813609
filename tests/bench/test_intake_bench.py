"""`python -m bench intake`: its figures, what it calls good, and a short run against the real service."""

from __future__ import annotations

import json

import pytest

from bench.intake import MIB, SHORT_ARGS, figures, is_good, main, middle_of, percentile, rss_after_batches
from bench.intake_load import BATCHES, CHUNK_CARDS, Brought, batches_of, chunks_of
from bench.intake_service import BEAT_S, Heartbeat
from controller.asking.submission import batch_digest

WANTED = ("records_per_s", "cpu_ms_per_record", "stall_p99_ms", "rss_peak_mib", "wall_over_floor")


@pytest.fixture
def brought() -> Brought:
    """Twenty chunks in twenty seconds, with half a MiB more memory after each."""
    return Brought(
        began_s=100.0,
        ended_s=121.0,
        cpu_s=10.0,
        client_cpu_s=2.0,
        rss_bytes=[(100.5 + number, 200 * MIB + number * MIB // 2) for number in range(20)],
        chunk_ended_s=[101.0 + number for number in range(20)],
        chunk_s=[0.5] * 20,
        accepted=5_000,
    )


def result_of(brought: Brought) -> dict:
    floor = {"decode_s": 10.0, "curve_s": 1.0, "rows_s": 4.0, "cpu_s": 6.0}
    return figures(brought, [0.001] * 99 + [0.5], floor, 5_000)


def test_the_figures_follow_from_what_was_measured(brought):
    result = result_of(brought)
    assert result["records_per_s"] == pytest.approx(5_000 / 21)
    assert (result["cpu_ms_per_record"], result["stall_p99_ms"]) == (2.0, 500.0)
    assert (result["wall_over_floor"], result["cpu_over_floor"]) == (pytest.approx(1.4), 2.0)
    assert (result["rss_peak_mib"], result["rss_growth_mib"]) == (209.5, 2.5)


def test_memory_is_told_for_each_twentieth_of_the_chunks(brought):
    assert rss_after_batches(brought) == [200.0 + number / 2 for number in range(BATCHES)]


@pytest.mark.parametrize(
    ("name", "worse"),
    [("wall_over_floor", 1.61), ("stall_p99_ms", 20.1), ("rss_growth_mib", 16.1), ("accepted", 4_999)],
)
def test_each_bound_is_judged(brought, name, worse):
    good = result_of(brought) | {"stall_p99_ms": 20.0, "wall_over_floor": 1.6}
    assert is_good(good)
    assert not is_good(good | {name: worse})


def test_a_short_run_is_judged_by_its_receipts_alone(brought):
    short = result_of(brought) | {"n": 600, "wall_over_floor": 9.0}
    assert is_good(short | {"accepted": 600})
    assert not is_good(short | {"accepted": 599})


def test_a_percentile_is_one_of_the_values():
    assert [percentile([3.0, 1.0, 2.0], percent) for percent in (0, 50, 99)] == [1.0, 2.0, 3.0]


async def test_a_stall_makes_as_many_beats_late_as_it_lasted(monkeypatch):
    heartbeat, slept = Heartbeat(), []
    times = iter([10.0, 10.0, 10.0 + 21 * BEAT_S])  # begun, asked before the first rest, and after a long stall

    async def rest(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("bench.intake_service.time.monotonic", lambda: next(times, 10.0 + 21 * BEAT_S))
    monkeypatch.setattr("bench.intake_service.trio.sleep", rest)
    with pytest.raises(KeyboardInterrupt):
        await heartbeat.run()
    late = [late_s for _, late_s in heartbeat.beats]
    assert late == pytest.approx([number * BEAT_S for number in range(20, 0, -1)], abs=BEAT_S / 10)


def test_twenty_batches_hold_all_applications_once_and_their_chunks_follow_each_other():
    batches = batches_of(45)
    assert len(batches) == BATCHES
    assert sum(len(batch.applications) for batch in batches) == 45
    assert len({one for batch in batches for one in batch.applications}) == 45
    assert all(batch.digest == batch_digest(batch.applications) for batch in batches)
    assert [first for _, first in chunks_of(batches)] == [0] * BATCHES
    assert CHUNK_CARDS * 20_000 < 3_670_016  # of portraits of the largest usual size


def test_the_short_form_takes_all_applications_and_gives_all_keys(tmp_path):
    file = tmp_path / "result.json"
    assert main([*SHORT_ARGS, "--n", "120", "--folder", str(tmp_path), "--json", str(file)]) == 0
    result = json.loads(file.read_text("utf-8"))
    assert all(result[key] > 0 for key in WANTED)
    assert result["accepted"] == result["n"] == 120
    assert len(result["rss_mib"]) == BATCHES


def test_the_round_in_the_middle_is_told_whole_and_the_ratio_of_each_beside_it():
    rounds = [{"wall_over_floor": ratio, "wall_s": ratio * 2} for ratio in (1.9, 1.2, 1.4)]
    told = middle_of(rounds)
    assert (told["wall_over_floor"], told["wall_s"]) == (1.4, 2.8)
    assert told["rounds"] == {"wall_over_floor": [1.9, 1.2, 1.4]}
    assert told["spread"]["wall_over_floor"] == pytest.approx(0.35)
    assert middle_of(rounds[:1])["spread"] == {"wall_over_floor": 0.0}
