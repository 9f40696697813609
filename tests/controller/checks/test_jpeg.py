"""The walk along the markers: layouts that encoders rarely write, and the least a scan can take."""

from __future__ import annotations

import pytest

from controller.checks.jpeg import read_frame
from tests.controller.checks.pictures import marker, patched, short_scan
from tests.controller.checks.samples import jpeg, portrait

CODED = 0x55


def segments(code):
    """Give the bodies of all segments of one marker in the good portrait."""
    bodies, at, whole = [], 0, portrait()
    while (at := whole.find(bytes([0xFF, code]), at)) >= 0 and at < marker(0xDA):
        length = int.from_bytes(whole[at + 2 : at + 4], "big")
        bodies.append(whole[at + 4 : at + 2 + length])
        at += 2 + length
    return bodies


def segment(code, body):
    return bytes([0xFF, code]) + (len(body) + 2).to_bytes(2, "big") + body


def rebuilt(tables, scans):
    """Give a picture from table segments and from pairs of scan header and size of the coded bytes."""
    frame = segment(0xC0, segments(0xC0)[0])
    coded = b"".join(segment(0xDA, header) + bytes([CODED]) * size_bytes for header, size_bytes in scans)
    return b"\xff\xd8" + segment(0xE0, segments(0xE0)[0]) + tables + frame + coded + b"\xff\xd9"


def usual_tables():
    return b"".join(segment(code, body) for code in (0xDB, 0xC4) for body in segments(code))


def alone(component, tables):
    """Give the header of a scan of one component."""
    return bytes([1, component, tables, 0, 63, 0])


TOGETHER = bytes([3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])


def is_whole(picture):
    frame = read_frame(picture)
    return not (frame.is_damaged or frame.is_cut)


def test_tables_may_share_a_segment():
    shared = b"".join(segment(code, b"".join(segments(code))) for code in (0xDB, 0xC4))
    frame = read_frame(rebuilt(shared, [(TOGETHER, 5_000)]))
    assert (frame.is_damaged, frame.is_cut, frame.quality) == (False, False, 70)
    assert len(frame.steps_sums) == 2


def test_tables_of_sixteen_bit_steps_are_read():
    wide = [bytes([0x10 | body[0]]) + b"".join(bytes([0, step]) for step in body[1:]) for body in segments(0xDB)]
    huffman = b"".join(segment(0xC4, body) for body in segments(0xC4))
    assert read_frame(rebuilt(segment(0xDB, b"".join(wide)) + huffman, [(TOGETHER, 5_000)])).quality == 70
    coarse = [bytes([0x10, *([1, 0] * 64)])]
    assert read_frame(rebuilt(segment(0xDB, coarse[0]) + usual_tables(), [(TOGETHER, 5_000)])).quality == 70
    assert read_frame(rebuilt(usual_tables() + segment(0xDB, coarse[0]), [(TOGETHER, 5_000)])).quality == 1


def test_the_first_jfif_tag_counts():
    other = segment(0xE0, b"JFIF\0\x01\x01\x01\x00\x48\x00\x48\x00\x00")
    assert read_frame(rebuilt(other + usual_tables(), [(TOGETHER, 5_000)])).density == (1, 350, 350)


# 4:2:0 of 358 x 441: 23 x 28 units of six blocks; the shortest codes of the usual tables are 2 + 2 bits a block.
@pytest.mark.parametrize(("size_bytes", "expected"), [(1_931, False), (1_932, True)])
def test_an_interleaved_scan_has_at_least_its_shortest_codes(size_bytes, expected):
    assert is_whole(rebuilt(usual_tables(), [(TOGETHER, size_bytes)])) is expected
    assert is_whole(short_scan(size_bytes)) is expected


# Alone, luma has 45 x 56 blocks and each chroma component 23 x 28.
@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((1_260, 322, 322), True), ((1_259, 322, 322), False), ((1_260, 321, 322), False), ((1_260, 322, 321), False)],
)
def test_components_may_come_one_after_another(sizes, expected):
    headers = (alone(1, 0x00), alone(2, 0x11), alone(3, 0x11))
    assert is_whole(rebuilt(usual_tables(), list(zip(headers, sizes, strict=True)))) is expected


def test_a_scan_before_the_frame_or_its_tables_is_damage():
    assert read_frame(rebuilt(b"", [(TOGETHER, 5_000)])).is_damaged
    early = segment(0xDA, TOGETHER) + bytes([CODED]) * 5_000
    assert read_frame(rebuilt(usual_tables() + early, [(TOGETHER, 5_000)])).is_damaged


def test_a_frame_without_a_scan_is_damage():
    assert read_frame(rebuilt(usual_tables(), [])).is_damaged


@pytest.mark.parametrize(
    ("counts", "is_damage"),
    [
        (bytes([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), False),
        (bytes([2] + [0] * 15), False),  # a full tree, which the standard forbids but decoders take
        (bytes([2, 1] + [0] * 14), True),
        (bytes([0] * 7 + [255, 1] + [0] * 7), False),
        (bytes([0] * 15 + [255]), False),
        (bytes([0] * 14 + [200, 57]), True),  # more than 256 codes
    ],
)
def test_code_lengths_must_fit_a_tree(counts, is_damage):
    table = segment(0xC4, b"\x03" + counts + b"\0" * sum(counts))
    assert read_frame(rebuilt(table + usual_tables(), [(TOGETHER, 5_000)])).is_damaged is is_damage


@pytest.mark.parametrize("body", [b"\x00", b"\x00" + b"\x01" * 15, b"\x03" + b"\x01" * 16 + b"\0" * 15])
def test_a_table_shorter_than_it_says_is_damage(body):
    assert read_frame(rebuilt(segment(0xC4, body) + usual_tables(), [(TOGETHER, 5_000)])).is_damaged


def test_a_segment_that_runs_past_the_end_is_a_cut_and_one_that_ends_with_it_too():
    whole = portrait()
    at = marker(0xDB)
    for size in (2, 3, at - 1, at + 1, at + 2, at + 3, at + 4, at + 60):
        assert read_frame(whole[:size]).is_cut


def test_a_broken_header_keeps_what_was_read_before():
    frame = read_frame(patched(marker(0xDA) + 4, b"\x09"))
    assert frame.is_damaged
    assert (frame.width_px, frame.height_px, frame.quality) == (358, 441, 70)


def test_a_restart_interval_of_a_wrong_length_is_damage():
    assert read_frame(rebuilt(segment(0xDD, b"\x01") + usual_tables(), [(TOGETHER, 5_000)])).is_damaged
    assert is_whole(jpeg(restart_marker_blocks=644))
    assert is_whole(jpeg(restart_marker_blocks=643))
