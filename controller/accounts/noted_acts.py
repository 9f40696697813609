"""What the machine's administrator did to accounts beside the service, kept until the ledger has it.

Each act is a file of its own in `account_acts/`, durable before the act is done, as for keys: too often recorded is no
loss, too seldom would be.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import NamedTuple

from controller.accounts.account import is_name
from controller.vault.keys import replace_private, sync_folder

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
    room = folder / FOLDER
    if not room.exists():
        room.mkdir(mode=0o700, parents=True)
        sync_folder(folder)
    replace_private(room / f"{secrets.token_hex(8)}.json", json.dumps(act._asdict()).encode("ascii"))


def noted_acts(folder: Path) -> list[tuple[Path, AccountAct | None]]:
    """Give the acts that wait for the ledger, the oldest first; None stands for a file that cannot be read."""
    room = folder / FOLDER
    paths = sorted(room.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name)) if room.exists() else []
    return [(path, _read(path)) for path in paths]


def _read(path: Path) -> AccountAct | None:
    try:
        found = json.loads(path.read_text("ascii"))
        act = AccountAct(found["what"], found["account"], found["by"])
        fits = act.what in NOTED and is_name(act.account) and (not act.by or is_name(act.by))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return act if fits else None
