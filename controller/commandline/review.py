"""The command line's review desk: the queue of doubtful applications, and a look at one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from controller.commandline import show, tables
from controller.commandline.options import AsName, CardName, ConfigPath, DataPath, JsonPath, ask, card_number, looking
from controller.core.cards import State
from controller.report.text import wrapped


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    looking(app, "review", "Held applications: what is doubtful, who may act.")
    app.command("look")(_look)


def _look(
    card: CardName,
    reason: Annotated[str, typer.Option(help="Why you look; it stays in the audit with your name.")],
    field: Annotated[list[str] | None, typer.Option(help="Show this field; else those in doubt.")] = None,
    portrait: Annotated[Path | None, typer.Option(help="Write the portrait, a JPEG, to this file.")] = None,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show a card's fields, of a held one those in doubt.

    Each look is recorded in the audit, with your name and the reason.
    """
    number = card_number(card, as_name, config, data)
    args = {"card": number, "reason": reason, "fields": field or [], "portrait": portrait is not None}
    result = ask("look", args, as_name, config, data)
    picture = result.pop("portrait")
    if portrait is not None:
        portrait.write_bytes(picture)
    if json:
        show.write_json(result, json)
        return
    for code, text in zip(result["codes"], result["texts"], strict=True):
        print("\n".join(wrapped(f"{code}: {text}")))
    for name, value in result["shown"].items():
        print(f"  {name}: {value}")
    if picture:
        print(f"  portrait: {len(picture):,} bytes{f', written to {portrait}' if portrait else ': --portrait FILE'}")
    if result["rivals"]:
        show.answer("rivals", result["rivals"], "")
    _tell_standing(result)


def _tell_standing(row: dict[str, Any]) -> None:
    """Say what a card waits for and what ends it; of one that waits for nobody its state alone."""
    if row["state"] not in (State.HELD, State.STOPPED):
        print(f"{row['state']}: nobody has to decide about it")
        return
    print(f"waits for {tables.age(row['age_s'])}, for {'two people' if row['people'] == 2 else 'one person'}")
    if row["proposed_by"]:
        print(f"act {row['act_id']} was proposed by {row['proposed_by']}")
    print(tables.way_out(row))
