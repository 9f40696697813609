"""Passwords: hashed by argon2id in one thread at a time, so that a flood of log-ins cannot starve the service."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TypeVar

import trio
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from controller.accounts.account import typed_password
from controller.accounts.errors import AccountError

# RFC 9106: argon2id.  46 MiB and two passes in one lane took 91 ms of one core here; 64 MiB took 134 ms (2026)
TIME_COST, MEMORY_KIB, LANES = 2, 47_104, 1
AT_ONCE, WAITING_MAX = 1, 16

Found = TypeVar("Found")


def usual_hasher() -> PasswordHasher:
    """Give argon2id at the cost that accounts are made with."""
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)


class Passwords:
    """Hashes and compares.  A name without an account costs as much as one with: a hash nobody knows stands for it."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Takes as long as one hash."""
        self._hasher = hasher or usual_hasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Give the hash of a password that is as `require_password` gave it.  Raises: AccountError accounts.busy."""
        return await self._run(self._hasher.hash, password)

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Say whether a password is that of a hash; None stands for nobody's.  Raises: AccountError accounts.busy."""
        fits = await self._run(self._fits, password_hash or self._nobody, typed_password(password))
        return fits and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Say whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., Found], *args: str) -> Found:
        if self._waiting >= WAITING_MAX:
            raise AccountError("accounts.busy")
        self._waiting += 1
        try:
            return await trio.to_thread.run_sync(work, *args, limiter=self._limiter)
        finally:
            self._waiting -= 1
