"""`docs/manifest.md` against the file it describes."""

from __future__ import annotations

import re
from pathlib import Path

from controller.core.settings import PlanConfig
from controller.packing.manifest import CARDS, FORMAT, HEAD, UNITS, as_text
from tests.docs.protocol_page import first_table, parts, sections

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "manifest.md").read_text("utf-8")
PARTS = parts(sections(TEXT)["The file"])


def names(title: str) -> list[str]:
    return [name for first, *_ in first_table(PARTS[title]) for name in re.findall(r"`(\w+)`", first)]


def test_the_keys_and_columns_on_the_page_are_those_of_the_file_in_their_order():
    assert names("What left") == list(HEAD)
    assert names("Counts per police station") == list(UNITS)
    assert names("Cards") == list(CARDS)


def test_the_format_and_the_way_of_writing_a_long_number_are_those_of_the_file():
    assert first_table(PARTS["What left"])[0][1].endswith(str(FORMAT))
    assert f"`{as_text('5201020012025122000017')}`" in TEXT


def test_the_settings_the_page_speaks_of_exist():
    for name in re.findall(r"`plan\.(\w+)", TEXT):
        assert hasattr(PlanConfig(), name), name
