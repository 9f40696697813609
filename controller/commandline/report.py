"""The command line's status and report: short for a screen, whole as JSON, with charts as a page, and as CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any

import msgspec
import typer

from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask
from controller.config import ConfigError
from controller.report import span_page, year_page
from controller.report.page import report_page
from controller.report.span import KINDS, YEAR
from controller.report.span_report import SpanReport
from controller.report.span_text import span_lines
from controller.report.span_words import LANGUAGES, ZH
from controller.report.text import report_lines, status_lines
from controller.report.year_report import YearReport
from controller.report.year_text import year_lines

CAMPAIGN = "campaign"
SPAN_WITHIN_S = 900.0  # real seconds of silence: a year of a large centre is read in one go


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command()(status)
    app.command()(report)


def status(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """Say how far everything is. What starves comes first, then the last hour beside what is there now."""
    found = ask("status", {}, as_name, config, data)
    if json:
        show.write_json(found, json)
    else:
        print("\n".join(status_lines(found)))


def report(
    span: Annotated[
        str, typer.Argument(help="shift, day, month, year or campaign; without it everything since the ledger began.")
    ] = "",
    date: Annotated[str, typer.Option("--date", help="A day like 2026-03-02, else today; 2026-03, or 2026.")] = "",
    shift: Annotated[int, typer.Option("--shift", min=0, help="Its number on that day, 1 the first.")] = 0,
    html: Annotated[
        Path | None, typer.Option("--out", "--html", help="Write it with its charts as one page, to be printed.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write its tables for a spreadsheet.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
    lang: Annotated[str, typer.Option("--lang", help="zh or en, of a shift, day, month or year.")] = ZH,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Give the report of a shift, day, month, year or the campaign. Without a span, of everything."""
    _check(span, date, shift, csv, lang)
    found, shapes = _found(span, date, shift, lang, as_name, config, data)
    if open_it and html is None:
        html = _page_to_open(span)
    if html:
        html.write_text(shapes.page(), "utf-8")
        print(f"written: {html}")
    if csv:
        csv.write_bytes(shapes.csv())
        print(f"written: {csv}")
    if json:
        show.write_json(found, json)
    elif not (html or csv):
        print("\n".join(shapes.lines()))
    if open_it and html:
        typer.launch(html.absolute().as_uri())


class _Shapes(msgspec.Struct, frozen=True):
    """How one report is written: as a page, for a spreadsheet, for a screen."""

    page: Callable[[], str]
    csv: Callable[[], bytes]
    lines: Callable[[], list[str]]


def _check(span: str, date: str, shift: int, csv: Path | None, lang: str) -> None:
    """Refuse what does not go together.  Raises: ConfigError."""
    if span and span not in (*KINDS, CAMPAIGN):
        raise ConfigError(f"{span!r} is no span: say {', '.join(KINDS)} or {CAMPAIGN}")
    if lang not in LANGUAGES:
        raise ConfigError(f"--lang {lang!r}: there are {' and '.join(LANGUAGES)}")
    if shift and span != "shift":
        raise ConfigError("--shift goes with a report of a shift: `cardmill report shift`")
    if not span and (date or csv):
        raise ConfigError("--date and --csv go with a span: shift, day, month, year or campaign")


def _found(
    span: str, date: str, shift: int, lang: str, as_name: str, config: Path | None, data: Path | None
) -> tuple[Any, _Shapes]:
    if not span:
        whole = ask("report", {}, as_name, config, data)
        return whole, _Shapes(lambda: report_page(whole), bytes, lambda: report_lines(whole))
    if span == CAMPAIGN:
        month = {"from": date[:7], "to": date[:7]} if date else {}
        return _campaign(ask("campaign", month, as_name, config, data))
    args: dict[str, Any] = {"span": span}
    args |= {"date": date} if date else {}
    args |= {"shift": shift} if shift else {}
    found = ask("report", args, as_name, config, data, SPAN_WITHIN_S)
    if span == YEAR:
        year = msgspec.convert(found, YearReport)
        return found, _Shapes(
            lambda: year_page.html(year, lang), lambda: year_page.csv(year, lang), lambda: year_lines(year, lang)
        )
    one = msgspec.convert(found, SpanReport)
    shapes = _Shapes(lambda: span_page.html(one, lang), lambda: span_page.csv(one, lang), lambda: span_lines(one, lang))
    return found, shapes


def _campaign(found: Any) -> tuple[Any, _Shapes]:
    from controller.campaign.page import campaign_page
    from controller.campaign.sheet import campaign_csv

    total = found["total"]
    line = f"{found['from']} … {found['to']}: {total['completed']:,} / {total['target']:,} 完成 completed"
    shapes = _Shapes(
        lambda: campaign_page(found), lambda: campaign_csv(found), lambda: [line, "tables: `cardmill campaign`"]
    )
    return found, shapes


def _page_to_open(span: str) -> Path:
    """Give a file of its own for a page that is only looked at."""
    with NamedTemporaryFile(prefix=f"cardmill-{span or 'report'}-", suffix=".html", delete=False) as file:
        return Path(file.name)
