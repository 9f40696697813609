"""A good peer that goes on asking while others attack: an upstream for its receipts, an operator for the status."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import psutil

GROWN_MOST_BYTES = 400 << 20  # generous: one chunk of 200 portraits in every place it may be at once
ANSWERS_LEAST = 3
WITHIN_S = 120.0


@dataclass
class GoodPeer:
    """Asks in a thread of its own from `__enter__` to `__exit__`; every answer has to come."""

    centre: object
    answers: int = 0
    failed: list[BaseException] = field(default_factory=list)

    def __enter__(self):
        self._stop, self._answered = threading.Event(), threading.Condition()
        self._process = psutil.Process(self.centre.process.pid)
        self._before_bytes = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        self.wait_for_answers()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.wait_for_answers()  # after the attack, too
        self._stop.set()
        self._thread.join(WITHIN_S)
        if kind is None:
            assert self.failed == []
            grown = self._process.memory_info().rss - self._before_bytes
            assert grown < GROWN_MOST_BYTES, f"the service grew by {grown >> 20} MiB"

    def wait_for_answers(self):
        """Wait until some more answers came."""
        goal, until_s = self.answers + ANSWERS_LEAST, time.monotonic() + WITHIN_S
        with self._answered:
            while self.answers < goal and not self.failed:
                assert self._answered.wait(until_s - time.monotonic()), "the good peer got no answer"
        assert self.failed == []

    def _ask(self):
        try:
            with ExitStack() as stack:
                upstream = stack.enter_context(self.centre.upstream("good"))
                operator = stack.enter_context(self.centre.operator("good-operator"))
                while not self._stop.wait(0.01):
                    assert upstream.receipts(0).items == []
                    assert operator.command("status")["run"] == 1
                    with self._answered:
                        self.answers += 1
                        self._answered.notify_all()
        except BaseException as error:  # noqa: BLE001  a thread begins here: the test is told
            with self._answered:
                self.failed.append(error)
                self._answered.notify_all()
