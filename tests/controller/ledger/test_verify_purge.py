"""Verification and purges: whenever one is cut, what it took out is no fault, and nothing else may go that way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from controller.clock import day_start_floor_s, floor_date
from controller.ledger import tables
from controller.ledger.verify.report import Verified
from tests.controller.ledger.audited import audit, copy_of_centre, post_head
from tests.controller.ledger.test_verify_whole import edit_with_its_hash
from tests.controller.purge_centre import Cut, Steps, agree, later, make_all, purger, under_way
from tests.controller.returning import Centre, centre


def faults(report: Verified) -> list[str]:
    """Leave out what that centre does not do: it encodes nothing, and its floor hears another time of arrival."""
    return [one for one in report.faults if "sealed card" not in one and "received_floor_s" not in one]


async def _head(made: Centre) -> None:
    await post_head(made, day_start_floor_s(floor_date(made.clock.now_floor_s())))


async def test_at_each_step_of_a_purge_the_folder_is_sound_under_its_daily_heads(tmp_path):
    async with centre(tmp_path / "old") as made:
        await make_all(made)
        await _head(made)
        await agree(made)
    steps = Steps()
    async with later(shutil.copytree(tmp_path / "old", tmp_path / "whole")) as made:
        await purger(made, steps).purge(under_way(made))
    over = audit(tmp_path / "whole")
    assert (faults(over), over.notes, over.counts["purged batches"]) == ([], [], 2)
    for allowed in range(steps.made):
        folder = shutil.copytree(tmp_path / "old", tmp_path / f"cut{allowed}")
        async with later(folder) as made:
            with pytest.raises(Cut):
                await purger(made, Steps(allowed)).purge(under_way(made))
        report = audit(folder)
        assert faults(report) == []
        assert any("purge 1 is under way" in note for note in report.notes)


async def test_after_a_purge_its_rows_are_held_by_the_digests_it_told(tmp_path):
    folder: Path = tmp_path / "data"
    async with centre(folder) as made:
        mixed, _, _ = await make_all(made)
        await _head(made)
        await purger(made).purge(await agree(made))
    row = tables.inbox_application
    edit_with_its_hash(
        folder, row, row.c.batch_id == mixed, f"UPDATE inbox_application SET fee_class = 'x' WHERE batch_id = {mixed}"
    )
    assert any(f"batch {mixed} are not those that move" in one for one in faults(audit(folder)))


def test_digests_taken_out_without_a_purge_are_a_fault(tmp_path):
    folder, _ = copy_of_centre(tmp_path)
    row = tables.inbox_application
    edit_with_its_hash(
        folder, row, row.c.batch_id == 3, "UPDATE inbox_application SET row_digest = x'' WHERE batch_id = 3"
    )
    assert audit(folder).faults == []  # no head has folded them yet, and the floor never heard of that batch
    edit_with_its_hash(
        folder, row, row.c.batch_id == 1, "UPDATE inbox_application SET row_digest = x'' WHERE batch_id = 1"
    )
    found = audit(folder).faults
    assert "inbox_application 1: digests were taken out, and no purge was at it" in found
    assert any("batch 1 are not those that move" in one for one in found)
