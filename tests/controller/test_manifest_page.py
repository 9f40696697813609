"""The manifest to be printed: it shows the file, its digest and the chain's head, without a network."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from controller.packing.manifest import ManifestError, manifest_csv
from controller.packing.page import manifest_page
from tests.controller.test_manifest import BATCH, BLANK, CARD, CHAIN, NUMBER, OTHER, UNIT, a_manifest

VOID = {"meta", "br"}


class Page(HTMLParser):
    """What a browser makes of the page: its text, its attributes, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts, self.attributes, self.tags, self._open = [], [], [], []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def shown(html: str) -> str:
    return " ".join(Page(html).texts)


def by_id(html: str, name: str) -> str:
    return re.search(rf'id="{name}">([^<]*)<', html)[1]


def test_the_digest_on_the_page_is_that_of_the_file_and_the_chain_is_the_file_s():
    file = manifest_csv(a_manifest())
    page = manifest_page(file)
    assert by_id(page, "sha256") == sha256(file).hexdigest()
    assert by_id(page, "chain") == CHAIN
    assert "move 4711" in shown(page)


def test_every_card_stands_on_the_page_with_number_and_blank_under_its_box_and_bundle():
    text = shown(manifest_page(manifest_csv(a_manifest())))
    assert text.count(NUMBER) == 2
    assert text.count("0" * 21 + "9") == 1
    assert text.count(str(BLANK)) == 3
    assert f"箱 box 1 · 捆 bundle 3 · {UNIT} · 2 张 cards" in text
    assert f"箱 box 1 · 捆 bundle 4 · {OTHER} · 1 张 cards" in text


def test_the_head_names_batch_counts_and_whether_the_bundles_were_scanned():
    text = shown(manifest_page(manifest_csv(a_manifest())))
    for word in (BATCH, "2026-03-02 11:32:10", "是 yes", "Manifest of consignment", "发运清单", "各派出所数量"):
        assert word in text, word
    assert "否 no" in shown(manifest_page(manifest_csv(replace(a_manifest(), scanned=False))))


def test_the_page_asks_for_nothing_from_outside_and_runs_nothing():
    html = manifest_page(manifest_csv(a_manifest()))
    page = Page(html)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not {"src", "href"} & {name for name, _ in page.attributes}
    assert not re.search(r"https?:|url\(|@import", html)
    assert "@page{size:A4" in html


def test_a_text_with_signs_of_html_is_shown_as_it_is():
    unit = '<b onload="x">&'
    html = manifest_page(manifest_csv(replace(a_manifest(), cards=(replace(CARD, unit=unit),))))
    assert "<b onload" not in html
    assert unit in shown(html)


def test_a_file_that_is_no_manifest_gives_no_page():
    with pytest.raises(ManifestError):
        manifest_page(manifest_csv(a_manifest())[:-1])
