"""Names and addresses, code point by code point, and the places they take (DOMAIN.md 6, 11.7, 11.8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from controller.application import Application
from controller.checks.characters import Kind, is_plain_address, is_plain_name, kinds_of, units_of
from controller.checks.context import CheckContext
from controller.checks.finding import FINDINGS, Finding
from controller.checks.named_codes import NAME_UNITS

ADDRESS_UNITS = 35  # places of the chip record (GA 490, DOMAIN.md 2.2)
MAX_DOTS = 4
JUDGED_UP_TO = 200  # characters; a longer text is no name or address at all and is refused without a further look

_SHARED: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.COMPATIBILITY: "compatibility",
        Kind.LOOKALIKE: "dot_lookalike",
        Kind.PRIVATE: "private_use",
        Kind.PRIVATE_MOVED: "private_use_moved",
        Kind.BEYOND: "beyond_bmp",
        Kind.COMPONENT: "component",
        Kind.SELECTOR: "variation_selector",
        Kind.CONTROL: "control",
        Kind.OTHER: "character",
    }
)
_IN_NAME: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.LETTER: "latin",
        Kind.DIGIT: "latin",
        Kind.FULL_WIDTH_LETTER: "latin",
        Kind.FULL_WIDTH: "character",
        Kind.MARK: "character",
        Kind.PAUSE: "character",
        Kind.SPACE: "space",
        Kind.WIDE_SPACE: "space",
    }
)
_IN_ADDRESS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.FULL_WIDTH: "full_width",
        Kind.FULL_WIDTH_LETTER: "full_width",
        Kind.PAUSE: "pause_mark",
        Kind.DOT: "dot",
        Kind.WIDE_SPACE: "space",
    }
)


def _found_by_kind(field: str, own: Mapping[Kind, str]) -> Mapping[int, Finding]:
    return MappingProxyType({int(kind): FINDINGS[f"{field}.{fault}"] for kind, fault in {**_SHARED, **own}.items()})


_NAME_FAULTS = _found_by_kind("name", _IN_NAME)
_ADDRESS_FAULTS = _found_by_kind("address", _IN_ADDRESS)
_FONT_KINDS = frozenset({int(Kind.LATER), int(Kind.COMPATIBILITY)})  # only some fonts have these


def check_name(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find characters and dots a name cannot have, and a name of one unit or of more than 15."""
    name = app.name
    if not name:
        return
    if len(name) > JUDGED_UP_TO:
        yield FINDINGS["name.too_long"]
        return
    if not is_plain_name(name):
        yield from _character_faults("name", name, _NAME_FAULTS, context)
        if name.count("·") > MAX_DOTS:
            yield FINDINGS["name.dot_many"]
    units = units_of(name)
    if units == 1:
        yield FINDINGS["name.single"]
    elif units > NAME_UNITS:
        yield FINDINGS[_too_long(name)]


def _too_long(name: str) -> str:
    """Tell whom a long name must go to (DOMAIN.md 11.8)."""
    if "·" in name:
        return "name.long_dotted"
    return "name.long_rare" if len(name) <= NAME_UNITS else "name.too_long"


def check_address(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find characters, spaces and dots an address cannot have, and an address of more than 35 units."""
    address = app.address
    if not address:
        return
    if len(address) > JUDGED_UP_TO:
        yield FINDINGS["address.too_long"]
        return
    if not is_plain_address(address):
        faults = dict.fromkeys(_character_faults("address", address, _ADDRESS_FAULTS, context))
        pieces = address.split(" ")
        if len(pieces) > 2 or "" in pieces:
            faults[FINDINGS["address.space"]] = None
        yield from faults
    if units_of(address) > ADDRESS_UNITS:
        yield FINDINGS["address.too_long"]


def _character_faults(field: str, text: str, faults: Mapping[int, Finding], context: CheckContext) -> Iterator[Finding]:
    """Give each fault of a text's characters once, in the order of their kinds."""
    kinds = kinds_of(text)
    yield from dict.fromkeys(faults[kind] for kind in sorted(set(kinds)) if kind in faults)
    if any(kind in _FONT_KINDS and not context.glyphs(ord(text[at])) for at, kind in enumerate(kinds)):
        yield FINDINGS[f"{field}.no_glyph"]
    if "·" in text and "" in text.split("·"):
        yield FINDINGS[f"{field}.dot_place"]
