"""The command line on many cards: portions, a table of what failed, and numbers that stay text."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from controller.asking.conversation import ClientError
from controller.cli import app
from controller.commandline import many
from controller.config import ConfigError

NUMBER = "5204250032026020700001"  # 22 digits: a float would lose the last six of them


class PretendLine:
    """A line to a service that refuses some cards, and breaks after some portions."""

    def __init__(self, refused=(), breaks_after=99) -> None:
        self.refused, self.breaks_after = set(refused), breaks_after
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.error: BaseException = ClientError("client.outcome_unknown", "look whether it was done")

    def command(self, verb, **args):
        self.asked.append((verb, args))
        if len(self.asked) > self.breaks_after:
            raise self.error
        failed = [
            {"card": one, "code": "hold.held", "text": "ann holds it"} for one in args["cards"] if one in self.refused
        ]
        return {"done": len(args["cards"]) - len(failed), "failed": failed, "decisions": {}}


@pytest.fixture
def line(monkeypatch):
    made = PretendLine()

    @contextmanager
    def opened(*reach):
        yield made

    monkeypatch.setattr(many, "line", opened)
    return made


def cardmill(*args, stdin=None):
    return CliRunner().invoke(app, [*args, "--as", "ann"], input=stdin)


def test_ten_thousand_cards_of_a_file_go_in_portions_and_what_failed_is_told_with_code_1(line, tmp_path):
    numbers = [f"52010200320260207{one:05d}" for one in range(10_000)]
    line.refused = {numbers[7], numbers[9_999]}
    path = tmp_path / "cards.csv"
    path.write_text("acceptance number,name\n" + "".join(f'="{one}",x\r\n' for one in numbers), "utf-8-sig")
    done = cardmill("hold-card", "recheck", "--from", str(path))
    assert done.exit_code == 1
    assert [len(args["cards"]) for _, args in line.asked] == [many.PORTION] * 20
    assert [one for _, args in line.asked for one in args["cards"]] == numbers
    assert {args["code"] for _, args in line.asked} == {"recheck"}
    assert "held: 9,998 of 10,000" in done.stdout
    assert all(one in done.stdout for one in line.refused)
    assert "ann holds it" in done.stdout


def test_numbers_of_22_digits_are_text_in_the_json_as_they_were_typed(line):
    line.refused = {NUMBER, "0000123"}
    done = cardmill("release-card", NUMBER, "0000123", "77", "--json", "-")
    assert done.exit_code == 1
    told = json.loads(done.stdout, parse_int=lambda digits: int(digits) if len(digits) < 6 else pytest.fail(digits))
    assert [one["card"] for one in told["failed"]] == [NUMBER, "0000123"]
    assert told["done"] == 1


@pytest.mark.parametrize(
    ("typed", "verb", "args"),
    [
        (["hold-card", "blurred", "77"], "hold_card", {"code": "blurred", "cards": ["77"]}),
        (["release-card", "--from", "-"], "release_card", {"cards": ["77"]}),
        (["express", "77", "--reason", "flight"], "express", {"reason": "flight", "cards": ["77"]}),
        (
            ["decide", "cancel", "--from", "-", "--reason", "twice"],
            "decide",
            {"decision": "cancel", "reason": "twice", "cards": ["77"]},
        ),
    ],
)
def test_each_command_asks_its_verb_and_ends_with_0_when_nothing_failed(line, typed, verb, args):
    done = cardmill(*typed, stdin="77\n\n")
    assert (done.exit_code, line.asked) == (0, [(verb, args)]), done.output


def test_who_interrupts_learns_how_far_it_came(line):
    line.breaks_after = 2
    line.error = KeyboardInterrupt()
    done = cardmill("release-card", "--from", "-", stdin="\n".join(map(str, range(1, 1_301))))
    assert done.exit_code != 0
    assert "1,000 of 1,300 cards were answered for, 1,000 of them done" in done.stderr


def test_a_line_that_breaks_says_how_far_it_came(line, tmp_path):
    line.breaks_after = 2
    path = tmp_path / "cards.txt"
    path.write_text("\n".join(map(str, range(1, 1_301))), "utf-8")
    done = cardmill("release-card", "--from", str(path))
    assert isinstance(done.exception, ClientError)
    assert "1,000 of 1,300 cards were answered for" in done.stderr


@pytest.mark.parametrize(
    ("cards", "text", "why"),
    [
        (None, "77\nabc\n", "line 2"),
        (None, "77\n52010219900307003X\n", "line 2"),
        (None, "\n", "0 cards"),
        (None, None, "name the cards"),
        (["77"], "77", "name the cards"),
        (["5" * 18], None, "card 1"),
    ],
)
def test_a_file_that_is_no_list_of_cards_is_named_with_its_line_and_not_repeated(tmp_path, cards, text, why):
    path = tmp_path / "cards.txt"
    path.write_text(text or "", "utf-8")
    with pytest.raises(ConfigError) as error:
        many.chosen(cards, str(path) if text is not None else "")
    assert why in str(error.value)
    assert "0307003" not in str(error.value)


@pytest.mark.parametrize(
    ("typed", "verb", "args"),
    [
        (["hold-batch", "5" * 25, "recheck"], "hold_batch", {"batch_number": "5" * 25, "code": "recheck"}),
        (["release-batch", "5" * 25], "release_batch", {"batch_number": "5" * 25}),
        (["card-holds"], "card_holds", {}),
        (["batches", "--only", "late"], "batches", {"only": "late", "search": "", "limit": 50, "after": 0}),
        (["batch", "5" * 25], "batch", {"batch_number": "5" * 25, "limit": 100, "after": 0}),
    ],
)
def test_the_other_commands_ask_their_verb_and_write_json(monkeypatch, typed, verb, args):
    from controller.commandline import batches, holding

    asked = []
    for room in (batches, holding):
        monkeypatch.setattr(room, "ask", lambda *what: asked.append(what) or {})
    done = cardmill(*typed, "--json", "-")
    assert (done.exit_code, done.stdout.strip(), asked) == (0, "{}", [(verb, args, "ann", None, None)])


def test_a_batch_and_its_cards_fit_a_page_of_80_columns(monkeypatch, capsys):
    from controller.commandline import batches

    row = {
        "batch_id": 7, "batch_number": "5204250000002026030200001", "upstream": "north", "card_kind": "second",
        "state": "open", "received_floor_s": 1_772_440_000.0, "due_floor_s": 1_772_540_000.0, "closed_floor_s": 0.0,
        "received": 10_000, "done": 9_998, "done_percent": 99.98, "late": True, "late_s": 187_200.0,
        "counts": {"made": 9_998, "ready": 2}, "express": 12, "hold": "", "hold_by": "", "cards_held": 1,
        "because": "card_held", "sentence_en": "Card 70001 is ready and ann holds it.", "sentence_zh": "",
    }  # fmt: skip
    card = {
        "card": 70_001, "acceptance_number": NUMBER, "state": "ready", "sheet_id": 0, "where": "", "codes": [],
        "hold": "blurred",
    }  # fmt: skip
    answers = {
        "batches": {"rows": [row], "after": 7},
        "batch": row | {"outcomes": {}, "cards": [card], "after": 70_001},
    }
    monkeypatch.setattr(batches, "ask", lambda verb, *rest: answers[verb])
    reach = SimpleNamespace(as_name="ann")
    batches.batches(as_name=reach.as_name)
    batches.batch("5" * 25, as_name=reach.as_name)
    shown = capsys.readouterr().out
    assert all(one in shown for one in (row["batch_number"], NUMBER, "2 d 4 h", "blurred", "--after 70001"))
    assert max(map(len, shown.splitlines())) <= 80
