"""A question that takes its time: asked once, then by its ticket, with a bar, until it is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from controller.commandline import options
from controller.forecasting.settings import RUNS_MAX, RUNS_MIN

WITHIN_S = 60.0  # real seconds of silence: the service says every second how far it is
RUNS = 200
RunsOption = Annotated[
    int, typer.Option("--runs", help="Runs of the floor, each from another seed.", min=RUNS_MIN, max=RUNS_MAX)
]
Reach = tuple[str, Path | None, Path | None]  # who, settings, data folder


def answer_of(verb: str, args: dict[str, Any], reach: Reach) -> dict[str, Any]:
    """Give the whole answer of a verb that says `running` until it has one.

    Raises: ClientError, ConfigError, LinkError.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        options.line(*reach, WITHIN_S) as client,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars,
    ):
        found: dict[str, Any] = client.command(verb, **args)
        again = {name: args[name] for name in ("batch",) if name in args}
        task = bars.add_task("runs", total=found["of_runs"] or None)
        while found["running"]:
            bars.update(task, completed=found["done_runs"], total=found["of_runs"])
            found = client.command(verb, ticket=found["ticket"], **again)
    return found


def made_text(made: dict[str, Any]) -> str:
    """Say how an answer was made."""
    short = f" of {made['asked_runs']:,}" if made["runs"] < made["asked_runs"] else ""
    return f"{made['runs']:,}{short} runs of the floor after move {made['seq']:,}, made in {made['took_s']:,.1f} s"
