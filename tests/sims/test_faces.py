"""Portraits of people who do not exist."""

import csv
import struct
from io import BytesIO
from random import Random

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from sims.faces import HEIGHT_PX, PORTRAITS, WIDTH_PX, FaceSource, encode, soften, with_density

SEED = 20260312


@pytest.fixture(scope="module")
def faces():
    return FaceSource(SEED)


@pytest.fixture(scope="module")
def portraits(faces):
    return [faces.portrait(i) for i in range(600)]


def frame_of(jpeg):
    """Give marker, precision, height, width and sampling factors of the frame header."""
    at = 2
    while jpeg[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    precision, height, width, components = struct.unpack(">BHHB", jpeg[at + 4 : at + 10])
    return jpeg[at + 1], precision, height, width, [jpeg[at + 11 + 3 * n] for n in range(components)]


def corners(pixels):
    return pixels[:40, :40], pixels[:40, -40:]


def test_a_portrait_is_a_baseline_jpeg_of_358_by_441_pixels_in_4_2_0(portraits):
    for jpeg in portraits:
        assert frame_of(jpeg) == (0xC0, 8, 441, 358, [0x22, 0x11, 0x11])
        assert jpeg.endswith(b"\xff\xd9")


def test_a_portrait_states_350_dpi(portraits):
    assert all(Image.open(BytesIO(jpeg)).info["dpi"] == (350, 350) for jpeg in portraits[:20])


def test_nearly_all_portraits_have_14_to_20_kb_and_none_is_far_off(portraits):
    sizes = np.array([len(jpeg) for jpeg in portraits])
    assert np.mean((sizes >= 14_000) & (sizes <= 20_000)) >= 0.99
    assert sizes.min() > 10_000
    assert sizes.max() < 40_000
    assert sizes.std() > 1_000  # spread over the band, not all at one size


def test_no_two_portraits_are_equal(portraits):
    assert len(set(portraits)) == len(portraits)


def test_two_portraits_of_one_picture_differ_in_many_pixels(faces):
    first, second = (simplejpeg.decode_jpeg(faces.portrait(i), "GRAY").astype(int) for i in _of_one_picture(faces))
    assert np.mean(np.abs(first - second) > 2) > 0.05


def _of_one_picture(faces):
    """Give two indices whose portraits come from the same picture, by how alike they are when made tiny."""
    tiny = {}
    for i in range(300):
        small = Image.open(BytesIO(faces.portrait(i))).convert("L").resize((9, 11))
        vector = np.asarray(small, float).ravel()
        vector = (vector - vector.mean()) / vector.std()
        for other, known in tiny.items():
            if np.mean((vector - known) ** 2) < 0.01:
                return other, i
        tiny[i] = vector
    raise AssertionError("300 portraits of 60 pictures, and no two alike")


def test_the_background_stays_white_and_even(portraits):
    for jpeg in portraits[::6]:
        for corner in corners(simplejpeg.decode_jpeg(jpeg, "RGB")):
            assert corner.mean() >= 235
            assert corner.std() <= 8


def test_a_portrait_depends_on_seed_and_index_alone(faces, portraits):
    again = FaceSource(SEED)
    assert [again.portrait(i) for i in (599, 3, 0)] == [portraits[i] for i in (599, 3, 0)]
    assert FaceSource(SEED + 1).portrait(0) != portraits[0]


def test_asking_for_a_sex_takes_only_pictures_of_it(faces):
    women = {id(source) for source in faces._by_sex["2"]}
    men = {id(source) for source in faces._by_sex["1"]}
    assert not women & men
    assert (len(women), len(men)) == (48, 72)  # 24 and 36 pictures, each with its mirror image
    assert faces.portrait(5, "1") != faces.portrait(5, "2")


def test_the_manifest_names_each_of_the_sixty_pictures_and_its_licence():
    with (PORTRAITS / "manifest.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert sorted(row["file"] for row in rows) == sorted(path.name for path in PORTRAITS.glob("*.jpg"))
    assert len(rows) == 60
    assert {row["licence"] for row in rows} == {"CC0 1.0"}
    for row in rows:
        assert Image.open(PORTRAITS / row["file"]).size == (WIDTH_PX, HEIGHT_PX)


def test_softening_gives_the_rounded_mean_of_neighbours():
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (9, 7, 3), np.uint8)
    wide = pixels.astype(int)
    across = wide.copy()
    across[:, :-1] = (wide[:, :-1] + wide[:, 1:] + 1) // 2
    expected = across.copy()
    expected[:-1] = (across[:-1] + across[1:] + 1) // 2
    soften(pixels)
    assert (pixels == expected).all()


def test_grain_never_wraps_a_light_pixel_to_a_dark_one(faces):
    white = np.full((HEIGHT_PX + 10, WIDTH_PX + 10, 3), 255, np.uint8)
    black = np.zeros_like(white)
    assert min(faces._vary(white, Random(n)).min() for n in range(20)) >= 240
    assert max(faces._vary(black, Random(n)).max() for n in range(20)) <= 2


def test_density_is_set_in_a_jfif_header_and_nowhere_else():
    plain = simplejpeg.encode_jpeg(np.full((16, 16, 3), 200, np.uint8), 80, "RGB", "420")
    assert with_density(plain)[20:] == plain[20:]
    with pytest.raises(ValueError, match="JFIF"):
        with_density(b"\xff\xd8\xff\xe1" + plain[4:])


def test_encoding_at_a_higher_quality_takes_more_bytes(faces):
    pixels = simplejpeg.decode_jpeg(faces.portrait(1), "RGB")
    sizes = [len(encode(pixels, quality)) for quality in (60, 70, 80, 90)]
    assert sizes == sorted(sizes)
