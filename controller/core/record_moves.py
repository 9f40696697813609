"""Moves about the record itself: what stands outside the chain, and whose personal data was destroyed."""

from __future__ import annotations

from controller.core.move import Move


class TablesFolded(Move, frozen=True, array_like=True, tag="tables_folded"):
    """The daily head: digests of what stands outside the chain, so that a change of it shows from now on.

    `batches` are those decided since the last one, each with the digest of its rows in the inbox; `cursors` say how
    far each upstream had read its receipts; `meta` is what the database says of itself.  `waiting` are batches that
    are not decided: which of their rows were there (first index, how many), and the digest of what of these never
    changes.
    """

    day: str  # YYYYMMDD, the floor day that ended
    event_seq: int
    event_hash: bytes  # of that event
    batches: list[tuple[int, bytes]]
    cursors: list[tuple[str, int]]
    meta: list[tuple[str, str]] = []
    waiting: list[tuple[int, list[tuple[int, int]], bytes]] = []


class PurgeApproved(Move, frozen=True, array_like=True, tag="purge_approved"):
    """Two people want the personal data of all batches that were closed before a time destroyed."""

    purge_id: int
    closed_before_floor_s: float
    by: str
    second: str


class BatchesPurged(Move, frozen=True, array_like=True, tag="batches_purged"):
    """The keys of these batches are gone and their ciphertext is deleted; each with its rows' digest from now on.

    `is_last`: the purge is over.  Counts, genealogy and the two duplicate digests of each made card stay.
    `unfinished` of the batches were never brought whole.  `altered` are others that were left as they are, because
    their rows are not those that the chain knows: somebody changed them.
    """

    purge_id: int
    batches: list[tuple[int, bytes]]
    is_last: bool
    unfinished: int = 0
    altered: list[int] = []


class VaultKeysChanged(Move, frozen=True, array_like=True, tag="vault_keys"):
    """The vault's keys were `rotated`, `exported`, `backed_up` or `restored`; or `receipts_rotated`: theirs."""

    what: str
    by: str


class AccountChanged(Move, frozen=True, array_like=True, tag="account"):
    """Something happened to an account of the console, so many times within a minute.

    `made`, `locked`, `unlocked`, `password_changed`, `totp_on`, `totp_off`, `logged_in`, `login_failed`, or `held_off`:
    refused unlooked after too many failures.  `account` is empty for a name that is no account's; `by` where nobody is
    known to have done it.
    """

    what: str
    account: str
    by: str
    times: int = 1


class LedgerRestored(Move, frozen=True, array_like=True, tag="ledger_restored"):
    """This ledger came out of a backup that ended at move `at_seq`; what happened between is not in it.

    All numbers that stations or people outside know jump by `step`, and so does the number of the next receipt of each
    of `upstreams`; sheets that waited wait for nothing any more.  See `core.restored`.
    """

    at_seq: int
    step: int
    upstreams: list[str]


class RestoreReconciled(Move, frozen=True, array_like=True, tag="reconciled"):
    """Two people compared the floor, the blanks and what left the house with the restored ledger: work goes on."""

    by: str
    second: str


AnyRecordMove = (
    TablesFolded
    | PurgeApproved
    | BatchesPurged
    | VaultKeysChanged
    | AccountChanged
    | LedgerRestored
    | RestoreReconciled
)
