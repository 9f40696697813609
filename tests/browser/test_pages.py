"""Every page of the console, those of the menu and those they lead to: whole, in both languages, open to everybody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from controller.console.actions import ACTIONS
from controller.console.menu import MENU
from sims.demo.folder import KEEPERS, OBSERVER, VISITORS

pytestmark = pytest.mark.browser

ANN = VISITORS[0]
NUMBERED = re.compile(r"[\w.%-]*\d[\w.%-]*")
LINKS = "() => [...document.querySelectorAll('main a[href]')].map(one => one.pathname + one.search)"
SHAPES_MAX = 60
FILES = (".csv", ".html", ".json", ".pdf", ".sig")  # kept, not shown


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.key)
def test_each_page_of_the_menu_opens_in_both_languages_without_a_fault(visits, entry, language):
    visit = visits.of(ANN, language)
    assert visit.go(entry.path).status == 200
    expect(visit.page.locator("html")).to_have_attribute("lang", re.compile(f"^{language}"))
    expect(visit.page.locator("h1")).to_be_visible()
    expect(visit.page.locator("header nav [aria-current=page]")).to_have_attribute("href", entry.path)
    assert visit.wrong() == []
    visit.picture(f"{entry.key}-{language}")


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
@pytest.mark.parametrize("entry", MENU, ids=lambda entry: entry.key)
def test_no_page_of_the_menu_keeps_anybody_out_in_light_or_dark(visits, entry, language, scheme):
    visit = visits.of(ANN, language, scheme)
    visit.go(entry.path)
    assert visit.barriers() == []
    visit.picture(f"{entry.key}-{scheme}")


def test_what_the_pages_lead_to_opens_without_a_fault(visits):
    """One page of each shape: where only a number differs, it is the same page."""
    visit = visits.of(ANN)
    seen, waiting, faults = {shape(entry.path) for entry in MENU}, [entry.path for entry in MENU], {}
    while waiting:
        path = waiting.pop(0)
        if path.partition("?")[0].endswith(FILES):
            faults |= {} if visit.page.request.get(visit.address + path).ok else {path: ["no file"]}
            continue
        status = visit.go(path).status
        wrong = [*([f"status {status}"] if status >= 400 else []), *visit.wrong(), *visit.barriers()]
        if wrong:
            faults[path] = wrong
        for found in visit.page.evaluate(LINKS):
            if shape(found) not in seen and len(seen) < SHAPES_MAX:
                seen.add(shape(found))
                waiting.append(found)
    assert faults == {}
    assert len(seen) > len(MENU), "no page leads to another"


def shape(path):
    """What is left of an address when what it is about is taken away."""
    plain, _, query = path.partition("?")
    names = sorted(part.partition("=")[0] for part in query.split("&") if part)
    return NUMBERED.sub("*", plain), *names


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_action_has_a_form_that_opens_without_a_fault(visits, language):
    visit, faults = visits.of(ANN, language, "dark" if language == "zh" else "light"), {}
    for name, action in ACTIONS.items():
        status = visit.go(f"/do/{name}").status
        wrong = [*([f"status {status}"] if status != 200 else []), *visit.wrong(), *visit.barriers()]
        asked = [one.name for one in action.asked if not visit.page.locator(f"#{one.name}").count()]
        wrong += [f"is not asked: {one}" for one in asked]
        if wrong:
            faults[name] = wrong
    assert faults == {}


@pytest.mark.parametrize(("path", "status"), [("/login", 200), ("/no-such-page", 404)])
def test_what_a_stranger_sees_keeps_nobody_out(visits, path, status):
    for language, scheme in (("en", "dark"), ("zh", "light")):
        visit = visits.of(language=language, scheme=scheme)
        assert visit.go(path).status == status
        visit.faults.clear()  # the browser says of itself that something was not found
        assert [*visit.wrong(), *visit.barriers()] == []
        visit.picture(f"stranger-{status}-{language}")


def test_whoever_is_not_logged_in_is_asked_who_it_is_on_every_page(visits):
    visit = visits.of()
    for entry in MENU:
        visit.go(entry.path)
        assert visit.path == "/login", entry


@pytest.mark.parametrize("name", [OBSERVER, KEEPERS[0]])
def test_whatever_somebody_s_menu_shows_opens_and_whatever_it_does_not_show_is_refused(visits, name):
    visit = visits.of(name)
    assert visit.go("/account").status == 200
    shown = visit.page.locator("header nav a").evaluate_all("all => all.map(one => one.pathname)")
    assert shown
    status = {entry.path: visit.page.request.get(visit.address + entry.path).status for entry in MENU}
    assert status == {entry.path: 200 if entry.path in shown else 403 for entry in MENU}


def test_the_language_is_changed_in_the_header_and_stays(visits):
    visit = visits.of(ANN)
    visit.go(MENU[0].path)
    before = visit.page.locator("h1").inner_text()
    visit.page.get_by_role("link", name="中文").click()
    expect(visit.page.locator("html")).to_have_attribute("lang", re.compile("^zh"))
    expect(visit.page.locator("h1")).not_to_have_text(before)
    assert visit.path == MENU[0].path
    visit.go(MENU[1].path)
    expect(visit.page.locator("html")).to_have_attribute("lang", re.compile("^zh"))
    visit.page.get_by_role("link", name="English").click()
    expect(visit.page.locator("html")).to_have_attribute("lang", re.compile("^en"))
    assert visit.wrong() == []
