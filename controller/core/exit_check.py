"""The exit check: the bundles that are scanned at the door are those that are to leave, each of them once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

EXIT_CHECK = "dispatch.exit_check"
NAMED_MAX = 20  # numbers of each kind in one sentence; whoever lacks more has the wrong trolley


def exit_difference(expected: Iterable[int], scanned: Iterable[int]) -> str:
    """Give what is missing, scanned twice and foreign, in words; empty when the two are the same set, each once."""
    wanted, seen = set(expected), Counter(scanned)
    kinds = {
        "missing": sorted(wanted - seen.keys()),
        "twice": sorted(bundle for bundle, times in seen.items() if times > 1),
        "foreign": sorted(seen.keys() - wanted),
    }
    return "; ".join(f"{kind} {_named(bundles)}" for kind, bundles in kinds.items() if bundles)


def _named(bundles: list[int]) -> str:
    more = len(bundles) - NAMED_MAX
    return ", ".join(map(str, bundles[:NAMED_MAX])) + (f" and {more} more" if more > 0 else "")
