"""What people type stands in the chain for ever: what names the person is refused, and everything else is taken."""

from __future__ import annotations

import pytest
from sqlalchemy import text as sql

from controller import commands
from controller.core import events as e
from controller.core.moves import CardDecided, RowVerdict, Verdict
from controller.desk.desk import Desk
from controller.ledger.inbox import StoreVerdicts
from controller.personal_text import has_long_number, names_person, typed
from controller.wire import Command, Refusal
from encoders.envelope import pack
from tests.controller.checks.samples import good
from tests.controller.returning import BATCH, NUMBERS, centre

NAME, ADDRESS = "欧阳守望", "贵州省贵阳市南明区样例路31号2单元"


@pytest.mark.parametrize(
    "text",
    [
        "110105491231002",
        "seen: 11010519491231002X",
        "110105 19491231 002X",
        "110105-1949-1231-002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "5201020012025122000000 and 110105194912310021",
        "1" * 21,
        "1" * 23,
    ],
)
def test_what_could_be_an_identity_number_is_found_however_it_is_written(text):
    assert has_long_number(text, joined=True)


@pytest.mark.parametrize(
    "text",
    ["", "seen in the register", "5201020012025122000000", "2026-03-12 14:05", "box 17, 28 cards, 12345678901234"],
)
def test_acceptance_numbers_days_and_counts_are_no_identity_number(text):
    assert not has_long_number(text, joined=True)


def test_a_lot_whose_digits_are_set_apart_is_a_lot():
    assert not has_long_number("F-2026-0312-0000-1234", joined=False)
    assert has_long_number("F-20260312000012345", joined=False)


@pytest.mark.parametrize(
    "text",
    [
        f"asked {NAME} himself",
        "欧阳 守望",
        "lives at 样例路31号2单元",
        "lives at 样例路 31 号 2 单元",
        "样例路３１号２单元",
        ADDRESS,
    ],
)
def test_name_and_street_of_the_card_s_person_are_found_with_blanks_and_in_other_widths(text):
    assert names_person(text, good(name=NAME, address=ADDRESS))


@pytest.mark.parametrize("text", ["守望", "the office at 贵阳市南明区 confirmed it", "欧阳", "第31号"])
def test_a_part_of_a_name_and_the_county_may_be_said(text):
    assert not names_person(text, good(name=NAME, address=ADDRESS))


def test_a_name_of_one_character_and_an_empty_address_name_nobody():
    assert not names_person("a sentence with 王 in it", good(name="王", address=""))


def test_a_latin_name_is_found_in_either_case():
    assert names_person("asked li-ANNE", good(name="Li-Anne", address=""))


def test_an_act_s_own_arguments_are_texts_too_and_a_looked_up_batch_number_is_none():
    assert typed({"verb": "override", "args": {"card": 7, "reason": "x"}}) == ({"verb": "override", "reason": "x"}, 7)
    assert typed({"batch_number": "5" * 25, "scanned": [1]}) == ({}, 0)
    assert typed({"card": True, "args": "no map"}) == ({"args": "no map"}, 0)
    assert typed({"card": -1}) == ({}, 0)


async def _held(made) -> int:
    """Bring a batch whose first card is held, of a person with a name and an address."""
    batch_id = await made.bring(name=BATCH)
    person = [(index, person_of(number)) for index, number in enumerate(NUMBERS)]
    await made.vault.store_applications(batch_id, person)
    verdicts = (Verdict.HOLD, Verdict.OK, Verdict.OK)
    rows = [RowVerdict(index, one, "520102001", verdicts[index]) for index, one in enumerate(NUMBERS)]
    await made.ledger.write(StoreVerdicts(batch_id, rows))
    now = made.clock.now_floor_s()
    await made.host.post(e.BatchChecked(batch_id, BATCH, "north", "second", now, now + 9e5, rows)).wait()
    return batch_id * 10_000


def person_of(number: str) -> bytes:
    return pack(good(acceptance_number=number, name=NAME, address=ADDRESS))


async def _ask(made, verb, args):
    state = made.host.foreman.state
    desk = Desk(
        made.ledger, state, made.tally, made.clock, True, 4_000.0, made.host.post, returns=made.returns,
        vault=made.vault,
    )  # fmt: skip
    return await commands.answer(desk, "ann", Command(request=1, verb=verb, args=args))


@pytest.mark.parametrize("reason", [f"asked {NAME}", "样例路31号2单元", "11010519491231002X"])
async def test_a_reason_that_names_the_person_is_refused_and_stands_nowhere(tmp_path, reason):
    async with centre(tmp_path) as made:
        card = await _held(made)
        for verb, args in (
            ("decide", {"card": card, "decision": "release", "reason": reason}),
            ("act", {"verb": "override", "args": {"card": card, "reason": reason}}),
        ):
            answer = await _ask(made, verb, args)
            assert isinstance(answer, Refusal)
            assert answer.code == "reason.personal"
            assert reason not in answer.text
        with made.ledger.reading.connect() as connection:
            bodies = [*connection.execute(sql("SELECT body FROM event UNION ALL SELECT body FROM move")).scalars()]
        assert len(bodies) > 20
        assert not any(reason.encode() in body for body in bodies)
        taken = await _ask(made, "decide", {"card": card, "decision": "release", "reason": "seen in the register"})
        assert not isinstance(taken, Refusal)


async def test_a_card_whose_data_is_gone_can_still_be_decided_about(tmp_path):
    async with centre(tmp_path) as made:
        card = await _held(made)
        await made.vault.destroy_keys([card // 10_000])
        taken = await _ask(made, "decide", {"card": card, "decision": "refuse", "reason": "no longer wanted"})
        assert not isinstance(taken, Refusal)


async def test_whoever_cancels_a_held_card_is_told_that_a_refusal_was_recorded(tmp_path):
    async with centre(tmp_path) as made:
        card = await _held(made)
        taken = await _ask(made, "decide", {"card": card, "decision": "cancel", "reason": "no longer wanted"})
        assert taken.result == {"decision": "refuse"}
        decided = [move.decision for _, move in made.ledger.replay() if isinstance(move, CardDecided)]
        assert decided == ["refuse"]


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("load", {"station": "print", "kind": "film", "lot": "11010519491231002X", "units": 1}),
        ("hold", {"station": "print", "code": "110105194912310021"}),
        ("act", {"verb": "receive", "args": {"first_body": 5, "sheets": 1, "lot": "11010519491231002X"}}),
    ],
)
async def test_a_long_number_is_refused_in_every_text_that_is_recorded(tmp_path, verb, args):
    async with centre(tmp_path) as made:
        assert (await _ask(made, verb, args)).code == "reason.personal"


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("second", {"act_id": 9, "reason": NAME}),
        ("act", {"verb": "override", "args": {"guess": NAME, "reason": ""}}),
        ("act", {"verb": "no act", "args": {"reason": NAME}}),
        ("decide", {"decision": "release", "reason": f"{NAME}|" * 60}),
    ],
)
async def test_what_never_comes_to_stand_in_the_record_is_not_compared_with_the_person(tmp_path, verb, args):
    async with centre(tmp_path) as made:
        card = await _held(made)
        named = {**args, "card": card}
        if verb == "act":
            named = {**args, "args": {**args["args"], "card": card}}
        answer = await _ask(made, verb, named)
        assert getattr(answer, "code", "") != "reason.personal"


async def test_more_texts_than_any_command_has_are_no_command(tmp_path):
    async with centre(tmp_path) as made:
        card = await _held(made)
        guesses = {f"guess_{place}": NAME for place in range(9)}
        answer = await _ask(made, "decide", {"card": card, "decision": "release", "reason": "x", **guesses})
        assert answer.code == "command.argument"
