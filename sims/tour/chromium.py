"""Debian's Chromium, driven by Playwright, which brings no browser of its own here."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright

CHROMIUM = Path("/usr/bin/chromium")
WITHIN_MS = 60_000  # for whatever a page is waited for: machines are slow and loaded
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # not even the browser itself looks elsewhere


class ChromiumMissing(Exception):
    """There is no browser to look with."""

    code = "tour.chromium"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} does not exist: install Debian's Chromium and a Chinese font, as by"
            " `sudo apt-get install chromium fonts-droid-fallback`"
        )


def open_chromium(playwright: Playwright, path: Path = CHROMIUM) -> Browser:
    """Start it without a window.  Raises: ChromiumMissing."""
    if not path.exists():
        raise ChromiumMissing(path)
    # root has no sandbox of Chromium's, and containers have a small /dev/shm
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=[*sandbox, OFFLINE, "--disable-dev-shm-usage"])


def make_first_account(page: Page, address: str, code: str, name: str, password: str) -> None:
    """Log in for the first time, with the one-time code."""
    page.goto(f"{address}/first-run", timeout=WITHIN_MS)
    for field, text in (("code", code), ("name", name), ("password", password), ("again", password)):
        page.locator(f"#{field}").fill(text)
    _enter(page)


def log_in(page: Page, address: str, name: str, password: str) -> None:
    """Log in with an account."""
    page.goto(f"{address}/login", timeout=WITHIN_MS)
    page.locator("#name").fill(name)
    page.locator("#password").fill(password)
    _enter(page)


def _enter(page: Page) -> None:
    page.locator("main form button").click()
    page.wait_for_url(lambda url: not url.endswith(("/login", "/first-run")), timeout=WITHIN_MS)
