"""The mutants: deliberate protocol bugs, planted into this process's code objects for as long as a hunt lasts.

No switch of any kind stands in the product: each mutant replaces a function, or an entry of a table, and puts the
right one back.  A mutant that no seed kills shows a hole in the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from sims.storm import mutants_of_disk, mutants_of_floor, mutants_of_ledger
from sims.storm.planting import Mutant
from sims.storm.seed import run_seed

MUTANTS: Mapping[str, Mutant] = {
    mutant.name: mutant for mutant in (*mutants_of_disk.MUTANTS, *mutants_of_ledger.MUTANTS, *mutants_of_floor.MUTANTS)
}


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of a mutant: the first seed that broke a law under it, and which; `law` is empty when it lives."""

    name: str
    seed: int = -1
    law: str = ""


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Have a mutant in this process."""
    with ExitStack() as stack:
        for owner, key, make in MUTANTS[name].patches:
            stack.enter_context(_replaced(owner, key, make))
        yield


@contextmanager
def _replaced(owner: Any, key: Any, make: Any) -> Iterator[None]:
    is_table = isinstance(owner, dict)
    right = owner.get(key) if is_table else getattr(owner, key)
    wrong = make(right)
    if is_table:
        owner[key] = wrong
    else:
        setattr(owner, key, wrong)
    try:
        yield
    finally:
        if not is_table:
            setattr(owner, key, right)
        elif right is None:
            del owner[key]
        else:
            owner[key] = right


def hunt(name: str, seeds: range) -> Killed:
    """Let a mutant meet seeds until one of them breaks a law."""
    with planted(name):
        for seed in seeds:
            outcome = run_seed(seed)
            if outcome.law:
                return Killed(name, seed, outcome.law)
    return Killed(name)
