"""How the command line shows answers: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from controller.commandline import tables
from controller.config import ConfigError
from controller.report.text import wrapped


def answer(title: str, result: Any, json_path: str) -> None:
    """Show what was asked for."""
    if json_path:
        write_json(result, json_path)
    elif isinstance(result, list):
        _rows(title, result)
    elif isinstance(result, dict):
        _fields(title, result)
    else:
        print(result)


def done(what: str, result: Any, json_path: str) -> None:
    """Say that something was done, with the numbers it got."""
    if json_path:
        write_json(result, json_path)
        return
    numbers = ", ".join(
        f"{tables.heading(name)} {tables.reading(name, value)}" for name, value in (result or {}).items()
    )
    print(f"{what}{': ' if numbers else ''}{numbers}")


def write_json(result: Any, path: str) -> None:
    """Write JSON to a file, `-` for standard output."""
    text = json.dumps(result, ensure_ascii=False, indent=2, sort_keys=True)
    if path == "-":
        sys.stdout.write(text + "\n")
    else:
        Path(path).write_text(text + "\n", "utf-8")


def endpoint(folder: Path, door: str) -> str:
    """Give where a running service is bound to.  Raises: ConfigError when none ever ran on this folder."""
    return str(_bound(folder, door))


def is_insecure(folder: Path) -> bool:
    """Say whether the service that ran last on a folder has plain sockets."""
    try:
        return _bound(folder, "insecure") is True
    except ConfigError:  # none ran, or one that had no such setting
        return False


def _bound(folder: Path, name: str) -> object:
    path = folder / "endpoints.json"
    try:
        found: object = json.loads(path.read_text("utf-8"))[name]
    except FileNotFoundError:
        raise ConfigError(f"no service ever ran on {folder}: start it with `cardmill serve`") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} cannot be read: start the service again") from None
    return found


def _rows(title: str, rows: list[Any]) -> None:
    if not rows:
        print(f"{title}: none")
        return
    print(f"\n{title}")
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    chosen = tables.columns(title, rows)
    for column in chosen:
        side: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.heading, justify=side, overflow="fold", no_wrap=not column.folds)
    for row in rows:
        table.add_row(*(Text(column.cell(row)) for column in chosen))  # never markup: people type some of it
    _print(table)
    for note in tables.notes(title, rows):
        print("\n".join(wrapped(note)))


def _fields(title: str, answered: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("value", overflow="fold")
    lists = {}
    for name, value in tables.fields(title, answered).items():
        if isinstance(value, list) and (not value or isinstance(value[0], dict)):
            lists[name] = value
        else:
            table.add_row(tables.heading(name), Text(tables.reading(name, value)))
    print(title)
    if table.row_count:
        _print(table)
    for name, rows in lists.items():
        _rows(name, rows)


def _print(table: Table) -> None:
    """Print a table without the blanks rich fills its lines up with."""
    console = Console(file=StringIO(), width=Console().width, force_terminal=False)
    console.print(table)
    assert isinstance(console.file, StringIO)
    print("\n".join(line.rstrip() for line in console.file.getvalue().splitlines()))
