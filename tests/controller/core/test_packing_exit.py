"""The exit check: what is scanned at the door is what is to leave, nothing missing, nothing twice, nothing foreign."""

from __future__ import annotations

import copy
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core import events as e
from controller.core.exit_check import exit_difference
from controller.core.moves import BatchClosed, BundleStopped, ConsignmentSent, RowVerdict, Verdict
from controller.core.settings import CoreConfig, PlanConfig, SettingError
from controller.core.stock import Account
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.core.test_packing import packing_floor, scan

BY_HAND = PlanConfig(auto_dispatch=False, bundle_max=2, box_max=3)


class DoorFloor(RoughFloor):
    """A floor on which bundles wait for a dispatcher; what holds of every floor is checked but for that wait."""

    def keep(self, at, event, moves):
        self.events.append((at, event))
        self.log += [(at, move) for move in moves]
        for move in moves:
            self.report.fold(at, move)
        assert self.state.stock.balanced()


def door_floor(batches=1, plan=BY_HAND):
    """Give a floor on which every card of each batch is bundled and none has left."""
    floor = DoorFloor(1, CoreConfig(plan=plan), trouble=0.0)
    for batch in range(1, batches + 1):
        floor.submit(float(batch), batch, cards=9)
    floor.host.run()
    assert [len(batch.bundles) for batch in floor.state.batches.values()] == [6] * batches
    return floor


def dispatch(floor, scanned=(), batch_id=1):
    return floor.host.handle(e.DispatchAsked(batch_id, "ann", list(scanned)), floor.host.now_floor_s)


def sent(turn):
    return [move for move in turn.moves if isinstance(move, ConsignmentSent)]


numbers = st.lists(st.integers(1, 12), max_size=12)


@given(st.sets(st.integers(1, 12), min_size=1), numbers)
def test_only_the_same_set_each_once_is_no_difference(expected, scanned):
    assert (exit_difference(expected, scanned) == "") == (Counter(expected) == Counter(scanned))


@given(st.permutations([4, 8, 15, 16, 23, 42]))
def test_the_order_of_the_scans_does_not_matter(scanned):
    assert exit_difference([4, 8, 15, 16, 23, 42], scanned) == ""


def test_the_difference_names_each_bundle_by_what_is_wrong_with_it():
    assert exit_difference([1, 2, 3], [2, 2, 9, 9]) == "missing 1, 3; twice 2, 9; foreign 9"
    assert exit_difference(range(100), [0]).endswith("19, 20 and 79 more")


def test_a_whole_scan_lets_a_consignment_leave_and_is_recorded():
    floor = door_floor()
    waiting = list(floor.state.batches[1].bundles)
    turn = dispatch(floor, reversed(waiting))
    [move] = sent(turn)
    assert (move.bundles, move.by, move.scanned, move.box_max) == (waiting, "ann", True, 3)
    assert isinstance(turn.moves[-1], BatchClosed)
    assert floor.state.stock.blanks[Account.DISPATCHED] == 9
    assert floor.refolded() == floor.state


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda bundles: bundles[1:], "missing 1"),
        (lambda bundles: [*bundles, bundles[2]], "twice 3"),
        (lambda bundles: [*bundles, 4_000], "foreign 4000"),
        (lambda bundles: [*bundles[:-1], 4_000, 4_000], "missing 6; twice 4000; foreign 4000"),
    ],
)
def test_a_scan_that_differs_lets_nothing_leave_and_names_the_bundles(spoil, told):
    floor = door_floor()
    before = copy.deepcopy(floor.state)
    turn = dispatch(floor, spoil(list(floor.state.batches[1].bundles)))
    assert turn.refused.code == "dispatch.exit_check"
    assert told in turn.refused.text
    assert (turn.moves, turn.actions) == ([], [])
    assert floor.state == before


def test_a_bundle_of_another_batch_is_foreign_though_it_waits_too():
    floor = door_floor(batches=2)
    mine, other = (list(batch.bundles) for batch in floor.state.batches.values())
    turn = dispatch(floor, [*mine, other[0]])
    assert f"foreign {other[0]};" in turn.refused.text
    assert sent(dispatch(floor, mine))
    assert sent(dispatch(floor, other, batch_id=2))
    assert not floor.state.batches


def test_a_bundle_that_left_before_is_foreign_the_second_time():
    floor = DoorFloor(1, CoreConfig(plan=BY_HAND), trouble=0.0)
    rows = [
        RowVerdict(index, f"{index:022d}", "520102001", Verdict.HOLD if index < 3 else Verdict.OK) for index in range(9)
    ]
    floor.host.push(1.0, e.BatchChecked(1, "1" * 25, "north", "second", 1.0, 90_000.0, rows))
    floor.host.run()
    early = list(floor.state.batches[1].bundles)
    assert len(sent(dispatch(floor, early))) == 1
    for card in range(10_000, 10_003):  # three waited for a person, and leave later
        floor.host.handle(e.DecisionMade(card, "release", "ann", "looked"), floor.host.now_floor_s)
    floor.host.run()
    late = list(floor.state.batches[1].bundles)
    assert f"foreign {early[0]};" in dispatch(floor, [early[0], *late]).refused.text
    assert sent(dispatch(floor, late))
    assert not floor.state.batches


def test_a_dispatch_that_names_no_bundles_is_recorded_as_unscanned():
    [move] = sent(dispatch(door_floor()))
    assert not move.scanned


def test_where_nothing_leaves_unscanned_a_dispatch_must_name_its_bundles():
    floor = door_floor(plan=PlanConfig(auto_dispatch=False, bundle_max=2, exit_scan=True))
    assert dispatch(floor).refused.code == "dispatch.not_scanned"
    assert sent(dispatch(floor, floor.state.batches[1].bundles))


def test_what_leaves_by_itself_was_scanned_by_nobody_so_both_settings_exclude_each_other():
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=9)
    floor.run()
    assert {move.scanned for _, move in floor.log if isinstance(move, ConsignmentSent)} == {False}
    with pytest.raises(SettingError, match=r"plan\.exit_scan"):
        PlanConfig(exit_scan=True)


# ---- the packer's own exit check: cards in a bundle ------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "missing", "foreign"),
    [
        (lambda blanks: blanks[1:], 1, 0),
        (lambda blanks: [*blanks, blanks[0]], 0, 1),
        (lambda blanks: [*blanks, 77_777], 0, 1),
        (lambda blanks: [blanks[1], *blanks[1:]], 1, 1),
        (lambda blanks: [], 3, 0),
    ],
)
def test_a_card_that_lacks_or_is_scanned_twice_or_is_foreign_stops_its_bundle(spoil, missing, foreign):
    floor, job = packing_floor()
    turn = scan(floor, job, spoil([floor.state.cards[card].blank for card in job.cards]))
    [move] = [move for move in turn.moves if isinstance(move, BundleStopped)]
    assert (move.missing, move.foreign) == (missing, foreign)
    assert not floor.state.bundles
