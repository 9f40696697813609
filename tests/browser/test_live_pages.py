"""Pages that stay as fresh as the floor: not loaded again, the focus left alone, and honest when they are old."""

from __future__ import annotations

import re
import signal

import pytest
from playwright.sync_api import expect

from sims.demo.folder import KEEPERS, SUPERVISORS, VISITORS
from sims.tour.chromium import log_in

pytestmark = pytest.mark.browser

ANN = VISITORS[0]
MARK, MARKED = "() => { window.marked = true; }", "() => window.marked === true"


def test_a_change_on_the_floor_appears_without_loading_and_leaves_the_focus_where_it_is(visits, demo):
    visit = visits.of(ANN)
    visit.go("/floor")
    tiles = visit.page.locator(".tile")
    expect(tiles.first).to_be_visible()
    stations = tiles.evaluate_all("all => all.map(one => one.id.replace('tile-', ''))")
    held, focused = stations[-1], visit.page.locator(f"#tile-{stations[0]}")
    focused.focus()
    visit.page.evaluate(MARK)
    tile = visit.page.locator(f"#tile-{held}")
    expect(tile.locator(".flag")).to_have_count(0)
    with demo.operator(SUPERVISORS[0]) as supervisor:
        supervisor.command("hold", station=held, code="quality")
        expect(tile).to_have_class(re.compile("on-hold"))
        expect(tile.locator(".flag")).to_be_visible()
        expect(focused).to_be_focused()
        supervisor.command("release", station=held)
    expect(tile.locator(".flag")).to_have_count(0)
    expect(focused).to_be_focused()
    assert visit.page.evaluate(MARKED), "the page was loaded again"
    assert visit.wrong() == []


def test_the_floor_of_a_past_moment_does_not_change(visits):
    visit = visits.of(ANN)
    visit.go("/floor")
    visit.go(f"/floor/past?at={visit.page.locator('#at').get_attribute('max')}")
    expect(visit.page.locator(".past .tile").first).to_be_visible()
    assert visit.page.locator("[sse-connect]").count() == 0
    assert visit.wrong() == []
    visit.picture("past")


def test_somebody_who_is_locked_out_sees_nothing_more_of_the_floor(visits, demo, chromium):
    gone, password = SUPERVISORS[1], "a-password-of-one-test"
    demo.add_account(gone, password)
    visit = visits.of()
    log_in(visit.page, demo.address, gone, password)
    visit.go("/floor")
    expect(visit.page.locator(".tile").first).to_be_visible()
    demo.lock_account(gone)
    visit.page.wait_for_url("**/login")
    expect(visit.page.locator(".tile")).to_have_count(0)


def test_somebody_who_is_locked_out_between_a_page_and_its_stream_is_sent_away_too(visits, demo):
    gone, password = KEEPERS[1], "a-password-of-one-test"
    demo.add_account(gone, password)
    visit = visits.of()
    log_in(visit.page, demo.address, gone, password)

    def lock_first(route):
        demo.lock_account(gone)
        route.continue_()

    visit.page.route("**/events/*", lock_first)
    visit.go("/floor")
    visit.page.wait_for_url("**/login")
    expect(visit.page.locator(".tile")).to_have_count(0)


def test_whoever_logs_out_in_one_window_is_out_in_the_other(visits, demo):
    visit = visits.of()
    demo.add_account(SUPERVISORS[0], "a-password-of-one-test")
    log_in(visit.page, demo.address, SUPERVISORS[0], "a-password-of-one-test")
    visit.go("/floor")
    other = visits.beside(visit)
    other.go("/account")
    other.page.locator("header form button").click()
    other.page.wait_for_url("**/login")
    visit.page.wait_for_url("**/login")


def test_a_page_that_hears_nothing_says_that_it_may_be_old_and_is_fresh_when_the_service_is(visits, demo):
    visit = visits.of(ANN)
    visit.go("/floor")
    stale, body = visit.page.locator("#stale"), visit.page.locator("body")
    expect(visit.page.locator(".tile").first).to_be_visible()
    expect(stale).to_be_hidden()
    service = demo.service()
    service.send_signal(signal.SIGSTOP)
    try:
        expect(stale).to_be_visible()
        expect(body).to_have_class(re.compile(r"\bstale\b"))
        assert "grayscale" in visit.page.locator("main").evaluate("one => getComputedStyle(one).filter")
        visit.picture("stale")
    finally:
        service.send_signal(signal.SIGCONT)
    expect(stale).to_be_hidden()
    expect(body).not_to_have_class(re.compile(r"\bstale\b"))
    visit.faults.clear()  # the browser may say that the stream was cut
    visit.go("/floor")
    assert visit.wrong() == []
