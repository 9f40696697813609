"""`cardmill check`: the checks alone, without a service, on a file of applications."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from controller.checks.codes import CODES
from controller.checks.errors import TableError
from controller.commandline.options import ConfigPath, JsonPath
from controller.config import Config, ConfigError, load_config
from controller.table_file import read_table

if TYPE_CHECKING:
    from controller.offline.answers import Count
    from controller.offline.package import Opened

AUTHORITIES_MAX_BYTES = 4_000_000  # a table of all counties of the country has 200 KB
BUFFER_BYTES = 1 << 18
TOLD_EVERY = 500  # answers
CODES_SHOWN = 20
VERDICTS = ("ok", "note", "hold", "refuse")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(
    file: Annotated[Path, typer.Argument(help="JSON lines with portraits beside, or a package: docs/offline.md.")],
    authorities: Annotated[
        Path | None, typer.Option(help="CSV `code,name` of counties; else that of [checks] authorities.")
    ] = None,
    pixels: Annotated[
        bool, typer.Option("--pixels/--no-pixels", help="Without: a portrait's header alone is looked at, not itself.")
    ] = True,
    config: ConfigPath = None,
    json: JsonPath = "",
) -> None:
    """Check a file of applications before it is sent. Shape and answers: docs/checking.md."""
    settings = load_config(config)
    table = _authorities(authorities, settings)
    from controller.offline.answers import Count  # these load numpy, which no other command should wait for
    from controller.offline.package import opened
    from controller.offline.run import check_parts

    today = datetime.now().astimezone().strftime("%Y%m%d")
    count = Count()
    with opened(file, anywhere=True) as one, _output(json, file) as out, _progress(one) as tell:
        answers = check_parts(one.parts, one.read_picture, settings, today, authorities=table, pixels=pixels)
        for number, answer in enumerate(answers):
            count.add(answer)
            if out is not None:
                out.write(answer.line() + "\n")
            if number % TOLD_EVERY == 0:
                tell()
    if out is None:
        _show("Verdicts", ("", *VERDICTS), _verdict_rows(count))
        _show("Findings", ("answers", "verdict", "code", "what to do"), _code_rows(count))
        if count.codes:
            print("which applications these are: --json FILE, an answer to each line")


def _authorities(path: Path | None, settings: Config) -> dict[str, str] | None:
    """Give the table that an option or the settings name; None for the shipped one.  Raises: ConfigError."""
    setting = "checks.authorities" if path is None else "--authorities"
    chosen = Path(settings.checks.authorities) if path is None and settings.checks.authorities else path
    if chosen is None:
        return None
    from controller.checks.named_codes import read_authorities  # it builds the table of all characters

    try:
        return dict(read_authorities(read_table(setting, chosen, AUTHORITIES_MAX_BYTES, ConfigError)))
    except TableError as error:
        raise ConfigError(f"{setting}: {chosen}: {error}") from None


def _output(json: str, file: Path) -> AbstractContextManager[TextIO | None]:
    """Open where the answers are written.  Raises: ConfigError: that is the file they answer."""
    if not json:
        return nullcontext(None)
    if json == "-":
        return nullcontext(sys.stdout)
    if os.path.exists(json) and os.path.samefile(json, file):
        raise ConfigError(f"--json {json}: this is the file to be checked; give another one for the answers")
    return Path(json).open("w", encoding="ascii", buffering=BUFFER_BYTES)


@contextmanager
def _progress(one: Opened) -> Iterator[Callable[[], None]]:
    """Show people on standard error how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("checked", total=one.total_bytes or None)
        yield lambda: bars.update(bar, completed=one.done_bytes())


def _verdict_rows(count: Count) -> list[tuple[str, ...]]:
    kinds = (("batches", count.batches), ("applications", count.applications))
    return [(name, *(f"{counted[verdict]:,}" for verdict in VERDICTS)) for name, counted in kinds]


def _code_rows(count: Count) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (f"{answers:,}", CODES[code].severity.name.lower(), code, f"{CODES[code].en} {CODES[code].zh}")
        for code, answers in count.codes.most_common(CODES_SHOWN)
    ]
    left = len(count.codes) - len(rows)
    return [*rows, ("", "", f"… and {left} more", "")] if left > 0 else rows


def _show(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
