"""The card's page: its story as the ledger has it, the search that leads to it, and looks, which are recorded."""

from __future__ import annotations

import html
import re

import pytest

from controller.core.review_moves import ApplicationSeen
from controller.core.rights_moves import Denied
from controller.encoding import MadeCard, text_fields
from encoders.envelope import pack
from encoders.face import lay_out
from encoders.fonts.coverage import bundled_coverage
from encoders.portrait import encode, prepare
from tests.controller.checks.samples import good, portrait
from tests.controller.console.reception import main_of, open_reception
from tests.controller.correcting import HELD, accepted_as, application, number

PERSON = good()
PERSONAL = (PERSON.name, PERSON.address, "19900307", "data:image")


def looks(reception):
    return [move for move in reception.centre.centre.moves if isinstance(move, ApplicationSeen)]


def pictures(page):
    return re.findall(r'<img class="[a-z]+" src="data:image/(jpeg|png);base64,([A-Za-z0-9+/=]+)"', page.text)


async def test_the_page_tells_what_the_verbs_tell_in_both_languages_and_nothing_personal(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1), application(2, **HELD)])
        await reception.centre.until_told(1, (0, "dispatched"))
        card = await reception.ask("trace", card=accepted_as(1))
        why = await reception.ask("why", thing="card 10000")
        for language, step, state in (("en", "Inspect", "sent"), ("zh", "检验", "已发出")):
            browser = await reception.browser("aud", language)
            page = await browser.get("/cards/10000")
            said = html.unescape(main_of(page))
            assert page.status == 200
            values = (
                accepted_as(1),
                number(1),
                why[f"sentence_{language}"],
                str(card["blank"]),
                step,
                state,
                "inspect",
            )
            assert [one for one in values if one not in said] == []
            assert len(re.findall(r"<tr>", page.text)) == 2 + len(card["happened"]) + len(card["receipts"])
            assert [one for one in PERSONAL if one in page.text] == []
            assert 'name="reason"' not in page.text, "the auditor looks at nothing personal"
            for nothing in ("77", "x", "1" * 23, "%2e%2e%2fbatches", "10000%0a"):
                assert (await browser.get(f"/cards/{nothing}")).status == 404
        assert looks(reception) == []


@pytest.mark.parametrize("name", ["olga", "kim", "ada", "none"])
async def test_whoever_may_not_trace_sees_no_card(tmp_path, name):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1, **HELD)])
        browser = await reception.browser(name)
        for path in ("/cards/10000", f"/cards/{accepted_as(1)}", f"/find?q={accepted_as(1)}"):
            page = await browser.get(path)
            assert page.status == 403
            assert accepted_as(1) not in main_of(page)
        csrf = page.csrf
        sent = await browser.post("/cards/10000", {"csrf": csrf, "what": "face", "reason": "curious"})
        assert sent.status == 403
        assert looks(reception) == []


async def test_a_look_shows_the_person_and_three_pictures_once_and_is_recorded_with_its_reason(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1)])
        await reception.centre.until_told(1, (0, "dispatched"))
        stream = encode(prepare(portrait()))
        face = lay_out(text_fields(PERSON), bundled_coverage(), control_mark="10000")
        browser = await reception.browser("quin")
        page = await browser.get("/cards/10000")
        would = await browser.press(page, "Portrait before and after", reason="wrong portrait, card came back")
        assert "As the chip would have it" in main_of(would)
        assert [kind for kind, _ in pictures(would)] == ["jpeg", "png"]
        assert PERSON.address not in would.text
        await reception.centre.centre.vault.store_cards([(10_000, pack(MadeCard(b"r" * 256, stream, face)))])
        seen = await browser.press(page, "Portrait and SPECIMEN face", reason="wrong text, card came back")
        assert [kind for kind, _ in pictures(seen)] == ["jpeg", "png", "jpeg"]
        assert "As the chip has it" in main_of(seen)
        assert "SPECIMEN" in main_of(seen)
        assert [one for one in PERSONAL if one not in seen.text] == []
        assert seen.header("cache-control") == "no-store"
        assert "img-src 'self' data:" in seen.header("content-security-policy")
        assert [one for one in PERSONAL if one in (await browser.get("/cards/10000")).text] == []
        assert [(move.by, move.card, move.reason) for move in looks(reception)] == [
            ("quin", 10_000, "wrong portrait, card came back"),
            ("quin", 10_000, "wrong text, card came back"),
        ]
        assert looks(reception)[0].fields == ["portrait"]
        assert {"name", "address", "identity_number", "portrait"} <= set(looks(reception)[1].fields)


async def test_who_may_not_look_gets_no_data_and_the_attempt_is_recorded(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1, **HELD)])
        browser = await reception.browser("aud")
        csrf = (await browser.get("/cards/10000")).csrf
        for what in ("portrait", "face"):
            page = await browser.post("/cards/10000", {"csrf": csrf, "what": what, "reason": "curious"})
            assert page.status == 403
            assert [one for one in PERSONAL if one in page.text] == []
        refused = [move for move in reception.centre.centre.moves if isinstance(move, Denied)]
        assert [(move.by, move.verb) for move in refused] == [("aud", "look")]
        assert looks(reception) == []


async def test_a_reason_that_names_the_person_is_not_taken_and_markup_in_it_is_text(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1)])
        browser = await reception.browser()
        page = await browser.get("/cards/10000")
        hostile = f'"><script>alert(1)</script>{PERSON.name}'
        refused = await browser.press(page, "Portrait before and after", reason=hostile)
        assert refused.status == 409
        assert "reason.personal" in main_of(refused)
        assert "<script>alert" not in refused.text
        assert html.escape('"><script>', quote=True).replace("&quot;", "&#34;") in refused.text
        assert (await browser.press(page, "Portrait before and after", reason="")).status == 409
        for wrong in ({"what": "all", "reason": "x"}, {"what": "name", "reason": "x"}):
            assert (await browser.post("/cards/10000", {"csrf": page.csrf, **wrong})).status == 400
        assert (await browser.post("/cards/10000", {"what": "face", "reason": "x"})).status == 403, "no token"
        assert looks(reception) == []


async def test_markup_in_what_the_vault_holds_is_shown_as_text(tmp_path):
    async with open_reception(tmp_path) as reception:
        batch_id = await reception.centre.bring(1, [application(1, **HELD)])
        hostile = pack(good(name="<img src=x onerror=alert(1)>", portrait=b"<svg onload=alert(1)>"))
        await reception.centre.centre.vault.store_applications(batch_id + 1, [(0, hostile)])
        await reception.centre.centre.vault.store_applications(batch_id, [(0, hostile)])
        browser = await reception.browser()
        page = await browser.press(await browser.get("/cards/10000"), "Portrait and SPECIMEN face", reason="look")
        assert "&lt;img src=x onerror=alert(1)&gt;" in page.text
        assert "<img src=x" not in page.text
        assert "<svg onload" not in page.text
        assert "Cannot be shown whole" in main_of(page)


async def test_each_kind_of_number_leads_to_its_page_and_one_of_two_meanings_asks_which(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1), application(2, sex="2")])
        await reception.centre.until_told(1, (0, "dispatched"))
        blank = (await reception.ask("trace", card="10000"))["blank"]
        browser = await reception.browser()
        for typed, there in (
            (accepted_as(1), "/cards/10000"),
            (f" {accepted_as(1)[:10]} {accepted_as(1)[10:]} ", "/cards/10000"),
            ("10000", "/cards/10000"),
            (str(blank), "/cards/10000"),
            (number(1), f"/batches/{number(1)}"),
        ):
            page = await browser.get(f"/find?q={typed.replace(' ', '+')}")
            assert (page.status, page.header("location")) == (303, there)
        refused = await browser.get(f"/find?q={accepted_as(2)}")
        assert "refused by the checks" in main_of(refused), "it has no card, and says why"
        assert "laminate" in main_of(await browser.get("/find?q=laminate"))
        for typed in ("", "99", "9" * 22, "%22%3E%3Cscript%3Ealert(1)", "%EF%BC%91"):
            page = await browser.get(f"/find?q={typed}")
            assert page.status == 404
            assert "<script>alert" not in page.text


async def test_a_new_operator_holds_a_card_in_three_actions_and_lets_it_go(tmp_path):
    async with open_reception(tmp_path) as reception:
        await reception.centre.bring(1, [application(1, **HELD)])
        browser = await reception.browser()
        start = await browser.there(await browser.get("/"))
        card = await browser.press(start, "Find", q=accepted_as(1))
        shown = await browser.press(card, "Hold this card", code="wrong_data")
        assert "Card 10000 is put on no sheet" in main_of(shown)
        assert not reception.centre.state.card_holds, "a preview changes nothing"
        done = await browser.press(shown, "Confirm")
        assert "Done." in main_of(done)
        assert reception.centre.state.card_holds[10_000].by == "ann"
        assert browser.actions == 3
        held = await browser.follow(done, "Back")
        assert "Somebody holds this card" in main_of(held)
        operator = await reception.browser("olga")
        csrf = (await operator.there(await operator.get("/"))).csrf
        released = await operator.post("/do/release-card", {"csrf": csrf, "card": "10000", "nonce": "n" * 22})
        assert released.status == 403
        shown = await browser.follow(held, "Release this card")
        await browser.press(shown, "Confirm")
        assert not reception.centre.state.card_holds
