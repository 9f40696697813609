"""`python -m bench soak`: its judge of slopes, planted leaks that it has to find, its upstream, and a short run."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.batches import BATCH_CARDS, Batch, county_batches
from bench.soak import Run, figures, is_good, is_warm, lives_s, main, rows_of
from bench.soak_feed import AHEAD_BATCHES, CHUNK_CARDS, Feed
from bench.soak_limits import LIMITS, SHOWN, TIMES_FROM_CARDS, judged
from bench.soak_samples import Counts as SoakCounts
from bench.soak_samples import Series, disk_rate, handles_of, memory_of, quantiles, rates, threads_of
from bench.soak_slopes import BLOCKS_MAX, blocks_of, slope_of
from controller.asking.conversation import ClientError
from controller.asking.submission import batch_digest
from controller.wire import BatchState, Receipt, Receipts

noise = st.lists(st.floats(-1.0, 1.0), min_size=24, max_size=60)
one_a_block = st.lists(st.floats(-1.0, 1.0), min_size=8, max_size=BLOCKS_MAX)
shorts = ["--seconds", "20", "--kills", "1"]


def life(values, start=0.0, cards_each=1_000.0):
    return [(start + cards_each * place, value) for place, value in enumerate(values)]


# ---- slopes -------------------------------------------------------------------------------------------------------


@given(one_a_block, st.floats(-50.0, 50.0))
def test_a_line_under_any_noise_moves_slope_and_bounds_by_its_own_slope(values, per_unit):
    plain = slope_of([life(values)])
    risen = slope_of([[(cards, value + per_unit * cards / 10_000) for cards, value in life(values)]])
    for name in ("middle", "low", "high"):
        assert getattr(risen, name) == pytest.approx(getattr(plain, name) + per_unit, abs=1e-6)


@given(noise, st.floats(-1e4, 1e4))
def test_a_restart_that_moves_the_level_is_no_slope(values, moved):
    before, after = life(values), life(values, start=100_000.0)
    same = slope_of([before, after])
    other = slope_of([before, [(cards, value + moved) for cards, value in after]])
    assert other.middle == pytest.approx(same.middle, abs=1e-6)
    assert other.low == pytest.approx(same.low, abs=1e-6)


@given(noise, st.integers(0, 1_000_000), st.floats(-1e6, 1e6))
def test_one_block_of_nonsense_among_twelve_does_not_make_a_leak_or_hide_one(values, place, nonsense):
    quiet = [value / 100 for value in (*values, *values)][:48]
    steep = [value + 2 * number for number, value in enumerate(quiet)]
    block = place % BLOCKS_MAX * 4
    for series, leaks in ((quiet, False), (steep, True)):
        series[block : block + 4] = [nonsense] * 4
        found = judged({"memory_mib": [life(series)]}, 48_000)["memory_mib"]
        assert found["is_leak"] is leaks


@given(noise)
def test_noise_of_a_mib_is_never_a_leak_of_memory(values):
    assert not judged({"memory_mib": [life(values)]}, 60_000)["memory_mib"]["is_leak"]


@given(noise, st.floats(6.0, 1e3))
def test_a_leak_of_memory_above_the_limit_is_found_under_noise_of_a_mib(values, mib_per_unit):
    leaking = [value + 10 + number * mib_per_unit / 2 for number, value in enumerate(values)]
    found = judged({"memory_mib": [life(leaking, cards_each=5_000.0)]}, 300_000)["memory_mib"]
    assert found["is_leak"]
    assert found["at_least"] <= found["per_10k_cards"] <= found["at_most"]


def test_too_few_blocks_prove_nothing_and_one_is_no_slope():
    few = slope_of([life([1.0, 2.0, 3.0])])
    assert (few.low, few.high) == (-math.inf, math.inf)
    assert slope_of([life([1.0])]) is None
    assert slope_of([]) is None
    told = judged({"memory_mib": [life([1.0, 900.0, 1_800.0])]}, 3_000)["memory_mib"]
    assert (told["at_least"], told["is_leak"]) == (None, False)
    json.dumps(told, allow_nan=False)


def test_blocks_hold_every_point_once_and_give_their_middles():
    assert list(blocks_of(life([1.0, 2.0, 9.0, 4.0]), 2)) == [(500.0, 1.5), (2_500.0, 6.5)]
    assert len(list(blocks_of(life(range(500))))) == BLOCKS_MAX


def test_times_are_judged_by_their_share_and_only_after_cards_enough():
    rising = {"turn_ms": [life([1.0 + 0.1 * number for number in range(24)])]}
    assert not judged(rising, TIMES_FROM_CARDS - 1)["turn_ms"]["is_leak"]
    assert judged(rising, TIMES_FROM_CARDS)["turn_ms"]["is_leak"]


def test_each_bound_has_its_reason_and_what_is_only_shown_has_none():
    assert all(limit.why and limit.per_unit > 0 and limit.least > 0 for limit in LIMITS.values())
    assert not set(LIMITS) & set(SHOWN)


# ---- a real leak --------------------------------------------------------------------------------------------------


def watched(what: str) -> Series:
    """Let the leaking process make cards and look at it as the soak does."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.bench.soak_leaker", what]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    series = Series()
    try:
        for _ in range(24):
            process.stdin.write("more\n")
            process.stdin.flush()
            cards = int(process.stdout.readline())
            seen = {"handles": handles_of(process.pid), "threads": threads_of(process.pid)}
            series.add(0, cards, memory_of(process.pid) | seen)
    finally:
        process.stdin.close()
        process.wait(60)
    return series


@pytest.mark.parametrize(("what", "figure"), [("MEMORY", "memory_mib"), ("HANDLES", "handles"), ("NOTHING", "")])
def test_a_process_that_leaks_is_found_and_one_that_does_not_is_not(what, figure):
    found = judged(watched(what).lives, 6_000)
    assert {name for name, one in found.items() if one["is_leak"]} == ({figure} if figure else set())
    assert found["memory_mib"]["level"] <= found["rss_mib"]["level"]


# ---- samples ------------------------------------------------------------------------------------------------------


def counts(at_s, cards, turns=0.0, size=0.0):
    return SoakCounts(at_s, cards, size, at_s / 4, {"turn": turns / 1e3, "commit": 0.0}, {"turn": turns, "commit": 0.0})


def test_rates_are_of_the_time_between_two_looks_and_of_nothing_there_is_none():
    found = rates(counts(10.0, 100.0, 50.0), counts(12.0, 200.0, 150.0))
    assert found == {"cards_per_s": 50.0, "cpu_ms_per_card": 5.0, "turn_ms": pytest.approx(1.0)}
    assert rates(counts(10.0, 100.0), counts(11.0, 100.0)) == {}
    assert disk_rate(counts(1.0, 0.0, size=1e6), counts(2.0, 500.0, size=6e6)) == {"disk_bytes_per_card": 10_000.0}
    assert disk_rate(None, counts(2.0, 500.0)) == {}


def test_quantiles_are_told_in_ms_where_there_are_two():
    assert quantiles("question", [0.001] * 19 + [0.1])["question_p50_ms"] == pytest.approx(1.0)
    assert quantiles("question", [number / 1_000 for number in range(101)])["question_p95_ms"] == pytest.approx(95.0)
    assert quantiles("question", [1.0]) == {}


def test_what_warms_up_is_not_judged_but_half_of_the_last_life_is():
    shares = ((0.2, 40_000), (0.3, 40_000), (0.3, 9_000), (0.6, 9_000))
    assert [is_warm(*one, is_last=True) for one in shares] == [False, True, False, True]
    assert [is_warm(*one, is_last=False) for one in shares] == [False, True, False, False]


def test_half_of_the_time_is_one_life():
    assert lives_s(60.0, 0) == [60.0]
    assert lives_s(60.0, 3) == [10.0, 10.0, 10.0, 30.0]


def test_a_run_is_good_when_cards_were_made_nothing_leaks_and_every_law_holds():
    run = Run(cards=24_000.0, restarts_s=[1.0, 3.0], kills=2, moves=9)
    run.series.lives = {"memory_mib": [life([100.0] * 24)], "cards_per_s": [life([40.0] * 24)]}
    result = figures(run)
    assert is_good(result)
    assert result["median"] == {"memory_mib": 100.0, "cards_per_s": 40.0}
    assert result["restart_most_s"] == 3.0
    assert [row[0] for row in rows_of(result)][:2] == ["memory_mib", "cards_per_s"]
    assert not is_good(figures(Run()))
    run.broken = ["a law"]
    assert not is_good(figures(run))
    run.broken = []
    run.series.lives["handles"] = [life(range(24))]
    result = figures(run)
    assert not is_good(result)
    assert "handles LEAK" in [row[0] for row in rows_of(result)]


# ---- the upstream -------------------------------------------------------------------------------------------------


class Service:
    """An upstream door that stores chunks, closes batches when told, and breaks now and then."""

    def __init__(self) -> None:
        self.stored, self.receipts_given, self.acknowledged, self.breaks = {}, [], 0, 0

    def open_batch(self, number, due, count, digest):
        have = self.stored.setdefault(number, set())
        missing = [(first, CHUNK_CARDS) for first in range(0, count, CHUNK_CARDS) if first not in have]
        return BatchState(request=1, batch_number=number, state="receiving", missing=missing)

    def send_chunk(self, number, first, applications):
        if self.breaks and first:
            self.breaks -= 1
            raise ClientError("client.no_answer", "look")
        self.stored[number].add(first)

    def receipts(self, after):
        return Receipts(
            request=1, items=self.receipts_given[after : after + 3], more=len(self.receipts_given) > after + 3
        )

    def acknowledge(self, upto):
        self.acknowledged = upto

    def tell(self, kind, number):
        self.receipts_given.append(
            Receipt(number=len(self.receipts_given) + 1, kind=kind, batch_number=number, at_floor_s=0.0)
        )


def endless():
    number = 0
    while True:
        number += 1
        yield Batch(f"{number:025}", "20260302", "", [b""] * BATCH_CARDS)


def test_the_upstream_keeps_batches_open_reads_every_receipt_and_ends_when_all_are_closed():
    service = Service()
    feed = Feed(service, endless())
    feed.look()
    assert feed.sent == AHEAD_BATCHES
    assert all(have == {0, CHUNK_CARDS} for have in service.stored.values())
    for number in list(service.stored)[:2]:
        service.tell("dispatched", number)
        service.tell("batch_closed", number)
    feed.look()
    assert (feed.sent, feed.closed, service.acknowledged) == (AHEAD_BATCHES + 2, 2, 4)
    feed.ending.set()
    for number in list(service.stored)[2:]:
        service.tell("batch_closed", number)
    assert not feed.is_done
    feed.look()
    assert feed.is_done
    assert feed.kinds["dispatched"] == 2
    assert feed.faults == []


def test_the_upstream_brings_only_what_is_missing_after_a_fault_and_notes_receipts_that_leap():
    service = Service()
    feed, service.breaks = Feed(service, endless()), 1
    with pytest.raises(ClientError):
        feed.look()
    assert list(service.stored.values()) == [{0}]
    feed.look()
    assert feed.sent == AHEAD_BATCHES
    assert next(iter(service.stored.values())) == {0, CHUNK_CARDS}
    service.receipts_given = [Receipt(number=7, kind="made", batch_number="1", at_floor_s=0.0)]
    feed.look()
    assert feed.faults == ["receipt 7 came after 0"]


def test_batches_are_real_applications_of_other_people_each_time():
    source = county_batches("20260302")
    first, second = next(source), next(source)
    assert len(first.applications) == BATCH_CARDS
    assert first.digest == batch_digest(first.applications)
    assert first.batch_number != second.batch_number
    assert not set(first.applications) & set(second.applications)


# ---- all of it ----------------------------------------------------------------------------------------------------


@pytest.mark.whole
def test_a_short_soak_kills_restarts_and_verifies(tmp_path, capsys):
    file = tmp_path / "result.json"
    assert main([*shorts, "--json", str(file)]) == 0, capsys.readouterr().err
    result = json.loads(file.read_text("utf-8"))
    assert (result["bench"], result["kills"], result["stations_kills"]) == ("soak", 1, 1)
    assert (result["leaks"], result["laws_broken"]) == (0, 0)
    assert result["cards"] > 0
    assert result["restart_s"] > 0
    assert {"memory_mib", "handles", "threads", "tasks", "wal_mib", "question_p50_ms"} <= set(result["median"])
    assert "memory_mib" in capsys.readouterr().out
