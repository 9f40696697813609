"""A change whose savepoint is gone: the group fails with the reason, and nothing is written beside a transaction."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from controller.ledger import tables
from controller.ledger.committer import Committer, Item
from controller.ledger.engine import scratch_engine
from controller.ledger.prepared import say


@dataclass
class Lost:
    """Takes the whole transaction away, as SQLite does when a disk is full, or the connection; then it raises."""

    error: Exception
    is_connection: bool = False

    def apply(self, connection: Connection) -> None:
        if self.is_connection:
            connection.invalidate(self.error)
        else:
            say(connection, "ROLLBACK")
        raise self.error


@dataclass
class Note:
    """Writes one word."""

    key: str

    def apply(self, connection: Connection) -> None:
        connection.execute(insert(tables.meta).values(key=self.key, value="is there"))


def error_of(kind: type[DBAPIError]) -> DBAPIError:
    return kind("INSERT", None, Exception("the disk is full"))


@pytest.mark.parametrize("is_connection", [False, True])
def test_when_transaction_or_connection_is_gone_the_group_fails_with_the_reason(is_connection: bool) -> None:
    engine = scratch_engine()
    tables.metadata.create_all(engine)
    committer = Committer(engine)
    lost = Lost(error_of(OperationalError), is_connection)
    with pytest.raises(OperationalError, match="the disk is full"):
        committer.commit([Item(Note("before"), True), Item(lost, True), Item(Note("after"), True)])


def test_what_would_be_one_changes_refusal_fails_the_group_when_no_transaction_is_left() -> None:
    engine = scratch_engine()
    tables.metadata.create_all(engine)
    committer = Committer(engine)
    items = [Item(Note("before"), True), Item(Lost(error_of(IntegrityError)), True), Item(Note("after"), True)]
    with pytest.raises(DBAPIError):
        committer.commit(items)
    with engine.connect() as connection:
        assert connection.execute(select(tables.meta.c.key)).all() == []
