"""A whole terminal that shows one picture, drawn anew every few seconds until its reader has seen enough."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

ENDS = b"qQ\x04"  # the end of input is as good as q; escape begins the arrows too
FOOT = "q ends 退出"
KEYS_AT_ONCE = 64


class Keyboard:
    """The keys somebody presses, read one by one without echo; of a standard input that is no terminal, none."""

    def __init__(self) -> None:
        self._file = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else -1
        self._before: list[int | list[bytes | int]] = []

    def __enter__(self) -> Self:
        if self._file >= 0:
            self._before = termios.tcgetattr(self._file)
            tty.setcbreak(self._file)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            termios.tcsetattr(self._file, termios.TCSADRAIN, self._before)

    def ended_within(self, seconds: float) -> bool:
        """Wait so long for a key; say at once when one came that ends the picture, or the terminal went away."""
        if self._file < 0:
            select.select([], [], [], seconds)
            return False
        ready, _, _ = select.select([self._file], [], [], seconds)
        pressed = os.read(self._file, KEYS_AT_ONCE) if ready else b" "
        return not pressed or any(key in ENDS for key in pressed)


def keep_showing(draw: Callable[[], Text], every_s: float, console: Console) -> None:
    """Show what `draw` gives on the whole terminal, anew every `every_s` real seconds, until q or Ctrl-C.

    What `draw` raises ends it, and the terminal is as it was before.
    """
    with Keyboard() as keyboard, Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(cut(draw(), console.height, console.width), refresh=True)
                if keyboard.ended_within(every_s):
                    return
        except KeyboardInterrupt:
            return


def cut(drawn: Text, height: int, width: int) -> Text:
    """Give so many lines of a picture as a terminal has, the last of them saying how it ends and what was cut off."""
    lines = drawn.split("\n", allow_blank=True)
    room = max(1, height - 1)
    more = f"; {len(lines) - room:,} lines more than fit 屏幕放不下" if len(lines) > room else ""
    shown = list(lines[:room])
    for line in shown:
        line.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True).join([*shown, Text(FOOT + more, "reverse")])
