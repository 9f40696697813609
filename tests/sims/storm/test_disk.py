"""The simulated disk: what is told is durable, and a crash loses what a real one may lose."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import func, select

from controller.core.events import TimerFired
from controller.core.moves import ServiceStarted
from controller.ledger import tables
from controller.ledger.journal import Recorded
from sims.storm.disk import Disk, empty_engine
from sims.storm.errors import Broken
from sims.storm.options import draw_options
from sims.storm.timeline import Timeline

CALM = replace(draw_options(0), sync_s=1.0, sync_slow=0.0, sync_fails=0.0)


class Bench:
    """A disk on an empty database, and what it told."""

    def __init__(self, options=CALM, seed=1):
        self.engine, self.timeline, self.seen = empty_engine(), Timeline(), Counter()
        self.options, self.luck = options, Random(seed)
        self.durable, self.told, self.failed = [], [], []
        self.disk = self.opened()

    def opened(self) -> Disk:
        return Disk(
            self.engine, self.timeline, self.options, self.luck, self.seen, self.durable.append,
            lambda: self.failed.append(self.timeline.now_s),
        )  # fmt: skip

    def put(self, run: int) -> None:
        recorded = Recorded(float(run), TimerFired(), [ServiceStarted(run)])
        self.disk.put(recorded, lambda item: self.told.append(run))

    def moves(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(tables.move)).scalar_one()

    def run(self, until_s: float) -> None:
        self.timeline.run(until_s, lambda: False)
        self.timeline.now_s = until_s


def test_a_group_is_durable_and_then_told_when_its_sync_ends_and_what_queued_meanwhile_is_the_next():
    bench = Bench()
    for run in (1, 2, 3):
        bench.put(run)
    bench.run(0.99)
    assert (bench.moves(), bench.told, bench.disk.is_idle) == (0, [], False)
    assert [one.moves[0].run for one in bench.disk.unwritten()] == [1, 2, 3]
    bench.run(1.5)
    assert (bench.moves(), bench.told) == (1, [1])
    bench.run(3.0)
    assert (bench.moves(), bench.told, bench.disk.is_idle) == (3, [1, 2, 3], True)
    assert len(bench.durable) == 3


def test_a_crash_loses_the_queue_and_the_group_in_flight_by_a_draw():
    left = set()
    for seed in range(20):
        bench = Bench(seed=seed)
        for run in (1, 2):
            bench.put(run)
        bench.run(0.5)
        bench.disk.crash()
        bench.run(9.0)
        assert bench.told == []
        assert bench.moves() == len(bench.durable)
        left.add(bench.moves())
    assert left == {0, 1}, "the first group is lost or durable, the second never is"


def test_a_crash_between_sync_and_answer_leaves_it_durable_and_nobody_told():
    bench = Bench()
    bench.put(1)
    bench.timeline.run(5.0, lambda: bool(bench.durable))
    bench.disk.crash()
    bench.run(9.0)
    assert (bench.moves(), bench.told) == (1, [])
    assert bench.seen["durable, nobody was told"] == 1


def test_after_a_failed_sync_nothing_is_told():
    bench = Bench(replace(CALM, sync_fails=1.0))
    bench.put(1)
    bench.run(5.0)
    assert (len(bench.failed), bench.told) == (1, [])


def test_one_whose_time_is_over_is_fenced_off():
    bench = Bench()
    bench.put(1)
    bench.disk.hang()
    after = bench.opened()
    bench.disk.wake()
    assert bench.seen["zombie fenced off"] == 1
    assert bench.moves() == 0
    after.crash()


def test_one_that_commits_although_its_time_is_over_breaks_a_law(monkeypatch):
    monkeypatch.setattr("controller.ledger.epoch.Epoch.check", lambda self, connection: None)
    bench = Bench()
    bench.disk.hang()
    bench.opened()
    with pytest.raises(Broken, match="law 3"):
        bench.disk.wake()


def test_each_storm_begins_with_an_empty_database():
    bench = Bench()
    bench.put(1)
    bench.run(5.0)
    assert bench.moves() == 1
    assert Bench().moves() == 0
