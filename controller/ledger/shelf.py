"""Shelves: the rows of one state table that are in use, and what of them is not yet written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from controller.application import CARD_IDS_PER_BATCH, batch_of, card_id
from controller.ledger import tables
from controller.ledger.errors import UnknownRow
from controller.ledger.prepared import Params, Prepared
from controller.ledger.rows import CardRow, StateRow

Row = TypeVar("Row", bound=StateRow)
_number = tables.card.c.card_id
_CARDS_BETWEEN = Prepared(select(tables.card).where(_number.between(bindparam("first"), bindparam("last"))))


class _Statements(NamedTuple):
    """What a shelf asks and writes."""

    insert: Prepared
    update: Prepared
    by_key: Prepared


@cache
def _statements(table: Table, changing: tuple[str, ...]) -> _Statements:
    """Give the statements for one table: each life of the service opens shelves anew, and they stay compiled."""
    [key] = table.primary_key.columns
    is_the_one = key == bindparam("the_key")
    return _Statements(
        Prepared(insert(table)),
        Prepared(update(table).where(is_the_one), changing),
        Prepared(select(table).where(is_the_one)),
    )


class Shelf(Generic[Row]):
    """Rows of one table by their key: read when first asked for, changed in memory, written together.

    A row that is taken off the shelf is read again when it is asked for.  The caller says `changed` for each row
    whose attributes it sets; of these only the `CHANGING` ones are written again.
    """

    def __init__(self, table: Table, row_class: type[Row], connection: Connection) -> None:
        self.table, self._row_class, self._connection = table, row_class, connection
        [self._key] = table.primary_key.columns
        self._insert, self._update, self._by_key = _statements(table, row_class.CHANGING)
        self._whole: Callable[[Row], Params] = attrgetter(*self._insert.words(connection.dialect).names)
        if row_class.CHANGING:
            names = self._update.words(connection.dialect).names
            own = (self._key.name if name == "the_key" else name for name in names)
            self._changing: Callable[[Row], Params] = attrgetter(*own)
        self._rows: dict[Any, Row] = {}
        self._key_of = attrgetter(self._key.name)
        self._new: dict[Any, Row] = {}
        self._touched: list[Row] = []
        # these note that rows are to be written again: asked for each card of each move, so they are no methods
        self.changed: Callable[[Row], None] = self._touched.append
        self.all_changed: Callable[[Iterable[Row]], None] = self._touched.extend

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

    def get_all(self, keys: Sequence[Any]) -> list[Row]:
        """Give the rows of `keys`, in their order.  Raises: UnknownRow."""
        rows = self._rows
        try:
            return [rows[key] for key in keys]
        except KeyError:
            return [self.get(key) for key in keys]

    def add(self, key: Any, row: Row) -> Row:
        """Put a new row on the shelf."""
        self._rows[key] = self._new[key] = row
        return row

    def flush(self) -> None:
        """Write what is new and what changed."""
        if self._new:
            self._insert.run(self._connection, list(map(self._whole, self._new.values())))
        if self._touched:
            changed = dict(zip(map(self._key_of, self._touched), self._touched, strict=True))
            for key in changed.keys() & self._new.keys():
                del changed[key]  # it is written as it is now
            self._update.run(self._connection, list(map(self._changing, changed.values())))
            self._touched.clear()
        self._new.clear()

    def take_off(self, keys: Iterable[Any]) -> None:
        """Forget rows that are written and no longer in use."""
        for key in keys:
            self._rows.pop(key, None)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def _read(self, key: Any) -> None:
        self._keep(self._by_key.ask(self._connection, key))

    def _keep(self, found: Iterable[Params]) -> None:
        """Take in rows of the table; one that is here already is the newer one and stays."""
        for values in found:
            row: Row = self._row_class(*values)
            self._rows.setdefault(self._key_of(row), row)


class CardShelf(Shelf[CardRow]):
    """Cards: those of a batch are read together, because they are worked on together."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(tables.card, CardRow, connection)
        self._whole, self._changing = CardRow.whole, CardRow.changing

    def _read(self, key: Any) -> None:
        first = card_id(batch_of(key), 0)
        self._keep(_CARDS_BETWEEN.ask(self._connection, first, first + CARD_IDS_PER_BATCH - 1))
