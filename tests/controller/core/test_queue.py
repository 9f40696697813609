"""Queues in order: many entries at once are what one after the other would be."""

from __future__ import annotations

from bisect import bisect_left, insort

from hypothesis import given
from hypothesis import strategies as st

from controller.core.queue import enter, take

NUMBERS = st.sets(st.integers(0, 60))


@given(NUMBERS, NUMBERS, st.randoms(use_true_random=False))
def test_entering_many_at_once_is_entering_each(lying, coming, random):
    lying, coming = sorted(lying), random.sample(sorted(coming - lying), len(coming - lying))
    one_by_one = list(lying)
    for item in coming:
        insort(one_by_one, item)
    enter(lying, coming)
    assert lying == one_by_one


@given(NUMBERS, NUMBERS, st.randoms(use_true_random=False))
def test_taking_many_at_once_is_taking_each_that_is_there(lying, going, random):
    lying, going = sorted(lying), random.sample(sorted(going), len(going))
    one_by_one = list(lying)
    for item in going:
        place = bisect_left(one_by_one, item)
        if place < len(one_by_one) and one_by_one[place] == item:
            del one_by_one[place]
    take(lying, going)
    assert lying == one_by_one


def test_what_is_given_to_a_queue_is_left_as_it_was():
    coming = [3, 1, 2]
    queue = [0, 9]
    enter(queue, coming)
    take(queue, coming)
    assert (queue, coming) == ([0, 9], [3, 1, 2])
