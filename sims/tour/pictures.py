"""The pictures of the tour: what is gone to and done for each, taken in a real browser and made small."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from controller.console.menu import MENU
from sims.demo.folder import VISITORS
from sims.tour.chromium import WITHIN_MS, make_first_account, open_chromium
from sims.tour.open_demo import OpenDemo

WIDTH_PX, HEIGHT_PX, LONGEST_PX = 1280, 800, 1200
COLOURS, BUSY_CARDS = 64, 40
FIRST_LINK = "main th a, main td a"
RUN_WITHIN_MS = 180_000.0  # a forecast runs at idle priority beside a demo


@dataclass(frozen=True, slots=True)
class Stop:
    """One picture: its name, the page of the menu it begins at, and what is done there before it is taken."""

    name: str
    entry: str
    act: Callable[[Page], None] = lambda page: None
    path: str = ""  # another page than the entry's own


def _follow(page: Page) -> None:
    """Go to the first thing that a list is about."""
    page.locator(FIRST_LINK).first.click()
    page.locator("h1").wait_for()


def _late_batch(page: Page) -> None:
    page.goto(page.url.partition("?")[0] + "?only=late")
    _follow(page)


def _card(page: Page) -> None:
    _late_batch(page)
    page.locator("main a[href^='/card']").first.click()
    page.locator("h1").wait_for()


def _destroy(page: Page) -> None:
    spoiled = page.locator("th", has_text="Spoiled").locator("xpath=following-sibling::td[1]").first.inner_text()
    page.goto(page.url.replace("/stock", "/do/act-destroy"))
    page.locator("#count").fill("".join(one for one in spoiled if one.isdigit()))
    page.locator("main form button").click()
    page.locator("form[action^='/do/'] button.primary").wait_for()


def _forecast(page: Page) -> None:
    page.locator("#runs").select_option(index=0)
    _run(page)


def _what_if(page: Page) -> None:
    """Choose that the first station is down; comparing two floors takes longer than a tour waits."""
    page.locator("#station").select_option(index=1)


def _run(page: Page) -> None:
    """Ask for the runs, and wait a while until they are made; a picture of how far they are is as true."""
    with page.expect_navigation():
        page.locator("main form[action$='/make'] button").first.click()
    with suppress(TimeoutError):
        page.locator("#run:not([hx-get])").wait_for(state="attached", timeout=RUN_WITHIN_MS)


STOPS = (
    Stop("floor", "floor"),
    Stop("forecast", "forecast", _forecast),
    Stop("what-if", "forecast", _what_if, path="/whatif"),
    Stop("alarms", "alarms"),
    Stop("late-batches", "batches", path="/batches?only=late"),
    Stop("late-batch", "batches", _late_batch),
    Stop("card", "batches", _card),
    Stop("review", "review"),
    Stop("stock", "stock"),
    Stop("act-of-two", "stock", _destroy),
    Stop("quality", "quality"),
    Stop("report", "reports"),
    Stop("floor-before", "floor", path="/floor/past?time=2026-03-03T00:00"),
)


def take_pictures(out: Path, work: Path, *, cards: int, seed: int, say: Callable[[str], None]) -> list[Path]:
    """Write the pictures of the pages that the menu has; give their files.

    `work` takes the demo's log and results.  Raises: DemoNotOpen, ChromiumMissing, OSError.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = {entry.key: entry.path for entry in MENU}
    written = []
    with sync_playwright() as playwright:
        browser = open_chromium(playwright)
        with OpenDemo(work, cards=cards, seed=seed) as demo:
            page = _visitor(browser, demo)
            for stop in STOPS:
                if stop.name == "alarms":
                    demo.wait_until_quiet()  # the floor is pictured at work, what it left when it rests
                    demo.wait_until_late()
                if stop.entry in found:
                    page.goto(demo.address + (stop.path or found[stop.entry]))
                    stop.act(page)
                    written.append(_write(page, out / f"{stop.name}.png"))
                    say(f"{written[-1]}: {written[-1].stat().st_size:,} bytes")
        browser.close()
    return written


def _visitor(browser: Browser, demo: OpenDemo) -> Page:
    """Give a window of the first visitor, and wait until there is something to see."""
    page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, locale="en-GB", color_scheme="light")
    page.set_default_timeout(WITHIN_MS)
    make_first_account(page, demo.address, demo.code, VISITORS[0], secrets.token_urlsafe(12))
    demo.wait_until_made(BUSY_CARDS)
    return page


def _write(page: Page, path: Path) -> Path:
    """Keep the top of a page in few colours.  Raises: OSError."""
    with Image.open(io.BytesIO(page.screenshot(full_page=True))) as picture:
        top = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, LONGEST_PX)))
        top.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    return path
