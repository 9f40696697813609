"""The entrance: who types a name and a password is let in, told to wait, or refused, all in one way."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b

import structlog
import trio

from controller.accounts.account import (
    Account,
    is_name,
    new_account,
    require_name,
    require_password,
    typed_password,
)
from controller.accounts.account_file import AccountFile
from controller.accounts.back_off import BackOff
from controller.accounts.errors import AccountError
from controller.accounts.first_run import FirstRun, forget_file
from controller.accounts.noted_acts import HELD_OFF, LOGGED_IN, LOGIN_FAILED, MADE, PASSWORD_CHANGED
from controller.accounts.passwords import Passwords
from controller.accounts.recording import Note
from controller.accounts.sessions import Session, Sessions
from controller.accounts.totp import step_of

log = structlog.get_logger()
FIRST_RUN = "first run"  # no name has a blank in it


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is in: the number of the session, for that browser alone."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeldOff:
    """Too many wrong tries before: nothing was looked at, and nothing will be for so long."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class NotLetIn:
    """Name, password or code is wrong, or the account is locked: which of them is not said."""


Answer = Entered | HeldOff | NotLetIn


@dataclass(slots=True)
class Entrance:
    """Everything that decides who gets in.

    `now_s` is a clock that only goes forward, `wall_s` gives seconds since 1970; `note` is told what happened.
    """

    file: AccountFile
    passwords: Passwords
    sessions: Sessions
    first_run: FirstRun
    note: Note
    now_s: Callable[[], float]
    wall_s: Callable[[], float]
    _back_off: BackOff = field(default_factory=BackOff)
    _salt: bytes = field(default_factory=partial(secrets.token_bytes, 16), repr=False)

    async def log_in(self, name: str, password: str, code: str, address: str) -> Answer:
        """Let somebody in who has an account, the password and, where there is one, the code.  Raises: AccountError."""
        found = await self._look(name, password, code, address)
        if not isinstance(found, Account):
            return found
        await self._renew_hash(name, found, password)
        log.info("logged in", account=name)
        self.note(LOGGED_IN, name, name)
        return Entered(self.sessions.begin(name, found.epoch, self.now_s()))

    async def begin_first(self, code: str, name: str, password: str, address: str) -> Answer:
        """Make the first account of all, with the code that the service showed, and let its person in.

        Raises: AccountError: bad_name, password: then the code is not used up; not_first.
        """
        if wait_s := self._back_off.begin(FIRST_RUN, address, self.now_s()):
            self.note(HELD_OFF, "", "")
            return HeldOff(wait_s)
        if not self.first_run.fits(code, self.now_s()):
            log.warning("first-run code refused")
            self.note(LOGIN_FAILED, "", "")
            return NotLetIn()
        self._back_off.succeeded(FIRST_RUN, address, self.now_s())
        typed = require_password(require_name(name), password)
        first = new_account(await self.passwords.hash(typed))
        if not self.first_run.fits(code, self.now_s()):  # somebody was faster with it
            return NotLetIn()
        self.first_run.use_up()
        await trio.to_thread.run_sync(self.file.change, partial(_put_first, name, first))
        forget_file(self.file.path.parent)
        log.info("first account made", account=name)
        self.note(MADE, name, "")
        self.note(LOGGED_IN, name, name)
        return Entered(self.sessions.begin(name, first.epoch, self.now_s()))

    async def change_password(self, name: str, old: str, new: str, address: str) -> Answer:
        """Give somebody another password and a new session; all others end.  Raises: AccountError."""
        typed = require_password(name, new)
        found = await self._look(name, old, None, address)
        if not isinstance(found, Account):
            return found
        changed = found.with_password(await self.passwords.hash(typed))

        def decide(account: Account) -> Account:
            if account.epoch != found.epoch or account.locked:  # an administrator was faster
                raise AccountError("accounts.unknown", repr(name))
            return replace(account, password=changed.password, epoch=changed.epoch)

        await trio.to_thread.run_sync(self.file.change_one, name, decide)
        self.sessions.end_all_of(name)
        log.info("password changed", account=name)
        self.note(PASSWORD_CHANGED, name, name)
        return Entered(self.sessions.begin(name, changed.epoch, self.now_s()))

    def session_of(self, token: str) -> Session | None:
        """Give the session of a number while it lasts and its account is what it was when the session began.

        Raises: AccountError: the file of accounts cannot be read; then nobody is in.
        """
        session = self.sessions.find(token, self.now_s())
        if session is not None and not self._still_has_account(session):
            self.sessions.end(token)
            return None
        return session

    def is_in(self, token: str) -> bool:
        """Say whether a session lasts, without making it last longer: for streams, which go on while nobody works.

        Raises: AccountError.
        """
        session = self.sessions.peek(token, self.now_s())
        return session is not None and self._still_has_account(session)

    def _still_has_account(self, session: Session) -> bool:
        account = self.file.read().get(session.name)
        return account is not None and not account.locked and account.epoch == session.epoch

    async def _look(self, name: str, password: str, code: str | None, address: str) -> Account | HeldOff | NotLetIn:
        """Give the account when all is right; `code` None: the second factor is not asked for."""
        account = self.file.read().get(name) if is_name(name) else None
        key, told = self._key(name, account), name if account else ""
        if wait_s := self._back_off.begin(key, address, self.now_s()):
            log.warning("log-in held off", account=told)
            self.note(HELD_OFF, told, "")
            return HeldOff(wait_s)
        try:
            fits = await self.passwords.fits(account.password if account else None, password)
        except AccountError:
            self._back_off.never_was(key, address, self.now_s())
            raise
        if fits and account and not account.locked and await self._code_fits(name, account, code):
            self._back_off.succeeded(key, address, self.now_s())
            return account
        log.warning("log-in failed", account=told)  # what was typed is not told: it may be the password
        self.note(LOGIN_FAILED, told, "")
        return NotLetIn()

    async def _code_fits(self, name: str, account: Account, code: str | None) -> bool:
        if code is None or not account.totp:
            return True
        step = step_of(account.totp, code, self.wall_s(), account.totp_step)
        if step is None:
            return False
        taken = False

        def take(now: Account) -> Account:
            nonlocal taken
            taken = now.epoch == account.epoch and now.totp_step < step  # two may come with one code
            return replace(now, totp_step=step) if taken else now

        await trio.to_thread.run_sync(self.file.change_one, name, take)
        return taken

    async def _renew_hash(self, name: str, account: Account, password: str) -> None:
        """Hash a password again that was hashed at another cost than today's; its sessions go on."""
        if self.passwords.is_outdated(account.password):
            fresh = await self.passwords.hash(typed_password(password))

            def renew(now: Account) -> Account:
                return replace(now, password=fresh) if now.password == account.password else now

            await trio.to_thread.run_sync(self.file.change_one, name, renew)

    def _key(self, name: str, account: Account | None) -> str:
        """Give by what wrong tries are counted; of a name that is no account's nothing can be had from it."""
        if account:
            return f"{name} {account.epoch}"
        return blake2b(name.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=16).hexdigest()


def _put_first(name: str, account: Account, accounts: dict[str, Account]) -> None:
    if accounts:
        raise AccountError("accounts.not_first")
    accounts[name] = account
