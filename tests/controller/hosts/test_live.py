"""The live host: stamps at the door, timers in their order, and nothing told before it is durable."""

from __future__ import annotations

import trio

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import RowVerdict, Verdict
from controller.core.settings import CoreConfig, PlanConfig
from controller.hosts.heap import replay
from controller.hosts.live import LiveHost

CONFIG = CoreConfig(plan=PlanConfig(encode_load=8, encode_jobs=1, sheet_wait_s=50.0, press_wait_s=70.0))


class TrioClock:
    """Floor time is trio's, so that a virtual clock is both."""

    def now_floor_s(self) -> float:
        return trio.current_time()

    def real_s_until(self, at_floor_s: float) -> float:
        return max(0.0, at_floor_s - trio.current_time())


class SlowDisk:
    """Keeps turns; each is durable only when `sync` says so."""

    def __init__(self):
        self.kept, self._waiting = [], []

    def keep(self, at_floor_s, event, moves, on_durable):
        self.kept.append((at_floor_s, event, list(moves)))
        self._waiting.append(on_durable)

    def sync(self):
        waiting, self._waiting = self._waiting, []
        for on_durable in waiting:
            on_durable()


def floor_of(disk):
    done, counted = [], []
    host = LiveHost(Foreman(CONFIG), TrioClock(), disk, done.append, lambda at, moves: counted.extend(moves))
    return host, done, counted


def batch(cards):
    rows = [RowVerdict(index, "1" * 22, "520102001", Verdict.OK) for index in range(cards)]
    return e.BatchChecked(1, "1" * 25, "north", "second", 0.0, 9e5, rows)


async def test_nothing_is_done_counted_or_answered_before_the_commit(autojump_clock):
    disk = SlowDisk()
    host, done, counted = floor_of(disk)
    ticket = host.post(batch(8))
    with trio.move_on_after(60) as patience:
        await ticket.wait()
    assert patience.cancelled_caught
    assert (done, counted) == ([], [])
    disk.sync()
    turn = await ticket.wait()
    assert [type(action) for action in done] == [e.Encode]
    assert counted == turn.moves


async def test_what_is_refused_is_told_in_its_turn_and_leaves_no_event(autojump_clock):
    disk = SlowDisk()
    host, _, _ = floor_of(disk)
    told = []
    host.post(batch(8)).then(lambda turn: told.append("batch"))
    for _ in range(3):
        host.post(e.ActSeconded(7, "ann")).then(lambda turn: told.append(turn.refused.code))
    assert told == []
    disk.sync()
    assert told == ["batch", *["act.not_open"] * 3]
    assert [event for _, event, _ in disk.kept] == [batch(8), None, None, None]


async def test_a_timer_fires_at_the_time_that_was_asked_for_and_before_later_events(autojump_clock):
    disk = SlowDisk()
    host, _, _ = floor_of(disk)
    for name, step, load in [("p1", "print", 1), ("l1", "laminate", 24)]:
        host.post(e.StationSeen(name, step, "test", load, "idle", ""))
    host.post(batch(3))
    host.post(e.CardsEncoded(1))  # nothing else is on the floor: three cards are a sheet at once
    job = host.foreman.state.stations["p1"].job_id
    assert job
    host.post(e.StationSeen("p2", "print", "test", 1, "idle", ""))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(host.run_timers)
        [sheet] = host.foreman.state.sheets
        outcome = e.SheetOutcome(sheet, "done", "00", 0, ["P1"] + ["00"] * 7, [0] * 8)
        await trio.sleep(5)
        asked_at = trio.current_time()
        host.post(e.StepDone("p1", job, 1.0, 2.0, [outcome]))  # one card is to be remade, and waits for company
        assert not host.foreman.state.stations["p1"].job_id
        await trio.sleep(60)
        nursery.cancel_scope.cancel()
    fired = [at for at, event, _ in disk.kept if isinstance(event, e.TimerFired)]
    assert fired == [asked_at + 50.0]
    assert host.foreman.state.stations["p1"].job_id


async def test_a_late_host_fires_what_was_due_before_what_comes_in(autojump_clock):
    disk = SlowDisk()
    host, _, _ = floor_of(disk)
    host.post(e.StationSeen("p1", "print", "test", 1, "idle", ""))
    host.post(batch(3))
    host.post(e.CardsEncoded(1))
    job = host.foreman.state.stations["p1"].job_id
    [sheet] = host.foreman.state.sheets
    bad = e.SheetOutcome(sheet, "done", "00", 0, ["P1"] + ["00"] * 7, [0] * 8)
    host.post(e.StepDone("p1", job, 1.0, 2.0, [bad]))
    due = trio.current_time() + 50.0
    await trio.sleep(90)  # no timer task runs: the host is late
    host.post(e.StationReported("p1", "idle", "", 0.0))
    stamps = [(type(event).__name__, at) for at, event, _ in disk.kept][-2:]
    assert stamps == [("TimerFired", due), ("StationReported", due + 40.0)]
    assert [at for at, _, _ in disk.kept] == sorted(at for at, _, _ in disk.kept)


async def test_a_recorded_run_gives_the_same_moves_on_the_heap_host(autojump_clock):
    disk = SlowDisk()
    host, _, _ = floor_of(disk)
    host.post(e.StationSeen("p1", "print", "test", 1, "idle", ""))
    host.post(batch(11))
    host.post(e.CardsEncoded(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(host.run_timers)
        await trio.sleep(3)
        host.post(e.CardsEncoded(2))
        await trio.sleep(200)
        nursery.cancel_scope.cancel()
    again = []
    replay(
        Foreman(CONFIG),
        [(at, event) for at, event, _ in disk.kept],
        lambda at, event, moves: again.append((at, event, list(moves))),
    )
    assert again == disk.kept


async def test_each_turn_of_the_foreman_is_timed_once_its_timers_too(autojump_clock):
    taken, disk = [], SlowDisk()
    nothing = lambda *what: None  # noqa: E731
    host = LiveHost(Foreman(CONFIG), TrioClock(), disk, nothing, nothing, taken.append)
    host.post(batch(8))
    assert len(taken) == len(disk.kept) == 1
    await trio.sleep(CONFIG.plan.sheet_wait_s + CONFIG.plan.press_wait_s)
    host.fire_timers()
    assert len(taken) == len(disk.kept)
    assert all(seconds >= 0 for seconds in taken)
