"""Figures of the portrait benchmark by group of people, its demands, its sheet and its face distance."""

import numpy as np
import pytest
from PIL import Image

from bench import portrait as bench_portrait
from bench import portrait_faces
from bench.portrait_groups import group_report, labels_of, sex_in, skin_of
from bench.portrait_pictures import DEV_PICTURES, OWN_PICTURES
from bench.portrait_sheet import HIGH_PX, MARGIN_PX, WIDE_PX, picked, write_sheet
from bench.portrait_tables import demands, summed_up
from encoders import portrait

GOLDEN = portrait.golden_pixels()


def row(luma_db: float, size_bytes: int = 1000, face: float = 0.2) -> dict[str, float]:
    """Figures of one picture, all quality as its luma."""
    keys = ("psnr_y", "psnr_c", "psnr_rgb", "ssim", "ms_ssim")
    own = dict.fromkeys(keys, luma_db) | {f"at_1024.{key}": luma_db + 0.5 for key in keys}
    return own | {"face_l2": face, "bytes": float(size_bytes), "encode_ms": 4.0, "decode_ms": 1.0}


# ---- groups ---------------------------------------------------------------------------------------------------


def test_labels_come_from_the_list_beside_the_pictures_and_from_one_that_is_given(tmp_path):
    heading = "file,set,source_file,licence,age\n"
    rows = "a_1.jpg,a,x/003f.jpg,CC0,old\na_2.jpg,a,male/512/7.jpg,CC0,\n"
    (tmp_path / "manifest.csv").write_text(heading + rows, "utf-8")
    (tmp_path / "more.csv").write_text("file,region\na_2.jpg,north\nz.jpg,south\n", "utf-8")
    assert labels_of(tmp_path, ["a_1.jpg", "a_2.jpg", "b_3.jpg"], tmp_path / "more.csv") == {
        "a_1.jpg": {"age": "old", "set": "a", "sex": "female"},
        "a_2.jpg": {"region": "north", "set": "a", "sex": "male"},
        "b_3.jpg": {"set": "b"},
    }


def test_codes_of_sex_are_words_and_the_name_of_a_source_may_tell_it():
    names = ["faker_0000.jpg", "faker_0001.jpg"]
    assert {labels["sex"] for labels in labels_of(OWN_PICTURES, names).values()} <= {"female", "male"}
    assert [sex_in(name) for name in ("female/512/1.jpg", "male/2.jpg", "images/A003.jpg", "inst/c/095m.jpg")] == [
        "female",
        "male",
        "",
        "male",
    ]


@pytest.mark.parametrize(
    ("colour", "skin"),
    [((235, 205, 190), "light"), ((195, 150, 120), "intermediate"), ((180, 135, 105), "tan"), ((80, 55, 45), "dark")],
)
def test_skin_is_read_from_the_cheeks(colour, skin):
    pixels = np.full((126, 102, 3), 255, np.uint8)
    pixels[50:100, 25:80] = colour
    assert skin_of(pixels) == skin


def test_the_worst_group_is_the_one_furthest_below_the_mean_and_never_a_tiny_one():
    gains = {f"{number}.jpg": 1.0 for number in range(12)} | {f"{number}.jpg": 0.4 for number in range(5)}
    gains["11.jpg"] = -3.0
    labels = {name: {"half": "low" if gains[name] == 0.4 else "high", "name": name} for name in gains}
    labels["11.jpg"]["half"] = "alone"
    report = group_report(labels, gains, dict.fromkeys(gains, 38.0))
    mean_db = (5 * 0.4 + 6 - 3) / 12
    assert report["mean_gain_db"] == pytest.approx(mean_db)
    assert report["worst"]["group"] == "low"
    assert report["by"]["half"]["low"]["below_mean_db"] == pytest.approx(mean_db - 0.4)
    assert report["by"]["half"]["alone"]["pictures"] == 1
    assert report["by"].keys() == {"half", "name"}
    assert report["held"]


def test_a_group_too_far_below_the_mean_is_not_held():
    gains = {f"{number}.jpg": 0.0 if number < 5 else 1.0 for number in range(50)}
    labels = {name: {"half": "low" if gain == 0 else "high"} for name, gain in gains.items()}
    assert group_report(labels, gains, gains)["held"] is False


# ---- demands --------------------------------------------------------------------------------------------------


def test_the_demands_name_every_measure_that_a_payload_does_better_but_vvc():
    rows = {
        "cardmill": {"a.jpg": row(38.0), "b.jpg": row(40.0)},
        "avif0_payload": {"a.jpg": row(37.0, face=0.1), "b.jpg": row(38.0, face=0.1)},
        "avif0_whole": {"a.jpg": row(35.0), "b.jpg": row(36.0)},
        "jxl": {"b.jpg": row(33.0)},
        "vvc_payload": {"a.jpg": row(39.0), "b.jpg": row(40.0)},
        "vvc_whole": {"a.jpg": row(38.5), "b.jpg": row(39.0)},
    }
    result = summed_up(rows, {"a.jpg": {"set": "one"}, "b.jpg": {"set": "two"}})
    asked = result["demands"]
    assert asked["luma_over_avif0_payload_db"] == pytest.approx(1.5)
    assert (asked["closest_whole_file"], asked["luma_over_closest_whole_file_db"]) == ("avif0_whole", 3.5)
    assert asked["luma_over_vvc_payload_at_1024_db"] == pytest.approx(-1.0)
    assert asked["behind_a_payload"] == "avif0_payload in face_l2"
    assert result["codecs"]["jxl"]["pictures"] == 1
    assert result["codecs"]["jxl"]["ours_minus_y"] == pytest.approx(7.0)  # over the picture that it could hold
    assert result["groups"]["over"] == "avif0_payload"


def test_a_measure_that_only_one_has_is_no_demand():
    assert demands({"cardmill": {"psnr_y": 38.0}, "jxl": {"psnr_y": 37.0, "face_l2": 0.1, "ours_minus_y": 1.0}}) == {
        "closest_whole_file": "jxl",
        "luma_over_closest_whole_file_db": 1.0,
        "behind_a_payload": "none",
    }


# ---- pictures -------------------------------------------------------------------------------------------------


def test_without_the_dev_set_our_own_pictures_are_taken_and_a_sentence_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(bench_portrait, "DEV_PICTURES", tmp_path / "none")
    assert bench_portrait.default_pictures() == OWN_PICTURES
    assert "which the model has seen" in capsys.readouterr().err
    monkeypatch.setattr(bench_portrait, "DEV_PICTURES", tmp_path)
    assert bench_portrait.default_pictures() == tmp_path
    assert DEV_PICTURES.parts[-3:] == ("shared", "portraits", "dev")


def test_a_sheet_has_a_row_for_each_codec_and_white_where_a_picture_is_missing(tmp_path):
    dark = np.zeros((126, 102, 3), np.uint8)
    shown = {"source": {0: dark, 5: dark}, "jxl": {5: dark}}
    write_sheet(shown, {"jxl": "Y 31.00 dB"}, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet[HIGH_PX // 2, MARGIN_PX + WIDE_PX // 2].tolist() == [0, 0, 0]
    assert sheet[HIGH_PX * 3 // 2, MARGIN_PX + WIDE_PX // 2].tolist() == [255, 255, 255]
    assert sheet[HIGH_PX * 3 // 2, MARGIN_PX + WIDE_PX * 3 // 2].tolist() == [0, 0, 0]
    assert (sheet[:, :MARGIN_PX] < 100).any()


def test_a_sheet_shows_eight_at_most_from_first_to_last():
    assert picked(95) == [0, 13, 27, 40, 54, 67, 81, 94]
    assert picked(2) == [0, 1]


def test_a_face_is_enlarged_and_its_descriptors_distance_is_a_figure(monkeypatch):
    class Network:
        def compute_face_descriptor(self, shown, shape, jitter):
            assert shown.shape == (378, 306, 3)
            assert (shape, jitter) == ("five points", 1)
            return [shown.mean() / 255] * 128

    monkeypatch.setattr(portrait_faces, "loaded", lambda: (Network(), lambda shown, face: "five points", "face"))
    source = portrait_faces.descriptor(GOLDEN)
    found = bench_portrait.ours(GOLDEN)
    assert 0 < bench_portrait.row_of(GOLDEN, found, source)["face_l2"] < 0.6
    assert "face_l2" not in bench_portrait.row_of(GOLDEN, found, None)
