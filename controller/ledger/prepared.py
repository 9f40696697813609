"""Prepared statements: what is asked and written all day, compiled once and handed to the driver past Core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Connection, Dialect
from sqlalchemy.exc import DBAPIError

Params = tuple[Any, ...]


class Words(NamedTuple):
    """A statement in one driver's own words."""

    sql: str
    names: tuple[str, ...]  # of its parameters, in their order
    fixed: dict[str, Any]  # the values of those that the statement sets itself
    truths: tuple[int, ...]  # places of what it answers with 0 and 1, and Core with False and True


class Prepared:
    """One statement with positional parameters; it is compiled once for each kind of database.

    Ten statements of a small group through Core cost a tenth of its commit, and Core's executemany, which takes each
    row as a dict, is twice as slow (measured).  `run` and `ask` are for the writer's connection and for SQLite: Core
    alone empties a pool of readers when a server goes, so `answer` leaves other kinds of databases to it.
    """

    def __init__(self, statement: Any, column_keys: Sequence[str] | None = None) -> None:
        self._statement, self._column_keys = statement, column_keys
        self._words: dict[str, Words] = {}

    def words(self, dialect: Dialect) -> Words:
        """Give the statement in the words of a dialect."""
        known = self._words.get(dialect.name)
        if known is None:
            known = self._words[dialect.name] = self._compile(dialect)
        return known

    def run(self, connection: Connection, rows: Sequence[Params]) -> None:
        """Run the statement once for each row, when there is one.  Raises: DBAPIError."""
        if not rows:
            return
        sql = self.words(connection.dialect).sql
        cursor = driver_of(connection).cursor()
        try:
            cursor.executemany(sql, rows)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _wrapped(connection, sql, error) from error
        finally:
            cursor.close()

    def ask(self, connection: Connection, *values: Any) -> list[Params]:
        """Give all rows of the answer.  Raises: DBAPIError."""
        sql, _, _, truths = self.words(connection.dialect)
        rows = say(connection, sql, values)
        for place in truths:
            rows = [(*row[:place], bool(row[place]), *row[place + 1 :]) for row in rows]
        return rows

    def answer(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Give all rows of the answer on a reader's connection: past Core, in a quarter of its time, in SQLite.

        Raises: DBAPIError.
        """
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).all()
        words = self.words(connection.dialect)
        return self.ask(connection, *map((words.fixed | values).__getitem__, words.names))

    def _compile(self, dialect: Dialect) -> Words:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._column_keys)
        truths: list[int] = []
        if self._statement.is_select and not dialect.supports_native_boolean:
            columns = self._statement.selected_columns
            truths = [place for place, column in enumerate(columns) if isinstance(column.type, Boolean)]
        return Words(str(compiled), tuple(compiled.positiontup), dict(compiled.params), tuple(truths))


def say(connection: Connection, sql: str, values: Params = ()) -> list[Params]:
    """Run one statement in the driver's own words and give its rows, if there are any.  Raises: DBAPIError."""
    cursor = driver_of(connection).cursor()
    try:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, sql, error) from error
    finally:
        cursor.close()


def driver_of(connection: Connection) -> Any:
    """Give the driver's connection."""
    return connection.connection.dbapi_connection


def _wrapped(connection: Connection, sql: str, error: Any) -> DBAPIError:
    """Give a driver's error as Core would raise it; its text repeats no parameter.

    A connection that is lost is given up, as Core does: else the rollback that follows would hide why.
    """
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, driver_of(connection), None)
    wrapped: DBAPIError = DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, True, is_lost, dialect)
    if is_lost:
        connection.invalidate(error)
    return wrapped
