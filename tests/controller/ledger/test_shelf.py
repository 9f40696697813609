"""Shelves: rows that are written again column by column are those that are written once, whole."""

from dataclasses import fields
from operator import attrgetter

import pytest
from sqlalchemy.exc import DBAPIError

from controller.ledger import rows, tables
from controller.ledger.committer import Item
from controller.ledger.shelf import CardShelf, Shelf
from tests.controller.ledger.desk import Desk
from tests.controller.ledger.floor import SmallFloor


@pytest.mark.parametrize("seed", range(4))
def test_rows_written_after_each_turn_equal_rows_written_once_at_the_end(seed, engine_url):
    records = list(SmallFloor(seed).run(250))
    often, once = Desk(), Desk()
    for recorded in records:
        often.keep([recorded])
    once.keep(records)
    assert often.state() == once.state()


def test_every_changing_column_is_one_of_its_row_and_no_key():
    for row_class in rows.StateRow.__subclasses__():
        key, *others = [column.name for column in fields(row_class)]
        assert set(row_class.CHANGING) <= set(others)
        assert key not in row_class.CHANGING


def test_what_a_card_writes_itself_is_what_the_statements_name():
    desk = Desk()
    with desk.engine.begin() as connection:
        written_out, named = CardShelf(connection), Shelf(tables.card, rows.CardRow, connection)
    names = [column.name for column in fields(rows.CardRow)]
    card = rows.CardRow(*range(100, 100 + len(names)))
    assert written_out._whole(card) == named._whole(card) == attrgetter(*names)(card)
    assert written_out._changing(card) == named._changing(card)


def test_a_driver_that_refuses_is_heard_in_the_words_of_the_database_layer_and_no_value_is_repeated(engine_url):
    desk = Desk()
    desk.keep([SmallFloor(1).begin()])
    stations = desk.journal._projection.stations
    stations.add("print1", rows.StationRow("print1", "print", "secret", 1, "stopped", "", 0.0, 0))
    with pytest.raises(DBAPIError) as caught:
        desk._committer.commit([Item(SmallFloor(2).step())])
    assert "secret" not in str(caught.value).partition("[SQL")[2]
