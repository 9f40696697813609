"""Two people with one number, where neither may have a card: the earlier one waits for two people too."""

from __future__ import annotations

import pytest

from controller.checks.policy import Policy, SharedNumber
from controller.core import events as e
from controller.wire import Done, Refusal
from tests.controller.correcting import HELD, REFUSED, application, doors, second
from tests.controller.test_corrections_cut import Cut, Power

NEITHER = Policy(shared_number=SharedNumber.NEITHER)
SHARED = "duplicate.shared_number"
OTHER = {"name": "样例乙"}


async def stop_printing(desk) -> None:
    """Let the printer be taken off line, so that nothing gets on a sheet."""
    await desk.centre.host.post(e.StationReported("print", "stopped", "", 1.0)).wait()


async def start_printing(desk) -> None:
    await desk.centre.host.post(e.StationReported("print", "idle", "", 2.0)).wait()


def card_of(desk, sequence):
    return desk.state.cards[desk.newest(sequence)[0]]


async def test_an_accepted_card_of_an_earlier_batch_stops_and_only_two_people_let_it_go_on(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, person=3, **OTHER)])
        earlier, later = card_of(desk, 1), card_of(desk, 2)
        assert (earlier.state, later.state) == ("stopped", "held")
        for card, decision in ((earlier, "resume"), (later, "release")):
            refused = await desk.decide(card.card, decision)
            assert isinstance(refused, Refusal)
            assert refused.code == "decision.second_person"
        alone = await desk.operator("act", verb="override", args={"card": earlier.card, "reason": "seen both"})
        same = await desk.operator("second", "ann", act_id=alone.result["act_id"])
        assert same.code == "act.same_person"
        assert earlier.state == "stopped"
        assert isinstance(await desk.operator("second", "bob", act_id=alone.result["act_id"]), Done)
        assert earlier.state in ("accepted", "ready")
        await start_printing(desk)
        await desk.settled()
        assert desk.told(1) == [(0, "accepted"), (0, "made"), (0, "dispatched")]
        assert desk.told(2) == [(0, "held")]
        desk.check_laws()
        desk.verify()


async def test_an_earlier_card_that_was_held_for_something_else_needs_two_people_from_then_on(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await desk.bring(1, [application(1, **HELD)])
        await desk.bring(2, [application(2, person=3, **OTHER)])
        card = card_of(desk, 1)
        assert desk.state.holds[card.card] == ["name.single", SHARED]
        assert (await desk.decide(card.card, "release")).code == "decision.second_person"
        assert isinstance(await second(desk, "override", card=card.card, reason="seen both"), Done)
        await desk.settled()
        assert desk.told(1)[-1] == (0, "dispatched")
        desk.verify()


async def test_a_card_that_stopped_for_something_else_cannot_be_resumed_by_one_person_any_more(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, person=3, **OTHER)])
        await desk.bring(3, [application(4, person=3, name="样例丙")])
        card = card_of(desk, 1)
        assert desk.state.contested[card.card] == desk.newest(2)[0]
        assert isinstance(await desk.decide(card.card, "refuse_late"), Done)
        assert desk.state.contested == {}
        assert desk.told(1)[-1] == (0, "refused_late")
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_one_on_a_sheet_goes_on_and_the_later_one_is_held(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await desk.bring(1, [application(1)])
        await desk.settled()
        await desk.bring(2, [application(2, person=3, **OTHER)])
        assert desk.told(1)[-1] == (0, "dispatched")
        assert desk.newest(2)[1] == "held"
        assert desk.state.contested == {}


@pytest.mark.parametrize("policy", [SharedNumber.FIRST_ONLY, SharedNumber.BOTH])
async def test_under_another_policy_the_earlier_card_goes_on(tmp_path, policy):
    async with doors(tmp_path, Policy(shared_number=policy)) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, person=3, **OTHER)])
        assert card_of(desk, 1).state in ("accepted", "ready")


async def test_a_refused_application_contests_nobodys_number(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, person=3, sex="2", name="样例乙")])
        assert card_of(desk, 1).state in ("accepted", "ready")
        assert desk.told(2) == [(0, "refused")]


async def test_the_same_person_again_contests_nothing(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, person=3)])
        assert card_of(desk, 1).state in ("accepted", "ready")
        assert desk.receipts(2)[0].codes == ["duplicate.application"]


async def test_a_correction_contests_the_number_it_brings_and_not_that_of_its_own_held_revision(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1), application(2, **HELD)])
        await desk.correct(2, 1, application(2, **OTHER))  # another person digest under its own number
        assert desk.told(2)[-1] == (1, "accepted")
        await desk.bring(2, [application(4, **HELD)])
        await desk.correct(4, 1, application(4, person=3, **OTHER))  # the number of 1
        assert card_of(desk, 1).state == "stopped"
        assert desk.told(4)[-1] == (1, "held")
        desk.check_laws()


async def test_told_again_after_a_start_the_earlier_card_is_contested_all_the_same(tmp_path):
    async with doors(tmp_path, NEITHER) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, **REFUSED)])
        Power(desk, 3)  # its verdict is durable, and the floor was not told
        with pytest.raises(Cut):
            await desk.correct(2, 1, application(2, person=3, **OTHER))
        assert card_of(desk, 1).state in ("accepted", "ready")
    async with doors(tmp_path, NEITHER, is_working=False) as desk:
        await desk.until_told(2, (1, "held"))
        assert card_of(desk, 1).state == "stopped"
