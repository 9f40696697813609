"""The matter of a storm: each blank lies in one place, and what no floor can do is a broken law."""

from __future__ import annotations

import pytest

from controller.core import moves as m
from controller.core import stock_moves as sm
from controller.core.moves import Mark
from devices.defects import GOOD, Step
from devices.messages import blank_serial
from sims.storm.errors import Broken
from sims.storm.hands import Hands
from sims.storm.matter import Matter, Piece, Place
from sims.storm.told import Told

MARKS = ["11", "12", "", "14", "15", "16", "17", "18"]
CARDS = [11, 12, 0, 14, 15, 16, 17, 18]


def pressed(matter: Matter, **how: bool):
    """A printed sheet with body 7 under it, out of the magazine of l1."""
    matter.receive(7, 3, 8)
    matter.issue("l1", 7, 2)
    lay = matter.print(1, list(MARKS))
    assert matter.step(1, Step.LAMINATE) is lay
    assert matter.draw("l1", lay, 8, **how) == 7
    return lay


def marked(mask: int, mark: Mark, by: str = "") -> m.PositionsMarked:
    return m.PositionsMarked(1, mask, mark, GOOD, "i1", "inspect", "inspect", by, by and "bob")


def followed(matter: Matter) -> Hands:
    hands = Hands(matter)
    hands.saw(m.SheetImposed(1, CARDS))
    hands.saw(m.SheetBound(1, 7, "l1"))
    return hands


def test_the_face_and_the_blank_of_a_position_come_together():
    lay = pressed(Matter())
    assert [piece.mark for piece in lay.pieces] == MARKS
    assert [piece.serial for piece in lay.pieces] == [blank_serial(7, place) for place in range(8)]


def test_a_shifted_film_lies_one_position_further_and_a_turned_tray_has_other_serials():
    lay = pressed(Matter(), shifted=True)
    assert [piece.mark for piece in lay.pieces] == ["", *MARKS[:-1]]
    matter = Matter()
    lay = pressed(matter)
    matter.turn(lay)
    assert lay.pieces[0].serial == blank_serial(7, 7)
    assert lay.turned


def test_what_no_floor_can_do_breaks_a_law():
    matter = Matter()
    pressed(matter)
    for impossible in (
        lambda: matter.print(1, list(MARKS)),
        lambda: matter.step(1, Step.LAMINATE),
        lambda: matter.step(1, Step.WRITE),
        lambda: matter.receive(9, 1, 8),
        lambda: matter.issue("l1", 7, 1),
        lambda: matter.issue("l1", 40, 1),
        lambda: matter.move(blank_serial(7, 0), Place.OUT, Place.BOX),
        lambda: matter.move(999, Place.OUT, Place.BOX),
    ):
        with pytest.raises(Broken):
            impossible()
    assert matter.step(2, Step.PUNCH) is None, "nothing is fed"


def test_hands_sort_by_place_what_passed_and_by_serial_what_is_spoiled():
    matter = Matter()
    lay = pressed(matter)
    hands = followed(matter)
    hands.saw(marked(0b100, Mark.UNUSED))
    hands.saw(marked(0b1, Mark.PASSED))
    hands.saw(marked(0b10, Mark.SPOILED))
    hands.saw(marked(0b1000, Mark.FOUND_MISSING, "ann"))
    assert matter.serials(Place.PILE) == {blank_serial(7, 0)}
    assert matter.serials(Place.DRAWER) == {blank_serial(7, 1), blank_serial(7, 2)}
    assert matter.serials(Place.LOST) == {blank_serial(7, 3)}
    assert lay.pieces[4] is not None
    hands.saw(marked(0b11110000, Mark.SPOILED))
    assert 1 not in matter.lays, "nothing is left of the sheet"
    with pytest.raises(Broken, match="law 2"):
        hands.saw(marked(0b1, Mark.SPOILED))


def test_books_that_bind_another_body_or_pass_what_is_not_there_break_a_law():
    matter = Matter()
    pressed(matter)
    hands = Hands(matter)
    hands.saw(m.SheetImposed(1, CARDS))
    with pytest.raises(Broken, match="law 2"):
        hands.saw(m.SheetBound(1, 8, "l1"))
    with pytest.raises(Broken, match="law 2"):
        hands.saw(m.SheetBound(2, 7, "l1"))
    with pytest.raises(Broken, match="law 2"):
        hands.saw(marked(0b1, Mark.FILM_SPOILED))


def test_a_bundle_must_hold_what_the_packer_put_into_its_box():
    matter = Matter()
    pressed(matter)
    hands = followed(matter)
    hands.saw(marked(0b1011, Mark.PASSED))
    bundle = m.BundleMade(5, 1, "u", [11, 12], "k1")
    with pytest.raises(Broken, match="no packer"):
        hands.saw(bundle)
    hands.saw(m.JobStarted(9, "k1", "pack", [], 5, [11, 12]))
    matter.boxes[9] = [matter.piled[blank_serial(7, 0)]]
    with pytest.raises(Broken, match="other cards"):
        hands.saw(bundle)


def test_blanks_are_destroyed_out_of_the_drawer_alone():
    matter = Matter()
    pressed(matter)
    hands = followed(matter)
    hands.saw(marked(0b1, Mark.SPOILED))
    hands.saw(sm.BlanksDestroyed(1, [blank_serial(7, 0)], "ann", "bob"))
    assert matter.serials(Place.DESTROYED) == {blank_serial(7, 0)}
    with pytest.raises(Broken, match="law 2"):
        hands.saw(sm.BlanksDestroyed(2, [blank_serial(7, 1)], "ann", "bob"))


def test_a_card_is_right_with_its_own_face_and_chip_and_without_a_flaw():
    matter = Matter()
    piece = Piece(71, "11", GOOD, True, b"r", b"p")
    assert matter.is_right(piece, "11", b"r", b"p")
    assert not matter.is_right(piece, "12", b"r", b"p")
    assert not matter.is_right(piece, "11", b"r", b"x")
    piece.flaw = "P1"
    assert not matter.is_right(piece, "11", b"r", b"p")


def test_nothing_may_be_acknowledged_that_is_not_durable():
    with pytest.raises(Broken, match="law 3"):
        Told().check_stored("n", 0, 1)
    with pytest.raises(Broken, match="law 3"):
        Told().check_cursor("north", 1)
