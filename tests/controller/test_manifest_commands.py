"""`cardmill manifest` and `dispatch` as a dispatcher types them: the files, the digest on the screen, the scanner."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from controller import cli
from controller.commandline import packing as cli_packing
from controller.config import ConfigError
from controller.packing.manifest import digest_of, manifest_csv, read_manifest
from tests.controller.test_manifest import a_manifest

BATCH = "5" * 25


@pytest.fixture
def asked(monkeypatch):
    """Note what the service is asked; it has one manifest."""
    file, calls = manifest_csv(a_manifest()), []

    def ask(verb, args, *who):
        calls.append((verb, args))
        return {} if verb == "dispatch" else {"cards": 3, "csv": file.decode("utf-8"), "sha256": digest_of(file)}

    monkeypatch.setattr(cli_packing, "ask", ask)
    return calls


def typed(*words, said=""):
    return CliRunner().invoke(cli.app, list(map(str, words)), input=said)


def test_both_files_are_written_and_the_digest_printed_is_that_of_the_csv(asked, tmp_path):
    table, page = tmp_path / "12.csv", tmp_path / "12.html"
    result = typed("manifest", 12, "--csv", table, "--html", page)
    assert asked == [("manifest", {"consignment_id": 12})]
    digest = sha256(table.read_bytes()).hexdigest()
    assert result.stdout == f"sha256 {digest}\n"
    assert digest in page.read_text("utf-8")
    assert read_manifest(table.read_bytes()) == a_manifest()


def test_asked_twice_the_files_are_the_same(asked, tmp_path):
    for name in ("a", "b"):
        typed("manifest", 12, "--csv", tmp_path / name, "--html", tmp_path / f"{name}.html")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_without_files_its_counts_are_shown_and_not_the_whole_csv(asked):
    result = typed("manifest", 12)
    assert "cards" in result.stdout
    assert "acceptance_number" not in result.stdout


def test_a_program_gets_the_whole_answer(asked):
    found = json.loads(typed("manifest", 12, "--json", "-").stdout)
    assert manifest_csv(a_manifest()) == found["csv"].encode("utf-8")


def test_a_dispatch_without_a_scan_names_no_bundles(asked):
    assert typed("dispatch", BATCH).exit_code == 0
    assert asked == [("dispatch", {"batch_number": BATCH})]


@pytest.mark.parametrize("way", ["file", "scanner"])
def test_what_the_scanner_typed_is_sent_as_often_as_it_was_scanned(asked, tmp_path, way):
    path = tmp_path / "scanned.txt"
    path.write_text("\ufeff12\r\n13\n13 7\n", "utf-8")
    result = typed("dispatch", BATCH, "--scanned", path if way == "file" else "-", said="12\n13\n13 7\n")
    assert result.exit_code == 0
    assert asked == [("dispatch", {"batch_number": BATCH, "scanned": [12, 13, 13, 7]})]


def test_an_empty_scan_is_sent_as_one_and_not_as_none_at_all(asked):
    typed("dispatch", BATCH, "--scanned", "-", said="\n")
    assert asked == [("dispatch", {"batch_number": BATCH, "scanned": []})]


@pytest.mark.parametrize("text", ["12 B13", "-1", "1.0", "１２", "9" * 16, "\N{REPLACEMENT CHARACTER}"])
def test_what_is_no_bundle_s_number_is_refused_before_anybody_is_asked(text):
    with pytest.raises(ConfigError, match="no bundle's number"):
        cli_packing.bundles_in(text)


# ---- a file that was carried away ------------------------------------------------------------------------------


def test_a_file_that_was_carried_away_is_what_the_ledger_says(asked, tmp_path):
    typed("manifest", 12, "--csv", tmp_path / "kept.csv")
    result = typed("manifest", 12, "--check", tmp_path / "kept.csv")
    assert result.exit_code == 0
    assert result.stdout.startswith("the file is what the ledger says, to the byte\n")


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda file: file.replace(b"chain_move,4711", b"chain_move,4712"), 9),
        (lambda file: file + b"\r\n", 22),
        (lambda file: file[:-1], 22),
        (lambda file: b"", 1),
    ],
)
def test_a_file_that_differs_ends_the_command_with_the_first_line_that_does(asked, tmp_path, spoil, line):
    kept = tmp_path / "kept.csv"
    kept.write_bytes(spoil(manifest_csv(a_manifest())))
    result = typed("manifest", 12, "--check", kept)
    assert result.exit_code == 1
    assert f"line {line} of the file" in result.output
    assert "sha256" not in result.stdout
