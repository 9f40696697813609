"""The batches' pages: which are late and why, one with its cards, holds, and one act about many of them."""

from __future__ import annotations

import html
import re

import pytest
import trio

from controller.console.views import batches as batches_view
from controller.core.moves import CardDecided
from tests.controller.console.reception import main_of, open_reception
from tests.controller.correcting import HELD, accepted_as, application, number
from tests.controller.test_shared_number import stop_printing

DAY_S = 86_400.0


async def until_over(browser, page):
    """Load a run's page until it says that it is finished."""
    path = re.search(r'hx-get="([^"]+)"', page.text)
    with trio.fail_after(60):
        while "hx-trigger" in page.text:
            page = await browser.get(path[1])
    return page


async def test_a_new_operator_finds_why_a_batch_is_late_in_one_action(tmp_path):
    async with open_reception(tmp_path, later_s=40 * DAY_S) as reception:
        await reception.centre.bring(1, [application(1), application(2, **HELD)])
        why = await reception.ask("why", thing=number(1))
        for language, menu, late in (("en", "Batches", "late"), ("zh", "数据包", "逾期")):
            browser = await reception.browser("olga", language)
            start = await browser.there(await browser.get("/"))
            page = await browser.follow(start, menu)
            assert browser.actions == 1
            said = html.unescape(main_of(page))
            assert number(1) in said
            assert late in said
            assert "name.single" in said
            assert why[f"sentence_{language}"].partition(".")[0][-20:] in said


async def test_the_list_and_the_batch_show_what_the_verbs_tell_and_nothing_personal(tmp_path, monkeypatch):
    monkeypatch.setattr(batches_view, "CARDS", 2)
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(one) for one in (1, 2, 3)])
        await reception.centre.until_told(3, (0, "dispatched"))
        await reception.centre.bring(2, [application(4, **HELD), application(5), application(6)])
        await reception.centre.until_told(6, (0, "dispatched"))
        for language in ("en", "zh"):
            browser = await reception.browser("kim", language)
            for only in ("late", "open", "held", "closed", "all"):
                rows = (await reception.ask("batches", **({} if only == "all" else {"only": only})))["rows"]
                page = await browser.get(f"/batches?only={only}")
                assert page.status == 200
                shown = re.findall(r'<th scope="row"><a href="/batches/(\d+)"', page.text)
                assert shown == [row["batch_number"] for row in rows]
            assert number(2) in main_of(await browser.get("/batches")), "where none is late the open ones are shown"
            batch = await reception.ask("batch", batch_number=number(2))
            page = await browser.get(f"/batches/{number(2)}")
            said = html.unescape(main_of(page))
            assert accepted_as(4) in said
            assert accepted_as(6) not in said, "the second page has it"
            more = await browser.follow(page, "Next page" if language == "en" else "下一页")
            assert accepted_as(6) in main_of(more)
            held = await browser.get(f"/batches/{number(2)}?state=held")
            assert re.findall(r'<th scope="row">(\d+)', held.text) == [str(batch["cards"][0]["card"])]
            counts = [f"<b>{value}</b>" for value in batch["outcomes"].values()]
            assert [one for one in counts if one not in page.text] == []
            assert "样" not in page.text + more.text + held.text
        for wrong in (
            "/batches?only=none",
            "/batches?after=-1",
            f"/batches/{number(2)}?state=lost",
            f"/batches/{'9' * 25}",
        ):
            assert (await browser.get(wrong)).status == 404
        nobody = await reception.browser("none")
        for path in ("/batches", f"/batches/{number(2)}"):
            page = await nobody.get(path)
            assert page.status == 403
            assert accepted_as(4) not in page.text


async def test_a_batch_is_held_and_let_go_from_its_page_by_those_who_may(tmp_path):
    async with open_reception(tmp_path) as reception:
        await stop_printing(reception.centre)
        batch_id = await reception.centre.bring(1, [application(1), application(2)])
        operator = await reception.browser("olga")
        page = await operator.get(f"/batches/{number(1)}")
        shown = await operator.press(page, "Hold this batch", code="asked_by_police")
        done = await operator.press(shown, "Confirm")
        assert reception.centre.state.batch_holds[batch_id].code == "asked_by_police"
        held = await operator.follow(done, "Back")
        assert "Held: asked by the police (olga)" in main_of(held)
        assert "Release this batch" not in held.text
        supervisor = await reception.browser()
        shown = await supervisor.follow(await supervisor.get(f"/batches/{number(1)}"), "Release this batch")
        await supervisor.press(shown, "Confirm")
        assert not reception.centre.state.batch_holds


async def test_an_act_about_many_is_counted_first_done_once_and_lists_what_failed_and_why(tmp_path):
    async with open_reception(tmp_path) as reception:
        await stop_printing(reception.centre)
        await reception.centre.bring(1, [application(one) for one in range(1, 6)])
        browser = await reception.browser()
        page = await browser.get(f"/batches/{number(1)}")
        shown = await browser.press(page, "Preview", do="hold", word="recall-7")
        assert "This changes 5 cards." in main_of(shown)
        assert not reception.centre.state.card_holds
        await reception.ask("hold_card", "bob", card=10_002, code="other")
        over = await until_over(browser, await browser.press(shown, "Confirm"))
        assert "Finished." in main_of(over)
        assert "4 done 1 failed" in main_of(over)
        assert "hold.held" in main_of(over)
        assert re.findall(r'<th scope="row"><a href="/cards/(\d+)"', over.text) == ["10002"]
        codes = {card: hold.code for card, hold in reception.centre.state.card_holds.items()}
        assert codes == {card: "other" if card == 10_002 else "recall-7" for card in range(10_000, 10_005)}
        again = await browser.press(shown, "Confirm")
        assert "4 done 1 failed" in main_of(again), "a second yes leads to the first run"
        other = await reception.browser("bob")
        run = re.search(r'action="(/bulk/[^"]+)/begin"', shown.text)[1]
        assert (await other.get(run)).status == 404
        begun = await other.post(f"{run}/begin", {"csrf": (await other.get("/batches")).csrf})
        assert begun.status == 409
        page = await browser.get(f"/batches/{number(1)}")
        nothing = await browser.press(page, "Preview", do="hold", word="recall-8")
        assert nothing.status == 400
        assert "No card that was chosen can be changed so." in main_of(nothing)
        shown = await browser.press(page, "Preview", do="release")
        over = await until_over(browser, await browser.press(shown, "Confirm"))
        assert "5 done 0 failed" in main_of(over)
        assert not reception.centre.state.card_holds


async def test_what_one_filter_of_the_review_desk_shows_is_refused_together(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1, **HELD), application(2), application(3, **HELD)])
        browser = await reception.browser()
        queue = await browser.get("/review?code=name.single")
        for word in ("", "样例甲 is wrong", "<script>"):
            wrong = await browser.press(queue, "Preview", do="refuse", word=word)
            assert wrong.status == 400
            assert "<script>" not in wrong.text
        shown = await browser.press(queue, "Preview", do="refuse", word="ask-again")
        assert "This changes 2 cards." in main_of(shown)
        over = await until_over(browser, await browser.press(shown, "Confirm"))
        assert "2 done 0 failed" in main_of(over)
        decided = [one for one in reception.centre.centre.moves if isinstance(one, CardDecided)]
        assert [(one.card, str(one.decision), one.by, one.reason) for one in decided] == [
            (10_000, "refuse", "ann", "ask-again"),
            (10_002, "refuse", "ann", "ask-again"),
        ]


@pytest.mark.parametrize(
    ("name", "do"), [("olga", "release"), ("quin", "express"), ("quin", "refuse"), ("kim", "hold")]
)
async def test_an_act_about_many_takes_the_right_to_do_it_to_one(tmp_path, name, do):
    async with open_reception(tmp_path) as reception:
        await stop_printing(reception.centre)
        await reception.centre.bring(1, [application(1), application(2, **HELD)])
        browser = await reception.browser(name)
        csrf = (await browser.get("/batches")).csrf
        sent = {"csrf": csrf, "do": do, "word": "x", "batch_number": number(1), "state": "", "code": ""}
        assert (await browser.post("/bulk", sent)).status == 403
        assert (await browser.post("/bulk", {**sent, "do": "all"})).status == 400
        assert not reception.centre.state.card_holds
