"""The command line's review desk: the queue of doubtful applications, and a look at one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.commandline import show, tables
from controller.commandline.options import AsName, CardName, ConfigPath, DataPath, JsonPath, ask, card_number, looking
from controller.report.text import wrapped


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    looking(app, "review", "Held applications: what is doubtful, who may act.")
    app.command("look")(_look)


def _look(
    card: CardName,
    reason: Annotated[str, typer.Option(help="Why you look; it stays in the audit with your name.")],
    field: Annotated[list[str] | None, typer.Option(help="Show this field; else those that are doubtful.")] = None,
    portrait: Annotated[Path | None, typer.Option(help="Write the portrait, a JPEG, to this file.")] = None,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show what is doubtful about a held application.

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
    print(f"waits for {tables.age(result['age_s'])}, for {'two people' if result['people'] == 2 else 'one person'}")
    if result["proposed_by"]:
        print(f"act {result['act_id']} was proposed by {result['proposed_by']}")
    if result["rivals"]:
        show.answer("rivals", result["rivals"], "")
    print(tables.way_out(result))
