"""The pages of a database with many cards: written through the real path, then asked for as people ask."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, func, select

from bench.ledger_paths import Ours
from bench.ledger_stream import turns_of
from controller.application import card_id
from controller.core.events import BatchChecked
from controller.core.moves import RowVerdict
from controller.ledger import tables
from controller.ledger.batch_pages import batch_page, card_page
from controller.ledger.inbox import AnnounceBatch, InboxBatch, InboxRow, StoreChunk, StoreVerdicts
from controller.ledger.journal import Recorded
from controller.ledger.reader import Reader
from controller.ledger.store import ledger_place
from controller.trace.card import trace_card

GROUP = 2_000  # turns of a commit
HELD_EVERY = 500
ASKED = 100  # times each page, of another card or batch each time
YEAR_CARDS = 4_500_000
P99 = 98  # of 99 cuts

Ask = Callable[[int, int], object]


def pages(folder: Path, cards: int) -> dict[str, Any]:
    """Write a ledger of `cards` cards and give its bytes per card and, for each page, the median and p99 in ms."""
    write_cards(folder, cards)
    size = sum(path.stat().st_size for path in folder.iterdir())
    engine = ledger_place(folder).reader()
    shown = _ask(engine)
    engine.dispose()
    bytes_per_card = size / cards
    return {
        "bytes_per_card": bytes_per_card,
        "gib_per_year": bytes_per_card * YEAR_CARDS / 2**30,
        "pages": {"cards": cards, "worst_p99_ms": max(one["p99_ms"] for one in shown.values()), **shown},
    }


def write_cards(folder: Path, cards: int) -> float:
    """Begin the ledger of a folder and let so many cards be made there; give the floor time of the last move."""
    ours = Ours(ledger_place(folder).writer())
    last_floor_s = _write(ours, cards)
    ours.close()
    return last_floor_s


def _write(ours: Ours, cards: int) -> float:
    """Make everything durable, the inbox's rows too, as intake and floor would; give the time of the last turn."""
    last_floor_s = 0.0
    waiting: list[Recorded] = []
    for turn in turns_of(cards, held_every=HELD_EVERY):
        if isinstance(turn.event, BatchChecked):
            ours.write(waiting)
            waiting = []
            _take_in(ours, turn.event)
        waiting.append(turn)
        last_floor_s = turn.at_floor_s
        if len(waiting) >= GROUP:
            ours.write(waiting)
            waiting = []
            ours.checkpoint_if_large()
    ours.write(waiting)
    ours.checkpoint()
    return last_floor_s


def _take_in(ours: Ours, batch: BatchChecked) -> None:
    number, count = batch.batch_number, len(batch.rows)
    digest = sha256(number.encode()).hexdigest()
    announced = AnnounceBatch(number, batch.upstream, "20260131", count, digest, "second", "20260101", 0.0)
    [stored] = ours.write([announced])
    assert isinstance(stored, InboxBatch)
    assert stored.batch_id == batch.batch_id
    rows = [_row(row) for row in batch.rows]
    ours.write([StoreChunk(batch.batch_id, rows), StoreVerdicts(batch.batch_id, batch.rows)])


def _row(row: RowVerdict) -> InboxRow:
    digest = sha256(row.acceptance_number.encode()).digest()
    return InboxRow(row.index, row.acceptance_number, digest, digest, digest[::-1], row.unit, row.express, "first")


def _ask(engine: Engine) -> dict[str, dict[str, float]]:
    """Ask for each page of random cards and batches; give its median and p99, in ms."""
    reader, random = Reader(engine), Random("pages")
    places = list(_places(engine, random))
    gc.collect()
    gc.freeze()  # as a start does with its books: else the collector's look through all else here is timed
    shown = {name: _times(ask, places) for name, ask in _page_table(engine, reader).items()}
    gc.unfreeze()
    return shown


def _page_table(engine: Engine, reader: Reader) -> dict[str, Ask]:
    """Give what people ask, each of a batch and a card of it."""
    last, _ = reader.receipt_numbers("north")
    return {
        "card": lambda batch, card: reader.card(card),
        "acceptance_number": lambda batch, card: reader.cards_of(_number(reader, card)),
        "batch": lambda batch, card: (reader.batch(batch), reader.counts(batch)),
        "batches": lambda batch, card: reader.batches(before=batch),
        "closed_batches": lambda batch, card: batch_page(engine, batch, 201, state="closed"),
        "batches_by_number": lambda batch, card: batch_page(engine, 0, 201, _batch_number(reader, batch)[:24]),
        "cards_of_batch": lambda batch, card: card_page(engine, batch, card - 1, 501),
        "verdicts": lambda batch, card: reader.verdicts(batch),
        "review_list": lambda batch, card: reader.waiting("held", after=card),
        "receipts": lambda batch, card: reader.receipts("north", after=card % last),
        "consignments": lambda batch, card: (reader.sent(), reader.uncounted()),
        "duplicates": lambda batch, card: reader.known_people([sha256(_number(reader, card).encode()).digest()]),
        "trace": lambda batch, card: trace_card(engine, card),
    }


def _batch_number(reader: Reader, batch_id: int) -> str:
    found = reader.batch(batch_id)
    assert found is not None
    return found.batch_number


def _number(reader: Reader, card: int) -> str:
    found = reader.card(card)
    assert found is not None
    return found.acceptance_number


def _places(engine: Engine, random: Random) -> Iterator[tuple[int, int]]:
    batch = tables.batch
    with engine.connect() as connection:
        batches = connection.execute(select(func.max(batch.c.batch_id))).scalar_one()
        for _ in range(ASKED):
            chosen = random.randint(1, batches)
            query = select(batch.c.received).where(batch.c.batch_id == chosen)
            received = connection.execute(query).scalar_one()
            yield chosen, card_id(chosen, random.randrange(received))


def _times(ask: Ask, places: Sequence[tuple[int, int]]) -> dict[str, float]:
    taken = []
    for batch, card in places:
        start_s = perf_counter()
        ask(batch, card)
        taken.append((perf_counter() - start_s) * 1e3)
    return {"median_ms": statistics.median(taken), "p99_ms": statistics.quantiles(taken, n=100)[P99]}
