"""A full or failing disk under the real writer: it stops, acknowledges nothing more, and loses nothing acknowledged.

The kernel's answers are changed by strace, which works for every user and on every file system: ENOSPC for the Nth
write, EIO for the Nth sync, and all after it or that one alone.
"""

import re
import resource
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from controller.ledger.chain import head_of
from controller.ledger.store import open_ledger
from tests.controller.ledger.floor import SmallFloor

ROOT = Path(__file__).resolve().parents[3]
SEED = 79
NTH = (1, 2, 4, 7, 11, 18, 29, 47)
INJECTED = re.compile(r"= -1 E\w+ \([^)]*\) \(INJECTED\)")
WITHIN_S = 240


def appending(folder):
    return [sys.executable, "-m", "tests.controller.ledger.appender", str(folder), str(SEED), "singly"]


def run_with_faults(folder, call, fault, when):
    """Record until the disk fails; give how the process ended, and what it asked of the disk."""
    trace = folder / "trace.txt"
    paths = [part for name in ("ledger.db", "ledger.db-wal") for part in ("-P", str(folder / name))]
    command = [
        *("strace", "-f", "-y", "-o", str(trace), "-s", "40", *paths),
        *("-e", f"trace={call}", "-e", f"inject={call}:error={fault}:when={when}"),
    ]
    done = subprocess.run(
        [*command, *appending(folder)], cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    return done, trace.read_text("utf-8", errors="replace").splitlines()


async def require_all_acknowledged(folder, said):
    """What stands there is what was recorded, as far as it goes, and it goes as far as anybody was told."""
    lines = said.splitlines()
    acknowledged = int(lines[-1].split()[0]) if lines else 0
    async with open_ledger(folder) as ledger:
        held = sum(1 for _ in ledger.events())
        assert held >= acknowledged
        records = list(islice(SmallFloor(SEED, rows_max=6).run(held), held))
        expected = [(recorded.at_floor_s, move) for recorded in records for move in recorded.moves]
        assert list(ledger.replay()) == expected, "a move is missing, double, or cut from its event"
        assert ledger.head == head_of(expected)
        assert ledger.verify().faults == []
    return acknowledged


@pytest.mark.parametrize("when", NTH)
async def test_after_a_sync_that_failed_nothing_is_acknowledged_and_nothing_acknowledged_is_lost(tmp_path, when):
    done, trace = run_with_faults(
        tmp_path, "fdatasync", "EIO", str(when)
    )  # once in a thread: the next one would succeed
    assert done.returncode == 1, done.stderr[-2_000:]
    assert any(INJECTED.search(line) for line in trace)
    assert "ledger." in done.stderr, done.stderr[-2_000:]
    acknowledged = await require_all_acknowledged(tmp_path, done.stdout)
    assert acknowledged < when, "a sync for each acknowledgement, and none after the one that failed"


@pytest.mark.parametrize("when", NTH)
async def test_a_disk_that_is_full_from_some_write_on_stops_the_writer_and_loses_nothing(tmp_path, when):
    done, trace = run_with_faults(tmp_path, "pwrite64", "ENOSPC", f"{when}+")
    assert done.returncode == 1, done.stderr[-2_000:]
    assert "ledger." in done.stderr, done.stderr[-2_000:]
    assert any(INJECTED.search(line) for line in trace)
    await require_all_acknowledged(tmp_path, done.stdout)


def run_until_full(folder):
    """Record until the write-ahead log can grow no more."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    return subprocess.run(
        appending(folder), cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, preexec_fn=limit, check=False
    )


def run_and_kill(folder, lines):
    """Record until so many events were acknowledged; give what was said."""
    with subprocess.Popen(appending(folder), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
    return said


async def test_after_space_was_freed_it_goes_on_where_it_stopped(tmp_path):
    done = run_until_full(tmp_path)
    assert done.returncode == 1, done.stderr[-2_000:]
    assert "LedgerStopped" in done.stderr
    first = await require_all_acknowledged(tmp_path, done.stdout)
    assert first
    said = run_and_kill(tmp_path, 20)
    assert int(said[0].split()[0]) > first
    assert await require_all_acknowledged(tmp_path, "".join(said)) >= first + 20
