"""A child of the demo: real processes, small ones."""

from __future__ import annotations

import os
import signal
import sys

import pytest
import trio

from sims.demo.processes import Child, ChildEnded, ending

PATIENCE_S = 20.0
WAITS = "import signal; print('up', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


@pytest.fixture
def child(tmp_path):
    made = []

    def make(code, **how):
        made.append(Child("tester", [sys.executable, "-c", code], tmp_path / "tester.log", **how))
        return made[-1]

    yield make
    for one in made:
        if one.runs:
            one.kill()


async def first_line(child):
    with trio.fail_after(PATIENCE_S):
        async for line in child.lines():
            return line
    return None


async def ended(child):
    with trio.fail_after(PATIENCE_S):
        return await child.wait()


async def test_what_a_child_says_goes_to_its_log_and_the_tail_is_the_end_of_it(child):
    lines = "import sys\nfor n in range(50): print('line', n, flush=True)\n"
    one = child(lines + "print('why', file=sys.stderr); sys.exit(7)")
    await one.start()
    assert await ended(one) == 7
    assert not one.runs
    tail = one.tail(3).splitlines()
    assert len(tail) == 3
    assert "line 49" in tail
    error = one.ended(7)
    assert isinstance(error, ChildEnded)
    assert str(error) == "the tester process ended with exit code 7"
    assert "why" in error.tail


async def test_the_lines_of_a_speaking_child_come_whole_and_the_last_needs_no_end(child):
    one = child("import sys; sys.stdout.write('a\\nbb\\n\\nccc')", speaks=True)
    await one.start()
    with trio.fail_after(PATIENCE_S):
        assert [line async for line in one.lines()] == [b"a", b"bb", b"", b"ccc"]
    assert await ended(one) == 0


async def test_a_killed_child_can_be_started_again(child):
    one = child(WAITS, speaks=True)
    await one.start()
    assert await first_line(one) == b"up"
    pid = one.process.pid
    one.kill()
    assert await ended(one) == -signal.SIGKILL
    await one.start()
    assert await first_line(one) == b"up"
    assert one.process.pid != pid
    assert await one.stop(PATIENCE_S) == -signal.SIGTERM


async def test_a_child_that_does_not_stop_when_asked_is_killed(child):
    one = child(DEAF, speaks=True)
    await one.start()
    assert await first_line(one) == b"up"
    assert await one.stop(0.1) == -signal.SIGKILL


async def test_stopping_a_child_that_has_ended_gives_its_exit_code(child):
    one = child("raise SystemExit(3)")
    await one.start()
    await ended(one)
    assert await one.stop(PATIENCE_S) == 3


async def test_a_child_is_out_of_reach_of_the_terminal_s_ctrl_c(child):
    one = child(WAITS, speaks=True)
    await one.start()
    assert await first_line(one) == b"up"
    assert os.getpgid(one.process.pid) == one.process.pid != os.getpgrp()


async def test_a_program_that_is_not_there_cannot_be_started(tmp_path):
    one = Child("nobody", [str(tmp_path / "nothing")], tmp_path / "log")
    with pytest.raises(OSError, match="nothing"):
        await one.start()
    assert not one.runs
    assert one.tail() == ""


@pytest.mark.parametrize(
    ("code", "told"),
    [(0, "ended with exit code 0"), (-9, "was ended by SIGKILL"), (-11, "was ended by SIGSEGV"), (-250, "signal 250")],
)
def test_an_ending_is_told_by_its_signal_s_name(code, told):
    assert told in ending(code)
