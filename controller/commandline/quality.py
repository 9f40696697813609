"""The command line's quality commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask, looking

StationName = Annotated[str, typer.Argument(help="The station's name, as `stations` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    looking(app, "holds", "Stations that get no work. Why, for how long, by whom, and what has to be done.")
    app.command()(hold)
    app.command()(release)
    app.command("sign-on")(sign_on)


def hold(
    station: StationName,
    code: Annotated[str, typer.Argument(help="A short word that says why: a-z, 0-9, _, . and -")],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Give a station no more work; what it has it finishes."""
    show.done("held", ask("hold", {"station": station, "code": code}, as_name, config, data), json)


def release(
    station: StationName,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Let a held station work again; its charts begin at zero."""
    show.done("released", ask("release", {"station": station}, as_name, config, data), json)


def sign_on(
    station: StationName,
    off: Annotated[bool, typer.Option("--off", help="Sign off whoever works there.")] = False,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Sign on at a station: from now on you work there."""
    args, reach = {"station": station} | ({"operator": ""} if off else {}), (as_name, config, data)
    nobody = off and not json and nobody_at(station, ask("stations", {}, *reach))
    result = ask("sign_on", args, *reach)
    if nobody:
        print(f"nobody was signed on at {station}")
    else:
        show.done("signed off" if off else "signed on", result, json)


def nobody_at(station: str, rows: list[dict[str, Any]]) -> bool:
    """Say whether a station is known and nobody is signed on there."""
    return any(one["station"] == station and not one["operator"] for one in rows)
