"""One command about many cards: read from a file, sent in portions with a bar, and at the end what failed and why."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from controller.application import ACCEPTANCE_DIGITS
from controller.asking.conversation import ClientError
from controller.commandline import show
from controller.commandline.options import DIGITS_MAX, line
from controller.config import ConfigError

PORTION = 500  # cards of one request: the service takes no more at once
CARDS_MAX = 100_000  # of one command
CELL = re.compile(r'^="?|"')  # what a spreadsheet puts around digits that are to stay text
FAILED_SHOWN = 1_000

Reach = tuple[str, Path | None, Path | None]  # who, settings, data folder
Ask = Callable[[list[str]], dict[str, Any]]
FromPath = Annotated[
    str, typer.Option("--from", help="File with a card's number or 22 digits in each line, `-` reads standard input.")
]
Cards = Annotated[
    list[str] | None, typer.Argument(help="Cards' numbers, or applications' 22 digits.", show_default=False)
]


def chosen(cards: Sequence[str] | None, path: str) -> list[str]:
    """Give the cards that were named, or those of a file, as text.  Raises: ConfigError."""
    if bool(cards) == bool(path):
        raise ConfigError("name the cards, or give a file with --from FILE")
    lines = enumerate(cards or _lines(path), 1)
    where = f"{path}, line" if path else "card"
    found = [_number(raw, f"{where} {place}") for place, raw in lines if raw.strip()]
    if not 1 <= len(found) <= CARDS_MAX:
        raise ConfigError(f"{len(found):,} cards: one command takes 1 to {CARDS_MAX:,}")
    return found


def _lines(path: str) -> list[str]:
    read = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        lines = read.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is no text in UTF-8") from None
    return lines[1:] if lines and not any(one.isdigit() for one in lines[0]) else lines  # without its heading


def _number(raw: str, where: str) -> str:
    """Give the first cell of a line: digits, and text they stay.  Raises: ConfigError."""
    found = CELL.sub("", re.split(r"[,;\t]", raw.strip())[0].strip())
    is_number = found.isascii() and found.isdigit()
    if not is_number or not (len(found) <= DIGITS_MAX or len(found) == ACCEPTANCE_DIGITS):
        raise ConfigError(f"{where}: expected a card's number, or the {ACCEPTANCE_DIGITS} digits of an application")
    return found


def act_on(verb: str, done: str, args: dict[str, Any], cards: Sequence[str], reach: Reach, json: str) -> None:
    """Ask for an act about each of some cards, and show what failed; ends with code 1 when something did."""
    with line(*reach) as client:

        def ask(portion: list[str]) -> dict[str, Any]:
            answered: dict[str, Any] = client.command(verb, **args, cards=portion)
            return answered

        result = in_portions(cards, ask)
    if json:
        show.write_json(result, json)
    else:
        counts = ", ".join(f"{count:,} as {one}" for one, count in result["decisions"].items())
        print(f"{done}: {result['done']:,} of {len(cards):,}{f' ({counts})' if counts else ''}")
        if result["failed"]:
            show.answer("failed", result["failed"][:FAILED_SHOWN], "")
            more = len(result["failed"]) - FAILED_SHOWN
            print(f"{more:,} more: `--json FILE` writes them all" if more > 0 else "", end="\n" if more > 0 else "")
    if result["failed"]:
        raise typer.Exit(1)


def in_portions(cards: Sequence[str], ask: Ask) -> dict[str, Any]:
    """Give `done`, `failed` and `decisions` of all portions; where one gets no answer, what was done before is told."""
    done, failed, decisions = 0, list[dict[str, Any]](), Counter[str]()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("cards", total=len(cards))
        for first in range(0, len(cards), PORTION):
            portion = list(cards[first : first + PORTION])
            try:
                answered = ask(portion)
            except (ClientError, KeyboardInterrupt):
                if not first:
                    raise
                answered_for = f"{first:,} of {len(cards):,} cards were answered for, {done:,} of them done"
                print(f"cardmill: {answered_for}; say it again: what is done is refused then", file=sys.stderr)
                raise
            done += answered["done"]
            failed += [{**one, "card": str(one["card"])} for one in answered["failed"]]
            decisions.update(answered["decisions"])
            bars.advance(task, len(portion))
    return {"done": done, "failed": failed, "decisions": dict(sorted(decisions.items()))}
