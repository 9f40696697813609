"""A purge launders nothing: a batch whose rows somebody changed is left as it is, and everybody who looks is told."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import structlog

from controller.config import Config
from controller.core.record_moves import BatchesPurged
from controller.doctor.databases import look_at_databases
from controller.doctor.finding import Verdict
from controller.ledger import tables
from controller.ledger.purge_rows import BlankDigests, PurgeReader
from controller.report.text import status_lines
from tests.controller.ledger.audited import audit, post_head
from tests.controller.ledger.test_verify_whole import edit_with_its_hash
from tests.controller.purge_centre import (
    DAY_S,
    Cut,
    Steps,
    agree,
    can_read,
    is_as_purged,
    later,
    make_all,
    purger,
    under_way,
)
from tests.controller.returning import Centre, centre

SWAP = "UPDATE inbox_application SET identity = x'00' WHERE batch_id = 1 AND idx = 0"
HEADER = "UPDATE inbox_batch SET due = '20990101' WHERE batch_id = 1"
BLANK = "UPDATE inbox_application SET row_digest = x'' WHERE batch_id = 1 AND idx = 2"


async def _told_by_a_head(folder: Path) -> None:
    async with centre(folder) as made:
        await make_all(made)
        await post_head(made, made.clock.now_floor_s() // DAY_S * DAY_S)


def _edit(folder: Path, statement: str) -> None:
    """Change a row and its hash, as somebody who knows how they are made."""
    table = tables.inbox_batch if "inbox_batch" in statement else tables.inbox_application
    edit_with_its_hash(folder, table, table.c.batch_id == 1, statement)


async def _left(made: Centre) -> None:
    with structlog.testing.capture_logs() as logs:
        await purger(made).purge(await agree(made))
    assert [(one["code"], one["batch_id"]) for one in logs if one["log_level"] == "error"] == [("purge.altered", 1)]


@pytest.mark.parametrize("statement", [SWAP, HEADER, BLANK])
async def test_a_batch_changed_with_its_hashes_since_its_head_is_left_and_the_others_are_purged(tmp_path, statement):
    await _told_by_a_head(tmp_path)
    _edit(tmp_path, statement)
    async with later(tmp_path) as made:
        await _left(made)
        assert can_read(made, 1)
        assert is_as_purged(made, 2)
        [told] = [move for _, move in made.ledger.replay() if isinstance(move, BatchesPurged)]
        assert (told.altered, [one for one, _ in told.batches]) == ([1], [2])
        assert made.host.foreman.state.purges == {}
        assert PurgeReader(made.ledger.reading).left_altered() == [1]
        status = (await made.ask("status")).result
        assert status["altered"] == [1]
        assert any("! rows of 1 batches were changed" in line for line in status_lines(status))
        assert (await made.ask("purge_preview")).result["altered"] == [1]
    assert any("batch 1 are not those that move" in one for one in audit(tmp_path).faults)  # and is still found
    found = look_at_databases(tmp_path, Config()).findings
    assert [one.text for one in found if one.verdict is Verdict.WRONG and "left 1 batches" in one.text]


async def test_a_row_that_does_not_carry_its_own_hash_is_enough(tmp_path):
    async with centre(tmp_path) as made:
        await make_all(made)  # no head has told of these rows yet
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute(SWAP)
    async with later(tmp_path) as made:
        await _left(made)
        assert can_read(made, 1)


async def test_once_the_rows_are_as_they_were_the_next_purge_takes_the_batch(tmp_path):
    await _told_by_a_head(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        [was] = raw.execute("SELECT identity FROM inbox_application WHERE batch_id = 1 AND idx = 0").fetchone()
    _edit(tmp_path, SWAP)
    async with later(tmp_path) as made:
        await _left(made)
    _edit(tmp_path, SWAP.replace("x'00'", f"x'{was.hex()}'"))
    async with later(tmp_path) as made:
        await purger(made).purge(await agree(made))
        assert is_as_purged(made, 1)
        assert (await made.ask("status")).result["altered"] == []
        assert PurgeReader(made.ledger.reading).left_altered() == []


async def test_what_a_purge_blanked_before_it_was_cut_short_is_no_change_by_anybody(tmp_path):
    await _told_by_a_head(tmp_path / "old")
    async with later(tmp_path / "old") as made:
        await agree(made)
        await made.ledger.write(BlankDigests(1, 0, 1))  # and then the power was cut
    for begun, is_purged in ((False, False), (True, True)):
        folder = shutil.copytree(tmp_path / "old", tmp_path / f"begun{begun}")
        async with later(folder) as made:
            await purger(made).purge(under_way(made, begun=begun))
            assert is_as_purged(made, 1) == is_purged


async def test_a_purge_that_goes_on_after_a_cut_still_sees_a_row_without_its_own_hash(tmp_path):
    await _told_by_a_head(tmp_path)
    async with later(tmp_path) as made:
        await agree(made)
        with pytest.raises(Cut):
            await purger(made, Steps(1)).purge(under_way(made, begun=False))
    with sqlite3.connect(tmp_path / "ledger.db") as raw:
        raw.execute(SWAP)
    async with later(tmp_path) as made:
        await purger(made).purge(under_way(made))
        assert made.ledger.reader.batch(1).purged_floor_s == 0.0
