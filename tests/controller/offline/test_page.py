"""The page for upstream teams: its example gets the answers that lie beside it, its codes are codes."""

from __future__ import annotations

import re
from pathlib import Path

from controller.checks.codes import CODES
from controller.config import Config
from controller.offline.run import check_jsonl

DOCS = Path(__file__).resolve().parents[3] / "docs"
EXAMPLES = DOCS / "examples"
PAGE = (DOCS / "checking.md").read_text("utf-8")


def test_the_example_gets_the_answers_beside_it():
    with (EXAMPLES / "applications.jsonl").open("rb") as file:
        lines = [answer.line() for answer in check_jsonl(file, EXAMPLES, Config(), "20260301")]
    assert lines == (EXAMPLES / "answers.jsonl").read_text("ascii").splitlines()
    assert {line.partition('"verdict": "')[2].partition('"')[0] for line in lines} == {"ok", "note", "hold", "refuse"}


def test_every_code_the_page_names_is_one():
    named = {word for word in re.findall(r"`([a-z]+\.[a-z_]+)`", PAGE) if not word.endswith((".md", ".jsonl", ".toml"))}
    assert len(named) >= 8
    assert named <= set(CODES)
