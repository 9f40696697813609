"""The verb `report`: everything since the ledger began, or a shift, a day, a month or a year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import msgspec
import trio

from controller.core.calendar import calendar_of
from controller.desk.desk import Args, BadArgument, Desk
from controller.report.figures import build_report
from controller.report.span import KINDS, SHIFT, YEAR, Span, span_of, whole_day
from controller.report.span_build import build_span_report
from controller.report.span_report import SpanReport
from controller.report.year_build import build_year_report, constants_of
from controller.report.year_report import YearReport

DAY_WORDS = "a day like 2026-03-02"
YEARS = range(1970, 9_000)  # beyond them a calendar that looks ahead comes to the end of all dates


async def report(desk: Desk, user: str, args: Args) -> Any:
    """Give the report: without `span` the whole one, else that of a span by `date` and `shift`."""
    calendar = calendar_of(desk.core.calendar)
    if not args.get("span"):
        return await trio.to_thread.run_sync(build_report, desk.ledger.replay(), desk.yearly_hours, calendar)
    now = desk.clock.now_floor_s()
    span = span_in(desk, args, now)
    look: Callable[[], SpanReport | YearReport] = partial(
        build_span_report, desk.ledger.reading, span, calendar, now, look=trio.from_thread.check_cancelled
    )
    if span.kind == YEAR:
        look = _of_year(desk, span, now)
    found = await desk.flights.share(("report", span.kind, span.name), look)
    return msgspec.to_builtins(found)


def _of_year(desk: Desk, span: Span, now_floor_s: float) -> Callable[[], YearReport]:
    return partial(
        build_year_report,
        desk.ledger.reading,
        span,
        desk.core.calendar,
        now_floor_s,
        simulated=desk.simulated,
        constants=constants_of(desk.config) if desk.simulated else None,
        look=trio.from_thread.check_cancelled,
    )


def span_in(desk: Desk, args: Args, now_floor_s: float) -> Span:
    """Give the span that arguments name.  Raises: BadArgument."""
    kind, number = args.get("span"), args.get("shift", 0)
    if kind not in KINDS:
        raise BadArgument("span", ", ".join(KINDS))
    if type(number) is not int or not 0 <= number <= 99 or (number and kind != SHIFT):
        raise BadArgument("shift", "a number from 1, of a shift alone")
    try:
        return span_of(kind, _day(args, kind), number, desk.core.calendar, now_floor_s)
    except ValueError as error:
        raise BadArgument("shift", str(error)) from None


def _day(args: Args, kind: str) -> date | None:
    said = args.get("date", "")
    if said == "":
        return None
    try:
        if not isinstance(said, str):
            raise ValueError(said)
        day = date.fromisoformat(said + whole_day(kind, said))
        if day.year not in YEARS:
            raise ValueError(said)
        return day
    except ValueError:
        raise BadArgument("date", DAY_WORDS) from None
