"""The portrait's pixels: hard floors of the background, the blank picture, and notes that good pictures never get."""

from __future__ import annotations

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from controller.checks.pixels import background, check_pixels
from tests.controller.checks.pictures import grey
from tests.controller.checks.samples import portrait


def found(picture):
    return [finding.code for finding in check_pixels(picture)]


def repainted(level, columns=slice(None)):
    """Give the good portrait with the white behind the person at another level in some columns."""
    picture = grey().copy()
    part = picture[:, columns]
    part[part > 250] = level
    return picture


def test_the_good_portrait_has_no_finding_as_drawn_and_as_decoded():
    assert found(grey()) == []
    assert found(simplejpeg.decode_jpeg(portrait(), "GRAY")[..., 0]) == []


@pytest.mark.parametrize(
    ("level", "expected"), [(200, []), (199, ["portrait.background"]), (0, ["portrait.background"])]
)
def test_the_background_is_held_under_its_floor(level, expected):
    assert [code for code in found(repainted(level)) if code == "portrait.background"] == expected


def test_a_background_lit_from_one_side_is_held():
    assert found(repainted(205, slice(179, None))) == ["portrait.background"]
    assert found(repainted(225, slice(179, None))) == []


def test_a_patterned_background_is_held():
    striped = repainted(255)
    striped[::4][striped[::4] > 250] = 120
    assert background(striped)[1] > 40
    assert "portrait.background" in found(striped)


@given(st.integers(0, 255), st.floats(0, 10), st.integers(0, 2**32 - 1))
def test_an_even_picture_is_blank_whatever_its_tone_and_noise(level, noise, seed):
    picture = np.random.default_rng(seed).normal(level, noise, (441, 358)).clip(0, 255).astype(np.uint8)
    assert found(picture) == ["portrait.blank"]


@given(st.integers(0, 2**32 - 1), st.floats(0, 255), st.floats(1, 120))
def test_any_picture_is_answered_and_a_hard_verdict_is_single(seed, level, spread):
    picture = np.random.default_rng(seed).normal(level, spread, (441, 358)).clip(0, 255).astype(np.uint8)
    codes = found(picture)
    assert len(codes) == len(set(codes))
    assert "portrait.blank" not in codes or codes == ["portrait.blank"]


@pytest.mark.parametrize(("width", "expected"), [(2, ["portrait.border"]), (7, ["portrait.border"]), (0, [])])
def test_a_border_is_noted_and_does_not_count_as_background(width, expected):
    picture = grey().copy()
    if width:
        picture[:width], picture[:, :width], picture[:, -width:] = 0, 0, 0
    assert found(picture) == expected


def test_a_head_that_is_far_too_small_is_noted():
    small = np.full_like(grey(), 254)
    small[220:440, 90:269] = grey()[:440:2, ::2]
    assert "portrait.position" in found(small)


def test_a_face_burnt_out_is_noted():
    bright = np.where(grey() < 250, grey().astype(np.int16) // 12 + 232, 254).astype(np.uint8)
    bright[380:] = 40
    assert "portrait.exposure" in found(bright)


@pytest.mark.parametrize(
    "wrong", [np.zeros((441, 358), np.float32), np.zeros((358, 441), np.uint8), np.zeros((441, 358, 3), np.uint8)]
)
def test_another_shape_or_type_is_the_callers_error(wrong):
    with pytest.raises(ValueError, match="441 rows and 358 columns"):
        check_pixels(wrong)
