"""docs/commands.md is what the commands say of themselves, and whatever the service can show, a command shows."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from controller import cli
from controller.asking.conversation import ClientError
from controller.commandline import exit_codes
from controller.commandline.completing import WATCHED
from controller.commands_page import every_command, page
from controller.wire import READING
from devices.keys import FAULTS
from tests.controller.commandline.hearing import hear

DOCS = Path(__file__).parents[3] / "docs"
COMMANDS = dict(every_command(typer.main.get_command(cli.app)))
ARGUMENTS = {"why": ["p1"], "trace": ["--card", "1"], "manifest": ["1"], "batch": ["5" * 25]}


class Enough(ClientError):
    """What a line raises once it heard the verb."""


def enough(verb):
    raise Enough("test.enough", verb)


def verb_of(monkeypatch, words):
    heard = hear(monkeypatch, enough)
    said = CliRunner().invoke(cli.app, [*words, "--as", "ann"])
    assert isinstance(said.exception, Enough), (words, said.output)
    return heard[0][0]


def test_the_page_is_what_the_commands_say_of_themselves():
    assert page() == (DOCS / "commands.md").read_text("utf-8"), "python -m controller.commands_page > docs/commands.md"


def test_the_page_is_the_same_on_a_narrow_terminal_and_for_somebody_with_a_name(monkeypatch):
    written = page()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("CARDMILL_AS", "ann")
    assert page() == written


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_and_each_option_stands_on_the_page(words):
    _, _, own = page().partition(f"## cardmill {words}\n")
    own = own.partition("\n## ")[0]
    assert own
    missing = [name for one in COMMANDS[words].params for name in one.opts if (one.metavar or name) not in own]
    assert not missing


def test_every_verb_that_only_looks_has_a_command_and_every_watched_command_only_looks(monkeypatch):
    shown = {verb_of(monkeypatch, [words, *ARGUMENTS.get(words, [])]) for words in WATCHED}
    assert shown <= READING
    once = ("purge", "report", "audit recent", "keys known", "forecast", "whatif")  # looked at once, and not again
    others = {verb_of(monkeypatch, words.split()) for words in once}
    assert READING - shown - others == set(), "a verb of the service without a command"


@pytest.mark.parametrize("code", exit_codes.HINTS)
def test_a_hint_is_for_an_error_that_there_is(code):
    own = ("client.no_answer", "client.outcome_unknown")
    assert code in FAULTS or code in own or f"`{code}`" in (DOCS / "protocol.md").read_text("utf-8")


@pytest.mark.parametrize("code", [exit_codes.REFUSED, exit_codes.USAGE, exit_codes.NO_ANSWER, exit_codes.INTERRUPTED])
def test_each_exit_code_stands_in_the_help_too(code):
    shown = " ".join(CliRunner().invoke(cli.app, ["--help"]).output.split())
    assert f"; {code} " in shown
