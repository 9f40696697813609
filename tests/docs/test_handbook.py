"""Every task of the handbook, in both languages, can be done by the commands and on the pages it names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from unittest.mock import Mock

import pytest
import typer.main
from starlette.routing import Match

from controller import rights
from controller.cli import app
from controller.console.actions import ACTIONS
from controller.console.console import all_routes
from controller.console.house import ROOMS
from controller.console.words import catalogue
from controller.core.acts import OPTIONAL, arguments_of
from controller.core.settings import ActConfig

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {name: (DOCS / name).read_text("utf-8") for name in ("handbook.md", "handbook.zh.md")}
ENGLISH, CHINESE = PAGES.values()
IN_TICKS = re.compile(r"`([^`]+)`")
OURS = re.compile(r"\b(CARD|ACT|BATCH|NUMBER|STATION)\b")  # what the reader fills in
LINES_MAX = 8
COMMANDS = typer.main.get_command(app)
ROUTES = all_routes(Mock(), ROOMS)  # which paths there are; what answers them is not asked here


def tasks(page: str) -> dict[str, list[str]]:
    """The lines of each task by its title."""
    found = re.findall(r"^### (.+)\n((?:(?!^##).*\n)*)", page, re.MULTILINE)
    return {title: [line for line in text.splitlines() if line.strip()] for title, text in found}


def commands_of(page: str) -> list[str]:
    return sorted({one for one in IN_TICKS.findall(page) if one.startswith("cardmill ")})


def paths_of(page: str) -> list[str]:
    return sorted({one for one in IN_TICKS.findall(page) if one.startswith("/")})


def parse(line: str) -> None:
    """Read a command line as `cardmill` does, without doing it.  Raises: whatever `cardmill` would say."""
    words = shlex.split(OURS.sub("1", line))[1:]
    command = COMMANDS
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    if words != ["--help"]:
        command.make_context(command.name, words)


def is_page(path: str) -> bool:
    """Whether the console has this page; of `/do/…` whether it has the action."""
    path = OURS.sub("1", path).partition("?")[0]
    if path.startswith("/do/"):
        return path.removeprefix("/do/") in ACTIONS
    scope = {"type": "http", "path": path, "method": "GET", "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in ROUTES)


@pytest.mark.parametrize("line", sorted({one for page in PAGES.values() for one in commands_of(page)}))
def test_a_command_of_the_handbook_is_one_with_these_arguments(line):
    parse(line)


@pytest.mark.parametrize("path", sorted({one for page in PAGES.values() for one in paths_of(page)}))
def test_a_page_of_the_handbook_is_one_of_the_console(path):
    assert is_page(path)


def test_acts_of_the_handbook_have_the_arguments_they_are_given():
    acts = [shlex.split(OURS.sub("1", line))[2:-2] for line in commands_of(ENGLISH) if line.startswith("cardmill act ")]
    assert len(acts) > 8
    for name, *words in acts:
        given = dict(word.split("=") for word in words)
        wanted = {one: kind for one, kind in arguments_of(name).items() if one not in OPTIONAL.get(name, {})}
        assert set(given) == set(wanted), name
        assert all(given[one].isdigit() for one, kind in wanted.items() if kind is int), name


def test_a_page_or_command_that_is_none_is_found():
    assert not is_page("/nowhere")
    assert not is_page("/do/nothing")
    assert is_page("/stations/STATION")
    with pytest.raises(Exception, match="nothing"):
        parse("cardmill batches --nothing --as ann")
    with pytest.raises(KeyError):
        parse("cardmill nothing --as ann")


@pytest.mark.parametrize("name", PAGES)
def test_no_task_takes_more_than_eight_lines(name):
    found = tasks(PAGES[name])
    assert len(found) > 15
    assert {title: len(lines) for title, lines in found.items() if len(lines) > LINES_MAX} == {}


def test_both_languages_have_the_same_tasks_with_the_same_commands_and_pages():
    in_english, in_chinese = tasks(ENGLISH), tasks(CHINESE)
    told = [(commands_of("\n".join(one)), paths_of("\n".join(one))) for one in in_english.values()]
    assert [(commands_of("\n".join(one)), paths_of("\n".join(one))) for one in in_chinese.values()] == told
    assert all(re.search("[\u4e00-\u9fff]", title) for title in in_chinese)


@pytest.mark.parametrize(
    ("name", "words", "language"), [("handbook.md", r"\*([^*\n]+)\*", "en"), ("handbook.zh.md", "“([^”]+)”", "zh")]
)
def test_what_is_to_be_clicked_is_called_as_in_the_console(name, words, language):
    called = re.findall(words, PAGES[name])
    assert len(called) > 10
    assert [one for one in called if one not in catalogue(language).values()] == []


def test_whoever_is_said_to_hold_and_release_may():
    assert rights.OPERATOR in rights.VERB_RIGHTS["hold_card"] & rights.VERB_RIGHTS["hold"]
    for verb in ("release_card", "release"):
        assert rights.VERB_RIGHTS[verb] == {rights.SUPERVISOR, rights.QUALITY}
    assert rights.VERB_RIGHTS["load"] == {rights.OPERATOR, rights.STOCK_KEEPER}
    assert rights.VERB_RIGHTS["card_back"] == {rights.SUPERVISOR, rights.QUALITY}
    assert rights.VERB_RIGHTS["decide"] == rights.VERB_RIGHTS["express"] == {rights.SUPERVISOR}


def test_the_hours_that_the_handbook_names_are_the_shipped_settings():
    assert ActConfig().second_within_s == 8 * 3600
    assert "within 8 hours" in ENGLISH
    assert "8 小时内" in CHINESE
