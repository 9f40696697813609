"""Tests of the steps from an older schema to the present one, on folders that older programs wrote."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, select

from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.ledger import tables
from controller.ledger.chain import head_of
from controller.ledger.engine import writer_engine
from controller.ledger.migrations import SCHEMA, STEPS, migrate
from controller.ledger.reader import Reader
from controller.ledger.row_hash import ROW_HASH, row_hash
from controller.ledger.store import Ledger, open_ledger
from controller.vault.store import open_vault

SCHEMA_1 = Path(__file__).parent / "schema_1"
HEAD_OF_SCHEMA_1 = "a7c88d1b733c2056b6ecc6a728793dbf7fcf141fbe11e51910b1490c718c6129"


@pytest.fixture
def old_folder(tmp_path: Path) -> Path:
    """Give a copy of the data folder that a program with schema 1 wrote."""
    for packed in SCHEMA_1.glob("*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    for key in ("master.key", "site.key", "vault.keys"):
        shutil.copy(SCHEMA_1 / key, tmp_path / key)
        (tmp_path / key).chmod(0o600)
    return tmp_path


def _columns(engine: Engine) -> dict[str, set[str]]:
    look = inspect(engine)
    return {name: {column["name"] for column in look.get_columns(name)} for name in look.get_table_names()}


async def test_a_ledger_of_schema_1_opens_with_its_chain_as_it_was(old_folder: Path) -> None:
    async with open_ledger(old_folder) as ledger:
        assert ledger.head.hash.hex() == HEAD_OF_SCHEMA_1
        assert head_of(ledger.replay()) == ledger.head
        assert ledger.verify().faults == []


async def test_a_ledger_of_schema_1_goes_on_after_it_was_opened(old_folder: Path) -> None:
    def fold(ledger: Ledger) -> Foreman:
        foreman = Foreman(CoreConfig())
        for at_floor_s, move in ledger.replay():
            foreman.replay(at_floor_s, move)
        return foreman

    async with open_ledger(old_folder) as ledger:
        state = fold(ledger).state
        assert state.run == 1
        assert ledger.reader.batch(1).state == "closed"
    async with open_ledger(old_folder) as ledger:
        assert fold(ledger).state == state


async def test_a_vault_of_schema_1_still_opens_what_was_sealed(old_folder: Path) -> None:
    async with open_ledger(old_folder), open_vault(old_folder) as vault:
        assert len(vault.application(1, 0)) > 1_000


def test_an_upgraded_ledger_has_the_tables_and_columns_of_a_new_one(old_folder: Path, tmp_path: Path) -> None:
    upgraded, fresh = writer_engine(old_folder / "ledger.db"), writer_engine(tmp_path / "fresh.db")
    for engine in (upgraded, fresh):
        with engine.begin() as connection:
            migrate(connection, tables.metadata, tables.meta)
    assert _columns(upgraded) == _columns(fresh)
    with upgraded.connect() as connection:
        for table in tables.metadata.tables.values():
            if ROW_HASH in table.columns:
                for row in connection.execute(select(table)).mappings():
                    assert row[ROW_HASH] == row_hash(table, row), table.name
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        names = {name for (name,) in connection.exec_driver_sql(triggers)}
        assert names == {f"{table}_no_{verb}" for table in ("move", "event") for verb in ("update", "delete")}
    for engine in (upgraded, fresh):
        engine.dispose()


def test_an_upgraded_ledger_knows_which_consignments_nobody_counted(old_folder: Path) -> None:
    engine = writer_engine(old_folder / "ledger.db")
    with engine.begin() as connection:
        migrate(connection, tables.metadata, tables.meta)
    sent, uncounted = Reader(engine).sent(), Reader(engine).uncounted()
    engine.dispose()
    assert sent
    assert uncounted == sorted((one for one in sent if one.arrived < 0), key=lambda one: one.consignment_id) != []


def test_there_is_a_step_to_each_schema_after_the_first() -> None:
    assert sorted(STEPS) == list(range(2, SCHEMA + 1))
