"""At most one row a minute of each thing that happens to each account, however often it happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MINUTE_S = 60.0


class AccountAct(NamedTuple):
    """What happened to an account, and who did it; both names are empty when it was no account's."""

    what: str
    account: str
    by: str


@dataclass(slots=True)
class _Row:
    told_s: float
    untold: int = 0


class Minutes:
    """Counts.  The first of a kind is told at once, the others together when its minute is over.

    What is kept is bounded by the accounts there are: a name that is no account's is not kept, it may be a password.
    """

    def __init__(self) -> None:
        self._rows: dict[AccountAct, _Row] = {}

    def add(self, act: AccountAct, now_s: float) -> int:
        """Take one more; give how often it is to be told now, 0 when it waits."""
        row = self._rows.get(act)
        if row is not None and now_s - row.told_s < MINUTE_S:
            row.untold += 1
            return 0
        times = 1 + (row.untold if row else 0)
        self._rows[act] = _Row(now_s)
        return times

    def due(self, now_s: float) -> Iterator[tuple[AccountAct, int]]:
        """Give what waited for its minute to end, with how often it was."""
        for act, row in list(self._rows.items()):
            if now_s - row.told_s < MINUTE_S:
                continue
            if row.untold:
                yield act, row.untold
                self._rows[act] = _Row(now_s)
            else:
                del self._rows[act]
