"""The charts of drift: exact by their Markov chain, the same by simulation, and charged to the one that drifts."""

from __future__ import annotations

import random
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core import moves as m
from controller.core.drift import Chart, DriftConfig, DriftWatch, Trace, Visit
from controller.core.moves import Mark
from controller.core.settings import SettingError
from devices.defects import GOOD, cause_of
from tests.controller.core.rough_floor import RoughFloor

CONFIG = DriftConfig()
VISIT = Visit("print", "p1", 1, 0.0)
STEPS = ["print", "laminate", "punch", "write", "inspect"]


def chain(share: float) -> np.ndarray:
    """Steps between the scores of the deciding chart that do not signal; shape (limit, limit)."""
    limit, rise = CONFIG.points(CONFIG.threshold), CONFIG.defect_points()
    steps = np.zeros((limit, limit))
    for score in range(limit):
        steps[score, max(0, score - 1)] += 1 - share
        if score + rise < limit:
            steps[score, score + rise] += share
    return steps


def exact_run_length(share: float) -> float:
    steps = chain(share)
    return float(np.linalg.solve(np.eye(len(steps)) - steps, np.ones(len(steps)))[0])


def exact_median(share: float) -> int:
    steps = chain(share)
    still, cards = np.eye(len(steps))[0], 0
    while still.sum() > 0.5:
        still, cards = still @ steps, cards + 1
    return cards


def new_chart() -> Chart:
    return Chart(CONFIG.defect_points(), CONFIG.points(CONFIG.threshold))


def run_to_signal(chart: Chart, gaps: np.ndarray) -> int:
    """Feed good runs, each with a defect after it, until a signal; give the cards that took."""
    before = chart.cards
    for gap in gaps.tolist():
        if chart.take(1, VISIT, gap - 1, True):
            return chart.cards - before
    raise AssertionError("no signal")


def test_in_control_false_signals_are_as_rare_as_the_exact_chain_says():
    exact = 1e5 / exact_run_length(0.01)
    chart, signals = new_chart(), 0
    for gap in np.random.default_rng(11).geometric(0.01, 200_000).tolist():
        if chart.take(1, VISIT, gap - 1, True):
            signals += 1
            chart.to_zero()
    assert chart.cards >= 5_000_000
    rate = 1e5 * signals / chart.cards
    assert exact == pytest.approx(0.799, abs=0.001)
    assert abs(rate - exact) < 4 * (exact * 1e5 / chart.cards) ** 0.5
    assert rate <= 1.2


def test_a_rise_to_three_percent_is_signalled_after_the_median_of_the_exact_chain():
    dice = np.random.default_rng(12)
    runs = [run_to_signal(new_chart(), dice.geometric(0.03, 400)) for _ in range(3_000)]
    assert exact_median(0.03) == 401
    assert abs(median(runs) - 401) < 20
    assert median(runs) <= 420


def line(moves: list, sheet: int, printer: str, found: dict[int, tuple[str, str]], press: str = "l1") -> None:
    """Record a sheet's whole way; `found` gives defects by position: the step that finds it, and the code."""
    stations = dict(zip(STEPS, [printer, press, "c1", "w1", "i1"], strict=True))
    at, live = 100.0 * sheet, 255
    moves.append((at, m.SheetImposed(sheet, [sheet * 8 + place + 1 for place in range(8)])))
    for index, (step, station) in enumerate(stations.items()):
        job = sheet * 10 + index
        moves.append((at + index, m.JobStarted(job, station, step, [sheet])))
        worked = live
        for place, (finder, code) in found.items():
            if finder == step:
                live &= ~(1 << place)
                moves.append((at + index, marked(sheet, 1 << place, code, station, step)))
        if step == "inspect":
            moves.append((at + index, m.PositionsMarked(sheet, live, Mark.PASSED, GOOD, station, step, step)))
        ends = [m.SheetEnd(sheet, "done", GOOD, worked)]
        moves.append((at + index, m.JobEnded(job, station, step, "done", at, at, ends)))


def marked(sheet: int, mask: int, code: str, station: str, step: str, caused_at: str = "") -> m.PositionsMarked:
    mark = Mark.FILM_SPOILED if step == "print" else Mark.SPOILED
    return m.PositionsMarked(sheet, mask, mark, code, station, caused_at or cause_of(code, step), step)


def drifting_floor(seed: int, sheets: int = 600) -> list:
    dice, moves = random.Random(seed), []
    for sheet in range(1, sheets + 1):
        printer = f"p{sheet % 2 + 1}"
        share = 0.05 if printer == "p2" and sheet > sheets // 3 else 0.005
        found = {}
        for place in range(8):
            if dice.random() < share:
                found[place] = (dice.choice(["print", "inspect"]), "P2")
            elif dice.random() < 0.002:
                found[place] = ("inspect", dice.choice(["L1", "C1", "W2"]))
        line(moves, sheet, printer, found)
    return moves


def fold(moves: list) -> tuple[DriftWatch, list]:
    watch = DriftWatch()
    return watch, [signal for at, move in moves for signal in watch.fold(at, move)]


@pytest.mark.parametrize("seed", range(8))
def test_a_drifting_printer_is_charged_wherever_its_defects_are_found_and_nobody_else_is(seed):
    _, signals = fold(drifting_floor(seed))
    deciding = [signal for signal in signals if signal.deciding]
    assert deciding
    assert {signal.station for signal in deciding} == {"p2"}
    assert all(sheet % 2 for sheet in deciding[0].sheets_since_zero)  # p2 printed the odd sheets
    assert deciding[0].sheets_since_zero[-1] > 200
    assert deciding[0].first_job_id == 10 * min(deciding[0].sheets_since_zero)


@pytest.mark.parametrize("seed", range(4))
def test_folding_twice_gives_equal_state_and_equal_signals(seed):
    moves = drifting_floor(seed)
    assert fold(moves) == fold(moves)


def test_a_code_warns_before_its_station_decides_and_never_decides():
    _, signals = fold(drifting_floor(1))
    assert not signals[0].deciding
    assert (signals[0].station, signals[0].code) == ("p2", "P2")
    assert all(signal.deciding == (signal.code == "") for signal in signals)


def test_a_signal_names_the_sheets_that_are_past_the_station_and_not_inspected():
    moves: list = []
    for sheet in (900, 901):  # printed, not inspected; the second by another printer
        moves.append((1.0, m.SheetImposed(sheet, [1, 2, 3, 4, 5, 6, 7, 8])))
        moves.append((1.0, m.JobStarted(sheet, f"p{sheet - 899}", "print", [sheet])))
        done = [m.SheetEnd(sheet, "done", GOOD, 255)]
        moves.append((2.0, m.JobEnded(sheet, f"p{sheet - 899}", "print", "done", 1.0, 2.0, done)))
    for sheet in range(1, 9):
        line(moves, sheet, "p1", {0: ("inspect", "P1")})
    _, signals = fold(moves)
    first = next(signal for signal in signals if signal.deciding)
    assert first.in_flight == (900,)
    assert first.sheets_since_zero == tuple(range(1, len(first.sheets_since_zero) + 1))
    assert first.cards_since_zero == 8 * len(first.sheets_since_zero) - 7


def test_what_was_made_before_a_signal_does_not_count_again():
    watch = DriftWatch()
    moves: list = []
    for sheet in range(1, 30):
        line(moves, sheet, "p1", dict.fromkeys((0, 1), ("inspect", "P1")))
    started = sorted(moves, key=lambda pair: isinstance(pair[1], m.PositionsMarked | m.JobEnded))
    signals = [signal for at, move in started for signal in watch.fold(at, move)]
    assert [signal.station for signal in signals if signal.deciding] == ["p1"]
    assert watch.charts["p1"].score == 0


@pytest.mark.parametrize(
    ("fate", "masks", "bad"),
    [("spoiled", [255], 1), ("done", [7, 248], 3)],
    ids=["a jam is one incident", "the rest of a film thrown away is not judged"],
)
def test_only_what_was_judged_counts(fate, masks, bad):
    watch = DriftWatch()
    watch.fold(0.0, m.SheetImposed(1, [1, 2, 3, 4, 5, 6, 7, 8]))
    watch.fold(0.0, m.JobStarted(1, "p1", "print", [1]))
    for mask in masks:
        watch.fold(1.0, marked(1, mask, "P1", "p1", "print"))
    watch.fold(1.0, m.JobEnded(1, "p1", "print", "done", 0.0, 1.0, [m.SheetEnd(1, fate, "P1", 255)]))
    assert watch.charts["p1"].score == bad * CONFIG.defect_points()
    assert watch.charts["p1"].cards == bad
    assert not watch.sheets


def test_a_press_that_jams_with_a_whole_load_jammed_once():
    watch, sheets = DriftWatch(), range(1, 25)
    for sheet in sheets:
        watch.fold(0.0, m.SheetImposed(sheet, [8 * sheet + place for place in range(8)]))
    watch.fold(0.0, m.JobStarted(1, "l1", "laminate", list(sheets)))
    for sheet in sheets:
        watch.fold(1.0, marked(sheet, 255, "L1", "l1", "laminate"))
    ends = [m.SheetEnd(sheet, "spoiled", "L1", 255) for sheet in sheets]
    signals = watch.fold(1.0, m.JobEnded(1, "l1", "laminate", "done", 0.0, 1.0, ends))
    assert not signals
    assert (watch.charts["l1"].score, watch.charts["l1"].cards) == (CONFIG.defect_points(), 1)
    assert not watch.sheets


def test_a_rough_floor_leaves_no_sheet_behind_and_counts_each_card_at_most_once_a_station():
    floor = RoughFloor(3, trouble=0.05)
    floor.submit(600.0, 1, cards=150)
    floor.run()
    watch, _ = fold(floor.log)
    again, _ = fold(floor.log)
    imposed = sum(sum(map(bool, move.cards)) for _, move in floor.log if isinstance(move, m.SheetImposed))
    assert watch == again
    assert not watch.sheets
    assert 0 < watch.charts["i1"].cards <= imposed
    assert sum(watch.charts[name].cards for name in ("p1", "p2") if name in watch.charts) <= imposed


@given(seed=st.integers(0, 2**16), trouble=st.sampled_from((0.0, 0.02, 0.08)))
@settings(max_examples=12, deadline=None)
def test_a_sheet_that_passed_whole_counts_as_its_positions_one_by_one_do(seed, trouble):
    floor = RoughFloor(seed, trouble=trouble)
    floor.submit(600.0, 1, cards=60)
    floor.run()
    quick, watch, close = 0, DriftWatch(), DriftWatch()
    for at, move in floor.log:
        if isinstance(move, m.JobEnded):
            traces = [watch.sheets[end.sheet_id] for end in move.sheets if end.sheet_id in watch.sheets]
            quick += sum(trace.passed_whole() for trace in traces)
        signals = watch.fold(at, move)
        with pytest.MonkeyPatch.context() as closely:
            closely.setattr(Trace, "passed_whole", lambda trace: False)
            assert list(close.fold(at, move)) == list(signals)
        assert close == watch
    assert quick


def test_a_drifted_share_that_is_hardly_worse_is_refused():
    with pytest.raises(SettingError):
        DriftConfig(defect_share=0.03, drifted_share=0.031)
