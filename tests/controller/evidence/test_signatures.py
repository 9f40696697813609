"""A signature holds for the receipt that was given, in any shape it travels in, and for no other."""

from __future__ import annotations

import logging

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller.evidence import signing
from controller.evidence.public_keys import PublicKeys, Standing, key_id
from controller.evidence.signed_bytes import NOT_SIGNED, signed_bytes
from controller.evidence.signing import Signer
from controller.wire import Receipt
from encoders.envelope import pack
from tests.controller.evidence.samples import KEY, KEYS, OTHER, OTHER_SIGNER, SIGNER, receipt, receipts

SIGNED_FIELDS = [name for name in Receipt.__struct_fields__ if name not in NOT_SIGNED]


@given(plain=receipts)
def test_a_signed_receipt_is_good_after_msgpack_and_after_json(plain):
    given_one = SIGNER.signed(plain, "north")
    assert KEYS.standing_of(given_one) is Standing.GOOD
    assert KEYS.standing_of(msgspec.msgpack.decode(pack(given_one), type=Receipt)) is Standing.GOOD
    assert KEYS.standing_of(msgspec.json.decode(msgspec.json.encode(given_one), type=Receipt)) is Standing.GOOD


@given(plain=receipts)
def test_the_same_receipt_gets_the_same_signature_and_keeps_all_that_was_in_it(plain):
    once, again = (Signer(KEY, "cardmill").signed(plain, "north") for _ in range(2))
    assert once == again
    assert (once.centre, once.upstream, once.signer) == ("cardmill", "north", key_id(KEY.public_key()))
    blank = {"centre": "", "upstream": "", "signer": "", "signature": b""}
    assert msgspec.structs.replace(once, **blank) == plain


@pytest.mark.parametrize("name", SIGNED_FIELDS)
@given(one=receipts, other=receipts, names=st.tuples(st.text(max_size=9), st.text(max_size=9)))
def test_a_receipt_with_any_one_field_of_another_is_not_good(name, one, other, names):
    given_one = SIGNER.signed(one, "north")
    foreign = Signer(OTHER, names[0]).signed(other, names[1])
    value = getattr(foreign, name)
    assume(value != getattr(given_one, name) or str(value) != str(getattr(given_one, name)))
    changed = msgspec.structs.replace(given_one, **{name: value})
    assert signed_bytes(changed) != signed_bytes(given_one)
    assert KEYS.standing_of(changed) is (Standing.FOREIGN if name == "signer" else Standing.BAD)


@given(one=receipts, other=receipts)
def test_two_receipts_have_the_same_bytes_only_if_all_that_is_signed_is_the_same(one, other):
    mine, theirs = ({name: getattr(which, name) for name in SIGNED_FIELDS} for which in (one, other))
    assert (signed_bytes(one) == signed_bytes(other)) == (repr(mine) == repr(theirs) or mine == theirs)


def test_values_cannot_flow_from_one_field_or_list_into_the_next():
    def written(**fields):
        plain = {"number": 1, "kind": "", "batch_number": "", "at_floor_s": 0.0}
        return signed_bytes(Receipt(**{**plain, **fields}))

    pairs = [
        ({"kind": "a", "batch_number": "bc"}, {"kind": "ab", "batch_number": "c"}),
        ({"codes": ["a"], "fields": []}, {"codes": [], "fields": ["a"]}),
        ({"codes": ["a", "b"]}, {"codes": ["a,1:b"]}),
        ({"codes": [""]}, {"codes": []}),
        ({"counts": {"a": 1}}, {"counts": {"a": 11}}),
        ({"index": 1, "case": 11}, {"index": 11, "case": 1}),
        ({"at_floor_s": 0.0}, {"at_floor_s": -0.0}),
    ]
    assert [pair for pair in pairs if written(**pair[0]) == written(**pair[1])] == []
    assert written(counts={"a": 1, "b": 2}) == written(counts={"b": 2, "a": 1})


def test_each_bit_of_a_signature_counts_and_so_does_its_length():
    given_one = receipt(7)
    for bit in range(512):
        flipped = bytearray(given_one.signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert KEYS.standing_of(msgspec.structs.replace(given_one, signature=bytes(flipped))) is Standing.BAD
    for other in (b"", given_one.signature[:-1], given_one.signature + b"\0", bytes(64)):
        assert KEYS.standing_of(msgspec.structs.replace(given_one, signature=other)) is Standing.BAD


def test_each_bit_of_what_is_signed_counts():
    given_one = receipt(7, codes=["portrait.truncated"], fields=["portrait"], counts={"received": 3})
    whole = signed_bytes(given_one)
    key = KEY.public_key()
    key.verify(given_one.signature, whole)
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Exception, match=r"^$"):  # InvalidSignature says nothing
            key.verify(given_one.signature, bytes(flipped))


def test_sentences_may_be_worded_better_one_day():
    given_one = receipt(7, codes=["portrait.truncated"], texts=["Send it again."])
    assert KEYS.standing_of(msgspec.structs.replace(given_one, texts=["Once more, please."])) is Standing.GOOD


def test_a_receipt_of_another_key_is_foreign_and_one_without_signature_is_unsigned():
    assert KEYS.standing_of(receipt(1, signer=OTHER_SIGNER)) is Standing.FOREIGN
    blank = msgspec.structs.replace(receipt(1), signer="", signature=b"")
    assert KEYS.standing_of(blank) is Standing.UNSIGNED
    assert KEYS.standing_of(msgspec.structs.replace(receipt(1), signature=b"")) is Standing.BAD
    assert KEYS.standing_of(msgspec.structs.replace(receipt(1), signer="")) is Standing.FOREIGN
    both = PublicKeys([OTHER.public_key(), KEY.public_key()])
    assert both.standing_of(receipt(1, signer=OTHER_SIGNER)) is both.standing_of(receipt(1)) is Standing.GOOD


def test_signatures_that_are_kept_in_memory_are_bounded_and_the_same_as_those_made_anew(monkeypatch):
    monkeypatch.setattr(signing, "KEPT_MAX", 3)
    few = Signer(KEY, "cardmill")
    once, again = ([receipt(number, signer=few) for number in (1, 2, 3, 4, 5, 1)] for _ in range(2))
    assert once == again == [receipt(number) for number in (1, 2, 3, 4, 5, 1)]
    assert few._sign.cache_info().currsize == 3


def test_a_signer_shows_no_secret_to_whoever_prints_or_logs_it(caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger().debug("%r %s", SIGNER, SIGNER)
    told = caplog.text + repr(SIGNER) + str(SIGNER) + repr(KEYS)
    secret = KEY.private_bytes_raw()
    assert SIGNER.key_id in told
    assert secret.hex() not in told
    assert repr(secret)[2:-1] not in told
