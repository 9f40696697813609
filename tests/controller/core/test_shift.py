"""Shifts: counts without being told, a shift that closes when it balances, and what two people must do together."""

from __future__ import annotations

import pytest

from controller.core import events as e
from controller.core.moves import ActEnded
from controller.core.stock import Account
from controller.core.stock_moves import BlanksDestroyed, BodiesLost, ShiftClosed, StockCounted
from controller.core.stocktaking import RANGES_NAMED, differences, runs_of
from devices.defects import Step
from devices.messages import blank_serial
from tests.controller.core.keepers_floor import KeepersFloor

BODIES = {"first_body": 1_000, "sheets": 5}


@pytest.fixture
def floor():
    """Give a floor that spoiled some blanks, has body sheets in its vault and is at rest."""
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    assert floor.both("receive", first_body=90_000, sheets=50, lot="B").refused is None
    assert floor.state.stock.spoiled
    return floor


def serials(floor):
    return list(floor.state.stock.spoiled)


def test_a_shift_in_which_every_place_was_counted_rightly_closes_with_its_accounts(floor):
    floor.count_all()
    turn = floor.both("close_shift")
    [closed] = [move for move in turn.moves if isinstance(move, ShiftClosed)]
    assert sum(closed.accounts.values()) == floor.state.stock.received
    assert (closed.by, closed.second, closed.opened_floor_s) == ("ann", "bob", 0.0)
    assert floor.state.stock.shift_floor_s == floor.host.now_floor_s
    assert floor.both("close_shift").refused.code == "shift.not_counted"


@pytest.mark.parametrize("left_out", ["vault", "spoiled", "l1", "l2"])
def test_a_place_that_was_not_counted_keeps_the_shift_open_and_is_named(floor, left_out):
    for place in {"vault", "spoiled", "l1", "l2"} - {left_out}:
        floor.count(place)
    refused = floor.both("close_shift").refused
    assert refused.code == "shift.not_counted"
    assert left_out in refused.text


def test_an_empty_magazine_need_not_be_counted(floor):
    floor.off_line("l1")
    for one in list(floor.state.stock.magazines["l1"]):
        assert floor.both("return", station="l1", first_body=one.first, sheets=one.sheets).refused is None
    for place in ("vault", "spoiled", "l2"):
        floor.count(place)
    assert floor.both("close_shift").refused is None


def test_one_person_is_told_nothing_of_a_difference_and_two_are_told_the_serials(floor):
    floor.count_all()
    floor.count("l1", -2)
    proposed = floor.say(e.ActAsked("close_shift", {}, "ann"))
    assert proposed.refused is None
    assert floor.say(e.ActSeconded(proposed.answer, "ann")).refused.code == "act.same_person"
    refused = floor.say(e.ActSeconded(proposed.answer, "bob")).refused
    assert refused.code == "shift.differs"
    there = floor.state.stock.magazines["l1"]
    for one in there:
        assert f"{one.first}-{one.first + one.sheets - 1}" in refused.text
    assert "l1" in refused.text
    assert "l2" not in refused.text
    assert proposed.answer in floor.state.acts


def test_what_is_declared_lost_explains_a_count_and_the_same_act_then_closes_the_shift(floor):
    floor.count_all()
    floor.count("l1", -2)
    closing = floor.say(e.ActAsked("close_shift", {}, "ann")).answer
    assert floor.say(e.ActSeconded(closing, "bob")).refused.code == "shift.differs"
    first = floor.state.stock.magazines["l1"][0].first
    assert floor.both("lost", station="l1", first_body=first, sheets=2).refused is None
    turn = floor.say(e.ActSeconded(closing, "bob"))
    closed, ended = turn.moves[:2]
    assert isinstance(ended, ActEnded)
    assert set(closed.lost) >= {blank_serial(body, place) for body in (first, first + 1) for place in range(8)}
    assert closed.accounts["missing"] == floor.state.stock.blanks[Account.MISSING] == len(closed.lost)
    assert not floor.state.stock.lost


def test_a_loss_declared_after_a_count_that_agreed_asks_for_another_count(floor):
    floor.count_all()
    first = floor.state.stock.vault[0].first
    floor.both("lost", station="vault", first_body=first, sheets=1)
    assert floor.both("close_shift").refused.code == "shift.differs"
    floor.count("vault")
    assert floor.both("close_shift").refused is None


def test_a_lost_spoiled_blank_is_missing_and_explains_the_count_of_the_spoiled(floor):
    floor.count_all()
    floor.count("spoiled", -1)
    blank = serials(floor)[0]
    assert floor.both("lost_blank", blank=blank).refused is None
    assert floor.both("lost_blank", blank=blank).refused.code == "stock.not_spoiled"
    turn = floor.both("close_shift")
    assert turn.refused is None
    assert blank in next(move for move in turn.moves if isinstance(move, ShiftClosed)).lost


def test_a_count_that_was_wrong_is_put_right_by_counting_again(floor):
    floor.count_all()
    floor.count("vault", 3)
    assert floor.both("close_shift").refused.code == "shift.differs"
    floor.count("vault")
    assert floor.both("close_shift").refused is None


def test_a_count_of_no_place_is_refused(floor):
    turn = floor.say(e.CountTaken("attic", 1, "cat"))
    assert (turn.refused.code, turn.moves) == ("stock.no_place", [])


def test_a_magazine_is_not_counted_while_its_press_draws_from_it():
    floor = KeepersFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=80)
    while not any(job.step is Step.LAMINATE for job in floor.state.jobs.values()):
        floor.host.now_floor_s += 1.0
        floor.host.run(floor.host.now_floor_s)
    press = next(job.station for job in floor.state.jobs.values() if job.step is Step.LAMINATE)
    assert floor.count(press).refused.code == "stock.station_works"
    floor.off_line(press)
    for verb in ("return", "lost"):
        first = floor.state.stock.magazines[press][0].first
        refused = floor.say(e.ActAsked(verb, {"station": press, "first_body": first, "sheets": 1}, "ann")).refused
        assert refused.code == "stock.station_works"


# ---- what one person alone cannot do ------------------------------------------------------------------------------


def acts_of(floor):
    return {
        "return": {"station": "l1", **first_of(floor, "l1")},
        "sample": first_of(floor, ""),
        "lost": {"station": "vault", **first_of(floor, "")},
        "lost_blank": {"blank": serials(floor)[0]},
        "destroy": {"count": len(serials(floor))},
        "close_shift": {},
    }


def first_of(floor, place):
    ranges = floor.state.stock.magazines[place] if place else floor.state.stock.vault
    return {"first_body": ranges[0].first, "sheets": 1}


@pytest.mark.parametrize("verb", ["return", "sample", "lost", "lost_blank", "destroy", "close_shift"])
def test_one_person_alone_moves_no_blank_and_closes_no_shift(floor, verb):
    floor.off_line("l1")
    floor.count_all()
    before = (dict(floor.state.stock.blanks), floor.state.stock.shift_floor_s)
    asked = floor.say(e.ActAsked(verb, acts_of(floor)[verb], "ann"))
    assert asked.refused is None, asked.refused
    assert floor.say(e.ActSeconded(asked.answer, "ann")).refused.code == "act.same_person"
    assert (dict(floor.state.stock.blanks), floor.state.stock.shift_floor_s) == before
    assert floor.say(e.ActSeconded(asked.answer, "bob")).refused is None
    assert (dict(floor.state.stock.blanks), floor.state.stock.shift_floor_s) != before


def test_destroyers_who_count_wrongly_learn_only_to_count_again(floor):
    there = len(serials(floor))
    told = {floor.both("destroy", count=wrong).refused.text for wrong in (there - 1, there + 1, there + 1_000)}
    assert len(told) == 1
    assert not any(character.isdigit() for character in told.pop())
    assert floor.both("destroy", count=0).refused.code == "stock.count"


def test_destruction_names_every_serial_and_empties_the_bin(floor):
    there, before = serials(floor), floor.state.stock.blanks[Account.DESTROYED]
    turn = floor.both("destroy", count=len(there))
    [destroyed] = [move for move in turn.moves if isinstance(move, BlanksDestroyed)]
    assert destroyed.blanks == there
    assert floor.state.stock.blanks[Account.SPOILED] == 0
    assert floor.state.stock.blanks[Account.DESTROYED] == before + len(there)


@pytest.mark.parametrize(
    ("verb", "args", "code"),
    [
        ("return", {"station": "p1", **BODIES}, "stock.no_magazine"),
        ("return", {"station": "l1", **BODIES}, "stock.station_runs"),
        ("sample", BODIES, "stock.not_in_vault"),
        ("sample", {"first_body": 1_000, "sheets": 0}, "stock.not_in_vault"),
        ("lost", {"station": "attic", **BODIES}, "stock.no_magazine"),
        ("lost", {"station": "vault", **BODIES}, "stock.not_in_vault"),
        ("lost", {"station": "l1", "first_body": 5, "sheets": 1}, "stock.not_in_magazine"),
        ("lost_blank", {"blank": 7}, "stock.not_spoiled"),
        ("destroy", {"count": "all"}, "act.argument"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code_and_a_sentence(floor, verb, args, code):
    turn = floor.say(e.ActAsked(verb, args, "ann"))
    assert turn.refused.code == code
    assert turn.refused.text
    assert turn.moves == []


# ---- moves and sentences --------------------------------------------------------------------------------------------


def test_counts_and_losses_are_recorded_with_who_did_them(floor):
    [count] = floor.count("vault", 1).moves
    assert isinstance(count, StockCounted)
    assert (count.counted - count.expected, count.by) == (1, "cat")
    first = floor.state.stock.vault[0].first
    lost = floor.both("lost", station="vault", first_body=first, sheets=1).moves[0]
    assert lost == BodiesLost("", first, 1, "ann", "bob")


def test_returned_body_sheets_join_the_ranges_they_came_from(floor):
    floor.off_line("l1")
    before = [(one.first, one.sheets) for one in floor.state.stock.vault]
    first, sheets = before[0]
    floor.both("issue", station="l1", first_body=first, sheets=sheets)
    for body in (first + 2, first, first + 1):
        floor.both("return", station="l1", first_body=body, sheets=1)
    assert (first, 3) in [(one.first, one.sheets) for one in floor.state.stock.vault]


def test_runs_are_named_as_ranges_and_a_long_list_says_how_many_are_left_out(floor):
    assert runs_of([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
    assert runs_of([]) == []
    stock = floor.state.stock
    stock.spoiled = dict.fromkeys(range(0, 4 * RANGES_NAMED, 2), 0.0)
    stock.counts["spoiled"] = (1, 2)
    [sentence] = differences(stock)
    assert sentence.endswith(f"and {RANGES_NAMED} ranges more)")
