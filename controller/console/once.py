"""Confirmations that are taken once: a page that is loaded again does nothing again."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from controller.console.forms import PageRefused

KEPT_MAX = 10_000  # confirmations that are remembered
NONCE_CHARS = 22


@dataclass(slots=True)
class Once:
    """Remembers which confirmations were used."""

    _used: OrderedDict[str, None] = field(default_factory=OrderedDict)

    @staticmethod
    def nonce() -> str:
        """Give what one confirmation brings back."""
        return secrets.token_urlsafe(16)

    def take(self, nonce: str) -> bool:
        """Say whether a confirmation comes for the first time, and remember it.  Raises: PageRefused: it is none."""
        if len(nonce) != NONCE_CHARS:
            raise PageRefused(400)
        if nonce in self._used:
            return False
        self._used[nonce] = None
        while len(self._used) > KEPT_MAX:
            self._used.popitem(last=False)
        return True

    def give_back(self, nonce: str) -> None:
        """Let a confirmation be used again: nothing was done."""
        self._used.pop(nonce, None)
