"""The sheet of portraits before and after the 1,024 bytes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from encoders import portrait
from sims.demo import proof
from sims.demo.proof import (
    CELL_GAP_PX,
    HEIGHT_PX,
    LABEL_PX,
    MARGIN_PX,
    PAIR_GAP_PX,
    STAMP,
    TITLE_PX,
    WIDTH_PX,
    draw_portraits,
    psnr_db,
    write_portraits,
)
from sims.faces import FaceSource


@pytest.fixture(scope="module")
def jpegs():
    faces = FaceSource(11)
    return [faces.portrait(number) for number in range(8)]


def faces_on(sheet, count):
    """Give the pictures of the first `count` pairs as they stand on the sheet, left and right."""
    pixels = np.asarray(sheet)
    found = []
    for place in range(count):
        row, column = divmod(place, proof.COLUMNS)
        x = MARGIN_PX + column * (2 * WIDTH_PX + PAIR_GAP_PX + CELL_GAP_PX)
        y = MARGIN_PX + TITLE_PX + row * (HEIGHT_PX + LABEL_PX + CELL_GAP_PX)
        found += [pixels[y : y + HEIGHT_PX, left : left + WIDTH_PX] for left in (x, x + WIDTH_PX + PAIR_GAP_PX)]
    return found


def test_each_pair_shows_what_goes_in_and_what_1024_bytes_give_back(jpegs):
    found = faces_on(draw_portraits(jpegs), len(jpegs))
    for place, jpeg in enumerate(jpegs):
        before = portrait.prepare(jpeg)
        coded = portrait.encode(before)
        assert len(coded) <= 1_024
        for seen, true in zip(found[2 * place : 2 * place + 2], (before, portrait.decode(coded)), strict=True):
            small = np.asarray(Image.fromarray(np.ascontiguousarray(seen)).resize((102, 126), Image.Resampling.BOX))
            untouched = (
                proof._stamp_mask().resize((102, 126), Image.Resampling.BOX).point(lambda value: 255 * (not value))
            )
            clean = np.asarray(untouched) > 0
            assert np.abs(small.astype(int) - true)[clean].mean() < 4


def test_the_word_lies_across_every_face_on_both_sides(jpegs):
    mask = np.asarray(proof._stamp_mask()) == proof.STAMP_OPACITY
    assert 0.03 < mask.mean() < 0.3
    rows, columns = np.nonzero(mask)
    assert np.ptp(rows) > 0.7 * HEIGHT_PX
    assert np.ptp(columns) > 0.7 * WIDTH_PX
    share = proof.STAMP_OPACITY / 255
    for seen in faces_on(draw_portraits(jpegs), len(jpegs)):
        assert seen[mask][:, 0].min() >= round(STAMP[0] * share) - 2
        assert seen[mask][:, 1:].max() <= round(255 * (1 - share)) + 2


def test_the_first_24_pictures_of_a_folder_are_drawn_in_the_order_of_their_names(tmp_path, jpegs):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(26):
        (pictures / f"{number:02d}.jpg").write_bytes(jpegs[number % len(jpegs)])
    assert write_portraits(pictures, tmp_path / "all.png") == proof.PORTRAITS
    with Image.open(tmp_path / "all.png") as written:
        expected = draw_portraits([jpegs[number % len(jpegs)] for number in range(24)])
        assert np.array_equal(np.asarray(written), np.asarray(expected))


def test_a_run_without_accepted_applications_gives_a_sheet_without_pairs(tmp_path):
    assert write_portraits(tmp_path, tmp_path / "none.png") == 0
    with Image.open(tmp_path / "none.png") as written:
        assert written.width > WIDTH_PX


def test_psnr_is_infinite_for_equal_pictures_and_48_db_for_one_level_off():
    one = np.full((4, 4, 3), 100, np.uint8)
    assert psnr_db(one, one) == float("inf")
    assert psnr_db(one, one + 1) == pytest.approx(48.13, abs=0.01)


def test_labels_hold_numbers_only(monkeypatch, jpegs):
    words = []
    monkeypatch.setattr(
        proof.ImageDraw.ImageDraw, "text", lambda pen, at, text, *more, **how: words.append(text), raising=True
    )
    proof._stamp_mask.cache_clear()
    draw_portraits(jpegs[:2])
    proof._stamp_mask.cache_clear()
    labels = [word for word in words if "dB" in word]
    assert len(labels) == 2
    assert all(re.fullmatch(r"\d\d  [\d,]+ bytes  \d\d\.\d dB", label) for label in labels)
