"""The chip's text record: people to 256 bytes each, a chunk at once, and one record back to its fields."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import chain
from typing import Final

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from encoders.text_kernel import ETHNIC, NUMBER, PLAIN, SEPARATOR, pack_records
from encoders.text_layout import (
    PLACES,
    RECORD_BYTES,
    RECORD_UNITS,
    RESERVED_START_UNITS,
    TextFields,
    TextRecordError,
    units_of,
)

__all__ = ["TextFields", "TextRecordError", "decode_record", "encode_records", "warm_up"]

_RULES: Final = {"ethnic": ETHNIC, "identity_number": NUMBER}
# The kernel gets the table as an argument: numba would freeze it into a cached kernel and not see it change.
KERNEL_PLACES: Final[NDArray[np.int64]] = np.array(
    [(start, width, _RULES.get(field, PLAIN)) for field, start, width in PLACES], np.int64
)

EXAMPLE_A: Final = TextFields(  # DOMAIN.md 2.3; invented
    name="样例甲",
    sex="1",
    ethnic="01",
    birth="19900307",
    address="北京市东城区样例胡同1号院2号楼3单元401室",
    identity_number="11010119900307125X",
    authority="北京市公安局东城分局",
    valid_from="20100307",
    valid_until="20200307",
)
EXAMPLE_A_SHA256: Final = "a904599f207aeddd854284ec08da83494f43a8d22b23d472f8bdcac480874b51"


def encode_records(people: Sequence[TextFields]) -> NDArray[np.uint8]:
    """The records of `people`, row by row: shape (len(people), 256), uint8.

    Ethnic codes 57 and 58 are written 97 and 98, an x that ends the identity number is written X; all else
    is written as it is, and each field is filled up with U+0020.  Blanks at the end of a value are filling:
    they do not come back.

    Raises: TextRecordError: text_record.too_long, text_record.lone_surrogate; of the first such field.
    Cost: about 0.5 us a record, a quarter of it without the GIL; the first call of a process loads the kernel.
    Source: GA 490-2004 as told in DOMAIN.md 2.2; 11.2 and 11.4 for the two rewritten values.
    """
    units = np.empty((len(people), RECORD_UNITS), np.uint16)
    if people and not pack_records(code_points(people), KERNEL_PLACES, units):
        raise first_fault(people)
    return units_to_bytes(units)


def decode_record(record: bytes) -> TextFields:
    """The fields of one resident card's record, without the U+0020 or U+0000 that fill them up.

    Raises: TextRecordError: text_record.length, text_record.other_layout, text_record.not_utf16.
    """
    if len(record) != RECORD_BYTES:
        raise TextRecordError("text_record.length", 0, "")
    if record[2 * RESERVED_START_UNITS :: 2].strip(b" \0") or any(record[2 * RESERVED_START_UNITS + 1 :: 2]):
        raise TextRecordError("text_record.other_layout", 0, "")
    values = []
    for field, start, width in PLACES:
        value = _text_of(record[2 * start : 2 * (start + width)])
        if value is None:
            raise TextRecordError("text_record.not_utf16", 0, field)
        values.append(value.rstrip(" \0"))
    return TextFields(*values)


def warm_up() -> None:
    """Load or compile the kernel and compare its bytes with a known record, before anything waits for it.

    Raises: TextRecordError: text_record.self_test.
    """
    if sha256(encode_records([EXAMPLE_A]).tobytes()).hexdigest() != EXAMPLE_A_SHA256:
        raise TextRecordError("text_record.self_test", 0, "")


def code_points(people: Sequence[TextFields]) -> NDArray[np.uint32]:
    """The code points of all fields of at least one person, the kernel's SEPARATOR between two fields.

    One join and one copy, both in C: with lengths of the fields beside the text (also measured) a record took
    0.73 us instead of 0.52, all of it spent in Python.
    """
    text = chr(SEPARATOR).join(chain.from_iterable(map(astuple, people)))
    return np.array([text]).view(np.uint32)


def units_to_bytes(units: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """UTF-16 units of this machine as little-endian bytes; a view where the machine is little-endian itself."""
    return units.astype("<u2", copy=False).view(np.uint8)


def first_fault(people: Sequence[TextFields]) -> TextRecordError:
    """The error of the first field that has no place in a record; to be asked only when there is one."""
    for index, person in enumerate(people):
        for (field, _, width), value in zip(PLACES, astuple(person), strict=True):
            if any("\ud800" <= character <= "\udfff" for character in value):
                return TextRecordError("text_record.lone_surrogate", index, field)
            if units_of(value) > width:
                return TextRecordError("text_record.too_long", index, field)
    raise AssertionError("the packing refused a chunk in which every field fits")


def _text_of(raw: bytes) -> str | None:
    """UTF-16-LE bytes as text, or None.  The codec's own error would carry the person's bytes along."""
    try:
        return raw.decode("utf-16-le")
    except UnicodeDecodeError:
        return None
