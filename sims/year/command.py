"""`cardmill-sim year`: the year with its ledger, the floor once more alone, a report of both, and the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from controller.config import Config, load_config
from controller.core.settings import CalendarConfig
from controller.report.year_file import write_year_report
from sims.year.days import YEAR
from sims.year.errors import YearError
from sims.year.run import CoreRan, Ran, Sight, Year, run_core, run_year

CONFIG_NAME = "config.toml"


def run_command(cards: int, seed: int, out: Path | None, json_path: str, config: Config) -> int:
    """Do what `cardmill-sim year` says; give its exit code.  Raises: YearError, OSError."""
    if json_path not in ("", "-") and (Path(json_path).is_dir() or not Path(json_path).absolute().parent.is_dir()):
        raise YearError(f"--json {json_path}: wanted is a file in a folder that is there; make the folder first")
    console, year = Console(stderr=True), Year(cards=cards, seed=seed, config=config)
    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(TemporaryDirectory(prefix="cardmill-year-")))
        folder.mkdir(parents=True, exist_ok=True)
        ran, core = run_both(year, folder, console)
        if out is not None:
            _write_report(folder, ran, console)
    result = result_of(ran, core)
    console.print(table_of(result, ran))
    for sentence in ran.sentences:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if core.digest != ran.found.head:
        console.print(f"the floor alone reached another digest: {core.digest}", highlight=False)
    _write(result, json_path)
    return int(bool(ran.violations) or core.digest != ran.found.head)


def run_both(year: Year, folder: Path, console: Console) -> tuple[Ran, CoreRan]:
    """Run the year with its ledger, and then the floor alone.  Raises: YearError."""
    with _bar(console, "year, cards dispatched") as sight:
        ran = run_year(year, folder, sight)
    (folder / CONFIG_NAME).write_text(config_text(ran.config), encoding="utf-8")
    with _bar(console, "floor alone, cards accepted") as sight:
        core = run_core(year, sight)
    return ran, core


def _write_report(folder: Path, ran: Ran, console: Console) -> None:
    """Write the year's report, as it is written of any ledger."""
    constants = {
        "floor": "the default one of docs/simulated-floor.md",
        "demand, people, wear": "ours, see docs/year.md",
    }
    config = load_config(folder / CONFIG_NAME)
    page, tables = folder / "year.html", folder / "year.csv"
    with console.status("the year's report") if console.is_terminal else nullcontext():
        write_year_report(folder, YEAR, page, config, normal=ran.days.normal, constants=constants, csv=tables)
    console.print(f"the report: {page}", highlight=False, soft_wrap=True)


def result_of(ran: Ran, core: CoreRan) -> dict[str, Any]:
    """Give the JSON object."""
    found = ran.found.figures
    return {
        "cards": int(found["cards"]),
        "sheets": int(found["sheets"]),
        "moves": ran.found.moves,
        "wall_s": round(ran.wall_s, 3),
        "rss_peak_mib": round(max(ran.rss_peak_mib, core.rss_peak_mib), 1),
        "digest": ran.found.head,
        "violations": ran.violations + int(core.digest != ran.found.head),
        "made": int(found["made"]),
        "remade": int(found["remade"]),
        "spoiled": int(found["spoiled"]),
        "lead_p95_days": round(found["lead_p95_days"], 4),
        "core_sheets_per_s": round(core.sheets / core.wall_s, 1),
    }


def table_of(result: dict[str, Any], ran: Ran) -> Table:
    """Give the figures for people."""
    table = Table("figure", "value", title="a year of a province" if ran.found.figures["open"] == 0 else "an open year")
    for name, value in result.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if not isinstance(value, str) else value)
    figures = ran.found.figures
    for name in ("received", "refused", "cancelled", "refused_late", "dispatched", "open"):
        table.add_row(name.replace("_", " "), f"{int(figures.get(name, 0)):,}")
    table.add_row("CPU s of the floor, of the ledger", f"{ran.cpu_s:,.0f}, {ran.found.cpu_s:,.0f}")
    table.add_row("events", f"{ran.found.events:,}")
    table.add_row("days whose moves were folded again", f"{ran.refolded_days}")
    table.add_row("overtime of the whole year", ", ".join(day.isoformat() for day in ran.days.overtime))
    return table


def config_text(config: Config) -> str:
    """Give the settings file by which the readers of a year's ledger read it as it was written."""
    lines = [f"{one.name} = {_toml(getattr(config.calendar, one.name))}" for one in fields(CalendarConfig)]
    return "\n".join(["[clock]", "simulated = true", "", "[calendar]", *lines, ""])


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write(result: dict[str, Any], json_path: str) -> None:
    text = json.dumps(result, indent=1) + "\n"
    if json_path == "-":
        sys.stdout.write(text)
    elif json_path:
        Path(json_path).write_text(text, "utf-8")


@contextmanager
def _bar(console: Console, what: str) -> Iterator[Sight]:
    """Give what shows progress and the time that is left on a terminal, and nothing elsewhere."""
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        *(TimeElapsedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def sight(done: int, of: int) -> None:
            progress.update(task, completed=min(done, of), total=of)

        yield sight
