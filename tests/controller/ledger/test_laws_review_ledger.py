"""Laws 3, 5, 8 and 9 under a second look at ledger, purge and backup: what broke them, made again."""

from __future__ import annotations

import json
import shutil
import time

import pytest
import trio
from typer.testing import CliRunner

from controller import cli
from controller.audit.verification import verify_folder
from controller.backup.errors import NotRestored
from controller.backup.mark import restore_of, to_accept
from controller.backup.restore import restore_backup
from controller.backup.take import Source, take_backup
from controller.clock import day_start_floor_s, floor_date
from controller.core import events as e
from controller.core.state import FloorState
from controller.ledger.store import ledger_place, open_ledger
from controller.upkeep.day_head import digested
from controller.vault.key_backup import backup_of, write_backup
from controller.vault.key_files import open_key_files
from tests.controller.purge_centre import Cut, agree, can_read, make_all, purger
from tests.controller.returning import NUMBERS, centre, sent_centre

NATURE = {"centre": "c", "simulated": "true"}


# ---- law 9: a daily head and a purge at the same time ---------------------------------------------------------------


async def test_a_daily_head_read_while_a_purge_goes_on_leaves_a_ledger_that_verifies(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)  # no head was posted since the batch was closed: its digest is to come
        action = await agree(made)
        midnight = day_start_floor_s(floor_date(made.clock.now_floor_s()))
        read = await trio.to_thread.run_sync(digested, made.ledger.reading, midnight)
        assert mixed in dict(read.batches)
        await purger(made).purge(action)
        await made.host.post(read).wait()  # what was read before the purge comes after it
        batch = made.ledger.reader.batch(mixed)
        assert batch.purged_floor_s > 0
        assert made.ledger.verify().faults == []


# ---- law 3: a copy of a ledger that was restored once ---------------------------------------------------------------


async def test_the_copy_in_a_backup_of_a_restored_ledger_is_no_ledger_to_start_on(tmp_path):
    async with open_ledger(tmp_path / "one", nature=NATURE):
        pass
    async with centre(tmp_path / "one") as made:
        await made.bring()
    first, _ = take_backup(Source(tmp_path / "one"), tmp_path / "backups")
    restore_backup(first, tmp_path / "two")
    for name in ("master.key", "site.key", "vault.keys"):
        shutil.copy(tmp_path / "one" / name, tmp_path / "two" / name)
    engine = ledger_place(tmp_path / "two").reader()
    restore = restore_of(engine)  # asked before it is accepted
    engine.dispose()
    async with centre(tmp_path / "two") as made:
        await made.host.post(e.RestoreAccepted(restore.at_seq, restore.step, ["north"])).wait()
    second, _ = take_backup(Source(tmp_path / "two"), tmp_path / "backups2")
    engine = ledger_place(second).reader()  # somebody copied it into a data folder as it is
    try:
        with pytest.raises(NotRestored):
            to_accept(engine, FloorState(restored_step=restore.step), False)
    finally:
        engine.dispose()


# ---- laws 3 and 8: a card that came back, cut short -----------------------------------------------------------------


@pytest.mark.parametrize("cut_at", ["vault", "floor"])
async def test_a_return_that_was_cut_short_costs_no_backup_and_is_no_fault(tmp_path, cut_at):
    folder = tmp_path / "data"
    async with open_ledger(folder, nature=NATURE):
        pass
    before = await _cut_return(folder, cut_at)
    assert [one for one in verify_folder(folder).faults if one not in before] == []
    path, _ = take_backup(Source(folder), tmp_path / "backups")
    assert path.is_dir()


async def test_what_a_return_that_was_cut_short_left_in_the_vault_goes_with_the_next_purge(tmp_path):
    folder = tmp_path / "data"
    await _cut_return(folder, "floor")
    async with centre(folder) as made:
        [left] = [one for one in made.vault.batches() if made.ledger.reader.batch(one) is None]
        assert can_read(made, left)
        made.clock.epoch_floor_s += 400 * 86_400.0
        await purger(made).purge(await agree(made))
        assert not can_read(made, left)
        assert left not in made.vault.batches()


async def _cut_return(folder, cut_at: str) -> list[str]:
    """Cut the service while a card is taken back; give the faults that the folder had before."""
    async with sent_centre(folder):
        pass
    before = verify_folder(folder).faults
    async with centre(folder) as made:

        async def cut(*arguments):
            raise Cut

        def cut_post(event):
            raise Cut

        if cut_at == "vault":
            made.returns._vault.store_applications = cut
        else:
            made.returns._post = cut_post
        with pytest.raises(Cut):
            await made.returns.take_back(NUMBERS[0], "chip_dead", "ann")
        if cut_at == "vault":
            del made.vault.store_applications
    return before


# ---- law 8: a backup of keys knows itself how long data was kept ----------------------------------------------------


async def test_keys_of_batches_purged_under_a_shorter_retention_do_not_come_back_under_a_longer_one(tmp_path):
    folder, new = tmp_path / "data", tmp_path / "new"
    async with sent_centre(folder) as made:  # a centre that keeps data 60 days; its batch was closed today
        closed_floor_s = made.clock.now_floor_s()
    files = open_key_files(folder, may_create=False)
    created, expires = (floor_date(closed_floor_s + days * 86_400.0) for days in (50, 110))
    write_backup(tmp_path / "keys.backup", backup_of(files.ring, files.master, files.site, created, expires))
    new.mkdir()
    for name in ("ledger.db", "vault.db", "master.key", "site.key"):  # of day 50 too; on day 61 the batch was purged
        shutil.copy(folder / name, new / name)
    clock = {"epoch_floor_s": closed_floor_s + 100 * 86_400.0, "anchor_wall_s": time.time(), "scale": 1.0}
    (new / "clock.json").write_text(json.dumps(clock))
    # on the new machine the settings are as they come: 180 days
    done = CliRunner().invoke(
        cli.app, ["keys", "restore", str(tmp_path / "keys.backup"), "--as", "ann", "--data", str(new)]
    )
    assert done.exit_code == 0, done.output
    assert open_key_files(new, may_create=False).ring.batches() == []
