"""A print job as a picture for people: both sides as they will be read, SPECIMEN across face and portrait, always.

It shows texts, portrait and the labels a card body brings along; no emblem, no pattern, no security feature.
"""

from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from math import atan2, degrees, hypot
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from encoders.face import (
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    PORTRAIT_HEIGHT_PX,
    PORTRAIT_WIDTH_PX,
    SPECIMEN,
    Box,
    FaceError,
    FaceJob,
    PlacedText,
)
from encoders.fonts.coverage import HAN_FONT, HAN_STARTS, LATIN_FONT

__all__ = ["PX_PER_MM", "draw"]

PX_PER_MM: Final = 7.2
GAP_PX: Final = 16
LATIN_ADVANCE: Final = 0.6  # of an em, the same for every sign of the Latin font
BASELINE: Final = 0.86  # of the full-width square, from its top

DESK, BODY, LABEL, INK = (225, 225, 225), (251, 251, 247), (110, 130, 150), (20, 20, 20)
STAMP: Final = (200, 0, 0, 125)  # last: opacity of 255; face and text stay readable below it
STAMP_LENGTH: Final = 0.84  # of the diagonal

_CARD: Final = Box(0.0, 0.0, CARD_WIDTH_MM, CARD_HEIGHT_MM)


class Label(NamedTuple):
    """A word of the card body: never printed in the centre, shown so that the proof can be read."""

    text: str
    x_mm: float
    y_mm: float
    size_mm: float = 2.8


FRONT_LABELS: Final = (Label("签发机关", 17.5, 32.2), Label("有效期限", 17.5, 39.7))
BACK_LABELS: Final = (
    Label("姓名", 5.5, 7.5),
    Label("性别", 5.5, 14.8),
    Label("民族", 25.0, 14.8),
    Label("出生", 5.5, 21.8),
    Label("年", 22.6, 21.8),
    Label("月", 31.1, 21.8),
    Label("日", 39.6, 21.8),
    Label("住址", 5.5, 28.8),
    Label("公民身份号码", 5.5, 46.6),
)


def draw(job: FaceJob) -> Image.Image:
    """The front and, to its right, the back, RGB, about 1250 x 390 pixels, both with SPECIMEN across.

    The proof is what is seen on the finished card, so a mirrored job is drawn unmirrored too; the portrait is what
    lies on the film, its tone table applied, before lamination darkens it.  The word is this module's, not the job's:
    no job comes out without it.

    Raises: FaceError: face.portrait, when there is a portrait that is no JPEG of 358 x 441 pixels.
    Cost: about 40 ms.
    """
    portrait = _decoded(job.portrait) if job.portrait else None
    if portrait is not None and job.tone:
        portrait = portrait.point(job.tone * 3)  # the same table for red, green and blue
    front = _side(job.front, FRONT_LABELS)
    back = _side(job.back, BACK_LABELS)
    _paste_portrait(back, portrait, job.portrait_box)
    for side, box in ((front, _CARD), (back, _CARD), (back, job.portrait_box)):
        _stamp(side, box)
    proof = Image.new("RGB", (front.width + GAP_PX + back.width, front.height), DESK)
    proof.paste(front, (0, 0))
    proof.paste(back, (front.width + GAP_PX, 0))
    return proof


def _decoded(jpeg: bytes) -> Image.Image:
    """The portrait's pixels; the size is looked at before anything is decoded."""
    picture = _opened(jpeg)
    if picture is None:
        raise FaceError("face.portrait", "portrait")
    return picture


def _opened(jpeg: bytes) -> Image.Image | None:
    try:
        with Image.open(BytesIO(jpeg), formats=("JPEG",)) as picture:
            if picture.size != (PORTRAIT_WIDTH_PX, PORTRAIT_HEIGHT_PX):
                return None
            return picture.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return None


def _side(texts: tuple[PlacedText, ...], labels: tuple[Label, ...]) -> Image.Image:
    """One side of a plain card with its labels and texts."""
    side = Image.new("RGB", (round(CARD_WIDTH_MM * PX_PER_MM), round(CARD_HEIGHT_MM * PX_PER_MM)), DESK)
    pen = ImageDraw.Draw(side)
    pen.rounded_rectangle((0, 0, side.width - 1, side.height - 1), 3.18 * PX_PER_MM, BODY, LABEL)
    for label in labels:
        _write(pen, label.text, label.x_mm, label.y_mm, label.size_mm, LABEL)
    for text in texts:
        _write(pen, text.text, text.x_mm, text.y_mm, text.size_mm, INK)
    return side


def _write(
    pen: ImageDraw.ImageDraw, text: str, x_mm: float, y_mm: float, size_mm: float, colour: tuple[int, int, int]
) -> None:
    """Each character in the middle of its own place, so that a line is as long as the layout says."""
    size_px = size_mm * PX_PER_MM
    x_px, baseline_px = x_mm * PX_PER_MM, (y_mm + BASELINE * size_mm) * PX_PER_MM
    for character in text:
        width_px = size_px / 2 if character <= "\x7f" else size_px
        font = (
            _font(HAN_FONT, round(size_px))
            if character >= HAN_STARTS
            else _font(LATIN_FONT, round(size_px / 2 / LATIN_ADVANCE))
        )
        pen.text((x_px + width_px / 2, baseline_px), character, colour, font, anchor="ms")
        x_px += width_px


def _paste_portrait(side: Image.Image, portrait: Image.Image | None, box: Box) -> None:
    """The picture in its box, or the empty box when it is not there yet."""
    left, top, width, height = _in_px(box)
    if portrait is None:
        ImageDraw.Draw(side).rectangle((left, top, left + width - 1, top + height - 1), outline=LABEL)
    else:
        side.paste(portrait.resize((width, height), Image.Resampling.LANCZOS), (left, top))


def _stamp(side: Image.Image, box: Box) -> None:
    """SPECIMEN along the diagonal of `box`, half transparent, cut off at its edges."""
    left, top, width, height = _in_px(box)
    size_px = STAMP_LENGTH * hypot(width, height) / (LATIN_ADVANCE * len(SPECIMEN))
    layer = Image.new("L", (round(hypot(width, height)),) * 2, 0)
    middle = (layer.width / 2, layer.height / 2)
    ImageDraw.Draw(layer).text(middle, SPECIMEN, STAMP[3], _font(LATIN_FONT, round(size_px)), anchor="mm")
    layer = layer.rotate(degrees(atan2(height, width)), Image.Resampling.BICUBIC)
    x_px, y_px = (layer.width - width) // 2, (layer.height - height) // 2
    mask = layer.crop((x_px, y_px, x_px + width, y_px + height))
    side.paste(STAMP[:3], (left, top), mask)


def _in_px(box: Box) -> tuple[int, int, int, int]:
    """Left, top, width and height of a box in the proof of its side."""
    return (
        round(box.x_mm * PX_PER_MM),
        round(box.y_mm * PX_PER_MM),
        round(box.width_mm * PX_PER_MM),
        round(box.height_mm * PX_PER_MM),
    )


@lru_cache(maxsize=32)
def _font(name: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(files("encoders.fonts").joinpath(name)), size_px)
