"""Good applications and portraits of invented people, to plant faults in."""

from __future__ import annotations

import functools
import io

import msgspec
import numpy as np
from PIL import Image

from controller.application import Application
from controller.checks.context import CheckContext, load_context
from controller.checks.number import check_character
from controller.checks.rows import check_application

TODAY = "20260101"
COUNTY = "520102"
RARE_GLYPHS = frozenset({0x3400, 0x9FA6, 0xFA0E, 0xF900})  # the only rare characters the pretend font has


@functools.cache
def context() -> CheckContext:
    """Give the shipped tables on a fixed day."""
    return load_context(TODAY, RARE_GLYPHS.__contains__)


@functools.cache
def pixels() -> np.ndarray:
    """Give a drawn head on white, uint8 (441, 358, 3), with enough texture for the size of a usual file."""
    rows, columns = np.mgrid[:441, :358]
    picture = np.full((441, 358, 3), 254.0)
    noise = np.random.default_rng(7).normal(0, 9, (441, 358, 1))
    shoulders = ((columns - 179) / 170) ** 2 + ((rows - 460) / 130) ** 2 < 1
    hair = ((columns - 179) / 105) ** 2 + ((rows - 165) / 145) ** 2 < 1
    face = ((columns - 179) / 88) ** 2 + ((rows - 215) / 125) ** 2 < 1
    for shape, colour in ((shoulders, (60, 70, 110)), (hair, (35, 30, 30)), (face, (205, 165, 140))):
        picture[shape] = colour
    for x, y, half_width, half_height in ((140, 205, 16, 7), (218, 205, 16, 7), (179, 285, 30, 6)):
        picture[(abs(columns - x) < half_width) & (abs(rows - y) < half_height)] = (70, 35, 40)
    drawn = shoulders | hair | face
    picture[drawn] += np.broadcast_to(noise, picture.shape)[drawn]
    return picture.clip(0, 255).astype(np.uint8)


def jpeg(picture: np.ndarray | None = None, **options: object) -> bytes:
    """Give a picture as JPEG, at quality 70 and 350 dpi unless options say otherwise."""
    out = io.BytesIO()
    chosen = {"quality": 70, "dpi": (350, 350)} | options
    Image.fromarray(pixels() if picture is None else picture).save(out, "JPEG", **chosen)
    return out.getvalue()


@functools.cache
def portrait() -> bytes:
    """Give the portrait of the good application."""
    return jpeg()


def number_of(region: str, birth: str, sequence: str) -> str:
    """Give a number with the right check character."""
    digits = region + birth + sequence
    return digits + check_character(digits)


def with_x(region: str, birth: str) -> str:
    """Give a man's number whose check character is X."""
    odd = (f"{sequence:03d}" for sequence in range(1, 999, 2))
    return next(number for number in (number_of(region, birth, text) for text in odd) if number.endswith("X"))


def good(**changes: object) -> Application:
    """Give a good application, or one that differs in the named fields."""
    application = Application(
        acceptance_number="5201020012025122000001",
        card_kind="second",
        identity_number=number_of("520102", "19900307", "125"),
        name="样例甲",
        sex="1",
        ethnic="01",
        birth="19900307",
        address="贵州省贵阳市南明区样例路1号2栋3单元401室",
        address_county=COUNTY,
        authority="贵阳市公安局南明分局",
        valid_from="20251220",
        valid_until="20451220",
        reason="21",
        production_type="1",
        fee_class="standard",
        unit="520102001",
        portrait=portrait(),
    )
    return msgspec.structs.replace(application, **changes)


def born(birth: str, **changes: object) -> Application:
    """Give a good application of somebody born then, but for validity and reason, which the caller sets."""
    return good(birth=birth, identity_number=number_of("520102", birth, "125"), **changes)


def codes(application: Application, in_context: CheckContext | None = None) -> list[str]:
    """Give the codes found in an application."""
    return [finding.code for finding in check_application(application, in_context or context())]
