"""Faults of the file itself: lines that cannot be read, headers that cannot be, and what is only unusual."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

STRUCTURE, REFUSE, OK = "structure", "refuse", "ok"
DEEP = 5_000
LONG_BYTES = 1_200_000


class Truth(NamedTuple):
    """What must be said of one line; `code`, `field` and `group` are empty for a good one."""

    kind: str
    verdict: str
    code: str = ""
    field: str = ""
    group: str = ""
    number: str | None = None  # that must be repeated; None: any


GOOD = Truth("good", OK)


class LineFault(NamedTuple):
    """One way to spoil the line of a good application."""

    truth: Truth
    spoil: Callable[[dict[str, str], Random], bytes]


def line_of(application: dict[str, Any]) -> bytes:
    """Give the line of an application; characters stand as themselves in half of the lines."""
    text = json.dumps({"application": application}, ensure_ascii=len(application["address"]) % 2 == 0)
    return text.encode("utf-8", "surrogatepass") if text.isascii() else _utf8(text, application)


def _utf8(text: str, application: dict[str, Any]) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate can only be written as an escape
        return json.dumps({"application": application}).encode("ascii")


def _unreadable(kind: str, *, is_number_read: bool = True) -> Truth:
    truth = Truth(kind, REFUSE, "record.unreadable", "acceptance_number", STRUCTURE)
    return truth if is_number_read else truth._replace(number="")


def _typed(field: str) -> Truth:
    return Truth(f"line_{field}_of_wrong_type", REFUSE, f"type.{field}", field, STRUCTURE)


def _with(**changes: Any) -> Callable[[dict[str, str], Random], bytes]:
    return lambda app, rng: line_of(app | changes)


def _raw(old: bytes, new: bytes) -> Callable[[dict[str, str], Random], bytes]:
    return lambda app, rng: line_of(app).replace(old, new, 1)


LINE_FAULTS = (
    LineFault(_unreadable("line_no_json", is_number_read=False), lambda app, rng: rng.choice((b"half", b"{", b"[]"))),
    LineFault(_unreadable("line_cut"), lambda app, rng: line_of(app)[: rng.randint(70, 200)]),
    LineFault(_unreadable("line_no_utf8"), _raw(b'"sex": "', b'"sex": "\xff')),
    LineFault(_unreadable("line_nan"), lambda app, rng: line_of(app | {"note": float("nan")})),
    LineFault(_unreadable("line_key_twice"), _raw(b'"sex": ', b'"sex": "1", "sex": ')),
    LineFault(
        _unreadable("line_deep", is_number_read=False), lambda app, rng: b'{"application": ' + b"[" * DEEP + b"]" * DEEP
    ),
    LineFault(_unreadable("line_no_map", is_number_read=False), lambda app, rng: b'{"application": ["a"]}'),
    LineFault(_unreadable("line_neither", is_number_read=False), lambda app, rng: b'{"person": {}}'),
    LineFault(_typed("name"), _with(name=7)),
    LineFault(_typed("birth"), _with(birth=None)),
    LineFault(_typed("portrait"), _with(portrait=[])),
    LineFault(_typed("acceptance_number")._replace(number=""), _with(acceptance_number=5201020012025122000001)),
    LineFault(
        Truth("portrait_elsewhere", REFUSE, "portrait.outside", "portrait", "portrait"),
        lambda app, rng: line_of(app | {"portrait": rng.choice(("/face.jpg", "//face.jpg", "/a/../face.jpg"))}),
    ),
    LineFault(Truth("line_with_unknown_keys", OK), _with(colour="red", nested={"name": ["x"]})),
)
LONG_LINE = LineFault(_unreadable("line_too_long"), lambda app, rng: line_of(app | {"note": "x" * LONG_BYTES}))
EMPTY_LINE = LineFault(
    _unreadable("line_empty", is_number_read=False), lambda app, rng: rng.choice((b"", b"  ", b"\r"))
)


class HeadFault(NamedTuple):
    """One way to spoil a header; `spoil` is given the good one and the number of an earlier batch."""

    truth: Truth
    spoil: Callable[[dict[str, Any], str], dict[str, Any]]


def _number_truth(kind: str, code: str) -> Truth:
    return Truth(f"batch_{kind}", REFUSE, f"batch.{code}", "batch_number", STRUCTURE)


def _numbered(change: Callable[[str], str]) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    return lambda head, earlier: head | {"batch_number": change(head["batch_number"])}


def _counted(step: int) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    return lambda head, earlier: head | {"count": head["count"] + step}


_COUNT = Truth("batch_count", REFUSE, "batch.count", "count", STRUCTURE)
HEAD_FAULTS = (
    HeadFault(_number_truth("number_of_24", "number"), _numbered(lambda number: number[:24])),
    HeadFault(_number_truth("number_of_26", "number"), _numbered(lambda number: number + "0")),
    HeadFault(_number_truth("number_letter", "number"), _numbered(lambda number: number[:5] + "A" + number[6:])),
    HeadFault(_number_truth("number_wide", "number"), _numbered(lambda number: number[:24] + "１")),
    HeadFault(_number_truth("no_date", "date"), _numbered(lambda number: number[:16] + "0230" + number[20:])),
    HeadFault(_number_truth("month_13", "date"), _numbered(lambda number: number[:16] + "1301" + number[20:])),
    HeadFault(_number_truth("sequence_zero", "sequence"), _numbered(lambda number: number[:20] + "00000")),
    HeadFault(_number_truth("of_other_content", "conflict"), lambda head, earlier: head | {"batch_number": earlier}),
    HeadFault(_COUNT._replace(kind="batch_count_more"), _counted(1)),
    HeadFault(_COUNT._replace(kind="batch_count_less"), _counted(-1)),
    HeadFault(_COUNT._replace(kind="batch_count_text"), lambda head, earlier: head | {"count": str(head["count"])}),
    HeadFault(
        Truth("batch_kind_unknown", REFUSE, "batch.card_kind", "card_kind", STRUCTURE),
        lambda head, earlier: head | {"card_kind": "third"},
    ),
)
