"""The report page: one file, whole, escaped, with the report's own figures."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from controller.core.stock_moves import BodiesLost, BodiesSampled, StockReceived
from controller.report.charts import Bar, bars, columns, dots, nice_ticks, shortened, stack, text_px
from controller.report.figures import build_report
from controller.report.page import hours_text, natural, report_page
from tests.controller.core.rough_floor import RoughFloor

VOID = {"meta", "rect", "line", "circle", "br"}


@pytest.fixture(scope="module")
def report():
    floor = RoughFloor(3, trouble=0.05)
    for batch in range(1, 5):
        floor.submit(600.0 * batch, batch, cards=60, holds=3, refused=4)
    floor.run()
    return build_report(floor.log, 4_000.0)


class Page(HTMLParser):
    """What a reader of the page meets: its texts, its tags in balance, its attributes."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.values = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.values += [value or "" for _, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.values += [value or "" for _, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def words(self):
        return " ".join(self.texts)


def test_the_page_is_balanced_html_with_one_chart_a_section(report):
    page = Page(report_page(report))
    assert page.open == []
    assert page.tags.count("svg") == page.tags.count("section") == 11
    assert report_page(report).startswith("<!DOCTYPE html>")


def test_the_page_asks_for_nothing_from_outside_and_runs_no_script(report):
    page = report_page(report)
    assert not re.search(r"https?:|//\w|url\(|@import|<script|<link|<img|<iframe|srcset|\bon\w+=", page)


def test_the_figures_of_the_report_stand_on_the_page(report):
    words = Page(report_page(report)).words
    for figure in (
        f"{report['dispatched']:,}",
        f"{report['cards_per_hour']:,.0f}",
        f"{report['rty']:.2%}",
        f"{report['yearly_capacity'] / 1e6:.2f} M",
        hours_text(report["lead_time_s"]["p95"]),
        f"{report['blanks']['spoiled']:,}",
        f"{report['fpy_by_step']['laminate']:.2%}",
    ):
        assert figure in words
    assert all(name in words for name in report["oee_by_station"])
    for name, parts in report["oee_parts_by_station"].items():
        factors = [f"{parts[one]:.0%}" for one in ("availability", "effectiveness", "quality")]
        assert f"{report['oee_by_station'][name]:.0%} = {' × '.join(factors)}" in words
    for row in report["causes"]:
        assert f"{row['count']:,} · {row['share']:.0%} · {row['cumulated']:.0%}" in words
        assert row["zh"] in words
    assert all(code in words for code in report["refused_by_code"])


def test_chinese_and_english_stand_side_by_side(report):
    words = Page(report_page(report)).words
    for zh, en in [("制证报告", "floor report"), ("空白卡平衡", "Balance of blanks"), ("平压", "laminate")]:
        assert zh in words
        assert en in words


def test_whatever_a_station_or_code_is_called_it_stays_text(report):
    evil = '<script>alert("x")</script>&'
    name = next(iter(report["oee_by_station"]))
    bad = report | {
        "oee_by_station": report["oee_by_station"] | {evil: report["oee_by_station"][name]},
        "stations": report["stations"] | {evil: report["stations"][name]},
        "causes": [{**report["causes"][0], "code": evil, "caused_at": evil, "found_at": evil}],
        "refused_by_code": {evil: 3},
        "spoiled_by_cause": {evil: {evil: 2}},
        "limiting_step": evil,
        "broken": [evil],
    }
    page = Page(report_page(bad))
    assert "script" not in page.tags
    assert page.open == []
    assert page.words.count(evil) >= 4


def test_what_a_demo_adds_is_shown_and_what_is_missing_is_left_out(report):
    plain = Page(report_page(report)).words
    assert "kills" not in plain
    assert "receipts" not in plain
    more = report | {
        "kills": 5,
        "wall_s": 97.4,
        "receipts": {"final": 777, "missing": 1, "double": 2},
        "planted_bad": 18,
        "planted_bad_caught": 17,
        "good_refused": 0,
        "broken": [],
    }
    words = Page(report_page(more)).words
    for told in ("777", "missing 1; 重 double 2", "17/18", "wall 97 s", "Every sum holds"):
        assert told in words


def test_sums_that_do_not_hold_are_named(report):
    words = Page(report_page(report | {"broken": ["open is 3, not 0"]})).words
    assert "open is 3, not 0" in words
    assert "Every sum holds" not in words


def test_the_report_of_an_empty_ledger_is_a_page_too():
    page = Page(report_page(build_report([], 4_000.0)))
    assert page.open == []
    assert page.tags.count("section") == 11


def test_light_dark_and_paper_are_provided_for(report):
    page = report_page(report)
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page


# ---- charts ---------------------------------------------------------------------------------------------------


def rects(svg):
    return [(float(x), float(width)) for x, width in re.findall(r'<rect[^>]* x="([\d.]+)"[^>]* width="([\d.]+)"', svg)]


def test_bars_are_as_long_as_their_values_and_stay_inside_the_picture():
    svg = bars([Bar("a", 10, "10"), Bar("b", 5, "5"), Bar("c", 0, "0")], "t")
    (_, first), (_, second), (_, third) = rects(svg)
    assert (second, third) == (pytest.approx(first / 2, abs=0.1), 0.0)
    assert all(x + width <= 560 for x, width in rects(svg))


def test_a_stack_fills_its_width_in_proportion():
    svg = stack([Bar("a", 1, "1"), Bar("b", 3, "3")], "t")
    parts = [one for one in rects(svg) if one[1] > 10]
    assert parts == [(0.0, 140.0), (140.0, 420.0)]


def test_columns_carry_a_target_line_above_which_a_column_can_rise():
    svg = columns([2_000.0, 500.0], "t", target=1_125.0, target_text="wanted")
    heights = [float(height) for height in re.findall(r'<rect[^>]*height="([\d.]+)"', svg)]
    assert heights[0] == pytest.approx(heights[1] * 4, abs=0.2)
    assert 'class="target"' in svg


def test_dots_stand_further_right_for_a_better_yield_and_1_is_at_the_end():
    svg = dots([Bar("a", 0.97, "97"), Bar("b", 0.99, "99"), Bar("c", 1.0, "100")], "t")
    places = [float(x) for x in re.findall(r'<circle class="a" cx="([\d.]+)"', svg)]
    assert places == sorted(places)
    assert places[2] == 498.0


@pytest.mark.parametrize("most", [0.3, 1, 7, 99, 451, 2_400, 37_800])
def test_ticks_are_round_begin_at_0_and_reach_the_most(most):
    ticks = nice_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert 3 <= len(ticks) <= 7


def test_a_label_that_is_too_wide_ends_in_dots_and_fits():
    assert shortened("电写入 write", 200) == "电写入 write"
    short = shortened("质量检验" * 20, 200)
    assert short.endswith("…")
    assert text_px(short) <= 200


def test_stations_are_in_the_order_of_their_numbers():
    assert sorted(["w10", "w9", "w1", "p2"], key=natural) == ["p2", "w1", "w9", "w10"]


def test_blanks_balance_when_samples_were_taken_sheets_lost_and_spoiled_ones_destroyed(report):
    assert report["blanks"]["difference"] == 0
    moves = [
        StockReceived(1_000, 10, "A", "ann", "bob"),
        BodiesSampled(1_000, 1, "ann", "bob"),
        BodiesLost("", 1_001, 2, "ann", "bob"),
    ]
    blanks = build_report([(float(at), move) for at, move in enumerate(moves)], 4_000.0)["blanks"]
    assert (blanks["received"], blanks["taken"], blanks["remaining"], blanks["difference"]) == (80, 24, 56, 0)
