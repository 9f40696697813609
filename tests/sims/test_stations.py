"""Simulated stations over the real protocol, in virtual time: cycles, stops, supplies, and a controller that dies."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import trio

from devices.defects import Step
from devices.memlink import MemoryAddress
from devices.messages import BundleWork, Fate, Magazine, Start, StationState, blank_serial
from devices.protocol import Finished, Joined, Lied, StateSeen, Taken, Unknown
from sims.faults import NO_FAULTS, USUAL_FAULTS, Faults, StepFaults, WireFaults
from sims.floor import DEFAULT_FLOOR, StationSpec
from sims.world import World
from tests.sims.floor_desk import (
    EPOCH_FLOOR_S,
    SCALE,
    FloorDesk,
    plain_start,
    print_start,
    serving,
    stations,
    write_start,
)

SPECS = {spec.name: spec for spec in DEFAULT_FLOOR}
EXECUTE, IDLE, HELD = StationState.EXECUTE, StationState.IDLE, StationState.HELD
SUSPENDED, ABORTED, STOPPED = StationState.SUSPENDED, StationState.ABORTED, StationState.STOPPED


def exact(name: str, **changes: object) -> StationSpec:
    """A station of the default floor whose cycle does not vary."""
    return replace(SPECS[name], spread=0.0, **changes)


async def test_a_sheet_goes_through_the_route_in_the_stations_own_times(autojump_clock):
    address, world = MemoryAddress(), World(1, NO_FAULTS)
    specs = [exact(name) for name in ("p1", "l1", "c1", "w1", "i1", "k1")]
    async with serving(FloorDesk(), address) as desk, stations(address, world, specs):
        await desk.joined("p1", "l1", "c1", "w1", "i1", "k1")
        desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=24))
        done = [
            await desk.does("p1", print_start(1, 7)),
            await desk.does("l1", plain_start(2, Step.LAMINATE, 7)),
            await desk.does("c1", plain_start(3, Step.PUNCH, 7)),
            await desk.does("w1", write_start(4, 7)),
            await desk.does("i1", plain_start(5, Step.INSPECT, 7)),
        ]
        blanks = [blank_serial(500, position) for position in range(8)]
        packing = Start(job_id=6, step="pack", bundle=BundleWork(9, "330102001", blanks))
        done.append(await desk.does("k1", packing))
        assert [one.ended_floor_s - one.started_floor_s for one in done] == pytest.approx(
            [30, 1200, 9, 48, 12, 24], abs=1e-5
        )
        assert done[0].started_floor_s >= EPOCH_FLOOR_S
        assert done[1].sheets[0].body == 500
        assert [one.blank for one in done[4].sheets[0].positions] == blanks
        assert [one.record for one in done[4].sheets[0].positions] == [b"r7"] * 8
        assert done[5].packed == blanks
        assert desk.states("l1") == [(IDLE, ""), (IDLE, ""), (EXECUTE, ""), (IDLE, "")], "the second: the issue"
        assert not any(isinstance(event, Lied | Unknown) for _, event in desk.told)
        assert not world.violations


async def test_real_time_is_floor_time_over_the_scale(autojump_clock):
    address = MemoryAddress()
    async with serving(FloorDesk(), address) as desk, stations(address, World(1, NO_FAULTS), [exact("l1")]):
        await desk.joined("l1")
        desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=24))
        began_s = trio.current_time()
        await desk.does("l1", plain_start(1, Step.LAMINATE, *range(24)))
        assert trio.current_time() - began_s == pytest.approx(1200 / SCALE, abs=0.01)


async def test_a_full_press_draws_its_bodies_in_order_across_issues(autojump_clock):
    address, world = MemoryAddress(), World(1, NO_FAULTS)
    async with serving(FloorDesk(), address) as desk, stations(address, world, [exact("p1"), exact("l1")]) as floor:
        await desk.joined("p1", "l1")
        desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=2))
        desk.driver.magazine("l1", Magazine(issue_id=4, first_body=900, sheets=2))
        for sheet_id in (1, 2, 3):
            await desk.does("p1", print_start(sheet_id, sheet_id))
        done = await desk.does("l1", plain_start(9, Step.LAMINATE, 3, 1, 2))
        assert [(sheet.sheet_id, sheet.body) for sheet in done.sheets] == [(3, 500), (1, 501), (2, 900)]
        assert floor["l1"].machine.bodies_left == 1
        assert desk.of("l1", StateSeen)[-1].issue_id == 4


async def test_an_empty_magazine_holds_the_load_until_it_is_filled(autojump_clock):
    """EXPECTATIONS 4.8: work resumes by itself once the cause is gone."""
    address, world = MemoryAddress(), World(1, NO_FAULTS)
    async with serving(FloorDesk(), address) as desk, stations(address, world, [exact("p1"), exact("l1")]):
        await desk.joined("p1", "l1")
        await desk.does("p1", print_start(1, 1))
        desk.driver.start("l1", plain_start(2, Step.LAMINATE, 1))
        await desk.until(lambda: (HELD, "magazine_empty") in desk.states("l1"))
        await trio.sleep(100)
        assert not desk.of("l1", Finished)
        desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=1))
        done = await desk.finished("l1", 2)
        assert done.ended_floor_s - done.started_floor_s > 100 * SCALE + 1200 - 1
        await desk.until(lambda: desk.states("l1")[-2:] == [(EXECUTE, ""), (IDLE, "")])


async def test_a_job_is_over_before_the_next_is_taken(autojump_clock):
    """EXPECTATIONS 4.7: nothing starts before the output is clear."""
    jams = Faults(steps={Step.PRINT: StepFaults(load_spoiled=1.0, jam_code="P4", clear_s=500.0)})
    address, world = MemoryAddress(), World(1, jams)
    async with serving(FloorDesk(), address) as desk, stations(address, world, [exact("p1")]):
        await desk.joined("p1")
        desk.driver.start("p1", print_start(1, 1))
        desk.driver.start("p1", print_start(2, 2))
        first, second = await desk.finished("p1", 1), await desk.finished("p1", 2)
        assert first.sheets[0].fate is Fate.SPOILED
        assert first.sheets[0].code == "P4"
        assert 500 <= first.ended_floor_s - first.started_floor_s <= 530, "the jam was cleared within the job"
        assert second.started_floor_s >= first.ended_floor_s
        kinds = [type(event).__name__ for event in desk.of("p1", Taken, Finished)]
        assert kinds == ["Taken", "Finished", "Taken", "Finished"]
        assert (HELD, "jam") in desk.states("p1")
        assert world.planted == {(Step.PRINT, "P4"): 2}


async def test_a_load_that_comes_back_untouched_can_be_given_again(autojump_clock):
    returned = Faults(steps={Step.PRINT: StepFaults(load_returned=0.5, jam_code="P4", clear_s=10.0)})
    address, world = MemoryAddress(), World(1, returned)
    async with serving(FloorDesk(), address) as desk, stations(address, world, [exact("p1")]):
        await desk.joined("p1")
        fates = []
        for job_id in range(1, 30):
            done = await desk.does("p1", print_start(job_id, len([fate for fate in fates if fate is Fate.DONE])))
            fates.append(done.sheets[0].fate)
        assert set(fates) == {Fate.DONE, Fate.UNTOUCHED}
        assert not world.violations, "an untouched film was never printed"


async def test_breakdowns_come_at_their_rate_and_stretch_or_end_the_job(autojump_clock):
    steps = {Step.PRINT: StepFaults(jam_code="P4", stop_returned=0.3, stop_spoiled=0.3)}
    address, world = MemoryAddress(), World(1, Faults(steps=steps, breakdowns=True))
    spec = exact("p1", mtbf_s=300.0, mttr_s=60.0, roll_sheets=0)
    async with serving(FloorDesk(), address) as desk, stations(address, world, [spec]) as floor:
        await desk.joined("p1")
        fates = []
        for job_id in range(1, 1001):
            done = await desk.does("p1", print_start(job_id, job_id), within_s=10_000)
            assert done.ended_floor_s - done.started_floor_s >= 0
            fates.append((done.sheets[0].fate, done.ended_floor_s - done.started_floor_s > 30.001))
        tally = floor["p1"].machine.tally
        assert tally.executing_s / tally.breakdowns == pytest.approx(300.0, rel=0.3)
        assert tally.repair_s / tally.breakdowns == pytest.approx(60.0, rel=0.3)
        share = [sum(fate is kind for fate, _ in fates) / tally.breakdowns for kind in (Fate.UNTOUCHED, Fate.SPOILED)]
        assert share == pytest.approx([0.3, 0.3], abs=0.15)
        assert (Fate.DONE, True) in fates, "stretched by a repair"
        assert (ABORTED, "breakdown") in desk.states("p1")


async def test_a_roll_that_ends_suspends_the_printer_for_its_refill(autojump_clock):
    address = MemoryAddress()
    spec = exact("p1", roll_sheets=3, refill_s=600.0)
    async with serving(FloorDesk(), address) as desk, stations(address, World(1, NO_FAULTS), [spec]):
        await desk.joined("p1")
        done = [await desk.does("p1", print_start(job_id, job_id)) for job_id in range(1, 8)]
        gaps = [later.started_floor_s - earlier.ended_floor_s for earlier, later in pairwise(done)]
        assert [gap >= 600 for gap in gaps] == [False, False, True, False, False, True]
        assert desk.states("p1").count((SUSPENDED, "film_empty")) == 2


async def test_an_operator_takes_a_station_off_line_and_nobody_else_puts_it_back(autojump_clock):
    address = MemoryAddress()
    async with serving(FloorDesk(), address) as desk, stations(address, World(1, NO_FAULTS), [exact("p1")]) as floor:
        await desk.joined("p1")
        desk.driver.start("p1", print_start(1, 1))
        await desk.until(lambda: bool(desk.of("p1", Taken)))
        floor["p1"].take_off_line()
        await desk.finished("p1", 1)
        desk.driver.start("p1", print_start(2, 2))
        await trio.sleep(60)
        assert desk.states("p1")[-1] == (STOPPED, "operator")
        assert len(desk.of("p1", Taken)) == 1
        floor["p1"].put_on_line()
        await desk.finished("p1", 2)
        floor["p1"].take_off_line()
        await desk.until(lambda: desk.states("p1")[-1] == (STOPPED, "operator"))


async def test_a_controller_that_dies_in_the_middle_of_a_job_gets_its_result_once(autojump_clock):
    """EXPECTATIONS 4.1: kill at any moment; no job runs twice, none is lost."""
    address, world = MemoryAddress(), World(1, NO_FAULTS)
    async with stations(address, world, [exact("p1"), exact("l1")]) as floor:
        async with serving(FloorDesk(), address) as desk:
            await desk.joined("p1", "l1")
            desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=24))
            await desk.does("p1", print_start(1, 7))
            desk.driver.start("l1", plain_start(2, Step.LAMINATE, 7))
            await desk.until(lambda: bool(desk.of("l1", Taken)))
        for away_s in (3.0, 30.0):
            await trio.sleep(away_s)
            desk = FloorDesk(settled_below=3, epoch_floor_s=EPOCH_FLOOR_S + trio.current_time() * SCALE)
            desk.driver.ask("l1", 2)
            desk.driver.ask("p1", 1)  # a result that was never made durable
            desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=24))
            async with serving(desk, address):
                await desk.joined("p1", "l1")
                if away_s < 10:
                    assert desk.of("l1", Taken, Finished) == [Taken(2)]
                    continue
                done = await desk.finished("l1", 2)
                assert done.sheets[0].body == 500
                assert done.ended_floor_s - done.started_floor_s == pytest.approx(1200, abs=1e-3)
                desk.driver.release("l1", [2])
                await trio.sleep(30)
                assert len(desk.of("l1", Finished)) == 1
                assert desk.of("l1", Lied) == []
        assert floor["l1"].machine.tally.jobs == 1
        assert floor["l1"].machine.bodies_left == 23, "the issue was told thrice and is there once"
        assert not world.violations


@pytest.mark.parametrize("seed", range(5))
async def test_over_a_bad_line_every_job_is_done_once(autojump_clock, seed):
    wire = WireFaults(lost=0.2, repeated=0.2, late=0.3, late_s=3.0)
    address, world = MemoryAddress(), World(seed, Faults(wire=wire))
    specs = [exact("p1"), exact("l1"), exact("c1")]
    async with stations(address, world, specs) as floor:
        async with serving(FloorDesk(), address) as desk:
            await desk.joined("p1", "l1", "c1")
            desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=100))
            job_id = 0
            for sheet_id in range(1, 9):
                await desk.does("p1", print_start(job_id := job_id + 1, sheet_id))
            await desk.does("l1", plain_start(job_id := job_id + 1, Step.LAMINATE, *range(1, 9)))
            for sheet_id in range(1, 9):
                await desk.does("c1", plain_start(job_id := job_id + 1, Step.PUNCH, sheet_id))
            await trio.sleep(60)
            finished = [event.done.job_id for _, event in desk.told if isinstance(event, Finished)]
            assert finished == list(range(1, job_id + 1))
            assert not any(isinstance(event, Lied) for _, event in desk.told)
        assert [station.machine.tally.jobs for station in floor.values()] == [8, 1, 8]
        assert not world.violations


async def test_a_station_that_lost_its_memory_does_not_run_the_job_again(autojump_clock):
    address, world = MemoryAddress(), World(1, NO_FAULTS)
    async with serving(FloorDesk(), address) as desk:
        async with stations(address, world, [exact("p1")]):
            await desk.joined("p1")
            desk.driver.start("p1", print_start(1, 1))
            await desk.until(lambda: bool(desk.of("p1", Taken)))
        async with stations(address, world, [exact("p1")], lost_memory=True) as floor:
            await desk.until(lambda: bool(desk.of("p1", Unknown)))
            await trio.sleep(30)
            assert floor["p1"].machine.tally.jobs == 0
            await desk.does("p1", print_start(2, 2))


async def test_another_centre_finds_a_station_that_forgot_the_old_one(autojump_clock):
    address, world = MemoryAddress(), World(1, NO_FAULTS)
    async with stations(address, world, [exact("l1")]) as floor:
        async with serving(FloorDesk("C"), address) as desk:
            await desk.joined("l1")
            desk.driver.magazine("l1", Magazine(issue_id=1, first_body=500, sheets=24))
            desk.driver.start("l1", plain_start(1, Step.LAMINATE, 1))
            await desk.until(lambda: bool(desk.of("l1", Taken)))
        async with serving(FloorDesk("D", epoch_floor_s=1000.0), address) as desk:
            await desk.joined("l1")
            await desk.until(lambda: desk.states("l1")[-1:] == [(IDLE, "")])
            await trio.sleep(30)
            assert desk.of("l1", Lied, Finished) == []
            assert floor["l1"].machine.bodies_left == 0
            assert desk.of("l1", StateSeen)[-1].since_floor_s < 10_000, "of the new clock"
            desk.driver.magazine("l1", Magazine(issue_id=1, first_body=700, sheets=24))
            await desk.does("l1", plain_start(1, Step.LAMINATE, 1))


async def test_a_station_waits_for_a_service_that_comes_late(autojump_clock):
    address = MemoryAddress()
    async with stations(address, World(1, NO_FAULTS), [exact("p1")]):
        await trio.sleep(1000)
        async with serving(FloorDesk(), address) as desk:
            await desk.joined("p1")
            assert len(desk.of("p1", Joined)) <= 3, "it did not pile up hellos meanwhile"
            await desk.does("p1", print_start(1, 1))


async def test_idle_gaps_between_jobs_are_small_at_full_load(autojump_clock):
    """EXPECTATIONS 4.18: under 2 % at full load; in virtual time only waiting for ticks would show."""
    address = MemoryAddress()
    spec = exact("c1", mtbf_s=1e9)
    async with serving(FloorDesk(), address) as desk, stations(address, World(1, NO_FAULTS), [spec]):
        await desk.joined("c1")
        done = [await desk.does("c1", plain_start(job_id, Step.PUNCH, job_id)) for job_id in range(1, 101)]
        span_s = done[-1].ended_floor_s - done[0].started_floor_s
        assert span_s == pytest.approx(900, rel=0.02)


async def test_the_same_seed_makes_the_same_shift(autojump_clock):
    async def shift(seed: int) -> list[tuple[float, list[str]]]:
        address, world = MemoryAddress(), World(seed, USUAL_FAULTS.times(20))
        async with serving(FloorDesk(), address) as desk, stations(address, world, [SPECS["p1"]]):
            await desk.joined("p1")
            rows = []
            for job_id in range(1, 200):
                done = await desk.does("p1", print_start(job_id, job_id), within_s=10_000)
                codes = [position.code for sheet in done.sheets for position in sheet.positions]
                rows.append((round(done.ended_floor_s - done.started_floor_s, 3), codes))
            return rows

    assert await shift(1) == await shift(1)
    assert await shift(1) != await shift(2)


async def test_cycles_vary_within_their_spread(autojump_clock):
    address = MemoryAddress()
    async with serving(FloorDesk(), address) as desk, stations(address, World(1, NO_FAULTS), [SPECS["c1"]]):
        await desk.joined("c1")
        done = [await desk.does("c1", plain_start(job_id, Step.PUNCH, job_id)) for job_id in range(1, 300)]
        cycles = [one.ended_floor_s - one.started_floor_s for one in done]
        assert 8.1 <= min(cycles) < 8.4
        assert 9.6 < max(cycles) <= 9.9001
        assert sum(cycles) / len(cycles) == pytest.approx(9.0, rel=0.02)


async def test_a_frame_that_is_no_message_is_counted_and_passed_over(autojump_clock):
    address = MemoryAddress()
    async with stations(address, World(1, NO_FAULTS), [exact("p1")]) as floor:
        with address.serve() as router:
            peer = (await router.recv()).peer
            for body in (b"", b"\xc1", b"\x81\xa4type\xa4nope"):
                router.send(peer, body)
            await trio.sleep(1)
        assert floor["p1"].nonsense == 3
        async with serving(FloorDesk(), address) as desk:
            await desk.does("p1", print_start(1, 1))
