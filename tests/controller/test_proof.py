"""`cardmill proof`: one sheet of photos before and after each step, with figures, and no name of a file in either."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from controller import cli
from controller.commandline.proof import PHOTOS_MAX
from controller.config import ConfigError
from controller.tones import ToneTableError
from encoders import preparation, preparation_sheet
from encoders.background import flattened
from encoders.photo import prepare
from encoders.portrait import decode, encode
from encoders.preparation import prepare_and_keep
from encoders.tone import tone_table

ROOT = Path(__file__).resolve().parents[2]
OWN_PICTURES = sorted((ROOT / "sims/portraits").glob("*.jpg"))
CURVE = [(64, 84), (192, 208)]


def run(*words):
    done = CliRunner().invoke(cli.app, ["proof", *map(str, words)])
    if isinstance(done.exception, Exception):
        raise done.exception
    return done


def lit_from_one_side(path):
    """A portrait whose wall is darker on the right, as a photo is sent."""
    with Image.open(path) as picture:
        light = np.asarray(picture.convert("RGB")).astype(float)
    light -= 16 * np.arange(light.shape[1])[None, :, None] / light.shape[1]
    file = io.BytesIO()
    Image.fromarray(np.clip(light, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=70)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two photos and something else, under names that must not get out."""
    made = tmp_path_factory.mktemp("photos")
    for number, path in enumerate(OWN_PICTURES[:2]):
        (made / f"zhangsan-{number}.JPG").write_bytes(lit_from_one_side(path))
    (made / "zhangsan.txt").write_text("no photo", "utf-8")
    return made


@pytest.fixture
def tones(tmp_path):
    path = tmp_path / "tones.csv"
    points = "".join(f"film,A7,{level},{printed}\n" for level, printed in CURVE)
    path.write_text(f"kind,lot,level,printed\n{points}", "utf-8")
    return path


def figures_of(*words):
    return json.loads(run(*words, "--json", "-").stdout)


def test_a_folder_of_photos_becomes_one_sheet_with_its_figures(folder, tones, tmp_path):
    out = tmp_path / "sheet.png"
    answer = figures_of(folder, "--out", out, "--film", "A7", "--tones", tones)
    assert [one["photo"] for one in answer["photos"]] == [1, 2]
    assert (answer["refused"], answer["left_out"], answer["lots_without_curve"]) == ([], 0, [])
    assert (answer["lots"], answer["tone"], answer["flatten_background"]) == ({"film": "A7"}, True, False)
    with Image.open(out) as sheet:
        assert (sheet.format, sheet.mode, sheet.info.get("comment")) == ("PNG", "RGB", None)
        assert sheet.width > 6 * 204
        assert 2 * 252 < sheet.height < 4 * 252


@pytest.mark.parametrize("flatten", [False, True])
def test_the_figures_are_those_of_what_goes_to_chip_and_film(folder, tmp_path, flatten):
    answer = figures_of(folder, "--out", tmp_path / "sheet.png", "--flatten" if flatten else "--no-flatten")
    for one, path in zip(answer["photos"], sorted(folder.glob("*.JPG")), strict=True):
        jpeg = path.read_bytes()
        prepared = prepare(jpeg)
        flat = flattened(prepared)
        encoded = flat if flatten else prepared
        stream = encode(encoded)
        error = np.mean((decode(stream).astype(float) - encoded) ** 2)
        assert (one["source_bytes"], one["stream_bytes"]) == (len(jpeg), len(stream))
        assert one["psnr_rgb_db"] == pytest.approx(10 * np.log10(255**2 / error), abs=0.01)
        assert one["flattened_px"] == (flat != prepared).any(axis=2).sum() > 100
        assert one["wall_deviation_flattened"] < one["wall_deviation"]
        assert one["toned_mean_level"] == one["printed_mean_level"]
    assert answer["mean"]["stream_bytes"] == pytest.approx(
        np.mean([one["stream_bytes"] for one in answer["photos"]]), abs=0.01
    )


def test_a_lot_that_darkens_is_printed_lighter(folder, tones, tmp_path):
    answer = figures_of(folder, "--out", tmp_path / "sheet.png", "--film", "A7", "--tones", tones)
    assert all(one["toned_mean_level"] > one["printed_mean_level"] + 2 for one in answer["photos"])


def test_settings_say_where_the_curves_are_and_whether_to_flatten(folder, tones, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[portraits]\nflatten_background = true\ntones = "{tones.as_posix()}"\n', "utf-8")
    answer = figures_of(folder, "--config", config, "--film", "A7", "--out", tmp_path / "sheet.png")
    assert (answer["tone"], answer["flatten_background"]) == (True, True)
    assert not figures_of(folder, "--config", config, "--no-flatten", "--out", tmp_path / "s.png")["flatten_background"]


@pytest.mark.parametrize("words", [("--film", "A9"), ("--film", "A9", "--tones")])
def test_a_lot_without_a_curve_is_said_and_printed_as_it_is(folder, tones, tmp_path, words):
    words = (*words, tones) if words[-1] == "--tones" else words
    done = run(folder, "--out", tmp_path / "sheet.png", *words)
    assert "no tone curve: film A9; printed as it is" in done.stdout
    answer = figures_of(folder, "--out", tmp_path / "sheet.png", *words)
    assert (answer["lots_without_curve"], answer["tone"]) == (["film A9"], False)


def test_what_is_no_photo_is_told_by_number_and_code_and_the_others_are_drawn(folder, tmp_path):
    [photo, _] = sorted(folder.glob("*.JPG"))
    out = tmp_path / "sheet.png"
    done = run(folder / "zhangsan.txt", photo, "--out", out)
    assert done.exit_code == 1
    assert "photo 1: portrait.not_jpeg: not drawn" in done.stdout
    assert out.exists()
    answer = figures_of(folder / "zhangsan.txt", photo, "--out", out)
    assert answer["refused"] == [{"photo": 1, "code": "portrait.not_jpeg"}]
    assert [one["photo"] for one in answer["photos"]] == [2]


def test_without_a_single_photo_no_sheet_is_written(folder, tmp_path):
    out = tmp_path / "sheet.png"
    done = run(folder / "zhangsan.txt", "--out", out)
    assert (done.exit_code, out.exists(), "written" in done.stdout) == (1, False, False)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="nothing to draw"):
        run(tmp_path / "empty")


def test_no_name_of_a_file_gets_into_figures_screen_or_sheet(folder, tmp_path):
    out = tmp_path / "sheet.png"
    shown = run(folder, folder / "zhangsan.txt", "--out", out).stdout
    told = run(folder, folder / "zhangsan.txt", "--out", out, "--json", "-").stdout
    assert "zhangsan" not in shown + told
    assert b"zhangsan" not in out.read_bytes()


def test_a_sheet_takes_so_many_photos_and_says_how_many_it_left_out(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("controller.commandline.proof.PHOTOS_MAX", 1)
    assert PHOTOS_MAX == 24
    done = run(folder, "--out", tmp_path / "sheet.png")
    assert "left out: 1; a sheet takes 1" in done.stdout
    assert len(figures_of(folder, "--out", tmp_path / "sheet.png")["photos"]) == 1


def test_a_sheet_is_never_written_over_one_of_its_photos(folder):
    [photo, _] = sorted(folder.glob("*.JPG"))
    before = photo.read_bytes()
    with pytest.raises(ConfigError, match="one of the photos"):
        run(folder, "--out", photo)
    assert photo.read_bytes() == before


def test_a_table_of_curves_that_cannot_be_read_is_named(folder, tmp_path):
    with pytest.raises(ToneTableError, match=r"none\.csv"):
        run(folder, "--tones", tmp_path / "none.csv", "--out", tmp_path / "sheet.png")


def test_a_huge_file_is_refused_without_being_read_to_its_end(tmp_path):
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        os.truncate(file.fileno(), 1 << 32)  # a hole: no disk is needed for it
    done = run(huge, "--out", tmp_path / "sheet.png")
    assert "photo 1: portrait.too_large" in done.stdout


# ---- the pictures -------------------------------------------------------------------------------------------------


def stamped_share(picture):
    """Share of pixels that are clearly red, as SPECIMEN is."""
    red, green, blue = np.moveaxis(np.asarray(picture).astype(int), 2, 0)
    return np.mean((red - green > 60) & (red - blue > 60))


def test_printed_faces_bear_specimen_and_the_other_pictures_do_not():
    grey = io.BytesIO()
    Image.fromarray(np.full((441, 358, 3), 150, np.uint8)).save(grey, "JPEG", quality=90)
    one = prepare_and_keep(grey.getvalue(), flatten=False, tone=tone_table(CURVE))
    assert min(stamped_share(one.printed), stamped_share(one.printed_toned)) > 0.08
    assert [stamped_share(one.source), *map(stamped_share, (one.prepared, one.flat, one.decoded))] == [0, 0, 0, 0]
    assert np.asarray(one.printed_toned).mean() > np.asarray(one.printed).mean() + 4


def test_a_preparation_shows_no_picture_of_a_person_in_its_words(folder):
    jpeg = next(folder.glob("*.JPG")).read_bytes()
    said = repr(prepare_and_keep(jpeg, flatten=False, tone=b""))
    assert said.startswith("Preparation(Figures(source_bytes=")
    assert "array" not in said
    assert "Image" not in said


def test_each_picture_stands_in_its_column_with_figures_below(folder):
    jpeg = next(folder.glob("*.JPG")).read_bytes()
    one = prepare_and_keep(jpeg, flatten=False, tone=b"")
    sheet = preparation_sheet.draw_sheet([(7, one)], "注", "note")
    top = preparation_sheet.MARGIN_PX + preparation_sheet.TITLE_PX + preparation_sheet.HEADING_PX
    width, height = preparation_sheet.CELL_PX
    for place, picture in enumerate((one.source, one.prepared, one.flat, one.decoded, one.printed, one.printed_toned)):
        left = preparation_sheet._left(place)
        shown = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        expected = np.asarray(shown.resize((width, height), Image.Resampling.BICUBIC))
        assert np.array_equal(np.asarray(sheet)[top : top + height, left : left + width], expected)
        below = np.asarray(sheet)[top + height : top + height + 24, left : left + width]
        assert (below.min(axis=2) < 100).sum() > 40  # ink


def test_equal_pictures_have_no_difference_in_db():
    pixels = np.zeros((126, 102, 3), np.uint8)
    assert preparation.psnr_db(pixels, pixels) is None
    assert preparation.psnr_db(pixels, pixels + 1) == pytest.approx(48.13)
