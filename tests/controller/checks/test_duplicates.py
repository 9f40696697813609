"""Duplicates: the matrix of who was there first, what became of them, and what the centre's policy says."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.checks.codes import Severity
from controller.checks.duplicates import Known, Person, Standing, check_duplicates
from controller.checks.finding import verdict
from controller.checks.policy import Policy, SharedNumber
from controller.checks.reason import REASONS, REPLACEMENTS

APPLICATION, SHARED, TOLERATED = "duplicate.application", "duplicate.shared_number", "duplicate.shared_tolerated"
IN_BATCH, BEFORE = "duplicate.acceptance_in_batch", "duplicate.acceptance_before"
OK, NOTE, HOLD, REFUSE = Severity


def search(rows, known=(), own=None, reasons=None, policy=SharedNumber.FIRST_ONLY, correcting=()):
    """Give (index, code) for rows written as "acceptance number, identity, person" in one word of three letters."""
    people = [Person(index, row[0], row[1].encode(), (row[1] + row[2]).encode()) for index, row in enumerate(rows)]
    history = [
        Known(row[0], row[1].encode(), (row[1] + row[2]).encode(), Standing(state), bool(same))
        for row, state, *same in known
    ]
    found = check_duplicates(
        people,
        own or [OK] * len(rows),
        history,
        reasons or ["21"] * len(rows),
        Policy(shared_number=policy),
        correcting,
    )
    return [(index, finding.code) for index, finding in found]


def test_rows_that_share_nothing_have_no_finding():
    assert search(["1ix", "2jx", "3kx"], known=[("0lx", "open"), ("9mx", "made")]) == []


def test_the_same_person_twice_is_a_duplicate_application_and_the_later_one_is_refused():
    assert search(["1ix", "2ix", "3ix"]) == [(1, APPLICATION), (2, APPLICATION)]


def test_two_people_with_one_number_share_it_and_the_later_one_is_held():
    assert search(["1ix", "2iy"]) == [(1, SHARED)]


class Looked(bytes):
    """A digest that counts how often it is compared."""

    times = 0
    __hash__ = bytes.__hash__

    def __eq__(self, other):
        Looked.times += 1
        return bytes.__eq__(self, other)

    def __ne__(self, other):
        return not self == other


@pytest.mark.parametrize("policy", SharedNumber)
def test_a_number_that_a_thousand_people_send_costs_no_more_than_a_thousand_numbers(policy):
    known = [Known(f"a{who}", b"i", Looked(who.to_bytes(2)), Standing.OPEN) for who in range(1_000)]
    rows = [Person(index, f"b{index}", b"i", Looked((1_000 + index).to_bytes(2))) for index in range(1_000)]
    Looked.times = 0
    found = check_duplicates(rows, [OK] * 1_000, known, ["21"] * 1_000, Policy(shared_number=policy))
    assert len(found) == 1_000
    assert Looked.times < 10_000


def test_the_same_person_is_told_apart_from_another_one_in_the_history():
    assert search(["1ix"], known=[("0ix", "open")]) == [(0, APPLICATION)]
    assert search(["1ix"], known=[("0iy", "open")]) == [(0, SHARED)]
    assert search(["1ix"], known=[("0iy", "made")]) == [(0, SHARED)]


@pytest.mark.parametrize("reason", [*REASONS, "", "99"])
def test_after_a_card_was_made_a_replacement_is_noted_and_anything_else_held(reason):
    expected = "duplicate.made_before" if reason in REPLACEMENTS else "duplicate.first_again"
    assert search(["1ix"], known=[("0ix", "made")], reasons=[reason]) == [(0, expected)]


def test_an_open_application_of_a_person_with_a_card_refuses_a_second_one():
    assert search(["2ix"], known=[("0ix", "made"), ("1ix", "open")]) == [(0, APPLICATION)]
    assert search(["1ix", "2ix"], known=[("0ix", "made")]) == [(0, "duplicate.made_before"), (1, APPLICATION)]


def test_a_replacement_for_one_of_two_who_share_a_number_is_held_too():
    known = [("8ix", "made"), ("9iy", "made")]
    assert search(["1ix"], known=known) == [(0, "duplicate.made_before"), (0, SHARED)]


@pytest.mark.parametrize("state", list(Standing))
def test_an_application_that_ended_takes_its_acceptance_number_only(state):
    expected = {"open": [(0, APPLICATION)], "made": [(0, "duplicate.made_before")], "ended": []}
    assert search(["1ix"], known=[("0ix", state)]) == expected[state]
    assert search(["0jx"], known=[("0ix", state)]) == [(0, BEFORE)]


@pytest.mark.parametrize(
    ("own", "expected"), [(OK, APPLICATION), (NOTE, APPLICATION), (HOLD, APPLICATION), (REFUSE, None)]
)
def test_an_earlier_row_stands_in_the_way_unless_it_is_refused(own, expected):
    found = search(["1ix", "2ix"], own=[own, OK])
    assert found == ([(1, expected)] if expected else [])


def test_a_row_refused_as_a_duplicate_stands_in_nobodys_way():
    # the second shares its acceptance number, so it is refused, and the third person shares with nobody
    assert search(["1ax", "1ix", "2iy"]) == [(1, IN_BATCH)]


def test_a_held_row_stands_in_the_way():
    assert search(["1ix", "2iy", "3iy", "4iz"]) == [(1, SHARED), (2, APPLICATION), (3, SHARED)]


def test_a_refused_row_is_still_told_what_it_doubles():
    assert search(["1ix", "2ix"], own=[OK, REFUSE]) == [(1, APPLICATION)]
    assert search(["1ix"], known=[("0iy", "open")], own=[REFUSE]) == [(0, SHARED)]


def test_an_acceptance_number_stands_once_even_when_its_first_row_is_refused():
    assert search(["1ix", "1jx"], own=[REFUSE, OK]) == [(1, IN_BATCH)]


def test_the_same_application_twice_has_a_doubled_number_and_a_person_who_applies_again():
    assert search(["1ix", "1ix"]) == [(1, IN_BATCH), (1, APPLICATION)]
    assert search(["1ix"], known=[("1ix", "open")]) == [(0, BEFORE), (0, APPLICATION)]


def test_two_people_who_share_both_numbers_are_told_both():
    assert search(["1ix", "1iy"]) == [(1, IN_BATCH), (1, SHARED)]


def test_empty_acceptance_numbers_are_not_doubles_of_each_other():
    people = [Person(index, "", b"i", b"p") for index in range(2)]
    found = check_duplicates(people, [OK, OK], [], ["21", "21"], Policy())
    assert [(index, finding.code) for index, finding in found] == [(1, APPLICATION)]


def test_a_correction_may_repeat_the_acceptance_number_and_the_person_it_replaces():
    known = [("1ix", "open", True)]
    assert search(["1ix"], known=known) == [(0, IN_BATCH), (0, APPLICATION)]
    assert search(["1ix"], known=known, correcting={"1"}) == []
    assert search(["1iy"], known=known, correcting={"1"}) == []
    assert search(["1ix"], known=[*known, ("2ix", "open")], correcting={"1"}) == [(0, APPLICATION)]


def test_under_neither_both_rows_are_held_and_under_both_the_later_is_noted():
    rows = ["1ix", "2iy", "3iz"]
    assert search(rows, policy=SharedNumber.NEITHER) == [(0, SHARED), (1, SHARED), (2, SHARED)]
    assert search(rows, policy=SharedNumber.BOTH) == [(1, TOLERATED), (2, TOLERATED)]


def test_under_neither_the_history_is_left_to_the_caller():
    assert search(["1ix"], known=[("0iy", "open")], policy=SharedNumber.NEITHER) == [(0, SHARED)]
    found = search(["1ix", "2iy"], known=[("0ix", "made")], policy=SharedNumber.NEITHER)
    assert found == [(0, "duplicate.made_before"), (0, SHARED), (1, SHARED)]


def test_under_neither_a_refused_row_holds_nobody():
    assert search(["1ix", "2iy"], own=[OK, REFUSE], policy=SharedNumber.NEITHER) == [(1, SHARED)]


@pytest.mark.parametrize("policy", list(SharedNumber))
def test_no_policy_lets_the_same_person_have_two_open_applications(policy):
    assert search(["1ix", "2ix"], policy=policy) == [(1, APPLICATION)]


def test_findings_name_the_identity_number_or_the_acceptance_number():
    people = [Person(0, "1", b"i", b"p"), Person(1, "1", b"j", b"q"), Person(2, "2", b"i", b"p")]
    found = check_duplicates(people, [OK] * 3, [], ["21"] * 3, Policy())
    assert [(index, finding.field) for index, finding in found] == [(1, "acceptance_number"), (2, "identity_number")]


ROWS = st.lists(
    st.tuples(st.sampled_from("123456"), st.sampled_from("ij"), st.sampled_from("xy"), st.sampled_from(Severity)),
    max_size=8,
)
HISTORY = st.lists(
    st.tuples(st.sampled_from("6789"), st.sampled_from("ij"), st.sampled_from("xy"), st.sampled_from(list(Standing))),
    max_size=4,
    unique_by=lambda entry: entry[0],
)


@given(ROWS, HISTORY, st.sampled_from(list(SharedNumber)))
def test_whatever_comes_no_person_has_two_open_applications_and_no_shared_number_passes_unseen(rows, known, policy):
    people = [Person(index, row[0], row[1].encode(), (row[1] + row[2]).encode()) for index, row in enumerate(rows)]
    history = [Known(row[0], row[1].encode(), (row[1] + row[2]).encode(), row[3]) for row in known]
    found = check_duplicates(
        people, [row[3] for row in rows], history, ["21"] * len(rows), Policy(shared_number=policy)
    )
    verdicts = [
        max(row[3], verdict(finding for index, finding in found if index == place)) for place, row in enumerate(rows)
    ]
    passed = [person for person, own in zip(people, verdicts, strict=True) if own < REFUSE]
    still_open = [entry for entry in history if entry.state is Standing.OPEN]
    assert len({person.acceptance_number for person in passed}) == len(passed)
    assert not {person.acceptance_number for person in passed} & {entry.acceptance_number for entry in history}
    persons = [person.person for person in passed] + [entry.person for entry in still_open]
    known_open = [entry.person for entry in still_open]
    assert len(set(persons)) - len(set(known_open)) == len(passed)
    for first, second in itertools.combinations(passed, 2):
        if first.identity == second.identity:
            wanted = NOTE if policy is SharedNumber.BOTH else HOLD
            assert verdicts[second.index] >= wanted


def test_a_batch_of_ten_thousand_is_searched_in_one_pass():
    count = 10_000
    people = [Person(index, str(index), b"%d" % (index // 2), b"%d" % index) for index in range(count)]
    found = check_duplicates(people, [OK] * count, [], ["21"] * count, Policy())
    assert [index for index, _ in found] == list(range(1, count, 2))
