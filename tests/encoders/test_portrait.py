"""The portrait codec at its door: what comes in is judged, what goes out fits, what was written can be seen."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from encoders import portrait
from encoders.codec import model, rate
from encoders.codec.tables import PLAIN_STEP
from encoders.portrait import PortraitError, decode, encode, prepare

ROOT = Path(__file__).resolve().parents[2]
OWN_PICTURES = sorted((ROOT / "sims/portraits").glob("*.jpg"))
DEV_PICTURES = ROOT.parent / "shared/portraits/dev"
SHAPE = (126, 102, 3)


def noise(seed, low, high):
    return np.random.default_rng(seed).integers(low, high, SHAPE).astype(np.uint8)


def checkerboard(cell_px, phase, light, dark):
    rows, columns = np.indices(SHAPE[:2])
    lit = ((rows + phase) // cell_px + columns // cell_px) % 2 == 0
    return np.repeat(np.where(lit, light, dark).astype(np.uint8)[:, :, None], 3, axis=2)


def waves(across, down, height):
    rows, columns = np.indices(SHAPE[:2])
    lights = [128 + height * np.sin(across * columns / 20 + down * rows / 20 + shift) for shift in (0, 2, 4)]
    return np.clip(np.stack(lights, axis=-1), 0, 255).astype(np.uint8)


def patches(seed, cell_px):
    rows, columns = np.indices(SHAPE[:2]) // cell_px
    return np.random.default_rng(seed).integers(0, 2, (126, 102, 3)).astype(np.uint8)[rows, columns] * np.uint8(255)


LIGHTS = st.integers(0, 255)
SEEDS = st.integers(0, 2**32 - 1)
PICTURES = st.one_of(
    st.builds(noise, SEEDS, st.integers(0, 127), st.integers(128, 256)),
    st.builds(checkerboard, st.integers(1, 20), st.integers(0, 19), LIGHTS, LIGHTS),
    st.builds(waves, st.integers(0, 60), st.integers(0, 60), st.integers(0, 400)),
    st.builds(patches, SEEDS, st.integers(1, 9)),
)


def jpeg_of(pixels, **options):
    """A JPEG of an array at quality 80, or as the options say."""
    file = io.BytesIO()
    mode = options.pop("mode", "RGB")
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **{"quality": 80} | options)
    return file.getvalue()


def photo_pixels(width_px=358, height_px=441):
    """A calm photo: soft waves of colour."""
    rows, columns = np.indices((height_px, width_px))
    lights = [128 + 90 * np.sin(columns / 40 + rows / 50 + shift) for shift in (0, 2, 4)]
    return np.stack(lights, axis=-1).astype(np.uint8)


PHOTO = jpeg_of(photo_pixels())
PHOTO_CODES = [f"portrait.{word}" for word in ("not_jpeg", "dimensions", "components", "not_baseline", "damaged")]


def code_of(act, *args):
    with pytest.raises(PortraitError) as raised:
        act(*args)
    assert str(raised.value).startswith(raised.value.code)
    return raised.value.code


def outcome(act, *args):
    """The shape of the picture there is, or the code of the error."""
    try:
        return act(*args).shape
    except PortraitError as error:
        return error.code


def luma_psnr(one, other):
    """Peak signal-to-noise ratio of BT.601 luma, in dB."""
    difference = (one.astype(float) - other.astype(float)) @ (0.299, 0.587, 0.114)
    return 10 * np.log10(255**2 / np.mean(difference**2))


# ---- photos ---------------------------------------------------------------------------------------------------


def test_a_photo_becomes_the_means_of_its_areas_whoever_decodes_it():
    pixels = prepare(PHOTO)
    assert (pixels.shape, pixels.dtype) == (SHAPE, np.uint8)
    with Image.open(io.BytesIO(PHOTO)) as photo:
        other = np.asarray(photo.resize((102, 126), Image.Resampling.BOX)).astype(int)
    assert np.abs(pixels - other).max() <= 2
    assert np.abs(pixels - other).mean() < 0.5


@pytest.mark.parametrize(
    ("jpeg", "code"),
    [
        (b"", "portrait.not_jpeg"),
        (b"GIF89a" + bytes(100), "portrait.not_jpeg"),
        (PHOTO[:150], "portrait.not_jpeg"),
        (PHOTO + bytes(100_001 - len(PHOTO)), "portrait.too_large"),
        (jpeg_of(photo_pixels(441, 358)), "portrait.dimensions"),
        (jpeg_of(photo_pixels(357, 441)), "portrait.dimensions"),
        (jpeg_of(photo_pixels(16, 16)), "portrait.dimensions"),
        (jpeg_of(photo_pixels(), mode="L"), "portrait.components"),
        (jpeg_of(photo_pixels(), mode="CMYK"), "portrait.components"),
        (jpeg_of(photo_pixels(), progressive=True), "portrait.not_baseline"),
        (PHOTO[: len(PHOTO) // 2], "portrait.damaged"),
        (PHOTO[:-2], "portrait.damaged"),
    ],
)
def test_a_file_that_is_no_such_photo_is_refused_with_its_code(jpeg, code):
    assert code_of(prepare, jpeg) == code


def test_a_picture_that_claims_to_be_huge_is_refused_by_its_header():
    size = PHOTO.index(b"\xff\xc0") + 5
    bomb = PHOTO[:size] + (65500).to_bytes(2) * 2 + PHOTO[size + 4 :]
    assert code_of(prepare, bomb) == "portrait.dimensions"


def test_a_photo_of_exactly_100_000_bytes_is_read():
    comment = b"\xff\xfe" + (60_000).to_bytes(2) + bytes(59_998)
    rest = 100_000 - len(PHOTO) - len(comment)
    padded = PHOTO[:2] + comment + b"\xff\xfe" + (rest - 2).to_bytes(2) + bytes(rest - 4) + PHOTO[2:]
    assert len(padded) == 100_000
    assert np.array_equal(prepare(padded), prepare(PHOTO))


@given(st.one_of(st.binary(max_size=600), st.binary(max_size=600).map(lambda tail: PHOTO[:170] + tail)))
def test_bytes_that_are_no_jpeg_are_refused_with_some_code(jpeg):
    assert code_of(prepare, jpeg).startswith("portrait.")


@settings(deadline=None)
@given(st.integers(0, len(PHOTO) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_photo_is_pixels_or_a_code(place, damage):
    assert outcome(prepare, PHOTO[:place] + damage + PHOTO[place + len(damage) :]) in (SHAPE, *PHOTO_CODES)


# ---- pixels ---------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(PICTURES)
@example(np.zeros(SHAPE, np.uint8))
@example(np.full(SHAPE, 255, np.uint8))
@example(checkerboard(1, 0, 255, 0))
@example(checkerboard(8, 4, 0, 255))
def test_any_picture_fits_1024_bytes_and_comes_back_as_a_picture(pixels):
    stream = encode(pixels)
    assert 2 <= len(stream) <= 1024
    assert stream[0] == portrait.VERSION
    shown = decode(stream)
    assert (shown.shape, shown.dtype) == (SHAPE, np.uint8)
    assert abs(shown.mean() - pixels.mean()) < 40


def test_a_plain_picture_comes_back_exactly_from_five_bytes():
    for colour in ((0, 0, 0), (255, 255, 255), (1, 128, 254)):
        pixels = np.full(SHAPE, colour, np.uint8)
        assert len(encode(pixels)) == 5
        assert np.array_equal(decode(encode(pixels)), pixels)


def test_a_picture_no_step_fits_still_has_a_stream_of_its_mean_colour(monkeypatch):
    """No picture is known that needs it; this is what the bound rests on."""
    monkeypatch.setattr(rate.Encoder, "written", lambda encoder, index: bytes(4096))
    pixels = np.zeros(SHAPE, np.uint8)
    pixels[:63] = (200, 100, 50)
    stream = encode(pixels)
    assert stream == bytes((portrait.VERSION, PLAIN_STEP, 100, 50, 25))
    assert np.all(decode(stream) == (100, 50, 25))


def test_a_plain_stream_that_ends_early_is_dark_where_it_says_nothing():
    assert np.all(decode(bytes((portrait.VERSION, PLAIN_STEP, 9))) == (9, 0, 0))
    assert np.all(decode(bytes((portrait.VERSION, PLAIN_STEP))) == 0)
    assert np.all(decode(bytes((portrait.VERSION, PLAIN_STEP, 1, 2, 3, 4, 5))) == (1, 2, 3))


@pytest.mark.parametrize(
    "pixels", [np.zeros((102, 126, 3), np.uint8), np.zeros(SHAPE[:2], np.uint8), np.zeros(SHAPE, np.int32)]
)
def test_pixels_of_another_shape_or_type_are_refused(pixels):
    assert code_of(encode, pixels) == "portrait.shape"


def test_the_order_of_pixels_in_memory_does_not_matter():
    pixels = portrait.golden_pixels()
    assert encode(np.asfortranarray(pixels)) == encode(pixels)
    assert encode(pixels[:, ::-1]) == encode(np.ascontiguousarray(pixels[:, ::-1]))


def test_several_portraits_at_once_give_the_streams_they_give_alone():
    pictures = [portrait.golden_pixels(), waves(9, 4, 100), noise(3, 0, 256)]
    assert portrait.encode_all(pictures, 2) == [encode(picture) for picture in pictures]


def test_threads_that_encode_at_once_do_not_disturb_each_other():
    pictures = [prepare(path.read_bytes()) for path in OWN_PICTURES[:8]]
    alone = [encode(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(encode, pictures * 3)) == alone * 3


# ---- streams --------------------------------------------------------------------------------------------------


@settings(deadline=1000)
@given(st.integers(0, 255), st.binary(max_size=1022))
@example(255, b"\xff" * 1022)
@example(0, b"\x00" * 1022)
@example(0, b"")
def test_any_bytes_behind_the_version_give_a_picture_within_a_second(step_index, payload):
    assert decode(bytes((portrait.VERSION, step_index)) + payload).shape == SHAPE


@settings(deadline=1000)
@given(st.binary(min_size=1, max_size=1024))
def test_any_bytes_give_a_picture_or_a_code(stream):
    assert outcome(decode, stream) in (SHAPE, "portrait.stream_size", "portrait.stream_version")


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"", "portrait.stream_size"),
        (b"\x01", "portrait.stream_size"),
        (b"\x02" * 1025, "portrait.stream_size"),
        (b"\x00\x40", "portrait.stream_version"),
        (b"\x01" * 1024, "portrait.stream_version"),
    ],
)
def test_a_stream_of_another_size_or_version_is_refused(stream, code):
    assert code_of(decode, stream) == code


# ---- golden and good ------------------------------------------------------------------------------------------


def test_the_golden_portrait_gives_the_bytes_it_always_gave():
    portrait.warm_up()


def test_a_codec_that_gives_other_bytes_stops_the_service(monkeypatch):
    frozen = model.frozen()
    other = frozen._replace(model=frozen.model._replace(shifts=frozen.model.shifts + np.int32(1)))
    monkeypatch.setattr(portrait, "learned", lambda: other)
    assert code_of(portrait.warm_up) == "portrait.self_test"


def test_a_model_file_that_is_not_the_frozen_one_stops_the_service(monkeypatch):
    model.frozen.cache_clear()
    monkeypatch.setattr(model, "FILE_SHA256", "0" * 64)
    assert code_of(encode, portrait.golden_pixels()) == "portrait.model"


def test_portraits_use_their_1024_bytes_and_look_like_themselves():
    assert len(OWN_PICTURES) == 60
    pictures = [prepare(path.read_bytes()) for path in OWN_PICTURES]
    streams = [encode(picture) for picture in pictures]
    likeness_db = [luma_psnr(picture, decode(stream)) for picture, stream in zip(pictures, streams, strict=True)]
    assert np.mean(likeness_db) >= 37.0
    assert np.min(likeness_db) >= 32
    assert np.mean([len(stream) > 1000 for stream in streams]) >= 0.8


def test_portraits_of_other_sources_are_good_too():
    if not DEV_PICTURES.is_dir():
        pytest.skip("there is no shared/portraits/dev beside the checkout")
    pictures = [prepare(path.read_bytes()) for path in sorted(DEV_PICTURES.glob("*.jpg"))]
    assert len(pictures) >= 60
    assert np.mean([luma_psnr(picture, decode(encode(picture))) for picture in pictures]) >= 37.5
