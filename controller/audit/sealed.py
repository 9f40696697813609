"""The vault's own database: every sealed row opens under its key, and every application and card has its row (law 8).

What is opened is compared with a digest and let go at once: nothing of it is kept, shown or said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from controller.application import batch_of, card_id
from controller.core.cards import State
from controller.ledger import tables as ledger_tables
from controller.ledger.verify.file import check_file
from controller.ledger.verify.report import Verified
from controller.ledger.verify.rows import PAGE_ROWS, cells, check_row_hashes, readable
from controller.ledger.verify.schema import Made, check_schema
from controller.vault import tables
from controller.vault.errors import Tampered
from controller.vault.keyring import KeyRing
from controller.vault.seal import Kind, unseal

ENCODED = (
    *(State.READY, State.IMPOSED, State.GOOD, State.QUARANTINED, State.SUSPECT, State.MADE, State.DISPATCHED),
)  # no card comes to one of these before what was encoded of it lies in the vault
NO_KEYS = "vault: what is sealed was not looked into, the keys are not here"
TOLD_EVERY = 5_000
SEALED = (tables.sealed_batch, tables.sealed_application, tables.sealed_card)  # a purge deletes of these
VAULT = Made(tables.metadata, [tables.to_schema_2], {"meta": ("row_hash BLOB",)})

Known = Iterator[tuple[int, bytes]]  # number, SHA-256 of what is sealed under it, or nothing


def check_vault(vault: Engine, ledger: Engine, ring: Callable[[], KeyRing | None], report: Verified) -> None:
    """Look through the vault, beside a ledger that was read before; `ring` is asked for the keys after that.

    The order matters while a service runs: a row is in the vault before the inbox names it, its key in the file
    before the row, and the mark of a destroyed key there before anything is taken away.
    """
    with ledger.connect() as inbox, vault.connect() as sealed, readable(report, "the vault's database"):
        purged = _purged(inbox)  # the first reading fixes the moment of each
        check_file(sealed, report, ("meta", *(table.name for table in SEALED)))
        check_schema(sealed, VAULT, report)
        check_row_hashes(sealed, tables.meta, report, "vault ")
        keys = ring()
        if keys is None:
            report.notes.append(NO_KEYS)
            return
        look = _Look(keys, purged, report)
        look.rows(cells(sealed, tables.sealed_application), tables.sealed_application, _applications(inbox))
        look.rows(cells(sealed, tables.sealed_card), tables.sealed_card, _cards(inbox))
        look.batches(row[0] for row in cells(sealed, tables.sealed_batch))


def _purged(ledger: Connection) -> set[int]:
    batch = ledger_tables.batch
    return set(ledger.execute(select(batch.c.batch_id).where(batch.c.purged_floor_s > 0)).scalars())


def _applications(ledger: Connection) -> Known:
    row, inbox, floor = ledger_tables.inbox_application, ledger_tables.inbox_batch, ledger_tables.batch
    unused = select(inbox.c.batch_id).outerjoin(floor, floor.c.batch_id == inbox.c.batch_id)
    unused = unused.where(inbox.c.state == "returned", floor.c.batch_id.is_(None))
    query = select(row.c.batch_id, row.c.idx, row.c.row_digest).order_by(row.c.batch_id, row.c.idx)
    query = query.where(row.c.batch_id.not_in(unused))
    for found in ledger.execute(query, execution_options={"yield_per": PAGE_ROWS}):
        if isinstance(found.batch_id, int) and isinstance(found.idx, int):  # else the ledger's own look said so
            yield card_id(found.batch_id, found.idx), found.row_digest


def _cards(ledger: Connection) -> Known:
    card = ledger_tables.card
    query = select(card.c.card_id).where(card.c.state.in_([state.value for state in ENCODED])).order_by(card.c.card_id)
    for number in ledger.execute(query, execution_options={"yield_per": PAGE_ROWS}).scalars():
        yield number, b""


class _Look:
    """Goes through the vault's tables with the keys in hand."""

    def __init__(self, keys: KeyRing, purged: set[int], report: Verified) -> None:
        self._keys, self._purged, self._report = keys, purged, report
        self._sealed: set[int] = set()  # batches that have a row
        self._keyless: set[int] = set()

    def rows(self, rows: Iterable[tuple[Any, ...]], table: Table, known: Known) -> None:
        """Open every row, and find one for each number that is `known`; both come in the order of their numbers."""
        kind = Kind.APPLICATION if table is tables.sealed_application else Kind.CARD
        wanted = next(known, None)
        for count, (number, blob) in enumerate(rows, 1):
            self._report.counts[str(table.name)] = count
            if count % TOLD_EVERY == 0:
                self._report.tell(str(table.name), count, 0)
            while wanted is not None and wanted[0] < number:
                self._missing(kind, wanted[0])
                wanted = next(known, None)
            digest = b""
            if wanted is not None and wanted[0] == number:
                digest, wanted = wanted[1], next(known, None)
            self._open(kind, number, blob, digest)
        while wanted is not None:
            self._missing(kind, wanted[0])
            wanted = next(known, None)

    def batches(self, noted: Iterable[int]) -> None:
        """Compare the batches that are noted to have rows with those that have."""
        listed = set(noted)
        self._report.counts["sealed_batch"] = len(listed)
        for batch_id in sorted(self._sealed - listed):
            self._report.add(f"sealed_batch {batch_id}: it is not there, and rows of it are")
        for batch_id in sorted(listed - self._sealed):
            if not self._is_gone(batch_id):
                self._report.add(f"sealed_batch {batch_id}: no row of it is there")

    def _open(self, kind: Kind, number: int, blob: object, digest: bytes) -> None:
        batch_id, noun = batch_of(number), kind.name.lower()
        self._sealed.add(batch_id)
        if batch_id not in self._keys:
            if batch_id in self._purged:
                self._report.add(f"sealed {noun} {number}: its batch was purged, and it is still there")
            elif not self._is_gone(batch_id) and batch_id not in self._keyless:
                self._keyless.add(batch_id)
                self._report.add(f"batch {batch_id}: sealed rows of it are there, and no key")
            return
        try:
            if not isinstance(blob, bytes):
                raise Tampered("")
            plain = unseal(self._keys.key(batch_id), kind, number, blob)
        except Tampered:
            self._report.add(f"sealed {noun} {number}: it is not what was stored under this number")
            return
        if digest and sha256(plain).digest() != digest:
            self._report.add(f"sealed {noun} {number}: it is not the application whose digest the inbox has")

    def _missing(self, kind: Kind, number: int) -> None:
        if not self._is_gone(batch_of(number)):
            self._report.add(f"sealed {kind.name.lower()} {number}: it is not there")

    def _is_gone(self, batch_id: int) -> bool:
        """Say whether a batch's personal data was destroyed; a mark of its key says so before the ledger does."""
        return batch_id in self._purged or (batch_id not in self._keys and self._keys.tombs.has_batch(batch_id))
