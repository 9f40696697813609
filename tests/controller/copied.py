"""What the tests of backups share: a data folder with a ledger, a vault and a clock, filled as a service would."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, select

from controller.ledger import tables
from controller.ledger.inbox import AnnounceBatch, InboxRow, StoreChunk
from controller.ledger.store import Ledger, open_ledger
from controller.vault.store import Vault, open_vault
from tests.controller.ledger.floor import SmallFloor

NATURE = {"centre": "test", "simulated": "true"}
CLOCK = {"epoch_floor_s": 1_000.0, "anchor_wall_s": 5.0, "scale": 2.0}
SECRET = b"nobody may read this but with a key"


async def fill(folder: Path, url: str = "", events: int = 300, rows: int = 40) -> None:
    """Make a data folder with the moves of a small floor, one open batch in the inbox and its sealed applications."""
    async with open_ledger(folder, url=url, nature=NATURE) as ledger, open_vault(folder, url=url) as vault:
        for recorded in islice(SmallFloor(7, rows_max=6).run(events), events):
            ledger.put(recorded)
        await bring(ledger, vault, "5200000000002026030200001", rows)
    (folder / "clock.json").write_text(json.dumps(CLOCK))


async def bring(ledger: Ledger, vault: Vault, batch_number: str, rows: int) -> int:
    """Announce a batch and store its applications, the vault's part first; give the batch's number."""
    digest = "0" * 64
    announced = AnnounceBatch(batch_number, "city", "20260302", rows, digest, "second", "20260302", 1_000.0)
    batch = await ledger.write(announced)
    await vault.store_applications(batch.batch_id, [(index, SECRET) for index in range(rows)])
    stored = [
        InboxRow(index, f"{index:022d}", b"d" * 32, b"i" * 32, b"p" * 32, "110101001", False, "01", [], [])
        for index in range(rows)
    ]
    await ledger.write(StoreChunk(batch.batch_id, stored))
    return batch.batch_id


def rows_of(engine: Engine, leave: tuple[str, ...] = ("meta",)) -> dict[str, list[tuple]]:
    """Give all rows of a ledger but those of some tables."""
    found = {}
    with engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            if table.name not in leave:
                query = select(table).order_by(*table.primary_key.columns)
                found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found
