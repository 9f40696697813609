"""A portrait as a look shows it: as it was sent, as the chip's 1,024 bytes hold it, and on a face marked SPECIMEN."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

import msgspec
from PIL import Image

from controller.application import Application, control_mark
from controller.encoding import text_fields
from encoders.background import flattened
from encoders.face import FaceError, lay_out
from encoders.face_proof import draw
from encoders.fonts.coverage import bundled_coverage
from encoders.photo import PortraitError, prepare
from encoders.portrait import decode, encode
from encoders.preparation import psnr_db

FACE_FIELDS = (
    *("name", "sex", "ethnic", "birth", "address", "identity_number", "authority", "valid_from", "valid_until"),
)
JPEG_QUALITY = 88
FAST_PNG = 1


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures as `data:` addresses, empty where there is none; they stand in one page, and nowhere else."""

    source: str = field(repr=False)
    chip: str = field(default="", repr=False)
    face: str = field(default="", repr=False)
    source_bytes: int = 0
    chip_bytes: int = 0
    is_stored: bool = False  # what the chip has or will have; else encoded now, to show what it would be
    psnr_db: float | None = None  # of what the chip holds, against the photo at its size
    fault: str = ""  # the code of what kept a picture from being made


def pictures_of(card: int, shown: Mapping[str, str], jpeg: bytes, stored: bytes, *, flatten: bool) -> Pictures:
    """Give the pictures of one look; the face when all it shows was looked at.  For a worker thread.

    `stored`: the chip's portrait as it was encoded, empty: not yet.  `flatten`: see `controller.encoding`.
    Cost: 60 ms, and 15 ms more where nothing is stored.
    """
    source = _address("jpeg", jpeg)
    try:
        prepared = prepare(jpeg)
        stream = stored or encode(flattened(prepared) if flatten else prepared)
        decoded = decode(stream)
    except PortraitError as error:
        return Pictures(source, source_bytes=len(jpeg), fault=error.code)
    face, fault = _face(card, shown, jpeg)
    png = BytesIO()
    Image.fromarray(decoded).save(png, "PNG", compress_level=FAST_PNG)
    return Pictures(
        source,
        _address("png", png.getvalue()),
        face,
        source_bytes=len(jpeg),
        chip_bytes=len(stream),
        is_stored=bool(stored),
        psnr_db=psnr_db(decoded, prepared),
        fault=fault,
    )


def _face(card: int, shown: Mapping[str, str], jpeg: bytes) -> tuple[str, str]:
    """Give the proof of the face and an empty code, or the code of why there is none."""
    if not shown.keys() >= set(FACE_FIELDS):
        return "", ""
    fields = text_fields(msgspec.convert(dict(shown), Application))
    try:
        proof = draw(lay_out(fields, bundled_coverage(), control_mark=control_mark(card), portrait=jpeg))
    except FaceError as error:
        return "", error.code
    picture = BytesIO()
    proof.save(picture, "JPEG", quality=JPEG_QUALITY)
    return _address("jpeg", picture.getvalue()), ""


def _address(kind: str, picture: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(picture).decode('ascii')}"
