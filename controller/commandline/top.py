"""`cardmill top`: the floor on the whole terminal, live; elsewhere one plain picture."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from controller.asking.conversation import ClientError, Refused
from controller.commandline.floor_view import picture
from controller.commandline.live_screen import keep_showing
from controller.commandline.options import AsName, ConfigPath, DataPath, line

if TYPE_CHECKING:
    from controller.client import OperatorClient

GIVE_UP_S = 2.0  # of one look: a key is not waited for meanwhile
Every = Annotated[float, typer.Option("--every", min=0.5, max=3_600.0, help="Real seconds between two pictures.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(top)


def top(every: Every = 2.0, as_name: AsName = "", config: ConfigPath = None, data: DataPath = None) -> None:
    """Show the floor live: stations, queues, speed, what starves. q or Ctrl-C ends it.

    Where the output is no terminal, it is shown once; `status --json` has all of it for programs.
    """
    console = Console(highlight=False)
    with line(as_name, config, data) as client:
        first = client.command("status")
    if not console.is_terminal:
        console.print(picture(first, console.width), soft_wrap=True)
        return
    with line(as_name, config, data, within_s=GIVE_UP_S) as client:
        keep_showing(Watched(client, first, console).draw, every, console)


class Watched:
    """The floor as it was last heard of."""

    def __init__(self, client: OperatorClient, first: dict[str, Any], console: Console) -> None:
        self._client, self._console = client, console
        self._status, self._heard_s = first, time.monotonic()

    def draw(self) -> Text:
        """Ask, and give the picture; without an answer the last one, which turns grey.  Raises: Refused."""
        try:
            self._status = self._client.command("status")
        except Refused:
            raise
        except ClientError:  # it may be starting anew: what it said last is still worth seeing
            pass
        else:
            self._heard_s = time.monotonic()
        return picture(self._status, self._console.width, time.monotonic() - self._heard_s)
