"""A kept file of receipts is verified offline: good, changed, cut, foreign, unsigned, with gaps, from two upstreams."""

from __future__ import annotations

import random
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.evidence import numbers, verification
from controller.evidence.contents import Contents
from controller.evidence.errors import Unreadable
from controller.evidence.numbers import Numbers
from controller.evidence.public_keys import PublicKeys
from controller.evidence.signed_bytes import signed_bytes
from controller.evidence.signing import PUBLIC_NAME, Signer, open_signer
from controller.evidence.verification import FAULTS, Verification, verify_file
from controller.wire import Receipt
from tests.controller.evidence.samples import KEY, KEYS, OTHER, OTHER_SIGNER, lines_of, receipt

WRONG = [str(what) for what in FAULTS]


def verified(*lines: bytes, keys: PublicKeys = KEYS) -> Verification:
    found = Verification(keys)
    for line in lines:
        found.take(line)
    return found


def faults_of(found: Verification) -> list[tuple[int, int, str]]:
    return [(fault.line, fault.number, fault.what) for fault in found.faults]


# ---- what is sound, and what is not ---------------------------------------------------------------------------


def test_receipts_as_they_were_given_are_sound(tmp_path):
    path = tmp_path / "receipts.jsonl"
    path.write_bytes(b"".join(lines_of(*(receipt(number) for number in range(1, 41)))))
    heard = []
    found = verify_file(path, KEYS, heard.append)
    told = found.as_json()
    assert (found.is_sound, told["lines"], told["good"], [told[what] for what in WRONG]) == (True, 40, 40, [0] * 7)
    assert told["streams"] == [
        {"centre": "cardmill", "upstream": "north", "good": 40, "first": 1, "last": 40, "missing": 0, "gaps": []}
    ]
    assert told["signers"] == {receipt(1).signer: 40}
    assert heard[-1] == path.stat().st_size


def test_an_empty_file_proves_nothing_and_is_not_sound():
    assert not verified().is_sound


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"kind":"accepted"', b'"kind":"dispatched"'),
        (b'"index":3', b'"index":4'),
        (b'"upstream":"north"', b'"upstream":"south"'),
        (b'"centre":"cardmill"', b'"centre":"another"'),
        (b'"case":0', b'"case":1'),
        (b'"codes":[]', b'"codes":["a"]'),
        (b'"counts":{}', b'"counts":{"received":1}'),
        (b'"revision":0', b'"revision":1'),
        (b'"chain":"00', b'"chain":"01'),
    ],
)
def test_a_line_that_was_changed_in_one_place_is_named(old, new):
    lines = lines_of(*(receipt(number) for number in range(1, 6)))
    assert old in lines[2]
    lines[2] = lines[2].replace(old, new)
    found = verified(*lines)
    assert faults_of(found) == [(3, 3, "bad")]
    assert found.as_json()["streams"][0]["gaps"] == [(3, 3)]
    assert not found.is_sound


def test_any_byte_that_is_changed_is_seen_unless_the_receipt_it_says_is_the_same():
    rng = random.Random(5)
    given_one = receipt(3, codes=["portrait.truncated"], fields=["portrait"])
    [line] = lines_of(given_one)
    unseen = []
    for at in range(len(line) - 1):
        changed = bytearray(line)
        changed[at] ^= 1 << rng.randrange(8)
        if verified(bytes(changed)).is_sound:
            unseen.append(msgspec.json.decode(bytes(changed), type=Receipt))
    # a sentence, the bits of base64 that no byte is made of, or the name of a key whose value is its default
    assert 0 < len(unseen) < 40
    assert [one for one in unseen if signed_bytes(one) != signed_bytes(given_one)] == []


def test_a_file_that_was_cut_anywhere_is_never_taken_for_more_than_it_holds():
    lines = lines_of(*(receipt(number) for number in range(1, 4)))
    whole = b"".join(lines)
    ends = {0, len(lines[0]), len(lines[0] + lines[1]), len(whole)}
    for end in range(0, len(whole), 7):
        found = verified(*whole[:end].splitlines(keepends=True))
        is_at_end = end in ends or end + 1 in ends  # the last line end alone may lack
        assert found.counts["torn"] == (not is_at_end)
        assert found.is_sound == (is_at_end and end > 1)


def test_lines_that_are_no_receipts_are_named_and_the_others_go_on():
    [good] = lines_of(receipt(1))
    nested = b'{"number":1,"texts":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n"
    found = verified(b"hello\n", b"\n", b"[]\n", b'{"number":1}\n', b"\xff\xfe\n", nested, good)
    assert [what for _, _, what in faults_of(found)] == ["unreadable"] * 6
    assert found.counts["good"] == 1


def test_a_key_that_stands_twice_in_a_line_is_not_believed():
    [good] = lines_of(receipt(1))
    twice = good.replace(b'{"number"', b'{"kind":"dispatched","number"', 1)
    deep = good.replace(b'"counts":{}', b'"counts":{"received":1,"received":2}')
    assert [verified(line).counts["unreadable"] for line in (twice, deep)] == [1, 1]


def test_a_line_longer_than_any_receipt_is_read_in_parts_and_is_none(tmp_path):
    path = tmp_path / "receipts.jsonl"
    path.write_bytes(
        b'{"number":1,"kind":"' + b"a" * (3 * verification.LINE_MAX_BYTES) + b'"}\n' + lines_of(receipt(1))[0]
    )
    found = verify_file(path, KEYS)
    assert found.counts["good"] == 1
    assert found.counts["torn"] + found.counts["unreadable"] == 4


def test_a_foreign_signer_and_an_unsigned_receipt_are_told_apart():
    blank = msgspec.structs.replace(receipt(2), signer="", signature=b"")
    found = verified(*lines_of(receipt(1), blank, receipt(3, signer=OTHER_SIGNER)))
    assert faults_of(found) == [(2, 2, "unsigned"), (3, 3, "foreign")]
    assert not found.is_sound


def test_receipts_of_before_and_after_a_rotation_are_sound_by_both_keys():
    lines = lines_of(receipt(1, signer=OTHER_SIGNER), receipt(2))
    assert verified(*lines, keys=PublicKeys([KEY.public_key(), OTHER.public_key()])).is_sound
    assert faults_of(verified(*lines)) == [(1, 1, "foreign")]


# ---- numbers --------------------------------------------------------------------------------------------------


def test_gaps_are_named_for_each_upstream_and_centre_apart():
    other_centre = Signer(OTHER, "another")
    found = verified(
        *lines_of(*(receipt(number) for number in (5, 6, 9))),
        *lines_of(*(receipt(number, "south") for number in (1, 2, 3))),
        *lines_of(*(receipt(number, signer=other_centre) for number in (1, 3))),
        keys=PublicKeys([KEY.public_key(), OTHER.public_key()]),
    )
    streams = {(one["centre"], one["upstream"]): one["gaps"] for one in found.as_json()["streams"]}
    assert streams == {("cardmill", "north"): [(7, 8)], ("cardmill", "south"): [], ("another", "north"): [(2, 2)]}
    assert not found.is_sound


def test_numbers_that_a_restored_receipt_declares_void_are_no_gap():
    restored = receipt(1_000_011, kind="restored", counts={"first_void": 3}, batch_number="", index=-1)
    assert verified(*lines_of(receipt(1), receipt(2), restored, receipt(1_000_012))).is_sound
    late = receipt(1_000_011, kind="restored", counts={"first_void": 4}, batch_number="", index=-1)
    assert verified(*lines_of(receipt(1), receipt(2), late)).as_json()["streams"][0]["gaps"] == [(3, 3)]


def test_the_same_receipt_again_does_no_harm_also_under_a_newer_key():
    both = PublicKeys([KEY.public_key(), OTHER.public_key()])
    found = verified(*lines_of(receipt(1), receipt(2), receipt(1), receipt(2, signer=OTHER_SIGNER)), keys=both)
    assert (found.is_sound, found.counts["repeated"], found.counts["good"]) == (True, 2, 4)


@pytest.mark.parametrize("is_named", [True, False])
def test_the_key_of_one_centre_signs_nothing_for_another(is_named):
    south = Signer(OTHER, "southern")
    names = (["cardmill"], ["southern"]) if is_named else ((), ())
    keys = [PublicKeys([one.public_key()], named) for one, named in zip((KEY, OTHER), names, strict=True)]
    own = lines_of(receipt(1), receipt(1, signer=south))
    forged = lines_of(receipt(2, signer=OTHER_SIGNER))  # with the southern key, in the name of the other centre
    with merged(*keys) as both:
        assert verified(*own, keys=both).is_sound
        found = verified(*own, *forged, keys=both)
    assert faults_of(found) == [(3, 2, "other_centre")]
    assert not found.is_sound


@contextmanager
def merged(*keys):
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.public" for number in range(len(keys))]
        for path, one in zip(paths, keys, strict=True):
            path.write_bytes(one.pem())
        yield PublicKeys.read(*paths)


def test_a_centre_that_was_renamed_signs_for_both_of_its_names(tmp_path):
    before = open_signer(tmp_path, "cardmill")
    after = open_signer(tmp_path, "制证中心")
    keys = PublicKeys.read(tmp_path / PUBLIC_NAME)
    assert keys.centres == ("制证中心", "cardmill")
    assert verified(*lines_of(receipt(1, signer=before), receipt(1, signer=after)), keys=keys).is_sound
    assert faults_of(verified(*lines_of(receipt(1)), keys=keys)) == [(1, 1, "foreign")]


def test_a_key_whose_centre_is_not_said_signs_for_none_that_named_its_own():
    with merged(PublicKeys([KEY.public_key()], ["cardmill"]), PublicKeys([OTHER.public_key()])) as keys:
        assert faults_of(verified(*lines_of(receipt(1, signer=OTHER_SIGNER)), keys=keys)) == [(1, 1, "other_centre")]
        assert verified(*lines_of(receipt(1, signer=Signer(OTHER, "southern"))), keys=keys).is_sound


def test_two_good_receipts_with_one_number_and_two_contents_are_shown_to_people():
    found = verified(*lines_of(receipt(1), receipt(2), receipt(2, kind="refused")))
    assert faults_of(found) == [(3, 2, "conflicting")]
    assert not found.is_sound


def test_a_number_is_compared_with_its_first_content_however_many_receipts_lie_between():
    between = 3_000
    lines = lines_of(*(receipt(number) for number in range(1, between)))
    found = verified(*lines, lines[0], *lines_of(receipt(2, kind="refused")))
    assert found.counts["repeated"] == 1
    assert faults_of(found) == [(between + 1, 2, "conflicting")]


def test_the_first_content_of_each_of_many_numbers_is_remembered():
    most = 250_000
    with Contents() as contents:
        for number in range(most):
            assert contents.first_of(0, number, number.to_bytes(16)) is None
        assert contents.first_of(0, 0, bytes(16)) == bytes(16)
        assert contents.first_of(0, 7, b"other") == (7).to_bytes(16)
        assert contents.first_of(1, 7, b"other") is None
        assert contents.first_of(0, 2**80, b"far") is None


def test_what_is_kept_of_a_long_file_is_bounded(monkeypatch):
    monkeypatch.setattr(verification, "FAULTS_MAX", 3)
    found = verified(*lines_of(*(receipt(number) for number in range(1, 31))), *[b"none\n"] * 9)
    assert (len(found.faults), found.counts["unreadable"]) == (3, 9)
    monkeypatch.setattr(verification, "STREAMS_MAX", 2)
    with pytest.raises(Unreadable, match="more than 2 upstreams"):
        verified(*lines_of(*(receipt(1, name) for name in ("a", "b", "c"))))
    monkeypatch.setattr(numbers, "RUNS_MAX", 2)
    with pytest.raises(Unreadable, match="gaps"):
        verified(*lines_of(*(receipt(number) for number in (1, 3, 5))))


@given(spans=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), min_size=1, max_size=30))
def test_runs_of_numbers_are_what_a_set_of_them_is(spans):
    model, kept = set(), Numbers()
    for first, more in spans:
        kept.add(first, first + more)
        model |= set(range(first, first + more + 1))
        assert (kept.first, kept.last) == (min(model), max(model))
    missing = [number for first, last in kept.gaps() for number in range(first, last + 1)]
    assert missing == [number for number in range(min(model), max(model)) if number not in model]
    assert {number for number in range(80) if number in kept} == model
    firsts = [first for first, _ in kept.gaps()]
    assert firsts == sorted(set(firsts))
