"""The databases: opened without writing a byte, their schema, their end, and whether they were restored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from controller.backup.errors import NotRestored
from controller.backup.mark import RESTORED, restore_of
from controller.config import Config
from controller.doctor.finding import Finding, Verdict, ok, warning, wrong
from controller.ledger import postgresql, tables
from controller.ledger.engine import REACH_ADVICE, WAL_LIMIT_BYTES, Place, reason_of
from controller.ledger.errors import LedgerDamaged, LedgerError
from controller.ledger.journal import last_head
from controller.ledger.migrations import SCHEMA
from controller.ledger.purge_rows import PurgeReader
from controller.ledger.reader import Reader
from controller.ledger.receipts import counts_add_up
from controller.ledger.store import check_tail, ledger_place
from controller.upkeep.own_files import lost_ledger, lost_vault
from controller.vault import tables as vault_tables
from controller.vault.store import SCHEMA as VAULT_SCHEMA
from controller.vault.store import vault_place

ALTERED_SHOWN = 10  # batches
QUICK_CHECK_MAX_BYTES = 1 << 30  # a larger file is left to `audit verify`: it takes minutes
WAL_WARN_BYTES = 4 * WAL_LIMIT_BYTES


@dataclass(slots=True)
class Looked:
    """What was found, and what other looks need to know."""

    findings: list[Finding] = field(default_factory=list)
    last_floor_s: float | None = None  # of the ledger's last event
    sealed: set[int] | None = None  # batches with ciphertext
    last_batch: int | None = None  # number that the ledger gave; None if it jumped, or is unknown


@contextmanager
def still_engine(place: Place) -> Iterator[Engine]:
    """Give an engine that leaves every file of the database as it is.  Raises: LedgerUnfit."""
    engine = (
        place.reader() if place.url else create_engine("sqlite://", creator=_opener(place.path), poolclass=NullPool)
    )
    try:
        yield engine
    finally:
        engine.dispose()


def _opener(path: Path) -> Callable[[], sqlite3.Connection]:
    """Give how a file is opened.

    Beside a service, or after one was killed, the log's index is there and is read, not mended.  Without a log the
    file is all there is; a plain reader would begin one.
    """
    log = path.with_name(f"{path.name}-wal")
    how = "readonly_shm=1" if log.exists() and log.stat().st_size else "immutable=1"
    uri = f"{path.absolute().as_uri()}?mode=ro&{how}"
    return lambda: sqlite3.connect(uri, uri=True, check_same_thread=False)


def look_at_databases(folder: Path, config: Config) -> Looked:
    """Look at ledger and vault, and at the server if there is one."""
    looked, url = Looked(), config.storage.url
    try:
        if url:
            looked.findings += _server(ledger_place(folder, url))
            if any(one.verdict is Verdict.WRONG for one in looked.findings):
                return looked  # whatever is wrong with the server is said once
        _look(looked, ledger_place(folder, url), "ledger", lambda connection: _ledger(connection, config, looked))
        _look(looked, vault_place(folder, url), "vault", lambda connection: _vault(connection, looked))
    except LedgerError as error:
        looked.findings.append(wrong("storage.url", str(error)))
    looked.findings += _lost(folder, url, looked) + _other(looked)
    return looked


def _lost(folder: Path, url: str, looked: Looked) -> list[Finding]:
    """Say of each database whose file is not there whether it is gone or not yet made."""
    found = []
    for place, about, sentence in (
        (ledger_place(folder, url), "ledger", lost_ledger(folder, url)),
        (vault_place(folder, url), "vault", lost_vault(folder, url, has_moves=looked.last_floor_s is not None)),
    ):
        if sentence:
            found.append(wrong(about, sentence))
        elif not url and not place.path.exists():
            found.append(warning(about, f"there is no {place.name} yet: the first start makes it"))
    return found


def _other(looked: Looked) -> list[Finding]:
    """Say whether the ledger is another one than the vault's; a restored one jumps past it."""
    last = max(looked.sealed or (), default=0)
    if looked.last_batch is None or last <= looked.last_batch:
        return []
    text_ = (
        f"it gave batch numbers up to {looked.last_batch} only, and the vault holds batch {last}: it is a new or an "
    )
    return [wrong("ledger", f"{text_}older one; put the right one back, or restore a backup with `cardmill restore`")]


def _look(looked: Looked, place: Place, about: str, look: Callable[[Connection], list[Finding]]) -> None:
    if not place.url and not place.path.exists():
        return  # see `_lost`
    try:
        with still_engine(place) as engine, engine.connect() as connection:
            if place.url and place.is_new(engine, tables.meta):  # ledger and vault call it the same
                looked.findings.append(warning(about, f"there is no {place.name} yet: the first start makes it"))
                return
            looked.findings += look(connection)
            looked.findings += _file(connection, place, about)
            if about == "ledger":
                looked.findings += _restored(engine, looked) + _altered(engine)
    except DBAPIError as error:
        text_ = f"{place.name} cannot be read ({reason_of(error)}): look at its disk, or restore a backup"
        looked.findings.append(wrong(about, text_))


def _ledger(connection: Connection, config: Config, looked: Looked) -> list[Finding]:
    meta = {row.key: row.value for row in connection.execute(select(tables.meta))}
    found = [_schema("ledger", meta.get("schema", ""), SCHEMA)]
    own = {"centre": config.service.centre, "simulated": "true" if config.clock.simulated else "false"}
    for key, wanted in own.items():
        if meta.get(key, wanted) != wanted:
            found.append(
                wrong("ledger", f"it was begun with {key} = {meta[key]}, the settings say {wanted}: correct them")
            )
    try:
        check_tail(connection)
    except LedgerDamaged as error:
        found.append(wrong("ledger", str(error)))
    if meta.get("schema") == str(SCHEMA) and RESTORED not in meta and not counts_add_up(connection):
        found.append(
            wrong("ledger", "its counts of receipts do not add up to the receipts: run `cardmill audit verify`")
        )
    event = tables.journal_event
    looked.last_floor_s = connection.execute(
        select(event.c.at_floor_s).order_by(event.c.seq.desc()).limit(1)
    ).scalar_one_or_none()
    return found


def _vault(connection: Connection, looked: Looked) -> list[Finding]:
    meta = vault_tables.meta
    kept = connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar_one_or_none()
    looked.sealed = set(connection.execute(select(vault_tables.sealed_batch.c.batch_id)).scalars())
    return [_schema("vault", kept or "", VAULT_SCHEMA)]


def _schema(about: str, kept: str, known: int) -> Finding:
    if not kept.isdecimal():
        return wrong(about, "it does not say its schema: restore a backup")
    if int(kept) > known:
        return wrong(about, f"it has schema {kept}, this program knows up to {known}: start the newer program")
    if int(kept) < known:
        return warning(about, f"it has schema {kept}: the next start brings it to {known}, take a backup before")
    return ok(about, f"it opens and has schema {kept}")


def _file(connection: Connection, place: Place, about: str) -> list[Finding]:
    """Look at the pages of a file, and at its write-ahead log."""
    if place.url:
        return []
    found = []
    if place.path.stat().st_size > QUICK_CHECK_MAX_BYTES:
        found.append(ok(about, "its pages were not looked at, it is large: run `cardmill audit verify`"))
    else:
        said = [row[0] for row in connection.execute(text("PRAGMA quick_check(3)"))]
        damage = f"its pages are damaged ({said[0]}): stop the service and restore a backup"
        found.append(ok(about, "its pages fit together") if said == ["ok"] else wrong(about, damage))
    log = place.path.with_name(f"{place.path.name}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > WAL_WARN_BYTES:
        text_ = f"its write-ahead log has {size >> 20:,} MiB: a reader has kept it for long; end long looks and exports"
        found.append(warning(about, text_))
    return found


def _restored(engine: Engine, looked: Looked) -> list[Finding]:
    try:
        restore = restore_of(engine)
    except NotRestored as error:
        return [wrong("ledger", str(error))]
    if restore is None:
        looked.last_batch = Reader(engine).last_batch_number()
        return []
    text_ = f"it was restored from a backup that ends at move {restore.at_seq:,}"
    with engine.connect() as connection:
        is_accepted = last_head(connection).seq > restore.at_seq  # a start that is refused adds no move
    if not is_accepted:
        do = "read docs/backup.md, then start it with `cardmill serve --accept-restored`"
        return [wrong("ledger", f"{text_}, and nobody accepted it: {do}")]
    return [warning("ledger", f"{text_}: see docs/backup.md if it is not compared")]


def _altered(engine: Engine) -> list[Finding]:
    """Say which batches a purge left, because somebody changed their rows."""
    left = PurgeReader(engine).left_altered()
    if not left:
        return []
    named = ", ".join(map(str, left[:ALTERED_SHOWN])) + (" …" if len(left) > ALTERED_SHOWN else "")
    text_ = f"a purge left {len(left)} batches because their rows in the inbox were changed ({named})"
    return [wrong("ledger", f"{text_}: run `cardmill audit verify`, find out who did it, see docs/keys.md")]


def _server(place: Place) -> list[Finding]:
    """Compare the server's settings with what keeps acknowledged work."""
    try:
        with still_engine(place) as engine, engine.connect() as connection:
            for name, wanted in postgresql.REQUIRED.items():
                value = connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one()
                if value != wanted:
                    advice = postgresql.WHAT_TO_DO.get(name, f"it loses acknowledged work, set {wanted}")
                    return [wrong("postgresql", f"it has {name} = {value}: {advice}")]
            version = connection.execute(text("SHOW server_version")).scalar_one()
    except DBAPIError as error:
        return [wrong("postgresql", f"it cannot be reached ({reason_of(error)}): {REACH_ADVICE}")]
    return [ok("postgresql", f"version {version}, with settings that lose nothing acknowledged")]
