"""The whole verification: ledger and vault of a data folder, and what others carried away of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from controller.audit.carried import Carried, check_carried, check_head
from controller.audit.errors import NoLedger, Unreadable
from controller.audit.sealed import check_vault
from controller.audit.snapshots import SnapshotCheck
from controller.config import Config
from controller.evidence.errors import EvidenceError
from controller.evidence.public_keys import PublicKeys
from controller.evidence.signing import PUBLIC_NAME
from controller.ledger import tables
from controller.ledger.chain import Head
from controller.ledger.engine import Place, reach_advice, reason_of
from controller.ledger.store import ledger_place
from controller.ledger.verify.report import Tell, Verified, tell_nobody
from controller.ledger.verify.rows import readable
from controller.ledger.verify.whole import verify_into
from controller.vault.errors import VaultError
from controller.vault.key_files import KEYRING_NAME, MASTER_KEY_NAME, read_ring
from controller.vault.keyring import KeyRing
from controller.vault.store import vault_place

NO_VAULT = "vault: not looked into, it is not here"  # an auditor's copy, without keys
VAULT_GONE = "the vault is gone, and keys of it are here: restore a backup"


def ledger_of(folder: Path, url: str = "") -> Place:
    """Give where the ledger of a data folder stands; it may be in use.  Raises: NoLedger."""
    place = ledger_place(folder, url)
    if not url and not place.path.is_file():
        raise NoLedger(f"there is no {place.path.name} in {folder.name!r}: name its data folder, or give --config FILE")
    return place


def verify_folder(
    folder: Path,
    url: str = "",
    carried: Sequence[Carried] = (),
    heads: Sequence[Head] = (),
    tell: Tell = tell_nobody,
    config: Config | None = None,
) -> Verified:
    """Verify ledger and vault, as each is at one moment, and hold what was carried away against the ledger.

    `url` names a PostgreSQL database, as in the settings; the keys are files of the folder either way.  Nothing is
    changed, and a service may work there meanwhile; where none does, SQLite may copy its log into the file.  What
    cannot be looked at stands in `notes`.  With the service's `config` the snapshots are folded anew too.
    Raises: NoLedger.  Unreadable: a carried file is another thing, or a server cannot be reached.  LedgerUnfit.
    """
    with opened_ledger(folder, url) as ledger:
        report = Verified(tell=tell)
        with readable(report, "the ledger"):
            snapshots = [SnapshotCheck(ledger, config, report).apply] if config else []
            verify_into(report, ledger, whole=True, others=snapshots)
        for head in heads:
            with readable(report, "the chain"):
                check_head(ledger, head, "the head that was written down", report)
        keys = _receipt_keys(folder, report) if carried else None
        for one in carried:
            with readable(report, "the receipts"):
                check_carried(ledger, one, report, keys)
        vault_here = vault_place(folder, url)
        if not url and not vault_here.path.is_file():
            _say_no_vault(folder, report)
            return report
        with _opened(vault_here) as vault, readable(report, "the vault"):
            check_vault(vault, ledger, lambda: _ring(folder, report), report)
    return report


@contextmanager
def opened_ledger(folder: Path, url: str = "") -> Iterator[Engine]:
    """Give the ledger of a data folder to read from.

    Raises: LedgerUnfit.  Unreadable: its server cannot be reached.  NoLedger: nothing was ever stored there.
    """
    place = ledger_of(folder, url)
    with _opened(place) as engine:
        if url:
            _require_there(place, engine)
        yield engine


@contextmanager
def _opened(place: Place) -> Iterator[Engine]:
    engine = place.reader()
    try:
        yield engine
    finally:
        engine.dispose()


def _require_there(place: Place, engine: Engine) -> None:
    """Raises: Unreadable, NoLedger: a server has nothing to look at, which is no fault of what was recorded."""
    try:
        is_new = place.is_new(engine, tables.meta) and place.is_new(engine, tables.move)
    except DBAPIError as error:
        advice = reach_advice(error) or "; see docs/storage.md"
        raise Unreadable(f"{place.name} cannot be reached ({reason_of(error)}){advice}") from None
    if is_new:
        raise NoLedger(f"there is no {place.name} in the database of storage.url: the first start makes it")


def _say_no_vault(folder: Path, report: Verified) -> None:
    """Say that there is no vault: a fault where its keys are, which only the service's own folder has."""
    if any((folder / name).exists() for name in (KEYRING_NAME, MASTER_KEY_NAME)):
        report.add(VAULT_GONE)
    else:
        report.notes.append(NO_VAULT)


def _receipt_keys(folder: Path, report: Verified) -> PublicKeys | None:
    """Give the keys by which receipts are verified, or None where there are none; a damaged file is a fault."""
    path = folder / "keys" / PUBLIC_NAME
    if not path.exists():
        return None
    try:
        return PublicKeys.read(path)
    except EvidenceError as error:
        report.add(f"the keys of receipts cannot be used: {error}")
        return None


def _ring(folder: Path, report: Verified) -> KeyRing | None:
    """Give the keys of a data folder, or None where there are none; a damaged key file is a fault."""
    if not (folder / KEYRING_NAME).exists() or not (folder / MASTER_KEY_NAME).exists():
        return None
    try:
        return read_ring(folder)[1]
    except VaultError as error:
        report.add(f"the keys cannot be used: {error}")
        return None


def as_json(report: Verified) -> dict[str, Any]:
    """Give a report as a program reads it."""
    return {
        "sound": report.sound,
        "head": {"seq": report.head.seq, "hash": report.head.hash.hex()},
        "moves": report.moves,
        "events": report.events,
        "checked": dict(sorted(report.counts.items())),
        "last_daily_head": {"day": report.last_day, "seq": report.last_day_seq},
        "not_looked_into": report.notes,
        "faults": report.faults,
    }
