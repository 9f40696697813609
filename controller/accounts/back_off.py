"""How long somebody has to wait after wrong passwords: twice as long each time, and never longer than 15 minutes."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from dataclasses import dataclass

LONGEST_S = 900.0
FORGET_S = 3_600.0  # after so long without a failure all is forgotten
KEPT_MAX = 20_000  # names and addresses of whom failures are known; beyond, the oldest is forgotten
KNOWN_ADDRESSES = 8  # of one account, from which it got in


@dataclass(frozen=True, slots=True)
class Patience:
    """From which failure on there is a wait, and its longest."""

    free: int
    longest_s: float

    def after(self, failures: int) -> float:
        """Give the wait in seconds after so many failures."""
        return 0.0 if failures < self.free else min(self.longest_s, 2.0 ** min(failures - self.free, 32))


# one account from one address; one address whoever is tried; one account from addresses it never got in from.  The last
# is short: from many addresses a stranger could make it last for ever, and its owner would never get in from a new one
PAIR, ADDRESS, ACCOUNT = Patience(3, LONGEST_S), Patience(20, LONGEST_S), Patience(10, 60.0)

Key = tuple[str, str]


@dataclass(slots=True)
class _Failures:
    count: int = 0
    until_s: float = 0.0
    last_s: float = 0.0


class BackOff:
    """Who has to wait.  An attempt counts as failed from its beginning, so many at once are no way around it."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Key, _Failures] = OrderedDict()
        self._known: dict[str, deque[str]] = {}

    def begin(self, account: str, address: str, now_s: float) -> float:
        """Begin an attempt and give 0, or give how many seconds there are to wait before the next one."""
        kinds = self._kinds(account, place(address))
        wait_s = max(self._failures[key].until_s - now_s if key in self._failures else 0.0 for key in kinds)
        if wait_s > 0:
            return wait_s
        for key, patience in kinds.items():
            found = self._failures.setdefault(key, _Failures())
            if now_s - found.last_s > FORGET_S:
                found.count = 0
            found.count, found.last_s = found.count + 1, now_s
            found.until_s = now_s + patience.after(found.count)
            self._failures.move_to_end(key)
        while len(self._failures) > KEPT_MAX:
            self._failures.popitem(last=False)
        return 0.0

    def never_was(self, account: str, address: str, now_s: float) -> None:
        """Take back an attempt that was not looked at, or that succeeded."""
        for key in self._kinds(account, place(address)):
            if found := self._failures.get(key):
                found.count, found.until_s = max(found.count - 1, 0), min(found.until_s, now_s)

    def succeeded(self, account: str, address: str, now_s: float) -> None:
        """Forget what failed from this address, and remember the address."""
        self.never_was(account, address, now_s)
        where = place(address)
        self._failures.pop((account, where), None)
        known = self._known.setdefault(account, deque(maxlen=KNOWN_ADDRESSES))
        if where not in known:
            known.append(where)
        while len(self._known) > KEPT_MAX:
            self._known.pop(next(iter(self._known)))

    def _kinds(self, account: str, where: str) -> dict[Key, Patience]:
        kinds = {(account, where): PAIR, ("", where): ADDRESS}
        if where not in self._known.get(account, ()):
            kinds[(account, "")] = ACCOUNT
        return kinds


def place(address: str) -> str:
    """Give what stands for an address: of IPv6 its /64, of which one person has all."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
