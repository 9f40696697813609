"""The print job of one card: which text and picture goes where on the film, in millimetres, and nothing else.

The layout is this project's own.  It follows no real card: only the outline, the portrait's size and the
eleven places of an address line are facts (DOMAIN.md 3 and 7); every face is a SPECIMEN.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from encoders.fonts.coverage import FontCoverage
from encoders.text_layout import ETHNIC_WRITTEN_AS, TextFields

SPECIMEN: Final = "SPECIMEN"
CARD_WIDTH_MM, CARD_HEIGHT_MM = 85.6, 54.0  # GA 448-2013
PORTRAIT_DPI, PORTRAIT_WIDTH_PX, PORTRAIT_HEIGHT_PX = 350, 358, 441  # GA 461-2004
ADDRESS_PLACES, ADDRESS_LINES, ADDRESS_PITCH_MM = 11, 4, 4.2
SMALLEST_MM = 2.0  # a text that would have to be set smaller to fit does not fit
CONTROL_MARK_LENGTH = 40
TONE_LEVELS = 256

Side = Literal["front", "back"]


class TextPlace(NamedTuple):
    """Where a text starts (its upper left corner), how wide it may grow, and how large it is set at most."""

    sides: tuple[Side, ...]
    x_mm: float
    y_mm: float
    width_mm: float
    size_mm: float  # side of the square a full-width character stands in; ASCII takes half of it


PLACES: Final[Mapping[str, TextPlace]] = {  # the back is the side with the person (DOMAIN.md 7)
    "authority": TextPlace(("front",), 33.0, 32.0, 48.0, 3.2),
    "validity": TextPlace(("front",), 33.0, 39.5, 48.0, 3.2),
    "name": TextPlace(("back",), 15.0, 7.0, 38.0, 3.8),
    "sex": TextPlace(("back",), 15.0, 14.5, 4.0, 3.3),
    "ethnic": TextPlace(("back",), 33.0, 14.5, 20.0, 3.3),
    "birth_year": TextPlace(("back",), 15.0, 21.5, 7.0, 3.3),
    "birth_month": TextPlace(("back",), 27.0, 21.5, 3.5, 3.3),
    "birth_day": TextPlace(("back",), 35.5, 21.5, 3.5, 3.3),
    "address": TextPlace(("back",), 15.0, 28.5, 36.3, 3.3),
    "identity_number": TextPlace(("back",), 29.0, 46.0, 40.0, 4.0),
    "control_mark": TextPlace(("front", "back"), 5.0, 51.0, 40.0, 2.0),
}

_SENTENCES: Final = {
    "face.empty": "the text is empty; a card cannot go without it",
    "face.no_glyph": "the font has no glyph for so many of its characters; send it to the rare-character desk",
    "face.too_long": "its place has not so many full-width places; send a shorter one",
    "face.unknown_code": "the code stands for no word in the table; send one of the standard's codes",
    "face.bad_date": "this is no date as YYYYMMDD; send a real day",
    "face.control_mark": f"a control mark is 1 to {CONTROL_MARK_LENGTH} printable ASCII characters without spaces",
    "face.portrait": f"the portrait is no JPEG of {PORTRAIT_WIDTH_PX} x {PORTRAIT_HEIGHT_PX} pixels",
    "face.tone": f"a tone table has {TONE_LEVELS} levels that never fall, or none at all",
    "face.specimen": f"every print job is marked {SPECIMEN}",
}


class FaceError(Exception):
    """A text that cannot be printed, or a job that is none.

    Keeps `code`, `field` and `count` (glyphs missing, places wanted, else 0); never the text.
    """

    def __init__(self, code: str, field: str, count: int = 0) -> None:
        super().__init__(f"{code}: {field}{f' ({count})' if count else ''}: {_SENTENCES[code]}")
        self.code, self.field, self.count = code, field, count


class Box(msgspec.Struct, frozen=True, array_like=True):
    """A rectangle on a card, from its upper left corner."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


PORTRAIT_BOX: Final = Box(55.6, 8.0, 26.0, 32.0)


class PlacedText(msgspec.Struct, frozen=True, array_like=True):
    """One line of text at its place: full-width characters are `size_mm` wide, ASCII half of that."""

    field: Annotated[str, msgspec.Meta(max_length=32)]
    text: Annotated[str, msgspec.Meta(max_length=64)]
    x_mm: float
    y_mm: float
    size_mm: float

    def __repr__(self) -> str:
        """The field alone: the text is a person's."""
        return f"PlacedText({self.field!r}, …)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The field alone, for the same reason."""
        return [("field", self.field)]


Texts = Annotated[tuple[PlacedText, ...], msgspec.Meta(max_length=32)]


class FaceJob(msgspec.Struct, frozen=True):
    """What a film printer needs for one card: both sides' texts, the portrait, and the SPECIMEN it must print.

    Positions are those of the finished card, seen from its side; `mirrored` tells the printer to mirror all of
    it, because the film is looked at through its back.  `tone` is for the portrait alone, which is sent as it came:
    each level of red, green and blue is printed as the one at its place, when there is a table.  Packs to msgpack as
    it is.

    Raises: FaceError: face.specimen, when made with another word; face.tone, when that is no table.
    """

    front: Texts
    back: Texts
    control_mark: Annotated[str, msgspec.Meta(min_length=1, max_length=CONTROL_MARK_LENGTH)]
    specimen: Literal["SPECIMEN"]
    mirrored: bool
    portrait_box: Box
    portrait: Annotated[bytes, msgspec.Meta(max_length=100_000)] = b""  # JPEG, 358 x 441
    tone: Annotated[bytes, msgspec.Meta(max_length=TONE_LEVELS)] = b""  # `tone.tone_table`; empty: printed as it is

    def __post_init__(self) -> None:
        if self.specimen != SPECIMEN:
            raise FaceError("face.specimen", "specimen")
        if self.tone and (len(self.tone) != TONE_LEVELS or bytes(sorted(self.tone)) != self.tone):
            raise FaceError("face.tone", "tone")

    def __repr__(self) -> str:
        """The control mark alone: texts and portrait are a person's."""
        return f"FaceJob(control_mark={self.control_mark!r}, …)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The control mark alone, for the same reason."""
        return [("control_mark", self.control_mark)]


def lay_out(
    fields: TextFields,
    glyphs: FontCoverage,
    *,
    control_mark: str,
    portrait: bytes = b"",
    mirrored: bool = True,
) -> FaceJob:
    """The print job of one card.

    Args:
        fields: what the chip says too; codes and dates are turned into what the face shows.
        glyphs: the characters the printer's stock of fonts can draw.
        control_mark: what a camera reads on both sides to pair film, sheet and card; says nothing of the person.
        portrait: JPEG of 358 x 441 pixels, passed on as it is; it may also be attached later.
    Raises: FaceError: face.empty, face.no_glyph, face.too_long, face.unknown_code, face.bad_date,
        face.control_mark.
    Cost: about 0.03 ms.
    """
    sides: dict[Side, list[PlacedText]] = {"front": [], "back": []}
    for field, text in _face_texts(fields, control_mark):
        if not text.strip():
            raise FaceError("face.empty", field)
        if missing := glyphs.missing_glyphs(text):
            raise FaceError("face.no_glyph", field, len(missing))
        placed = _address_lines(text) if field == "address" else (_one_line(field, text),)
        for side in PLACES[field].sides:
            sides[side].extend(placed)
    return FaceJob(
        front=tuple(sides["front"]),
        back=tuple(sides["back"]),
        control_mark=control_mark,
        specimen=SPECIMEN,
        mirrored=mirrored,
        portrait_box=PORTRAIT_BOX,
        portrait=portrait,
    )


def break_lines(text: str, places: int) -> list[str]:
    """`text` in lines of at most `places` full-width places, broken between any two characters; ASCII takes half."""
    lines, start, halves = [], 0, 0
    for at, character in enumerate(text):
        width = 1 if character <= "\x7f" else 2
        if halves + width > 2 * places:
            lines.append(text[start:at])
            start, halves = at, 0
        halves += width
    return [*lines, text[start:]]


@cache
def ethnic_names() -> Mapping[str, str]:
    """Names as the face shows them (without 族) by GB/T 3304 code, 57 and 58 included; read once."""
    rows = files("encoders").joinpath("ethnic.csv").read_text(encoding="utf-8").splitlines()
    names = {row["code"]: row["card_name"] for row in csv.DictReader(row for row in rows if row[0] != "#")}
    return names | {read_as: names[written_as] for read_as, written_as in ETHNIC_WRITTEN_AS.items()}


def _face_texts(fields: TextFields, control_mark: str) -> Iterator[tuple[str, str]]:
    """What each place shows, in the order it is checked."""
    yield "name", fields.name
    yield "sex", _word("sex", {"1": "男", "2": "女"}, fields.sex)
    yield "ethnic", _word("ethnic", ethnic_names(), fields.ethnic)
    birth = _day("birth", fields.birth)
    yield "birth_year", str(birth.year)
    yield "birth_month", str(birth.month)
    yield "birth_day", str(birth.day)
    yield "address", fields.address
    yield "identity_number", fields.identity_number
    yield "authority", fields.authority
    until = fields.valid_until
    end = until if until == "长期" else _dotted("valid_until", until)
    yield "validity", f"{_dotted('valid_from', fields.valid_from)}-{end}"
    if not 1 <= len(control_mark) <= CONTROL_MARK_LENGTH or not all("!" <= sign <= "~" for sign in control_mark):
        raise FaceError("face.control_mark", "control_mark")
    yield "control_mark", control_mark


def _word(field: str, words: Mapping[str, str], code: str) -> str:
    if code not in words:
        raise FaceError("face.unknown_code", field)
    return words[code]


def _day(field: str, text: str) -> date:
    day = None
    if len(text) == 8 and text.isascii() and text.isdigit():
        day = _real_day(int(text[:4]), int(text[4:6]), int(text[6:]))
    if day is None:
        raise FaceError("face.bad_date", field)
    return day


def _dotted(field: str, text: str) -> str:
    day = _day(field, text)
    return f"{day.year:04}.{day.month:02}.{day.day:02}"


def _real_day(year: int, month: int, day: int) -> date | None:
    """The date, or None; the error of `date` would stay chained to ours and speak of the value."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _places_of(text: str) -> float:
    """Width in full-width places."""
    ascii_count = len(text) if text.isascii() else sum(character <= "\x7f" for character in text)
    return len(text) - ascii_count / 2


def _one_line(field: str, text: str) -> PlacedText:
    """The text at its place, as large as the place allows."""
    place = PLACES[field]
    size_mm = min(place.size_mm, place.width_mm / _places_of(text))
    if size_mm < SMALLEST_MM:
        raise FaceError("face.too_long", field, ceil(_places_of(text)))
    y_mm = place.y_mm + place.size_mm - size_mm  # small and large stand on one line
    return PlacedText(field, text, place.x_mm, round(y_mm, 3), round(size_mm, 3))


def _address_lines(text: str) -> tuple[PlacedText, ...]:
    place = PLACES["address"]
    lines = break_lines(text, ADDRESS_PLACES)
    if len(lines) > ADDRESS_LINES:
        raise FaceError("face.too_long", "address", ceil(_places_of(text)))
    return tuple(
        PlacedText("address", line, place.x_mm, round(place.y_mm + number * ADDRESS_PITCH_MM, 3), place.size_mm)
        for number, line in enumerate(lines)
    )
