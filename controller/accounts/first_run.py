"""The code with which the first account is made: shown on the console of the service alone, for half an hour, once."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from pathlib import Path
from typing import TextIO

import structlog

from controller.vault.keys import replace_private

log = structlog.get_logger()
FILE_NAME = "first-run.code"
VALID_S = 1_800.0
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
GROUPS, GROUP_CHARS = 5, 5  # 123 bits


class FirstRun:
    """The one code of this start, of which the hash is kept."""

    def __init__(self) -> None:
        self._hash = b""
        self._until_s = 0.0

    def offer(self, now_s: float) -> str:
        """Give a new code; the one before is worth nothing."""
        groups = ["".join(secrets.choice(ALPHABET) for _ in range(GROUP_CHARS)) for _ in range(GROUPS)]
        self._hash, self._until_s = _hash("".join(groups)), now_s + VALID_S
        return "-".join(groups)

    def fits(self, code: str, now_s: float) -> bool:
        """Say whether a code is the one that was offered, is not used, and not too old."""
        typed = code.strip().lower().replace("-", "").replace(" ", "")
        return hmac.compare_digest(_hash(typed), self._hash) and now_s < self._until_s

    def use_up(self) -> None:
        """Make the code worth nothing."""
        self._hash = b""


def show_code(code: str, folder: Path, console: TextIO, address: str) -> None:
    """Show a code to whoever sits at the service's console, or keeps its data folder.

    A terminal gets a line of its own, past the log: what reads the log (a journal, a collector) must not have it.
    Where standard error is no terminal it may be just that, so the code goes into a file for the owner alone.
    """
    if console.isatty():
        console.write(f"\n  No account yet.  First-run code for {address}first-run (30 minutes, once):  {code}\n\n")
        console.flush()
        return
    replace_private(folder / FILE_NAME, f"{code}\n".encode("ascii"))
    log.warning("no account yet: the first-run code stands in a file of the data folder", file=FILE_NAME)


def forget_file(folder: Path) -> None:
    """Remove the file of a code that is worth nothing any more."""
    (folder / FILE_NAME).unlink(missing_ok=True)


def _hash(code: str) -> bytes:
    return sha256(code.encode("utf-8", "surrogatepass")).digest()
