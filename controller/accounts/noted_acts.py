"""What the machine's administrator did to accounts beside the service, kept until the ledger has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from controller.accounts.account import is_name
from controller.act_files import acts_in, write_act

FOLDER = "account_acts"
MADE, LOCKED, UNLOCKED = "made", "locked", "unlocked"
PASSWORD_CHANGED, TOTP_ON, TOTP_OFF = "password_changed", "totp_on", "totp_off"
LOGGED_IN, LOGIN_FAILED, HELD_OFF = "logged_in", "login_failed", "held_off"
NOTED = (MADE, LOCKED, UNLOCKED, PASSWORD_CHANGED, TOTP_ON, TOTP_OFF)


class AccountAct(NamedTuple):
    """What happened to an account, and who did it; both names are empty when it was no account's.

    A name that is no account's is not kept: it may be a password.
    """

    what: str
    account: str
    by: str


def note_act(folder: Path, act: AccountAct) -> None:
    """Make an act durable, before it is done.  Raises: OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_act(folder / FOLDER, act._asdict())


def noted_acts(folder: Path) -> list[tuple[Path, AccountAct | None]]:
    """Give the acts that wait for the ledger, the oldest first; None stands for a file that cannot be read."""
    return acts_in(folder / FOLDER, _read)


def _read(found: Mapping[str, Any]) -> AccountAct | None:
    act = AccountAct(found["what"], found["account"], found["by"])
    fits = act.what in NOTED and is_name(act.account) and (not act.by or is_name(act.by))
    return act if fits else None
