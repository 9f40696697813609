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
    """Remembers which confirmations were used, and the word for whoever brings one again."""

    _used: OrderedDict[str, str] = field(default_factory=OrderedDict)

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
        self._used[nonce] = "already_begun"  # cut off before its answer, it may be done or not
        while len(self._used) > KEPT_MAX:
            self._used.popitem(last=False)
        return True

    def is_done(self, nonce: str) -> None:
        """Take note that what it confirmed was done."""
        self._used[nonce] = "already_done"

    def word_of(self, nonce: str) -> str:
        """Give the word for a confirmation that was used."""
        return self._used[nonce]

    def give_back(self, nonce: str) -> None:
        """Let a confirmation be used again: nothing was done."""
        self._used.pop(nonce, None)
