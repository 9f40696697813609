"""The README's commands are those of the command line, with arguments it takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from controller.cli import app

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
EXAMPLES = [line.split(" #")[0].strip() for line in README.splitlines() if line.startswith("cardmill ")]


def parse(words: list[str]) -> str:
    """Read a command line as `cardmill` does, without doing it; give the command's name."""
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words)
    return command.name


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_command_of_the_readme_is_one_with_these_arguments(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.toml").touch()
    words = shlex.split(re.sub(r"\b(CARD|ACT)\b", "1", example))
    assert parse(words[1:]) in words


def test_commands_named_beside_an_example_are_there_too():
    named = re.findall(r"# .*also: ([a-z, -]+)", README)
    words = {word for one in named for word in re.findall(r"[a-z]+(?:-[a-z]+)*", one)}
    assert len(words) > 5
    assert words <= set(typer.main.get_command(app).commands)


def test_no_line_of_the_readme_is_longer_than_120_characters():
    assert [line for line in README.splitlines() if len(line) > 120] == []
    assert len(EXAMPLES) > 15
