"""The past floor: what the moves up to a moment made of it, from a snapshot or from the first move on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio
import trio.testing

from controller.clock import FloorClock
from controller.console import past_folds
from controller.console.past_folds import PastFolds
from controller.console.views.floor import past_desk, scene
from controller.ledger.snapshot import StoreSnapshot
from controller.ledger.store import open_ledger
from controller.upkeep.books import code_of, empty_books, encode_books
from controller.upkeep.past import TELL_EVERY, books_at
from tests.controller.test_books import CONFIG, _record, assert_equal, rough_moves
from tests.controller.test_trace_desk import desk_of, made


def until(moves, at_floor_s):
    books = empty_books(CONFIG)
    books.fold([(at, move) for at, move in moves if at <= at_floor_s])
    return books


@pytest.mark.parametrize("with_snapshot", [False, True])
async def test_any_past_moment_is_the_fold_of_all_moves_up_to_it(tmp_path, with_snapshot):
    moves = rough_moves(4)
    times = [moves[0][0], moves[150][0], moves[200][0] - 0.001, moves[-1][0], moves[-1][0] + 99.0]
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, moves)
        if with_snapshot:
            part = empty_books(CONFIG)
            part.fold(moves[:100])
            await ledger.write(StoreSnapshot(100, code_of(CONFIG), encode_books(part)))
        for at_floor_s in times:
            heard = []
            books = await trio.to_thread.run_sync(
                books_at, ledger, CONFIG, at_floor_s, lambda done, total, heard=heard: heard.append((done, total))
            )
            assert_equal(books, until(moves, at_floor_s))
            after = sum(at <= at_floor_s for at, _ in moves)
            skipped = 100 if with_snapshot and after >= 100 else 0
            assert heard == [(done, after - skipped) for done in range(0, after - skipped, TELL_EVERY)]


async def test_a_past_floor_is_kept_for_the_next_look_and_an_older_wish_is_given_up(tmp_path):
    moves = rough_moves(4)
    async with open_ledger(tmp_path) as ledger, trio.open_nursery() as nursery:
        await _record(ledger, moves)
        folds = PastFolds(ledger, CONFIG, nursery)
        assert await folds.first_floor_s() == moves[0][0]
        with trio.fail_after(60):
            one = await folds.at(moves[100][0], "ann")
            while one.books is None:
                one = await folds.at(moves[100][0], "ann")
        assert_equal(one.books, until(moves, moves[100][0]))
        assert await folds.at(moves[100][0], "ann") is one
        for at in (5, 50, 120, 150):
            await folds.at(moves[at][0], "ann")
        assert await folds.at(moves[100][0], "ann") is not one, "only a few are kept"
        nursery.cancel_scope.cancel()


class SlowFolds:
    """Folds that come as far as they are let, a step for each token; what was begun and what was given up."""

    def __init__(self, monkeypatch, steps=3):
        self.let, self._wait = trio.open_memory_channel(0)
        self.begun, self.steps = [], steps
        monkeypatch.setattr(past_folds, "books_at", self.books_at)
        monkeypatch.setattr(past_folds, "PATIENCE_S", 0.0)

    def books_at(self, ledger, config, at_floor_s, told):
        self.begun.append(at_floor_s)
        for step in range(self.steps):
            told(step, self.steps)
            trio.from_thread.run(self._wait.receive)
        return f"books of {at_floor_s}"

    async def step(self):
        with trio.fail_after(60):
            await self.let.send(None)
        await trio.testing.wait_all_tasks_blocked(0.05)


async def test_two_people_who_look_at_two_past_moments_both_come_to_see_them(monkeypatch):
    slow = SlowFolds(monkeypatch)
    async with trio.open_nursery() as nursery:
        folds = PastFolds(None, CONFIG, nursery)
        for _ in range(2 * slow.steps):
            pages = [await folds.at(10.0, "ann"), await folds.at(20.0, "bob")]
            await slow.step()
        assert [page.books for page in pages] == ["books of 10.0", "books of 20.0"]
        assert slow.begun == [10.0, 20.0]
        nursery.cancel_scope.cancel()


async def test_who_wants_another_moment_or_asks_no_more_holds_up_nobody(monkeypatch):
    slow = SlowFolds(monkeypatch)
    async with trio.open_nursery() as nursery:
        folds = PastFolds(None, CONFIG, nursery)
        await folds.at(10.0, "ann")
        first = await folds.at(10.0, "bob")
        await folds.at(20.0, "ann")
        await slow.step()
        assert slow.begun == [10.0], "bob wants it yet"
        await folds.at(30.0, "bob")
        await slow.step()
        assert slow.begun == [10.0, 20.0]
        assert first.books is None
        monkeypatch.setattr(past_folds, "GONE_S", -1.0)  # nobody loaded the page again
        await slow.step()
        assert slow.begun == [10.0, 20.0, 30.0], "two steps before its end"
        nursery.cancel_scope.cancel()


async def test_the_drawing_of_the_last_moment_is_the_drawing_of_now(tmp_path):
    floor = made()
    async with desk_of(floor, tmp_path) as desk:
        at = desk.clock.now_floor_s()
        books = await trio.to_thread.run_sync(books_at, desk.ledger, CONFIG, at)
        for language in ("en", "zh"):
            now = scene(replace(desk, clock=FloorClock(at, 0.0, 0.0)), language)
            assert scene(past_desk(desk, books, at), language) == now
        assert [len(step["stations"]) for step in now["steps"]] == [2, 2, 1, 2, 1, 1]
        assert now["counts"]["made"] == 20
        assert any(one["cards_per_hour"] and one["yield_percent"] for step in now["steps"] for one in step["stations"])
