"""Refusals in the reader's language: every code that the service can answer a person with has its words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import controller
from controller.console.refusal_words import FACTS, refused_in
from controller.console.words import catalogue, say_in
from controller.core import andon
from controller.core.exit_check import exit_difference
from controller.core.stocktaking import differences
from tests.controller.core.keepers_floor import KeepersFloor

HOUSE = Path(controller.__file__).parent
CORE, ALARMS = HOUSE / "core", Path(andon.__file__).parent
ASKED = (  # where else a person's request is answered with no
    *sorted((HOUSE / "desk").glob("*.py")),
    *(HOUSE / name for name in ("returns.py", "posts.py", "rights.py", "personal_text.py", "commands.py")),
    *(HOUSE / "console" / name for name in ("console.py", "long_looks.py")),
)
CODE = re.compile(r"[a-z_]+\.[a-z_]+|busy")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
REFUSERS = {"refuse", "Refused", "Refusal"}


def constants(tree):
    """The texts that stand under a name of their own."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def codes_in(path, named):
    """The codes that a file refuses with: the first of a refusal's arguments, and of each pair of code and sentence."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        first = None
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in REFUSERS:
                first = next((one.value for one in node.keywords if one.arg == "code"), None)
                first = node.args[0] if node.args else first
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            first = node.elts[0]
        if isinstance(first, ast.Name):
            first = ast.Constant(named.get(first.id, ""))
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and CODE.fullmatch(first.value):
            yield first.value


def codes_of(paths):
    named = {}
    for path in (*CORE.rglob("*.py"), *ASKED):
        named |= constants(ast.parse(path.read_text("utf-8")))
    return {code for path in paths for code in codes_in(path, named)}


CORE_CODES = codes_of([path for path in CORE.rglob("*.py") if ALARMS not in path.parents])


def test_the_codes_are_found_where_they_are_written():
    assert len(CORE_CODES) > 60
    assert {"act.station_operator", "dispatch.exit_check", "hold.held", "stock.kind", "shift.differs"} <= CORE_CODES
    assert {"right.missing", "alarm.none", "trace.unknown", "busy", "reason.personal"} <= codes_of(ASKED)


@pytest.mark.parametrize("code", sorted(CORE_CODES | codes_of(ASKED)))
def test_each_refusal_has_a_chinese_and_an_english_sentence(code):
    chinese, english = (catalogue(language).get(f"refusal.{code}", "") for language in ("zh", "en"))
    assert CHINESE.search(chinese), f"{code}: {chinese!r}"
    assert english, code
    assert not CHINESE.search(english)
    assert (code in FACTS) == ("{}" in chinese) == ("{}" in english), "facts and the place for them belong together"


def test_a_shift_that_differs_is_told_in_chinese_with_every_place_and_number():
    floor = KeepersFloor(2)
    floor.both("receive", first_body=90_000, sheets=50, lot="B")
    stock = floor.state.stock
    stock.counts["vault"], stock.counts["l1"] = (1_234, 2_000), (7, 9)
    sentences = differences(stock)
    assert len(sentences) == 2
    said = refused_in(say_in("zh"), "shift.differs", f"{'; '.join(sentences)}: count again")
    assert not re.search(r"\b(vault|counted|should|and)\b", said)
    assert "库房：清点 1,234，账面 2,000" in said
    assert "l1：清点 7，账面 9" in said
    assert str(stock.vault[0].first) in said


def test_an_exit_check_that_fails_is_told_in_chinese_with_every_bundle():
    differs = exit_difference([1, 2, 3], [3, 3, 7])
    said = refused_in(say_in("zh"), "dispatch.exit_check", f"nothing left: {differs}; find out why")
    assert "缺 1, 2；重复扫描 3；不属本数据包 7" in said
    assert not re.search("[a-z]", said)


def test_a_place_that_was_not_counted_keeps_its_name_and_the_vault_gets_its_chinese_one():
    text = "not counted since the shift began: vault, l1; see `cardmill count`"
    assert refused_in(say_in("zh"), "shift.not_counted", text) == "本班尚未清点：库房, l1。"


def test_a_sentence_whose_facts_cannot_be_read_is_given_as_the_service_said_it():
    for code in FACTS:
        assert refused_in(say_in("zh"), code, "something else") == "something else"
    assert refused_in(say_in("zh"), "never.heard_of", "as it is {}") == "as it is {}"
