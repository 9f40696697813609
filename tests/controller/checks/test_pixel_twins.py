"""The kernel that looks at portraits measures what its numpy twin does, whatever the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from controller.checks import pixels
from controller.checks.errors import KernelError
from controller.checks.pixel_bounds import CENTRE, FIGURES, NOBODY, RANGE, RUN_PX, STRONG, WIDTH
from controller.checks.pixel_kernel import measure
from controller.checks.pixel_twin import measure_twin
from controller.checks.pixels import measures
from sims.faces import PORTRAITS
from tests.controller.checks.pictures import grey

ROWS, COLUMNS = 441, 358
SHARED_PORTRAITS = Path(__file__).parents[4] / "shared" / "portraits"
interpreted_measure = getattr(measure, "py_func", measure)  # no py_func under NUMBA_DISABLE_JIT

LEVELS = st.integers(0, 255)


def agree(picture) -> list[int]:
    """Give the figures of a picture, which are those of its twin."""
    found = measures(picture)
    assert found == measure_twin(picture).tolist()
    return found


def decoded(path: Path):
    """Give the luma of a JPEG file."""
    return simplejpeg.decode_jpeg(path.read_bytes(), "GRAY")[..., 0]


@given(st.integers(0, 2**32 - 1), LEVELS, st.floats(0, 120))
def test_noise_of_any_tone_is_measured_as_the_twin_does(seed, level, spread):
    noise = np.random.default_rng(seed).normal(level, spread, (ROWS, COLUMNS))
    agree(noise.clip(0, 255).astype(np.uint8))


@given(LEVELS, LEVELS, st.tuples(*[st.integers(0, ROWS)] * 2), st.tuples(*[st.integers(0, COLUMNS)] * 2))
def test_a_rectangle_of_any_place_and_tone_is_measured_as_the_twin_does(ground, level, rows, columns):
    picture = np.full((ROWS, COLUMNS), ground, np.uint8)
    picture[min(rows) : max(rows), min(columns) : max(columns)] = level
    agree(picture)


@given(st.integers(-ROWS, ROWS), st.integers(-COLUMNS, COLUMNS), st.integers(1, 8), LEVELS)
def test_a_person_moved_darkened_or_lightened_is_measured_as_the_twin_does(down, right, divisor, lift):
    moved = np.roll(grey(), (down, right), (0, 1)).astype(np.int16) // divisor + lift
    agree(moved.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("level", [0, 224, 225, 255])
def test_an_even_picture_has_no_range_no_curves_and_at_most_a_head_of_all_columns(level):
    found = agree(np.full((ROWS, COLUMNS), level, np.uint8))
    is_dark = level < 225
    assert (found[RANGE], found[STRONG]) == (0, 0)
    assert found[CENTRE] == (2 * (COLUMNS - 1) if is_dark else NOBODY)
    assert found[WIDTH] == (2 * (COLUMNS - 1) if is_dark else NOBODY)


def test_a_crown_without_a_head_below_it_is_nobody():
    picture = np.full((ROWS, COLUMNS), 255, np.uint8)
    picture[80, 100:116] = 0
    assert agree(picture)[CENTRE] == NOBODY


def test_compiled_and_interpreted_give_the_same_figures():
    figures = np.zeros(FIGURES, np.int64)
    interpreted_measure(grey().copy(), figures, np.zeros((2, 255 * RUN_PX + 1), np.uint16))
    assert figures.tolist() == agree(grey())


@pytest.mark.parametrize("path", sorted(PORTRAITS.glob("*.jpg")), ids=lambda path: path.stem)
def test_the_portraits_of_the_demo_are_measured_as_the_twin_does(path):
    assert agree(decoded(path))[CENTRE] != NOBODY


def test_the_licensed_portraits_are_measured_as_the_twin_does():
    paths = sorted(SHARED_PORTRAITS.glob("*/*.jpg"))
    if not paths:
        pytest.skip("there is no shared/portraits beside the checkout")
    for path in paths:
        agree(decoded(path))


def test_pixels_that_lie_apart_or_may_not_be_written_are_measured_as_any():
    whole = np.repeat(grey(), 3, axis=1)
    frozen = grey().copy()
    frozen.setflags(write=False)
    assert measures(whole[:, ::3]) == measures(frozen) == measures(grey())


def test_the_warm_up_passes_here():
    pixels.warm_up()


def test_the_warm_up_finds_a_kernel_that_measures_something_else(monkeypatch):
    monkeypatch.setattr(pixels, "measure_twin", lambda picture: measure_twin(picture) + 1)
    with pytest.raises(KernelError, match=r"checks\.self_test"):
        pixels.warm_up()
