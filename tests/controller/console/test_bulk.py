"""Acts about many cards: ten thousand in portions, in order; what stops one leaves the rest undone and says so."""

from __future__ import annotations

import trio
from trio.testing import trio_test, wait_all_tasks_blocked

from controller.console.bulk import CARDS_MAX, KEPT, PORTION, WAITING_MAX, Bulk, Choice, Stopped


def choice(by="ann", cards=3):
    return Choice(by, "hold", {"code": "other"}, tuple(range(cards)), "/batches")


async def done(bulk):
    """Do all that was begun."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bulk.run)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


@trio_test
async def test_ten_thousand_cards_go_in_portions_in_their_order_and_what_failed_is_listed_by_cause():
    bulk, portions = Bulk(), []

    async def ask(cards):
        portions.append(cards)
        failed = [{"card": card, "code": "held" if card % 20 else "gone", "text": "said"} for card in cards[::10]]
        return {"done": len(cards) - len(failed), "failed": failed}

    run = bulk.begin(bulk.keep(choice(cards=CARDS_MAX)), "ann", lambda _: ask)
    await done(bulk)
    assert [card for portion in portions for card in portion] == list(range(CARDS_MAX))
    assert max(map(len, portions)) == PORTION
    assert (run.is_over, run.through, run.done, len(run.failed)) == (True, 10_000, 9_000, 1_000)
    assert run.causes() == [("gone", 500), ("held", 500)]
    assert run.failed[:2] == [(0, "gone"), (10, "held")]


@trio_test
async def test_what_the_service_refuses_and_what_breaks_stops_one_run_and_not_the_next():
    bulk = Bulk()

    async def refuse(cards):
        if cards[0]:
            raise Stopped("right.missing")
        return {"done": len(cards), "failed": []}

    async def break_down(cards):
        raise KeyError("a secret")

    async def good(cards):
        return {"done": len(cards), "failed": []}

    runs = [
        bulk.begin(bulk.keep(choice(cards=2 * PORTION)), "ann", lambda _, ask=ask: ask)
        for ask in (refuse, break_down, good)
    ]
    await done(bulk)
    assert [(run.stopped, run.through, run.done) for run in runs] == [
        ("right.missing", PORTION, PORTION),
        ("console.failed", 0, 0),
        ("", 2 * PORTION, 2 * PORTION),
    ]
    assert all(run.is_over for run in runs)


@trio_test
async def test_a_choice_is_begun_once_by_whoever_made_it_and_only_so_many_are_kept():
    bulk = Bulk()
    number = bulk.keep(choice())
    assert bulk.begin(number, "bob", lambda _: None) is None
    assert bulk.begin("none", "ann", lambda _: None) is None
    run = bulk.begin(number, "ann", lambda _: None)
    assert bulk.run_of(number, "ann") is run
    assert bulk.run_of(number, "bob") is None
    assert bulk.begin(number, "ann", lambda _: None) is None
    first = bulk.keep(choice())
    for _ in range(KEPT):
        bulk.keep(choice())
    assert bulk.begin(first, "ann", lambda _: None) is None, "the oldest is forgotten"
    begun = [bulk.begin(bulk.keep(choice()), "ann", lambda _: None) for _ in range(WAITING_MAX)]
    assert begun[-1] is None, "no more wait than fit"
    assert begun[-2] is not None
