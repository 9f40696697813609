"""A fork is the floor's state, exactly, and nobody's but the run's."""

import gc
from collections import deque
from dataclasses import fields, is_dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.line.fork import Fork
from controller.core.state import FloorState
from tests.controller.core.line.forked_floor import Forked, forked
from tests.controller.core.line.troubled_floor import troubled

SHARED = (int, float, str, bytes, bool, type(None), tuple, frozenset, type)


def parts(thing, seen):
    """Every object below a thing that can be changed."""
    if id(thing) in seen or isinstance(thing, SHARED):
        return
    seen[id(thing)] = thing
    if is_dataclass(thing):
        for field in fields(thing):
            parts(getattr(thing, field.name), seen)
    elif isinstance(thing, dict):
        for value in thing.values():
            parts(value, seen)
    elif isinstance(thing, (list, deque, set)):
        for value in thing:
            parts(value, seen)


def changeable(state):
    seen = {}
    parts(state, seen)
    return {number for number, one in seen.items() if isinstance(one, (dict, list, deque, set)) or is_dataclass(one)}


@given(seed=st.integers(0, 10_000), hours=st.floats(0.1, 6.0))
@settings(max_examples=6, deadline=None)
def test_a_fork_equals_the_floor_field_by_field_and_shares_nothing_that_changes(seed, hours):
    floor = Forked(seed, hours, batches=3)
    copy = floor.fork.state()
    for field in fields(FloorState):
        assert getattr(copy, field.name) == getattr(floor.state, field.name), field.name
    assert changeable(copy).isdisjoint(changeable(floor.state))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_a_floor_with_every_kind_of_trouble_is_forked_exactly(seed):
    rough = troubled(seed)
    assert Fork.of(rough.state).state() == rough.state


def test_runs_leave_the_floor_and_the_fork_as_they_were():
    floor = forked()
    before = Fork.of(floor.state).packed
    first, second = floor.run(1), floor.run(1)
    assert first == second
    assert Fork.of(floor.state).packed == before
    assert floor.fork.state() == floor.state


def test_a_run_leaves_nothing_for_the_collector():
    floor = forked()
    floor.run(1)
    # the least of three: other threads of the process may leave some of their own
    left = min(garbage_of(floor, seed) for seed in (2, 3, 4))
    assert left < 500, "a state has thousands of objects"


def garbage_of(floor, seed):
    """Give how many objects only the collector gets rid of after a run."""
    gc.collect()
    gc.disable()
    try:
        floor.run(seed)
        return gc.collect()
    finally:
        gc.enable()
