"""The sentences of `why`: each thing named once, one of a thing in the singular, what is empty named."""

from __future__ import annotations

import re

import pytest

from controller.core import events as e
from controller.core.moves import RowVerdict, Verdict
from controller.core.why.sentences import EN, tell
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.core.test_why import ask, fields, off


def test_a_station_at_work_is_named_once_in_each_language():
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=40)
    floor.host.run(4.0)
    for state in ("idle", "aborted"):
        off(floor, "p1", state, "")
        reason = ask(floor, "p1")
        assert reason.facts["because"] == ("works" if state == "idle" else "works_not")
        assert (reason.sentence_en.count("p1"), reason.sentence_zh.count("p1")) == (1, 1)
        assert f"job {reason.facts['job_id']}" in reason.sentence_en


def test_an_idle_press_with_nothing_to_do_names_its_empty_magazine():
    floor = RoughFloor(1, trouble=0.0)
    assert ask(floor, "l1").facts["because"] == "nothing"
    floor.state.stock.magazines.pop("l1")
    reason = ask(floor, "l1")
    assert "no body sheets are in the magazine of l1" in reason.sentence_en
    assert "l1 料仓没有卡体" in reason.sentence_zh
    assert ask(floor, "l2").facts["because"] == "nothing"


@pytest.mark.parametrize("key", sorted(EN))
def test_one_of_a_thing_is_told_in_the_singular_and_two_in_the_plural(key):
    nouns = ["attempt", "job", "card", "remake", "sheet", "film", "pile", "press", "minute", "application"]
    one, two = (tell(("It", "它"), [key], dict.fromkeys(fields(EN[key]) - {"what"}, n), 0.0)[0] for n in (1, 2))
    for noun in nouns:
        many = f"{noun}es" if noun == "press" else f"{noun}s"
        assert not re.search(rf"(?<!\w)1 (\w+ )?{many}\b", one)
        assert not re.search(rf"(?<!\w)2 (\w+ )?{noun}\b", two)
    assert not re.search(r"\b1 (?!no )\w+ (wait|are|work|run|go)\b", one)


def test_the_batch_of_a_card_that_came_back_is_known_by_its_whole_number():
    floor = RoughFloor(1, trouble=0.0)
    number = f"{1:025d}-R1-2"
    rows = [RowVerdict(0, "1" * 22, "520102001", Verdict.OK)]
    floor.host.handle(e.BatchChecked(1, number, "north", "second", 0.0, 9e9, rows), 0.0)
    assert f"Batch {number}" in ask(floor, number).sentence_en
    assert ask(floor, number[:25]).code == "why.unknown"
