"""The command line's cases commands."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.commandline import show
from controller.commandline.completing import return_codes
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask, looking, require_no_person
from controller.core.cases import RETURN_CODES


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    looking(app, "remakes", "Cards made again, and cards that came back. When each is due, the oldest first.")
    app.command("card-back")(card_back)


def card_back(
    acceptance_number: Annotated[str, typer.Argument(help="22 digits")],
    code: Annotated[
        str, typer.Argument(help=f"What is bad about it: {', '.join(RETURN_CODES)}.", autocompletion=return_codes)
    ],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Take back a dispatched card that is bad. It is made again, as its next case, within five days."""
    require_no_person(acceptance_number)
    args = {"acceptance_number": acceptance_number, "code": code}
    show.done("taken back", ask("card_back", args, as_name, config, data), json)
