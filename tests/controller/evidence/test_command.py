"""`cardmill receipts …` as people and programs type it: words, exit codes, JSON, with nothing but file and key."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from controller import cli
from controller.config import ConfigError
from controller.evidence.errors import Unreadable
from controller.evidence.public_keys import PublicKeys
from controller.evidence.signing import open_signer
from controller.ledger.errors import LedgerInUse
from controller.ledger.lock import lock_folder
from controller.vault.key_acts import RECEIPTS_ROTATED, noted_acts
from devices.keys import KeyFileError
from tests.controller.evidence.samples import KEYS, OTHER, lines_of, receipt


@pytest.fixture
def kept(tmp_path):
    """Thirty good receipts in a file, and the key beside it."""
    (tmp_path / "receipts.public").write_bytes(KEYS.pem())
    (tmp_path / "receipts.jsonl").write_bytes(b"".join(lines_of(*(receipt(number) for number in range(1, 31)))))
    return tmp_path


def typed(*words: object, code: int = 0):
    result = CliRunner().invoke(cli.app, ["receipts", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def test_a_good_file_ends_with_0_and_its_signer_and_numbers_are_told(kept):
    said = typed("verify", kept / "receipts.jsonl", "--key", kept / "receipts.public")
    assert said.splitlines() == [
        "30 lines: 30 good",
        f"signed with {KEYS.ids[0]}: 30",
        "centre cardmill, upstream north: numbers 1 to 30",
        "sound",
    ]


def test_a_file_with_faults_ends_with_1_and_each_is_told_to_people_and_programs(kept):
    lines = (kept / "receipts.jsonl").read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"case":0', b'"case":2')
    lines[9:11] = []
    (kept / "receipts.jsonl").write_bytes(b"".join(lines)[:-20])
    said = typed("verify", kept / "receipts.jsonl", "--key", kept / "receipts.public", code=1)
    assert "28 lines: 26 good, 1 bad, 1 torn" in said
    assert "MISSING 3: 5, 10 to 11" in said
    assert "FAULT: line 5, receipt 5: its signature does not hold: it was changed after it was given" in said
    assert "FAULT: line 28: its end is missing, the last line was cut off" in said
    assert said.splitlines()[-1] == "NOT sound"
    found = json.loads(
        typed("verify", kept / "receipts.jsonl", "--key", kept / "receipts.public", "--json", "-", code=1)
    )
    assert (found["sound"], found["good"], found["bad"], found["torn"]) == (False, 26, 1, 1)
    assert found["streams"][0]["gaps"] == [[5, 5], [10, 11]]
    assert [fault["line"] for fault in found["faults"]] == [5, 28]


def test_many_faults_are_counted_and_some_of_them_shown(kept):
    (kept / "receipts.public").write_bytes(PublicKeys([OTHER.public_key()]).pem())
    said = typed("verify", kept / "receipts.jsonl", "--key", kept / "receipts.public", code=1)
    assert "30 lines: 0 good, 30 of a foreign signer" in said
    assert said.count("FAULT") == 20
    assert "10 more faults" in said
    both = typed("verify", kept / "receipts.jsonl", "--key", kept / "receipts.public", "--key", key_of(kept))
    assert both.splitlines()[-1] == "sound"


def key_of(folder):
    path = folder / "before.public"
    path.write_bytes(KEYS.pem())
    return path


def test_a_file_or_key_that_is_not_there_ends_with_2_and_a_sentence(kept, monkeypatch, capsys):
    with pytest.raises(Unreadable, match="No such file"):
        typed("verify", kept / "none.jsonl", "--key", kept / "receipts.public")
    monkeypatch.setattr(sys, "argv", ["cardmill", "receipts", "verify", str(kept / "receipts.jsonl"), "--key", "none"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "evidence.unreadable: none: No such file" in capsys.readouterr().err
    typed("verify", kept / "receipts.jsonl", code=2)


def test_it_needs_no_data_folder_no_settings_and_writes_nothing(kept, tmp_path):
    before = sorted(path.name for path in kept.iterdir())
    command = [
        sys.executable,
        "-m",
        "controller.cli",
        "receipts",
        "verify",
        "receipts.jsonl",
        "--key",
        "receipts.public",
    ]
    bare = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": "", "HOME": "/nonexistent"}
    done = subprocess.run(command, cwd=kept, env=bare, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in kept.iterdir()) == before


def test_a_rotation_is_noted_for_the_audit_and_old_receipts_are_verified(tmp_path):
    old = open_signer(tmp_path / "keys", "cardmill")
    said = typed("rotate", "--as", "ann", "--data", tmp_path)
    fresh = open_signer(tmp_path / "keys", "cardmill")
    assert fresh.key_id in said
    file, public = tmp_path / "receipts.jsonl", tmp_path / "keys" / "receipts.public"
    file.write_bytes(b"".join(lines_of(receipt(1, signer=old), receipt(2, signer=fresh))))
    assert typed("verify", file, "--key", public).splitlines()[-1] == "sound"
    [(_, act)] = noted_acts(tmp_path)
    assert (act.what, act.by) == (RECEIPTS_ROTATED, "ann")
    secret = (tmp_path / "keys" / "receipts.secret").read_text("ascii").splitlines()[1]
    assert secret not in said


def test_a_rotation_is_refused_beside_a_service_without_a_name_or_where_no_service_ever_was(tmp_path):
    open_signer(tmp_path / "keys", "cardmill")
    before = (tmp_path / "keys" / "receipts.public").read_bytes()
    with lock_folder(tmp_path), pytest.raises(LedgerInUse, match="stop it first"):
        typed("rotate", "--as", "ann", "--data", tmp_path)
    with pytest.raises(ConfigError, match="say who you are"):
        typed("rotate", "--data", tmp_path)
    with pytest.raises(KeyFileError):
        typed("rotate", "--as", "../ann", "--data", tmp_path)
    with pytest.raises(ConfigError, match="no keys/"):
        typed("rotate", "--as", "ann", "--data", tmp_path / "elsewhere")
    assert (tmp_path / "keys" / "receipts.public").read_bytes() == before
    assert noted_acts(tmp_path) == []
