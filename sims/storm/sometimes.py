"""What a storm must have met at least once, or it proves less than it says."""

from __future__ import annotations

from collections.abc import Mapping

SEEDS = 200  # from so many on, a run that missed one is a failure

STATES = (
    "crash during recovery",
    "group durable at a crash, nobody was told",
    "group lost at a crash",
    "queue lost at a crash",
    "durable, nobody was told",
    "slow sync",
    "sync failed",
    "zombie fenced off",
    "fold compared with memory",
    "verdicts told again after a crash",
    "asked after a crash: done",
    "asked after a crash: running",
    "asked after a crash: never seen",
    "asked after a crash: forgotten",
    "message lost",
    "message late",
    "message repeated",
    "line down long",
    "station lost in a load",
    "power cut in a load",
    "memory lost in a load",
    "operator off line",
    "job given up",
    "load spoiled",
    "load untouched",
    "film shifted",
    "tray shifted",
    "suspect found_good",
    "suspect found_spoiled",
    "suspect found_missing",
    "remake of a remake",
    "single body",
    "press half full closed: waited",
    "press half full closed: no_more",
    "station held",
    "card held",
    "card let go on",
    "batch held",
    "batch let go on",
    "quarantine",
    "tray inspected again",
    "bundle opened",
    "reject set good",
    "short scan",
    "good card missing",
    "pile repacked",
    "cancelled before print",
    "cancel too late",
    "card release",
    "card refuse",
    "card refuse_late",
    "card resume",
    "batch asked again after its end",
    "receipt fetched again after a crash",
    "conflicting digest refused",
    "conflicting chunk refused",
    "crash during a purge",
)


def missed(seen: Mapping[str, int]) -> list[str]:
    """Give the states that a run never reached."""
    return [state for state in STATES if not seen.get(state)]
