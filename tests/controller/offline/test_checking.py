"""Checking a file: one answer a line in its order, batches of one history, the same answers to the same batch."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc
from random import Random

import pytest

from controller.application import Application
from controller.checks.policy import Policy, SharedNumber
from controller.offline import checking
from controller.offline.checking import ROWS_MAX
from tests.controller.checks.samples import context
from tests.controller.offline.files import BATCH, answers_of, application, batch, codes_of, person

AGAIN, SHARED = "duplicate.application", "duplicate.shared_number"
IN_BATCH, BEFORE = "duplicate.acceptance_in_batch", "duplicate.acceptance_before"


def verdicts(lines, **options):
    return [answer.verdict.name.lower() for answer in answers_of(lines, **options)]


def test_each_line_has_its_answer_and_a_batch_comes_before_its_applications():
    lines = [batch(1, 2), application(1), application(2), "", batch(2, 1), application(3)]
    answers = answers_of(lines)
    assert [answer.is_batch for answer in answers] == [True, False, False, False, True, False]
    assert [answer.number[-5:] for answer in answers] == ["00001", "00001", "00002", "", "00002", "00003"]
    assert [answer.verdict.name for answer in answers] == ["OK", "OK", "OK", "REFUSE", "OK", "OK"]


def test_an_answer_is_a_line_of_json_with_the_gravest_finding_first():
    *_, answer = answers_of([batch(1, 1), application(unit="520103001", name="样A")])
    assert json.loads(answer.line()) == {
        "acceptance_number": "5201020012025122000001",
        "verdict": "refuse",
        "findings": [
            {"code": "name.latin", "group": "names", "field": "name", "severity": "refuse"},
            {"code": "unit.other_place", "group": "structure", "field": "unit", "severity": "note"},
        ],
    }


def test_an_empty_file_has_no_answers():
    assert answers_of([]) == []


@pytest.mark.parametrize("field", [name for name in Application.__struct_fields__ if name != "portrait"])
def test_a_lone_surrogate_refuses_its_field_wherever_it_stands(field):
    text = getattr(person(1), field)
    for value in ("\ud800", text[:-1] + "\udfff", text + "\udc00"):
        _, answer = answers_of([batch(1, 1), application(**{field: value})])
        assert answer.verdict.name == "REFUSE"
        assert field in [finding.field for finding in answer.findings if finding.severity == answer.verdict]
        answer.line().encode("ascii")


def test_a_person_of_an_earlier_batch_has_an_open_application():
    later = application(2, identity_number=person(1).identity_number)
    renamed = application(3, identity_number=person(1).identity_number, name="样例乙")
    found = codes_of([batch(1, 1), application(1), batch(2, 2), later, renamed, batch(3, 1), application(1)])
    assert found == [[], [], [], [AGAIN], [SHARED], [], [BEFORE, AGAIN]]


def test_a_held_one_is_open_and_a_refused_one_leaves_only_its_acceptance_number():
    held = application(1, name="样")
    refused = application(2, sex="9")
    lines = [batch(1, 2), held, refused, batch(2, 3), application(3, identity_number=person(1).identity_number)]
    lines += [application(2), application(4, identity_number=person(2).identity_number)]
    assert codes_of(lines)[4:] == [[SHARED], [BEFORE], []]


def test_members_of_a_refused_batch_do_not_enter_the_history():
    lines = [batch(1, 3), application(1), application(2), batch(2, 2), application(1), application(2)]
    assert codes_of(lines) == [["batch.count"], [], [], [], [], []]


def test_duplicates_inside_a_refused_batch_are_told_all_the_same():
    assert codes_of([batch(1, 3), application(1), application(1)]) == [["batch.count"], [], [IN_BATCH, AGAIN]]


def test_the_last_row_may_hold_the_first_under_neither():
    neither = dataclasses.replace(context(), policy=Policy(shared_number=SharedNumber.NEITHER))
    both = dataclasses.replace(context(), policy=Policy(shared_number=SharedNumber.BOTH))
    lines = [batch(1, 2), application(1), application(2, identity_number=person(1).identity_number, name="样例乙")]
    assert verdicts(lines) == ["ok", "ok", "hold"]
    assert verdicts(lines, in_context=neither) == ["ok", "hold", "hold"]
    assert verdicts(lines, in_context=both) == ["ok", "ok", "note"]


# ---- batches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"batch_number": BATCH + "0001"}, "batch.number", "batch_number"),
        ({"batch_number": BATCH + "0000１"}, "batch.number", "batch_number"),
        ({"batch_number": None}, "batch.number", "batch_number"),
        ({"batch_number": "520102000000" + "20260229" + "00001"}, "batch.date", "batch_number"),
        ({"batch_number": BATCH + "00000"}, "batch.sequence", "batch_number"),
        ({"batch_number": "ABCDEF000000" + "2026010100001"}, "batch.number", "batch_number"),
        ({"count": 0}, "batch.count", "count"),
        ({"count": 2}, "batch.count", "count"),
        ({"count": "1"}, "batch.count", "count"),
        ({"count": True}, "batch.count", "count"),
        ({"card_kind": "third"}, "batch.card_kind", "card_kind"),
        ({"received_on": "20260230"}, "batch.received_on", "received_on"),
        ({"received_on": 20260101}, "batch.received_on", "received_on"),
    ],
)
def test_a_header_that_cannot_be_refuses_the_batch_and_no_application(changes, code, field):
    head, row = answers_of([batch(1, 1, **changes), application(1)])
    assert [(finding.code, finding.field) for finding in head.findings] == [(code, field)]
    assert row.findings == ()


def test_the_organisation_code_is_not_checked():
    assert verdicts([batch(1, 1, batch_number="9999999999992026010100001"), application(1)]) == ["ok", "ok"]


def test_a_header_that_cannot_be_read_refuses_what_follows_as_a_batch():
    lines = ['{"batch": ', application(1), batch(2, 1), application(1)]
    assert codes_of(lines) == [["batch.unreadable"], [], [], []]


def test_an_application_before_any_header_is_refused_with_its_own_faults():
    found = codes_of([application(1, sex="9"), application(2), batch(1, 2), application(1), application(2)])
    assert found == [["sex.unknown", "record.no_batch"], ["record.no_batch"], [], [], []]


def test_the_same_batch_again_gets_the_same_answers_even_on_another_day():
    first = [application(1), application(2, valid_from="20260102", valid_until="20460102"), application(1)]
    other = [batch(2, 1), application(3, identity_number=person(1).identity_number)]
    lines = [batch(1, 3), *first, *other, batch(1, 3, received_on="20260301"), *first]
    found = codes_of(lines)
    assert found[:4] == [[], [], ["validity.from_future"], [IN_BATCH, AGAIN]]
    assert found[4:6] == [[], [AGAIN]]
    assert found[6:] == found[:4]


def test_a_batch_number_with_other_content_is_refused_and_judged_on_its_own_day():
    later = application(2, valid_from="20260102", valid_until="20460102")
    lines = [batch(1, 1), application(1), batch(1, 1, received_on="20260301"), later, batch(2, 1), application(2)]
    assert codes_of(lines) == [[], [], ["batch.conflict"], [], [], []]


def test_another_count_or_kind_is_other_content():
    lines = [batch(1, 1), application(1), batch(1, 2), application(1)]
    assert codes_of(lines)[2] == ["batch.conflict", "batch.count"]


def test_an_unreadable_line_is_counted_and_an_empty_one_is_not():
    assert verdicts([batch(1, 2), application(1), "oops"]) == ["ok", "ok", "refuse"]
    assert verdicts([batch(1, 1), application(1), "", " "]) == ["ok", "ok", "refuse", "refuse"]


def test_each_batch_is_judged_on_its_own_day():
    lines = [batch(1, 1, received_on="20251220"), application(1), batch(2, 1, received_on="20251219"), application(2)]
    assert codes_of(lines)[3] == ["acceptance.date", "validity.from_future"]


def test_an_application_of_another_kind_than_its_batch_is_refused():
    assert codes_of([batch(1, 1, card_kind="first"), application(1)])[1] == ["card_kind.other"]
    without = json.dumps({"batch": {"batch_number": BATCH + "00001", "received_on": "20260101", "count": 1}})
    assert verdicts([without, application(1)]) == ["ok", "ok"]


# ---- bounds -------------------------------------------------------------------------------------------------------


def test_a_batch_that_is_too_long_is_refused_and_its_rows_go_through_without_waiting(monkeypatch):
    monkeypatch.setattr(checking, "ROWS_MAX", 3)
    monkeypatch.setattr("controller.checks.batch.LAST_INDEX", 2)
    rows = [application(number) for number in range(1, 6)]
    assert codes_of([batch(1, 5), *rows]) == [["batch.count"], [], [], [], [], []]
    assert codes_of([batch(1, 4), *rows[:4]]) == [["batch.limit"], [], [], [], []]
    assert codes_of([batch(1, 3), *rows[:3], batch(2, 1), rows[0]])[4:] == [[], [BEFORE, AGAIN]]
    assert codes_of([batch(1, 5), *rows, batch(2, 1), rows[0]])[6:] == [[], []]


def test_what_waits_does_not_grow_with_a_batch_that_has_no_end():
    def lines():
        yield batch(1, 1)
        for _ in range(3 * ROWS_MAX):
            yield "x"

    tracemalloc.start()
    try:
        assert len(answers_of(lines())) == 1 + 3 * ROWS_MAX
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 60_000_000


def test_empty_lines_without_end_refuse_the_batch_at_last():
    lines = [batch(1, 1), application(1), *([""] * (2 * ROWS_MAX + 10))]
    answers = answers_of(lines)
    assert [finding.code for finding in answers[0].findings] == ["batch.count"]
    assert len(answers) == len(lines)


def test_however_batches_are_mixed_each_line_is_answered_in_its_place():
    rng = Random(5)
    lines = [
        rng.choice((batch(rng.randint(1, 4), rng.randint(0, 3)), application(rng.randint(1, 9)), "", "x"))
        for _ in range(400)
    ]
    answers = answers_of(lines)
    assert len(answers) == len(lines)
    for line, answer in zip(lines, answers, strict=True):
        assert answer.is_batch == line.startswith('{"batch"')
        number = json.loads(line)[line[2:].partition('"')[0]] if len(line) > 1 else {}
        assert answer.number == number.get("batch_number", number.get("acceptance_number", ""))
