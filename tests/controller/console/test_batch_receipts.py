"""Receipts of a batch by kind: all it ever had and what upstream has not acknowledged, on its page and by its verb."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from controller.console.words import catalogue
from controller.core.events import TimerFired
from controller.core.record_moves import LedgerRestored
from controller.ledger.batch_pages import batch_of_number, receipts_of, unacknowledged
from controller.ledger.inbox import AcknowledgeReceipts
from controller.ledger.journal import Recorded
from controller.ledger.receipts import KINDS
from tests.controller.console.floor_console import FloorDesk, open_floor_console
from tests.controller.core.keepers_floor import KeepersFloor


def worked_floor():
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    return floor


def batch_and_receipts(behind):
    [batch] = behind.desk.ledger.reader.batches(limit=1, before=2)
    rows = behind.pages.rows("receipt")  # upstream, number, kind, batch
    mine = [(number, kind) for upstream, number, kind, batch_id, *_ in rows if batch_id == 1]
    return batch_of_number(behind.pages.engine, batch.batch_number), mine


def test_all_is_unacknowledged_then_less_then_nothing_and_each_kind_is_counted():
    behind = FloorDesk(worked_floor())
    batch, mine = batch_and_receipts(behind)
    engine, last = behind.pages.engine, max(number for number, _ in mine)
    assert unacknowledged(engine, batch) == Counter(kind for _, kind in mine)
    half = sorted(number for number, _ in mine)[len(mine) // 2]
    behind.pages.keep([AcknowledgeReceipts(batch.upstream, half)])
    left = Counter(kind for number, kind in mine if number > half)
    assert 0 < left.total() < len(mine)
    assert unacknowledged(engine, batch) == left
    behind.pages.keep([AcknowledgeReceipts(batch.upstream, last)])
    assert unacknowledged(engine, batch) == {}


def test_what_a_batch_ever_had_stays_whatever_upstream_acknowledges():
    behind = FloorDesk(worked_floor())
    batch, mine = batch_and_receipts(behind)
    ever = Counter(kind for _, kind in mine)
    assert len(ever) > 3
    assert receipts_of(behind.pages.engine, 1) == ever
    behind.pages.keep([AcknowledgeReceipts(batch.upstream, max(number for number, _ in mine))])
    assert receipts_of(behind.pages.engine, 1) == ever
    assert receipts_of(behind.pages.engine, 2) == {}


def test_of_an_upstream_that_lags_too_far_nothing_is_counted_rather_than_too_little():
    behind = FloorDesk(worked_floor())
    batch, mine = batch_and_receipts(behind)
    every = len(behind.pages.rows("receipt"))
    assert unacknowledged(behind.pages.engine, batch, every) == Counter(kind for _, kind in mine)
    assert unacknowledged(behind.pages.engine, batch, every - 1) is None


def test_after_a_restore_numbers_that_jumped_are_no_lag():
    behind = FloorDesk(worked_floor())
    batch, mine = batch_and_receipts(behind)
    every = len(behind.pages.rows("receipt")) + 1  # and the one that tells of the restore
    restored = LedgerRestored(1, 1_000_000, [batch.upstream])
    behind.pages.keep([Recorded(1e6, TimerFired(), [restored])])
    assert unacknowledged(behind.pages.engine, batch) == Counter(kind for _, kind in mine)
    assert unacknowledged(behind.pages.engine, batch, every) == Counter(kind for _, kind in mine)
    assert unacknowledged(behind.pages.engine, batch, every - 1) is None


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_page_of_a_batch_shows_the_kinds_that_wait_and_then_that_none_does(tmp_path, language):
    async with open_floor_console(tmp_path, worked_floor()) as console:
        batch, mine = batch_and_receipts(console.behind)
        words, visitor = catalogue(language), await console.visitor("supervisor")
        page = await visitor.get(f"/batches/{batch.batch_number}?lang={language}")
        ever, cell = Counter(kind for _, kind in mine), r'<td class="number">{}</td>'
        for kind, number in ever.items():
            both = cell.format(number) * 2
            assert re.search(rf"{words[f'receipt.{kind}']}</th>{both}", page.text), kind
        console.behind.pages.keep([AcknowledgeReceipts(batch.upstream, max(number for number, _ in mine))])
        page = await visitor.get(f"/batches/{batch.batch_number}?lang={language}")
        assert words["batches.all_acknowledged"] in page.text
        for kind, number in ever.items():
            assert re.search(rf"{words[f'receipt.{kind}']}</th>{cell.format(number)}</tr>", page.text), kind


def test_every_kind_of_receipt_has_its_words():
    for language in ("zh", "en"):
        assert not [kind for kind in KINDS if f"receipt.{kind}" not in catalogue(language)]
