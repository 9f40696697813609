"""The shape of JSON lines: `{"batch": {…}}` before its `{"application": {…}}` lines, UTF-8, one part a line.

Every line gives exactly one part, whatever it holds: text that is no JSON, bytes that are no UTF-8, a line without an
end, a map that nests a thousand deep.  Lines end with LF or CRLF; a byte-order mark before the first is no part of it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from controller.application import Application
from controller.checks.finding import FINDINGS, Finding
from controller.offline.parts import UNREADABLE_COUNT, BatchHead, Part, Record

LINE_MAX_BYTES = 1 << 20  # an application has some hundred bytes; a longer line is answered from its beginning
_SKIPPED_AT_ONCE_BYTES = 1 << 16
NUMBER_SHOWN = 256  # characters of a batch or acceptance number that are repeated in an answer

_TEXTS = tuple(name for name in Application.__struct_fields__ if name != "portrait")
_HEADER = ("batch_number", "received_on", "card_kind", "count")
_KNOWN = frozenset({"batch", "application", *_HEADER, *Application.__struct_fields__})
_UNREADABLE: tuple[Finding, ...] = (FINDINGS["record.unreadable"],)
_BEGINS_A_BATCH = re.compile(r'\s*\{\s*"batch"\s*:').match
_QUOTED = r'\s*:\s*("(?:[^"\\]|\\.){0,256}")'
_ACCEPTANCE = re.compile('"acceptance_number"' + _QUOTED).search
_BATCH = re.compile('"batch_number"' + _QUOTED).search


class _NotStrict(ValueError):
    """JSON that another reader would read otherwise.  Never leaves this file."""


def read_jsonl(stream: BinaryIO) -> Iterator[Part]:
    """Give a part for each line of a stream; memory is bounded by one line of 1 MiB.  Raises: OSError."""
    is_first = True
    while line := stream.readline(LINE_MAX_BYTES + 1):
        is_whole = len(line) <= LINE_MAX_BYTES
        if not is_whole and not line.endswith(b"\n"):
            while (rest := stream.readline(_SKIPPED_AT_ONCE_BYTES)) and not rest.endswith(b"\n"):
                pass
        if is_first:
            line, is_first = line.removeprefix(codecs.BOM_UTF8), False
        yield part_of(line) if is_whole else _unreadable(line.decode("utf-8", "replace"))


def part_of(line: bytes) -> Part:
    """Give what one line says.  Cost: 10 us."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return _unreadable(line.decode("utf-8", "replace"))
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return _unreadable(text) if text.strip() else _nothing()
    if isinstance(value, dict) and ("batch" in value) != ("application" in value):
        return _record(value["application"]) if "application" in value else _head(value["batch"])
    return _unreadable("")


def _record(value: object) -> Record:
    if not isinstance(value, dict):
        return _unreadable_record("")
    texts = [value.get(name, "") for name in _TEXTS]
    portrait = value.get("portrait", "")
    if all(type(text) is str for text in texts) and type(portrait) is str:
        return Record(Application(*texts), portrait)
    named = zip((*_TEXTS, "portrait"), (*texts, portrait), strict=True)
    findings = tuple(FINDINGS[f"type.{name}"] for name, text in named if not isinstance(text, str))
    readable = Application(*map(_text, texts))  # type: ignore[arg-type]  # all but the last field, which is the bytes
    return Record(readable, _text(portrait), findings)


def _head(value: object) -> BatchHead:
    if not isinstance(value, dict):
        return BatchHead(findings=(FINDINGS["batch.unreadable"],))
    count, kind = value.get("count"), value.get("card_kind")
    return BatchHead(
        _text(value.get("batch_number"))[:NUMBER_SHOWN],
        _text(value.get("received_on")),
        None if "card_kind" not in value else _text(kind),
        count if type(count) is int else UNREADABLE_COUNT,
        due=_text(value.get("due")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _nothing() -> Record:
    """Give the part of an empty line."""
    return Record(Application(), findings=_UNREADABLE, is_counted=False)


def _unreadable(text: str) -> Part:
    """Give the part of a line that is no JSON: a header when it begins as one, else an application."""
    if _BEGINS_A_BATCH(text):
        return BatchHead(_found(_BATCH, text), findings=(FINDINGS["batch.unreadable"],))
    return _unreadable_record(_found(_ACCEPTANCE, text))


def _unreadable_record(acceptance_number: str) -> Record:
    return Record(Application(acceptance_number=acceptance_number), findings=_UNREADABLE)


def _found(search: Any, text: str) -> str:
    """Give the number that stands in a text that is otherwise unreadable, as far as it can be made out."""
    match = search(text)
    try:
        return str(json.loads(match[1])) if match else ""
    except ValueError:  # a control character or a half escape in the number itself
        return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Give a map, but for one that says a known field twice: who could tell which value is meant?"""
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs if name in _KNOWN]
        if len(names) != len(set(names)):
            raise _NotStrict
    return value


def _no_constant(name: str) -> None:
    """Refuse NaN and the infinities, which are no JSON."""
    raise _NotStrict


def _whole(digits: str) -> int | None:
    """Give a whole number, None for one that no field can mean: Python refuses to read digits by the thousand."""
    return int(digits) if len(digits) <= NUMBER_SHOWN else None


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_whole)
