"""Scenarios of what stands in applications: broken pictures, codes of no table, records that are none."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image

from sims.conformance import promises as p
from sims.conformance.cast import Fields
from sims.conformance.rules import broken_rules
from sims.conformance.stage import Stage

QUALITY = 78


def bad_photos(stage: Stage) -> None:
    """Pictures that are missing, cut, of another size, kind, process or weight: as their bytes show."""
    people = stage.cast.people(10)
    good: bytes = people[0]["portrait"]
    pixels = simplejpeg.decode_jpeg(good)
    grain = np.random.Generator(np.random.PCG64(stage.report.seed)).integers(0, 255, pixels.shape, np.uint8)
    pictures = [
        good,
        b"",
        good[: len(good) // 2],
        good[:-2],
        _saved(pixels, "PNG"),
        simplejpeg.encode_jpeg(np.ascontiguousarray(pixels[:-1, :-2]), QUALITY, "RGB", "420"),
        simplejpeg.encode_jpeg(np.ascontiguousarray(pixels[:, :, :1]), QUALITY, "GRAY", "Gray"),
        _saved(pixels, "JPEG", progressive=True),
        simplejpeg.encode_jpeg(grain, 98, "RGB", "444"),
        _with_size(good, 65_500, 65_500),
    ]
    sent = [{**one, "portrait": picture} for one, picture in zip(people, pictures, strict=True)]
    _expect(stage, sent, p.ALL_FINDINGS)


def wrong_codes(stage: Stage) -> None:
    """Codes that stand in no table, dates that are none, numbers that do not add up, empty fields, several at once."""
    changes: list[dict[str, str]] = [
        {"sex": "9"},
        {"ethnic": "00"},
        {"reason": "99"},
        {"production_type": "7"},
        {"fee_class": "gift"},
        {"card_kind": "third"},
        {"unit": "52010"},
        {"acceptance_number": "5201"},
        {"valid_until": "20300230"},
        {"birth": "19900231"},
        {"name": "王A小明"},
        {"name": "阿卜杜\u2022热合曼"},
        {"address": "样" * 36},
        {"identity_number": "11010519491231002"},
        {"unit": ""},
        {"sex": "9", "reason": "99", "fee_class": "", "name": ""},
    ]
    people = stage.cast.people(len(changes) + 2)
    sent: list[Fields] = [{**one, **change} for one, change in zip(people, changes, strict=False)]
    number = people[-2]["identity_number"]
    sent.append({**people[-2], "identity_number": f"{number[:17]}{'1' if number[17] != '1' else '2'}"})
    sent.append(people[-1])
    _expect(stage, sent, p.ALL_FINDINGS)


def broken_records(stage: Stage) -> None:
    """Records that are no map or hold another type: each spoils itself, and its neighbours are made."""
    people = stage.cast.people(6)
    sent: list[Any] = [
        people[0],
        ["no", "map"],
        {**people[1], "name": 17},
        {**people[2], "portrait": "text"},
        17,
        {key: value for key, value in people[3].items() if key != "address"},
        {**people[4], "unknown_key": "ignored"},
        people[5],
    ]
    _expect(stage, sent, p.SPOILS_ITSELF)


def _expect(stage: Stage, sent: list[Any], promise: str) -> None:
    batch = stage.cast.batch(sent)
    found = stage.bring(batch, size=4)
    stage.report.expect_equal(promise, set(range(batch.count)), set(found), "places that heard a verdict")
    stage.expect_verdicts(batch, found)
    stage.expect_one_verdict_each([batch])
    good = [index for index, one in enumerate(sent) if not broken_rules(one)]
    accepted = [index for index in good if found.get(index, {}).get("kind") == "accepted"]
    stage.report.expect_equal(p.SPOILS_ITSELF, good, accepted, "accepted beside the broken ones")


def _saved(pixels: np.typing.NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    written = BytesIO()
    Image.fromarray(pixels).save(written, kind, quality=QUALITY, **options)
    return written.getvalue()


def _with_size(jpeg: bytes, width_px: int, height_px: int) -> bytes:
    """Give the picture with another size in its frame header: its pixels would need gigabytes."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + height_px.to_bytes(2) + width_px.to_bytes(2) + jpeg[at + 9 :]
