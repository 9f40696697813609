"""The audit on both engines: the same verification, and it says what cannot be looked into."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import trio
from sqlalchemy import text

from controller.audit.history import History
from controller.audit.verification import ledger_of, verify_folder
from controller.config import Config
from controller.core import moves as m
from controller.core import record_moves as r
from controller.core.events import BatchChecked
from controller.ledger.inbox import AcknowledgeReceipts, AnnounceBatch, InboxRow, StoreChunk, StoreVerdicts
from controller.ledger.journal import Recorded
from controller.ledger.store import ledger_place, open_ledger
from controller.ledger.verify.file import NO_LOOK
from controller.ledger.verify.report import Verified
from controller.upkeep.day_head import digested
from controller.vault.store import open_vault
from tests.controller.ledger.floor import UNIT, SmallFloor

SENT = [b"one application", b"another"]
NOON, LATER = 2_000.0, 90_000.0


async def worked(folder: Path, url: str) -> None:
    """Bring a batch of two past the checks, and close the day."""
    rows = [
        InboxRow(index, f"{index:022d}", sha256(sent).digest(), b"id%d" % index, b"he%d" % index, UNIT, False, "10")
        for index, sent in enumerate(SENT)
    ]
    verdicts = [
        m.RowVerdict(0, "0" * 22, UNIT, m.Verdict.HOLD, ["name.rare"], ["name"]),
        m.RowVerdict(1, f"{1:022d}", UNIT, m.Verdict.REFUSE, ["number.sex"], ["sex"], True),
    ]
    digest = sha256(b"".join(sha256(sent).digest() for sent in SENT)).hexdigest()
    async with open_ledger(folder, url=url) as ledger, open_vault(folder, url=url) as vault:
        await ledger.record(SmallFloor(1).begin())
        batch = await ledger.write(AnnounceBatch("9" * 25, "city", "20260101", 2, digest, "second", "20251201", NOON))
        await vault.store_applications(batch.batch_id, list(enumerate(SENT)))
        await ledger.write(StoreChunk(batch.batch_id, rows))
        await ledger.write(StoreVerdicts(batch.batch_id, verdicts))
        about = (batch.batch_id, "9" * 25, "city", "second", NOON, LATER, verdicts)
        await ledger.record(Recorded(NOON, BatchChecked(*about), [m.BatchOpened(*about)]))
        await ledger.write(AcknowledgeReceipts("city", 2))
        head = digested(ledger.reading, 86_400.0)
        assert head is not None
        folded = r.TablesFolded(head.day, head.event_seq, head.event_hash, head.batches, head.cursors)
        await ledger.record(Recorded(LATER, head, [folded]))


async def looked(folder: Path, url: str) -> Verified:
    return await trio.to_thread.run_sync(lambda: verify_folder(folder, url, config=Config()))


async def test_ledger_and_vault_in_either_engine_are_verified_the_same(tmp_path, engine_url):
    await worked(tmp_path, engine_url)
    report = await looked(tmp_path, engine_url)
    assert report.faults == []
    assert (report.counts["sealed_application"], report.counts["batches in heads"], report.last_day) == (
        2,
        1,
        "19700101",
    )
    assert report.notes == ([NO_LOOK] if engine_url else [])
    engine = ledger_of(tmp_path, engine_url).reader()
    history = History(engine)
    assert history.head() == report.head
    assert history.last(1)[0].seq == report.head.seq
    assert [type(one.move) for one in history.batch(1, 9)] == [m.BatchOpened, r.TablesFolded]
    assert history.by("bert", 9)
    engine.dispose()


async def test_a_row_changed_under_its_head_is_found_in_either_engine(tmp_path, engine_url):
    await worked(tmp_path, engine_url)
    engine = ledger_place(tmp_path, engine_url).writer()
    with engine.begin() as connection:
        connection.execute(text("UPDATE inbox_application SET unit = '000000000', row_hash = row_hash WHERE idx = 1"))
        connection.execute(text("UPDATE receipt_cursor SET acknowledged = 1"))
    engine.dispose()
    found = " / ".join((await looked(tmp_path, engine_url)).faults)
    assert "inbox_application 1, 1" in found
    assert "receipt_cursor city: it stands below 2" in found
