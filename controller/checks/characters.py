"""What kind of character each code point is, for names and addresses (DOMAIN.md 6 and 11.7).

The kinds of the 65,536 code points of the BMP are laid out once in a byte table, so that the common path asks no
Unicode database; most texts never get that far, because one regular expression finds them plain.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType


class Kind(enum.IntEnum):
    """Kinds that the rules tell apart."""

    PLAIN = 0  # ideographs of GB 13000.1-93 (U+4E00 to 9FA5) and U+3007
    LATER = 1  # Extension A, U+9FA6 to 9FFF and twelve unified ideographs among the compatibility ones
    COMPATIBILITY = 2
    DOT = 3  # U+00B7
    LOOKALIKE = 4  # characters taken for the dot
    PRIVATE = 5
    PRIVATE_MOVED = 6  # eight that GB 18030-2022 gave a standard place
    BEYOND = 7  # beyond the BMP: two UTF-16 units
    COMPONENT = 8  # radicals, strokes, descriptions, Bopomofo, kana
    SELECTOR = 9  # variation selectors of both ranges
    CONTROL = 10  # control, format, unassigned, U+FFFD, lone surrogates, line and paragraph ends
    LETTER = 11  # ASCII letters
    DIGIT = 12  # ASCII digits
    MARK = 13  # - # ( ) /
    SPACE = 14  # U+0020
    WIDE_SPACE = 15  # any other space
    FULL_WIDTH = 16  # U+FF01 to FF60, FFE0 to FFE6
    FULL_WIDTH_LETTER = 17  # their letters and digits
    PAUSE = 18  # U+3001
    OTHER = 19  # other scripts, punctuation, symbols


# U+2022 2027 2E31 30FB FF0E FF65 002E are the table's; the last three are its neighbours (U+0387 even turns into the
# dot under NFC).
LOOKALIKES = (0x2022, 0x2027, 0x2E31, 0x30FB, 0xFF0E, 0xFF65, 0x002E, 0x0387, 0x2219, 0x22C5)
UNIFIED_AMONG_COMPATIBILITY = (
    *(0xFA0E, 0xFA0F, 0xFA11, 0xFA13, 0xFA14, 0xFA1F),
    *(0xFA21, 0xFA23, 0xFA24, 0xFA27, 0xFA28, 0xFA29),
)
# Private use -> the code point GB 18030-2022 gave the character (DOMAIN.md 6).
MOVED: Mapping[int, int] = MappingProxyType(
    {
        0xE81E: 0x9FB4,
        0xE826: 0x9FB5,
        0xE82B: 0x9FB6,
        0xE82C: 0x9FB7,
        0xE832: 0x9FB8,
        0xE843: 0x9FB9,
        0xE854: 0x9FBA,
        0xE864: 0x9FBB,
    }
)
_BLOCKS: tuple[tuple[int, int, Kind], ...] = (
    (0x02EA, 0x02EB, Kind.COMPONENT),  # Bopomofo tone marks
    (0x2E80, 0x2FFF, Kind.COMPONENT),  # radicals, ideographic description
    (0x303E, 0x303E, Kind.COMPONENT),  # ideographic variation indicator
    (0x3040, 0x312F, Kind.COMPONENT),  # kana, Bopomofo
    (0x31A0, 0x31FF, Kind.COMPONENT),  # Bopomofo extended, strokes, kana extensions
    (0xFF66, 0xFF9F, Kind.COMPONENT),  # half-width kana
    (0x3400, 0x4DBF, Kind.LATER),
    (0x4E00, 0x9FA5, Kind.PLAIN),
    (0x9FA6, 0x9FFF, Kind.LATER),
    (0x3007, 0x3007, Kind.PLAIN),
    (0xE000, 0xF8FF, Kind.PRIVATE),
    (0xF900, 0xFAFF, Kind.COMPATIBILITY),
    (0xFE00, 0xFE0F, Kind.SELECTOR),
    (0x180B, 0x180F, Kind.SELECTOR),  # Mongolian ones, and the vowel separator between them
    (0xFFFD, 0xFFFD, Kind.CONTROL),
    (0xFF01, 0xFF60, Kind.FULL_WIDTH),
    (0xFFE0, 0xFFE6, Kind.FULL_WIDTH),
    (0xFF10, 0xFF19, Kind.FULL_WIDTH_LETTER),
    (0xFF21, 0xFF3A, Kind.FULL_WIDTH_LETTER),
    (0xFF41, 0xFF5A, Kind.FULL_WIDTH_LETTER),
    (0x0030, 0x0039, Kind.DIGIT),
    (0x0041, 0x005A, Kind.LETTER),
    (0x0061, 0x007A, Kind.LETTER),
    (0x0020, 0x0020, Kind.SPACE),
    (0x3001, 0x3001, Kind.PAUSE),
    (0x00B7, 0x00B7, Kind.DOT),
)
_BY_CATEGORY: Mapping[str, Kind] = MappingProxyType(
    dict.fromkeys(("Cc", "Cf", "Cn", "Cs", "Zl", "Zp"), Kind.CONTROL) | {"Zs": Kind.WIDE_SPACE, "Co": Kind.PRIVATE}
)


def _lay_out() -> bytes:
    kinds = bytearray(_BY_CATEGORY.get(unicodedata.category(chr(point)), Kind.OTHER) for point in range(0x10000))
    for first, last, kind in _BLOCKS:
        kinds[first : last + 1] = bytes([kind]) * (last + 1 - first)
    for point in range(0xF900, 0xFB00):  # the block has gaps, and what is unassigned is no character
        if unicodedata.category(chr(point)) == "Cn":
            kinds[point] = Kind.CONTROL
    for points, kind in (
        (LOOKALIKES, Kind.LOOKALIKE),
        (UNIFIED_AMONG_COMPATIBILITY, Kind.LATER),
        (MOVED, Kind.PRIVATE_MOVED),
        (map(ord, "-#()/"), Kind.MARK),
    ):
        for point in points:
            kinds[point] = kind
    return bytes(kinds)


KINDS = _lay_out()
_PLAIN_NAME = re.compile("[\u4e00-\u9fa5\u3007]+").fullmatch
_PLAIN_ADDRESS = re.compile("[\u4e00-\u9fa5\u30070-9A-Za-z#()/-]+").fullmatch
# Kinds that no text on a card may hold.
UNPRINTABLE = frozenset({Kind.LOOKALIKE, Kind.COMPONENT, Kind.SELECTOR, Kind.CONTROL, Kind.WIDE_SPACE, Kind.OTHER})


def kind_of(point: int) -> int:
    """Give the kind of one code point, lone surrogates included."""
    return KINDS[point] if point < 0x10000 else _kind_beyond(point)


def _kind_beyond(point: int) -> Kind:
    """Sort what lies beyond the BMP: a desk can judge it, unless it is nothing a person could mean."""
    if 0xE0100 <= point <= 0xE01EF:
        return Kind.SELECTOR
    if point & 0xFFFE == 0xFFFE:  # noncharacters end each plane
        return Kind.CONTROL
    if 0x20000 <= point <= 0x3FFFF:  # ideographs, also those newer than this Python's Unicode
        return Kind.BEYOND
    if 0x1AFF0 <= point <= 0x1B16F:  # kana
        return Kind.COMPONENT
    category = unicodedata.category(chr(point))
    kind = _BY_CATEGORY.get(category, Kind.BEYOND)
    return Kind.BEYOND if kind == Kind.WIDE_SPACE else kind


def kinds_of(text: str) -> list[int]:
    """Give the kind of each character of a text."""
    return [kind_of(ord(character)) for character in text]


def units_of(text: str) -> int:
    """Count the UTF-16 units, which is what the chip record has places for."""
    return len(text) + sum(character > "\uffff" for character in text)


def is_plain_name(text: str) -> bool:
    """Say whether a text is nothing but ideographs that every reader and font knows."""
    return _PLAIN_NAME(text) is not None


def is_plain_address(text: str) -> bool:
    """Say whether a text is nothing but those ideographs and the ASCII characters an address may hold."""
    return _PLAIN_ADDRESS(text) is not None
