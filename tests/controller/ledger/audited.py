"""What tests of the audit share: a small centre whose ledger and vault hold something of everything."""

from __future__ import annotations

import shutil
import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from controller.application import card_id
from controller.audit.verification import verify_folder
from controller.clock import day_start_floor_s, floor_date
from controller.config import Config
from controller.core.calendar import DAY_S
from controller.core.events import BatchChecked
from controller.core.moves import RowVerdict, Verdict
from controller.ledger.inbox import AcknowledgeReceipts, StoreVerdicts
from controller.ledger.snapshot import StoreSnapshot
from controller.ledger.verify.report import Verified
from controller.upkeep.books import code_of, encode_books, open_books
from controller.upkeep.day_head import DayHeads
from sims.receipt_file import ReceiptFile
from tests.controller.checks.samples import TODAY
from tests.controller.returning import BATCH, Centre, centre

UNIT = "520102001"
NUMBERS = [f"52010200120251220{sequence:05d}" for sequence in range(30)]
LATER = [f"52010200120251221{sequence:05d}" for sequence in range(6)]
LATER_BATCH = f"{BATCH[:-1]}2"
SMALL = b"\xff\xd8 a portrait that is small enough for many to lie on a page"


async def small_centre(folder: Path, receipts: Path | None = None) -> None:
    """Make and send a batch, take a card back, close a day with its head, and receive another batch after it."""
    async with centre(folder) as made, trio.open_nursery() as nursery:
        made.clock.scale = 2_000.0
        nursery.start_soon(made.host.run_timers)
        await _first_day(made)
        await post_head(made, day_start_floor_s(TODAY) + DAY_S)
        await keep_snapshot(made)
        await made.bring(LATER, LATER_BATCH, portrait=SMALL)
        await made.ledger.write(AcknowledgeReceipts("north", 60))
        if receipts is not None:
            with ReceiptFile(receipts) as file:
                file.keep(made.ledger.reader.receipts("north", 0))
        nursery.cancel_scope.cancel()


async def keep_snapshot(made: Centre) -> int:
    """Keep a snapshot of what is durable, as the service does, and give its move."""
    opened = open_books(made.ledger, Config())
    body = encode_books(opened.books)
    await made.ledger.write(StoreSnapshot(opened.seq, code_of(Config()), body))
    return opened.seq


async def _first_day(made: Centre) -> None:
    batch_id = await made.bring(NUMBERS, portrait=SMALL)
    cards = [card_id(batch_id, index) for index in range(len(NUMBERS))]
    await made.vault.store_cards([(card, b"encoded %d" % card) for card in cards])
    rows = [RowVerdict(index, number, UNIT, Verdict.OK) for index, number in enumerate(NUMBERS)]
    await made.ledger.write(StoreVerdicts(batch_id, rows))
    received = made.ledger.reader.announced(BATCH).received_floor_s
    told = BatchChecked(batch_id, BATCH, "north", "second", received, received + 9e5, rows)
    await made.host.post(told).wait()
    await made.settled()
    await made.ledger.write(AcknowledgeReceipts("north", 40))
    await made.vault.store_cards([(card_id(batch_id + 1, 0), b"encoded again")])
    await made.back(NUMBERS[3])
    await made.settled()


async def post_head(made: Centre, today_floor_s: float) -> None:
    """Post the daily head as the service's task does when a day is over."""
    heads = DayHeads(made.ledger.reading, made.clock, made.host.foreman.state, made.host.post)
    with trio.fail_after(60):
        await heads.post_until(today_floor_s)
    assert made.host.foreman.state.folded_day == floor_date(today_floor_s - 1)


@cache
def _kept() -> tuple[TemporaryDirectory[str], Path, Path]:
    """Make the small centre once for all tests of a process."""
    kept = TemporaryDirectory(prefix="cardmill-audit-")
    folder, receipts = Path(kept.name) / "centre", Path(kept.name) / "receipts.jsonl"
    trio.run(small_centre, folder, receipts)
    return kept, folder, receipts


def copy_of_centre(tmp_path: Path) -> tuple[Path, Path]:
    """Give a copy of the small centre's data folder, closed and checkpointed, and the receipts upstream kept."""
    _, folder, receipts = _kept()
    shutil.copytree(folder, tmp_path / "data")
    shutil.copy(receipts, tmp_path / "receipts.jsonl")
    return tmp_path / "data", tmp_path / "receipts.jsonl"


def rewrite(path: Path, *statements: str) -> None:
    """Change a database behind its program's back; the triggers that forbid it stand there again afterwards."""
    raw = sqlite3.connect(path, isolation_level=None)
    triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid").fetchall()
    for name, _ in triggers:
        raw.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert raw.execute(statement).rowcount, statement
    for _, sql in triggers:
        raw.execute(sql)
    raw.close()


def audit(folder: Path, *carried: object, **more: object) -> Verified:
    """Verify ledger and vault of a folder."""
    return verify_folder(folder, *carried, **{"config": Config(), **more})
