"""Patience with a call that may never come back: it is left behind after a while, and its error is never lost."""

from __future__ import annotations

import threading
from collections.abc import Callable


def call_within(timeout_s: float, call: Callable[[], object], name: str) -> bool:
    """Run `call` in a thread of its own and say whether it came back in time; `name` is the thread's.

    A call that did not is left behind and keeps no process alive.  If it fails later, `threading.excepthook` is told.
    Raises: what `call` raised in time.
    """
    failed: list[Exception] = []
    turn, is_left = threading.Lock(), False

    def run() -> None:
        try:
            call()
        except Exception as error:
            with turn:
                if is_left:  # nobody waits for it
                    raise
                failed.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(timeout_s)
    with turn:
        is_left = thread.is_alive() and not failed
    if failed:
        raise failed[0]
    return not is_left
