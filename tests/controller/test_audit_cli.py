"""`cardmill audit …` as people and programs type it: words, exit codes, JSON, files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import trio
from typer.testing import CliRunner

from controller import cli
from controller.audit.errors import NoLedger, Unreadable
from controller.config import ConfigError
from controller.ledger.errors import LedgerDamaged
from tests.controller.ledger.audited import NUMBERS, copy_of_centre, rewrite
from tests.controller.returning import BATCH, sent_centre


@pytest.fixture
def centre(tmp_path: Path) -> tuple[Path, Path]:
    return copy_of_centre(tmp_path)


def typed(*words: object, code: int = 0):
    result = CliRunner().invoke(cli.app, ["audit", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def test_a_sound_centre_is_said_to_be_sound_with_counts_and_head(centre):
    folder, receipts = centre
    said = typed("verify", "--data", folder, "--against", receipts).stdout
    assert said.splitlines()[-1] == "sound"
    assert "receipts compared" in said
    head = typed("head", "--data", folder).stdout.splitlines()[0]
    assert head in said
    again = typed("verify", "--data", folder, "--head", head).stdout
    assert "heads compared" in again
    assert "receipts compared" not in again


def test_faults_end_with_code_1_and_are_told_to_programs(centre):
    folder, _ = centre
    rewrite(folder / "ledger.db", "UPDATE card SET unit = '000000000' WHERE card_id = 10002")
    said = typed("verify", "--data", folder, code=1).stdout.splitlines()
    assert "FAULT: card 10002: unit not as the moves make it" in said
    assert said[-1] == "NOT sound: 1 faults"
    told = json.loads(typed("verify", "--data", folder, "--json", "-", code=1).stdout)
    assert (told["sound"], told["faults"]) == (False, ["card 10002: unit not as the moves make it"])
    assert told["last_daily_head"]["day"] == "20260101"


def test_an_auditors_copy_without_keys_says_what_was_not_looked_into(centre, tmp_path):
    folder, _ = centre
    for name in ("master.key", "vault.keys", "site.key"):
        (folder / name).unlink()
    said = typed("verify", "--data", folder).stdout
    assert "note: vault: what is sealed was not looked into, the keys are not here" in said
    assert "sealed_application" not in said
    told = json.loads(typed("verify", "--data", folder, "--json", "-").stdout)
    assert told["not_looked_into"]
    typed("verify", "--data", folder, "--json", tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text("utf-8")) == told


def test_where_nothing_can_be_looked_at_there_is_a_sentence_and_code_2(centre, tmp_path, monkeypatch, capsys):
    folder, receipts = centre
    with pytest.raises(NoLedger, match=r"there is no ledger\.db"):
        typed("verify", "--data", tmp_path / "nowhere")
    with pytest.raises(Unreadable, match="No such file"):
        typed("verify", "--data", folder, "--against", tmp_path / "none.jsonl")
    with pytest.raises(Unreadable, match="a head is"):
        typed("verify", "--data", folder, "--head", "12")
    with pytest.raises(ConfigError, match="say one of"):
        typed("show", "--data", folder, "--move", 3, "--card", 4)
    monkeypatch.setattr(sys, "argv", ["cardmill", "audit", "verify", "--data", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("cardmill: audit.no_ledger: there is no ledger.db")
    assert receipts.exists()


def test_a_move_is_shown_with_all_its_fields_and_a_list_in_two_languages(centre):
    folder, _ = centre
    said = typed("show", "--data", folder, "--card", 10_003).stdout
    assert "card 10003 came back (chip_dead), blank 10004  [ann]" in said
    assert "卡 10003 退回（chip_dead），空白卡 10004" in said
    assert len(typed("show", "--data", folder, "--limit", 3).stdout.splitlines()) == 6
    [one] = json.loads(typed("show", "--data", folder, "--move", 18, "--json", "-").stdout)
    assert (one["seq"], one["tag"], one["people"]) == (18, "issued", ["ann", "bob"])
    assert one["move"]["sheets"] == 100
    assert "sheets: 100" in typed("show", "--data", folder, "--move", 18).stdout
    by = typed("show", "--data", folder, "--by", "bob").stdout
    assert "issued to laminate  [ann, bob]" in by
    first = json.loads(
        typed("show", "--data", folder, "--since", "2026-01-01T00:00", "--limit", 1, "--json", "-").stdout
    )
    assert first[0]["seq"] == 1
    assert all(json.loads(typed("show", "--data", folder, "--batch", 2, "--json", "-").stdout))


def test_a_card_and_a_batch_are_shown_by_their_own_digits_too(centre):
    folder, _ = centre
    card = typed("show", "--data", folder, "--card", 10_004, "--json", "-").stdout
    assert typed("show", "--data", folder, "--card", NUMBERS[4], "--json", "-").stdout == card
    batch = typed("show", "--data", folder, "--batch", 1, "--json", "-", "--limit", 1000).stdout
    assert typed("show", "--data", folder, "--batch", BATCH, "--json", "-", "--limit", 1000).stdout == batch
    marks = [one for one in json.loads(card) if one["tag"] == "mark"]
    assert "mask" not in marks[0]["sentence_en"]
    first = next(place + 1 for place in range(8) if marks[0]["move"]["mask"] >> place & 1)
    assert f"positions {first}" in marks[0]["sentence_en"]
    assert "positions: " in typed("show", "--data", folder, "--move", marks[0]["seq"]).stdout


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--move", 10**6, "no move 1000000: the last one is"),
        ("--move", 2**63 - 1, "no move 9223372036854775807"),
        ("--move", 2**70, "no move"),
        ("--card", 7 * 10**20, "no move about a card"),
        ("--card", 10_999, "no move about a card 10999"),
        ("--card", "9" * 22, "no move about a card 999"),
        ("--batch", "5204250000002026030200001", "no move about a batch 5204250000002026030200001"),
        ("--batch", 77, "no move about a batch 77"),
        ("--by", "nobody", "no move that 'nobody' stands behind"),
        ("--since", "2999-01-01", "no move since 2999-01-01"),
    ],
)
def test_what_is_not_there_is_a_sentence_and_code_1(centre, option, value, says):
    said = typed("show", "--data", centre[0], option, value, code=1)
    assert said.stdout == ""
    assert f"there is {says}" in said.stderr


def test_a_list_that_was_cut_says_so_and_shows_the_end_its_help_names(centre):
    folder, _ = centre
    last = typed("show", "--data", folder, "--limit", 1, "--json", "-")
    assert last.stderr == "1 shown, more with --limit\n"
    head = int(typed("head", "--data", folder).stdout.partition(":")[0])
    assert [one["seq"] for one in json.loads(last.stdout)] == [head]
    assert typed("show", "--data", folder, "--limit", 100_000).stderr == ""
    both = json.loads(typed("show", "--data", folder, "--batch", 1, "--limit", 2, "--json", "-").stdout)
    one = json.loads(typed("show", "--data", folder, "--batch", 1, "--limit", 1, "--json", "-").stdout)
    assert one == both[:1]
    with pytest.raises(ConfigError, match="wanted are digits"):
        typed("show", "--data", folder, "--batch", "x")


def test_a_server_that_is_not_there_is_one_sentence_for_every_command(tmp_path):
    settings = tmp_path / "config.toml"
    settings.write_text('[storage]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n')
    for words in (["verify"], ["head"], ["show"], ["export", "-"]):
        with pytest.raises(Unreadable, match="start the server") as refusal:
            typed(*words, "--config", settings, "--data", tmp_path)
        assert "audit verify" not in str(refusal.value)


def test_an_export_to_a_folder_that_is_not_there_is_refused_with_what_to_do(centre, tmp_path):
    with pytest.raises(ConfigError, match="make the folder first"):
        typed("export", tmp_path / "nowhere" / "x", "--data", centre[0])


def test_the_export_goes_to_a_file_or_to_standard_output_and_names_its_head(centre, tmp_path):
    folder, _ = centre
    result = typed("export", tmp_path / "moves.jsonl", "--data", folder)
    lines = (tmp_path / "moves.jsonl").read_text("utf-8").splitlines()
    head = json.loads(lines[-1])["head"]
    assert f"exported: {head['seq']:,} moves, head {head['seq']}:{head['hash']}" in result.stderr
    assert typed("export", "-", "--data", folder).stdout.splitlines() == lines
    told = json.loads(typed("head", "--data", folder, "--json", "-").stdout)
    assert (told["seq"], told["hash"], told["last_daily_head"]["day"]) == (head["seq"], head["hash"], "20260101")


def test_what_cannot_be_read_is_a_sentence_that_names_the_verification(centre):
    folder, _ = centre
    rewrite(folder / "ledger.db", "UPDATE move SET body = x'c1' WHERE seq = 30")
    with pytest.raises(LedgerDamaged, match=r"move 30 cannot be read .*: run `cardmill audit verify`"):
        typed("show", "--data", folder, "--move", 30)
    content = bytearray((folder / "ledger.db").read_bytes())
    content[100:4096] = bytes(3996)
    (folder / "ledger.db").write_bytes(content)
    with pytest.raises(Unreadable, match="run `cardmill audit verify`"):
        typed("show", "--data", folder)
    assert "FAULT" in typed("verify", "--data", folder, code=1).stdout


async def test_beside_a_service_at_work_the_same_folder_is_shown_and_exported(tmp_path):
    async with sent_centre(tmp_path) as made:
        said = await trio.to_thread.run_sync(lambda: typed("head", "--data", tmp_path).stdout)
        assert said.splitlines() == [
            f"{made.ledger.head.seq}:{made.ledger.head.hash.hex()}",
            "last daily head: none yet",
        ]
        lines = await trio.to_thread.run_sync(lambda: typed("export", "-", "--data", tmp_path).stdout.splitlines())
        assert len(lines) == made.ledger.head.seq + 2
