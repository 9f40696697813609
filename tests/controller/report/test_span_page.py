"""The page of a span: one file that asks for nothing, has the report's figures, and can be read by anybody."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import msgspec
import pytest

from controller.report.page import STYLE
from controller.report.span import Span
from controller.report.span_build import build_span_report
from controller.report.span_page import SPAN_STYLE, html
from controller.report.span_tables import tables_of
from controller.report.span_text import span_lines
from controller.report.span_words import COLUMNS, MEANINGS, TITLES, step_word
from controller.report.text import columns_of
from tests.controller.report.worked_ledger import ENDS_FLOOR_S, ledger_of, worked_floor

VOID = {"meta", "rect", "line", "circle", "path"}
HAN = re.compile(r"[一-鿿]")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    floor = worked_floor(8)
    with ledger_of(floor, tmp_path_factory.mktemp("paged")) as reading:
        span = Span(kind="day", name="1970-01-01", begin_floor_s=0.0, end_floor_s=ENDS_FLOOR_S)
        later = Span(kind="day", name="1970-01-03", begin_floor_s=172_800.0, end_floor_s=259_200.0)
        yield SimpleNamespace(full=build_span_report(reading, span), empty=build_span_report(reading, later))


class Page(HTMLParser):
    """What a reader meets: tags in balance with their attributes, and the text of each table's cells."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.text, self.tables = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title", "desc"):
            self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data

    def all(self, tag):
        return [attrs for name, attrs in self.seen if name == tag]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_runs_nothing_and_asks_nobody(reports, language):
    page = html(reports.full, language)
    parsed = Page(page)
    assert not parsed.all("script")
    assert not parsed.all("link")
    assert not parsed.all("img")
    addresses = [
        value for _, attrs in parsed.seen for name, value in attrs.items() if name in ("src", "href", "action")
    ]
    assert addresses == []
    assert not [name for _, attrs in parsed.seen for name in attrs if name.startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in page
    assert "@media print" in page
    assert "prefers-color-scheme:dark" in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_tables_have_captions_and_heads_with_a_scope_and_charts_a_title_and_a_description(reports, language):
    page = html(reports.full, language)
    parsed = Page(page)
    assert len(parsed.all("caption")) == len(parsed.all("table")) >= 9
    assert all(attrs.get("scope") in ("col", "row") for attrs in parsed.all("th"))
    charts = re.findall(r"<svg.*?</svg>", page, re.S)
    assert len(charts) == 4
    for chart in charts:
        assert re.search(r'role="img" aria-label="[^"]+"', chart)
        assert re.search(r"^<svg[^>]*><title>[^<]+</title><desc>[^<]+</desc>", chart)
    assert parsed.all("html") == [{"lang": {"zh": "zh-CN", "en": "en"}[language]}]
    assert len(parsed.all("h1")) == 1


def test_the_pages_tables_hold_the_reports_figures(reports):
    parsed = Page(html(reports.full, "en"))
    shown = {tuple(rows[0]): rows[1:] for rows in parsed.tables}
    cards = {row[0]: row[1] for row in shown[("what", "count")]}
    assert cards["received"] == f"{reports.full.cards['received']:,}"
    assert cards["open at the end"] == f"{reports.full.cards['open_at_end']:,}"
    accounts = next(rows for heads, rows in shown.items() if heads[0] == "account")
    assert [[int(cell.replace(",", "")) for cell in row[1:]] for row in accounts] == [
        [one.begin, one.came, one.went, one.end] for one in reports.full.blanks.accounts
    ]
    oee = next(rows for heads, rows in shown.items() if heads[0] == "station")
    assert [(row[0], row[2]) for row in oee] == [(one.station, f"{one.oee:.2%}") for one in reports.full.stations]
    filled = [table for table in tables_of(reports.full) if table.rows]
    assert [len(rows) - 1 for rows in parsed.tables] == [len(table.rows) for table in filled]


def test_each_page_speaks_its_language_and_the_foot_says_what_the_figures_are(reports):
    english, chinese = html(reports.full, "en"), html(reports.full, "zh")
    told = "".join(Page(english).text)
    assert not HAN.search(told), HAN.findall(told)
    assert HAN.search("".join(Page(chinese).text))
    for zh, en in MEANINGS:
        assert zh in "".join(Page(chinese).text)
        assert en in told
    for table in tables_of(reports.full):
        assert table.name in TITLES
        assert set(table.columns) <= set(COLUMNS)
    with pytest.raises(ValueError, match="fr"):
        html(reports.full, "fr")


def test_texts_of_people_and_stations_are_escaped(reports):
    row = msgspec.structs.replace(reports.full.alarms[0], about='<b onclick="x">&</b>')
    bad = msgspec.structs.replace(reports.full, alarms=[row], broken=["<i>no sum</i>"])
    page = html(bad, "en")
    assert "<b onclick" not in page
    assert "&lt;b onclick=&quot;x&quot;&gt;&amp;&lt;/b&gt;" in page
    assert "&lt;i&gt;no sum&lt;/i&gt;" in page


def test_sums_that_do_not_hold_and_rows_that_are_not_shown_are_told(reports):
    broken = msgspec.structs.replace(reports.full, broken=["cases: 3, not 2"], left_out={"acts": 1_234})
    assert "✗ These do not hold:<ul><li>cases: 3, not 2</li></ul>" in html(broken, "en")
    assert "+ 1,234 rows more" in html(broken, "en")
    assert "✓" in html(reports.full, "en")
    assert "✗" not in html(reports.full, "en")


def test_a_span_without_a_move_has_a_page_and_lines_too(reports):
    for language in ("zh", "en"):
        Page(html(reports.empty, language))
        assert any("RTY -" in line for line in span_lines(reports.empty, language)), "of nothing there is no yield"
        assert re.search("(?:rolled throughput yield|直通率)</small><b>-</b>", html(reports.empty, language))
    assert "not over yet" not in html(reports.empty, "en")
    half = msgspec.structs.replace(reports.empty, until_floor_s=200_000.0)
    assert "not over yet" in html(half, "en")


def test_a_step_that_worked_on_nothing_is_in_no_chart_of_yields_and_has_none_in_its_table(reports):
    steps = [msgspec.structs.replace(one, worked=0) if one.step == "write" else one for one in reports.full.steps]
    page = html(msgspec.structs.replace(reports.full, steps=steps), "en")
    assert 0 < page.count('cy="') == sum(one.worked > 0 for one in steps) < len(steps)
    row = next(row for table in Page(page).tables for row in table if row[:2] == [step_word("write", "en"), "0"])
    assert row[4:] == ["", "", "", ""]
    assert html(reports.empty, "en").count('cy="') == 0


def test_lines_of_a_screen_are_not_wider_than_80_columns_and_name_what_is_late(reports):
    for language in ("zh", "en"):
        lines = span_lines(reports.full, language)
        assert max(map(columns_of, lines)) <= 80
        assert any(f"{reports.full.late[0].batch_number}" in line for line in lines)


def test_colours_of_the_page_have_the_contrast_that_wcag_aa_asks_for():
    palettes = [dict(re.findall(r"--(\w+):(#\w+)", block)) for block in re.findall(r":root\{([^}]*)\}", STYLE)]
    assert len(palettes) == 3, "light, dark, printed"
    for colours in palettes:
        for ground in ("page", "panel"):
            for text in ("ink", "soft"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground, colours)
        for shape in "abcde":
            assert contrast(colours[shape], colours["panel"]) >= 3.0, (shape, colours)
    assert "--" not in re.sub(r"var\(--\w+\)", "", SPAN_STYLE)


def contrast(one, other):
    """The ratio of WCAG 2.2 between two colours."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
