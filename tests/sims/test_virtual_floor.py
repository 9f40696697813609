"""A floor in virtual time: its live host, driver and station tasks decide what the bare heap decides, to the byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.core.settings import CoreConfig
from controller.hosts.instant import VirtualConfig
from devices.defects import Step
from sims.faults import NO_FAULTS, USUAL_FAULTS, StepFaults
from sims.floor import DEFAULT_FLOOR
from sims.virtual_week import Sample, on_heap, on_trio

DAY = Sample(seed=1, cards_per_hour=60.0, until_floor_s=50_000.0)
ROUGH = Sample(seed=2, cards_per_hour=90.0, until_floor_s=20_000.0, faults=USUAL_FAULTS.times(5.0), config=CoreConfig())


@pytest.fixture(
    scope="module", params=[DAY, ROUGH, replace(ROUGH, seed=3)], ids=["a day of shifts", "rough", "rougher"]
)
def played(request):
    return on_trio(request.param), on_heap(request.param)


def test_trio_in_virtual_time_and_the_bare_heap_have_one_digest(played):
    trio, heap = played
    assert trio.counts == heap.counts
    assert trio.head == heap.head
    assert trio.violations == {}
    assert trio.packed > 100
    assert trio.jumps > 500


def test_what_was_compared_had_breakdowns_jams_spoiled_cards_and_people_in_it(played):
    counts = played[1].counts
    for happened in ("station breakdown", "PositionsMarked", "ActEnded", "SheetBound", "BatchOpened"):
        assert counts[happened] > 0, happened
    assert counts["station jam"] > 0 or counts["BatchClosed"] > 0


def test_the_time_of_a_commit_is_felt_by_every_move_and_must_be_the_same_on_both():
    fast = replace(ROUGH, virtual=VirtualConfig(commit_s=0.001), until_floor_s=8_000.0)
    slow = replace(fast, virtual=VirtualConfig(commit_s=0.05))
    assert on_heap(fast).head == on_trio(fast).head != on_trio(slow).head == on_heap(slow).head


def test_a_roll_of_film_that_ends_makes_the_next_load_wait_on_both():
    floor = tuple(replace(spec, roll_sheets=7 if spec.step is Step.PRINT else 0) for spec in DEFAULT_FLOOR)
    sample = replace(ROUGH, floor=floor, faults=NO_FAULTS)
    trio, heap = on_trio(sample), on_heap(sample)
    assert trio.counts["station film_empty"] > 2
    assert trio.head == heap.head


def test_a_jam_on_the_very_load_that_ends_a_roll_is_told_alike_on_both():
    floor = tuple(replace(spec, roll_sheets=2 if spec.step is Step.PRINT else 0) for spec in DEFAULT_FLOOR)
    faults = replace(NO_FAULTS, steps={Step.PRINT: StepFaults(load_spoiled=0.2, jam_code="P1")})
    sample = replace(ROUGH, floor=floor, faults=faults, until_floor_s=8_000.0)
    trio, heap = on_trio(sample), on_heap(sample)
    assert trio.counts["station jam"] > 2
    assert trio.counts["station film_empty"] > 2
    assert trio.counts == heap.counts
    assert trio.head == heap.head
