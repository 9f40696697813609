"""A refused attempt leaves a row at once, and a flood of them one row a minute that says how many there were."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import trio

from controller.core.rights_events import AttemptRefused
from controller.denials import MINUTES_MAX, Attempt, Denials
from controller.minutes import MINUTE_S

EVE = Attempt("eve", "act", "destroy", "right.missing")


class Book:
    """Takes what is posted, each durable when it is waited for, on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s, self.posted, self.durable = 0.0, [], 0
        self.denials = Denials(self._post, lambda: self.now_s)

    def _post(self, event: AttemptRefused) -> SimpleNamespace:
        self.posted.append(event)

        async def wait():
            self.durable += 1

        return SimpleNamespace(wait=wait)

    async def pass_s(self, seconds: float) -> None:
        self.now_s += seconds
        await self.denials.record_due()


async def test_the_first_attempt_leaves_its_row_before_it_is_answered():
    book = Book()
    await book.denials.note(EVE)
    assert book.posted == [AttemptRefused(*EVE, 1)]
    assert book.durable == 1


@pytest.mark.parametrize("attempts", [2, 3, 10_000])
async def test_a_flood_leaves_one_row_a_minute_and_no_attempt_is_uncounted(attempts):
    book = Book()
    for _ in range(attempts):
        await book.denials.note(EVE)
    assert len(book.posted) == 1
    await book.pass_s(MINUTE_S)
    assert [row.count for row in book.posted] == [1, attempts - 1]
    await book.pass_s(MINUTE_S)
    assert len(book.posted) == 2, "a minute without attempts leaves nothing"


async def test_a_flood_of_many_minutes_leaves_as_many_rows():
    book, attempts = Book(), 0
    for _ in range(600):
        for _ in range(7):
            await book.denials.note(EVE)
            attempts += 1
        await book.pass_s(1.0)
    await book.pass_s(MINUTE_S)
    assert sum(row.count for row in book.posted) == attempts
    assert len(book.posted) <= 600 / MINUTE_S + 2


async def test_each_person_verb_act_and_code_has_a_row_of_its_own():
    book = Book()
    for other in (EVE, EVE._replace(by="bob"), EVE._replace(act="purge"), EVE._replace(code="act.same_person")):
        await book.denials.note(other)
        await book.denials.note(other)
    assert len(book.posted) == 4


async def test_a_window_that_is_over_begins_anew_with_a_row_at_once():
    book = Book()
    await book.denials.note(EVE)
    await book.pass_s(MINUTE_S)
    await book.denials.note(EVE)
    assert [row.count for row in book.posted] == [1, 1]


async def test_who_tries_more_things_than_anybody_could_is_counted_in_one_row():
    book = Book()
    for number in range(MINUTES_MAX + 50):
        await book.denials.note(EVE._replace(act=f"act-{number}"))
    assert len(book.posted) == MINUTES_MAX + 1
    await book.pass_s(MINUTE_S)
    assert book.posted[-1] == AttemptRefused("eve", "", "", "right.missing", 49)


async def test_the_task_closes_windows_until_it_is_cancelled(autojump_clock):
    posted = []

    def post(event):
        posted.append(event)

        async def wait():
            await trio.lowlevel.checkpoint()

        return SimpleNamespace(wait=wait)

    denials = Denials(post)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(denials.run)
        for _ in range(5):
            await denials.note(EVE)
        await trio.sleep(2 * MINUTE_S)
        nursery.cancel_scope.cancel()
    assert [row.count for row in posted] == [1, 4]
