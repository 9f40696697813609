"""The audit to be read: which moves are shown for a card, a batch, a person or a time, and in which words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from controller.audit.history import History
from controller.audit.words import SENTENCES, named_fields, people_of, sentences_of
from controller.core import moves as m
from controller.core.quality_moves import CardReturned
from controller.ledger.engine import reader_engine
from controller.ledger.journal import TAGS
from controller.ledger.store import DATABASE_NAME
from tests.controller.ledger.audited import copy_of_centre


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    folder, _ = copy_of_centre(tmp_path)
    engine = reader_engine(folder / DATABASE_NAME)
    yield History(engine)
    engine.dispose()


def tags(told: list) -> list[str]:
    return [TAGS[type(one.move)] for one in told]


def test_every_kind_of_move_has_its_sentence_and_no_sentence_names_a_field_that_is_not_there():
    kinds = {tag: kind for kind, tag in TAGS.items()}
    assert SENTENCES.keys() == kinds.keys()
    for tag, sentences in SENTENCES.items():
        for sentence in sentences:
            assert set(re.findall(r"{(\w+)}", sentence)) <= set(kinds[tag].__struct_fields__), tag


def test_every_kind_of_move_can_be_said_and_shown():
    plain = {int: 7, str: "x", float: 1.5, bool: True, bytes: b"\x01", m.Mark: m.Mark.PASSED}
    for kind in TAGS:
        hints = get_type_hints(kind)
        move = kind(**{name: plain.get(hints[name], [] if "list" in str(hints[name]) else {}) for name in hints})
        assert all("{" not in sentence for sentence in sentences_of(move))
        assert list(named_fields(move)) == list(kind.__struct_fields__)


def test_the_whole_way_of_a_card_is_shown_and_of_no_other(history):
    told = history.card(10_003, 1_000)
    assert [tag for tag in tags(told) if tag != "job" and tag != "job_ended"] == [
        *("batch", "encode", "sheet", "bound", "mark", "bundle", "came_back")
    ]
    others = history.card(10_012, 1_000)
    assert "came_back" not in tags(others)
    imposed = [one.move.sheet_id for one in told + others if isinstance(one.move, m.SheetImposed)]
    assert len(set(imposed)) == 2
    assert history.card(99_990_000, 10) == []


def test_a_batch_is_shown_from_its_verdicts_to_its_end_and_the_head_that_folded_it(history):
    told = tags(history.batch(2, 1_000))
    assert told[0] == "came_back"
    assert told[-2:] == ["batch_closed", "tables_folded"]
    assert "sheet" in told
    assert len(history.batch(1, 3)) == 3


def test_a_person_is_shown_with_what_stands_under_the_name(history):
    told = history.by("ann", 100)
    assert {"received", "issued", "came_back"} <= set(tags(told))
    assert all("ann" in people_of(one.move) for one in told)
    assert [one.seq for one in told] == sorted(one.seq for one in told)
    assert history.by("nobody", 100) == []
    assert [one.seq for one in history.by("ann", 1)] == [told[-1].seq]


def test_moves_are_shown_by_number_by_time_and_from_the_end(history):
    last = history.last(4)
    assert [one.seq for one in last] == list(range(last[-1].seq - 3, last[-1].seq + 1))
    assert last[-1].seq == history.head().seq
    assert [one.seq for one in history.move(5)] == [5]
    assert history.move(10**6) == []
    [returned] = [one for one in history.by("ann", 100) if isinstance(one.move, CardReturned)]
    since = history.since(returned.at_floor_s, 2)
    assert since[0].at_floor_s == returned.at_floor_s
    assert len(since) == 2
    day = history.last_day()
    assert day is not None
    assert TAGS[type(day.move)] == "tables_folded"
