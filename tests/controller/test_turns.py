"""Long turns: the service breaks no other's turn, and neither do the threads it starts afterwards."""

import os
import subprocess
import sys

import pytest

from controller.upkeep import turns

PROGRAM = (
    "import os, threading\n"
    "from controller.upkeep.turns import take_long_turns\n"
    "take_long_turns()\n"
    "seen = []\n"
    "thread = threading.Thread(target=lambda: seen.append(os.sched_getscheduler(0)))\n"
    "thread.start(); thread.join()\n"
    "print(os.sched_getscheduler(0) == seen[0] == os.SCHED_BATCH)\n"
)


def test_a_process_that_takes_long_turns_starts_threads_that_do_too():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "True", done


@pytest.mark.parametrize("error", [PermissionError, AttributeError])
def test_a_system_that_refuses_or_does_not_know_them_changes_nothing(error, monkeypatch):
    before = os.sched_getscheduler(0)

    def refuses(*_):
        raise error

    monkeypatch.setattr(turns.os, "sched_setscheduler", refuses)
    turns.take_long_turns()
    assert os.sched_getscheduler(0) == before


def test_another_policy_that_the_service_was_started_with_stays():
    given = "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\n"
    program = PROGRAM.replace("take_long_turns()\n", given + "take_long_turns()\n")
    program = program.replace("os.SCHED_BATCH", "os.SCHED_IDLE")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "True", done
