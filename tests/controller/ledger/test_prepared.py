"""Prepared statements answer and refuse as Core does, and are compiled once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from controller.ledger import tables
from controller.ledger.engine import scratch_engine
from controller.ledger.prepared import Prepared, say

_row = tables.inbox_application
STORE, ALL = Prepared(insert(_row)), select(_row).where(_row.c.batch_id == bindparam("the_batch"))


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = scratch_engine()
    tables.metadata.create_all(engine)
    with engine.begin() as connection:
        yield connection


def stored(index: int, express: bool, in_scope: bool) -> tuple[object, ...]:
    digests = (b"digest", b"identity", b"person")
    return (7, index, "A1", *digests, "unit", express, "11", -1, "[]", "[]", "", in_scope, b"hash")


def test_what_is_asked_past_core_is_what_core_answers_its_booleans_too(connection: Connection) -> None:
    STORE.run(connection, [stored(0, True, False), stored(1, False, True)])
    past = Prepared(ALL).ask(connection, 7)
    through = [tuple(row) for row in connection.execute(ALL, {"the_batch": 7})]
    assert past == through
    assert [list(map(type, row)) for row in past] == [list(map(type, row)) for row in through]
    assert Prepared(ALL).ask(connection, 8) == []


def test_a_statement_is_compiled_once_for_each_kind_of_database(connection: Connection) -> None:
    asked = Prepared(ALL)
    assert asked.words(connection.dialect) is asked.words(scratch_engine().dialect)


def test_what_the_database_refuses_past_core_is_named_as_core_names_it_and_repeats_no_value(
    connection: Connection,
) -> None:
    STORE.run(connection, [stored(0, True, True)])
    with pytest.raises(IntegrityError) as refused:
        STORE.run(connection, [stored(0, True, True)])
    assert "A1" not in str(refused.value)
    with pytest.raises(OperationalError):
        say(connection, "SELECT nothing FROM nowhere")
