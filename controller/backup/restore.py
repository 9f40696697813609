"""Restoring: a backup becomes ledger and vault of an empty place, marked so that no service starts on it unasked."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError

from controller.backup.copying import copy_rows, plain_engine, sync_file
from controller.backup.errors import BackupDamaged, FolderNotEmpty, NoneNamed, SourceUnreadable
from controller.backup.manifest import (
    LEDGER_FILE,
    NAME,
    VAULT_FILE,
    Manifest,
    Progress,
    check_files,
    read_manifest,
    tell_nobody,
)
from controller.backup.mark import Restore, mark_restored
from controller.backup.take import PART, check_pair, whole_backups
from controller.floor_time import FILE as CLOCK_FILE
from controller.ledger import tables
from controller.ledger.engine import Place, reason_of
from controller.ledger.errors import LedgerDamaged
from controller.ledger.journal import last_event, last_head
from controller.ledger.migrations import SCHEMA
from controller.ledger.store import check_tail, ledger_place
from controller.ledger.verify.whole import verify
from controller.vault import tables as vault_tables
from controller.vault.store import SCHEMA as VAULT_SCHEMA
from controller.vault.store import vault_place
from devices.folders import sync_folder

STEP_BEGAN_S = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
STEPS_PER_S = 1_000
LEAST_STEP = 1_000_000
LISTED = 10  # backups of a folder that was named in place of one
BATCHES_OF_A_STEP = 1_000  # a batch's number is a part of its cards' numbers: it jumps less


def restore_step(now_s: float) -> int:
    """Give how far numbers jump at a restore at a real time.

    It grows by 1,000 each second, faster than numbers are given: so a backup that is restored a second time jumps
    past what was given after the first time.
    """
    return max(LEAST_STEP, STEPS_PER_S * int(now_s - STEP_BEGAN_S))


def restore_backup(
    backup: Path,
    folder: Path,
    *,
    url: str = "",
    whole: bool = False,
    now_s: float | None = None,
    tell: Progress = tell_nobody,
) -> Manifest:
    """Fill an empty data folder (with `url`, an empty PostgreSQL database too) from a backup; give what it holds.

    Nothing of the keys is restored.  `whole`: the ledger is verified from its first move on, not only its end.
    Broken off, it leaves files ending in `.part`, and no ledger.
    Raises: BackupError; OSError; LedgerUnfit: the server of `url`.
    """
    _require_one(backup)
    manifest = read_manifest(backup)
    _require_known(manifest)
    _require_empty(folder, url)
    check_files(backup, manifest, tell)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    restore = Restore(manifest.head_seq, restore_step(time.time() if now_s is None else now_s))
    parts = {name: folder / f"{name}{PART}" for name in (VAULT_FILE, LEDGER_FILE)}
    try:
        for name, part in parts.items():
            tell(f"copying {name}", 0, 0)
            shutil.copyfile(backup / name, part)
            part.chmod(0o600)
        _check(parts[LEDGER_FILE], parts[VAULT_FILE], manifest, whole, tell)
        _mark(parts[LEDGER_FILE], restore)
        if url:
            _fill_servers(parts[LEDGER_FILE], parts[VAULT_FILE], folder, url, tell)
    except (sqlite3.Error, DBAPIError) as error:
        raise SourceUnreadable(f"the backup could not be restored: {reason_of(error)}") from error
    _finish(folder, parts, manifest, keep=not url)
    return manifest


def _require_one(backup: Path) -> None:
    """Raises: NoneNamed: it is the folder above backups."""
    found = [] if (backup / NAME).exists() else whole_backups(backup)
    if found:
        names = ", ".join(path.name for path in found[-LISTED:])
        some = f"the last {LISTED}" if len(found) > LISTED else "in it"
        raise NoneNamed(f"{backup} is a folder of backups ({some}: {names}): name one, the newest is {found[-1]}")


def _require_known(manifest: Manifest) -> None:
    if manifest.schema > SCHEMA or manifest.vault_schema > VAULT_SCHEMA:
        raise BackupDamaged("a later version of the program took this backup: restore it with that one")


def _require_empty(folder: Path, url: str) -> None:
    """Raises: FolderNotEmpty, NotADirectoryError, LedgerUnfit."""
    here = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if here:
        raise FolderNotEmpty(f"{folder} is not empty ({here[0]}): give an empty one with --data, keys are put in after")
    if not url:
        return
    for place, meta in _places(folder, url):
        engine = place.writer()
        try:
            if inspect(engine).has_table(meta.name):
                raise FolderNotEmpty(f"{place.name} has tables already: give an empty database with --url")
        except DBAPIError as error:
            raise SourceUnreadable(f"{place.name} cannot be opened: {reason_of(error)}") from error
        finally:
            engine.dispose()


def _places(folder: Path, url: str) -> tuple[tuple[Place, Table], tuple[Place, Table]]:
    return (ledger_place(folder, url), tables.meta), (vault_place(folder, url), vault_tables.meta)


def _check(ledger: Path, vault: Path, manifest: Manifest, whole: bool, tell: Progress) -> None:
    """Make sure that what was copied is the ledger that the manifest names.  Raises: BackupDamaged."""
    check_pair(ledger, vault)
    engine = plain_engine(ledger)
    with engine.connect() as connection:
        try:
            check_tail(connection)
        except LedgerDamaged as error:
            raise BackupDamaged(f"{error}: choose another backup") from error
        head, heard = last_head(connection), last_event(connection)
    if (head.seq, head.hash.hex(), heard.seq, heard.hash.hex()) != (
        *(manifest.head_seq, manifest.head_hash),
        *(manifest.event_seq, manifest.event_hash),
    ):
        raise BackupDamaged("the ledger does not end where the manifest says: choose another backup")
    if whole:
        report = verify(engine, whole=True, tell=tell)
        if not report.sound:
            raise BackupDamaged(f"the ledger is not sound: {report.faults[0]}: choose another backup")


def _mark(ledger: Path, restore: Restore) -> None:
    """Mark the ledger as restored, and let the next batch's number be far above those that were given since."""
    engine = plain_engine(ledger)
    with engine.begin() as connection:
        mark_restored(connection, restore)
        table = tables.inbox_batch
        last = connection.execute(select(table.c.batch_id).order_by(table.c.batch_id.desc()).limit(1)).scalar() or 0
        known = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        given = connection.execute(known, {"name": table.name}).scalar() or 0
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        connection.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"),
            {"name": table.name, "seq": max(last, given) + restore.step // BATCHES_OF_A_STEP},
        )


def _fill_servers(ledger: Path, vault: Path, folder: Path, url: str, tell: Progress) -> None:
    """Copy both files into the schemas of a PostgreSQL database; the ledger last, in one transaction each."""
    (ledger_at, _), (vault_at, _) = _places(folder, url)
    _fill_server(vault, vault_at, vault_tables.metadata, tell)
    _fill_server(ledger, ledger_at, tables.metadata, tell)


def _fill_server(file: Path, place: Place, metadata: MetaData, tell: Progress) -> None:
    with ExitStack() as stack:
        source = plain_engine(file)
        target: Engine = place.writer()
        stack.callback(target.dispose)
        reading = stack.enter_context(source.connect())
        writing = stack.enter_context(target.begin())
        copy_rows(reading, writing, metadata, tell)
        if tables.inbox_batch.name in metadata.tables:
            _jump(reading, writing)


def _jump(reading: Connection, writing: Connection) -> None:
    """Let PostgreSQL give the numbers of batches from where the file would."""
    name = tables.inbox_batch.name
    seq = reading.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": name}).scalar_one()
    set_to = text("SELECT setval(pg_get_serial_sequence(:name, 'batch_id'), :seq)")
    writing.execute(set_to, {"name": name, "seq": seq})


def _finish(folder: Path, parts: dict[str, Path], manifest: Manifest, keep: bool) -> None:
    """Give everything its name, the ledger last: without it nothing was restored."""
    if manifest.clock:
        path = folder / CLOCK_FILE
        path.write_text(json.dumps(manifest.clock), "utf-8")
        sync_file(path)
    for name, part in parts.items():
        if keep:
            sync_file(part)
            os.rename(part, folder / name)
        else:
            part.unlink()
    sync_folder(folder)
