"""One demo and one browser for all that looks at the console: started for these tests alone, and ended after them."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import sync_playwright

from sims.demo.folder import KEEPERS, OBSERVER, VISITORS
from sims.tour.chromium import ChromiumMissing, log_in, make_first_account, open_chromium
from sims.tour.open_demo import OpenDemo
from tests.browser.visits import Visits

CARDS, SEED = 400, 7
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Note what failed, so that its windows are pictured before they are closed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="package")
def chromium():
    """A browser without a window.  Where there is none the tests fail."""
    with sync_playwright() as playwright:
        try:
            browser = open_chromium(playwright)
        except ChromiumMissing as error:
            pytest.fail(str(error), pytrace=False)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def demo(chromium, tmp_path_factory):
    """A floor with a console, whose upstream has sent a few hundred cards."""
    with OpenDemo(tmp_path_factory.mktemp("demo"), cards=CARDS, seed=SEED) as made:
        yield made


@pytest.fixture(scope="package")
def cookies(chromium, demo):
    """The cookies of everybody who is logged in, by name: two who may do all, an auditor and a keeper."""
    first, *others = VISITORS[0], VISITORS[1], OBSERVER, KEEPERS[0]
    found, password = {}, secrets.token_urlsafe(12)
    for name in (first, *others):
        page = chromium.new_page()
        if name == first:
            make_first_account(page, demo.address, demo.code, name, password)
        else:
            demo.add_account(name, password)
            log_in(page, demo.address, name, password)
        found[name] = page.context.storage_state()
        page.context.close()
    return found


@pytest.fixture
def visits(request, chromium, demo, cookies):
    """Windows of whoever is logged in; they are closed at the end, and pictured if the test failed."""
    made = Visits(chromium, demo.address, cookies)
    yield made
    failed = request.node.stash.get(FAILED, True)
    made.end(re.sub(r"\W+", "-", request.node.name)[:80] if failed else "")
