"""What the kernel is asked to do: each acknowledgement comes after a sync of the write-ahead log, under strace."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SEED, LINES = 78, 40
SYNC = re.compile(r"\bf(?:data)?sync\(\d+<[^>]*ledger\.db-wal>")
ACKNOWLEDGEMENT = re.compile(r'\bwrite\(1<[^>]*>, "\d+ \d+\\n"')  # other programs it starts may write there too


def unsynced_acknowledgements(folder, *mode):
    """Record one event at a time under strace; give (acknowledgements, those with no sync since the one before)."""
    trace = folder / "trace.txt"
    command = [
        *("strace", "-f", "-y", "-o", str(trace), "-e", "trace=write,fsync,fdatasync", "-s", "40"),
        *(sys.executable, "-m", "tests.controller.ledger.appender", str(folder), str(SEED), "singly", *mode),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        lines = [process.stdout.readline() for _ in range(LINES)]
        os.killpg(process.pid, signal.SIGKILL)  # strace alone would let go of it
    assert all(lines), "it ended by itself"
    synced, acknowledged, unsynced = False, 0, 0
    for line in trace.read_text("utf-8", errors="replace").splitlines():
        if SYNC.search(line):
            synced = True
        elif ACKNOWLEDGEMENT.search(line):
            acknowledged, unsynced, synced = acknowledged + 1, unsynced + (not synced), False
    return acknowledged, unsynced


def test_each_acknowledgement_follows_a_sync_of_the_log(tmp_path):
    acknowledged, unsynced = unsynced_acknowledgements(tmp_path)
    assert acknowledged >= LINES
    assert unsynced == 0


def test_with_synchronous_normal_the_same_look_finds_acknowledgements_without_a_sync(tmp_path):
    acknowledged, unsynced = unsynced_acknowledgements(tmp_path, "normal")
    assert acknowledged >= LINES
    assert unsynced > LINES // 2
