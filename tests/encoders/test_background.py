"""Flattening: the wall behind a person becomes even, the person stays bit for bit, and kernel and twin agree."""

import io
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from encoders import background
from encoders.background import flattened
from encoders.background_bounds import FACE_HEIGHT, FACE_WIDTH, FACE_X2, FACE_Y, LEAST_LEVEL, LIMIT, MARGIN_PX
from encoders.background_twin import background_mask, depths, edge_levels, flattened_twin
from encoders.photo import PortraitError, prepare

ROOT = Path(__file__).resolve().parents[2]
OWN_PICTURES = sorted((ROOT / "sims/portraits").glob("*.jpg"))
DEV_PICTURES = ROOT.parent / "shared/portraits/dev"
SHAPE = (126, 102, 3)
ROWS, COLUMNS = np.indices(SHAPE[:2])
IN_FACE = ((COLUMNS - FACE_X2 / 2) / FACE_WIDTH) ** 2 + ((ROWS - FACE_Y) / FACE_HEIGHT) ** 2 <= 1


def person(wall, skin=(180, 140, 120)):
    """Somebody before a wall: uint8, with a head, hair round it and shoulders."""
    picture = np.array(np.broadcast_to(wall, SHAPE), np.float64)
    head = ((ROWS - 60) / 46) ** 2 + ((COLUMNS - 51) / 30) ** 2 < 1
    picture[((ROWS - 54) / 50) ** 2 + ((COLUMNS - 51) / 34) ** 2 < 1] = 40
    picture[head] = skin
    picture[(ROWS > 104) & (np.abs(COLUMNS - 51) < 3 * (ROWS - 96))] = (60, 70, 110)
    return np.clip(picture, 0, 255).astype(np.uint8)


def uneven(level, slope, ripple, seed):
    """A wall lit from one side, with a grain."""
    chance = np.random.default_rng(seed)
    light = level - slope * COLUMNS / 101 + chance.integers(-ripple, ripple + 1, SHAPE[:2])
    return np.stack([light, light - 2, light - 5], axis=-1)


def wall_deviation(pixels, mask):
    return pixels[mask].std(axis=0).mean()


def seen_wall(pixels):
    wide = pixels.astype(np.int64)
    return background_mask(wide, edge_levels(wide))


WALLS = st.builds(uneven, st.integers(120, 255), st.integers(0, 60), st.integers(0, 12), st.integers(0, 2**32 - 1))
PICTURES = st.one_of(
    st.builds(person, WALLS),
    st.builds(lambda wall: np.clip(wall, 0, 255).astype(np.uint8), WALLS),
    st.builds(lambda seed: np.random.default_rng(seed).integers(0, 256, SHAPE).astype(np.uint8), st.integers(0, 10**6)),
    st.builds(lambda level: np.full(SHAPE, level, np.uint8), st.integers(0, 255)),
)


@settings(deadline=None, max_examples=60)
@given(PICTURES)
def test_the_kernel_gives_what_its_twin_gives_for_any_picture(pixels):
    assert np.array_equal(flattened(pixels), flattened_twin(pixels))


@settings(deadline=None, max_examples=60)
@given(PICTURES)
def test_nothing_changes_much_nor_in_the_face_nor_near_anything_that_is_no_wall(pixels):
    change = np.abs(flattened(pixels).astype(int) - pixels).max(axis=2)
    assert change.max() <= LIMIT
    assert not change[IN_FACE].any()
    assert not change[depths(seen_wall(pixels)) <= MARGIN_PX].any()


@settings(deadline=None, max_examples=40)
@given(st.builds(person, WALLS))
def test_every_changed_level_comes_nearer_to_the_border_s_and_never_passes_it(pixels):
    flat, levels = flattened(pixels).astype(int), edge_levels(pixels.astype(np.int64))
    before, after = pixels.astype(int) - levels, flat - levels
    assert (np.abs(after) <= np.abs(before)).all()
    assert (before * after >= 0).all()


def test_a_wall_lit_from_one_side_becomes_even_behind_a_person_who_stays_bit_for_bit():
    pixels = person(uneven(248, 20, 2, 1))
    mask = seen_wall(pixels)
    flat = flattened(pixels)
    assert mask.mean() > 0.2
    assert wall_deviation(flat, mask) < 0.6 * wall_deviation(pixels, mask)
    hair_and_person = ((ROWS - 54) / 50) ** 2 + ((COLUMNS - 51) / 34) ** 2 < 1
    assert np.array_equal(flat[hair_and_person], pixels[hair_and_person])
    assert np.array_equal(flat[105:, 40:60], pixels[105:, 40:60])


def test_a_white_thing_that_the_wall_does_not_reach_is_no_wall():
    pixels = person(uneven(245, 20, 0, 1))
    pixels[40:70, 3:20] = 50
    pixels[45:65, 8:15] = 244  # near the wall's colour, on all sides something dark
    assert not seen_wall(pixels)[45:65, 8:15].any()
    assert np.array_equal(flattened(pixels)[40:70, 3:20], pixels[40:70, 3:20])


@pytest.mark.parametrize(
    "pixels",
    [
        person(uneven(LEAST_LEVEL - 1, 10, 2, 1)),
        np.random.default_rng(1).integers(0, 256, SHAPE).astype(np.uint8),
        np.zeros(SHAPE, np.uint8),
    ],
    ids=["dark wall", "noise", "black"],
)
def test_a_picture_without_a_light_wall_comes_back_as_it_is(pixels):
    kept = pixels.copy()
    flat = flattened(pixels)
    assert np.array_equal(flat, kept)
    assert flat is not pixels


def test_what_is_given_is_not_changed():
    pixels = person(uneven(248, 20, 2, 1))
    kept = pixels.copy()
    assert not np.array_equal(flattened(pixels), kept)
    assert np.array_equal(pixels, kept)


@pytest.mark.parametrize("wrong", [np.zeros((126, 102), np.uint8), np.zeros(SHAPE, np.int32), np.zeros((102, 126, 3))])
def test_another_shape_or_type_is_refused(wrong):
    with pytest.raises(PortraitError) as error:
        flattened(wrong)
    assert error.value.code == "portrait.shape"


# ---- portraits --------------------------------------------------------------------------------------------------


def shaded(path):
    """A real portrait sent as a photo is, its light falling off to the right."""
    with Image.open(path) as picture:
        light = np.asarray(picture.convert("RGB")).astype(float)
    light -= 18 * np.arange(light.shape[1])[None, :, None] / light.shape[1]
    file = io.BytesIO()
    Image.fromarray(np.clip(light, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=70)
    return prepare(file.getvalue())


def evenness(paths):
    """For each portrait with a wall to speak of: deviation before and after; asserts what must hold of all."""
    walls = []
    for path in paths:
        pixels = shaded(path)
        flat, mask = flattened(pixels), seen_wall(pixels)
        assert np.array_equal(flat, flattened_twin(pixels)), path.name
        assert np.array_equal(flat[IN_FACE], pixels[IN_FACE]), path.name
        assert np.array_equal(flat[~mask], pixels[~mask]), path.name
        if mask.mean() > 0.15:
            walls.append((wall_deviation(pixels, mask), wall_deviation(flat, mask)))
    return np.array(walls)


def test_walls_of_the_project_s_portraits_become_more_even_and_no_face_is_touched():
    walls = evenness(OWN_PICTURES[:24])
    assert len(walls) >= 12
    assert (walls[:, 1] <= walls[:, 0]).all()
    assert walls[:, 1].mean() < 0.7 * walls[:, 0].mean()


def test_walls_of_real_portraits_become_more_even_and_no_face_is_touched():
    paths = sorted(DEV_PICTURES.glob("canada_*.jpg"))
    if not paths:
        pytest.skip("no shared folder beside the checkout: real portraits cannot be tried")
    walls = evenness(paths)
    assert len(walls) >= len(paths) // 2
    assert (walls[:, 1] <= walls[:, 0]).all()
    assert walls[:, 1].mean() < 0.8 * walls[:, 0].mean()


# ---- machines -----------------------------------------------------------------------------------------------------


def digest():
    """SHA-256 of three flattened pictures."""
    pictures = [person(uneven(250, slope, 3, slope)) for slope in (0, 15, 40)]
    return sha256(b"".join(flattened(one).tobytes() for one in pictures)).hexdigest()


def test_interpreted_kernels_give_the_bytes_of_compiled_ones():
    script = "from tests.encoders.test_background import digest; print(digest())"
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script],
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stdout.strip()) == (0, digest()), done.stderr


def test_warming_up_finds_a_kernel_that_is_not_itself(monkeypatch):
    background.warm_up()
    monkeypatch.setattr(background, "flattened_twin", lambda pixels: pixels)
    with pytest.raises(PortraitError) as error:
        background.warm_up()
    assert error.value.code == "portrait.self_test"
