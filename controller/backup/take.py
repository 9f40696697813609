"""Taking a backup: ledger and vault copied as they are at one moment, checked, and only then named as a whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from controller.application import CARD_IDS_PER_BATCH
from controller.backup.copying import copy_pages, copy_rows, moment_of, plain_engine, sync_file
from controller.backup.errors import BackupDamaged, BackupError, NothingToCopy, SourceUnreadable, TargetUnfit
from controller.backup.manifest import (
    LEDGER_FILE,
    NAME,
    VAULT_FILE,
    Manifest,
    Progress,
    digest_of,
    program_version,
    read_manifest,
    tell_nobody,
    write_manifest,
)
from controller.backup.mark import mark_copy
from controller.floor_time import FILE as CLOCK_FILE
from controller.ledger import tables
from controller.ledger.engine import reason_of
from controller.ledger.errors import LedgerDamaged
from controller.ledger.journal import last_event, last_head
from controller.ledger.lock import lock_folder
from controller.ledger.store import check_tail, ledger_place
from controller.ledger.verify.whole import verify
from controller.vault import tables as vault_tables
from controller.vault.store import vault_place
from devices.folders import sync_folder

PART = ".part"

# applications of open batches whose ciphertext lacks: a purge takes that of closed batches alone
_MISFITS = f"""
SELECT count(*) FROM inbox_batch i LEFT JOIN batch b ON b.batch_id = i.batch_id
JOIN inbox_application a ON a.batch_id = i.batch_id
LEFT JOIN vault.sealed_application s ON s.application_id = a.batch_id * {CARD_IDS_PER_BATCH} + a.idx
WHERE (b.batch_id IS NULL OR b.closed_floor_s = 0) AND s.application_id IS NULL
AND NOT (b.batch_id IS NULL AND i.state = 'returned')"""  # noqa: S608  a number of ours


@dataclass(frozen=True, slots=True)
class Source:
    """What is copied: the databases of a data folder, in files there or in PostgreSQL."""

    folder: Path
    url: str = ""


def take_backup(
    source: Source, target: Path, *, whole: bool = False, keep: int = 0, tell: Progress = tell_nobody
) -> tuple[Path, Manifest]:
    """Copy ledger and vault into a new folder under `target`; give it and what it holds.  The service may run.

    `whole`: the copied ledger is verified from its first move on, not only its end.  `keep`: of the whole backups of
    this centre under `target` the newest so many stay; 0 for all.
    Cancelled or killed, it leaves a folder whose name ends in `.part`, which the next one removes.
    Raises: BackupError, LedgerInUse: another backup goes into `target`; OSError.
    """
    _make_ready(target, source.folder)
    with lock_folder(target):
        for left in target.glob(f"*{PART}"):
            shutil.rmtree(left)
        began = datetime.now(UTC)
        path = _free_name(target, began)
        part = path.with_name(path.name + PART)
        part.mkdir(mode=0o700)
        try:
            manifest = _fill(source, part, began, whole, tell)
        except (sqlite3.Error, DBAPIError) as error:
            raise SourceUnreadable(f"ledger and vault could not be copied: {reason_of(error)}") from error
        write_manifest(part, manifest)
        sync_folder(part)
        part.rename(path)
        sync_folder(target)
        if keep:
            remove_older(target, manifest.centre, keep)
    return path, manifest


def _make_ready(target: Path, source: Path) -> None:
    """Raises: TargetUnfit."""
    if target.resolve().is_relative_to(source.resolve()):
        raise TargetUnfit(f"{target} lies in the data folder and would be lost with it: name a folder on another disk")
    if target.exists() and not target.is_dir():
        raise TargetUnfit(f"{target} is a file: name a folder, on another disk, where backups are kept")
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TargetUnfit(f"{target} cannot be made ({error.strerror}): name a folder that can be written to") from None


def whole_backups(target: Path, centre: str = "") -> list[Path]:
    """Give the whole backups (of one centre) in a folder, the oldest first."""
    found = []
    for path in target.iterdir() if target.is_dir() else ():
        if path.suffix == PART or not (path / NAME).is_file():
            continue
        try:
            manifest = read_manifest(path)
        except BackupDamaged:
            continue
        if centre in ("", manifest.centre):
            found.append((manifest.taken_at, path.name, path))
    return [path for _, _, path in sorted(found)]


def remove_older(target: Path, centre: str, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups of a centre; give those that are gone."""
    old = whole_backups(target, centre)[:-keep]
    for path in old:
        gone = path.with_name(path.name + PART)  # half removed, it must not look whole
        path.rename(gone)
        shutil.rmtree(gone)
    return old


def check_pair(ledger: Path, vault: Path) -> None:
    """Make sure that the vault has what the inbox has.  Raises: BackupDamaged, sqlite3.Error."""
    with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("ATTACH ? AS vault", [f"{vault.absolute().as_uri()}?mode=ro"])
        [misfits] = connection.execute(_MISFITS).fetchone()
    if misfits:
        raise BackupDamaged(f"the vault lacks {misfits:,} applications that the ledger has: take another backup")


def _free_name(target: Path, began: datetime) -> Path:
    """Give a name that says when; two in a second differ in a number."""
    name = began.strftime("%Y-%m-%dT%H-%M-%SZ")
    number, path = 1, target / name
    while path.exists():
        number += 1
        path = target / f"{name}-{number}"
    return path


def _fill(source: Source, part: Path, began: datetime, whole: bool, tell: Progress) -> Manifest:
    ledger, vault = part / LEDGER_FILE, part / VAULT_FILE
    if source.url:
        _copy_servers(source, ledger, vault, tell)
    else:
        _copy_files(source, ledger, vault, tell)
    for path in (ledger, vault):
        plain_engine(path).dispose()
    check_pair(ledger, vault)
    manifest = _check_ledger(source, ledger, vault, began, whole, tell)
    for path in (ledger, vault):
        path.chmod(0o600)
        sync_file(path)
    files = {path.name: digest_of(path, tell) for path in (ledger, vault)}
    return msgspec.structs.replace(manifest, files=files)


def _copy_files(source: Source, ledger: Path, vault: Path, tell: Progress) -> None:
    """Copy two files of SQLite.  The ledger's moment comes first: what its rows point at was in the vault before."""
    paths = [ledger_place(source.folder).path, vault_place(source.folder).path]
    for path in paths:
        if not path.is_file():
            raise NothingToCopy(f"there is no {path.name} in {source.folder}: give the data folder with --data")
    with ExitStack() as stack:
        moments = [stack.enter_context(moment_of(path)) for path in paths]
        for moment, copy in zip(moments, (ledger, vault), strict=True):
            copy_pages(moment, copy, tell)


def _copy_servers(source: Source, ledger: Path, vault: Path, tell: Progress) -> None:
    """Copy two schemas of PostgreSQL, each in one read-only transaction that sees one moment; the ledger's first."""
    with ExitStack() as stack:
        moments: list[Connection] = []
        for place, meta in ((ledger_place, tables.meta), (vault_place, vault_tables.meta)):
            engine = place(source.folder, source.url).reader()
            stack.callback(engine.dispose)
            moments.append(stack.enter_context(engine.connect()))
            moments[-1].execute(select(func.count()).select_from(meta))  # the moment is taken at the first read
        for moment, copy, metadata in zip(
            moments, (ledger, vault), (tables.metadata, vault_tables.metadata), strict=True
        ):
            engine = plain_engine(copy)
            with engine.begin() as connection:
                copy_rows(moment, connection, metadata, tell)


def _check_ledger(source: Source, ledger: Path, vault: Path, began: datetime, whole: bool, tell: Progress) -> Manifest:
    """Mark the copy as one, check its chain, and give its manifest, still without files."""
    engine = plain_engine(ledger)
    with engine.begin() as connection:
        try:
            check_tail(connection)
        except LedgerDamaged as error:
            raise SourceUnreadable(f"what was copied is not sound: {error}") from error
        mark_copy(connection, last_head(connection).seq)
    with engine.connect() as connection:
        manifest = _manifest_of(connection, source, began, whole)
    if whole:
        report = verify(engine, whole=True, tell=tell)
        if not report.sound:
            raise SourceUnreadable(f"what was copied is not sound: {report.faults[0]}: run `cardmill audit verify`")
    with plain_engine(vault).connect() as connection:
        schema = connection.execute(select(vault_tables.meta.c.value).where(vault_tables.meta.c.key == "schema"))
        return msgspec.structs.replace(manifest, vault_schema=int(schema.scalar_one()))


def _manifest_of(connection: Connection, source: Source, began: datetime, whole: bool) -> Manifest:
    meta = {row.key: row.value for row in connection.execute(select(tables.meta))}
    if "centre" not in meta:
        raise BackupError("the ledger does not say whose it is: start the service on it once")
    receipt, event = tables.receipt, tables.journal_event
    last = select(receipt.c.upstream, func.max(receipt.c.number)).group_by(receipt.c.upstream)
    head, heard = last_head(connection), last_event(connection)
    return Manifest(
        program=program_version(),
        centre=meta["centre"],
        simulated=meta["simulated"] == "true",
        engine="postgresql" if source.url else "sqlite",
        taken_at=began.isoformat(timespec="seconds"),
        schema=int(meta["schema"]),
        vault_schema=0,
        head_seq=head.seq,
        head_hash=head.hash.hex(),
        event_seq=heard.seq,
        event_hash=heard.hash.hex(),
        floor_s=connection.execute(select(event.c.at_floor_s).order_by(event.c.seq.desc()).limit(1)).scalar() or 0.0,
        receipts={row[0]: row[1] for row in connection.execute(last)},
        clock=_clock_of(source.folder),
        files={},
        audited=whole,
    )


def _clock_of(folder: Path) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in json.loads((folder / CLOCK_FILE).read_text("utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SourceUnreadable(f"{CLOCK_FILE} cannot be read ({type(error).__name__}): start the service") from error
