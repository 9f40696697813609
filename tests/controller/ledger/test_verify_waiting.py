"""The daily head holds what waits too: rows of batches not judged yet, and what the database says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.backup.mark import Restore, mark_restored
from controller.backup.restore import LEAST_STEP
from controller.clock import day_start_floor_s
from controller.core.calendar import DAY_S
from controller.core.events import BatchChecked
from controller.core.moves import RowVerdict, Verdict
from controller.core.record_moves import TablesFolded
from controller.ledger import tables
from controller.ledger.engine import writer_engine
from controller.ledger.inbox import AnnounceBatch, InboxRow, StoreChunk, StoreVerdicts
from controller.ledger.row_hash import places_of
from controller.ledger.store import open_ledger
from tests.controller.checks.samples import TODAY
from tests.controller.ledger.audited import audit, post_head, rewrite
from tests.controller.ledger.test_verify_whole import edit_with_its_hash
from tests.controller.purge_centre import OTHER_BATCH, OTHER_NUMBERS, UNIT
from tests.controller.returning import NUMBERS, Centre, centre

MIDNIGHT = day_start_floor_s(TODAY) + DAY_S
WAITING = "4" * 25
ROW, BATCH, META = tables.inbox_application, tables.inbox_batch, tables.meta


async def _chunk(made: Centre, batch_id: int, *indexes: int) -> None:
    rows = [InboxRow(index, NUMBERS[0], b"r" * 32, b"id%d" % index, b"p", UNIT, False, "10") for index in indexes]
    await made.vault.store_applications(batch_id, [(index, b"an application") for index in indexes])
    await made.ledger.write(StoreChunk(batch_id, rows))


async def _written(folder: Path) -> int:
    """Close a day on which one batch was made and of another only the rows 0, 1 and 4 came; give the second."""
    async with centre(folder) as made:
        await made.made(await made.bring(OTHER_NUMBERS, OTHER_BATCH), OTHER_NUMBERS)
        announced = AnnounceBatch(WAITING, "north", "20260201", 6, "d" * 64, "second", TODAY, made.clock.now_floor_s())
        batch_id = (await made.ledger.write(announced)).batch_id
        await _chunk(made, batch_id, 0, 1, 4)
        with made.ledger.reading.connect() as connection:
            assert places_of(connection, batch_id) == [(0, 2), (4, 1)]
        await post_head(made, MIDNIGHT)
    return batch_id


def faults(folder: Path) -> list[str]:
    """Leave out what this centre does not do: it encodes nothing, and its floor hears another name and time."""
    mine = ("waited", "meta", "are not those that move")
    return [one for one in audit(folder).faults if any(word in one for word in mine)]


async def test_rows_that_waited_at_a_head_may_be_added_to_and_judged_and_are_sound(tmp_path):
    batch_id = await _written(tmp_path)
    report = audit(tmp_path)
    assert (faults(tmp_path), report.counts["waiting batches in heads"]) == ([], 1)
    async with centre(tmp_path) as made:
        await _chunk(made, batch_id, 2, 3, 5)
        rows = [RowVerdict(one, NUMBERS[0], "520102002", Verdict.HOLD, ["name.glyph"], ["name"]) for one in range(6)]
        await made.ledger.write(StoreVerdicts(batch_id, rows))
        now = made.clock.now_floor_s()
        await made.host.post(BatchChecked(batch_id, WAITING, "north", "second", now, now + 9e5, rows)).wait()
        await post_head(made, MIDNIGHT + DAY_S)
        told = [move for _, move in made.ledger.replay() if isinstance(move, TablesFolded)]
        assert [[one for one, _, _ in move.waiting] for move in told] == [[batch_id], []]
    assert faults(tmp_path) == []


@pytest.mark.parametrize("change", ["identity = x'00'", "person = x'00'", "reason = '21'", "row_digest = x'00'"])
async def test_a_row_that_waited_cannot_be_changed_unseen_even_with_its_hash(tmp_path, change):
    batch_id = await _written(tmp_path)
    statement = f"UPDATE inbox_application SET {change} WHERE batch_id = {batch_id} AND idx = 4"
    edit_with_its_hash(tmp_path, ROW, ROW.c.batch_id == batch_id, statement)
    assert any(f"batch {batch_id} are not those that waited" in one for one in faults(tmp_path))


async def test_the_header_of_a_batch_that_waited_cannot_be_changed_and_no_row_of_it_taken_out(tmp_path):
    batch_id = await _written(tmp_path)
    header = f"UPDATE inbox_batch SET upstream = 'south' WHERE batch_id = {batch_id}"
    edit_with_its_hash(tmp_path, BATCH, BATCH.c.batch_id == batch_id, header)
    assert faults(tmp_path)
    back = header.replace("south", "north")
    edit_with_its_hash(tmp_path, BATCH, BATCH.c.batch_id == batch_id, back)
    assert faults(tmp_path) == []
    rewrite(tmp_path / "ledger.db", f"DELETE FROM inbox_application WHERE batch_id = {batch_id} AND idx = 1")
    assert any("waited" in one for one in faults(tmp_path))


async def test_a_change_between_two_heads_is_seen_though_the_second_folded_it(tmp_path):
    batch_id = await _written(tmp_path)
    statement = f"UPDATE inbox_application SET identity = x'00' WHERE batch_id = {batch_id} AND idx = 4"
    edit_with_its_hash(tmp_path, ROW, ROW.c.batch_id == batch_id, statement)
    async with centre(tmp_path) as made:
        await post_head(made, MIDNIGHT + DAY_S)
    assert len([one for one in faults(tmp_path) if "waited" in one]) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE meta SET value = '0' WHERE key = 'epoch'", "UPDATE meta SET value = '1' WHERE key = 'schema'"]
)
async def test_what_the_database_says_of_itself_cannot_go_back_unseen(tmp_path, statement):
    await _written(tmp_path)
    key = statement.split("'")[3]
    edit_with_its_hash(tmp_path, META, META.c.key == key, statement)
    assert any(f"meta {key}: it is not what move" in one for one in faults(tmp_path))


async def test_nature_and_a_restore_cannot_be_changed_or_taken_out_unseen(tmp_path):
    async with open_ledger(tmp_path, nature={"centre": "gz", "simulated": "true"}):
        pass
    engine = writer_engine(tmp_path / "ledger.db")
    with engine.begin() as connection:
        mark_restored(connection, Restore(0, LEAST_STEP))
    engine.dispose()
    await _written(tmp_path)
    for key, other in (("simulated", "false"), ("centre", "km"), ("restored", f"0 {LEAST_STEP + 1}")):
        was = {"simulated": "true", "centre": "gz", "restored": f"0 {LEAST_STEP}"}[key]
        change = f"UPDATE meta SET value = '%s' WHERE key = '{key}'"
        edit_with_its_hash(tmp_path, META, META.c.key == key, change % other)
        assert any(f"meta {key}: it is not what move" in one for one in faults(tmp_path)), key
        edit_with_its_hash(tmp_path, META, META.c.key == key, change % was)
        assert not any("meta" in one for one in faults(tmp_path))
    rewrite(tmp_path / "ledger.db", "DELETE FROM meta WHERE key = 'centre'")
    assert any("meta centre: it is not there" in one for one in faults(tmp_path))


async def test_a_later_opening_and_a_later_restore_are_no_faults(tmp_path):
    await _written(tmp_path)
    async with open_ledger(tmp_path) as ledger:
        at_seq = ledger.head.seq
    engine = writer_engine(tmp_path / "ledger.db")
    with engine.begin() as connection:
        mark_restored(connection, Restore(at_seq, LEAST_STEP))
    engine.dispose()
    assert not any("meta" in one for one in faults(tmp_path))


async def test_a_batch_full_of_holes_keeps_no_head_away(tmp_path):
    async with centre(tmp_path) as made:
        await made.made(await made.bring(OTHER_NUMBERS, OTHER_BATCH), OTHER_NUMBERS)
        now = made.clock.now_floor_s()
        announced = AnnounceBatch(WAITING, "north", "20260201", 10_000, "d" * 64, "second", TODAY, now)
        batch_id = (await made.ledger.write(announced)).batch_id
        await _chunk(made, batch_id, *range(0, 10_000, 2))
        await post_head(made, MIDNIGHT)
        [told] = [move for _, move in made.ledger.replay() if isinstance(move, TablesFolded)]
        assert [(one, len(places)) for one, places, _ in told.waiting] == [(batch_id, 5_000)]
    assert faults(tmp_path) == []
