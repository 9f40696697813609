"""Complaint 19: an unknown option, setting or key rule is an error, and what only looks never says that it did."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from controller.cli import app, main
from controller.config import Config, ConfigError, load_config

UNKNOWN = "--no-such-option"
DONE_WORDS = ("written", "allowed:", "done", "sent", "stored", "destroyed")


def commands(command: click.Command, words: tuple[str, ...] = ()):
    """Give every command with the words a person types for it; groups themselves are left out."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, one in inner.items():
        yield from commands(one, (*words, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def arguments_of(command: click.Command) -> list[str]:
    """Give something for each argument, so that nothing but the option can be wrong."""
    return ["1" for one in command.params if one.param_type_name == "argument" and one.required]


def test_the_walk_finds_the_commands_of_groups_too():
    assert len(COMMANDS) > 40
    assert ("serve",) in COMMANDS
    assert ("keys", "new") in COMMANDS


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_unknown_option_of_a_command_is_wrong_use_and_nothing_is_done(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    said = CliRunner().invoke(app, [*words, *arguments_of(COMMANDS[words]), UNKNOWN])
    assert said.exit_code != 0, said.output
    assert not any(word in said.stdout for word in DONE_WORDS)
    assert list(tmp_path.iterdir()) == []
    if said.exit_code == 2:
        assert "no-such-option" in said.output or "argument" in said.output, said.output
    else:  # a command whose quantities may be below zero takes the word for one of them, and refuses it by its code
        assert isinstance(said.exception, ConfigError), said.exception


@pytest.mark.parametrize("section", [one.name for one in dataclasses.fields(Config)])
def test_an_unknown_setting_of_any_section_is_an_error_that_names_it(section, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f"[{section}]\nno_such_setting = 1\n")
    with pytest.raises(ConfigError, match="no_such_setting"):
        load_config(config)


def test_nothing_is_insecure_unless_somebody_says_so():
    shipped = load_config(Path(__file__).resolve().parents[2] / "config.toml")
    sections = [getattr(shipped, one.name) for one in dataclasses.fields(shipped)]
    assert [section for section in sections if getattr(section, "insecure", False)] == []


def test_no_command_has_a_dry_run_that_could_say_that_it_did_something():
    options = {name for command in COMMANDS.values() for one in command.params for name in one.opts}
    assert "--json" in options
    assert [name for name in options if "dry" in name or "simulate" in name] == []


@pytest.mark.parametrize("role", ["king", "", "UPSTREAM", "upstream;operator"])
def test_a_key_rule_that_cannot_be_applied_is_wrong_use_and_lists_no_key(role, tmp_path, monkeypatch, capsys):
    data = ["--data", str(tmp_path / "data")]
    made = CliRunner().invoke(app, ["keys", "new", "carl", *data])
    assert made.exit_code == 0, made.output
    public = tmp_path / "data" / "peers" / "carl.public"
    monkeypatch.setattr("sys.argv", ["cardmill", "keys", "allow", role, "carl", str(public), *data])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "allowed" not in said.out.replace("allowed as", "")
    assert said.err.startswith("cardmill: keys.bad_role")
    assert not list((tmp_path / "data").rglob("allowed/*/carl.public"))
