"""Examination in worker threads: each looks at its own pictures, and none is read beyond its place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import simplejpeg

from controller.intake.examination import examine, pixel_findings
from encoders.envelope import pack
from tests.controller.checks.samples import context, good, portrait

LOOKS = 200


def encoded(pixels) -> bytes:
    return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), 70, "RGB", "420")


def even(rows: int, columns: int, level: int = 250) -> bytes:
    return encoded(np.full((rows, columns, 3), level, np.uint8))


def codes(picture: bytes) -> list[str]:
    return [finding.code for finding in pixel_findings(picture)]


def test_threads_that_look_at_once_see_their_own_pictures():
    wanted = [([], portrait()), (["portrait.blank"], even(441, 358)), (["portrait.damaged"], portrait()[:9_000])]
    looks = [wanted[number % 3] for number in range(LOOKS)]
    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(codes, [picture for _, picture in looks]))
    assert seen == [expected for expected, _ in looks]


def test_a_picture_says_the_same_whatever_was_looked_at_before():
    assert [codes(portrait()), codes(even(441, 358, 0)), codes(portrait())] == [[], ["portrait.blank"], []]


def test_a_picture_of_more_pixels_than_a_portrait_finds_no_room_and_is_damaged():
    assert codes(even(442, 358)) == ["portrait.damaged"]


def test_a_chunk_is_examined_as_each_of_its_applications_alone():
    pictures = [portrait(), even(441, 358), portrait()[:9_000], even(442, 358), b"", portrait()]
    chunk = [pack(good(portrait=picture)) for picture in pictures]
    key = b"k" * 32
    together = examine(chunk, context(), key)
    assert together == [examine([one], context(), key)[0] for one in chunk]
    assert {finding.code for one in together for finding in one.findings} >= {"portrait.truncated", "portrait.missing"}
