"""A whole small centre at work: real service, stations, upstream and staff, with the service killed on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from controller.asking.conversation import ClientError
from sims.demo.staff import StockKeepers, Supervisors
from sims.floor import DEFAULT_FLOOR
from tests.whole.centre import Centre

WITHIN_S = 600.0


def start(*args: str) -> subprocess.Popen[bytes]:
    """Start a command of the simulators."""
    return subprocess.Popen([sys.executable, "-m", "sims.cli", *args], stdout=subprocess.DEVNULL)


def start_again(centre: Centre) -> Centre:
    """Kill the service and start it again; give where it runs."""
    centre.kill()
    centre.start()
    return centre


def run_centre(
    centre: Centre,
    cards: int,
    kills: int,
    interrupt: Callable[[Centre], Centre] = start_again,
    counted: str = "made",
) -> dict[str, object]:
    """Run stations, upstream and staff until every batch is closed; give upstream's report.

    `interrupt` is called `kills` times on the way, at each quarter of the cards by the tally's count `counted`, with
    the centre whose service runs, and gives the one where it runs then.
    """
    for station in DEFAULT_FLOOR:
        centre.secret("station", station.name)
    secret, out = centre.secret("upstream", "north"), centre.folder / "upstream"
    server = ("--server-key", str(centre.server_public))
    centre.start()
    with ExitStack() as stack:
        floor = start("stations", "--endpoint", centre.doors["stations"], *server, "--secrets", str(secret.parent))
        stack.callback(floor.wait, 30)
        stack.callback(floor.terminate)
        north = start(
            *("upstream", "--endpoint", centre.doors["upstreams"], *server, "--secret", str(secret)),
            *("--out", str(out), "--cards", str(cards), "--bad-share", "0.1", "--hold-share", "0.05"),
        )
        stack.callback(north.wait, 30)
        stack.callback(north.terminate)
        people = [
            stack.enter_context(centre.operator(name))
            for name in ("keeper-1", "keeper-2", "supervisor-1", "supervisor-2")
        ]
        keepers = StockKeepers(people[0], people[1], cards)
        supervisors = Supervisors(people[2], people[3])
        left, deadline = kills, time.monotonic() + WITHIN_S
        while north.poll() is None:
            assert time.monotonic() < deadline, "the centre did not finish"
            with suppress(ClientError):
                keepers.look()
                supervisors.look()
                done = people[0].command("status")["tally"][counted]
                if left and done >= cards // 4 * (kills - left):
                    left -= 1
                    centre = interrupt(centre)
            with suppress(subprocess.TimeoutExpired):
                north.wait(0.5)
        assert north.returncode == 0
        assert left == 0, "the work was done before the last interruption"
    assert centre.stop() == 0
    return json.loads((out / "upstream.json").read_text("utf-8"))
