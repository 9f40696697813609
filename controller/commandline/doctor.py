"""The command `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.commandline import show
from controller.commandline.options import ConfigPath, DataPath, JsonPath
from controller.commandline.which_folder import data_folder
from controller.config import load_config

SIGNS = {"ok": "  ok     ", "warning": "  WARNING", "wrong": "  WRONG  "}
UNWELL = 1


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(doctor)


def doctor(
    backups: Annotated[Path | None, typer.Option(help="Where backups are kept, to say how old the newest is.")] = None,
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Look at everything a start needs; say what is wrong.

    It looks at data folder, disk, keys, databases, clock and ports, says what to do, and writes nothing.
    """
    from controller.doctor.doctor import examine, is_well

    findings = examine(load_config(config), data_folder(config, data), backups)
    if json:
        rows = [{"about": one.about, "verdict": one.verdict.value, "text": one.text} for one in findings]
        show.write_json({"well": is_well(findings), "findings": rows}, json)
    else:
        for one in findings:
            print(f"{SIGNS[one.verdict]}  {one.about}: {one.text}")
        print("nothing is wrong" if is_well(findings) else "something is wrong: see above")
    if not is_well(findings):
        raise typer.Exit(UNWELL)
