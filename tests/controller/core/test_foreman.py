"""The foreman on a rough floor: every law at every turn, every card to one end, the same state from the moves alone."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import msgspec
import pytest

from controller.core.errors import NoPosition
from controller.core.events import AnyEvent
from controller.core.fold import FOLDS, apply
from controller.core.foreman import HANDLERS, Foreman
from controller.core.moves import AnyMove, PositionsMarked, StationJoined
from controller.core.settings import CoreConfig, RemakeConfig
from controller.core.state import FloorState
from controller.core.stock import Account
from controller.hosts.heap import replay
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor


def crowded(seed: int, trouble: float = 0.05) -> RoughFloor:
    floor = RoughFloor(seed, trouble=trouble)
    for batch in range(1, 5):
        floor.submit(600.0 * batch, batch, cards=37 + seed % 11 * batch, holds=3, refused=2)
    floor.run()
    return floor


@pytest.mark.parametrize("seed", range(25))
def test_every_accepted_card_comes_to_exactly_one_end_whatever_the_stations_do(seed):
    floor = crowded(seed, trouble=[0.02, 0.05, 0.15][seed % 3])
    assert set(floor.ends().values()) == {1}
    assert len(floor.ends()) == floor.received()
    blanks = floor.state.stock.blanks
    assert blanks[Account.SHEET] == blanks[Account.SUSPECT] == blanks[Account.GOOD] == blanks[Account.BUNDLE] == 0
    assert not floor.state.sheets
    assert not floor.state.jobs
    report = floor.report.as_json()
    assert report["open"] == 0
    assert report["submitted"] == report["accepted"] + report["refused"]
    assert report["accepted"] == report["dispatched"] + report["cancelled"] + report["refused_late"]
    assert report["made"] == report["dispatched"]
    assert (report["blanks"]["difference"], report["blanks"]["drawn_twice"]) == (0, 0)


@pytest.mark.parametrize("seed", range(10))
def test_folding_the_moves_gives_the_state_in_memory_field_by_field(seed):
    floor = crowded(seed)
    assert floor.refolded() == floor.state


@pytest.mark.parametrize("seed", range(10))
def test_the_same_events_lead_to_the_same_moves_again(seed):
    floor, again = crowded(seed), []
    replay(Foreman(CoreConfig()), floor.events, lambda at, _, moves: again.extend((at, move) for move in moves))
    assert again == floor.log


@pytest.mark.parametrize("mask", [0, 256, 511, -1])
def test_a_mark_of_no_position_is_refused_and_changes_nothing(mask):
    floor, state, untouched = crowded(3), FloorState(), FloorState()
    for at, move in floor.log:
        if isinstance(move, PositionsMarked):
            with pytest.raises(NoPosition, match=r"core\.no_position"):
                apply(state, at, msgspec.structs.replace(move, mask=mask))
            assert state == untouched
            return
        apply(state, at, move)
        apply(untouched, at, move)
    raise AssertionError("no position was ever marked")


def test_a_packer_that_takes_less_makes_those_piles_ripe_that_fill_it():
    state, small, large = FloorState(), (1, "520102001"), (1, "520102002")
    state.piles |= {small: list(range(10_000, 10_004)), large: list(range(10_010, 10_015))}
    state.making += Counter({small: 1, large: 1})
    apply(state, 0.0, StationJoined("k1", Step.PACK, "rough", 30))
    assert state.ripe == set()
    apply(state, 1.0, StationJoined("k2", Step.PACK, "rough", 5))
    assert state.ripe == {large}


def test_the_rough_floor_meets_every_trouble_it_promises():
    seen: Counter[str] = Counter()
    for seed in range(12):
        seen += crowded(seed, trouble=0.15).seen
    troubles = {"never_seen", "forgotten", "short bundle", "told twice", "untouched", "sheet spoiled", "shifted"}
    assert troubles <= set(seen), troubles - set(seen)


@pytest.mark.parametrize("seed", range(24))
def test_what_is_bundled_leaves_also_when_the_last_card_stops_for_a_person(seed):
    floor = RoughFloor(seed, CoreConfig(remake=RemakeConfig(attempts_max=2)), trouble=0.3)
    floor.submit(600.0, 1, cards=4)  # three police stations: one may have a single card
    floor.run()  # every turn is checked: no bundle waits for a card that cannot come
    assert set(floor.ends().values()) == {1}


def test_every_move_has_its_fold_and_every_event_its_handler():
    assert set(get_args(AnyMove)) == set(FOLDS)
    assert set(get_args(AnyEvent)) == set(HANDLERS)
