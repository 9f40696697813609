"""What is wrong with an application as it was sent, by the documented rules alone: whoever spoiled it is not asked.

Only rules that need no table of the centre stand here.  Weights and fields are those of `docs/codes.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from controller.checks.codes import CODES, Severity

TEXTS = (
    *("acceptance_number", "card_kind", "identity_number", "name", "sex", "ethnic", "birth", "address"),
    *("address_county", "authority", "valid_from", "valid_until", "reason", "production_type", "fee_class", "unit"),
)
LONG_TERM = "长期"
ETHNIC = frozenset({f"{number:02d}" for number in range(1, 57)} | {"57", "58", "97", "98"})
REASONS = frozenset({"11", "12", "13", "14", "15", "16", "21", "22", "31", "41"})
FEES = frozenset({"standard", "loss", "reduced", "exempt", "free_first"})
LOOK_ALIKE_DOTS = frozenset("\u2022\u2027\u2e31\u30fb\uff0e\uff65")
PORTRAIT_MAX_BYTES = 100_000
WIDTH_PX, HEIGHT_PX, COMPONENTS = 358, 441, 3
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, 4.2.4
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BASELINE = 0xC0

Rule = Callable[[str], bool]
"""Says whether a text that is there breaks the rule."""


def _digits(count: int) -> Rule:
    return lambda text: re.fullmatch(rf"[0-9]{{{count}}}", text) is None


def _none_of(known: frozenset[str]) -> Rule:
    return lambda text: text not in known


def _is_no_day(text: str) -> bool:
    try:
        return re.fullmatch(r"[0-9]{8}", text) is None or not date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    except ValueError:
        return True


def _breaks_check_character(text: str) -> bool:
    if re.fullmatch(r"[0-9]{17}[0-9X]", text) is None:
        return False  # then another rule speaks
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return text[17] != "10X98765432"[total % 11]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


RULES: tuple[tuple[str, str, Rule], ...] = (
    ("acceptance_number", "acceptance.form", _digits(22)),
    ("acceptance_number", "acceptance.sequence", lambda text: len(text) == 22 and text.endswith("00000")),
    ("card_kind", "card_kind.unknown", _none_of(frozenset({"second", "first"}))),
    ("identity_number", "number.short_form", lambda text: re.fullmatch(r"[0-9]{15}", text) is not None),
    ("identity_number", "number.length", lambda text: len(text) not in (15, 18)),
    ("identity_number", "number.check_character", _breaks_check_character),
    ("name", "name.single", lambda text: _units(text) == 1),
    ("name", "name.too_long", lambda text: _units(text) > 15 and "·" not in text),
    ("name", "name.latin", lambda text: re.search(r"[A-Za-z0-9]", text) is not None),
    ("name", "name.dot_lookalike", lambda text: bool(LOOK_ALIKE_DOTS & set(text))),
    ("sex", "sex.unknown", _none_of(frozenset({"1", "2"}))),
    ("ethnic", "ethnic.unknown", _none_of(ETHNIC)),
    ("birth", "birth.date", _is_no_day),
    ("address", "address.too_long", lambda text: _units(text) > 35),
    ("valid_from", "validity.from_date", _is_no_day),
    ("valid_until", "validity.until_date", lambda text: text != LONG_TERM and _is_no_day(text)),
    ("reason", "reason.unknown", _none_of(REASONS)),
    ("production_type", "reason.production_type", _none_of(frozenset({"1", "2"}))),
    ("fee_class", "reason.fee_class", _none_of(FEES)),
    ("unit", "unit.form", _digits(9)),
)


def broken_rules(application: Any) -> frozenset[str]:
    """Give the codes of the rules that an application breaks, as it lies in the chunk."""
    if not isinstance(application, Mapping):
        return frozenset({"record.unreadable"})
    mistyped = {f"type.{name}" for name in TEXTS if not isinstance(application.get(name, ""), str)}
    if not isinstance(application.get("portrait", b""), bytes):
        mistyped.add("type.portrait")
    if mistyped:
        return frozenset(mistyped)
    found = {f"missing.{name}" for name in TEXTS if not application.get(name)}
    for name, code, breaks in RULES:
        text = application.get(name)
        if text and breaks(text):
            found.add(code)
    return frozenset(found | portrait_faults(application.get("portrait", b"")))


def portrait_faults(picture: bytes) -> set[str]:
    """Give the codes of what a picture's bytes show, its markers walked one by one.  Source: ITU-T T.81, annex B."""
    if not picture:
        return {"portrait.missing"}
    found = {"portrait.too_large"} if len(picture) > PORTRAIT_MAX_BYTES else set()
    if not picture.startswith(b"\xff\xd8"):
        return found | {"portrait.not_jpeg"}
    if picture[-2:] != b"\xff\xd9":
        found.add("portrait.truncated")
    frame = _frame(picture)
    if frame is not None:
        marker, height_px, width_px, components = frame
        if (width_px, height_px) != (WIDTH_PX, HEIGHT_PX):
            found.add("portrait.dimensions")
        if marker != _BASELINE:
            found.add("portrait.not_baseline")
        if components != COMPONENTS:
            found.add("portrait.components")
    return found


def verdict_of(codes: frozenset[str]) -> str:
    """Give the kind of receipt that the gravest of these codes calls for."""
    gravest = max((CODES[code].severity for code in codes), default=Severity.OK)
    return {Severity.REFUSE: "refused", Severity.HOLD: "held"}.get(gravest, "accepted")


def _frame(picture: bytes) -> tuple[int, int, int, int] | None:
    """Give marker, height, width and components of the frame header, None when there is none."""
    at = 2
    while at + 9 < len(picture) and picture[at] == 0xFF:
        marker, length = picture[at + 1], int.from_bytes(picture[at + 2 : at + 4])
        if marker in _FRAMES:
            height, width = int.from_bytes(picture[at + 5 : at + 7]), int.from_bytes(picture[at + 7 : at + 9])
            return marker, height, width, picture[at + 9]
        at += 2 + length
    return None
