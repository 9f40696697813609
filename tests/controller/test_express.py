"""Express asked for later: the application goes before the others as long as it is on no sheet."""

from __future__ import annotations

import pytest
import trio

from controller.core.moves import SheetImposed
from controller.core.review_moves import CardHastened
from controller.wire import Done, ExpressApplication, Refusal
from tests.controller.correcting import HELD, accepted_as, application, doors, second
from tests.controller.test_shared_number import start_printing, stop_printing


async def express(desk, sequence, user="north", reason="a passport waits"):
    return await desk.ask(ExpressApplication(acceptance_number=accepted_as(sequence), reason=reason), user)


def hastened(desk):
    return [move for move in desk.centre.moves if isinstance(move, CardHastened)]


async def test_a_card_that_waits_for_a_sheet_goes_to_the_front_and_is_due_in_three_working_days(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(sequence) for sequence in range(1, 20)])
        last, _ = desk.newest(19)
        assert isinstance(await express(desk, 19), Done)
        card = desk.state.cards[last]
        assert (card.express, card.rank[1]) == (True, 0)
        assert card.due_floor_s < desk.state.batches[1].due_floor_s
        with trio.fail_after(60):
            while desk.state.unencoded or desk.state.encode_jobs:  # noqa: ASYNC110  the ledger's thread does it
                await trio.sleep(0.005)
        assert next(rank[-1] for rank in desk.state.ready["second"]) == last
        await start_printing(desk)
        first = next(move for move in desk.centre.moves if isinstance(move, SheetImposed))
        assert last in first.cards


async def test_asked_again_it_is_done_and_recorded_once_with_author_and_reason(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1), application(2, production_type="2")])
        for _ in range(3):
            assert isinstance(await express(desk, 1), Done)
        assert isinstance(await express(desk, 2), Done)  # it came so
        [move] = hastened(desk)
        assert (move.card, move.by, move.reason) == (desk.newest(1)[0], "north", "a passport waits")


async def test_a_held_one_keeps_its_place_in_front_when_it_is_released(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1), application(2, **HELD)])
        assert isinstance(await express(desk, 2), Done)
        await desk.decide(desk.newest(2)[0], "release")
        ranks = desk.state.unencoded + [rank for ready in desk.state.ready.values() for rank in ready]
        assert all(rank[1] == 0 for rank in ranks if rank[-1] == desk.newest(2)[0])
        await start_printing(desk)
        await desk.settled()
        desk.verify()


async def test_one_that_is_made_or_is_another_upstreams_is_refused(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(2, **HELD)])
        assert (await express(desk, 2, "south")).code == "cancel.unknown"
        assert (await express(desk, 9)).code == "cancel.unknown"
        await desk.settled()
        late = await express(desk, 1)
        assert isinstance(late, Refusal)
        assert late.code in ("decision.too_late", "decision.no_card")
        assert (await express(desk, 2, reason="for 520102199003070037")).code == "reason.personal"
        assert hastened(desk) == []


@pytest.mark.parametrize("decision", ["cancel", "refuse_late"])
async def test_an_express_card_is_cancelled_like_any_other(tmp_path, decision):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1), application(2)])
        await express(desk, 2)
        card, _ = desk.newest(2)
        assert isinstance(await desk.decide(card, decision), Done)
        assert all(rank[-1] != card for ready in desk.state.ready.values() for rank in ready)
        await start_printing(desk)
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_a_stopped_express_card_resumes_as_one(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1), application(3, person=3, name="样例乙")])
        await express(desk, 3)
        assert isinstance(await second(desk, "override", card=desk.newest(3)[0], reason="seen both"), Done)
        assert desk.state.cards[desk.newest(3)[0]].rank[1] == 0
