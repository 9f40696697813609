"""What a batch's sender computes: encodings and digest."""

from hashlib import sha256

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.application import Application
from controller.asking.submission import batch_digest, encode_application


def test_an_application_travels_as_a_map_of_all_wire_fields():
    application = Application(acceptance_number="5201020012026031200001", name="样例甲", portrait=b"\xff\xd8")
    sent = msgpack.unpackb(encode_application(application))
    assert list(sent) == list(Application.__struct_fields__)
    assert sent["name"] == "样例甲"
    assert sent["portrait"] == b"\xff\xd8"
    assert sent["unit"] == ""


def test_the_digest_of_a_batch_is_the_digest_of_its_applications_digests():
    one, two = encode_application(Application(name="样例甲")), encode_application(Application(name="样例乙"))
    assert batch_digest([one, two]) == sha256(sha256(one).digest() + sha256(two).digest()).hexdigest()


def test_the_digest_of_two_known_encodings_is_byte_exact():
    # sha256 of the digests of b"a" and b"b", computed with sha256sum and xxd
    assert batch_digest([b"a", b"b"]) == "e5a01fee14e0ed5c48714f22180f25ad8365b53f9779f79dc4a3d7e93963f94a"


@given(st.lists(st.binary(max_size=20), min_size=2, max_size=6), st.data())
def test_the_digest_sees_order_borders_and_losses(encoded, data):
    first, second = sorted(data.draw(st.sets(st.integers(0, len(encoded) - 1), min_size=2, max_size=2)))
    swapped = [*encoded]
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert (batch_digest(swapped) == batch_digest(encoded)) == (swapped == encoded)
    assert batch_digest(encoded[:-1]) != batch_digest(encoded)
    assert batch_digest([encoded[0] + encoded[1], *encoded[2:]]) != batch_digest(encoded)


def test_a_lone_surrogate_cannot_travel():
    with pytest.raises(UnicodeEncodeError):
        encode_application(Application(name="王\ud800"))
