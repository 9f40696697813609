"""The command line's status and report: short for a screen, whole as JSON, with charts as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask
from controller.report.page import report_page
from controller.report.text import report_lines, status_lines


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
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it with its charts as one page, to be printed.")
    ] = None,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Give the report of everything since the ledger began."""
    found = ask("report", {}, as_name, config, data)
    if html:
        html.write_text(report_page(found), "utf-8")
        print(f"written: {html}")
    if json:
        show.write_json(found, json)
    elif not html:
        print("\n".join(report_lines(found)))
