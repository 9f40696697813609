"""The command line's pages of batches, and of one batch with its cards."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask
from controller.report.text import wrapped

After = Annotated[int, typer.Option(help="Go on behind this, as the page before said at its end.")]


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command("batches")(batches)
    app.command("batch")(batch)


def batches(
    only: Annotated[str, typer.Option(help="open, late, held or closed; left out: all")] = "",
    search: Annotated[str, typer.Option(help="Digits that the batch's number begins with.")] = "",
    limit: Annotated[int, typer.Option(help="Rows, at most 200.")] = 50,
    after: After = 0,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show batches, the newest first. When they are due, how far they are, which are late and why."""
    args = {"only": only, "search": search, "limit": limit, "after": after}
    result = ask("batches", args, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    show.answer("batches", result["rows"], "")
    for row in result["rows"]:
        if row["sentence_en"]:
            print("\n".join(wrapped(row["sentence_en"])))
    _more(result["after"])


def batch(
    batch_number: Annotated[str, typer.Argument(help="The batch's 25 digits, as `batches` shows it.")],
    limit: Annotated[int, typer.Option(help="Cards, at most 500.")] = 100,
    after: After = 0,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show one batch and its cards. Where each is, and what it waits for."""
    args = {"batch_number": batch_number, "limit": limit, "after": after}
    result: dict[str, Any] = ask("batch", args, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    cards, last = result.pop("cards"), result.pop("after")
    told = [result.pop(name) for name in ("sentence_en", "sentence_zh")]
    show.answer("batch", result, "")
    print("\n".join(one for one in told if one))
    show.answer("cards", cards, "")
    _more(last)


def _more(after: int) -> None:
    if after:
        print(f"there are more: --after {after}")
