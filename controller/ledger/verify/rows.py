"""Rows as they stand, each cell of just the type that is written: what a driver would read over kindly is a fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Double, LargeBinary, Table, Text
from sqlalchemy.exc import DBAPIError

from controller.ledger.engine import reason_of
from controller.ledger.row_hash import ROW_HASH, ROW_HASH_BYTES
from controller.ledger.verify.report import Verified
from encoders.envelope import pack

PAGE_ROWS = 1_000
TOLD_EVERY = 20_000  # rows

Cells = tuple[Any, ...]
Shape = tuple[type, ...]


@contextmanager
def readable(report: Verified, what: str) -> Iterator[None]:
    """Let a database that cannot be read be a fault, and what comes after be looked at all the same."""
    try:
        yield
    except DBAPIError as error:
        report.add(f"{what} cannot be read: {reason_of(error)}")
    except UnicodeDecodeError:  # the driver's own, of a name in the schema
        report.add(f"{what} cannot be read: what should be text is none")


def cells(
    connection: Connection, table: Table, where: str = "", values: Sequence[Any] = (), order: Sequence[str] = ()
) -> Iterator[Cells]:
    """Give the rows of a table as the driver reads them, in the order of its key, without holding them all.

    No type of SQLAlchemy stands between: it would read an empty blob as false, and an int as so many zero bytes.
    """
    sql = _query(table.name, tuple(column.name for column in table.columns), where, tuple(order) or keys_of(table))
    result = connection.exec_driver_sql(sql, tuple(values), execution_options={"yield_per": PAGE_ROWS})
    for page in result.partitions(PAGE_ROWS):
        yield from map(tuple, page)


def keys_of(table: Table) -> tuple[str, ...]:
    """Give the names of a table's key columns."""
    return tuple(column.name for column in table.primary_key.columns)


@lru_cache(maxsize=64)
def _query(name: str, columns: tuple[str, ...], where: str, order: tuple[str, ...]) -> str:
    return f"SELECT {_quoted(columns)} FROM {_quoted((name,))} {where} ORDER BY {_quoted(order)}"  # noqa: S608


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class Typed:
    """Tells which rows of a table hold only cells of their columns' types."""

    def __init__(self, connection: Connection, table: Table) -> None:
        is_sqlite = connection.dialect.name == "sqlite"
        columns = list(table.columns)
        self.shape: Shape = tuple(_type_of(column, is_sqlite) for column in columns)
        self._switches = [place for place, one in enumerate(columns) if is_sqlite and isinstance(one.type, Boolean)]

    def fits(self, row: Cells) -> bool:
        """Say whether each cell is of its column's type."""
        return tuple(map(type, row)) == self.shape and all(row[place] in (0, 1) for place in self._switches)

    def as_written(self, row: Cells) -> list[Any]:
        """Give the cells as they were handed to the database, which keeps true as 1."""
        values = list(row)
        for place in self._switches:
            values[place] = bool(values[place])
        return values


def _type_of(column: Column[Any], is_sqlite: bool) -> type:
    if isinstance(column.type, Boolean):
        return int if is_sqlite else bool
    if isinstance(column.type, Double):
        return float
    if isinstance(column.type, LargeBinary):
        return bytes
    return str if isinstance(column.type, Text) else int


def check_row_hashes(connection: Connection, table: Table, report: Verified, where: str = "") -> None:
    """Compare the hash each row carries with one computed anew; `where` tells tables of the same name apart."""
    typed, name = Typed(connection, table), str(table.name)
    width = len(table.primary_key.columns)
    place = [column.name for column in table.columns].index(ROW_HASH)
    for count, row in enumerate(cells(connection, table), 1):
        report.counts[where + name] = count
        if count % TOLD_EVERY == 0:
            report.tell(where + name, count, 0)
        if not typed.fits(row):
            report.add(f"{where}{name} {key_text(row[:width])}: a cell is not of its column's type")
            continue
        values = typed.as_written(row)
        carried = values.pop(place)
        if blake2b(pack([name, *values]), digest_size=ROW_HASH_BYTES).digest() != carried:
            report.add(f"{where}{name} {key_text(row[:width])}: the row is not the one whose hash it carries")


def compare(mine: Iterator[Cells], theirs: Iterator[Cells], table: Table, shape: Shape, report: Verified) -> None:
    """Walk a table and what the moves make of it in the order of their keys, and name the rows that differ."""
    name, width = str(table.name), len(table.primary_key.columns)
    for row, wanted in zip_longest(mine, theirs):
        if row is not None:
            report.counts[name] += 1
            if report.counts[name] % TOLD_EVERY == 0:
                report.tell(name, report.counts[name], 0)
        if row == wanted and tuple(map(type, row)) == shape:
            continue
        if row is None or wanted is None or row[:width] != wanted[:width]:
            key = key_text((wanted if row is None else row)[:width])
            report.add(f"{name}: the rows are not those that the moves make, from {key} on")
            return
        pairs = zip(table.columns, row, wanted, shape, strict=True)
        wrong = [column.name for column, a, b, kind in pairs if a != b or type(a) is not kind]
        report.add(f"{name} {key_text(row[:width])}: {', '.join(wrong)} not as the moves make it")


def key_text(key: Cells) -> str:
    """Give a key to be read; what is no number and no plain word is not repeated."""
    return ", ".join(str(value) if _is_plain(value) else "(unreadable)" for value in key)


def _is_plain(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isprintable())
