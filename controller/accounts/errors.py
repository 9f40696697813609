"""What can be wrong with accounts; `code` is stable."""

from __future__ import annotations

FAULTS = {  # code -> what is wrong and what to do; {} is what it is about, never a secret
    "accounts.bad_name": "{} is no name for an account: up to 32 of a-z, 0-9 and -, the first not a -, as for a key",
    "accounts.unknown": "there is no account {}: `cardmill accounts list` shows those there are",
    "accounts.exists": "there is an account {} already: one person has one account",
    "accounts.not_first": "there are accounts already: an administrator of this machine makes more of them",
    "accounts.too_many": "there are {} accounts, and no more are taken",
    "accounts.password": "this password will not do: 12 to 128 characters, without the name, and not digits alone",
    "accounts.mode": "others may use the file: chmod 600 {}",
    "accounts.damaged": "{} does not hold accounts: put a copy of it back, or remove it and make the accounts anew",
    "accounts.io": "{}",
    "accounts.busy": "too many people log in at this moment: wait a few seconds",
}


class AccountError(Exception):
    """The errors of accounts: `code` is stable (see FAULTS), `sentence` says what to do."""

    code = "accounts"

    def __init__(self, code: str, about: object = "") -> None:
        self.code, self.sentence = code, FAULTS[code].format(about)
        super().__init__(f"{code}: {self.sentence}")
