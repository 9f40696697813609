"""The command line's rights: who may what, who you are, and a role that is taken in an emergency."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from controller.commandline import show
from controller.commandline.completing import glass_reasons, person_roles
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask
from controller.core.break_glass import REASONS
from controller.rights import ROLES

ANY = "任一角色 any role"


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command()(rights)
    app.command("break-glass")(break_glass)


def rights(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """Show who may do what, and what you may."""
    found = ask("rights", {}, as_name, config, data)
    if json:
        show.write_json(found, json)
    else:
        print_rights(found, Console())


def break_glass(
    role: Annotated[str, typer.Argument(help=f"One of: {', '.join(ROLES)}.", autocompletion=person_roles)],
    reason: Annotated[str, typer.Argument(help=f"One of: {', '.join(REASONS)}.", autocompletion=glass_reasons)],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Take a role for an hour in an emergency, alone. It is an alarm, and stays in the audit; for administrators."""
    result = ask("break_glass", {"role": role, "reason": reason}, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    print(f"you have the role {role} for an hour of the floor; everybody sees it, and two-person acts still take two")


def print_rights(found: dict[str, Any], console: Console) -> None:
    """Print the table, marked where you may, and who you are."""
    console.print(f"你是 you are {found['you']}: {', '.join(found['roles']) or 'no role 无角色'}", highlight=False)
    for role, left_s in found["taken"].items():
        console.print(f"  ! {role} 紧急取用 taken in an emergency, {left_s / 60:.0f} min left", highlight=False)
    console.print(_table(("", "动作\nverb", "角色\nroles"), map(_verb_row, found["verbs"])))
    console.print(_table(("", "双人操作\nact", "提出\npropose", "同意\nsecond"), map(_act_row, found["acts"])))
    console.print("* 你可以 you may; 1 提出 propose it, 2 同意 agree to it", highlight=False)


def _verb_row(row: dict[str, Any]) -> tuple[str, ...]:
    roles = ANY if len(row["roles"]) == len(ROLES) else ", ".join(row["roles"])
    return ("*" if row["may"] else "", row["verb"], roles)


def _act_row(row: dict[str, Any]) -> tuple[str, ...]:
    marks = f"{'1' if row['may_propose'] else ''}{'2' if row['may_second'] else ''}"
    return (marks, row["act"], ", ".join(row["propose"]), ", ".join(row["second"]))


def _table(columns: tuple[str, ...], rows: Any) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
