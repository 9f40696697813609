"""Reports: of a shift, a day, a month, a year, the campaign or everything, as a page to be printed, and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from markupsafe import escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from controller.campaign.page import TABLE_STYLE, campaign_page
from controller.campaign.sheet import campaign_csv
from controller.console.console import Console
from controller.console.guard import Person
from controller.console.long_looks import FRESH_S, LongLooks
from controller.console.words import Say, say_in
from controller.core.settings import CalendarConfig
from controller.report import span_page, year_page
from controller.report.page import STYLE, report_page
from controller.report.span import (
    DAY,
    KINDS,
    MONTH,
    SHIFT,
    YEAR,
    Span,
    floor_day,
    shift_times,
    span_of,
    whole_day,
    year_span,
)
from controller.report.span_report import SpanReport
from controller.report.year_report import YearReport

VERB, WHOLE, CAMPAIGN = "report", "whole", "campaign"
DAYS_LISTED, MONTHS_LISTED, YEARS_LISTED = 7, 6, 2
KEPT_S = 600.0  # real seconds for which the report of a span that is over is kept
ON_TOP = (
    ".above{display:flex;flex-wrap:wrap;gap:4px 20px;margin:0 0 12px}.above a{color:var(--a)}"
    "@media print{.above{display:none}}"
)
SHEETS = {
    "span": span_page.STYLE_SHEET + ON_TOP,
    YEAR: year_page.STYLE_SHEET + ON_TOP,
    WHOLE: STYLE + ON_TOP,
    CAMPAIGN: STYLE + TABLE_STYLE + ON_TOP,
}


class Wanted(NamedTuple):
    """Which report: a kind, and for a shift, day, month or year which one."""

    kind: str
    span: Span | None = None
    day: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        """Give its name for people."""
        return self.span.name if self.span else ""

    def query(self) -> str:
        """Give what a link to it says."""
        asked = {"span": self.kind, "date": self.day, "shift": self.number or ""}
        return urlencode({name: value for name, value in asked.items() if value})

    def args(self) -> dict[str, Any]:
        """Give the verb's arguments."""
        if not self.span:
            return {}
        return {"span": self.kind, "date": self.day} | ({"shift": self.number} if self.number else {})


def routes(console: Console) -> list[Route]:
    """Give `/reports`, one report as page, saved page and CSV, and the style sheet of the pages."""
    looks = LongLooks(console.nursery)

    async def choose(request: Request) -> Response:
        person = await _person(console, request)
        values = listed(console.desk.core.calendar, console.desk.clock.now_floor_s())
        return console.page(request, "reports.html", person, **values, wrong=False)

    async def show(request: Request) -> Response:
        person = await _person(console, request)
        now, calendar = console.desk.clock.now_floor_s(), console.desk.core.calendar
        wanted = read_wanted(request.query_params, calendar, now)
        if wanted is None or not console.may(person, verb_of(wanted)):
            return console.page(request, "reports.html", person, status=400, **listed(calendar, now), wrong=True)
        is_over = wanted.span is not None and wanted.span.end_floor_s <= now
        ask = partial(console.ask, person, verb_of(wanted), **wanted.args())
        found = await looks.at(wanted.query(), ask, KEPT_S if is_over else FRESH_S)
        form = request.path_params.get("form", "")
        if found is None:
            return _coming(console, request, person, wanted)
        if request.headers.get("HX-Request") == "true":
            return Response(headers={"HX-Redirect": f"/reports/show?{wanted.query()}"})
        language = console.pages.language_of(request)
        return answer_in(form, wanted, found, language)

    async def style(request: Request) -> Response:
        if request.path_params["sheet"] not in SHEETS:
            raise HTTPException(404)
        return Response(SHEETS[request.path_params["sheet"]], media_type="text/css")

    return [
        Route("/reports", choose),
        Route("/reports/show", show),
        Route("/reports/show.{form:str}", show),
        Route("/static/report-{sheet:str}.css", style),
    ]


async def _person(console: Console, request: Request) -> Person:
    """Give who asks, if a report may be seen."""
    person = await console.person(request)
    if not console.may(person, VERB):
        raise HTTPException(403)
    return person


def verb_of(wanted: Wanted) -> str:
    """Give the verb that gives a report."""
    return CAMPAIGN if wanted.kind == CAMPAIGN else VERB


def _coming(console: Console, request: Request, person: Person, wanted: Wanted) -> Response:
    """Give the page that says that it is being added up, and comes back; of a poll, nothing new."""
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=204)
    return console.page(request, "report_coming.html", person, wanted=wanted, path_of=request.url.path)


def answer_in(form: str, wanted: Wanted, found: Any, language: str) -> Response:
    """Give a report in a form: nothing for the page, `html` to be saved, `csv`.  Raises: HTTPException."""
    page, table = _shapes(wanted, found, language)
    if form == "csv" and table is not None:
        return _file(table(), "text/csv", f"{_file_name(wanted)}.csv")
    if form == "html":
        return _file(page().encode(), "text/html", f"{_file_name(wanted)}.html")
    if form:
        raise HTTPException(404)
    sheet = wanted.kind if wanted.kind in SHEETS else "span"
    above = _above(wanted, say_in(language), table is not None)
    style = f'<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/report-{sheet}.css">'
    return HTMLResponse(page(style=style, above=above))


def _shapes(wanted: Wanted, found: Any, language: str) -> tuple[Callable[..., str], Callable[[], bytes] | None]:
    """Give what makes the page of a report, and what makes its CSV, if it has one."""
    if wanted.kind == CAMPAIGN:
        return partial(campaign_page, found), partial(campaign_csv, found)
    if wanted.kind == WHOLE:
        return partial(report_page, found), None
    if wanted.kind == YEAR:
        year = msgspec.convert(found, YearReport)
        return partial(year_page.html, year, language), partial(year_page.csv, year, language)
    report = msgspec.convert(found, SpanReport)
    return partial(span_page.html, report, language), partial(span_page.csv, report, language)


def _file(body: bytes, kind: str, name: str) -> Response:
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _file_name(wanted: Wanted) -> str:
    return "-".join(["report", wanted.kind, *([wanted.name.replace("/", "-")] if wanted.name else [])])


def _above(wanted: Wanted, say: Say, has_csv: bool) -> str:
    """Give the way back and the files, as markup that is not printed."""
    query = escape(wanted.query())
    links = [("/reports", "reports.back"), (f"/reports/show.html?{query}", "reports.save")]
    links += [(f"/reports/show.csv?{query}", "reports.csv")] if has_csv else []
    shown = "".join(f'<a href="{href}">{escape(say(word))}</a>' for href, word in links)
    return f'<nav class="above">{shown}</nav>'


def read_wanted(sent: Mapping[str, str], calendar: CalendarConfig, now_floor_s: float) -> Wanted | None:
    """Give the report that a query names, None where there is no such."""
    kind, number, day = sent.get("span", ""), sent.get("shift", "") or "0", sent.get("date", "")[:10]
    if kind in (WHOLE, CAMPAIGN):
        return Wanted(kind)
    if kind not in KINDS or not (number.isascii() and number.isdigit() and len(number) < 3):
        return None
    shift = int(number) if kind == SHIFT else 0
    try:
        named = day + whole_day(kind, day)
        span = span_of(kind, date.fromisoformat(named) if day else None, shift, calendar, now_floor_s)
    except (ValueError, OverflowError):
        return None
    return wanted_of(span)


def wanted_of(span: Span) -> Wanted:
    """Give the report of a span by its own name, so that whoever asks for the same gets the same."""
    day, _, number = span.name.partition("/")
    return Wanted(span.kind, span, day, int(number or 0))


def listed(calendar: CalendarConfig, now_floor_s: float) -> dict[str, Any]:
    """Give the shifts, days, months and years before now that have begun, the last one first."""
    today = floor_day(now_floor_s)
    days = [today - timedelta(days=back) for back in range(DAYS_LISTED)]
    numbers = range(1, len(shift_times(calendar)) + 1)
    shifts = [span_of(SHIFT, day, number, calendar, now_floor_s) for day in days for number in reversed(numbers)]
    month, months = today.replace(day=1), []
    for _ in range(MONTHS_LISTED):
        months.append(span_of(MONTH, month, 0, calendar, now_floor_s))
        month = (month - timedelta(days=1)).replace(day=1)
    return {
        "shifts": [wanted_of(span) for span in shifts if span.begin_floor_s <= now_floor_s],
        "days": [wanted_of(span_of(DAY, day, 0, calendar, now_floor_s)) for day in days],
        "months": [wanted_of(span) for span in months],
        "years": [wanted_of(year_span(today.year - back)) for back in range(YEARS_LISTED)],
        "numbers": list(numbers),
        "today": today.isoformat(),
        "now_floor_s": now_floor_s,
    }
