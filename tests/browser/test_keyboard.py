"""The console by keyboard alone: the skip link, every link and button in reach, and where one is, in sight."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from controller.console.menu import MENU
from sims.demo.folder import VISITORS

pytestmark = pytest.mark.browser

ANN, OUTSIDE = VISITORS[0], -1
REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
MARK = """selector => {
    window.reach = [...document.querySelectorAll(selector)].filter(one => !one.disabled && one.checkVisibility());
    document.activeElement.blur();
    return window.reach.length; }"""
WHERE = """() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    return {
        place: window.reach.indexOf(one),
        marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
        what: one.outerHTML.slice(0, 100) }; }"""
LEFT = "places => places.map(place => window.reach[place]).filter(one => one.isConnected).map(one => one.outerHTML)"


@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.key)
def test_the_tab_key_reaches_every_link_and_button_and_shows_where_it_is(visits, entry):
    visit = visits.of(ANN)
    visit.go(entry.path)
    count, reached, marked, unseen = visit.page.evaluate(MARK, REACHABLE), set(), set(), set()
    last = OUTSIDE
    for _ in range(count * 3 + 10):  # a date is three stops, and a live page may get more while one goes through it
        visit.page.keyboard.press("Tab")
        found = visit.page.evaluate(WHERE)
        if found["place"] in reached - {last, OUTSIDE}:
            break
        last = found["place"]
        reached.add(last)
        marked |= {last} if found["marked"] else set()  # of a date the browser marks its parts, the last one inside
        unseen |= {found["what"]} if not found["seen"] and found["place"] != OUTSIDE else set()
    missed, unmarked = (visit.page.evaluate(LEFT, sorted(set(range(count)) - found)) for found in (reached, marked))
    assert (missed, unmarked, unseen) == ([], [], set())


def test_the_first_tab_offers_to_skip_the_menu_and_enter_takes_it(visits):
    visit = visits.of(ANN)
    visit.go(MENU[0].path)
    skip = visit.page.locator(".skip")
    expect(skip).not_to_be_in_viewport()
    visit.page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("main")).to_be_focused()
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("() => document.querySelector('main').contains(document.activeElement)")


def test_a_station_is_put_on_hold_and_released_without_a_mouse(visits):
    visit = visits.of(ANN)
    visit.go("/stations")
    visit.page.get_by_role("rowheader").get_by_role("link").first.focus()
    visit.page.keyboard.press("Enter")
    visit.page.locator("a[href^='/do/hold-station']").focus()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#code")).to_be_visible()
    visit.page.locator("#code").focus()
    visit.page.keyboard.type("quality")
    visit.page.keyboard.press("Enter")
    confirm = visit.page.locator("button.primary")
    expect(confirm).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("status").filter(visible=True)).to_be_visible()
    visit.page.locator("main a.button").focus()
    visit.page.keyboard.press("Enter")
    visit.page.locator("a[href^='/do/release-station']").focus()
    visit.page.keyboard.press("Enter")
    expect(confirm).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("status").filter(visible=True)).to_be_visible()
    assert visit.wrong() == []
