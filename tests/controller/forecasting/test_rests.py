"""Rests: an idle process leaves the processors to those it waited for, any other one goes on."""

from __future__ import annotations

import os
import time

from hypothesis import given
from hypothesis import strategies as st

from controller.forecasting import floor_copy, rests
from controller.forecasting.floor_copy import REST_MOVES, DurableMoves
from controller.forecasting.forked import run_forked
from controller.forecasting.idle_process import become_idle
from controller.forecasting.rests import REST, REST_MAX_S, rest_s

WITHIN_S = 120.0


def nothing(done):
    """Hear how many are done."""


def test_an_idle_process_rests_after_runs_that_waited_for_others_and_no_other_process_does(tmp_path, monkeypatch):
    sleep = time.sleep
    monkeypatch.setattr(rests.time, "sleep", lambda rest: (tmp_path / f"{os.getpid()} {rest}").touch())

    def wait(number):
        if number == 2:
            become_idle()
        sleep(0.05)
        return b"done"

    run_forked(wait, 6, 3, WITHIN_S, nothing)
    (rest,) = (float(one.name.split()[1]) for one in tmp_path.iterdir())
    assert 0.04 * REST <= rest <= REST_MAX_S


def test_who_folds_many_moves_rests_now_and_then_and_gives_every_move(monkeypatch):
    class Row:
        at_floor_s = 1.0

    counted = []
    monkeypatch.setattr(floor_copy, "read_rows", lambda *_: iter([Row()] * (2 * REST_MOVES + 5)))
    monkeypatch.setattr(floor_copy, "open_move", lambda row: "move")
    monkeypatch.setattr(rests.Rests, "rest", lambda self: counted.append(1))
    assert len(list(DurableMoves(None).replay())) == 2 * REST_MOVES + 5
    assert len(counted) == 2


def test_an_idle_process_rests_no_longer_than_it_may_in_all(monkeypatch):
    slept = []
    monkeypatch.setattr(rests, "is_idle", lambda: True)
    monkeypatch.setattr(rests, "rest_s", lambda took_s, worked_s: 2.0)
    monkeypatch.setattr(rests.time, "sleep", slept.append)
    bounded = rests.Rests(5.0)
    for _ in range(9):
        bounded.rest()
    assert slept == [2.0, 2.0, 1.0]


@given(st.floats(0, 1e4), st.floats(0, 1e4))
def test_work_that_waited_for_nobody_goes_on_at_once_and_no_rest_is_without_end(worked, waited):
    assert rest_s(worked, worked) == 0.0
    assert 0.0 <= rest_s(worked + waited, worked) <= REST_MAX_S
