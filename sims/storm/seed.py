"""One seed from its first event to its last check, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from controller.core.errors import CoreError
from controller.ledger.errors import LedgerError
from sims.storm.ends import check_end, check_fold_of
from sims.storm.errors import Broken
from sims.storm.purge import PURGED_AT, PURGED_EVERY, purge
from sims.storm.storm import Storm

ERROR_CHARS = 300


@dataclass(slots=True)
class Outcome:
    """What came of one seed; `law` is empty when all held."""

    seed: int
    head: str = ""
    cards: int = 0
    crashes: int = 0
    moves: int = 0
    ended_s: float = 0.0
    law: str = ""
    what: str = ""
    last_moves: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)


def run_seed(seed: int) -> Outcome:
    """Run one seed."""
    storm = Storm(seed)
    outcome = outcome_of(storm)
    storm.close()
    return outcome


def outcome_of(storm: Storm) -> Outcome:
    """Run a storm to its end, and say what came of it."""
    outcome = Outcome(storm.seed, seen=storm.seen)
    try:
        _play(storm)
    except Broken as error:
        outcome.law, outcome.what = error.law, str(error)
    except Exception as error:  # noqa: BLE001  a task begins here: the service would have died of it
        name = type(error).__name__
        outcome.law = error.code if isinstance(error, CoreError | LedgerError) else name
        outcome.what = f"the service died of {name}: {str(error)[:ERROR_CHARS]}"
    outcome.last_moves = [repr(move) for move in storm.last_moves] if outcome.law else []
    outcome.cards = sum(len(one.encoded) for up in storm.upstreams.values() for one in up.batches)
    outcome.crashes, outcome.moves, outcome.ended_s = storm.crashes, storm.laws.moves, storm.timeline.now_s
    if storm.life is not None:
        outcome.head = storm.life.disk.committer.book.head.hash.hex()  # type: ignore[union-attr]
    return outcome


def _play(storm: Storm) -> None:
    storm.play()
    check_end(storm)
    if storm.seed % PURGED_EVERY == PURGED_AT:
        purge(storm)
        check_fold_of(storm)
