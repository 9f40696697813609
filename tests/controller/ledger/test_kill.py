"""A real process is killed with -9 while it records: nothing it acknowledged is lost (law 3)."""

import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

from controller.ledger.chain import head_of
from controller.ledger.store import open_ledger
from tests.controller.ledger.floor import SmallFloor

ROOT = Path(__file__).resolve().parents[3]
KILLS = 20
SEED = 77


def _run_and_kill(folder, url, lines):
    """Let a process record until it printed so many lines, kill it, and give the last (events, moves) it printed."""
    command = [sys.executable, "-m", "tests.controller.ledger.appender", str(folder), str(SEED), url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        said = b"".join(process.stdout.readline() for _ in range(lines))
        process.kill()
        said += process.stdout.read()
    assert process.returncode == -9, "it ended by itself"
    whole = said[: said.rindex(b"\n")].splitlines()
    acknowledged = [tuple(map(int, line.split())) for line in whole]
    assert acknowledged == sorted(acknowledged), "acknowledgements came out of order"
    return acknowledged[-1]


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path, engine_url):
    luck, last = random.Random(5), 0
    for _ in range(KILLS):
        events, moves = _run_and_kill(tmp_path, engine_url, luck.randint(1, 250))
        assert events > last, "it went on where the ledger ended"
        async with open_ledger(tmp_path, url=engine_url) as ledger:  # the lock is free, the end of the chain is sound
            last = sum(1 for _ in ledger.events())
            assert last >= events
            assert ledger.head.seq >= moves
    records = list(islice(SmallFloor(SEED, rows_max=6).run(last), last))
    expected = [(recorded.at_floor_s, move) for recorded in records for move in recorded.moves]
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        assert list(ledger.replay()) == expected, "a move is missing, double, or cut from its event"
        assert ledger.head == head_of(expected)
        assert ledger.verify().faults == []
