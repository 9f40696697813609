"""Complaint 5: deleting a job leaves its audit whole, and Set Good needs a second person and a reason."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import select

from controller.core import events as e
from controller.core.quality_moves import CardSetGood
from controller.ledger import tables
from controller.ledger.journal import Recorded, open_move
from tests.controller.core.test_cases import CARD, finish, rejected_floor
from tests.controller.ledger.desk import Desk, open_raw
from tests.controller.purge_centre import is_as_purged, later, make_all, purged
from tests.controller.returning import NUMBERS, centre


async def test_a_destroyed_batch_keeps_its_whole_audit_who_made_it_on_what_and_what_upstream_was_told(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        traces = [(await made.ask("trace", card=number)).result for number in (NUMBERS[0], NUMBERS[2])]
        receipts = made.ledger.reader.receipts("north", 0)
        head = made.ledger.head
        await purged(made)
    async with later(tmp_path) as made:
        assert is_as_purged(made, mixed)
        for trace in traces:
            again = (await made.ask("trace", card=str(trace["card"]))).result
            assert again.pop("purged_floor_s") > trace.pop("purged_floor_s") == 0.0
            assert again == trace
            assert again["happened"]
        assert made.ledger.reader.receipts("north", 0) == receipts
        with made.ledger.reading.connect() as connection:
            move = tables.move
            assert connection.execute(select(move.c.hash).where(move.c.seq == head.seq)).scalar_one() == head.hash
        assert made.ledger.verify().sound


@pytest.mark.parametrize("table", ["move", "event"])
async def test_no_row_of_the_journal_can_be_deleted_or_changed_even_after_a_purge(tmp_path, table):
    async with centre(tmp_path) as made:
        await make_all(made)
        await purged(made)
    raw = open_raw(tmp_path)
    for statement in (f"DELETE FROM {table} WHERE seq = 1", f"UPDATE {table} SET body = x'00' WHERE seq = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(statement)
    raw.close()


def test_set_good_takes_two_people_and_a_reason_of_the_table_and_the_ledger_keeps_all_three():
    floor, desk = rejected_floor(), Desk()
    assert floor.act("set_good", card=CARD).refused.code == "act.argument"  # no reason
    for reason in ("", "because I say so"):
        assert floor.act("set_good", card=CARD, code=reason).refused.code == "case.code"
    act_id = floor.act("set_good", card=CARD, code="dirt_removed").answer
    assert floor.agree(act_id, "ann").refused.code == "act.same_person"
    assert not any(isinstance(move, CardSetGood) for _, move in floor.log)
    floor.agree(act_id, "bob")
    finish(floor)
    desk.keep([Recorded(at, e.TimerFired(), [move]) for at, move in floor.log])
    with desk.engine.connect() as connection:
        rows = connection.execute(select(tables.move).where(tables.move.c.tag == "set_good")).all()
    [kept] = [open_move(row) for row in rows]
    assert (kept.card, kept.code, kept.by, kept.second) == (CARD, "dirt_removed", "ann", "bob")
