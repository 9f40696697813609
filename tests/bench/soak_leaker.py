"""A tiny process that makes cards and leaks, or not: `python -m tests.bench.soak_leaker MEMORY|HANDLES|NOTHING`.

Each line on standard input lets it make CARDS cards; it answers with how many it made since its start.
"""

from __future__ import annotations

import os
import sys

CARDS = 250
LEAKED_BYTES = 20_000  # a card


def leak(what: str) -> None:
    """Make cards until standard input ends."""
    kept, made = [], 0
    for _ in sys.stdin:
        for number in range(CARDS):
            work = bytearray(os.urandom(LEAKED_BYTES))
            if what == "MEMORY":
                kept.append(work)
            elif what == "HANDLES" and number % 50 == 0:
                kept.append(open(os.devnull, "rb"))  # noqa: SIM115  that it is never closed is the point
        made += CARDS
        print(made, flush=True)


if __name__ == "__main__":
    leak(sys.argv[1])
