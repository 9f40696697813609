"""Tone curves: smooth, never falling, through their points, the same everywhere; jobs carry them to the film."""

from io import BytesIO
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image

from encoders.face import FaceError, FaceJob, lay_out
from encoders.face_proof import draw
from encoders.fonts.coverage import bundled_coverage
from encoders.text_record import EXAMPLE_A
from encoders.tone import IDENTITY, LEVELS, POINTS_MAX, ToneError, one_after_another, tone_table, toned

LIGHTER = [(64, 84), (128, 152), (192, 208)]


@st.composite
def curves(draw_one):
    count = draw_one(st.integers(1, POINTS_MAX))
    levels = draw_one(st.lists(st.integers(0, 255), min_size=count, max_size=count, unique=True))
    printed = draw_one(st.lists(st.integers(0, 255), min_size=count, max_size=count))
    return list(zip(sorted(levels), sorted(printed), strict=True))


@settings(deadline=None, max_examples=40)
@given(curves())
def test_any_curve_has_256_levels_never_falls_and_goes_through_its_points(points):
    table = tone_table(points)
    assert len(table) == LEVELS
    assert list(table) == sorted(table)
    assert [table[level] for level, _ in points] == [printed for _, printed in points]


@settings(deadline=None, max_examples=40)
@given(curves())
def test_between_two_points_a_curve_stays_between_their_heights(points):
    table = tone_table(points)
    for (low, bottom), (high, top) in pairwise(points):
        assert all(bottom <= table[level] <= top for level in range(low, high + 1))


@pytest.mark.parametrize("points", [[(128, 128)], [(0, 0)], [(255, 255)], [(0, 0), (100, 100), (255, 255)]])
def test_points_on_the_diagonal_change_nothing(points):
    assert tone_table(points) == IDENTITY


def test_black_and_white_stay_unless_a_point_says_otherwise():
    assert (tone_table(LIGHTER)[0], tone_table(LIGHTER)[255]) == (0, 255)
    greyed = tone_table([(0, 12), (255, 240)])
    assert (greyed[0], greyed[255]) == (12, 240)


def test_a_curve_bends_smoothly_at_its_points():
    steps = np.diff(np.frombuffer(tone_table(LIGHTER), np.uint8).astype(int))
    assert np.abs(np.diff(np.convolve(steps, np.ones(16) / 16, "valid"))).max() < 0.13  # no kink


def test_a_known_curve_is_the_same_on_every_machine():
    assert list(tone_table(LIGHTER)[::16]) == [0, 21, 43, 64, 84, 102, 120, 136, 152, 167, 181, 195, 208, 220, 232, 244]


@pytest.mark.parametrize(
    ("points", "place"),
    [
        ([], 0),
        ([(level, level) for level in range(POINTS_MAX + 1)], POINTS_MAX),
        ([(10, 20), (10, 30)], 1),
        ([(10, 20), (9, 30)], 1),
        ([(10, 20), (20, 19)], 1),
        ([(10, 20), (20, 30), (256, 255)], 2),
        ([(-1, 20)], 0),
        ([(10, 256)], 0),
    ],
)
def test_points_that_make_no_curve_are_refused_by_their_place(points, place):
    with pytest.raises(ToneError) as error:
        tone_table(points)
    assert (error.value.code, error.value.place) == ("tone.points", place)
    assert str(error.value).startswith(f"tone.points: point {place + 1}: ")


@settings(deadline=None, max_examples=40)
@given(curves(), curves())
def test_two_curves_one_after_another_are_one_that_never_falls(first, second):
    both = one_after_another(tone_table(first), tone_table(second))
    assert list(both) == sorted(both)
    assert all(both[level] == tone_table(second)[tone_table(first)[level]] for level in (0, 77, 255))


def test_pixels_go_through_the_table_and_greys_stay_grey():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
    table = tone_table(LIGHTER)
    expected = [table[level] for level in pixels.ravel()]
    assert toned(pixels, table).ravel().tolist() == expected
    grey = toned(np.full((4, 4, 3), 100, np.uint8), table)
    assert len(np.unique(grey)) == 1


# ---- on the film ------------------------------------------------------------------------------------------------


def grey_photo(level):
    file = BytesIO()
    Image.fromarray(np.full((441, 358, 3), level, np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def job_with(tone):
    job = lay_out(EXAMPLE_A, bundled_coverage(), control_mark="S1", portrait=grey_photo(128))
    return replace(job, tone=tone)


def test_a_job_s_portrait_is_drawn_through_its_tone_table_and_its_texts_are_not():
    plain, light = (np.asarray(draw(job_with(tone))).astype(int) for tone in (b"", tone_table(LIGHTER)))
    changed = np.argwhere((plain != light).any(axis=2))
    assert len(changed) > 187 * 230 // 3
    (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
    assert bottom - top < 230
    assert right - left < 187
    unstamped = light[top : bottom + 1, left : right + 1].reshape(-1, 3)
    levels, counts = np.unique(unstamped[:, 1], return_counts=True)
    assert levels[counts.argmax()] == 152


def test_a_table_that_changes_nothing_draws_what_no_table_draws():
    assert draw(job_with(IDENTITY)).tobytes() == draw(job_with(b"")).tobytes()


@pytest.mark.parametrize("tone", [bytes(255), IDENTITY[::-1], bytes(range(255)) + b"\0", b"\0"])
def test_a_job_with_something_else_for_a_table_is_refused_here_and_from_the_wire(tone):
    job = job_with(b"")
    with pytest.raises(FaceError) as error:
        replace(job, tone=tone)
    assert (error.value.code, error.value.field) == ("face.tone", "tone")
    packed = msgspec.msgpack.encode(msgspec.to_builtins(job, builtin_types=(bytes,)) | {"tone": tone})
    with pytest.raises(FaceError, match=r"face\.tone"):
        msgspec.msgpack.decode(packed, type=FaceJob)


def test_a_job_packed_before_there_were_tone_tables_opens_without_one():
    old = dict(msgspec.to_builtins(job_with(IDENTITY), builtin_types=(bytes,)))
    del old["tone"]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=FaceJob).tone == b""
