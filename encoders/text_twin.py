"""The text record twice more, to be read and compared: the kernel's plain-Python twin, and `str.encode`."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from encoders.text_kernel import ETHNIC, NUMBER, SEPARATOR
from encoders.text_layout import (
    ETHNIC_WRITTEN_AS,
    FILL,
    PLACES,
    RECORD_BYTES,
    RECORD_UNITS,
    RESERVED_START_UNITS,
    TextFields,
    units_of,
)
from encoders.text_record import KERNEL_PLACES, code_points, first_fault, units_to_bytes

_RESERVED: Final = " " * (RECORD_UNITS - RESERVED_START_UNITS)
_ROW: Final = "".join(f"%-{width}s" for _, _, width in PLACES) + _RESERVED
_ETHNIC: Final = slice(PLACES[2].start_units, PLACES[3].start_units)


def pack_records_twin(codes: NDArray[np.uint32], places: NDArray[np.int64], units: NDArray[np.uint16]) -> bool:
    """What `text_kernel.pack_records` does, said plainly: same arguments, same answer, same units."""
    texts: list[list[int]] = [[]]
    for code in codes.tolist():
        if code == SEPARATOR:
            texts.append([])
        else:
            texts[-1].append(code)
    table = places.tolist()
    if len(texts) != len(units) * len(table):
        return False
    units[:] = FILL
    for number, text in enumerate(texts):
        row, field = divmod(number, len(table))
        start, width, rule = table[field]
        packed = _rewritten(_utf16(text), rule)
        if len(packed) > width or any(0xD800 <= code < 0xE000 for code in text):
            return False
        units[row, start : start + len(packed)] = packed
    return True


def encode_records_twin(people: Sequence[TextFields]) -> NDArray[np.uint8]:
    """What `text_record.encode_records` gives, by the twin.  Raises: TextRecordError, as there."""
    units = np.empty((len(people), RECORD_UNITS), np.uint16)
    if people and not pack_records_twin(code_points(people), KERNEL_PLACES, units):
        raise first_fault(people)
    return units_to_bytes(units)


def encode_records_str(people: Sequence[TextFields]) -> bytes:
    """The records of `people`, one after another, by Python's own formatting and one `str.encode`.

    Raises: TextRecordError, as `text_record.encode_records`.
    """
    rows = []
    for person in people:
        row = _ROW % astuple(person)
        if "x" in row or row[_ETHNIC] in ETHNIC_WRITTEN_AS:  # few, so the others are spared the looking
            row = _ROW % _written_values(person)
        if len(row) != RECORD_UNITS:  # every field is at least as wide as its place: here one is wider
            raise first_fault(people)
        rows.append(row)
    records = _encoded("".join(rows))
    if records is None:
        raise first_fault(people)
    if len(records) == len(people) * RECORD_BYTES:
        return records
    return b"".join(_encode_counting_units(person, people) for person in people)


def _encode_counting_units(person: TextFields, people: Sequence[TextFields]) -> bytes:
    """One record whose padding counts UTF-16 units, for chunks with characters beyond the BMP."""
    fields = []
    for (_, _, width), value in zip(PLACES, _written_values(person), strict=True):
        if units_of(value) > width:
            raise first_fault(people)
        fields.append(value + " " * (width - units_of(value)))
    return ("".join(fields) + _RESERVED).encode("utf-16-le")


def _written_values(person: TextFields) -> tuple[str, ...]:
    """The nine values as the record has them."""
    name, sex, ethnic, birth, address, identity_number, authority, valid_from, valid_until = astuple(person)
    ethnic = ETHNIC_WRITTEN_AS.get(ethnic, ethnic)
    if identity_number.endswith("x"):
        identity_number = identity_number[:-1] + "X"
    return name, sex, ethnic, birth, address, identity_number, authority, valid_from, valid_until


def _encoded(text: str) -> bytes | None:
    """UTF-16-LE, or None when a lone surrogate stands in `text`."""
    try:
        return text.encode("utf-16-le")
    except UnicodeEncodeError:
        return None


def _utf16(codes: list[int]) -> list[int]:
    """Code points as UTF-16 units (The Unicode Standard, 3.9, D91)."""
    units = []
    for code in codes:
        if code < 0x10000:
            units.append(code)
        else:
            units += [0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF)]
    return units


def _rewritten(units: list[int], rule: int) -> list[int]:
    """The units of a field after its rule: 57 and 58 to 97 and 98, a final x to X."""
    if rule == ETHNIC and units in ([ord("5"), ord("7")], [ord("5"), ord("8")]):
        return [ord("9"), units[1]]
    if rule == NUMBER and units[-1:] == [ord("x")]:
        return [*units[:-1], ord("X")]
    return units
