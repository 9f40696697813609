"""`python -m bench scale`: what is asked of centres, figures out of RESULTS.md, and the page that is made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.scale import main
from bench.scale_figures import Figures
from bench.scale_needs import NEEDS, YARDSTICK, scaled
from bench.scale_page import UNKNOWN, page
from sims.floor import DEFAULT_FLOOR

ROOT = Path(__file__).resolve().parents[2]
RESULTS = """# Results

## pipeline

How many?

    python -m bench pipeline --pairs 5

Taken 2026-11-22 18:00 UTC in 99 s; load before the start 0.1.

| figure | median | spread |
| --- | ---: | ---: |
| `cards_per_s.alone` | 1,050.5 | 3.5 |
| `cpu_ms_per_card.service` | 20 |  |
| `watched` | /events/floor |  |

## soak

**Failed: exit code 1.**
"""


def test_the_yardstick_is_what_the_design_says_and_nations_are_sums_of_it():
    assert (YARDSTICK.cards_a_year, YARDSTICK.peak_day, YARDSTICK.stations) == (4_500_000, 37_800, len(DEFAULT_FLOOR))
    assert YARDSTICK.moves_a_year == 9_000_000
    assert YARDSTICK.peak_cards_per_s * 57_600 == pytest.approx(37_800)
    assert scaled("two", 2.0).cards_a_year == 9_000_000
    assert [need.centres for need in NEEDS] == [1, 1, 31, 31]
    assert NEEDS[2].sockets == 31 * YARDSTICK.sockets


def test_a_figure_is_read_with_its_spread_and_command_and_what_is_no_number_is_none():
    figures = Figures(RESULTS)
    found = figures.find("pipeline", "cards_per_s.alone")
    assert (found.value, found.spread, found.taken) == (1_050.5, 3.5, "2026-11-22")
    assert found.command == "python -m bench pipeline --pairs 5"
    assert figures.find("pipeline", "cpu_ms_per_card.service").spread is None
    for bench, path in (("pipeline", "watched"), ("pipeline", "no.such"), ("soak", "cards"), ("none", "x")):
        assert figures.value(bench, path) is None


@pytest.mark.parametrize(("cost_ms", "so"), [(1.4, ""), (2.35, "**not met**, ")])
def test_a_figure_above_the_most_that_is_allowed_is_said_to_be_so(cost_ms, so):
    cost = f"| `cpu_ms_per_card.service_outside_encode` | {cost_ms} |  |"
    text = page(Figures(RESULTS.replace("| `watched`", f"{cost}\n| `watched`")))
    assert f"| of them outside the encoding | {cost_ms} |  | <= 1.5 | {so}0.00" in text


def test_the_page_tells_what_was_measured_and_says_where_nothing_was():
    text = page(Figures(RESULTS))
    row = "| cards a second, upstream to bundle | 1,050 | 3.5 | 0.66 | 1,601 times |"
    assert f"{row} `python -m bench pipeline --pairs 5` |" in text
    assert f"| soak: cards made | {UNKNOWN} |" in text
    assert "| cores at the peak (estimate) | 0.01 | 0.02 | 0.41 | 1.03 | ms of processor a card |" in text
    assert "one machine\ncarries it." in text
    slow = page(Figures(RESULTS.replace("1,050.5", "1.2")))
    assert "does not carry it." in slow
    assert UNKNOWN not in page(Figures(RESULTS)).split("## What one machine")[0]


def test_the_page_of_the_documents_is_made_of_the_results_as_they_stand():
    results = (ROOT / "bench" / "RESULTS.md").read_text("utf-8")
    assert (ROOT / "docs" / "scale.md").read_text("utf-8") == page(Figures(results))


def test_the_command_writes_the_page_and_the_needs(tmp_path, capsys):
    results, made, file = tmp_path / "R.md", tmp_path / "scale.md", tmp_path / "x.json"
    results.write_text(RESULTS, "utf-8")
    assert main(["--results", str(results), "--page", str(made), "--json", str(file)]) == 0
    assert made.read_text("utf-8") == page(Figures(RESULTS))
    assert json.loads(file.read_text("utf-8"))["one_province"]["cards_a_year"] == 4_500_000
    assert main(["--results", str(tmp_path / "gone"), "--page", str(made)]) == 2
    assert "cannot be read" in capsys.readouterr().err
