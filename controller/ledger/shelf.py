"""Shelves: the rows of one state table that are in use, and what of them is not yet written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Dialect, Table, bindparam, insert, select, update

from controller.ledger.errors import UnknownRow

Row = TypeVar("Row")
Params = tuple[Any, ...]


class Prepared:
    """One statement in the driver's own words, to be run with many rows of positional parameters."""

    def __init__(self, statement: Any, dialect: Dialect, column_keys: Sequence[str] | None = None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=column_keys)
        self._sql = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup)

    def run(self, connection: Connection, rows: Sequence[Params]) -> None:
        """Run the statement once for each row, when there is one."""
        if rows:
            # twice as fast as Core's own executemany, which takes each row as a dict (measured)
            connection.exec_driver_sql(self._sql, list(rows))


class Shelf(Generic[Row]):
    """Rows of one table by their key: read when first asked for, changed in memory, written together.

    A row that is taken off the shelf is read again when it is asked for.  The caller says `changed` for each row
    whose attributes it sets.
    """

    def __init__(self, table: Table, row_class: Callable[..., Row], connection: Connection) -> None:
        self.table, self._row_class, self._connection = table, row_class, connection
        [self._key] = table.primary_key.columns
        columns = [column.name for column in table.columns]
        changing = [name for name in columns if name != self._key.name]
        dialect = connection.dialect
        self._insert = Prepared(insert(table), dialect)
        self._update = Prepared(update(table).where(self._key == bindparam("the_key")), dialect, changing)
        self._insert_values = attrgetter(*self._insert.names)
        self._update_values = attrgetter(*(self._key.name if n == "the_key" else n for n in self._update.names))
        self._rows: dict[Any, Row] = {}
        self._new: dict[Any, Row] = {}
        self._changed: dict[Any, Row] = {}

    def find(self, key: Any) -> Row | None:
        """Give the row of `key`, from the table when it is not here, or None."""
        row = self._rows.get(key)
        if row is None:
            self._read(key)
            row = self._rows.get(key)
        return row

    def get(self, key: Any) -> Row:
        """Give the row of `key`.  Raises: UnknownRow."""
        row = self._rows.get(key) or self.find(key)
        if row is None:
            raise UnknownRow(self.table.name, key)
        return row

    def add(self, key: Any, row: Row) -> Row:
        """Put a new row on the shelf."""
        self._rows[key] = self._new[key] = row
        return row

    def changed(self, key: Any, row: Row) -> None:
        """Note that a row of this shelf is to be written again."""
        if key not in self._new:
            self._changed[key] = row

    def flush(self) -> None:
        """Write what is new and what changed."""
        self._insert.run(self._connection, [self._insert_values(row) for row in self._new.values()])
        self._update.run(self._connection, [self._update_values(row) for row in self._changed.values()])
        self._new.clear()
        self._changed.clear()

    def take_off(self, keys: Iterable[Any]) -> None:
        """Forget rows that are written and no longer in use."""
        for key in keys:
            self._rows.pop(key, None)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def _read(self, key: Any) -> None:
        self._keep(self._key == key)

    def _keep(self, where: Any) -> None:
        """Read the rows that fit `where`; one that is here already is the newer one and stays."""
        for values in self._connection.execute(select(self.table).where(where)):
            row = self._row_class(*values)
            self._rows.setdefault(getattr(row, self._key.name), row)
