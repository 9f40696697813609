"""The daily head: posted once a day, for what was decided, and what it holds can be changed no more unseen."""

from __future__ import annotations

import math
from itertools import pairwise
from types import SimpleNamespace

import pytest
import trio
import trio.testing
from sqlalchemy.exc import OperationalError

from controller.clock import FloorClock, day_start_floor_s, floor_date
from controller.core import record_moves as r
from controller.core.calendar import DAY_S
from controller.core.events import TablesDigested
from controller.core.state import FloorState
from controller.ledger.inbox import AcknowledgeReceipts, StoreChunk
from controller.ledger.row_hash import rows_hash
from controller.ledger.store import open_ledger
from controller.upkeep import day_head
from controller.upkeep.day_head import REST_S, DayHeads, digested
from tests.controller.checks.samples import TODAY
from tests.controller.ledger.audited import NUMBERS, SMALL, audit, post_head
from tests.controller.returning import centre, sent_centre

MIDNIGHT = day_start_floor_s(TODAY) + DAY_S


class Posts:
    """Takes events as the host does, and folds the day."""

    def __init__(self) -> None:
        self.state = FloorState()
        self.events: list[TablesDigested] = []

    def post(self, event: TablesDigested) -> SimpleNamespace:
        self.events.append(event)
        self.state.folded_day = event.day

        async def durable() -> None:
            await trio.lowlevel.checkpoint()

        return SimpleNamespace(wait=durable)


async def test_a_head_holds_the_rows_of_the_decided_batches_the_cursors_and_the_last_event(tmp_path):
    async with sent_centre(tmp_path) as made:
        await made.ledger.write(AcknowledgeReceipts("north", 4))
        await made.bring(NUMBERS[:2], "5" * 25, portrait=SMALL)  # received, not decided
        with made.ledger.reading.connect() as connection:
            wanted = rows_hash(connection, 1)
        events = len(list(made.ledger.events()))
        await post_head(made, MIDNIGHT)
        [told] = [move for move in made.moves if isinstance(move, r.TablesFolded)]
        assert (told.day, told.event_seq) == (TODAY, events)
        assert (told.batches, told.cursors) == ([(1, wanted)], [("north", 4)])
        assert made.ledger.reader.batch(1).rows_hash == wanted


async def test_a_batch_is_in_one_head_only_and_a_day_has_one(tmp_path):
    async with sent_centre(tmp_path) as made:
        await post_head(made, MIDNIGHT)
        await post_head(made, MIDNIGHT)
        await post_head(made, MIDNIGHT + 3 * DAY_S)
        first, second = [move for move in made.moves if isinstance(move, r.TablesFolded)]
        assert (first.day, len(first.batches)) == (TODAY, 1)
        assert (second.day, second.batches) == (floor_date(MIDNIGHT + 3 * DAY_S - 1), [])
        assert made.ledger.verify().faults == []


async def test_the_first_day_of_a_ledger_has_no_head_of_the_day_before(tmp_path):
    async with open_ledger(tmp_path / "empty") as ledger:
        assert digested(ledger.reading, MIDNIGHT) is None
    async with centre(tmp_path / "begun") as made:
        assert digested(made.ledger.reading, MIDNIGHT - DAY_S) is None
        assert digested(made.ledger.reading, MIDNIGHT) is not None


async def test_a_chunk_that_is_not_yet_judged_changes_no_head(tmp_path):
    async with sent_centre(tmp_path) as made:
        batch_id = await made.bring(NUMBERS[:2], "5" * 25, portrait=SMALL)
        await post_head(made, MIDNIGHT)
        rows = made.ledger.reader.rows(batch_id)
        await made.ledger.write(StoreChunk(batch_id, rows))
        assert made.ledger.verify().faults == []


async def test_after_a_restart_missed_days_have_one_head_together(tmp_path):
    async with sent_centre(tmp_path):
        pass
    async with centre(tmp_path) as made:
        await post_head(made, MIDNIGHT + 20 * DAY_S)
        [told] = [move for move in made.moves if isinstance(move, r.TablesFolded)]
        assert (told.day, len(told.batches)) == (floor_date(MIDNIGHT + 20 * DAY_S - 1), 1)
    assert not [one for one in audit(tmp_path).faults if "sealed card" not in one and "received_floor_s" not in one]


async def test_the_task_posts_at_each_midnight_and_never_more_than_one_at_a_time(monkeypatch, autojump_clock):
    posts, midnights = Posts(), []

    def digest(engine: object, midnight: float) -> TablesDigested:
        midnights.append(midnight)
        return TablesDigested(floor_date(midnight - 1), 1, b"", [], [])

    async def run_here(function, *args):
        return function(*args)

    monkeypatch.setattr(day_head, "digested", digest)
    monkeypatch.setattr(trio.to_thread, "run_sync", run_here)  # a thread is nothing the virtual clock sees
    floor = SimpleNamespace(
        now_floor_s=lambda: MIDNIGHT - 100 + trio.current_time() * 3_600,
        real_s_until=lambda at: max(0.0, (at - MIDNIGHT + 100) / 3_600 - trio.current_time()),
    )
    with trio.move_on_after(24 * 5):
        await DayHeads(None, floor, posts.state, posts.post).run()
    assert midnights == [MIDNIGHT - DAY_S + day * DAY_S for day in range(len(midnights))]
    assert [event.day for event in posts.events] == sorted({event.day for event in posts.events})
    assert len(midnights) == 6


async def test_days_shorter_than_a_head_are_left_out_and_none_pile_up(monkeypatch, autojump_clock):
    posts, times = Posts(), []

    def digest(engine: object, midnight: float) -> TablesDigested:
        times.append(trio.current_time())
        return TablesDigested(floor_date(midnight - 1), 1, b"", [], [])

    async def slow(function, *args):
        await trio.sleep(7)
        return function(*args)

    monkeypatch.setattr(day_head, "digested", digest)
    monkeypatch.setattr(trio.to_thread, "run_sync", slow)
    scale = 10 * DAY_S
    floor = SimpleNamespace(
        now_floor_s=lambda: MIDNIGHT + trio.current_time() * scale,
        real_s_until=lambda at: max(0.0, (at - MIDNIGHT) / scale - trio.current_time()),
    )
    with trio.move_on_after(100):
        await DayHeads(None, floor, posts.state, posts.post).run()
    assert all(later - earlier >= 7 + REST_S for earlier, later in pairwise(times))
    assert len(times) == math.floor(100 / (7 + REST_S))


async def test_a_ledger_that_cannot_be_read_costs_that_days_head_and_not_the_service(monkeypatch):
    posts = Posts()

    def broken(engine: object, midnight: float) -> None:
        raise OperationalError("SELECT", {}, Exception("database disk image is malformed"))

    monkeypatch.setattr(day_head, "digested", broken)
    await DayHeads(None, FloorClock(MIDNIGHT, 0.0), posts.state, posts.post).post_until(MIDNIGHT)
    assert posts.events == []
    monkeypatch.setattr(day_head, "digested", lambda engine, midnight: TablesDigested(TODAY, 1, b"", [], []))
    await DayHeads(None, FloorClock(MIDNIGHT, 0.0), posts.state, posts.post).post_until(MIDNIGHT)
    assert [event.day for event in posts.events] == [TODAY]


@pytest.mark.parametrize("limit", [1, 2])
async def test_what_one_head_cannot_hold_comes_with_the_next(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(day_head, "BATCHES_MAX", limit)
    async with sent_centre(tmp_path) as made:
        await made.back()
        await made.settled()
        for day in range(2):
            await post_head(made, MIDNIGHT + day * DAY_S)
        told = [move.batches for move in made.moves if isinstance(move, r.TablesFolded)]
        assert [[batch_id for batch_id, _ in batches] for batches in told] == (
            [[1], [2]] if limit == 1 else [[1, 2], []]
        )
