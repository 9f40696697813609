"""The page, the CSV and the lines of a year: nothing from outside, the report's figures, two languages, for anybody."""

from __future__ import annotations

import csv as csv_module
import io
import re
from types import SimpleNamespace

import msgspec
import pytest

from controller.report.span import year_span
from controller.report.span_words import COLUMNS, TITLES
from controller.report.text import columns_of
from controller.report.year_build import build_year_report
from controller.report.year_charts import Axis, Line, holidays_of, lines
from controller.report.year_page import BY_DAY, ROWS_SHOWN, STYLE_SHEET, csv, headline, html
from controller.report.year_tables import year_tables
from controller.report.year_text import year_lines
from controller.report.year_words import YEAR_MEANINGS
from tests.controller.report.test_span_page import HAN, Page
from tests.controller.report.worked_ledger import ledger_of, worked_floor
from tests.controller.report.year_ledger import NORMAL, year_floor

END = 365 * 86_400.0
CONSTANTS = {"printer": "30 s a sheet", "encoding.card_s": "0.02 s a card in one encoder"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    with ledger_of(year_floor(3), tmp_path_factory.mktemp("paged")) as reading:
        full = build_year_report(reading, year_span(1970), NORMAL, simulated=True, constants=CONSTANTS)
        empty = build_year_report(reading, year_span(1980), NORMAL, 0.0)
    with ledger_of(worked_floor(8), tmp_path_factory.mktemp("worked")) as reading:
        day = build_year_report(reading, year_span(1970), NORMAL, 86_400.0)
    return SimpleNamespace(full=full, empty=empty, day=day, all=(full, empty, day))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_runs_nothing_and_asks_nobody(reports, language):
    for report in reports.all:
        page = html(report, language)
        parsed = Page(page)
        assert not [tag for tag in ("script", "link", "img") if parsed.all(tag)]
        assert not [name for _, attrs in parsed.seen for name in attrs if name in ("src", "href", "style")]
        assert not [name for _, attrs in parsed.seen for name in attrs if name.startswith("on")]
        assert not re.search(r"url\(|@import|http", page)
        assert "@media print" in page
        assert STYLE_SHEET in page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_charts_and_tables_can_be_read_by_who_does_not_see_them(reports, language):
    page = html(reports.full, language)
    charts = re.findall(r"<svg.*?</svg>", page, re.S)
    assert len(charts) == 8
    for chart in charts:
        assert re.search(r'^<svg[^>]*role="img" aria-label="[^"]+"><title>[^<]+</title><desc>[^<]+</desc>', chart)
        assert "nan" not in chart
    parsed = Page(page)
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    assert all(attrs.get("scope") in ("col", "row") for attrs in parsed.all("th"))


def test_the_page_has_the_figures_of_the_report(reports):
    report, parsed = reports.full, Page(html(reports.full, "en"))
    told = "".join(parsed.text)
    for words, figure, other in headline(report, "en"):
        assert f"{words[1]}{figure}{words[3]} {other}" in told
    tables = [table for table in year_tables(report) if table.name not in BY_DAY and table.rows]
    for table, shown in zip(tables, parsed.tables, strict=True):
        assert len(shown) - 1 == min(len(table.rows), ROWS_SHOWN), table.name
    months = next(rows for rows in parsed.tables if rows[0][0] == "month")
    made = months[0].index("made")
    assert sum(int(row[made].replace(",", "")) for row in months[1:]) == report.whole.cards["made"]
    flow = next(rows for rows in parsed.tables if rows[0][:3] == ["week", "bottleneck", "print"])
    assert [row[1] for row in flow[1:]] == [week.bottleneck for week in report.weeks]


def test_each_language_has_its_own_words_and_the_foot_says_what_the_figures_are(reports):
    for report in reports.all:
        english, chinese = "".join(Page(html(report, "en")).text), "".join(Page(html(report, "zh")).text)
        assert not HAN.search(english), HAN.findall(english)
        for zh, en in YEAR_MEANINGS:
            assert zh in chinese
            assert en in english
        for table in year_tables(report):
            assert table.name in TITLES
            assert set(table.columns) <= set(COLUMNS), table.name
    with pytest.raises(ValueError, match="fr"):
        html(reports.full, "fr")


def test_a_simulated_year_says_so_and_what_it_rests_on_and_another_does_not(reports):
    told = "".join(Page(html(reports.full, "en")).text)
    assert "Simulated: stations, staff and upstream are pretend" in told
    for name, value in CONSTANTS.items():
        assert name in told
        assert value in told
    real = "".join(Page(html(reports.day, "en")).text)
    assert "Simulated" not in real
    assert "模拟" in html(reports.full, "zh")


def test_the_csv_has_every_table_with_every_row(reports):
    for report in reports.all:
        rows = list(csv_module.reader(io.StringIO(csv(report, "en").decode("utf-8-sig"), newline="")))
        assert len(rows) == sum(3 + len(table.rows) for table in year_tables(report)) + 3
    days = next(table for table in year_tables(reports.full) if table.name == "days")
    assert len(days.rows) == 365


def test_the_lines_of_a_screen_are_not_wider_than_80_columns(reports):
    for report in reports.all:
        for language in ("zh", "en"):
            shown = year_lines(report, language)
            assert max(map(columns_of, shown)) <= 80
            assert len(shown) < 60


def test_texts_of_stations_and_of_constants_are_escaped(reports):
    stop = msgspec.structs.replace(reports.full.stops[0], station="<b>p1</b>", reason='<i onclick="x">')
    bad = msgspec.structs.replace(reports.full, stops=[stop], constants={"<u>": "<script>"})
    page = html(bad, "en")
    assert not re.search(r"<b>p1|<i onclick|<u>|<script>", page)
    assert "&lt;i onclick=&quot;x&quot;&gt;" in page


def test_holidays_that_follow_each_other_are_one_stretch_and_lie_behind_the_lines(reports):
    first = msgspec.structs.replace(reports.full.days[0], is_holiday=True)
    second = msgspec.structs.replace(reports.full.days[1], is_holiday=True)
    found = holidays_of([first, second, *reports.full.days[2:]])
    assert found == [(0.0, 2 * 86_400.0), (358 * 86_400.0, 359 * 86_400.0)]
    axis, row = Axis(0.0, END), Line("made", [(0.0, 5.0), (END, 10.0)], "a")
    chart = lines(axis, [row], "t", "d", found)
    assert chart.count('class="shade"') == 2
    assert chart.index("shade") < chart.index("polyline")
    x = [float(one) for one in re.search(r'points="([\d.]+),[\d.]+ ([\d.]+),', chart).groups()]
    assert x == pytest.approx([axis.x(0.0), axis.x(END)])
