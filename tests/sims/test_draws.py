"""Draws worked out many at a time are the draws one at a time."""

from __future__ import annotations

import pytest

from devices.messages import POSITIONS
from sims.draws import KEPT, ROWS, Draws, Struck, hashes_of, hashes_twin
from sims.faults import draw

ALL = [f"|0|{position}" for position in range(POSITIONS)]


@pytest.mark.parametrize("first", [0, 7 * ROWS, 39 * ROWS, 10**9 // ROWS * ROWS])
@pytest.mark.parametrize(
    ("before", "after"), [("1|x|", [""]), ("-5|laminate flaw|", ALL), ("77|压机-1|cycle|", [""]), ("9" * 90, ALL)]
)
def test_the_compiled_hash_is_that_of_the_library(before, first, after):
    assert (hashes_of(before, first, after) == hashes_twin(before, first, after)).all()


def test_a_text_too_long_for_one_block_and_ends_of_several_lengths_are_hashed_by_the_library():
    for before, after in (("x" * 120, ALL), ("x", ["", "|1"])):
        assert (hashes_of(before, 0, after) == hashes_twin(before, 0, after)).all()


def test_draws_by_number_are_those_of_each_number_also_when_they_were_forgotten_meanwhile():
    draws = Draws(5, "printer-1", "cycle")
    for number in (0, 1, ROWS - 1, ROWS, 12_345, (KEPT + 3) * ROWS, 1):
        assert draws.at(number) == draw(5, "printer-1", "cycle", number)
    for number in range(0, 2 * KEPT * ROWS, ROWS):
        draws.at(number)
    assert len(draws._blocks) == KEPT
    assert draws.at(3) == draw(5, "printer-1", "cycle", 3)


def test_the_positions_that_are_struck_are_those_whose_draw_is_below_the_rate_whatever_rate_comes_next():
    struck, whole = Struck(3, "punch flaw"), Struck(3, "punch jam", (-1,))
    for sheet_id in range(2 * ROWS):
        for rate, ruined in ((0.03, 0), (0.5, 0), (1.0, 0), (0.0, 0), (0.4, 2)):
            draws = [draw(3, "punch flaw", sheet_id, ruined, place) for place in range(POSITIONS)]
            below = [place for place, one in enumerate(draws) if one < rate]
            assert list(struck.at(sheet_id, rate, ruined)) == below
            assert bool(whole.at(sheet_id, rate, ruined)) == (draw(3, "punch jam", sheet_id, ruined, -1) < rate)
