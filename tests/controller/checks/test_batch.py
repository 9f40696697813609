"""The batch as a whole: number, count, digest; and the digests of people."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.checks.batch import check_batch
from controller.checks.digests import person_digests
from tests.controller.checks.samples import good

NUMBER = "123456789012" + "20260101" + "00001"


def found(number=NUMBER, count=3, present=3, **more):
    return [finding.code for finding in check_batch(number, count, present, **more)]


def test_a_good_batch_has_no_finding():
    assert found(due="20260131", card_kind="second") == []
    assert found(count=1, present=1) == []
    assert found(count=10_000, present=10_000) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (NUMBER[:-1], ["batch.number"]),
        (NUMBER + "1", ["batch.number"]),
        ("A" + NUMBER[1:], ["batch.number"]),
        ("１" + NUMBER[1:], ["batch.number"]),
        ("", ["batch.number"]),
        ("123456789012" + "20250229" + "00001", ["batch.date"]),
        ("123456789012" + "20260101" + "00000", ["batch.sequence"]),
        ("123456789012" + "00000000" + "00000", ["batch.date", "batch.sequence"]),
    ],
)
def test_a_batch_number_is_25_digits_with_a_date_and_a_sequence(number, expected):
    assert found(number) == expected


@pytest.mark.parametrize(
    ("count", "present", "expected"),
    [
        (3, 2, ["batch.count"]),
        (2, 3, ["batch.count"]),
        (0, 0, ["batch.limit"]),
        (-1, 0, ["batch.count"]),
        (10_001, 10_001, ["batch.limit"]),
    ],
)
def test_the_count_is_that_of_the_applications_present(count, present, expected):
    assert found(count=count, present=present) == expected


def test_everything_wrong_with_a_batch_is_told_at_once():
    codes = found("1", 2, 3, seen_other=True, digest_agrees=False, due="20260230", card_kind="")
    assert codes == [
        "batch.number",
        "batch.conflict",
        "batch.count",
        "batch.digest",
        "batch.due",
        "batch.card_kind",
    ]


KEY = b"k" * 32


def test_a_digest_is_the_same_for_each_form_of_one_number():
    number = good().identity_number[:17] + "X"
    assert person_digests(good(identity_number=number), KEY) == person_digests(
        good(identity_number=number.lower()), KEY
    )
    short = good(card_kind="first", identity_number="520102900307125")
    assert person_digests(short, KEY) == person_digests(good(), KEY)


def test_the_identity_digest_knows_only_the_number_and_the_person_digest_all_four():
    first = person_digests(good(), KEY)
    for change in ({"name": "样例乙"}, {"sex": "2"}, {"birth": "19900308"}):
        other = person_digests(good(**change), KEY)
        assert other[0] == first[0]
        assert other[1] != first[1]
    assert person_digests(good(address="样例路", reason="41", portrait=b""), KEY) == first
    assert all(len(digest) == 32 for digest in first)
    assert first[0] != first[1]


def test_another_site_has_other_digests():
    assert set(person_digests(good(), KEY)).isdisjoint(person_digests(good(), b"l" * 32))


def test_the_identity_digest_is_hmac_sha256_of_the_number():
    expected = hmac.new(KEY, b"identity\xff" + good().identity_number.encode(), "sha256").digest()
    assert person_digests(good(), KEY)[0] == expected


@given(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_no_text_can_pass_for_two_fields(name, sex, other_name, other_sex):
    one = person_digests(good(name=name, sex=sex), KEY)
    two = person_digests(good(name=other_name, sex=other_sex), KEY)
    assert (one == two) == ((name, sex) == (other_name, other_sex))


def test_a_lone_surrogate_has_a_digest_too():
    assert person_digests(good(name="\ud800"), KEY) != person_digests(good(name="\ud801"), KEY)
