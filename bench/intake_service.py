"""The service as the intake bench starts it: all of it, with a heartbeat beside it and portrait encoding left out."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from controller import wiring
from controller.config import load_config
from controller.core.events import Encode
from controller.encoding import Encoders
from controller.logs import configure_logs
from controller.service import run_service

BEAT_S = 0.005
BEATS_MAX = 400_000  # of half an hour


class IdleEncoders(Encoders):
    """Encoders that take a job and never end it: what the bench times ends with the receipt of acceptance."""

    async def encode(self, job: Encode) -> None:
        """Wait for ever."""
        await trio.sleep_forever()


@contextmanager
def encoding_left_out() -> Iterator[None]:
    """Meanwhile encoders take jobs and never end them: receipts up to acceptance do not wait for them."""
    before = getattr(wiring, "Encoders")  # noqa: B009
    setattr(wiring, "Encoders", IdleEncoders)  # noqa: B010  the one thing that is not the product's
    try:
        yield
    finally:
        setattr(wiring, "Encoders", before)  # noqa: B010


class Heartbeat:
    """Notes how late the trio loop comes to each beat of a fixed rhythm.

    The rhythm does not wait for the loop: a stall of 100 ms makes twenty beats late, by 100, 95, 90 … ms, so that a
    long stall weighs as much as it lasted.
    """

    def __init__(self) -> None:
        self.beats: deque[tuple[float, float]] = deque(maxlen=BEATS_MAX)  # when it was due, seconds late

    async def run(self) -> None:
        """Beat until cancelled."""
        due_s = time.monotonic()
        while True:
            due_s += BEAT_S
            await trio.sleep(max(0.0, due_s - time.monotonic()))
            now_s = time.monotonic()
            self.beats.append((due_s, now_s - due_s))
            while due_s + BEAT_S < now_s:
                due_s += BEAT_S
                self.beats.append((due_s, now_s - due_s))


async def _serve(config_file: Path, heartbeat: Heartbeat) -> int:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.run)
        code, sentence = await run_service(load_config(config_file), None)
        nursery.cancel_scope.cancel()
    if code:
        print(sentence, file=sys.stderr)
    return code


def run_beside_a_heartbeat() -> int:
    """Serve with the settings of argv 1 until SIGTERM, then write the beats to argv 2."""
    config_file, beats_file = map(Path, sys.argv[1:])
    configure_logs()
    heartbeat = Heartbeat()
    with encoding_left_out():
        code = trio.run(_serve, config_file, heartbeat)
    beats_file.write_text(json.dumps(list(heartbeat.beats)), "ascii")
    return code


if __name__ == "__main__":
    sys.exit(run_beside_a_heartbeat())
