"""Runs in forked processes: all of them are done, at idle priority, and none outlives the question."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from controller.forecasting.errors import ForecastFailed, ForecastTooLarge
from controller.forecasting.forked import run_forked
from controller.forecasting.frames import MAX_FRAME_BYTES, FrameReader, FrameTooLong, frame_of
from controller.forecasting.idle_process import become_idle

WITHIN_S = 120.0


def nothing(done):
    """Hear how many are done."""


def processes_of(found):
    return {int(body) for body in found.values()}


def is_there(pid):
    return Path(f"/proc/{pid}").exists()


def test_each_run_is_done_once_and_their_order_is_that_of_their_numbers():
    found = run_forked(lambda number: str(number * number).encode(), 41, 2, WITHIN_S, nothing)
    assert found == {number: str(number * number).encode() for number in range(41)}


def test_the_runs_are_shared_out_and_their_processes_gone_when_the_answer_is_there():
    found = run_forked(lambda number: str(os.getpid()).encode(), 10, 2, WITHIN_S, nothing)
    pids = processes_of(found)
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert not any(is_there(pid) for pid in pids)


def test_runs_leave_no_core_and_can_be_made_to_work_when_nothing_else_wants_to():
    def priority(number):
        become_idle()
        core = next(line for line in Path("/proc/self/limits").read_text().splitlines() if "core file" in line)
        return f"{os.getpriority(os.PRIO_PROCESS, 0)} {os.sched_getscheduler(0)} {core.split()[4]}".encode()

    assert run_forked(priority, 1, 1, WITHIN_S, nothing) == {0: f"19 {os.SCHED_IDLE} 0".encode()}


def test_low_priority_is_nice_alone_and_normal_is_as_the_caller_was():
    def priority(number):
        before = os.getpriority(os.PRIO_PROCESS, 0)
        become_idle("normal" if number else "low")
        now = os.getpriority(os.PRIO_PROCESS, 0)
        return f"{now == (before if number else 19)} {os.sched_getscheduler(0) == os.SCHED_IDLE}".encode()

    assert set(run_forked(priority, 2, 2, WITHIN_S, nothing).values()) == {b"True False"}


def test_what_a_run_changes_no_other_run_and_no_caller_sees():
    mine = [0]

    def change(number):
        mine[0] += 1
        return str(mine[0]).encode()

    assert run_forked(change, 4, 4, WITHIN_S, nothing) == dict.fromkeys(range(4), b"1")
    assert mine == [0]


def test_when_the_time_is_over_what_is_done_must_do_and_no_process_is_left(tmp_path):
    def wait_for_ever(number):
        (tmp_path / str(os.getpid())).touch()
        while number:
            signal.pause()
        return b"done"

    found = run_forked(wait_for_ever, 2, 2, 3.0, nothing)
    assert set(found) <= {0}
    assert not any(is_there(path.name) for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "raised"), [(ValueError("secret"), ForecastFailed), (MemoryError(), ForecastTooLarge)]
)
def test_a_run_that_fails_is_told_by_its_kind_alone_and_ends_the_others(error, raised, tmp_path):
    def fail(number):
        (tmp_path / str(os.getpid())).touch()
        if number:
            raise error
        while True:
            signal.pause()

    with pytest.raises(raised) as told:
        run_forked(fail, 2, 2, WITHIN_S, nothing)
    assert "secret" not in str(told.value)
    assert not any(is_there(path.name) for path in tmp_path.iterdir())


def test_a_process_that_is_killed_from_outside_is_told():
    with pytest.raises(ForecastFailed, match="from outside"):
        run_forked(lambda number: os.kill(os.getpid(), signal.SIGKILL) or b"", 1, 1, WITHIN_S, nothing)


def test_how_far_it_is_is_told_in_between():
    told = []

    def slow(number):
        until_s = time.monotonic() + 0.4
        while time.monotonic() < until_s:
            pass
        return b""

    run_forked(slow, 3, 1, WITHIN_S, told.append)
    assert told == sorted(told)
    assert any(0 < done < 3 for done in told)


def test_frames_come_out_whole_however_the_pipe_cuts_them():
    whole = frame_of({"a": 1}) + frame_of([2, 3])
    reader, found = FrameReader(), []
    for place in range(len(whole)):
        found += reader.receive(whole[place : place + 1])
    assert found == [frame_of({"a": 1})[4:], frame_of([2, 3])[4:]]


def test_a_frame_that_nobody_would_send_is_refused_before_it_is_read():
    with pytest.raises(FrameTooLong):
        FrameReader().receive((MAX_FRAME_BYTES + 1).to_bytes(4))
    with pytest.raises(FrameTooLong):
        frame_of(b"x" * (MAX_FRAME_BYTES + 1))
