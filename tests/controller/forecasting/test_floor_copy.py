"""The worker's copy of the floor: what the ledger holds, no more and no less, and the next time what is new alone."""

from __future__ import annotations

import trio

from controller.config import Config
from controller.core.line.estimates import Estimator
from controller.forecasting.floor_copy import FloorCopy
from controller.ledger.snapshot import StoreSnapshot
from controller.upkeep.books import code_of, encode_books, open_books
from tests.controller.forecasting.floor_ledger import floor_at_work, kept

HOUR_S = 3_600.0


def estimated(log, known=()):
    estimator = Estimator()
    estimator.know(known)
    for at, move in log:
        estimator.fold(at, move)
    return estimator.estimates()


async def test_the_copy_is_the_floor_field_by_field_and_its_estimates_are_of_all_moves(tmp_path):
    floor = floor_at_work(2)
    async with kept(tmp_path, floor):
        copy = FloorCopy(tmp_path, Config())
        foreman = await trio.to_thread.run_sync(copy.catch_up)
        assert foreman.state == floor.state
        assert (copy.seq, copy.last_floor_s) == (len(floor.log), floor.log[-1][0])
        assert copy.estimator.estimates() == estimated(floor.log)


async def test_the_next_time_what_is_new_is_folded_and_nothing_twice(tmp_path):
    floor = floor_at_work(3)
    async with kept(tmp_path, floor) as books:
        copy = FloorCopy(tmp_path, Config())
        before = await trio.to_thread.run_sync(copy.catch_up)
        at = copy.seq
        floor.host.run(floor.host.now_floor_s + HOUR_S / 2)
        await books.keep()
        assert await trio.to_thread.run_sync(copy.catch_up) is before
        assert copy.seq == len(floor.log) > at
        assert before.state == floor.state
        assert copy.estimator.estimates() == estimated(floor.log)


async def test_from_a_snapshot_the_copy_is_the_same_and_the_look_back_has_a_bound(tmp_path):
    floor = floor_at_work(2)
    async with kept(tmp_path, floor) as books:
        opened = await trio.to_thread.run_sync(open_books, books.ledger, Config())
        await books.ledger.write(StoreSnapshot(opened.seq, code_of(Config()), encode_books(opened.books)))
        floor.host.run(floor.host.now_floor_s + HOUR_S / 2)
        await books.keep()
        copy = FloorCopy(tmp_path, Config(), look_back_moves=50)
        foreman = await trio.to_thread.run_sync(copy.catch_up)
        assert foreman.state == floor.state
        assert copy.estimator.estimates() == estimated(floor.log[-50:], floor.state.stations.values())


async def test_of_a_ledger_longer_than_the_look_back_stations_have_their_own_paces(tmp_path):
    floor = floor_at_work(2)
    async with kept(tmp_path, floor):
        copy = FloorCopy(tmp_path, Config(), look_back_moves=len(floor.log) // 2)
        await trio.to_thread.run_sync(copy.catch_up)
        figures = copy.estimator.estimates().stations
        assert figures.keys() == floor.state.stations.keys()
        assert sum(one.loads for one in figures.values()) > 0


async def test_a_copy_leaves_no_connection_open_and_the_floor_as_it_is(tmp_path):
    floor = floor_at_work(2)
    async with kept(tmp_path, floor) as books:
        copy = FloorCopy(tmp_path, Config())
        await trio.to_thread.run_sync(copy.catch_up)
        assert copy._engine.pool.checkedin() + copy._engine.pool.checkedout() == 0
        assert books.ledger.head.seq == len(floor.log)
