"""A purge in either engine: rows are blanked and deleted, hashes are made anew, and what stays still verifies."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, insert, select

from controller.core.moves import Verdict
from controller.ledger import tables
from controller.ledger.inbox import AnnounceBatch, InboxRow, StoreChunk
from controller.ledger.purge_rows import BlankDigests, PurgeReader
from controller.ledger.row_hash import row_hash, rows_hash
from controller.ledger.store import ledger_place, open_ledger
from controller.vault.errors import KeyMissing
from controller.vault.store import open_vault

COUNT = 250
DIGEST = b"d" * 32


async def _announced(ledger, sequence: int = 1) -> int:
    number = f"520000000000202601{sequence:07d}"
    batch = await ledger.write(AnnounceBatch(number, "north", "20260201", COUNT, "0" * 64, "second", "20260101", 1.0))
    rows = [
        InboxRow(index, f"{sequence}{index:021d}", DIGEST, b"i%d" % index, b"p%d" % index, "520102001", False, "10")
        for index in range(COUNT)
    ]
    await ledger.write(StoreChunk(batch.batch_id, rows))
    return int(batch.batch_id)


def _closed(engine: Engine, batch_id: int, closed_floor_s: float, purged_floor_s: float = 0.0) -> None:
    """Write what the projection would: a closed batch of which every second card was dispatched, the rest cancelled."""
    numbers = {column.name: 0 for column in tables.card.columns}
    with engine.begin() as connection:
        texts = {"batch_number": str(batch_id), "upstream": "north", "card_kind": "second", "state": "closed"}
        times = {"received_floor_s": 1.0, "due_floor_s": 2.0, "decided_floor_s": 1.0, "closed_floor_s": closed_floor_s}
        counts = dict.fromkeys(("received", "refused", "cancelled", "refused_late", "dispatched"), 0)
        more = {"batch_id": batch_id, "codes": "[]", "rows_hash": b"", "purged_floor_s": purged_floor_s}
        connection.execute(insert(tables.batch).values(**texts, **times, **counts, **more))
        words = {"acceptance_number": "", "unit": "", "codes": "[]", "fields": "[]", "stopped_for": ""}
        cards = [
            {**numbers, **words, "card_id": batch_id * 10_000 + index, "batch_id": batch_id, "express": False,
             "state": "cancelled" if index % 2 else "dispatched"}
            for index in range(COUNT)
        ]  # fmt: skip
        connection.execute(insert(tables.card), cards)


async def test_digests_of_cards_that_were_not_made_are_blanked_and_every_row_s_hash_fits(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        batch_id, other = await _announced(ledger), await _announced(ledger, 2)
    engine = ledger_place(tmp_path, engine_url).writer()
    _closed(engine, batch_id, 10.0)
    engine.dispose()
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        reader = PurgeReader(ledger.reading)
        untouched = reader.rows_hash(other)
        for first in range(0, reader.rows_of(batch_id), 100):
            await ledger.write(BlankDigests(batch_id, first, 100))
        row = tables.inbox_application
        with ledger.reading.connect() as connection:
            rows = (
                connection.execute(select(row).where(row.c.batch_id == batch_id).order_by(row.c.idx)).mappings().all()
            )
            assert reader.rows_hash(batch_id) == rows_hash(connection, batch_id)
        assert len(rows) == COUNT
        assert {one["row_digest"] for one in rows} == {b""}
        for one in rows:
            was_made = one["idx"] % 2 == 0
            digests = (b"i%d" % one["idx"], b"p%d" % one["idx"]) if was_made else (b"", b"")
            assert (one["identity"], one["person"]) == digests
            assert one["row_hash"] == row_hash(row, one)
            assert one["verdict"] == -1 != Verdict.OK
        assert reader.rows_hash(other) == untouched


async def test_what_is_due_is_asked_by_pages_and_neither_open_nor_purged_batches_are(tmp_path, engine_url):
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        ids = [await _announced(ledger, sequence) for sequence in range(1, 6)]
    engine = ledger_place(tmp_path, engine_url).writer()
    for batch_id, closed, gone in zip(ids, (10.0, 0.0, 20.0, 30.0, 15.0), (0.0, 0.0, 5.0, 0.0, 0.0), strict=True):
        _closed(engine, batch_id, closed, gone)
    engine.dispose()
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        reader = PurgeReader(ledger.reading)
        assert reader.due(25.0, 0, 10) == [ids[0], ids[4]]
        assert reader.due(25.0, 0, 1) == [ids[0]]
        assert reader.due(25.0, ids[0], 10) == [ids[4]]
        found = reader.summary(25.0)
        assert (found.batches, found.applications) == (2, 2 * COUNT)
        assert (found.oldest_floor_s, found.newest_floor_s, found.unfinished) == (10.0, 15.0, 5)
        assert reader.left(31.0) == 3
        assert reader.purged(ids) == {ids[2]}
        assert reader.barred(ids, 12.0) == {ids[0], ids[2]}


async def test_ciphertext_goes_by_slices_and_only_that_of_the_batch(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        for batch_id in (1, 2):
            await vault.store_applications(batch_id, [(index, b"%d" % index) for index in range(COUNT)])
            await vault.store_cards([(batch_id * 10_000 + index, b"card") for index in range(COUNT)])
        await vault.destroy_keys([1])
        with pytest.raises(KeyMissing):
            vault.application(1, 0)
        assert vault.batches() == {1, 2}
        for _ in range(2):
            await vault.erase(1)
            assert vault.batches() == {2}
        assert vault.applications(2, range(COUNT)) == [b"%d" % index for index in range(COUNT)]
        assert vault.cards([20_000, 20_249]) == [b"card"] * 2
    async with open_vault(tmp_path, url=engine_url) as vault:
        assert vault.application(2, 7) == b"7"
