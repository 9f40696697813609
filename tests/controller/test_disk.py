"""The disk watch: new work stops in time, the reserve is given up last and made again, and all of it is shown."""

from __future__ import annotations

import os

import pytest
import trio

from controller.asking.submission import batch_digest
from controller.config import StorageConfig
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.core.tally import Tally
from controller.desk.desk import Desk
from controller.desk.looking import VERBS
from controller.intake.place import Place
from controller.metrics import Metrics
from controller.report.text import status_lines
from controller.upkeep.disk import BUSY_S, LOOK_S, MIB, RESERVE_NAME, DiskWatch, free_bytes, with_advice
from controller.wire import (
    AcknowledgeReceipts,
    AskBatch,
    BatchState,
    Busy,
    Chunk,
    ChunkStored,
    FetchReceipts,
    OpenBatch,
    Receipts,
    Refusal,
)
from tests.controller.test_laws_shell import TODAY, application, shell

CONFIG = StorageConfig(free_min_mib=100, reserve_mib=8)


class PretendDisk:
    """A disk of a set size, in which the reserve's own file takes its part."""

    def __init__(self, folder, free_mib):
        self.folder, self.others_bytes, self.size_bytes = folder, 0, free_mib * MIB
        self.asked = 0

    def free(self, folder):
        assert folder == self.folder
        self.asked += 1
        reserve = folder / RESERVE_NAME
        return self.size_bytes - self.others_bytes - (reserve.stat().st_size if reserve.exists() else 0)

    def leave(self, mib):
        """Let others write until so much is free beside the reserve."""
        self.others_bytes += self.free(self.folder) - mib * MIB


@pytest.fixture
def disk(tmp_path):
    return PretendDisk(tmp_path, 1_000)


@pytest.fixture
def watch(disk, tmp_path):
    made = DiskWatch(tmp_path, CONFIG, disk.free)
    made.look()
    return made


def test_with_room_enough_the_reserve_is_made_of_real_blocks(watch, tmp_path):
    found = (tmp_path / RESERVE_NAME).stat()
    assert (found.st_size, found.st_blocks * 512 >= 8 * MIB) == (8 * MIB, True)
    assert watch.line()["state"] == "ok"


def test_below_the_limit_new_work_stops_and_the_reserve_stays(watch, disk, tmp_path):
    disk.leave(99)
    watch.look()
    assert watch.is_low
    assert watch.line() | {"free_bytes": 0} == {
        "state": "low", "free_bytes": 0, "free_min_bytes": 100 * MIB, "reserve_bytes": 8 * MIB,
        "watched": "the data folder",
    }  # fmt: skip
    assert (tmp_path / RESERVE_NAME).stat().st_size == 8 * MIB
    disk.leave(101)
    watch.look()
    assert not watch.is_low


def test_the_reserve_is_given_up_when_a_quarter_of_it_is_left_and_made_again_when_there_is_room(watch, disk, tmp_path):
    disk.leave(2)
    watch.look()
    assert not watch.is_reserve_spent
    disk.leave(1)
    watch.look()
    assert (watch.is_reserve_spent, (tmp_path / RESERVE_NAME).stat().st_size) == (True, 0)
    assert watch.free_bytes == 9 * MIB, "what it held can be written now"
    assert watch.line()["state"] == "reserve_given_up"
    disk.leave(107)  # above the limit, but not with the reserve
    watch.look()
    assert watch.is_reserve_spent
    assert not watch.is_low
    disk.leave(108)
    watch.look()
    assert (watch.is_reserve_spent, (tmp_path / RESERVE_NAME).stat().st_size) == (False, 8 * MIB)


def test_a_start_on_a_full_disk_gives_the_reserve_up_before_anything_is_opened(watch, disk, tmp_path):
    disk.leave(0)
    again = DiskWatch(tmp_path, CONFIG, disk.free)
    again.relieve()
    assert (again.is_reserve_spent, again.free_bytes) == (True, 8 * MIB)


def test_a_reserve_that_settings_make_smaller_or_leave_out_gives_its_room_back(watch, disk, tmp_path):
    for reserve_mib in (3, 0):
        again = DiskWatch(tmp_path, StorageConfig(free_min_mib=100, reserve_mib=reserve_mib), disk.free)
        again.look()
        assert (tmp_path / RESERVE_NAME).stat().st_size == reserve_mib * MIB
        assert not again.is_reserve_spent


def test_a_reserve_that_finds_no_room_after_all_holds_nothing(disk, tmp_path, monkeypatch):
    def full(file, start, length):
        os.pwrite(file, b"x", start)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    watch = DiskWatch(tmp_path, CONFIG, disk.free)
    watch.look()
    assert watch.is_reserve_spent
    assert (tmp_path / RESERVE_NAME).stat().st_size == 0


async def test_it_looks_every_few_seconds_until_it_is_cancelled(watch, disk, nursery, autojump_clock):
    await nursery.start(watch.run)
    before = disk.asked
    await trio.sleep(10 * LOOK_S + 0.1)
    assert disk.asked >= before + 10


def test_the_real_file_system_answers(tmp_path):
    before = free_bytes(tmp_path)
    assert before > 0


def test_what_a_full_disk_ended_is_told_with_what_to_do():
    full = "ledger.stopped: a commit of the ledger failed: database or disk is full (SQLITE_FULL)"
    assert with_advice(full).startswith(f"{full}; free some space")
    assert with_advice("ledger.in_use: process 5 works here") == "ledger.in_use: process 5 works here"


# ---- intake ----------------------------------------------------------------------------------------------------

NUMBER = f"520000000000{TODAY}00001"


async def open_batch(centre, applications, number=NUMBER):
    digest = batch_digest(applications)
    header = OpenBatch(batch_number=number, due=TODAY, count=len(applications), digest=digest, card_kind="second")
    return await centre.intake.answer("north", header)


async def test_intake_says_busy_to_new_work_on_a_low_disk_and_goes_on_with_everything_else(tmp_path):
    async with shell(tmp_path) as centre:
        low = []
        old = centre.intake._place
        centre.intake._place = Place(old.clock, old.simulated, lambda: bool(low))
        one, two = application(1), application(2)
        assert isinstance(await open_batch(centre, [one, two]), BatchState)
        first = Chunk(batch_number=NUMBER, first=0, applications=[one])
        assert isinstance(await centre.intake.answer("north", first), ChunkStored)
        low.append(True)
        second = Chunk(batch_number=NUMBER, first=1, applications=[two])
        for new in (await open_batch(centre, [one], f"{NUMBER[:-1]}2"), await centre.intake.answer("north", second)):
            assert isinstance(new, Busy)
            assert new.retry_after_s == BUSY_S
        assert isinstance(await open_batch(centre, [one, two]), BatchState), "how far it is can be asked"
        assert isinstance(await centre.intake.answer("north", AskBatch(batch_number=NUMBER)), BatchState)
        assert isinstance(await centre.intake.answer("north", FetchReceipts(after=0)), Receipts)
        low.clear()
        assert isinstance(await centre.intake.answer("north", second), ChunkStored)


async def test_a_restored_ledger_takes_no_new_batch_and_names_receipts_it_never_gave(tmp_path):
    async with shell(tmp_path) as centre:
        assert isinstance(await open_batch(centre, [application(1)]), BatchState)
        old = centre.intake._place
        centre.intake._place = Place(old.clock, old.simulated, bool, lambda: True)
        refused = await open_batch(centre, [application(2)], f"{NUMBER[:-1]}2")
        assert isinstance(refused, Refusal)
        assert refused.code == "restored.waits"
        assert isinstance(await open_batch(centre, [application(1)]), BatchState), "one that it knows"
        for request in (FetchReceipts(after=7), AcknowledgeReceipts(upto=7)):
            beyond = await centre.intake.answer("north", request)
            assert isinstance(beyond, Refusal)
            assert (beyond.code, "receipt 7" in beyond.text) == ("receipts.beyond", True)


# ---- where people look -----------------------------------------------------------------------------------------


def test_prometheus_reads_what_is_free_and_what_is_reserved(watch, disk):
    metrics = Metrics(Tally(), Foreman(CoreConfig()).state)
    metrics.watch_disk(watch)
    read = metrics.registry.get_sample_value
    assert read("cardmill_disk_reserve_bytes") == 8 * MIB
    disk.leave(1)
    watch.look()
    assert (read("cardmill_disk_free_bytes"), read("cardmill_disk_reserve_bytes")) == (9 * MIB, 0)
    assert b"cardmill_disk_free_bytes" in metrics.text()


async def test_status_shows_the_disk_and_a_restored_ledger_before_anything_else(tmp_path, watch, disk):
    async with shell(tmp_path / "data") as centre:
        foreman = centre.host.foreman
        desk = Desk(
            centre.ledger, foreman.state, Tally(), centre.host.clock, True, 4_000.0, centre.host.post, disk=watch
        )
        status = await VERBS["status"](desk, "ann", {})
        assert (status["disk"]["state"], status["reconciling"]) == ("ok", False)
        assert not any("disk" in line or "backup" in line for line in status_lines(status))
        disk.leave(1)
        watch.look()
        foreman.state.reconciling = True
        lines = status_lines(await VERBS["status"](desk, "ann", {}))
        assert any("disk nearly full" in line and "limit 100" in line and "free some" in line for line in lines)
        assert any("the reserve is spent" in line for line in lines)
        assert any("no new batches are taken in" in line for line in lines)
        assert any("`cardmill act reconciled`" in line and "restored from a backup" in line for line in lines)
        assert not any(line.endswith("…") for line in lines), "nothing of it is cut"
