"""A good peer of the soak, as a process of its own: it asks how far its batch is, again and again, and times it.

Standard input gives an order as one line of JSON: `endpoint`, `server_public`, `secret`, `today`.  Each further line
is answered with a line of JSON: the real seconds of the answers since the line before.  At its end the process ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import bench
from controller.asking.conversation import Patience
from controller.asking.submission import encode_application
from controller.client import UpstreamClient
from devices.peers import UPSTREAM
from sims.demo.folder import DemoFolder
from sims.faces import FaceSource
from sims.people import Population

PATIENCE = Patience(answer_within_s=2.0, give_up_s=600.0)  # longer than any restart
CARDS, REST_S, KEPT = 8, 0.04, 5_000
WITHIN_S = 60.0


class Asker:
    """The process, for who started it."""

    def __init__(self, folder: DemoFolder, name: str, today: str) -> None:
        """Let it ask; the service need not run yet."""
        order = {
            "endpoint": folder.endpoints["upstreams"],
            "server_public": str(folder.server_public),
            "secret": str(folder.peers / UPSTREAM / f"{name}.secret"),
            "today": today,
        }
        command = [sys.executable, "-m", "bench.soak_asker"]
        place = Path(bench.__path__[0]).parent
        self._process = subprocess.Popen(command, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._say(json.dumps(order))

    def answers_s(self) -> list[float]:
        """Give the seconds of each answer since the last call.  Raises: RuntimeError: it ended."""
        self._say("")
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the asking upstream ended")
        found: list[float] = json.loads(line)
        return found

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except OSError:
            raise RuntimeError("the asking upstream ended") from None


def ask(order: Mapping[str, str], taken: deque[float]) -> None:
    """Bring a small batch, then ask for its state for ever."""
    secret = Path(order["secret"])
    with UpstreamClient.connect(order["endpoint"], Path(order["server_public"]), secret, patience=PATIENCE) as client:
        people = Population(2, order["today"], FaceSource(2))
        encoded = [encode_application(people.application(people.size - 1 - i, order["today"])) for i in range(CARDS)]
        number = f"530100000000{order['today']}00001"
        client.submit_batch(number, order["today"], encoded)
        while True:
            began_s = time.perf_counter()
            client.status(number)
            taken.append(time.perf_counter() - began_s)
            time.sleep(REST_S)


def answer() -> None:
    """Ask until standard input ends."""
    taken = deque[float](maxlen=KEPT)
    order = json.loads(sys.stdin.readline())
    asking = threading.Thread(target=ask, args=(order, taken), daemon=True)
    asking.start()
    for _ in sys.stdin:
        if not asking.is_alive():
            return
        print(json.dumps([taken.popleft() for _ in range(len(taken))]), flush=True)


if __name__ == "__main__":
    answer()
