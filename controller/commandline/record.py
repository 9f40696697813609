"""The command line's looks through the running service at the record, at the keys it knows, and at its settings."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask, looking

PAGE = 200


def add_to(app: typer.Typer, audit: typer.Typer, keys: typer.Typer) -> None:
    """Add this room's commands."""
    looking(app, "settings", "Every setting with its unit; what was changed.")
    audit.command("recent")(recent)
    keys.command("known")(known)


def recent(
    group: Annotated[str, typer.Option(help="What it is about: people, acts, stock, looks, denied …")] = "people",
    by: Annotated[str, typer.Option(help="Of this person alone.")] = "",
    before: Annotated[int, typer.Option(min=0, help="Older than this number; 0: the newest.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=PAGE, help="Rows.")] = 50,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show who did what last, as the running service tells it; `audit verify` proves it."""
    args: dict[str, Any] = {"group": group, "by": by, "before": before, "limit": limit}
    found = ask("audit", args, as_name, config, data)
    if json:
        show.write_json(found, json)
        return
    show.answer("audit", found["rows"], "")
    if found["older"]:
        print(f"older ones: --before {found['older']}")


def known(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """Show the keys the running service lets in, by fingerprint; `keys list` reads the folder."""
    show.answer("keys", ask("keys", {}, as_name, config, data), json)
