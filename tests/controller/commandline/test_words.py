"""Words somebody types: completed by the shell, numbers kept as text, and errors that say which command helps."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from controller import cli
from controller.asking.conversation import ClientError
from controller.commandline import options
from controller.config import ConfigError
from tests.controller.commandline.hearing import hear

PROGRAM = "import sys; sys.argv[0] = 'cardmill'; from controller.cli import main; main()"
ACCEPTANCE, BATCH = "5201030010260302000017", "5200000000002026030200001"
PERSON = "110101199003074514"
ANSWERS = {
    "trace": {"card": 10_017},
    "act": {"act_id": 1},
    "why": {"sentence_en": "", "sentence_zh": "", "beaten": []},
}


def said_by_the_program(shell, words=None, folder=None):
    """Give what the program prints when a shell asks it."""
    variables = {"_CARDMILL_COMPLETE": f"source_{shell}" if words is None else f"complete_{shell}"}
    if words is not None:
        variables |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
        variables |= {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    home = {"XDG_DATA_HOME": str(folder)} if folder else {}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | variables | home, capture_output=True, text=True, timeout=180
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("shell", "words"), [("bash", "complete "), ("zsh", "#compdef"), ("fish", "complete ")])
def test_a_shell_is_given_what_completes_commands(shell, words):
    script = said_by_the_program(shell)
    assert words in script
    assert "cardmill" in script
    assert "_CARDMILL_COMPLETE" in script


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["st"], ["stations", "status", "stock", "stock-list", "stopped"]),
        (["act", "iss"], ["issue"]),
        (["act", "issue", "sheets=5", ""], ["first_body=", "station="]),
        (["decide", "ref"], ["refuse", "refuse_late"]),
        (["watch", "sta"], ["stations", "status"]),
        (["card-back", ACCEPTANCE, "film"], ["film_off"]),
        (["break-glass", "adm"], ["administrator"]),
        (["status", "--as", ""], ["ann", "bob"]),
        (["keys", "al"], ["allow"]),
    ],
    ids=lambda one: " ".join(one),
)
def test_words_are_completed_without_a_service(words, offered, tmp_path):
    for name in ("ann", "bob"):
        path = tmp_path / "cardmill" / "peers" / f"{name}.secret"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert sorted(said_by_the_program("bash", ["cardmill", *words], tmp_path).split()) == offered


# ---- numbers ------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch):
    return hear(monkeypatch, lambda verb: ANSWERS.get(verb, {}))


def cardmill(*words):
    return CliRunner().invoke(cli.app, [*words, "--as", "ann"])


def test_a_card_is_named_by_its_number_or_by_twenty_two_digits_which_stay_text(heard):
    for named in ("10017", ACCEPTANCE):
        assert cardmill("decide", "release", named, "--reason", "seen").exit_code == 0
        assert heard.pop() == ("decide", {"card": 10_017, "decision": "release", "reason": "seen"})
    assert heard == [("trace", {"card": ACCEPTANCE})]
    heard.clear()
    assert cardmill("act", "override", f"card={ACCEPTANCE}", "reason=007").exit_code == 0
    assert heard[-1] == ("act", {"verb": "override", "args": {"card": 10_017, "reason": "007"}})


def test_long_numbers_reach_the_service_as_they_were_typed(heard):
    for words, args in (
        (["why", ACCEPTANCE], {"thing": ACCEPTANCE}),
        (["why", BATCH], {"thing": BATCH}),
        (["card-back", ACCEPTANCE, "film_off"], {"acceptance_number": ACCEPTANCE, "code": "film_off"}),
        (["dispatch", BATCH], {"batch_number": BATCH}),
    ):
        assert cardmill(*words).exit_code == 0, words
        assert heard.pop()[1] == args


@pytest.mark.parametrize(
    "words",
    [
        ["why", PERSON],
        ["why", "card", PERSON],
        ["why", f"{PERSON[:17]}x"],
        ["trace", "--card", PERSON],
        ["look", PERSON, "--reason", "x"],
        ["decide", "release", PERSON, "--reason", "x"],
        ["card-back", PERSON, "film_off"],
        ["audit", "show", "--card", PERSON],
    ],
    ids=" ".join,
)
def test_a_person_s_number_is_refused_before_it_is_sent_and_not_repeated(words, heard):
    said = CliRunner().invoke(cli.app, words + ([] if words[0] == "audit" else ["--as", "ann"]))
    assert isinstance(said.exception, ConfigError)
    assert PERSON[:17] not in str(said.exception)
    assert heard == []


@pytest.mark.parametrize("named", ["", "x7", "-7", "7.0", "１７", "1" * 16, "1" * 23])
def test_what_names_no_card_is_refused_with_what_does(named, heard):
    with pytest.raises(ConfigError, match="22 digits"):
        options.card_number(named, "ann", None, None)
    assert heard == []


# ---- errors -------------------------------------------------------------------------------------------------------


def ended(monkeypatch, capsys, error):
    def fails(**_):
        raise error

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, errors = capsys.readouterr()
    assert out == ""
    return end.value.code, errors.splitlines()


def test_an_error_whose_sentence_names_no_command_is_followed_by_a_hint(monkeypatch, capsys):
    code, lines = ended(monkeypatch, capsys, ClientError("client.no_answer", "the service said nothing"))
    assert code == 3
    assert lines[0] == "cardmill: client.no_answer: the service said nothing"
    assert lines[1].startswith("  hint: ")
    assert "cardmill doctor" in lines[1]


def test_an_error_that_says_what_to_do_stands_alone(monkeypatch, capsys):
    assert ended(monkeypatch, capsys, ConfigError("say who you are")) == (2, ["cardmill: say who you are"])


def test_ctrl_c_ends_with_a_code_of_its_own(monkeypatch, capsys):
    assert ended(monkeypatch, capsys, KeyboardInterrupt())[0] == 130
