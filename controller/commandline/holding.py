"""The command line's holds of cards and batches, and express asked for by the centre."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.commandline import show
from controller.commandline.many import Cards, FromPath, act_on, chosen
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask

Code = Annotated[str, typer.Argument(help="A short word that says why: a-z, 0-9, _, . and -")]
BatchNumber = Annotated[str, typer.Argument(help="The batch's 25 digits, as `batches` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command("card-holds")(card_holds)
    app.command("hold-card")(hold_card)
    app.command("release-card")(release_card)
    app.command("hold-batch")(hold_batch)
    app.command("release-batch")(release_batch)
    app.command("express")(express)


def card_holds(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """Cards and batches that people hold. Why, for how long, by whom."""
    result = ask("card_holds", {}, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    show.answer("batches held", result["batches"], "")
    show.answer("cards held", result["cards"], "")


def hold_card(
    code: Code,
    cards: Cards = None,
    from_path: FromPath = "",
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Hold cards. They go on no sheet, into no bundle and leave not, until somebody releases them."""
    act_on("hold_card", "held", {"code": code}, chosen(cards, from_path), (as_name, config, data), json)


def release_card(
    cards: Cards = None,
    from_path: FromPath = "",
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Let held cards go on."""
    act_on("release_card", "released", {}, chosen(cards, from_path), (as_name, config, data), json)


def hold_batch(
    batch_number: BatchNumber,
    code: Code,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Hold a whole batch. What is on a sheet goes on with it; nothing else begins and nothing leaves."""
    args = {"batch_number": batch_number, "code": code}
    show.done("held", ask("hold_batch", args, as_name, config, data), json)


def release_batch(
    batch_number: BatchNumber,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Let a held batch go on. Cards of it that are held by themselves stay held."""
    show.done("released", ask("release_batch", {"batch_number": batch_number}, as_name, config, data), json)


def express(
    reason: Annotated[str, typer.Option(help="A short word that says why; it stays in the audit.")],
    cards: Cards = None,
    from_path: FromPath = "",
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Let cards that are on no sheet yet go before the others. They are due in three working days at the latest."""
    act_on("express", "express", {"reason": reason}, chosen(cards, from_path), (as_name, config, data), json)
