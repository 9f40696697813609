"""The command line's andon: what is wrong now, and taking care of it."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command()(alarms)
    app.command()(acknowledge)


def alarms(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """List what is wrong now, the gravest first."""
    show.answer("alarms", ask("alarms", {}, as_name, config, data), json)


def acknowledge(
    key: Annotated[list[str], typer.Argument(help="The alarm's key, as `alarms` shows it, like `station.silent p1`.")],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Take care of an alarm: all see that it is yours. It ends when its cause does."""
    result = ask("acknowledge", {"key": " ".join(key)}, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    over = f", taken over from {result['before']}" if result["before"] else ""
    print(f"{result['key']} is yours{over} 已认领")
