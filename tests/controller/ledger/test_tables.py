"""The tables: what the database itself forbids, and which way it finds things."""

import dataclasses
import sqlite3

import psycopg
import pytest
from sqlalchemy import event

from controller.core.cards import State
from controller.ledger import rows, tables
from controller.ledger.inbox import AnnounceBatch, InboxBatch
from controller.ledger.journal import TAGS
from controller.ledger.reader import Reader
from controller.ledger.row_hash import ROW_HASH
from controller.ledger.store import open_ledger
from controller.trace.loaded import AT_STATIONS, KINDS
from controller.trace.mentions import NAMING_IT, NAMING_ITS
from controller.trace.moves import MoveReader
from tests.controller.ledger.desk import Desk, open_raw
from tests.controller.ledger.floor import SmallFloor


@pytest.mark.parametrize("table", ["move", "event"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at_floor_s = 0", "DELETE FROM {}"])
async def test_the_database_refuses_to_change_the_journal(tmp_path, table, statement, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        await ledger.record(SmallFloor(1).begin())
    raw = open_raw(tmp_path, engine_url)
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="append-only"):
        raw.execute(statement.format(table))
    raw.close()


def test_each_row_class_names_the_columns_of_its_table_in_order():
    pairs = {
        "batch": rows.BatchRow,
        "card": rows.CardRow,
        "encode_job": rows.EncodeJobRow,
        "sheet": rows.SheetRow,
        "bundle": rows.BundleRow,
        "consignment": rows.ConsignmentRow,
        "arrival": rows.ArrivalRow,
        "station": rows.StationRow,
        "inbox_batch": InboxBatch,
    }
    for name, row_class in pairs.items():
        names = [field.name for field in dataclasses.fields(row_class)]
        stored = [column.name for column in tables.metadata.tables[name].columns if column.name != ROW_HASH]
        assert names == stored, name
    assert list(rows.ReceiptRow._fields) == tables.receipt.columns.keys()


def test_the_states_in_the_waiting_index_are_states_of_a_card():
    assert set(tables.WAITING_STATES) <= {state.value for state in State}


def _plan(reader_call):
    """Give how SQLite would find what a reader's call asks for."""
    desk = Desk()
    seen = []

    def note(statement):
        if statement.startswith("SELECT"):
            seen.append(statement)

    with desk.engine.connect() as connection:
        connection.connection.dbapi_connection.set_trace_callback(note)  # its words, with the values in them
        reader_call(Reader(desk.engine))
        connection.connection.dbapi_connection.set_trace_callback(None)
        rows_of = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all() for text in seen]
    assert seen
    return " / ".join(row[3] for plan in rows_of for row in plan)


@pytest.mark.parametrize(
    ("call", "way"),
    [
        (lambda reader: reader.waiting(), "USING INDEX card_waits"),
        (lambda reader: reader.known_numbers(["1"], 2), "inbox_application_acceptance_number"),
        (lambda reader: reader.known_people([b"1"], 2), "inbox_application_identity"),
        (lambda reader: reader.receipts("province", 5), "SEARCH receipt USING PRIMARY KEY"),
        (lambda reader: reader.receipt_numbers("province"), "SEARCH receipt USING PRIMARY KEY"),
        (lambda reader: reader.counts(7), "SEARCH card USING INTEGER PRIMARY KEY"),
        (lambda reader: reader.cards_of("1"), "ix_card_acceptance_number"),
        (lambda reader: reader.batches(before=9), "SEARCH batch USING INTEGER PRIMARY KEY"),
        (lambda reader: reader.missing(7, 5), "SEARCH inbox_application USING PRIMARY KEY"),
        (lambda reader: reader.announced("1"), "SEARCH inbox_batch USING INDEX"),
    ],
)
def test_what_is_asked_often_is_found_by_an_index(call, way):
    plan = _plan(call)
    assert way in plan
    assert "SCAN" not in plan


def test_what_no_police_station_counted_is_found_by_its_index():
    plan = _plan(lambda reader: reader.uncounted())
    assert "SCAN consignment USING INDEX consignment_waits" in plan
    assert "SCAN bundle" not in plan
    assert "SCAN arrival" not in plan


def test_what_was_sent_is_found_by_indexes():
    plan = _plan(lambda reader: reader.sent(7))
    assert "ix_arrival_consignment_id" in plan
    assert "SCAN arrival" not in plan


@pytest.mark.usefixtures("engine_url")
def test_a_batch_number_is_never_given_twice_even_when_the_inbox_is_emptied():
    desk = Desk()
    announce = AnnounceBatch("1" * 25, "province", "20260101", 1, "d", "second", "20251201", 0.0)
    [first] = desk.keep([announce])
    with desk.engine.begin() as connection:
        connection.execute(tables.inbox_batch.delete())
    [second] = desk.keep([announce])
    assert second.result.batch_id > first.result.batch_id


def test_the_tags_of_the_index_of_rare_moves_are_those_that_a_trace_walks_back_for():
    walked = {*AT_STATIONS, *KINDS, *NAMING_IT, *NAMING_ITS}
    others = {"batches_purged", "ledger_restored", "tables_folded"}  # doctor, journal and audit look for these
    assert {TAGS[kind] for kind in walked} | others == set(tables.RARE_TAGS)


async def test_rare_moves_are_found_by_their_index(tmp_path):
    async with open_ledger(tmp_path) as ledger:
        queries = []
        event.listen(ledger.reading, "before_cursor_execute", lambda *args: queries.append((args[2], args[3])))
        assert list(MoveReader(ledger.reading).backward(1_000_000, KINDS)) == []
        with ledger.reading.connect() as connection:
            asked = [one for one in queries if one[0].startswith("SELECT move.seq")]
            assert len(asked) == len(KINDS)
            for sql, arguments in asked:
                plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", arguments).all())
                assert "move_rare" in plan, plan
