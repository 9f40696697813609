"""What people do in the console: shown before it is done, done once, and text stays text."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sims.demo.folder import OBSERVER, VISITORS
from tests.browser.visits import confirm

pytestmark = pytest.mark.browser

ANN, BOB = VISITORS
MARKUP = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
HOSTILE_PARTS = "main img[src='x'], main script"


def test_what_was_confirmed_is_not_done_again_when_the_answer_is_loaded_again(visits, demo):
    visit = visits.of(ANN)
    visit.go("/do/act-receive?first_body=78000001&sheets=1&lot=again")
    confirm(visit)
    with demo.operator(OBSERVER) as observer:
        proposed = [one["act_id"] for one in observer.command("acts") if one["by"] == ANN]
        visit.page.reload()
        expect(visit.page.locator("main [role=alert]")).to_be_visible()
        assert [one["act_id"] for one in observer.command("acts") if one["by"] == ANN] == proposed
        visit.go(f"/do/withdraw?act_id={proposed[-1]}")
        confirm(visit)
        assert [one["act_id"] for one in observer.command("acts") if one["by"] == ANN] == proposed[:-1]


def test_a_station_is_put_on_hold_from_its_tile_and_the_floor_shows_it(visits):
    visit = visits.of(ANN)
    visit.go("/floor")
    tile = visit.page.locator(".tile").last
    name = tile.locator("b").inner_text()
    tile.click()
    visit.page.locator("a[href^='/do/hold-station']").click()
    visit.page.locator("#code").fill("quality")
    visit.page.locator("main form button").click()
    expect(visit.page.locator("main dd").first).to_have_text(name)
    confirm(visit)
    visit.go("/floor")
    expect(visit.page.locator(f"#tile-{name} .flag")).to_be_visible()
    visit.go(f"/do/release-station?station={name}")
    confirm(visit)
    visit.go("/floor")
    expect(visit.page.locator(f"#tile-{name} .flag")).to_have_count(0)
    assert visit.wrong() == []


def test_what_will_not_do_is_said_beside_the_field_and_nothing_is_done(visits):
    visit = visits.of(ANN)
    visit.go("/do/act-destroy")
    visit.page.locator("#count").fill("many")
    visit.page.locator("main form button").click()
    field = visit.page.locator("#count")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(visit.page.locator("#" + str(field.get_attribute("aria-describedby")))).to_be_visible()
    visit.faults.clear()  # the browser says of itself that it was refused
    assert [*visit.wrong(), *visit.barriers()] == []


@pytest.mark.parametrize(
    "path",
    [
        "/do/hold-station?station={}&code=quality",
        "/do/act-receive?first_body=77000001&sheets=1&lot={}",
        "/floor/past?time={}",
        "/stations?lang={}",
        "/stations/{}",
    ],
)
def test_markup_in_an_address_is_shown_as_text_or_not_at_all(visits, path):
    visit = visits.of(ANN)
    sent = re.sub(r"\W", lambda found: f"%{ord(found[0]):02X}", MARKUP)
    visit.go(path.replace("{}", sent))
    assert visit.page.locator(HOSTILE_PARTS).count() == 0
    if path.startswith("/do/"):
        expect(visit.page.locator("main")).to_contain_text(MARKUP)
    assert [one for one in visit.faults if "404" not in one] == []


def test_markup_that_somebody_proposed_is_text_for_whoever_is_asked_to_agree(visits, demo):
    ann, bob = visits.of(ANN), visits.of(BOB)
    ann.go("/do/act-receive?first_body=77000001&sheets=1")
    ann.page.locator("#lot").fill(MARKUP)
    ann.page.locator("main form button").click()
    confirm(ann)
    expect(ann.page.locator("main")).to_contain_text(MARKUP)
    with demo.operator(OBSERVER) as observer:
        [act_id] = [one["act_id"] for one in observer.command("acts") if one["args"].get("lot") == MARKUP]
    for path in ("/acts", f"/do/second?act_id={act_id}"):
        bob.go(path)
        assert bob.page.locator(HOSTILE_PARTS).count() == 0
    ann.go(f"/do/withdraw?act_id={act_id}")
    confirm(ann)
    assert [one for one in (*ann.faults, *bob.faults) if "404" not in one] == []
