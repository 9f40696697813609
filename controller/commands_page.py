"""The page of all commands for people: `python -m controller.commands_page > docs/commands.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from textwrap import fill
from typing import Any

import typer

from controller.cli import app
from controller.commandline.completing import WATCHED
from controller.commandline.exit_codes import HINTS, MEANINGS
from controller.markdown import table

COMMON = {"as_name": "--as", "config": "--config", "data": "--data", "json": "--json"}  # explained once, at the top
HEAD = """\
# Commands

Printed by `python -m controller.commands_page` from the commands themselves; do not edit. `cardmill COMMAND --help`
shows the same at a terminal.

Tables are for people and may change; programs take `--json FILE` (`-` for standard output), where numbers of 18, 22 and
25 digits are texts. A card may be named by its number or by the 22 digits of its application. A person's
number is refused before it is sent: what is typed stays in the history of a shell.

Answers go to standard output. Errors go to standard error: one sentence with a stable code, what to do, and a line
`hint:` where another command helps. Bars that show how far long work is go to standard error too, at a terminal alone.
"""
COMPLETION = """\
## Completion

`cardmill --install-completion` teaches the shell you are in (bash, zsh, fish) to complete commands and options;
`cardmill --show-completion` prints what it would install. For all users of a machine:
`_CARDMILL_COMPLETE=source_bash cardmill > /etc/bash_completion.d/cardmill` (or `source_zsh`, `source_fish`). It also
knows whose keys lie in the data folder (`--as`), the acts and their arguments, decisions, roles, and the words for what
is bad about a card. It never asks the service.
"""
LIVE = """\
## Live

`cardmill top` is the floor on the whole terminal: every station with its PackML state and how long it has been in it,
the queue of each step, the last hour, what starves, what waits for a person. `cardmill watch COMMAND` repeats a command
that only looks. Both ask every two seconds (`--every SECONDS`), end with `q` or Ctrl-C, and turn grey while the service
gives no answer. Where the output is no terminal, `top` prints one picture and `watch` one answer after the other
(`--times N`). The commands that can be watched:
{watched}.
"""


def page() -> str:
    """Give the page as Markdown."""
    return "\n".join(
        [HEAD, *_codes(), *_common(), LIVE.format(watched=fill(_names(WATCHED), 120)), COMPLETION, *_commands()]
    )


def every_command(group: Any, words: str = "") -> Iterator[tuple[str, Any]]:
    """Give each command with what a person types for it, groups left out."""
    for name, command in group.commands.items():
        said = f"{words} {name}".strip()
        if hasattr(command, "commands"):
            yield from every_command(command, said)
        else:
            yield said, command


def _codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield from _table(("code", "meaning"), ((f"`{code}`", meaning) for code, meaning in MEANINGS.items()))
    yield "## Hints\n"
    yield from _table(("error", "hint"), ((f"`{code}`", hint) for code, hint in HINTS.items()))


def _common() -> Iterator[str]:
    yield "## Options of all commands that ask the service\n"
    context = _context("cardmill status", dict(every_command(typer.main.get_command(app)))["status"])
    common = [one for one in context.command.params if one.name in COMMON]
    yield from _table(("option", "what it is for"), (_row(one, context) for one in common))


def _commands() -> Iterator[str]:
    for words, command in sorted(every_command(typer.main.get_command(app))):
        context = _context(f"cardmill {words}", command)
        yield f"## cardmill {words}\n"
        yield f"{_cell(command.help)}\n"
        yield f"    {' '.join([context.info_name, *command.collect_usage_pieces(context)])}\n"
        own = [one for one in command.params if one.name not in COMMON]
        if own:
            yield from _table(("", "what it is for"), (_row(one, context) for one in own))
        common = [COMMON[one.name] for one in command.params if one.name in COMMON]
        if common:
            yield f"Also {_names(common)}.\n"


def _context(words: str, command: Any) -> Any:
    return command.make_context(words, [], resilient_parsing=True)


def _row(one: Any, context: Any) -> tuple[str, str]:
    """Give how an argument or option is written, and what `--help` says of it."""
    name, told = one.get_help_record(context)
    return f"`{name}`", _cell(told)


def _names(words: Any) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _cell(text: str) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from table(head, rows)
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
