"""Entries of blanks that the rough floors seldom or never make: late bodies, single bodies, what came back before."""

from __future__ import annotations

from controller.core import moves as m
from controller.core import stock_moves as s
from controller.core.fold import apply
from controller.core.moves import Mark
from controller.core.quality_moves import CardReturned
from controller.core.state import FloorState
from controller.report.blank_entries import BlankEntries

FULL = {"magazine": 100, "good": 10, "spoiled": 3, "returned": 1, "dispatched": 5}


def folded(*moves, returned=()):
    entries = BlankEntries(lambda bundle: 4, lambda blank: blank in returned)
    entries.begin(FULL)
    for move in moves:
        entries.fold(move)
    return entries


def mark(mask, kind, step="laminate"):
    return m.PositionsMarked(1, mask, kind, "X1", "l1", step, step)


def test_a_body_that_is_found_under_a_suspect_film_is_suspect_where_the_film_was():
    imposed, suspect, bound = m.SheetImposed(1, [11] * 8), mark(0b0111, Mark.SUSPECTED), m.SheetBound(1, 500, "l1")
    film = folded(imposed, suspect)
    assert not film.entries, "a film has no blank"
    entries = folded(imposed, suspect, mark(0b0001, Mark.FOUND_SPOILED), bound, mark(0b0110, Mark.FOUND_MISSING))
    assert entries.entries == {("magazine", "sheet"): 8, ("sheet", "suspect"): 2, ("suspect", "missing"): 2}
    assert entries.accounts["sheet"] == 6


def test_a_single_body_has_one_blank():
    entries = folded(m.SheetImposed(1, [11, 0, 0, 0, 0, 0, 0, 0], "single", 1), m.SheetBound(1, 500, "l1"))
    assert entries.entries == {("magazine", "sheet"): 1}


def test_a_blank_that_came_back_before_the_first_move_is_destroyed_out_of_what_is_returned():
    entries = folded(s.BlanksDestroyed(1, [5001, 5002], "a", "b"), s.BlanksLost(5003, "a", "b"), returned={5002})
    assert entries.entries == {("spoiled", "destroyed"): 1, ("returned", "destroyed"): 1, ("spoiled", "missing"): 1}
    again = folded(CardReturned(7, 5009, 0, "damaged", "a"), s.BlanksLost(5009, "a", "b"))
    assert again.entries == {("dispatched", "returned"): 1, ("returned", "missing"): 1}


def test_the_core_enters_bodies_that_go_from_place_to_place_likewise():
    moves = [
        s.StockReceived(100, 10, "A", "a", "b"),
        s.StockReceived(900, 5, "S", "a", "b", 1),
        s.MagazineIssued(1, "l1", 100, 6, "a", "b"),
        s.MagazineIssued(2, "l1", 900, 4, "a", "b", 1),
        s.BodiesReturned("l1", 104, 2, "a", "b", 1),
        s.BodiesReturned("l1", 903, 1, "a", "b", 2, 1),
        s.BodiesSampled(109, 1, "a", "b"),
        s.BodiesLost("", 108, 1, "a", "b"),
        s.BodiesLost("l1", 900, 1, "a", "b", 2, 1),
    ]
    state, entries = FloorState(), BlankEntries(lambda bundle: 0, lambda blank: False)
    for move in moves:
        apply(state, 1.0, move)
        entries.fold(move)
        assert {name: entries.accounts[name] for name in state.stock.blanks} == state.stock.blanks
    assert entries.entries["received", "vault"] == 85
