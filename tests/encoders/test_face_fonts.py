"""The bundled fonts and the frozen list of what they can draw."""

from hashlib import sha256
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from encoders.fonts.coverage import (
    HAN_FONT,
    HAN_STARTS,
    LATIN_FONT,
    MAGIC,
    FontCoverage,
    FontError,
    bundled_coverage,
)
from encoders.fonts.freeze import coverage_of

FOLDER = files("encoders.fonts")


def block(first, last):
    return "".join(map(chr, range(first, last + 1)))


def test_the_frozen_list_is_what_the_fonts_have():
    fresh = coverage_of(FOLDER.joinpath(LATIN_FONT).read_bytes(), FOLDER.joinpath(HAN_FONT).read_bytes())
    assert fresh.to_bytes() == FOLDER.joinpath("coverage.bin").read_bytes()
    assert bundled_coverage().characters == fresh.characters


def test_all_of_gb_13000_1_and_what_names_and_addresses_need_besides_can_be_drawn():
    assert bundled_coverage().missing_glyphs(block(0x4E00, 0x9FA5)) == []
    assert bundled_coverage().missing_glyphs("〇·﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩" + block(0x20, 0x7E)) == []


def test_of_extension_a_only_the_ten_late_comers_are_missing():
    assert bundled_coverage().missing_glyphs(block(0x3400, 0x4DBF)) == list(range(0x4DB6, 0x4DC0))


def test_missing_glyphs_are_told_in_the_order_of_the_text_and_as_often():
    text = "样\U00020000例\u9fff\U00020000"
    assert bundled_coverage().missing_glyphs(text) == [0x20000, 0x9FFF, 0x20000]


def test_what_is_no_text_is_never_said_to_be_drawable():
    assert len(bundled_coverage().missing_glyphs("\0\t\n\x7f\u200b\u202a\u202e\u2028\ufeff\ue000\ufffe")) == 11


def test_what_is_said_to_be_drawable_leaves_ink():
    han, latin = (ImageFont.truetype(str(FOLDER.joinpath(name)), 24) for name in (HAN_FONT, LATIN_FONT))
    blank = [
        character
        for character in sorted(bundled_coverage().characters - {" "})[::7]
        if (han if character >= HAN_STARTS else latin).getmask(character).getbbox() is None
    ]
    assert blank == []


@given(st.sets(st.integers(0, 0x10FFFF)))
def test_a_coverage_survives_being_frozen(code_points):
    coverage = FontCoverage(code_points)
    assert FontCoverage.from_bytes(coverage.to_bytes()).characters == coverage.characters


@pytest.mark.parametrize(
    "frozen",
    [
        b"",
        MAGIC[:-1],
        MAGIC + b"\0" * 7,
        MAGIC + (9).to_bytes(4, "little") + (8).to_bytes(4, "little"),
        MAGIC + (0).to_bytes(4, "little") + (0x110000).to_bytes(4, "little"),
        MAGIC + 2 * ((5).to_bytes(4, "little") + (5).to_bytes(4, "little")),
    ],
    ids=["empty", "short", "half a run", "backwards", "beyond Unicode", "twice"],
)
def test_bytes_that_are_no_coverage_are_refused(frozen):
    with pytest.raises(FontError, match=r"font\.coverage"):
        FontCoverage.from_bytes(frozen)


def test_the_fonts_are_the_unmodified_files_the_licence_note_names():
    note = FOLDER.joinpath("README.md").read_text(encoding="utf-8")
    for name, licence in ((HAN_FONT, "LICENSE-Apache-2.0.txt"), (LATIN_FONT, "LICENSE-OFL-1.1.txt")):
        assert f"{sha256(FOLDER.joinpath(name).read_bytes()).hexdigest()}  {name}" in note
        assert licence in note
        assert FOLDER.joinpath(licence).is_file()
