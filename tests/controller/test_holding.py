"""Cards and batches that people hold, alone and by the hundred: nothing of them goes further, and the rest goes on."""

from __future__ import annotations

from pathlib import Path

import trio
import trio.testing

from controller.core import moves as m
from controller.core.hold_moves import BatchHeld, CardHeld
from controller.core.review_moves import CardHastened
from controller.desk.many import PORTION
from controller.wire import Done, Refusal
from tests.controller.correcting import HELD, accepted_as, application, doors, number
from tests.controller.test_shared_number import start_printing, stop_printing


async def hold(desk, sequence, code="blurred", who="ann"):
    return await desk.operator("hold_card", who, card=desk.newest(sequence)[0], code=code)


async def until(wanted):
    with trio.fail_after(60):
        while not wanted():  # noqa: ASYNC110  the floor and the ledger's thread do it
            await trio.sleep(0.005)


def sent(desk):
    return [row.card_id for sequence in range(1, 30) for row in desk.reader.cards_of(accepted_as(sequence))
            if row.state == "dispatched"]  # fmt: skip


async def test_the_rest_of_a_batch_is_packed_and_sent_without_a_held_card_which_follows_when_it_is_released(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(sequence) for sequence in range(1, 10)])  # all but one fill a sheet
        held = desk.newest(3)[0]
        assert isinstance(await hold(desk, 3), Done)
        await start_printing(desk)
        await until(lambda: len(sent(desk)) == 8)
        assert held not in sent(desk)
        assert not any(held in move.cards for move in desk.centre.moves if isinstance(move, m.SheetImposed))
        why = (await desk.operator("why", thing=accepted_as(3))).result
        assert why["facts"]["hold"] == "blurred"
        assert "ann holds it" in why["sentence_en"]
        assert "ann holds it" in (await desk.operator("why", thing=number(1))).result["sentence_en"]
        told = [kind for _, kind in desk.told(3)]
        assert told == ["accepted"], "a hold is not upstream's matter"
        assert isinstance(await desk.operator("release_card", "bob", card=held), Done)
        await until(lambda: held in sent(desk))
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_a_held_batch_begins_nothing_and_sends_nothing_and_is_one_move(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(sequence) for sequence in range(1, 9)])
        await desk.bring(2, [application(sequence) for sequence in range(11, 19)])
        assert isinstance(await desk.operator("hold_batch", batch_number=number(1), code="recheck"), Done)
        again = await desk.operator("hold_batch", "bob", batch_number=number(1), code="recheck")
        assert (again.code, "ann" in again.text) == ("hold.held", True)
        await start_printing(desk)
        await until(lambda: len(sent(desk)) == 8)
        imposed = [card for move in desk.centre.moves if isinstance(move, m.SheetImposed) for card in move.cards]
        assert not {desk.newest(sequence)[0] for sequence in range(1, 9)} & set(imposed)
        assert sum(isinstance(move, BatchHeld) for move in desk.centre.moves) == 1
        assert not any(isinstance(move, CardHeld) for move in desk.centre.moves)
        why = (await desk.operator("why", thing=number(1))).result
        assert (why["facts"]["because"], why["facts"]["hold_by"]) == ("batch_held", "ann")
        assert "whole batch" in (await desk.operator("why", thing=accepted_as(1))).result["sentence_en"]
        by_card = await desk.operator("release_card", card=desk.newest(1)[0])
        assert (by_card.code, "release-batch" in by_card.text) == ("hold.not_held", True)
        late = await desk.operator("dispatch", batch_number=number(1))
        assert isinstance(late, Refusal)
        assert isinstance(await desk.operator("release_batch", batch_number=number(1)), Done)
        await desk.settled()
        assert len(sent(desk)) == 16
        desk.verify()


async def test_what_the_checks_hold_a_person_may_hold_too_and_only_an_end_or_a_release_lifts_it(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1), application(2, **HELD), application(3)])
        await start_printing(desk)
        await until(lambda: len(sent(desk)) == 2)
        late = await hold(desk, 1)
        assert late.code == "hold.too_late"
        assert isinstance(await hold(desk, 2), Done), "what the checks hold, a person may hold too"
        await desk.decide(desk.newest(2)[0], "release")
        await trio.testing.wait_all_tasks_blocked()
        assert desk.state.cards[desk.newest(2)[0]].card in desk.state.card_holds, "a reviewer does not lift it"
        [row] = (await desk.operator("card_holds")).result["cards"]
        assert (row["code"], row["by"], row["state"]) == ("blurred", "ann", "accepted")
        assert isinstance(await desk.operator("decide", card=row["card"], decision="cancel", reason="twice"), Done)
        assert not desk.state.card_holds, "what has ended is not held"
        assert desk.told(2)[-1] == (0, "cancelled")
        desk.check_laws()
        desk.verify()


IMPOSSIBLE = [
    ("hold_card", {"card": 990_000, "code": "x"}, "hold.no_card"),
    ("hold_card", {"card": 10_000, "code": "Because Li Hua said so"}, "command.argument"),
    ("hold_card", {"card": 10_000}, "command.argument"),
    ("hold_card", {"card": 10_000, "cards": [10_000], "code": "x"}, "command.argument"),
    ("hold_card", {"cards": [], "code": "x"}, "command.argument"),
    ("hold_card", {"cards": ["52010"] * (PORTION + 1), "code": "x"}, "command.argument"),
    ("hold_card", {"cards": ["5201 0"], "code": "x"}, "command.argument"),
    ("hold_card", {"cards": [True], "code": "x"}, "command.argument"),
    ("hold_card", {"cards": [10_000], "code": "of 520102199003070037"}, "reason.personal"),
    ("decide", {"cards": [10_000], "decision": "cancel", "reason": "a whole sentence"}, "command.argument"),
    ("decide", {"cards": [10_000], "decision": "correct", "reason": "x"}, "command.argument"),
    ("release_card", {"card": 10_000}, "hold.not_held"),
    ("hold_batch", {"batch_number": "7", "code": "x"}, "hold.no_batch"),
    ("release_batch", {"batch_number": "7"}, "hold.not_held"),
    ("express", {"card": 990_000, "reason": "x"}, "decision.no_card"),
    ("batch", {"batch_number": "7"}, "batch.unknown"),
    ("batches", {"only": "new"}, "command.argument"),
    ("batches", {"limit": 201}, "command.argument"),
    ("batches", {"search": "5%"}, "command.argument"),
]


async def test_what_cannot_be_done_is_refused_with_its_code(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        for verb, args, code in IMPOSSIBLE:
            assert (await desk.operator(verb, **args)).code == code, (verb, args)
        decided = (CardHeld, BatchHeld, CardHastened, m.CardDecided)
        assert not any(isinstance(move, decided) for move in desk.centre.moves)


async def test_an_act_on_many_does_what_it_can_and_names_what_failed_and_why_as_it_was_named(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(sequence) for sequence in range(1, 6)])
        await hold(desk, 2, who="bob")
        cards = [accepted_as(1), accepted_as(2), desk.newest(3)[0], "5" * 22, 77, str(desk.newest(4)[0])]
        answer = (await desk.operator("hold_card", cards=cards, code="recheck")).result
        assert (answer["done"], [(one["card"], one["code"]) for one in answer["failed"]]) == (
            3,
            [(accepted_as(2), "hold.held"), ("5" * 22, "decision.no_card"), (77, "hold.no_card")],
        )
        assert all(one["text"] for one in answer["failed"])
        assert len(desk.state.card_holds) == 4
        answer = (await desk.operator("express", cards=[accepted_as(1)], reason="flight")).result
        assert (answer["done"], desk.state.batches[1].express) == (1, 1)
        gone = (await desk.operator("decide", cards=cards[:3], decision="cancel", reason="withdrawn")).result
        assert (gone["done"], gone["decisions"]) == (3, {"cancel": 3})
        again = (await desk.operator("decide", cards=cards[:1], decision="cancel", reason="withdrawn")).result
        assert [one["code"] for one in again["failed"]] == ["decision.too_late"], "said twice, nothing is done twice"
        desk.check_laws()
        desk.verify()


async def test_pages_of_batches_go_on_where_they_ended_and_show_what_is_late_or_held(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        for sequence in range(1, 6):
            await desk.bring(sequence, [application(10 * sequence + one) for one in range(2)])
        await desk.operator("hold_batch", batch_number=number(2), code="recheck")
        await hold(desk, 41)
        first = (await desk.operator("batches", limit=3)).result
        rest = (await desk.operator("batches", limit=3, after=first["after"])).result
        pages = [row["batch_number"] for row in first["rows"] + rest["rows"]]
        assert (pages, rest["after"]) == ([number(one) for one in (5, 4, 3, 2, 1)], 0)
        held = {row["batch_number"]: row for row in (await desk.operator("batches", only="held")).result["rows"]}
        assert held.keys() == {number(2), number(4)}
        assert (held[number(2)]["hold"], held[number(2)]["because"]) == ("recheck", "batch_held")
        assert (held[number(4)]["cards_held"], held[number(4)]["because"]) == (1, "card_held")
        found = (await desk.operator("batches", search=number(3))).result["rows"]
        assert [row["batch_number"] for row in found] == [number(3)]
        assert (await desk.operator("batches", only="closed")).result == {"rows": [], "after": 0}
        late = (await desk.operator("batches", only="late")).result["rows"]
        assert all(row["late"] and row["late_s"] > 0 and row["sentence_en"] for row in late)
        with_late = {row["batch_number"] for row in (await desk.operator("batches")).result["rows"] if row["late"]}
        assert with_late == {row["batch_number"] for row in late}


async def test_one_batch_shows_its_cards_by_pages_with_their_numbers_as_text_and_no_personal_field(tmp_path):
    async with doors(tmp_path) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(sequence) for sequence in range(1, 6)] + [application(6, **HELD)])
        await hold(desk, 2)
        page = (await desk.operator("batch", batch_number=number(1), limit=4)).result
        rest = (await desk.operator("batch", batch_number=number(1), after=page["after"])).result
        cards = page["cards"] + rest["cards"]
        assert [one["acceptance_number"] for one in cards] == [accepted_as(sequence) for sequence in range(1, 7)]
        assert (cards[1]["hold"], cards[1]["hold_by"], cards[5]["codes"]) == ("blurred", "ann", ["name.single"])
        assert (page["received"], page["counts"]["held"], page["outcomes"]["held"]) == (6, 1, 1)
        assert not {"name", "identity_number", "address", "portrait", "birth", "sex"} & cards[0].keys()
        await start_printing(desk)
        await until(lambda: len(sent(desk)) == 4)
        done = (await desk.operator("batch", batch_number=number(1))).result
        assert (done["done"], done["state"], done["because"]) == (4, "open", "card_held")
        assert {one["state"] for one in done["cards"]} == {"dispatched", "ready", "held"}


async def test_a_closed_batch_is_told_from_the_ledger(tmp_path: Path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(2)])
        await desk.settled()
        [row] = (await desk.operator("batches", only="closed")).result["rows"]
        assert (row["state"], row["counts"], row["done"], row["express"]) == ("closed", {"dispatched": 2}, 2, None)
        whole = (await desk.operator("batch", batch_number=number(1))).result
        assert [one["where"] for one in whole["cards"]] == ["", ""]
        assert whole["closed_floor_s"] > 0
