"""Law 2 and complaint 9: whatever keepers do, blanks and quantities are conserved at every move."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.core import events as e
from controller.core.fold import apply
from controller.core.foreman import Foreman
from controller.core.moves import JobEnded, Mark, PositionsMarked, SheetImposed
from controller.core.quality_moves import CardsQuarantined
from controller.core.settings import ROUTES, CoreConfig
from controller.core.state import FloorState
from controller.core.stock import Account
from controller.core.stock_moves import BlanksDestroyed, BlanksLost, BodiesLost, ShiftClosed
from controller.hosts.heap import replay
from devices.defects import DEFECTS, FATE_UNKNOWN, GOOD, Step
from devices.messages import POSITIONS, Fate, blank_serial
from tests.controller.core.keepers_floor import KeepersFloor
from tests.controller.core.test_laws import WildFloor

ROUTE = ROUTES["second"]
ENDS = (Mark.PASSED, Mark.FILM_SPOILED, Mark.SPOILED, Mark.SUSPECTED)


def floor_after(seed: int, errands: int = 40) -> KeepersFloor:
    floor = KeepersFloor(seed, trouble=0.2)
    for batch in range(1, 4):
        floor.submit(300.0 * batch, batch, cards=24, holds=2, refused=1)
    floor.run_with_keepers(errands)
    return floor


def check_stock(state: FloorState) -> None:
    stock = state.stock
    assert stock.balanced()
    assert min(stock.blanks.values()) >= 0
    assert all(one.sheets > 0 for one in [*stock.vault, *(one for many in stock.magazines.values() for one in many)])
    assert all(supply.units >= 0 for supplies in state.stock.supplies.values() for supply in supplies.values())
    assert all(blanks >= 0 for blanks in stock.blanks.values())


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_blanks_are_conserved_at_every_move_and_a_replay_gives_the_same_state(seed):
    floor, state = floor_after(seed), FloorState()
    for at, move in floor.log:
        apply(state, at, move)
        check_stock(state)
    assert state == floor.state
    again = []
    replay(Foreman(CoreConfig()), floor.events, lambda at, _, moves: again.extend((at, move) for move in moves))
    assert again == floor.log


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6))
def test_no_step_works_on_more_than_came_to_it_and_no_defect_is_charged_to_another_step(seed):
    floor = floor_after(seed, errands=20)
    live: dict[int, int] = {}  # sheet -> positions that may become good
    done: dict[int, list[Step]] = {}
    imposed, ended = 0, Counter()
    for _, move in floor.log:
        if isinstance(move, SheetImposed):
            live[move.sheet_id] = sum(1 << place for place, card in enumerate(move.cards) if card)
            done[move.sheet_id] = []
            imposed += live[move.sheet_id].bit_count()
        elif isinstance(move, CardsQuarantined):  # good ones lie in their tray again, before inspection
            back = sum(1 << place for place, card in enumerate(move.cards) if card)
            assert not back & live[move.sheet_id]
            live[move.sheet_id] |= back
            done[move.sheet_id] = list(ROUTE[:-2])
            imposed += back.bit_count()
        elif isinstance(move, PositionsMarked) and move.mark in ENDS:
            assert not move.mask & ~live[move.sheet_id], "a position that was not there came to an end"
            live[move.sheet_id] &= ~move.mask
            ended[move.mark] += move.mask.bit_count()
            if move.code not in (GOOD, FATE_UNKNOWN):
                assert move.caused_at == DEFECTS[move.code].step, "charged to another step than the one that caused it"
                assert ROUTE.index(Step(move.caused_at)) <= ROUTE.index(Step(move.found_at))
        elif isinstance(move, JobEnded) and move.step != Step.PACK:
            for end in move.sheets:
                if end.fate == Fate.DONE:
                    done[end.sheet_id].append(Step(move.step))
                    assert done[end.sheet_id] == list(ROUTE[: len(done[end.sheet_id])]), "a step was left out"
    assert imposed == ended.total()
    assert not any(live.values())


def test_the_keepers_floor_sees_all_that_keepers_do():
    said: Counter[str] = Counter()
    for seed in range(4):
        said += floor_after(seed, errands=120).said
    for verb in ("issue", "return", "sample", "lost", "lost_blank", "destroy", "close_shift"):
        assert said[f"{verb} done"], verb
    for code in ("stock.station_runs", "stock.count_differs", "stock.not_spoiled", "stock.not_in_magazine"):
        assert said[code], code


def test_each_missing_blank_is_named_by_one_closed_shift_and_each_destroyed_one_was_spoiled():
    floor = floor_after(5, errands=150)
    floor.count_all()
    floor.both("close_shift")
    named = [serial for _, move in floor.log if isinstance(move, ShiftClosed) for serial in move.lost]
    missing = set()
    for _, move in floor.log:
        if isinstance(move, BodiesLost):
            bodies = range(move.first_body, move.first_body + move.sheets)
            missing |= {blank_serial(body, place) for body in bodies for place in range(POSITIONS)}
        elif isinstance(move, BlanksLost):
            missing.add(move.blank)
    assert missing
    assert missing <= set(named)
    assert len(named) == len(set(named)) == floor.state.stock.blanks[Account.MISSING]
    destroyed = [blank for _, move in floor.log if isinstance(move, BlanksDestroyed) for blank in move.blanks]
    assert len(destroyed) == len(set(destroyed)) == floor.state.stock.blanks[Account.DESTROYED]
    assert not set(destroyed) & set(named)


class WildKeepers(KeepersFloor, WildFloor):
    """Keepers on a floor where anybody says anything at any time."""

    def __init__(self, seed: int) -> None:
        self.said = Counter()
        WildFloor.__init__(self, seed)


@pytest.mark.parametrize("seed", range(4))
def test_keepers_on_a_floor_of_lies_break_no_law_either(seed):
    floor, state = WildKeepers(seed), FloorState()
    for batch in range(1, 3):
        floor.submit(100.0 * batch, batch, cards=24, holds=2, refused=1)
    for _ in range(30):
        floor.go_wild(5)
        floor.errand()
    floor.load_all()
    floor.come_to_rest()
    for at, move in floor.log:
        apply(state, at, move)
        check_stock(state)
    assert state == floor.state
    assert set(floor.ends().values()) == {1}
    assert len(floor.ends()) == floor.received()


def test_a_body_sheet_that_was_returned_is_drawn_by_no_press():
    floor = KeepersFloor(3, trouble=0.0)
    floor.off_line("l1")
    turn = floor.both("return", station="l1", first_body=1_000, sheets=20)
    [told] = [action for action in turn.actions if isinstance(action, e.FillMagazine)]
    assert (told.out, told.first_body, told.sheets) == (True, 1_000, 20)
    floor.off_line("l1", False)
    floor.submit(1.0, 1, cards=160)
    floor.run()
    assert floor.drawn
    assert not set(floor.drawn.values()) & set(range(1_000, 1_020))
