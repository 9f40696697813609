"""Runs in forked processes: each has the parent's memory as it is, does its share, and sends what came of it."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import msgspec

from controller.forecasting.errors import ForecastFailed, ForecastTooLarge
from controller.forecasting.frames import READ_BYTES, FrameReader, frame_of, write_all
from controller.forecasting.idle_process import belong_to
from controller.forecasting.rests import Rests
from encoders.envelope import Opener

TELL_EVERY_S = 0.25  # real seconds
DONE, FAILED, TOO_LARGE = "done", "failed", "too_large"

Work = Callable[[int], bytes]
Told = Callable[[int], None]


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """What a process sends of one run."""

    number: int
    kind: str
    body: bytes


_sent: Opener[Sent] = Opener(Sent, max_bytes=1 << 30)  # the frames have their own bound


def run_forked(work: Work, runs: int, processes: int, within_s: float, told: Told) -> dict[int, bytes]:
    """Give what `work` gives for each of 0 to `runs` - 1, by number; after `within_s` real seconds, what is there.

    `told` hears now and then how many are done.  The caller has one thread and no open connection to a database; when
    this returns or raises, no process is left.  Raises: ForecastFailed, ForecastTooLarge: one of the runs did.
    """
    found: dict[int, bytes] = {}
    ends_s, told_s = time.monotonic() + within_s, 0.0
    with _forked(work, runs, max(1, min(processes, runs))) as pipes, selectors.DefaultSelector() as reading:
        for pipe in pipes:
            reading.register(pipe, selectors.EVENT_READ, FrameReader())
        while reading.get_map() and time.monotonic() < ends_s:
            for key, _ in reading.select(min(TELL_EVERY_S, max(0.0, ends_s - time.monotonic()))):
                received = os.read(key.fd, READ_BYTES)
                if not received:
                    reading.unregister(key.fd)
                for body in key.data.receive(received):
                    _take(_sent.unpack(body), found)
            if time.monotonic() - told_s >= TELL_EVERY_S:
                told_s = time.monotonic()
                told(len(found))
        if not reading.get_map() and len(found) < runs:
            raise ForecastFailed(
                "a process of the runs was ended from outside: try again, with fewer runs if it was memory"
            )
    return found


def _take(sent: Sent, found: dict[int, bytes]) -> None:
    if sent.kind == TOO_LARGE:
        raise ForecastTooLarge(
            "a run took more memory than forecast.memory_mib: raise it, or ask for fewer runs at once"
        )
    if sent.kind == FAILED:
        raise ForecastFailed(f"run {sent.number} ended with {sent.body.decode('utf-8', 'replace')}")
    found[sent.number] = sent.body


@contextmanager
def _forked(work: Work, runs: int, processes: int) -> Iterator[list[int]]:
    """Give the pipes of processes that do every `processes`-th run each; whatever is left of them then is killed."""
    parent, children, pipes = os.getpid(), list[int](), list[int]()
    try:
        for first in range(processes):
            reads, writes = os.pipe()
            pid = os.fork()
            if not pid:
                os.close(reads)  # else a write would wait for a reader that is itself
                _child(work, range(first, runs, processes), writes, parent)
            children.append(pid)
            pipes.append(reads)
            os.close(writes)
        yield pipes
    finally:
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            os.waitpid(pid, 0)
        for pipe in pipes:
            os.close(pipe)


def _child(work: Work, numbers: range, writes: int, parent: int) -> NoReturn:
    """Do a share of the runs and end at once: nothing of the parent's is closed or written twice."""
    code = 1
    try:
        belong_to(parent)
        rests = Rests()
        for number in numbers:
            rests.rest()  # for the run before: an answer that is whole waits for nothing
            write_all(writes, frame_of(Sent(number, *_one(work, number))))
        code = 0
    finally:
        os._exit(code)


def _one(work: Work, number: int) -> tuple[str, bytes]:
    try:
        return DONE, work(number)
    except MemoryError:
        return TOO_LARGE, b""
    except Exception as error:  # noqa: BLE001  here a process begins: whatever it is, the parent says so
        return FAILED, (getattr(error, "code", "") or type(error).__name__).encode()
