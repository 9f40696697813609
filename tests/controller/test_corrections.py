"""Corrections: a refused or held application gets another revision, one of which at most becomes a card (law 5)."""

from __future__ import annotations

import dataclasses

import pytest
import trio

from controller.config import KindConfig, UpstreamConfig
from controller.intake.revision import correction_number, first_batch, is_correction, revision_of
from controller.wire import Chunk, Corrected, Done, Refusal
from tests.controller.checks.samples import TODAY
from tests.controller.correcting import (
    HELD,
    REFUSED,
    accepted_as,
    application,
    doors,
    number,
)


def code_of(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


# ---- what a correction does ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [REFUSED, HELD], ids=["refused", "held"])
async def test_a_refused_or_held_application_is_corrected_judged_anew_and_made_once(tmp_path, wrong):
    async with doors(tmp_path) as desk:
        batch_id = await desk.bring(1, [application(1), application(2, **wrong)])
        answer = await desk.correct(2, 1, application(2))
        assert answer == Corrected(
            acceptance_number=accepted_as(2), revision=1, batch_number=correction_number(number(1), 1, 1)
        )
        await desk.settled()
        first = [(0, "refused")] if wrong is REFUSED else [(0, "held"), (0, "refused")]
        assert desk.told(2) == [*first, (1, "accepted"), (1, "made"), (1, "dispatched")]
        assert [state for _, state in desk.cards(2)].count("dispatched") == 1
        assert desk.reader.batch(batch_id).state == "closed"
        desk.check_laws()
        desk.verify()


async def test_the_old_revision_stays_in_the_record_with_its_findings_and_its_application(tmp_path):
    async with doors(tmp_path) as desk:
        sent = application(1, **REFUSED)
        batch_id = await desk.bring(1, [sent])
        await desk.correct(1, 1, application(1))
        old, new = desk.sent(1)
        assert (old.batch_number, old.verdict, new.verdict) == (number(1), 3, 0)
        assert desk.reader.verdicts(batch_id)[0].codes == ["number.sex"]
        assert desk.centre.vault.application(batch_id, 0) == sent
        assert desk.centre.vault.application(new.batch_id, 0) == application(1)


async def test_what_a_held_one_is_told_at_its_end_says_that_a_correction_took_its_place(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        await desk.correct(1, 1, application(1))
        ends = [one for one in desk.receipts(1) if one.kind == "refused"]
        assert [(one.revision, one.codes, one.fields) for one in ends] == [(0, ["correct.replaced"], [])]
        told = await desk.operator("review")
        assert isinstance(told, Done)
        assert told.result == []


async def test_a_correction_that_is_wrong_or_doubtful_again_can_be_corrected_again(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        for revision, content in enumerate((REFUSED, HELD, REFUSED, {}), 1):
            assert isinstance(await desk.correct(1, revision, application(1, **content)), Corrected)
            desk.check_laws()
        await desk.settled()
        assert desk.told(1)[-1] == (4, "dispatched")
        assert [kind for revision, kind in desk.told(1) if revision == 2] == ["held", "refused"]
        desk.verify()


async def test_a_correction_inherits_due_day_and_kind_and_is_judged_on_its_own_day(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        await desk.correct(1, 1, application(1))
        batch = desk.reader.announced(correction_number(number(1), 1, 0))
        assert (batch.due, batch.card_kind, batch.received_on, batch.upstream) == ("20260201", "second", TODAY, "north")


async def test_a_kind_that_ended_meanwhile_is_still_made_for_what_came_in_time(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        desk.judge._kinds = KindConfig(second_from="2027-01-01")
        await desk.correct(1, 1, application(1))
        assert desk.told(1)[:2] == [(0, "refused"), (1, "accepted")]


# ---- the same again, another content, and what cannot be ---------------------------------------------------------


async def test_the_same_correction_again_gets_the_same_answer_whatever_became_of_it(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        first = await desk.correct(1, 1, application(1, **REFUSED))
        assert await desk.correct(1, 1, application(1, **REFUSED)) == first
        await desk.correct(1, 2, application(1))
        await desk.settled()
        before = desk.centre.ledger.head.seq
        assert await desk.correct(1, 1, application(1, **REFUSED)) == first
        assert (await desk.correct(1, 2, application(1))).revision == 2
        assert desk.centre.ledger.head.seq == before


async def test_other_content_under_a_revision_that_came_is_a_conflict_and_changes_nothing(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        await desk.correct(1, 1, application(1, **REFUSED))
        assert code_of(await desk.correct(1, 1, application(1))) == "correct.conflict"
        assert desk.told(1)[-1] == (1, "refused")


@pytest.mark.parametrize("revision", [2, 3, 999])
async def test_a_revision_that_leaves_one_out_is_refused_and_the_next_one_is_named(tmp_path, revision):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        answer = await desk.correct(1, revision, application(1))
        assert code_of(answer) == "correct.revision"
        assert answer.text.endswith("the next revision is 1")
        assert desk.newest(1)[1] == "held"


async def test_what_is_accepted_made_or_cancelled_is_not_corrected(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(2, **HELD)])
        assert code_of(await desk.correct(1, 1, application(1, name="样例乙"))) == "correct.too_late"
        await desk.settled()  # a card that comes while another one's film waits for a press is waited for: ten minutes
        await desk.decide(desk.newest(2)[0], "release")
        assert code_of(await desk.correct(2, 1, application(2))) == "correct.too_late"
        await desk.settled()
        assert code_of(await desk.correct(2, 1, application(2))) == "correct.too_late"
        assert desk.told(2) == [(0, "held"), (0, "accepted"), (0, "made"), (0, "dispatched")]


async def test_who_never_sent_it_cannot_correct_it_nor_learn_of_it(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        assert code_of(await desk.correct(1, 1, application(1), user="south")) == "correct.unknown"
        assert code_of(await desk.correct(8, 1, application(8))) == "correct.unknown"
        assert desk.newest(1)[1] == "held"


async def test_who_used_anothers_acceptance_number_cannot_take_its_application_over(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        await desk.bring(2, [application(1, person=55)], user="south")
        assert [one.codes for one in desk.receipts(1, "south")] == [["duplicate.acceptance_before"]]
        assert code_of(await desk.correct(1, 1, application(1, person=55), user="south")) == "correct.unknown"


async def test_a_number_that_was_doubled_in_its_batch_is_corrected_only_while_its_first_row_is_not_accepted(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(1, person=55)])
        assert [one.kind for one in desk.receipts(1)][:2] == ["accepted", "refused"]
        assert code_of(await desk.correct(1, 1, application(1, person=55))) == "correct.too_late"
        await desk.bring(2, [application(2, **REFUSED), application(2, person=57)])
        assert (await desk.correct(2, 1, application(2))).batch_number == correction_number(number(2), 1, 0)
        desk.check_laws()


async def test_a_member_of_a_batch_that_was_refused_as_a_whole_is_not_corrected(tmp_path):
    async with doors(tmp_path) as desk:
        sent = [application(1, **REFUSED)]
        batch_id = await desk.bring(1, sent)
        assert desk.reader.batch(batch_id).state == "closed"
        desk.judge._kinds = KindConfig(second_from="2027-01-01")
        await desk.bring(2, [application(2, **REFUSED)])
        assert code_of(await desk.correct(2, 1, application(2))) == "correct.unknown"


async def test_a_correction_must_carry_the_acceptance_number_it_corrects(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        for content in (application(2), b"\x81\xa4name\x01", b"\x90"):
            answer = await desk.correct(1, 1, content)
            assert (code_of(answer), answer.field) == ("correct.number", "application")
        assert isinstance(await desk.correct(1, 1, application(1)), Corrected)


async def test_before_the_verdict_a_correction_is_told_to_wait(tmp_path):
    async with doors(tmp_path, is_judging=False) as desk:
        with trio.move_on_after(0.2):
            await desk.bring(1, [application(1, **REFUSED)])
        assert code_of(await desk.correct(1, 1, application(1))) == "correct.no_verdict"


# ---- duplicates --------------------------------------------------------------------------------------------------


async def test_a_correction_is_no_duplicate_of_what_it_corrects_and_its_person_is_one_for_later_ones(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        await desk.correct(1, 1, application(1, **HELD))
        assert desk.told(1)[-1] == (1, "held")
        await desk.bring(2, [application(3, person=3, **HELD)])  # the same person again
        assert desk.receipts(3)[0].codes == ["duplicate.application"]
        await desk.correct(1, 2, application(1, person=99))  # it was another person's number
        await desk.bring(3, [application(4, person=3)])
        assert desk.told(4)[0] == (0, "accepted")
        assert desk.told(3) == [(0, "refused")]


async def test_a_correction_may_show_that_two_people_share_a_number(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1), application(2, **REFUSED)])
        await desk.correct(2, 1, application(2, person=3, name="样例乙"))
        held = desk.receipts(2)[-1]
        assert (held.kind, held.codes, held.revision) == ("held", ["duplicate.shared_number"], 1)


async def test_the_number_stays_taken_for_other_batches(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        await desk.correct(1, 1, application(1))
        await desk.bring(2, [application(1, person=55)])
        assert desk.receipts(1)[-1].codes == ["duplicate.acceptance_before"]
        desk.check_laws()


# ---- people and crashes ------------------------------------------------------------------------------------------


async def test_a_person_who_releases_it_first_makes_the_correction_too_late_and_that_answer_stays(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        card, _ = desk.newest(1)
        judge_now = desk.judge.judge_now

        async def released_meanwhile(batch):
            await desk.decide(card, "release")
            await judge_now(batch)

        desk.judge.judge_now = released_meanwhile
        assert code_of(await desk.correct(1, 1, application(1))) == "correct.too_late"
        desk.judge.judge_now = judge_now
        assert code_of(await desk.correct(1, 1, application(1))) == "correct.too_late"
        await desk.settled()
        refused = [one for one in desk.reader.receipts("north", 0) if one.revision == 1]
        assert [(one.kind, one.index, one.codes) for one in refused] == [("refused", -1, ["correct.too_late"])]
        assert desk.told(1) == [(0, "held"), (0, "accepted"), (0, "made"), (0, "dispatched")]
        desk.check_laws()
        desk.verify()


async def test_operators_cannot_say_that_something_was_corrected(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        answer = await desk.decide(desk.newest(1)[0], "correct")
        assert code_of(answer) == "command.argument"
        assert desk.newest(1)[1] == "held"


async def test_nothing_is_brought_into_a_correction_by_chunk(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        await desk.correct(1, 1, application(1))
        chunk = Chunk(batch_number=correction_number(number(1), 1, 0), first=0, applications=[])
        assert code_of(await desk.ask(chunk)) == "batch.unknown"


async def test_a_card_of_a_corrected_application_that_comes_back_is_made_again(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        await desk.correct(1, 1, application(1))
        await desk.settled()
        back = await desk.operator("card_back", acceptance_number=accepted_as(1), code="chip_dead")
        assert isinstance(back, Done), back
        await desk.settled()
        assert back.result["batch_number"] == f"{correction_number(number(1), 1, 0)}-R1-0"
        assert code_of(await desk.correct(1, 2, application(1))) == "correct.too_late"
        assert [one.case for one in desk.receipts(1) if one.kind == "dispatched"] == [0, 1]


# ---- what keeps it out -------------------------------------------------------------------------------------------


async def test_a_full_disk_and_an_unreconciled_ledger_keep_corrections_out(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **REFUSED)])
        changes = desk.intake._changes
        changes._place = dataclasses.replace(changes._place, is_full=lambda: True)
        assert (await desk.correct(1, 1, application(1))).retry_after_s > 0
        changes._place = dataclasses.replace(changes._place, is_full=bool, is_restored=lambda: True)
        assert code_of(await desk.correct(1, 1, application(1))) == "restored.waits"
        changes._place = dataclasses.replace(changes._place, is_restored=bool)
        assert isinstance(await desk.correct(1, 1, application(1)), Corrected)


async def test_a_correction_costs_one_application_of_the_quota_and_the_same_again_none(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(applications_per_day=3)) as desk:
        await desk.bring(1, [application(1, **REFUSED), application(2, **REFUSED)])
        for _ in range(3):
            assert isinstance(await desk.correct(1, 1, application(1)), Corrected)
        assert (await desk.correct(2, 1, application(2))).retry_after_s > 60


def test_a_correction_is_known_by_its_name_alone():
    name = correction_number(number(7), 12, 9_999)
    assert (is_correction(name), revision_of(name), first_batch(name)) == (True, 12, number(7))
    returned = f"{name}-R1-0"
    assert (is_correction(returned), revision_of(returned)) == (False, 12)
    for other in (number(7), f"{number(7)}-R1-42", f"{number(7)}-C0-1", f"{number(7)}-C1000-1", ""):
        assert (is_correction(other), revision_of(other)) == (False, 0)
