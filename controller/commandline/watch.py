"""`cardmill watch`: a command that only looks, repeated."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from controller.asking.conversation import ClientError, Refused
from controller.commandline.completing import WATCHED, watched
from controller.commandline.floor_view import STALE
from controller.commandline.live_screen import keep_showing
from controller.commandline.options import AsName, ConfigPath, DataPath
from controller.commandline.tables import age
from controller.commandline.top import Every
from controller.config import ConfigError

Say = Callable[..., Any]  # the program itself, with words, its name and `standalone_mode`


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(context_settings={"allow_interspersed_args": False})(watch)


def watch(
    context: typer.Context,
    command: Annotated[
        list[str],
        typer.Argument(help="A command that looks, with its options, like `stations`.", autocompletion=watched),
    ],
    every: Every = 2.0,
    times: Annotated[int, typer.Option(min=0, help="End after so many times; 0: when it is stopped.")] = 0,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Repeat a command that only looks. On a terminal q or Ctrl-C ends it.

    Where the output is no terminal, one answer follows the other.
    """
    if command[0] not in WATCHED:
        raise ConfigError(f"watch: {command[0]!r} is no command that only looks; one of: {', '.join(sorted(WATCHED))}")
    said = (("--as", as_name), ("--config", config), ("--data", data))
    command[1:1] = [str(word) for option, value in said if value for word in (option, value)]
    say, console = context.find_root().command.main, Console(highlight=False)
    if console.is_terminal and not times:
        keep_showing(Repeated(say, command).draw, every, console)
        return
    told = 0
    while True:
        print(said_by(say, command), end="", flush=True)
        told += 1
        if told == times:
            return
        time.sleep(every)


def said_by(say: Say, words: list[str]) -> str:
    """Give what a command prints.  Raises: what it raises; typer.Exit, of a command that ends with another code."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = say(words, "cardmill", standalone_mode=False)
    if code:
        raise typer.Exit(code)
    return out.getvalue()


class Repeated:
    """A command's last answer."""

    def __init__(self, say: Say, words: list[str]) -> None:
        self._say, self._words, self._said, self._heard_s = say, words, "", time.monotonic()

    def draw(self) -> Text:
        """Say the command again; without an answer the last one stays, grey.  Raises: Refused; at first all."""
        head = Text().append(f"cardmill {' '.join(self._words)}", "bold")
        try:
            self._said = said_by(self._say, self._words).rstrip("\n")
        except Refused:
            raise
        except ClientError:
            if not self._said:
                raise
            since = f"  NO ANSWER for {age(time.monotonic() - self._heard_s)} 服务无应答\n"
            return head.append(since, "bold red").append(self._said, STALE)
        self._heard_s = time.monotonic()
        return head.append("\n").append(self._said)
