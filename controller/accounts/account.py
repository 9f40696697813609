"""One person's account: what it holds, and what every change makes of it."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass, field, replace

from controller.accounts.errors import AccountError
from devices.peers import NAME

PASSWORD_MIN, PASSWORD_MAX = 12, 128  # characters
NAME_TELLS = 3  # characters from which on a name in a password is no chance
EPOCH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Account:
    """What is kept of a person.  Rights are not here: they belong to the name, wherever it is used.

    `epoch` is another one after every change that has to end the sessions begun before.
    """

    password: str = field(repr=False)  # argon2id, as its library writes it
    epoch: str
    locked: bool = False
    totp: str = field(default="", repr=False)  # the shared secret in base32; empty: no second factor
    totp_step: int = 0  # the last step a code was taken of: none is taken twice

    def with_password(self, password_hash: str) -> Account:
        """Give it with another password; its sessions end."""
        return replace(self, password=password_hash, epoch=new_epoch())

    def with_lock(self, locked: bool) -> Account:
        """Give it locked or not; its sessions end, and whoever was held off begins anew."""
        return replace(self, locked=locked, epoch=new_epoch())

    def with_totp(self, secret: str) -> Account:
        """Give it with another second factor, none when empty; its sessions end."""
        return replace(self, totp=secret, totp_step=0, epoch=new_epoch())


def new_account(password_hash: str) -> Account:
    """Give the account of somebody new."""
    return Account(password_hash, new_epoch())


def new_epoch() -> str:
    """Give a mark that was never used: a file put back from a copy must not bring old sessions back."""
    return secrets.token_hex(EPOCH_BYTES)


def is_name(name: str) -> bool:
    """Say whether a text can be an account's name: the same names as keys have."""
    return NAME.fullmatch(name) is not None


def require_name(name: str) -> str:
    """Give the name.  Raises: AccountError accounts.bad_name."""
    if not is_name(name):
        raise AccountError("accounts.bad_name", repr(name))
    return name


def typed_password(password: str) -> str:
    """Give a password as it is hashed: two keyboards may write one character in two ways (Unicode NFC)."""
    return unicodedata.normalize("NFC", password)


def require_password(name: str, password: str) -> str:
    """Give a new password as it is hashed.  Raises: AccountError accounts.password, which does not show it."""
    password = typed_password(password)
    is_long = PASSWORD_MIN <= len(password) <= PASSWORD_MAX
    has_name = len(name) >= NAME_TELLS and name in password.lower()
    is_plain = has_name or password.isdecimal() or len(set(password)) < 5
    if not is_long or is_plain or not password.isprintable():
        raise AccountError("accounts.password")
    return password
