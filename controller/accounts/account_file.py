"""The file of accounts: read when it changed, changed under a lock, whole at any moment, and for its owner alone."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from controller.accounts.account import Account, require_name
from controller.accounts.errors import AccountError
from controller.vault.keys import replace_private
from devices.folders import held_alone

FILE_NAME = "accounts.json"
ACCOUNTS_MAX = 500
LONGEST_BYTES = 1 << 20

Decide = Callable[[dict[str, Account]], None]


class _Whole(msgspec.Struct, forbid_unknown_fields=True):
    accounts: dict[str, Account]
    format: int = 1


_read_whole = msgspec.json.Decoder(_Whole)


class AccountFile:
    """The accounts of a data folder.  The service and the administrator's commands change the same file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._seen: tuple[int, int, int, int] | None = None
        self._accounts: dict[str, Account] = {}

    def read(self) -> Mapping[str, Account]:
        """Give the accounts as they stand now, by name; none when there is no file.

        One look at the folder when nothing changed.  Raises: AccountError accounts.mode, accounts.damaged, accounts.io.
        """
        with _explained(self.path):
            try:
                found = self.path.lstat()
            except FileNotFoundError:
                self._seen, self._accounts = None, {}
                return self._accounts
            seen = (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)
            if seen != self._seen:
                self._accounts = self._load()
                self._seen = seen
        return self._accounts

    def change(self, decide: Decide) -> None:
        """Let `decide` change the accounts, by name; durable on return, or nothing is changed when it raises.

        Blocks while another process changes them.  Raises: AccountError, as `read`; accounts.too_many.
        """
        with _explained(self.path), held_alone(self.path.parent):
            accounts = self._load() if self.path.exists() else {}
            before = dict(accounts)
            decide(accounts)
            if accounts == before:
                return
            if len(accounts) > ACCOUNTS_MAX:
                raise AccountError("accounts.too_many", ACCOUNTS_MAX)
            replace_private(self.path, msgspec.json.format(msgspec.json.encode(_Whole(accounts)), indent=1) + b"\n")
            self._give_to_folder_owner()

    def change_one(self, name: str, change: Callable[[Account], Account]) -> None:
        """Change one account.  Raises: as `change`; AccountError accounts.unknown."""

        def decide(accounts: dict[str, Account]) -> None:
            accounts[name] = change(known(accounts, name))

        self.change(decide)

    def _load(self) -> dict[str, Account]:
        # no link is followed, and a pipe laid in place of the file must not stop the service
        handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise AccountError("accounts.mode", shlex.quote(str(self.path)))
            text = file.read(LONGEST_BYTES + 1) if stat.S_ISREG(mode) else b""
        try:
            whole = _read_whole.decode(text)
            for name in whole.accounts:
                require_name(name)
        except (msgspec.MsgspecError, AccountError):  # whose text would show what the file holds
            raise AccountError("accounts.damaged", self.path) from None
        if whole.format != 1 or len(text) > LONGEST_BYTES:
            raise AccountError("accounts.damaged", self.path)
        return whole.accounts

    def _give_to_folder_owner(self) -> None:
        """Let the service read what the machine's administrator wrote as another user."""
        owner = self.path.parent.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:
            os.chown(self.path, owner.st_uid, owner.st_gid)


def known(accounts: Mapping[str, Account], name: str) -> Account:
    """Give an account.  Raises: AccountError accounts.unknown."""
    if name not in accounts:
        raise AccountError("accounts.unknown", repr(name))
    return accounts[name]


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AccountError("accounts.io", f"{error.filename or path}: {error.strerror}") from None
