"""A card that came back, with real processes: the service is killed right after the answer, and the case goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from shutil import copytree
from typing import Any

import trio

from controller.asking.conversation import ClientError
from controller.ledger.receipts import FINAL_KINDS
from controller.ledger.store import open_ledger
from sims.demo.staff import StockKeepers, Supervisors
from sims.floor import DEFAULT_FLOOR
from tests.whole.centre import Centre, run_cli

CARDS, WITHIN_S = 24, 600.0


class Staffed:
    """A centre with stations and staff; `until` lets the staff look after it."""

    def __init__(self, centre: Centre, stack: ExitStack) -> None:
        self.centre = centre
        for station in DEFAULT_FLOOR:
            centre.secret("station", station.name)
        self.secret = centre.secret("upstream", "north")
        centre.start()
        floor = self.start("stations", "--endpoint", centre.doors["stations"], "--secrets", str(self.secret.parent))
        stack.callback(floor.wait, 60)
        stack.callback(floor.terminate)
        names = ("keeper-1", "keeper-2", "supervisor-1", "supervisor-2")
        people = [stack.enter_context(centre.operator(name)) for name in names]
        self.keepers, self.supervisors = StockKeepers(people[0], people[1], CARDS), Supervisors(people[2], people[3])

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        server = ("--server-key", str(self.centre.server_public))
        return subprocess.Popen([sys.executable, "-m", "sims.cli", *args, *server], stdout=subprocess.DEVNULL)

    def until(self, is_so) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < deadline, "the centre did not get there"
            with suppress(ClientError):
                self.keepers.look()
                self.supervisors.look()
            self.centre.rest()

    def make(self, out: Path) -> None:
        """Let an upstream bring its batches, and wait until all are closed."""
        north = self.start(
            *("upstream", "--endpoint", self.centre.doors["upstreams"], "--secret", str(self.secret)),
            *("--out", str(out), "--cards", str(CARDS), "--bad-share", "0", "--hold-share", "0"),
        )

        def is_over() -> bool:
            with suppress(subprocess.TimeoutExpired):
                return north.wait(0.5) == 0
            return False

        try:
            self.until(is_over)
        finally:
            north.terminate()
            north.wait(60)


def told_by(centre: Centre, *args: str) -> dict[str, Any]:
    options = ("--as", "supervisor-1", "--config", str(centre.config), "--data", str(centre.data))
    code, out, errors = run_cli(*args, *options, "--json", "-")
    assert code == 0, errors
    answer: dict[str, Any] = json.loads(out)
    return answer


async def is_sound(data: Path) -> bool:
    async with open_ledger(data) as ledger:
        return ledger.verify().sound


def test_a_returned_card_is_made_again_though_the_service_is_killed_right_after_the_answer(centre):
    with ExitStack() as stack:
        staffed = Staffed(centre, stack)
        staffed.make(centre.folder / "upstream")
        with centre.upstream() as north:
            first = north.receipts(0).items
        number = next(one.acceptance_number for one in first if one.kind == "dispatched")
        copytree(centre.folder / "peers", centre.data / "peers")  # where the command line looks for a key
        case = told_by(centre, "card-back", number, "chip_dead")
        assert case["case"] == 1
        clocks = told_by(centre, "remakes")
        assert clocks["returns_open"] + clocks["returns_in_time"] == 1
        centre.kill()
        centre.start()
        told: list = []

        def is_made() -> bool:
            with centre.upstream() as north:
                told[:] = [one for one in north.receipts(first[-1].number).items if one.acceptance_number == number]
            return any(one.kind in FINAL_KINDS for one in told)

        staffed.until(is_made)
        assert centre.stop() == 0
    assert {(one.case, one.batch_number) for one in told} == {(1, case["batch_number"])}
    kinds = Counter(one.kind for one in told)
    assert (kinds["accepted"], sum(kinds[kind] for kind in FINAL_KINDS)) == (1, 1)
    assert trio.run(is_sound, centre.data)
