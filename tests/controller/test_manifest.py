"""The manifest's file: the same bytes each time, digits that no spreadsheet rounds, boxes by police station."""

from __future__ import annotations

import csv
import io
import subprocess
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.packing.manifest import (
    CARDS,
    HEAD,
    UNITS,
    Manifest,
    ManifestCard,
    ManifestError,
    boxes_of,
    digest_of,
    manifest_csv,
    read_manifest,
)

UNIT, OTHER = "520102001", "520102003"
NUMBER = "5201020012025122000017"  # 22 digits: as a number a spreadsheet would make 5.2e21 of it
BLANK = 9_007_199_254_740_991
BATCH, CHAIN = "5200000000002025122000001", "e7" * 32
CARD = ManifestCard(1, 3, UNIT, NUMBER, 0, BLANK)
SPREADSHEET_DIGITS = 15  # what a double keeps for sure

digits = st.text("0123456789", min_size=1, max_size=25)
units = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1, max_size=12)
small = st.integers(0, 10**9)
card_lists = st.lists(st.builds(ManifestCard, small, small, units, digits, small, st.integers(0, 2**53)), max_size=12)
manifests = st.builds(
    Manifest,
    small,
    digits,
    st.just("2026-03-02 11:32:10"),
    st.booleans(),
    small,
    st.text("0123456789abcdef", min_size=64, max_size=64),
    card_lists.map(tuple),
)


def a_manifest() -> Manifest:
    cards = (CARD, replace(CARD, acceptance_number="0" * 21 + "9"), replace(CARD, unit=OTHER, bundle_id=4, case_no=1))
    return Manifest(12, BATCH, "2026-03-02 11:32:10", True, 4_711, CHAIN, cards)


def cells(file: bytes) -> list[list[str]]:
    """Give the cells as a program reads them that knows nothing but CSV."""
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def as_a_spreadsheet_shows(cell: str) -> str:
    """Give a cell as a spreadsheet does: a formula that is a text literal is its text; digits become a double."""
    if cell.startswith('="'):
        return cell[2:-1].replace('""', '"')
    if cell.isascii() and cell.isdigit():
        return f"{float(cell):.{SPREADSHEET_DIGITS}g}"
    return cell


def column(file: bytes, name: str) -> list[str]:
    lines = cells(file)
    start = lines.index(list(CARDS))
    return [as_a_spreadsheet_shows(line[list(CARDS).index(name)]) for line in lines[start + 1 :]]


@given(manifests)
def test_what_is_written_is_read_again_and_written_again_to_the_byte(manifest):
    file = manifest_csv(manifest)
    assert read_manifest(file) == manifest
    assert manifest_csv(read_manifest(file)) == file


@given(manifests, st.data())
def test_a_file_in_which_a_byte_differs_has_another_digest_and_is_never_read_as_what_it_was(manifest, data):
    file = manifest_csv(manifest)
    place = data.draw(st.integers(0, len(file) - 1))
    other = bytearray(file)
    other[place] ^= data.draw(st.integers(1, 255))
    assert digest_of(bytes(other)) != digest_of(file)
    with suppress(ManifestError):
        assert read_manifest(bytes(other)) != manifest


def test_a_spreadsheet_keeps_every_digit_of_22_digit_numbers_and_serials():
    file = manifest_csv(a_manifest())
    assert column(file, "acceptance_number") == [NUMBER, "0" * 21 + "9", NUMBER]
    assert column(file, "blank") == [str(BLANK)] * 3
    assert column(file, "unit") == [UNIT, UNIT, OTHER]
    shown = [[as_a_spreadsheet_shows(cell) for cell in line] for line in cells(file)]
    assert ["batch", BATCH, HEAD["batch"]] in shown
    assert ["chain", CHAIN, HEAD["chain"]] in shown


@given(manifests)
def test_no_cell_is_a_number_of_more_digits_than_a_spreadsheet_keeps(manifest):
    file = manifest_csv(manifest)
    numbers = [cell for line in cells(file) for cell in line if cell.isascii() and cell.isdigit()]
    assert max(map(len, numbers)) <= SPREADSHEET_DIGITS
    assert column(file, "acceptance_number") == [card.acceptance_number for card in manifest.cards]
    assert column(file, "blank") == [str(card.blank) for card in manifest.cards]


def test_a_formula_in_a_text_stays_a_text():
    unit = '"&HYPERLINK("x")&"'
    file = manifest_csv(replace(a_manifest(), cards=(replace(CARD, unit=unit),)))
    [raw] = [line[3] for line in cells(file) if line[:1] == ["12"]]
    assert raw == '="' + unit.replace('"', '""') + '"'
    assert column(file, "unit") == [unit]


def test_the_parts_have_fixed_lines_columns_and_line_ends():
    file = manifest_csv(a_manifest())
    assert file.startswith(b"\xef\xbb\xbfmanifest,1,")
    assert file.count(b"\n") == file.count(b"\r\n")
    assert file.endswith(b"\r\n")
    lines = cells(file)
    assert [line[0] for line in lines[: len(HEAD)]] == list(HEAD)
    assert [line[1] for line in lines[5:8]] == ["1", "2", "3"]  # boxes, bundles, cards
    assert lines[len(HEAD)] == []
    assert lines[len(HEAD) + 2 : len(HEAD) + 5] == [
        list(UNITS),
        [f'="{UNIT}"', '="1"', "1", "2"],
        [f'="{OTHER}"', '="1"', "1", "1"],
    ]
    assert lines[-4] == ["consignment", "box", "bundle", "unit", "acceptance_number", "case", "blank"]
    assert lines[-1] == ["12", "1", "4", f'="{OTHER}"', f'="{NUMBER}"', "1", f'="{BLANK}"']


def test_the_digest_is_what_sha256sum_says(tmp_path):
    file = manifest_csv(a_manifest())
    path = tmp_path / "manifest.csv"
    path.write_bytes(file)
    said = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split()[0] == digest_of(file)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: b"",
        lambda file: b"\xff\xfe",
        lambda file: file[3:],
        lambda file: file.replace(b"manifest,1,", b"manifest,2,"),
        lambda file: file.replace(b"\r\n", b"\n"),
        lambda file: file + b"12,1,3\r\n",
        lambda file: file.replace(b'"=""' + NUMBER.encode() + b'"""', NUMBER.encode(), 1),
        lambda file: file.replace(b"\r\ncards,3,", b"\r\ncards,2,"),
    ],
)
def test_what_is_no_manifest_is_not_read_as_one(spoil):
    with pytest.raises(ManifestError, match=r"manifest\.unreadable: line \d+"):
        read_manifest(spoil(manifest_csv(a_manifest())))


# ---- boxes -----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(units, st.integers(1, 500)), unique_by=lambda one: one[1]), st.integers(1, 12))
def test_boxes_are_filled_one_by_one_in_order_of_police_station(bundles, box_max):
    boxes = boxes_of(bundles, box_max)
    assert boxes.keys() == {bundle for _, bundle in bundles}
    assert [boxes[bundle] for _, bundle in sorted(bundles)] == sorted(boxes.values())
    fill = [list(boxes.values()).count(box) for box in sorted(set(boxes.values()))]
    assert all(one == box_max for one in fill[:-1])
    assert all(0 < one <= box_max for one in fill)
    assert sorted(set(boxes.values())) == list(range(1, len(fill) + 1))


@given(st.permutations([(UNIT, 3), (OTHER, 1), (UNIT, 2), (OTHER, 9)]))
def test_the_order_in_which_bundles_were_made_does_not_matter(bundles):
    assert boxes_of(bundles, 3) == {2: 1, 3: 1, 1: 1, 9: 2}
