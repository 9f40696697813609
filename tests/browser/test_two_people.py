"""What takes two people takes two of them in the browser too: each logged in for herself, none of them twice."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from sims.demo.folder import OBSERVER, VISITORS
from tests.browser.visits import confirm

pytestmark = pytest.mark.browser

ANN, BOB = VISITORS
NUMBER = re.compile(r"\d+")


def test_spoiled_blanks_are_destroyed_by_two_people_in_two_browsers_and_not_by_one(visits, demo):
    ann, bob = visits.of(ANN), visits.of(BOB, "zh")
    spoiled = demo.wait_until_quiet()["spoiled"]  # a count of them ends with the next one
    assert spoiled
    ann.go(f"/do/act-destroy?count={spoiled}")
    ann.picture("destroy-preview")
    act_id = NUMBER.findall(confirm(ann))[-1]
    ann.go(f"/do/second?act_id={act_id}")
    ann.page.locator("form[action^='/do/'] button.primary").click()
    expect(ann.page.locator("main [role=alert]")).to_contain_text("act.same_person")
    ann.faults.clear()  # the browser says of itself that it was refused
    bob.go(f"/do/second?act_id={act_id}")
    bob.picture("destroy-second")
    confirm(bob)
    with demo.operator(OBSERVER) as observer:
        accounts = observer.command("stock")["accounts"]
        assert (accounts["destroyed"], accounts["spoiled"]) == (spoiled, 0)
        assert [one for one in observer.command("acts") if one["act_id"] == int(act_id)] == []
    assert [*ann.wrong(), *bob.wrong()] == []


def test_a_shift_is_closed_by_two_people_who_counted_every_place(visits, demo):
    ann, bob = visits.of(ANN, "zh"), visits.of(BOB)
    with demo.operator(VISITORS[0]) as keeper:
        for place in keeper.command("shift")["not_counted"]:
            keeper.command("count", place=place, counted=booked(keeper.command("stock"), place))
    ann.go("/do/act-close_shift")
    act_id = NUMBER.findall(confirm(ann))[-1]
    bob.go(f"/do/second?act_id={act_id}")
    confirm(bob)
    with demo.operator(OBSERVER) as observer:
        assert observer.command("shift")["closed"] == 1
    assert [*ann.wrong(), *bob.wrong()] == []


def booked(stock, place):
    """What stands in the books for a place, as the demo's own keepers count."""
    places = {"vault": sum(sheets for _, sheets in stock["vault"]), "spoiled": stock["accounts"]["spoiled"]}
    return {**places, **stock["magazines"]}[place]
