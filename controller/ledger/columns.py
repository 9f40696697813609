"""Lists and maps as they stand in a text column: compact JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

EMPTY_LIST = "[]"
EMPTY_MAP = "{}"

_encode = msgspec.json.Encoder().encode
_numbers = msgspec.json.Decoder(list[int])
_words = msgspec.json.Decoder(list[str])
_counts = msgspec.json.Decoder(dict[str, int])


def list_text(values: Sequence[int] | Sequence[str]) -> str:
    """Give numbers or words as a JSON list."""
    return _encode(values).decode() if values else EMPTY_LIST


def map_text(counts: Mapping[str, int]) -> str:
    """Give counts as a JSON map."""
    return _encode(counts).decode()


def numbers_in(text: str) -> list[int]:
    """Give the numbers of a column that `list_text` wrote."""
    return _numbers.decode(text)


def words_in(text: str) -> list[str]:
    """Give the words of a column that `list_text` wrote."""
    return [] if text == EMPTY_LIST else _words.decode(text)


def counts_in(text: str) -> dict[str, int]:
    """Give the counts of a column that `map_text` wrote."""
    return {} if text == EMPTY_MAP else _counts.decode(text)
