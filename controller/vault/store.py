"""The vault as the service holds it: seals in worker threads, one writer thread, reading from any thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import trio
from sqlalchemy import Connection, Engine, Table, bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError

from controller.application import batch_of, card_id
from controller.ledger.committer import Committer
from controller.ledger.engine import Place, reason_of
from controller.ledger.epoch import Epoch
from controller.ledger.errors import LedgerStopped
from controller.ledger.migrations import migrate
from controller.ledger.prepared import Prepared
from controller.ledger.writer import Observe, Writer
from controller.vault import tables
from controller.vault.at_hand import APPLICATIONS_BYTES, CARDS_BYTES, AtHand
from controller.vault.erasing import EraseRows, ForgetBatch
from controller.vault.errors import RowMissing, VaultStopped, VaultUnreadable
from controller.vault.key_files import KEYRING_NAME, open_key_files
from controller.vault.keyring import KeyRing
from controller.vault.seal import Kind, seal, unseal

DATABASE_NAME = "vault.db"
SCHEMA_NAME = "cardmill_vault"  # in PostgreSQL
SCHEMA = 2
CACHE_KIB = 8_192  # ciphertext is written once and never read by the writer: a larger cache only fills the memory


@dataclass(frozen=True, slots=True)
class StoreSealed:
    """Stores sealed rows; one stored again under its number replaces the first."""

    table: Table
    batch_ids: frozenset[int]
    rows: Sequence[tuple[int, bytes]]

    def apply(self, connection: Connection) -> None:
        """Write the rows, and note their batches."""
        note, put = _putting(connection.dialect.name, self.table)
        note.run(connection, [(batch_id,) for batch_id in sorted(self.batch_ids)])
        put.run(connection, self.rows)


class Vault:
    """Portraits, personal fields and what was encoded of them.  Nothing of it is in a name, a log or an error."""

    def __init__(self, writer: Writer, reading: Engine, keys: KeyRing, site_key: bytes) -> None:
        self._writer, self._reading, self._keys = writer, reading, keys
        self._at_hand = {Kind.APPLICATION: AtHand(APPLICATIONS_BYTES), Kind.CARD: AtHand(CARDS_BYTES)}
        self.site_key = site_key  # of the keyed digests that find duplicates (law 8)

    def __repr__(self) -> str:
        return "<Vault>"

    @property
    def failed(self) -> LedgerStopped | None:
        """Why a commit failed, if one did: then the service must end."""
        return self._writer.failed

    async def wait_failed(self) -> LedgerStopped:
        """Wait until a commit fails, and give the reason."""
        return await self._writer.wait_failed()

    async def store_applications(self, batch_id: int, rows: Sequence[tuple[int, bytes]]) -> None:
        """Seal and store applications of a batch as (index, bytes); durable on return.

        A row stored again is replaced: the caller stores only what the inbox does not hold.  A cancelled call may
        still come to be.  Raises: VaultStopped.
        """
        numbered = [(card_id(batch_id, index), plain) for index, plain in rows]
        await self._store(tables.sealed_application, Kind.APPLICATION, numbered)

    async def store_cards(self, rows: Sequence[tuple[int, bytes]]) -> None:
        """Seal and store what was encoded of cards as (card, bytes); durable on return.  As `store_applications`."""
        await self._store(tables.sealed_card, Kind.CARD, rows)

    def application(self, batch_id: int, index: int) -> bytes:
        """Give one stored application.  Raises: RowMissing, KeyMissing, Tampered."""
        return self.applications(batch_id, [index])[0]

    def applications(self, batch_id: int, indexes: Sequence[int]) -> list[bytes]:
        """Give stored applications of a batch in the order asked for; for worker threads.  Raises: as `application`."""
        numbers = [card_id(batch_id, index) for index in indexes]
        return self._open(tables.sealed_application, Kind.APPLICATION, numbers)

    def cards(self, cards: Sequence[int]) -> list[bytes]:
        """Give what was encoded of cards in the order asked for; for worker threads.  Raises: as `application`."""
        return self._open(tables.sealed_card, Kind.CARD, cards)

    def at_hand(self, cards: Sequence[int], *, with_applications: bool = False) -> TakenRows | None:
        """Give a reader of these cards, and with them their applications, for any task: it never looks at the disk.

        None unless all their rows are at hand.
        """
        kinds = (Kind.CARD, Kind.APPLICATION) if with_applications else (Kind.CARD,)
        found = {kind: self._at_hand[kind].find(cards) for kind in kinds}
        rows = {kind: held for kind, held in found.items() if held is not None}
        return TakenRows(self._keys, rows) if len(rows) == len(kinds) else None

    # ---- destruction -------------------------------------------------------------------------------------------

    async def destroy_keys(self, batch_ids: Sequence[int], *, bar: bool = True) -> None:
        """Destroy the keys of batches: from now on nothing of them can be read.

        With `bar` they get no new ones as long as the service runs.  Raises: VaultStopped.
        """
        if bar:
            self._keys.bar(batch_ids)
        await trio.to_thread.run_sync(self._keys.destroy, batch_ids)
        for rows in self._at_hand.values():
            rows.forget(batch_ids)

    async def erase(self, batch_id: int) -> None:
        """Delete the ciphertext of a batch, slice by slice, so that nobody who stores waits for all of it.

        Cancelled, a part of it is left: ask again.  Raises: VaultStopped.
        """
        try:
            for table in (tables.sealed_application, tables.sealed_card):
                while await self._writer.write(EraseRows(table, batch_id)):
                    pass
            await self._writer.write(ForgetBatch(batch_id))
        except LedgerStopped as error:
            raise VaultStopped("ciphertext could not be deleted: see the log for the reason") from error

    def batches(self) -> set[int]:
        """Give the batches that have a key or rows; for worker threads."""
        with self._reading.connect() as connection:
            return {*connection.execute(select(tables.sealed_batch.c.batch_id)).scalars(), *self._keys.batches()}

    def came_back(self) -> set[int]:
        """Give the batches whose destroyed keys stood in the key file again when it was opened, and were taken out."""
        return self._keys.came_back

    async def _store(self, table: Table, kind: Kind, rows: Sequence[tuple[int, bytes]]) -> None:
        if not rows:
            return
        self._at_hand[kind].drop([number for number, _ in rows])
        sealed = await trio.to_thread.run_sync(self._sealed, table, kind, rows)
        try:
            await self._writer.write(sealed)
        except LedgerStopped as error:
            raise VaultStopped("what was to be sealed could not be stored: see the log for the reason") from error
        if kind is Kind.CARD:  # an application waits for its batch first
            self._keep(kind, sealed.rows)

    def _sealed(self, table: Table, kind: Kind, rows: Sequence[tuple[int, bytes]]) -> StoreSealed:
        batch_ids = frozenset(batch_of(number) for number, _ in rows)
        keys = {batch_id: self._keys.key_or_new(batch_id) for batch_id in sorted(batch_ids)}
        sealed = [(number, seal(keys[batch_of(number)], kind, number, plain)) for number, plain in rows]
        return StoreSealed(table, batch_ids, sealed)

    def _open(self, table: Table, kind: Kind, numbers: Sequence[int]) -> list[bytes]:
        found = self._at_hand[kind].find(numbers) or self._read(table, numbers)
        plain = _unsealed(self._keys, kind, numbers, found)
        if kind is Kind.APPLICATION:
            self._keep(kind, found.items())
        return plain

    def _keep(self, kind: Kind, rows: Collection[tuple[int, bytes]]) -> None:
        """Have rows at hand, but none whose key was destroyed meanwhile: who destroys it forgets them next."""
        self._at_hand[kind].keep(rows)
        gone = {batch_id for batch_id in {batch_of(number) for number, _ in rows} if batch_id not in self._keys}
        if gone:
            self._at_hand[kind].forget(gone)

    def _read(self, table: Table, numbers: Sequence[int]) -> Mapping[int, bytes]:
        found: dict[int, bytes] = {}
        with self._reading.connect() as connection:
            for first in range(0, len(numbers), _QUERY_ROWS):
                some = numbers[first : first + _QUERY_ROWS]
                wanted = dict(zip(_PLACES, some, strict=False))
                found.update((row[0], row[1]) for row in _taking(table, len(some)).answer(connection, **wanted))
        return found


@dataclass(frozen=True, slots=True, repr=False)
class TakenRows:
    """Sealed rows as they were at hand at one moment: their reader needs no disk; a destroyed key closes it."""

    _keys: KeyRing
    _rows: Mapping[Kind, Mapping[int, bytes]]

    def cards(self, cards: Sequence[int]) -> list[bytes]:
        """Give what was encoded of cards in the order asked for.  Raises: as `Vault.application`."""
        return _unsealed(self._keys, Kind.CARD, cards, self._rows[Kind.CARD])

    def applications(self, batch_id: int, indexes: Sequence[int]) -> list[bytes]:
        """Give applications of a batch in the order asked for.  Raises: as `Vault.application`."""
        numbers = [card_id(batch_id, index) for index in indexes]
        return _unsealed(self._keys, Kind.APPLICATION, numbers, self._rows[Kind.APPLICATION])


def _unsealed(keys: KeyRing, kind: Kind, numbers: Sequence[int], found: Mapping[int, bytes]) -> list[bytes]:
    plain = []
    for number in numbers:
        key = keys.key(batch_of(number))
        if number not in found:
            raise RowMissing(f"nothing is stored of {kind.name.lower()} {number}")
        plain.append(unseal(key, kind, number, found[number]))
    return plain


_QUERY_ROWS = 500
_PLACES = tuple(f"number_{place}" for place in range(_QUERY_ROWS))


@cache
def _taking(table: Table, count: int) -> Prepared:
    """Give the query of so many rows: a sheet is read at each print and write, and Core alone took 0.3 ms of it."""
    key, blob = table.columns
    return Prepared(select(key, blob).where(key.in_([bindparam(place) for place in _PLACES[:count]])))


@cache
def _putting(dialect: str, table: Table) -> tuple[Prepared, Prepared]:
    """Give the statements that note a batch, and that store a sealed row."""
    insert: Any = sqlite_insert if dialect == "sqlite" else postgresql_insert
    key, blob = table.columns
    put = insert(table)
    put = put.on_conflict_do_update(index_elements=[key], set_={blob.name: put.excluded[blob.name]})
    note = insert(tables.sealed_batch).on_conflict_do_nothing()
    return Prepared(note, (tables.sealed_batch.c.batch_id.name,)), Prepared(put, (key.name, blob.name))


def vault_place(folder: Path, url: str = "") -> Place:
    """Give where the vault's database stands.  Who holds the ledger holds it too: it has no lock of its own."""
    return Place(folder / DATABASE_NAME, SCHEMA_NAME, url, locking=False, cache_kib=CACHE_KIB)


@asynccontextmanager
async def open_vault(folder: Path, *, url: str = "", observe: Observe | None = None) -> AsyncIterator[Vault]:
    """Open the vault of a data folder, whose ledger this process holds; keys are made when nothing is there yet.

    `url` names a PostgreSQL database; without one the vault is a file of SQLite.  The keys are files of the folder
    either way.  `observe(seconds, changes)` is called on the trio thread for each commit.
    Raises: KeyMissing, KeyExposed, KeyFileDamaged, WrongMasterKey, VaultUnreadable, LedgerTooNew, LedgerUnfit.
    """
    place = vault_place(folder, url)
    with ExitStack() as stack:
        keys, site_key, engine, committer = await trio.to_thread.run_sync(_open, folder, place)
        stack.callback(engine.dispose)
        reading = place.reader()
        stack.callback(reading.dispose)
        writer = Writer(committer, "vault", observe=observe)
        writer.start()
        try:
            yield Vault(writer, reading, keys, site_key)
        finally:
            await writer.stop()


def _open(folder: Path, place: Place) -> tuple[KeyRing, bytes, Engine, Committer]:
    folder.mkdir(parents=True, exist_ok=True)
    engine = place.writer()
    try:
        is_new = place.is_new(engine, tables.meta) and not (folder / KEYRING_NAME).exists()
        files = open_key_files(folder, may_create=is_new)
        keys = files.ring
        if place.is_new(engine, tables.meta) and keys.batches():
            raise VaultUnreadable(f"{place.name} is gone, and {KEYRING_NAME} has the keys of its batches: restore it")
        with engine.begin() as connection:
            migrate(connection, tables.metadata, tables.meta, SCHEMA, {2: tables.to_schema_2})
            keys.require(connection.execute(select(tables.sealed_batch.c.batch_id)).scalars())
            epoch = Epoch(connection, tables.meta)
        keys.mend()
        return keys, files.site, engine, Committer(engine, epoch=epoch)
    except DBAPIError as error:
        engine.dispose()
        raise VaultUnreadable(f"{place.name} cannot be opened: {reason_of(error)}") from error
    except BaseException:
        engine.dispose()
        raise
