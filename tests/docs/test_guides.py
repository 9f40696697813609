"""What the guides for upstreams and for the machine name is there: commands, codes, limits, files, metrics."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from controller import wire
from controller.ledger.receipts import FINAL_KINDS, KINDS
from tests.docs.protocol_page import TEXT as WIRE
from tests.docs.test_handbook import COMMANDS, IN_TICKS, parse

ROOT = Path(__file__).resolve().parents[2]
GUIDES = {
    name: (ROOT / "docs" / name).read_text("utf-8")
    for name in ("upstream-guide.md", "station-guide.md", "deployment.md")
}
UPSTREAM, STATION, DEPLOYMENT = GUIDES.values()


def commands_of(page: str) -> set[str]:
    """Commands in ticks, and in blocks, without what runs them as another account and without comments."""
    lines = IN_TICKS.findall(page) + [line.partition(" #")[0].strip() for line in page.splitlines()]
    return {
        line.removeprefix("sudo -u cardmill ")
        for line in lines
        if re.match(r"(sudo -u cardmill )?cardmill [a-z]", line)
    }


def is_a_name_alone(line: str) -> bool:
    """Whether a command is named only, without anything it would take.  Raises: KeyError: there is none."""
    command, words = COMMANDS, line.split()[1:]
    while words and hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return not words


@pytest.mark.parametrize("line", sorted({line for page in GUIDES.values() for line in commands_of(page)}))
def test_a_command_of_a_guide_is_one_with_these_arguments(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in shlex.split(line):
        if "." in name and not name.startswith(("-", "/")):
            Path(name).touch()
    if not is_a_name_alone(line):
        parse(line)


def test_codes_of_the_upstream_guide_stand_in_the_wire_or_among_the_findings():
    known = WIRE + (ROOT / "docs" / "codes.md").read_text("utf-8")
    codes = {
        code for code in re.findall(r"`([a-z]+\.[a-z_]+)`", UPSTREAM) if code.split(".")[1] not in ("public", "secret")
    }
    assert len(codes) >= 5
    assert {code for code in codes if f"`{code}`" not in known} == set()


def test_kinds_of_receipts_in_the_upstream_guide_are_those_of_the_code():
    told = UPSTREAM.partition("## 4.")[2].partition("## 5.")[0]
    assert set(KINDS) >= {"held", "made", "spoiled_remaking", "refused", "accepted"}
    assert all(f"`{kind}`" in told for kind in FINAL_KINDS)


def test_limits_in_the_upstream_guide_are_those_of_the_code():
    assert f"at most {wire.MAX_APPLICATIONS_PER_CHUNK} applications and {wire.MAX_CHUNK_BYTES:,} bytes" in UPSTREAM


def test_files_that_the_deployment_guide_names_are_there():
    named = set(re.findall(r"`(deploy/[\w./-]+)`", DEPLOYMENT))
    assert len(named) >= 2
    assert [name for name in named if not (ROOT / name).exists()] == []
