"""Queues kept in order, as lists: many neighbours come and go at the price of one."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any


def enter(queue: list[Any], items: list[Any]) -> None:
    """Enter items into an ordered queue.  Cost: a move of what lies behind, for each run of neighbours among them."""
    items = sorted(items)
    begin = 0
    while begin < len(items):
        place = bisect_left(queue, items[begin])
        end = len(items)
        if place < len(queue) and queue[place] <= items[-1]:
            end = bisect_left(items, queue[place], begin + 1)
        queue[place:place] = items[begin:end]
        begin = end


def take(queue: list[Any], items: list[Any]) -> None:
    """Take items out of an ordered queue, those that are in it.  Cost: as of `enter`, when they come in order."""
    begin, count = 0, len(items)
    if queue[:count] == items:  # from the head, as most are taken
        del queue[:count]
        return
    if not queue or max(items, default=queue[0]) < queue[0]:
        return  # none of them is there
    while begin < count:
        place = bisect_left(queue, items[begin])
        if queue[place : place + count - begin] == items[begin:]:  # by far the most
            del queue[place : place + count - begin]
            return
        end = begin
        while end < count and place + end - begin < len(queue) and queue[place + end - begin] == items[end]:
            end += 1
        del queue[place : place + end - begin]
        begin = max(end, begin + 1)
