"""The review desk: what waits for a person and why, a recorded look, and how each ends with author and reason."""

from __future__ import annotations

import json

import pytest

from controller import cli
from controller.checks.policy import Policy, SharedNumber
from controller.commandline import review as cli_review
from controller.core.moves import CardDecided
from controller.core.review_moves import ApplicationSeen
from controller.encoding import MadeCard, text_fields
from controller.report.text import columns_of
from controller.wire import Done, Refusal
from encoders.envelope import pack
from encoders.face import lay_out
from encoders.fonts.coverage import bundled_coverage
from tests.controller.checks.samples import good
from tests.controller.correcting import HELD, accepted_as, application, doors, number, second
from tests.controller.test_shared_number import OTHER, stop_printing

SHARED = "duplicate.shared_number"


async def queue(desk):
    answer = await desk.operator("review")
    assert isinstance(answer, Done), answer
    return answer.result


async def test_the_queue_shows_what_is_doubtful_since_when_and_how_many_people_it_takes(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(2, **HELD), application(3, person=3, **OTHER)])
        doubtful, shared = await queue(desk)
        assert (doubtful["acceptance_number"], doubtful["index"], doubtful["state"]) == (accepted_as(2), 1, "held")
        assert (doubtful["codes"], doubtful["fields"], doubtful["people"]) == (["name.single"], ["name"], 1)
        assert (shared["codes"], shared["fields"], shared["people"]) == ([SHARED], ["identity_number"], 2)
        assert (shared["batch_number"], shared["upstream"], shared["unit"]) == (number(1), "north", "520102001")
        [text] = doubtful["texts"]
        chinese, english = text.split(" / ")
        assert chinese != english
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
        assert doubtful["age_s"] >= 0.0


async def test_nothing_of_the_queue_is_personal(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, name="样", address="贵州省贵阳市南明区样例路9号")])
        told = json.dumps(await queue(desk), ensure_ascii=False)
        assert "样" not in told
        assert "19900307" not in told


async def test_a_proposal_is_shown_with_who_made_it_until_it_ends(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(3, person=3, **OTHER)])
        [shared] = await queue(desk)
        asked = await desk.operator("act", verb="override", args={"card": shared["card"], "reason": "both are right"})
        [shown] = await queue(desk)
        assert (shown["act_id"], shown["proposed_by"]) == (asked.result["act_id"], "ann")
        await desk.operator("withdraw", act_id=asked.result["act_id"])
        [shown] = await queue(desk)
        assert (shown["act_id"], shown["proposed_by"]) == (0, "")


async def test_an_accepted_card_that_another_contests_waits_in_the_queue_too(tmp_path):
    async with doors(tmp_path, Policy(shared_number=SharedNumber.NEITHER)) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, person=3, **OTHER)])
        later, earlier = await queue(desk)
        assert (later["state"], earlier["state"]) == ("held", "stopped")
        for row in (later, earlier):
            assert (row["codes"], row["fields"], row["people"]) == ([SHARED], ["identity_number"], 2)
            assert isinstance(await second(desk, "override", card=row["card"], reason="both are right"), Done)
        assert await queue(desk) == []


async def test_what_a_held_one_is_contested_for_stands_in_the_queue_as_well(tmp_path):
    async with doors(tmp_path, Policy(shared_number=SharedNumber.NEITHER)) as desk:
        await desk.bring(1, [application(1, **HELD)])
        await desk.bring(2, [application(2, person=3, **OTHER)])
        row = (await queue(desk))[0]
        assert (row["codes"], row["fields"], row["people"]) == (["name.single", SHARED], ["name", "identity_number"], 2)


# ---- a look ------------------------------------------------------------------------------------------------------


def looks(desk):
    return [move for move in desk.centre.moves if isinstance(move, ApplicationSeen)]


async def test_a_look_shows_the_doubtful_fields_alone_and_is_recorded_with_author_and_reason(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        card, _ = desk.newest(1)
        shown = (await desk.operator("look", card=card, reason="is the name whole")).result
        assert shown["shown"] == {"name": "样"}
        assert (shown["portrait"], shown["rivals"]) == (b"", [])
        assert looks(desk) == [ApplicationSeen(card, ["name"], "ann", "is the name whole")]
        durable = [move for _, move in desk.centre.ledger.replay() if isinstance(move, ApplicationSeen)]
        assert durable == looks(desk)
        desk.verify()


async def test_more_fields_are_shown_by_name_and_each_look_is_recorded(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        card, _ = desk.newest(1)
        await desk.operator("look", card=card, reason="is the name whole")
        asked = {"fields": ["name", "birth"], "portrait": True}
        shown = (await desk.operator("look", "bob", card=card, reason="compared", **asked)).result
        assert shown["shown"] == {"name": "样", "birth": "19900307"}
        assert shown["portrait"].startswith(b"\xff\xd8")
        assert [(move.by, move.fields) for move in looks(desk)] == [
            ("ann", ["name"]),
            ("bob", ["name", "birth", "portrait"]),
        ]


async def test_a_look_at_a_shared_number_names_the_other_applications_of_that_number(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(3, person=3, **OTHER)])
        await desk.settled()
        card, _ = desk.newest(3)
        [rival] = (await desk.operator("look", card=card, reason="who is it")).result["rivals"]
        assert rival == {
            "card": desk.newest(1)[0],
            "acceptance_number": accepted_as(1),
            "standing": "made",
            "same_person": False,
        }


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"reason": "looked"}, "command.argument"),
        ({"card": 10_000}, "command.argument"),
        ({"card": 10_000, "reason": ""}, "command.argument"),
        ({"card": 10_000, "reason": "x", "fields": ["portraits"]}, "command.argument"),
        ({"card": 10_000, "reason": "of 520102199003070037"}, "reason.personal"),
        ({"card": 99, "reason": "curious"}, "trace.unknown"),
    ],
)
async def test_who_may_not_look_sees_nothing_and_nothing_is_recorded(tmp_path, args, code):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD), application(2)])
        answer = await desk.operator("look", **args)
        assert isinstance(answer, Refusal)
        assert answer.code == code
        assert looks(desk) == []


async def test_an_application_that_cannot_be_read_is_said_to_be_so(tmp_path):
    async with doors(tmp_path) as desk:
        batch_id = await desk.bring(1, [application(1, **HELD)])
        await desk.centre.vault.destroy_keys([batch_id])
        answer = await desk.operator("look", card=desk.newest(1)[0], reason="is the name whole")
        assert answer.code == "review.unreadable"


async def test_what_was_made_and_sent_is_looked_at_too_and_recorded_and_the_chip_s_portrait_when_it_is_asked_for(
    tmp_path,
):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1)])
        await desk.settled()
        card, state = desk.newest(1)
        assert state == "dispatched"
        asked = {"card": card, "reason": "came back, wrong portrait", "portrait": True, "chip": True}
        first = (await desk.operator("look", **asked)).result
        assert (first["shown"], first["chip"], first["state"]) == ({}, b"", "dispatched")
        face = lay_out(text_fields(good()), bundled_coverage(), control_mark=str(card))
        await desk.centre.vault.store_cards([(card, pack(MadeCard(b"r" * 256, b"as the chip has it", face)))])
        again = (await desk.operator("look", **asked)).result
        assert again["chip"] == b"as the chip has it"
        assert again["portrait"].startswith(b"\xff\xd8")
        assert "chip" not in (await desk.operator("look", card=card, reason="once more")).result
        assert [move.fields for move in looks(desk)] == [["portrait"], ["portrait"], []]
        desk.verify()


async def test_the_queue_comes_by_pages_in_order_of_numbers_and_of_one_code_when_that_is_named(tmp_path):
    async with doors(tmp_path, Policy(shared_number=SharedNumber.NEITHER)) as desk:
        await stop_printing(desk)
        await desk.bring(1, [application(1), application(4, **HELD)])
        await desk.bring(2, [application(2, person=3, **OTHER), application(5, **HELD)])
        whole = sorted(row["card"] for row in await queue(desk))
        assert len(whole) == 4
        paged, after = [], 0
        while page := (await desk.operator("review", after=after, limit=1)).result:
            [row] = page
            after = row["card"]
            paged.append(after)
        assert paged == whole
        shared = (await desk.operator("review", code=SHARED)).result
        assert [row["codes"] for row in shared] == [[SHARED], [SHARED]]
        assert {row["state"] for row in shared} == {"held", "stopped"}
        for limit in (0, 1_001):
            assert (await desk.operator("review", limit=limit)).code == "command.argument"


# ---- how it ends -------------------------------------------------------------------------------------------------


async def test_release_and_refuse_are_recorded_with_author_and_reason(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD), application(2, **HELD)])
        first, other = desk.newest(1)[0], desk.newest(2)[0]
        assert isinstance(await desk.decide(first, "release"), Done)
        assert isinstance(await desk.decide(other, "refuse"), Done)
        decided = [move for move in desk.centre.moves if isinstance(move, CardDecided)]
        assert [(one.card, one.decision, one.by, one.reason) for one in decided] == [
            (first, "release", "ann", "looked at it"),
            (other, "refuse", "ann", "looked at it"),
        ]
        assert await queue(desk) == []


# ---- the command line --------------------------------------------------------------------------------------------

SEEN = {
    "card": 10_000, "acceptance_number": accepted_as(1), "codes": ["name.single", SHARED], "fields": ["name"],
    "texts": ["姓名只有一个字，请核实。 / Check in the register that the name is one character.", "重号 / shared"],
    "state": "held", "age_s": 7_200.0, "people": 2,
    "act_id": 3, "proposed_by": "ann", "shown": {"name": "样"}, "portrait": b"\xff\xd8picture",
    "rivals": [{"card": 7, "acceptance_number": accepted_as(2), "standing": "open", "same_person": False}],
}  # fmt: skip


def test_look_prints_what_is_doubtful_and_writes_the_portrait_to_a_file(tmp_path, monkeypatch, capsys):
    asked = []

    def ask(verb, args, *rest):
        asked.append((verb, args))
        return dict(SEEN)

    monkeypatch.setattr(cli_review, "ask", ask)
    monkeypatch.setenv("COLUMNS", "80")
    file = tmp_path / "face.jpg"
    with pytest.raises(SystemExit) as end:
        cli.app(["look", "10000", "--reason", "why not", "--field", "name", "--portrait", str(file)])
    assert not end.value.code
    assert asked == [("look", {"card": 10_000, "reason": "why not", "fields": ["name"], "portrait": True})]
    assert file.read_bytes() == SEEN["portrait"]
    out = capsys.readouterr().out
    for words in ("name: 样", "two people", "2 h 00 min", "act 3 was proposed by ann", accepted_as(2), "no"):
        assert words in out
    assert out.splitlines()[-1].startswith("`cardmill second 3`")  # what to do now
    assert [line for line in out.splitlines() if columns_of(line) > 80 and str(file) not in line] == []


def test_a_look_at_what_waits_for_nobody_names_its_state_and_no_way_out(monkeypatch, capsys):
    alone = {"state": "made", "codes": [], "texts": [], "act_id": 0, "proposed_by": "", "rivals": []}
    monkeypatch.setattr(cli_review, "ask", lambda *_: SEEN | alone)
    with pytest.raises(SystemExit):
        cli.app(["look", "10000", "--reason", "why not"])
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "made: nobody has to decide about it"
    assert "cardmill" not in out


def test_look_gives_programs_all_but_the_picture(monkeypatch, capsys):
    monkeypatch.setattr(cli_review, "ask", lambda *_: dict(SEEN))
    with pytest.raises(SystemExit):
        cli.app(["look", "10000", "--reason", "why not", "--json", "-"])
    told = json.loads(capsys.readouterr().out)
    assert told == {name: value for name, value in SEEN.items() if name != "portrait"}
