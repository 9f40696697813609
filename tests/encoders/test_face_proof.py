"""The proof for people: SPECIMEN on both sides and on the portrait, whatever the job says."""

import inspect
from io import BytesIO

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from encoders import face_proof
from encoders.face import PORTRAIT_BOX, PORTRAIT_HEIGHT_PX, PORTRAIT_WIDTH_PX, FaceError, FaceJob, lay_out
from encoders.face_proof import GAP_PX, PX_PER_MM, draw
from encoders.fonts.coverage import bundled_coverage
from encoders.text_record import EXAMPLE_A


def jpeg(width=PORTRAIT_WIDTH_PX, height=PORTRAIT_HEIGHT_PX, picture_format="JPEG"):
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    written = BytesIO()
    Image.fromarray(pixels).save(written, picture_format, quality=90)
    return written.getvalue()


def job_of(**options):
    return lay_out(EXAMPLE_A, bundled_coverage(), **({"control_mark": "S1-P1", "portrait": jpeg()} | options))


def sides(proof):
    """Front and back as arrays of int."""
    width = (proof.width - GAP_PX) // 2
    pixels = np.asarray(proof).astype(int)
    return pixels[:, :width], pixels[:, width + GAP_PX :]


def portrait_area(back):
    left, top, width, height = (round(mm * PX_PER_MM) for mm in msgspec.structs.astuple(PORTRAIT_BOX))
    return back[top : top + height, left : left + width]


def stamped_share(pixels):
    """Share of pixels that are clearly red: no other ink of a proof is."""
    red, green, blue = (pixels[..., channel] for channel in range(3))
    return np.mean((red - green > 60) & (red - blue > 60))


def test_both_sides_are_about_six_hundred_pixels_wide():
    front, back = sides(draw(job_of()))
    assert front.shape == back.shape
    assert 580 <= front.shape[1] <= 640


def test_specimen_changes_the_portrait():
    area = portrait_area(sides(draw(job_of()))[1])
    with Image.open(BytesIO(jpeg())) as picture:
        bare = np.asarray(picture.resize(area.shape[1::-1], Image.Resampling.LANCZOS)).astype(int)
    changed = np.abs(area - bare).max(axis=-1) > 25
    assert 0.08 < np.mean(changed) < 0.6
    thirds = [np.mean(third) for third in np.array_split(changed, 3)]
    assert min(thirds) > 0.03


@pytest.mark.parametrize(
    "change",
    [{}, {"portrait": b""}, {"mirrored": False}, {"front": (), "back": ()}, {"front": (), "back": (), "portrait": b""}],
    ids=["whole", "no portrait", "not mirrored", "no texts", "empty"],
)
def test_specimen_stands_on_both_sides_and_the_portrait_of_every_job(change):
    front, back = sides(draw(replace(job_of(), **change)))
    if change.get("portrait") == b"":
        assert stamped_share(portrait_area(back)) > 0.08
    assert stamped_share(front) > 0.05
    assert stamped_share(back[:, : back.shape[1] // 2]) > 0.03


def test_a_job_whose_word_was_taken_out_by_force_is_drawn_with_it_all_the_same():
    whole, forged = job_of(), job_of()
    msgspec.structs.force_setattr(forged, "specimen", "")
    assert draw(forged).tobytes() == draw(whole).tobytes()


def test_draw_is_the_only_way_to_a_picture():
    public = [name for name, value in vars(face_proof).items() if inspect.isfunction(value) and name[0] != "_"]
    own = [name for name in public if vars(face_proof)[name].__module__ == face_proof.__name__]
    assert own == ["draw"]
    assert list(inspect.signature(draw).parameters) == ["job"]


def test_drawing_without_the_stamp_would_be_seen_here(monkeypatch):
    monkeypatch.setattr(face_proof, "_stamp", lambda side, box: None)
    front, back = sides(draw(job_of(portrait=b"")))
    assert stamped_share(front) == stamped_share(back) == 0


def test_each_text_leaves_ink_where_the_job_puts_it():
    job = job_of()
    empty = sides(draw(replace(job, front=(), back=())))
    for side, bare, texts in zip(sides(draw(job)), empty, (job.front, job.back), strict=True):
        changed = np.abs(side - bare).max(axis=-1) > 25
        for text in texts:
            left, top, size = (round(mm * PX_PER_MM) for mm in (text.x_mm, text.y_mm, text.size_mm))
            assert changed[top : top + size + 2, left : left + size].any()


def test_the_same_job_gives_the_same_pixels():
    assert draw(job_of()).tobytes() == draw(job_of()).tobytes()


def test_a_job_from_the_wire_draws_like_the_one_sent():
    job = job_of()
    received = msgspec.msgpack.decode(msgspec.msgpack.encode(job), type=FaceJob)
    assert draw(received).tobytes() == draw(job).tobytes()


@pytest.mark.parametrize(
    "portrait",
    [
        b"not a picture",
        jpeg(width=PORTRAIT_WIDTH_PX + 1),
        jpeg(picture_format="PNG"),
        jpeg()[:2000],
        jpeg()[:163] + b"\xff\xff\xff\xff" + jpeg()[167:],
    ],
    ids=["no picture", "one pixel wide", "PNG", "cut off", "bent size"],
)
def test_a_portrait_that_is_no_jpeg_of_the_right_size_is_refused(portrait):
    with pytest.raises(FaceError, match=r"face\.portrait") as caught:
        draw(job_of(portrait=portrait))
    assert caught.value.__context__ is None
