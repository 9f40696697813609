"""The site of `docs/` builds strictly, and no page of it asks an outside address for anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FETCHED = {  # tag -> the attributes from which a browser fetches without being asked
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
}
IN_STYLES = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


class Fetches(HTMLParser):
    """What a browser fetches for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.styles, self._in_style = "", False

    def handle_starttag(self, tag, attributes):
        self._in_style = tag == "style"
        named = dict(attributes)
        self.found += [named[one] for one in FETCHED.get(tag, ()) if named.get(one)]
        self.styles += named.get("style") or ""

    def handle_data(self, text):
        self.styles += text if self._in_style else ""


def fetched_by(page: str) -> list[str]:
    reader = Fetches()
    reader.feed(page)
    return reader.found + fetched_by_style(reader.styles)


def fetched_by_style(style: str) -> list[str]:
    return [one or other for one, other in IN_STYLES.findall(style)]


def is_outside(address: str) -> bool:
    return bool(re.match(r"\s*(//|(?!data:)[a-z][a-z0-9+.-]*:)", address, re.IGNORECASE))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    surroundings = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    ended = subprocess.run(words, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False, timeout=300)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return folder


def test_every_page_of_docs_is_a_page_of_the_site(site):
    pages = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]
    assert len(pages) > 50
    assert [str(page) for page in pages if not (site / page).is_file()] == []
    assert (site / "security.html").is_file()


def test_no_page_fetches_from_an_outside_address(site):
    pages = {path.relative_to(site): fetched_by(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert all(len(found) >= 3 for found in pages.values())  # each has its styles and scripts
    assert {str(page): outside for page, found in pages.items() if (outside := [*filter(is_outside, found)])} == {}


def test_no_style_fetches_from_an_outside_address(site):
    styles = {path.relative_to(site): fetched_by_style(path.read_text("utf-8")) for path in site.rglob("*.css")}
    assert styles
    assert {str(style): outside for style, found in styles.items() if (outside := [*filter(is_outside, found)])} == {}


def test_no_page_has_a_drawing_for_which_the_theme_would_fetch_a_program(site):
    scripts = "".join(path.read_text("utf-8") for path in site.rglob("bundle*.js"))
    assert "unpkg.com/mermaid" in scripts  # that is what would be fetched
    drawn = re.compile(r'class="[^"]*\bmermaid\b')
    assert [path.name for path in site.rglob("*.html") if drawn.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href=//fonts.example/css>",
        '<img alt="" src="HTTP://x.example/a.png">',
        "<style>@import 'https://x.example/a.css';</style>",
        '<p style="background: url(//x.example/a.png)">',
    ],
)
def test_each_way_to_fetch_from_outside_is_seen(page):
    assert [*filter(is_outside, fetched_by(page))] != []


def test_what_lies_in_the_site_and_links_to_click_are_nothing_from_outside():
    page = '<script src="../a.js"></script><img src="data:image/png;base64,AA=="><a href="https://x.example">x</a>'
    assert [*filter(is_outside, fetched_by(page))] == []


def test_the_search_knows_both_languages_and_has_a_setting_and_an_alarm(site):
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    assert index["config"]["lang"] == ["en", "zh"]
    parts = re.split(index["config"]["separator"], "盘点与结班，floor.starving")
    assert [part for part in parts if part] == [*"盘点与结班", "floor.starving"]
    entries = index["docs"]
    assert any("盘点与结班" in one["title"] for one in entries)
    assert any("applications_per_day" in one["text"] for one in entries)
    assert any("floor.starving" in one["text"] for one in entries)


def test_the_first_page_has_the_drawing_of_the_readme():
    drawing = r"```\n( upstreams ──.*?)```"
    (shown,) = re.findall(drawing, (ROOT / "docs" / "index.md").read_text("utf-8"), re.DOTALL)
    assert [shown] == re.findall(drawing, (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
