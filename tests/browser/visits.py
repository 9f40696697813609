"""Visits of the console: a browser window of somebody, what went wrong in it, and what is asked of every page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from sims.tour.chromium import WITHIN_MS

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "out/browser"  # kept after a run, and git-ignored
AXE = (Path(__file__).parent / "vendored/axe.min.js").read_text("utf-8")
GRAVE = {"serious", "critical"}
DESK, TABLET = (1280, 800), (820, 1180)
TAGS = {"en": "en-GB", "zh": "zh-CN"}
RUN_AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(one => [
    one.impact, one.id, one.nodes.slice(0, 4).map(node => node.target.join(" ") + ": " + node.failureSummary)])"""
TOO_WIDE = """() => { const root = document.documentElement; return root.scrollWidth <= root.clientWidth ? [] :
    [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > root.clientWidth + 1)
        .slice(0, 5).map(one => one.outerHTML.slice(0, 120)) }"""

expect.set_options(timeout=WITHIN_MS)


@dataclass
class Visit:
    """One window of one person."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)  # errors in the browser's console, requests to elsewhere

    def __post_init__(self):
        self.page.set_default_timeout(WITHIN_MS)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._see)
        self.page.on("dialog", self._dismiss)

    def _hear(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _see(self, request):
        if not request.url.startswith((self.address + "/", "data:")):
            self.faults.append(f"request to elsewhere: {request.url}")

    def _dismiss(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def go(self, path) -> Response:
        """Load a page by its path."""
        response = self.page.goto(self.address + path)
        assert response is not None
        return response

    @property
    def path(self) -> str:
        """Where the window is."""
        return urlsplit(self.page.url).path

    def picture(self, name):
        """Keep a picture of the whole page."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def wrong(self) -> list[str]:
        """What no page may have: more or less than one heading, faults heard, a body wider than a window."""
        headings = self.page.locator("h1").count()
        found = [*self.faults, *([f"{headings} h1"] if headings != 1 else [])]
        self.faults.clear()
        for width, height in (TABLET, DESK):
            self.page.set_viewport_size({"width": width, "height": height})
            found += [f"too wide for {width} px: {one}" for one in self.page.evaluate(TOO_WIDE)]
        return found

    def barriers(self) -> list[str]:
        """What axe finds that keeps somebody out."""
        self.page.evaluate(AXE)
        return [f"{impact} {rule}: {nodes}" for impact, rule, nodes in self.page.evaluate(RUN_AXE) if impact in GRAVE]


@dataclass
class Visits:
    """Opens windows, each in a context of its own, and closes them; `cookies` are of who is logged in, by name."""

    browser: Browser
    address: str
    cookies: dict[str, dict]
    contexts: list[BrowserContext] = field(default_factory=list)

    def of(self, name="", language="en", scheme="light", size=DESK) -> Visit:
        """Open a window of somebody; of a stranger, without a name."""
        context = self.browser.new_context(
            storage_state=self.cookies.get(name),
            locale=TAGS[language],
            color_scheme=scheme,
            viewport={"width": size[0], "height": size[1]},
        )
        assert not name or name in self.cookies
        self.contexts.append(context)
        return Visit(context.new_page(), self.address)

    def beside(self, visit) -> Visit:
        """Open another window of the same browser."""
        return Visit(visit.page.context.new_page(), self.address)

    def end(self, pictured_as=""):
        """Close all windows; with a name, keep a picture of each first."""
        for context in self.contexts:
            for place, page in enumerate(context.pages if pictured_as else ()):
                PICTURES.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=PICTURES / f"failed-{pictured_as}-{place}.png")
            context.close()
        self.contexts.clear()


def confirm(visit):
    """Say yes to what is shown, see that it was done, and give what is said."""
    visit.page.locator("form[action^='/do/'] button.primary").click()
    said = visit.page.locator("main [role=status].good")
    expect(said).to_be_visible()
    return said.inner_text()
