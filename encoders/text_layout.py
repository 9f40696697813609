"""The chip's text record as a table: which field stands where, what a record is made of, what can be wrong with it."""

from typing import Final, NamedTuple

import msgspec

RECORD_BYTES: Final = 256
RECORD_UNITS: Final = RECORD_BYTES // 2
FILL: Final = 0x20  # U+0020; DOMAIN.md 2.2: known from readers, stated by no opened source

_SENTENCES: Final = {
    "text_record.too_long": "more UTF-16 units than the field holds; nothing is cut, send a shorter value",
    "text_record.lone_surrogate": "half of a surrogate pair is no character; send whole characters",
    "text_record.length": f"a record is exactly {RECORD_BYTES} bytes; read the chip again",
    "text_record.not_utf16": "the field is not UTF-16-LE text; read the chip again",
    "text_record.other_layout": "the reserved places are not empty: a permit of another layout, not a resident card",
    "text_record.self_test": "the kernel does not give the known bytes; clear the numba cache and start again",
}


class TextRecordError(Exception):
    """A value no record can hold, bytes that are no record, or a kernel that fails its self-test.

    Keeps `code`, `index` (of the record in its chunk, from 0) and `field` (empty when the whole record is
    meant); never the value.
    """

    def __init__(self, code: str, index: int, field: str) -> None:
        where = f"record {index}, {field}" if field else f"record {index}"
        super().__init__(f"{code}: {where}: {_SENTENCES[code]}")
        self.code, self.index, self.field = code, index, field


class TextFields(msgspec.Struct, frozen=True):
    """What the chip says of its holder, in the order of the record; dates are YYYYMMDD.

    `valid_until` may be 长期; `sex` is a GB/T 2261.1 code, `ethnic` a GB/T 3304 code.  The repr tells nothing.
    """

    name: str
    sex: str
    ethnic: str
    birth: str
    address: str
    identity_number: str
    authority: str
    valid_from: str
    valid_until: str

    def __repr__(self) -> str:
        """The type alone: a person's fields must not reach a log or a traceback."""
        return "TextFields(…)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """Nothing, for the same reason."""
        return []


class FieldPlace(NamedTuple):
    """Where one field of TextFields stands in the record, in UTF-16 units (two bytes each)."""

    field: str
    start_units: int
    width_units: int


PLACES: Final = (  # GA 490-2004 table, as in DOMAIN.md 2.2
    FieldPlace("name", 0, 15),
    FieldPlace("sex", 15, 1),
    FieldPlace("ethnic", 16, 2),
    FieldPlace("birth", 18, 8),
    FieldPlace("address", 26, 35),
    FieldPlace("identity_number", 61, 18),
    FieldPlace("authority", 79, 15),
    FieldPlace("valid_from", 94, 8),
    FieldPlace("valid_until", 102, 8),
)
RESERVED_START_UNITS: Final = 110  # to the end: filling, or another layout (DOMAIN.md 2.4)
ETHNIC_WRITTEN_AS: Final = {"57": "97", "58": "98"}  # codes some readers use, and the ones written (DOMAIN.md 2.2)


def units_of(text: str) -> int:
    """How many UTF-16 units `text` takes: a character beyond the BMP takes two."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)
