"""How the command line shows answers: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from controller.config import ConfigError

MAX_COLUMNS = 12


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
    numbers = ", ".join(f"{name} {value}" for name, value in (result or {}).items())
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
    path = folder / "endpoints.json"
    try:
        found = json.loads(path.read_text("utf-8"))[door]
    except FileNotFoundError:
        raise ConfigError(f"no service ever ran on {folder}: start it with `cardmill serve`") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path} cannot be read: start the service again") from None
    return str(found)


def _rows(title: str, rows: list[Any]) -> None:
    if not rows:
        print(f"{title}: none")
        return
    table = Table(title=title)
    names = list(rows[0])[:MAX_COLUMNS]
    for name in names:
        table.add_column(name)
    for row in rows:
        table.add_row(*(Text(_text(row.get(name))) for name in names))  # never markup: people type some of it
    Console().print(table)


def _fields(title: str, fields: dict[str, Any], prefix: str = "") -> None:
    table = Table(title=title, show_header=False)
    table.add_column("name")
    table.add_column("value")
    lists = {}
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lists[name] = value
        else:
            table.add_row(name, Text(_text(value)))
    Console().print(table)
    for name, rows in lists.items():
        _rows(name, rows)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)
