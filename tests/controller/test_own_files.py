"""A start that must not be: it is refused with what to do, and not a byte in the folder is another one afterwards."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from contextlib import closing

import pytest

from controller.backup.errors import NotRestored
from controller.backup.mark import require_no_copy
from controller.backup.take import Source, take_backup
from controller.clock import FloorClock
from controller.config import ClockConfig, Config, ConfigError, ServiceConfig, StorageConfig
from controller.floor_time import open_clock
from controller.ledger.errors import LedgerDamaged, LedgerOther
from controller.ledger.store import open_ledger
from controller.service import run_service
from controller.upkeep.own_files import lost_vault, require_own_files
from tests.controller.copied import NATURE, fill

SIMULATED = ClockConfig(simulated=True, scale=2.0, epoch="2026-03-02T08:00")


@pytest.fixture
async def folder(tmp_path):
    await fill(tmp_path / "data", events=40, rows=3)
    return tmp_path / "data"


def config_of(folder):
    service = ServiceConfig(folder=str(folder), centre="test")
    return Config(service=service, storage=StorageConfig(free_min_mib=0, reserve_mib=0), clock=SIMULATED)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def epoch_of(folder):
    with closing(sqlite3.connect(folder / "ledger.db")) as ledger:
        return ledger.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()


async def test_a_service_on_the_files_of_a_backup_is_refused_and_the_backup_stays_as_it_was(folder, tmp_path):
    backup, _ = take_backup(Source(folder), tmp_path / "kept")
    before = content(backup)
    code, said = await run_service(config_of(backup), None)
    assert (code, "backup.not_restored" in said, "cardmill restore" in said) == (2, True, True), said
    assert content(backup) == before


async def test_a_ledger_that_is_refused_keeps_its_epoch(folder, tmp_path):
    backup, _ = take_backup(Source(folder), tmp_path / "kept")
    (backup / "backup.json").unlink()  # only the mark inside still tells
    before = epoch_of(backup)
    assert before is not None
    with pytest.raises(NotRestored):
        async with open_ledger(backup, nature=NATURE, require=require_no_copy):
            pass
    with pytest.raises(LedgerOther):
        async with open_ledger(backup, nature=NATURE | {"centre": "other"}):
            pass
    assert epoch_of(backup) == before


async def test_a_ledger_with_moves_gets_no_new_vault_when_vault_and_keys_are_gone(folder):
    for name in ("vault.db", "vault.keys"):
        (folder / name).unlink()
    code, said = await run_service(config_of(folder), None)
    assert (code, "vault.db is gone" in said) == (1, True), said
    assert not (folder / "vault.db").exists()


async def test_a_database_that_is_gone_is_told_from_a_first_start_that_was_cut_short(folder, tmp_path):
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    require_own_files(fresh)
    async with open_ledger(fresh, nature=NATURE):
        pass
    (fresh / "vault.keys").touch()
    require_own_files(fresh)
    assert lost_vault(fresh) == ""
    (folder / "ledger.db").unlink()
    with pytest.raises(LedgerDamaged, match=r"ledger.db is gone"):
        require_own_files(folder)
    (folder / "vault.db").unlink()
    with pytest.raises(LedgerDamaged, match=r"ledger.db is gone, and vault.keys"):
        require_own_files(folder)
    require_own_files(folder, "postgresql://somewhere/else")


# ---- the floor clock ---------------------------------------------------------------------------------------------


async def test_a_service_whose_floor_clock_is_gone_is_refused_when_its_ledger_has_moves(folder):
    (folder / "clock.json").unlink()
    code, said = await run_service(config_of(folder), None)
    assert (code, "clock.json is gone" in said, "backup.json" in said) == (2, True, True), said
    assert not (folder / "clock.json").exists()


async def test_a_service_whose_floor_clock_is_far_behind_its_ledger_is_refused_and_told_what_to_write(folder):
    old = json.dumps({"epoch_floor_s": -1e9, "anchor_wall_s": time.time(), "scale": SIMULATED.scale})
    (folder / "clock.json").write_text(old)
    code, said = await run_service(config_of(folder), None)
    assert (code, "behind the ledger's last move" in said, "backup.json" in said) == (2, True, True), said
    assert (folder / "clock.json").read_text() == old
    anew = json.loads(said[said.index("{") : said.index("}") + 1])
    clock = FloorClock(**anew)
    assert 0.0 <= clock.now_floor_s() - anew["epoch_floor_s"] < 60.0 * SIMULATED.scale


def test_a_clock_set_back_by_seconds_and_a_real_floor_s_clock_are_used_as_they_are(tmp_path):
    now = time.time()
    (tmp_path / "clock.json").write_text(json.dumps({"epoch_floor_s": 1e9, "anchor_wall_s": now, "scale": 2.0}))
    config = dataclasses.replace(SIMULATED, scale=2.0)
    assert open_clock(tmp_path, config, 1e9 + 2.0 * 50.0).now_floor_s() < 1e9 + 100.0
    with pytest.raises(ConfigError, match="behind the ledger's last move"):
        open_clock(tmp_path, config, 1e9 + 2.0 * 5_000.0)
    (tmp_path / "clock.json").write_text(json.dumps({"epoch_floor_s": 1e9, "anchor_wall_s": now, "scale": 1.0}))
    assert open_clock(tmp_path, ClockConfig(), 2e9).now_floor_s() < 2e9


def test_what_the_refusal_says_to_write_lets_floor_time_go_on_from_the_last_move(tmp_path):
    last_floor_s = 2e9
    with pytest.raises(ConfigError) as refused:
        open_clock(tmp_path, SIMULATED, last_floor_s)
    text = str(refused.value)
    (tmp_path / "clock.json").write_text(text[text.index("{") : text.index("}") + 1])
    assert json.loads((tmp_path / "clock.json").read_text())["scale"] == SIMULATED.scale
    assert open_clock(tmp_path, SIMULATED, last_floor_s).now_floor_s() >= last_floor_s


def test_a_first_start_and_a_real_floor_begin_their_clock(tmp_path):
    assert open_clock(tmp_path, ClockConfig(), 1e9).now_floor_s() > 1e9
    (tmp_path / "clock.json").unlink()
    assert open_clock(tmp_path, SIMULATED).scale == 2.0
