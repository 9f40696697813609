"""The portrait's file: each hard rule, each soft one, and files broken in every way a cut or a stray byte can."""

from __future__ import annotations

import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.checks.codes import Severity
from controller.checks.finding import verdict
from controller.checks.jpeg import MAX_SEGMENTS, quality_of, read_frame
from controller.checks.portrait import check_portrait
from tests.controller.checks.pictures import (
    in_mode,
    marker,
    noisy,
    patched,
    resized,
    short_scan,
    with_comment,
    without_segment,
)
from tests.controller.checks.samples import codes, context, good, jpeg, portrait


def found(picture):
    return [finding.code for finding in check_portrait(good(portrait=picture), context())]


def test_the_good_portrait_is_read_as_it_was_written():
    frame = read_frame(portrait())
    assert (frame.width_px, frame.height_px, frame.depth_bits, len(frame.components)) == (358, 441, 8, 3)
    assert (frame.density, frame.quality, frame.trailing_bytes) == ((1, 350, 350), 70, 0)
    assert found(portrait()) == []


@pytest.mark.parametrize("quality", range(1, 101))
def test_the_quality_factor_is_read_from_the_table(quality):
    assert read_frame(jpeg(quality=quality)).quality == quality


def test_a_table_of_nobodys_scale_has_the_nearest_quality():
    assert quality_of(0) == 100
    assert quality_of(10**6) == 1


@pytest.mark.parametrize(
    ("quality", "expected"), [(59, ["portrait.quality"]), (60, []), (95, []), (96, ["portrait.quality"])]
)
def test_quality_is_noted_outside_60_to_95(quality, expected):
    assert [code for code in found(jpeg(quality=quality)) if code == "portrait.quality"] == expected


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"restart_marker_blocks": 7}, {"restart_marker_rows": 1}])
def test_every_baseline_layout_passes(subsampling, options):
    assert found(jpeg(subsampling=subsampling, **options)) == []


@pytest.mark.parametrize(("mode", "count"), [("L", 1), ("CMYK", 4)])
def test_grey_and_cmyk_are_refused(mode, count):
    picture = in_mode(mode)
    assert len(read_frame(picture).components) == count
    assert verdict(check_portrait(good(portrait=picture), context())) is Severity.REFUSE
    assert "portrait.components" in found(picture)


@pytest.mark.parametrize("size", [(357, 441), (358, 440), (441, 358), (716, 882)])
def test_any_other_size_is_refused(size):
    assert "portrait.dimensions" in found(resized(*size))


def test_a_picture_that_claims_to_be_huge_is_refused_by_its_header():
    bomb = patched(marker(0xC0) + 5, (65_500).to_bytes(2, "big") * 2)
    assert "portrait.dimensions" in found(bomb)
    assert "portrait.truncated" in found(bomb)  # its scan could not hold so many blocks


@pytest.mark.parametrize("process", [0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_every_other_process_is_refused(process):
    assert found(patched(marker(0xC0) + 1, bytes([process]))) == ["portrait.not_baseline"]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (40_000, []),
        (40_001, ["portrait.large_file"]),
        (100_000, ["portrait.large_file"]),
        (100_001, ["portrait.too_large"]),
        (3_000_000, ["portrait.too_large"]),
    ],
)
def test_the_file_size_counts_in_thousands_of_bytes(extra, expected):
    filling = extra - len(portrait())
    segments = -(-filling // 60_004)  # each comment costs four bytes beside its filling
    picture = with_comment(filling - 4 * segments)
    assert len(picture) == extra
    assert found(picture) == expected


@pytest.mark.parametrize(("size_bytes", "expected"), [(9_999, ["portrait.small_file"]), (10_000, [])])
def test_a_file_under_ten_thousand_bytes_is_noted(size_bytes, expected):
    picture = short_scan(5_000)
    assert found(with_comment(size_bytes - len(picture) - 4, picture)) == expected


def test_a_noisy_picture_that_is_too_large_is_refused():
    assert "portrait.too_large" in found(jpeg(noisy(80), quality=95))


@pytest.mark.parametrize(
    ("at", "value", "is_noted"),
    [
        (11, b"\x00", True),  # an aspect ratio only
        (12, b"\x01\x2c", True),
        (11, b"\x02\x00\x8a\x00\x8a", False),  # 138 dots per centimetre
    ],
)
def test_the_density_is_350_dots_per_inch_in_either_unit(at, value, is_noted):
    assert found(patched(marker(0xE0) + at, value)) == (["portrait.density"] if is_noted else [])


def test_a_file_without_a_jfif_tag_has_no_density():
    assert found(without_segment(0xE0)) == ["portrait.density"]


@pytest.mark.parametrize("size_bytes", [0, 500, 1_200])
def test_a_scan_too_short_for_its_blocks_is_cut_even_with_an_end_marker(size_bytes):
    assert found(short_scan(size_bytes))[-1] == "portrait.truncated"


def test_a_missing_restart_shows_a_cut_and_a_wrong_one_damage():
    picture = jpeg(restart_marker_blocks=7)
    third, last = picture.index(b"\xff\xd2"), picture.rindex(b"\xff\xd3")
    assert found(picture[: picture.index(b"\xff\xd0", len(picture) // 2)] + b"\xff\xd9") == ["portrait.truncated"]
    assert found(patched(third, b"\xff\xd5", picture)) == ["portrait.damaged"]
    assert found(patched(last, b"\xff\xd0", picture)) == ["portrait.damaged"]


@pytest.mark.parametrize("code", [0xDB, 0xC4, 0xC0, 0xDA])
def test_a_missing_segment_is_damage(code):
    assert "portrait.damaged" in found(without_segment(code))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (marker(0xDB) + 4, b"\x05"),  # a fifth quantisation table
        (marker(0xDB) + 2, b"\x00\x01"),  # a length under two
        (marker(0xC0) + 9, b"\x04"),  # more components than are described
        (marker(0xC0) + 11, b"\x00"),  # no sampling factor
        (marker(0xC0) + 11, b"\x55"),
        (marker(0xC0) + 13, b"\x01"),  # the same component twice
        (marker(0xC4) + 5, b"\xff" * 16),  # code lengths that cannot be
        (marker(0xC4) + 5, b"\x00" * 16),
        (marker(0xDA) + 4, b"\x05"),
        (marker(0xDA) + 5, b"\x09"),  # a component the frame does not have
        (marker(0xDA) + 6, b"\x33"),  # Huffman tables that were not defined
    ],
)
def test_nonsense_in_a_segment_is_damage_or_a_cut(at, value):
    assert {"portrait.damaged", "portrait.truncated"} & set(found(patched(at, value)))


def test_a_second_frame_or_start_is_damage():
    whole, at = portrait(), marker(0xC0)
    frame = whole[at : at + 19]
    assert found(whole[:at] + frame + whole[at:]) == ["portrait.damaged"]
    assert found(whole[:2] + whole) == ["portrait.damaged"]


def test_a_component_that_no_scan_carries_is_a_cut():
    whole, at = portrait(), marker(0xDA)
    one = b"\xff\xda\x00\x08\x01" + whole[at + 5 : at + 7] + b"\x00\x3f\x00"
    assert found(whole[:at] + one + whole[at + 14 :]) == ["portrait.truncated"]


def test_endless_small_segments_are_damage():
    empty = b"\xff\xfe\x00\x02"
    assert found(portrait()[:2] + empty * (MAX_SEGMENTS - 20) + portrait()[2:]) == []
    assert found(portrait()[:2] + empty * MAX_SEGMENTS + portrait()[2:]) == ["portrait.damaged"]


def test_fill_bytes_before_a_marker_are_allowed():
    at = marker(0xDB)
    assert found(portrait()[:at] + b"\xff\xff" + portrait()[at:]) == []


@given(st.integers(2, len(portrait()) - 1))
def test_a_file_cut_anywhere_is_refused_as_cut(size_bytes):
    assert "portrait.truncated" in found(portrait()[:size_bytes])


@given(st.binary(max_size=300))
def test_bytes_that_are_no_picture_are_refused(data):
    assert verdict(check_portrait(good(portrait=data or b"\0"), context())) is Severity.REFUSE


@settings(max_examples=300)
@given(st.integers(2, 1_000), st.binary(min_size=1, max_size=4))
def test_what_the_header_lets_through_the_decoder_can_read(at, value):
    picture = patched(at, value)
    if verdict(check_portrait(good(portrait=picture), context())) < Severity.REFUSE:
        try:
            grey = simplejpeg.decode_jpeg(picture, "GRAY")
        except ValueError:
            return  # damage inside the coded blocks or tables shows at the decode only
        assert grey.shape == (441, 358, 1)


def test_a_wrong_portrait_does_not_hide_other_faults():
    assert codes(good(portrait=b"", sex="2")) == ["number.sex", "portrait.missing"]
