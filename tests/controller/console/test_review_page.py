"""The review desk's pages: from the start to a release in four actions, two people of one number side by side."""

from __future__ import annotations

import html
import re

import pytest

from controller.checks.policy import Policy, SharedNumber
from controller.console.views import review as review_view
from controller.core.moves import CardDecided
from controller.core.review_moves import ApplicationSeen
from tests.controller.checks.samples import good
from tests.controller.console.reception import main_of, open_reception
from tests.controller.correcting import HELD, accepted_as, application
from tests.controller.test_shared_number import OTHER, stop_printing

SHARED = "duplicate.shared_number"
NEITHER = Policy(shared_number=SharedNumber.NEITHER)


def moves(reception, kind):
    return [move for move in reception.centre.centre.moves if isinstance(move, kind)]


def decisions(reception):
    return [(one.card, str(one.decision), one.by, one.second, one.reason) for one in moves(reception, CardDecided)]


async def test_a_new_operator_releases_from_review_in_four_actions_and_the_next_one_opens(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1, **HELD), application(2), application(3, **HELD)])
        browser = await reception.browser()
        start = await browser.there(await browser.get("/"))
        queue = await browser.follow(start, "Review")
        assert "Confirm in the register that the name is one character." in main_of(queue)
        assert "样" not in queue.text
        seen = await browser.press(queue, "Look 10000")
        assert "样" in main_of(seen)
        assert good().address not in seen.text, "what is not doubtful is not shown"
        shown = await browser.press(seen, "Release")
        assert "Card 10000 is accepted and made" in main_of(shown)
        assert decisions(reception) == [], "a preview changes nothing"
        after = await browser.press(shown, "Confirm")
        assert "Card 10000 is done." in main_of(after)
        assert "Review of card 10002" in main_of(after)
        assert browser.actions == 4
        assert "样" not in after.text, "the next one is looked at when somebody asks"
        assert decisions(reception) == [(10_000, "release", "ann", "", "checked, it is right")]
        assert [(one.card, one.fields, one.by, one.reason) for one in moves(reception, ApplicationSeen)] == [
            (10_000, ["name"], "ann", "review: name.single")
        ]
        again = await browser.press(shown, "Confirm")
        assert again.status == 409, "what was confirmed is not done twice"
        seen = await browser.press(after, "Look")
        shown = await browser.press(seen, "Refuse", reason="name.single")
        empty = await browser.press(shown, "Confirm")
        assert "Nothing waits for a person." in main_of(empty)
        assert decisions(reception)[1:] == [(10_002, "refuse", "ann", "", "name.single")]
        gone = await browser.there(await browser.get("/review/10002"))
        assert "Nothing waits for a person." in main_of(gone), "a case that somebody else decided leads on"


async def test_the_queue_shows_what_the_verb_tells_in_both_languages_by_pages_and_of_one_code(tmp_path, monkeypatch):
    monkeypatch.setattr(review_view, "ROWS", 2)
    async with open_reception(tmp_path, NEITHER) as reception:
        await stop_printing(reception.centre)
        await reception.centre.bring(1, [application(1), application(4, **HELD)])
        await reception.centre.bring(2, [application(2, person=3, **OTHER), application(5, **HELD)])
        rows = await reception.ask("review", after=0)
        for language, words in (("en", "Next page"), ("zh", "下一页")):
            browser = await reception.browser("aud", language)
            first = await browser.get("/review")
            then = await browser.follow(first, words)
            told = [re.findall(r'<th scope="row"><a href="/review/(\d+)"', page.text) for page in (first, then)]
            assert [int(card) for page in told for card in page] == [row["card"] for row in rows]
            for row in rows:
                text = row["texts"][0].split(" / ")[language == "en"]
                assert text in html.unescape(main_of(first) + main_of(then))
            of_one = await browser.get(f"/review?code={SHARED}")
            assert re.findall(r'<th scope="row"><a href="/review/(\d+)"', of_one.text) == ["10000", "20000"]
            assert '<form method="post" action="/review' not in first.text, "the auditor does not look"
            hostile = await browser.get("/review?code=%22%3E%3Cscript%3E")
            assert "<script>" not in hostile.text
            assert (await browser.get("/review?after=x")).status == 404
        assert moves(reception, ApplicationSeen) == []


async def test_two_people_of_one_number_stand_side_by_side_each_look_recorded_and_two_people_let_it_go_on(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1)])
        await reception.centre.until_told(1, (0, "dispatched"))
        await reception.centre.bring(2, [application(2, person=3, **OTHER)])
        browser = await reception.browser()
        seen = await browser.press(await browser.get("/review"), "Look 20000")
        said = main_of(seen)
        assert "样例甲" in said
        assert "样例乙" in said
        assert seen.text.count('class="portrait"') == 4, "of both as sent and as the chip has it"
        looks = moves(reception, ApplicationSeen)
        assert [(one.card, one.by) for one in looks] == [(20_000, "ann"), (10_000, "ann")]
        assert set(looks[0].fields) == set(looks[1].fields)
        assert "another person" in said
        assert "accepted and made" not in said, "one person alone does not release it"
        shown = await browser.press(seen, "Let it go on although the number is shared")
        assert "This takes two people" in main_of(shown)
        await browser.press(shown, "Confirm")
        mine = await browser.press(await browser.get("/review/20000"), "Look")
        assert "another person must agree" in main_of(mine)
        other = await reception.browser("bob")
        queue = await other.get("/review")
        assert "proposed by ann" in main_of(queue)
        theirs = await other.press(queue, "Look 20000")
        shown = await other.press(theirs, "Agree")
        await other.press(shown, "Confirm")
        assert decisions(reception) == [(20_000, "release", "ann", "bob", "checked, both are right")]


async def test_more_fields_are_looked_at_when_they_are_ticked_and_each_look_is_recorded(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1, **HELD)])
        browser = await reception.browser("quin")
        seen = await browser.press(await browser.get("/review"), "Look 10000")
        ticked = {"field.birth": "on", "field.portrait": "on", "field.nonsense": "on"}
        more = await browser.press(seen, "Look", **ticked)
        assert "19900307" in main_of(more)
        assert more.text.count('class="portrait"') == 2
        assert "A supervisor decides." in main_of(more)
        assert 'action="/do/re' not in more.text
        fields = [one.fields for one in moves(reception, ApplicationSeen)]
        assert fields == [["name"], ["name", "birth", "portrait"]]


@pytest.mark.parametrize(("name", "lists"), [("olga", 403), ("kim", 403), ("ada", 403), ("aud", 200)])
async def test_who_may_not_look_or_decide_gets_no_data_and_changes_nothing(tmp_path, name, lists):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1, **HELD)])
        browser = await reception.browser(name)
        for path in ("/review", "/review/10000"):
            page = await browser.get(path)
            assert page.status == lists
            assert (accepted_as(1) in main_of(page)) == (lists == 200)
        nonce = {"csrf": page.csrf, "nonce": "n" * 22}
        about = {**nonce, "card": "10000", "reason": "x", "act_id": "1"}
        sent = [await browser.post("/review/10000", {"csrf": page.csrf, "reason": "curious"})]
        sent += [
            await browser.post(f"/do/{one}", about) for one in ("release-held", "refuse-held", "override", "agree")
        ]
        assert [page.status for page in sent[:4]] == [403] * 4
        assert sent[4].status in (403, 409), "of an act that is none, whoever may do some act is told so"
        assert [page for page in sent if "样" in page.text] == []
        assert moves(reception, ApplicationSeen) == []
        assert decisions(reception) == []


async def test_an_application_that_cannot_be_read_is_said_to_be_so_and_may_be_refused(tmp_path):
    async with open_reception(tmp_path) as reception:
        batch_id = await reception.centre.bring(1, [application(1, **HELD)])
        await reception.centre.centre.vault.destroy_keys([batch_id])
        browser = await reception.browser()
        page = await browser.press(await browser.get("/review"), "Look 10000")
        assert page.status == 409
        assert "review.unreadable" in main_of(page)
        await browser.press(await browser.press(page, "Refuse"), "Confirm")
        assert decisions(reception) == [(10_000, "refuse", "ann", "", "name.single")]
