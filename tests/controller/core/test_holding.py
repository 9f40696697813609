"""Holds by people in the core: wherever a card is, it goes no further, nobody waits for it, and no law is broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.cards import State
from controller.core.hold_events import BatchHoldAsked, BatchReleaseAsked, CardHoldAsked, CardReleaseAsked
from controller.core.hold_moves import BatchHeld, CardHeld
from controller.core.moves import BundleMade, ConsignmentSent, SheetImposed
from controller.core.open_ends import Since, open_ends
from controller.core.settings import CoreConfig
from controller.core.why.why import why
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.core.test_packing_exit import dispatch, door_floor, sent


def ask(floor, event):
    return floor.host.handle(event, floor.host.now_floor_s)


def floor_until(state, cards=17):
    """Give a floor without trouble, and a card of it that has just come to a state."""
    floor = RoughFloor(1, CoreConfig(), trouble=0.0)
    floor.submit(0.0, 1, cards=cards)
    for second in range(10_000):
        floor.host.run(float(second))
        found = next((card for card in floor.state.cards.values() if card.state is state), None)
        if found is not None:
            return floor, found.card
    raise AssertionError(f"no card was ever {state}")


@pytest.mark.parametrize("state", [State.ACCEPTED, State.READY, State.IMPOSED, State.GOOD])
def test_a_card_held_anywhere_before_its_bundle_is_left_behind_and_comes_after(state):
    floor, held = floor_until(state)
    assert ask(floor, CardHoldAsked(held, "look", "ann")).refused is None
    floor.host.run()
    states = floor.state.batches[1].states
    assert states[State.DISPATCHED] == 16, "the rest left without it"
    assert states[State.DISPATCHED] + sum(states[one] for one in (State.READY, State.GOOD)) == 17
    assert ask(floor, CardReleaseAsked(held, "bob")).refused is None
    floor.run()
    consignments = [move for _, move in floor.log if isinstance(move, ConsignmentSent)]
    assert [floor.bundled(consignments[-1].bundles[-1])[-1], len(consignments)] == [held, 2]
    assert floor.refolded() == floor.state


@pytest.mark.parametrize("state", [State.ACCEPTED, State.READY, State.IMPOSED, State.GOOD])
def test_a_held_batch_begins_no_sheet_and_no_bundle_and_sends_nothing(state):
    floor, _ = floor_until(state)
    before = len(floor.log)
    assert ask(floor, BatchHoldAsked(1, "recheck", "ann")).refused is None
    floor.host.run()
    after = [type(move) for _, move in floor.log[before:]]
    assert after.count(BatchHeld) == 1
    assert CardHeld not in after
    assert SheetImposed not in after
    assert ConsignmentSent not in after
    assert after.count(BundleMade) <= 1, "what a packer had in hand"
    assert ask(floor, BatchReleaseAsked(1, "bob")).refused is None
    floor.run()
    assert floor.refolded() == floor.state


def test_a_bundle_with_a_held_card_does_not_leave_and_the_others_do():
    floor = door_floor()
    whole, held_bundle = list(floor.state.batches[1].bundles), 2
    card = floor.state.bundles[held_bundle][1][0]
    assert ask(floor, CardHoldAsked(card, "look", "ann")).refused is None
    assert "ann holds it" in why(floor.state, floor.foreman.config, 0.0, f"card {card}").sentence_en
    late = dispatch(floor, scanned=whole)
    assert "foreign 2" in late.refused.text
    assert sent(dispatch(floor))[0].bundles == [one for one in whole if one != held_bundle]
    assert dispatch(floor).refused.code == "dispatch.held"
    assert ask(floor, CardReleaseAsked(card, "bob")).refused is None
    assert sent(dispatch(floor))[0].bundles == [held_bundle]
    assert ask(floor, CardHoldAsked(card, "look", "ann")).refused.code == "hold.no_card", "the batch is closed"


def test_a_card_in_a_held_batch_is_released_by_both_releases():
    floor, card = floor_until(State.READY)
    ask(floor, BatchHoldAsked(1, "recheck", "ann"))
    ask(floor, CardHoldAsked(card, "look", "ann"))
    assert ask(floor, CardHoldAsked(card, "look", "bob")).refused.code == "hold.held"
    ask(floor, BatchReleaseAsked(1, "bob"))
    floor.host.run()
    assert floor.state.cards[card].state is State.READY
    assert ask(floor, BatchReleaseAsked(1, "bob")).refused.code == "hold.not_held"
    ask(floor, CardReleaseAsked(card, "bob"))
    floor.run()
    assert floor.refolded() == floor.state


def test_what_is_held_is_an_open_end_with_its_age_until_it_is_released():
    floor, card = floor_until(State.READY)
    ask(floor, CardHoldAsked(card, "look", "ann"))
    ask(floor, BatchHoldAsked(1, "recheck", "ann"))
    ends = open_ends(floor.state, Since())
    assert ends.counts == {"batch_hold": 1, "card_hold": 1}
    assert all(row.since_floor_s == floor.host.now_floor_s for row in ends.rows)
    ask(floor, CardReleaseAsked(card, "bob"))
    ask(floor, BatchReleaseAsked(1, "bob"))
    assert not open_ends(floor.state, Since()).rows


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), trouble=st.sampled_from([0.05, 0.15]))
def test_on_a_rough_floor_holds_at_any_moment_break_no_law_and_nothing_stays_behind(seed, trouble):
    floor = RoughFloor(seed, trouble=trouble)
    for batch in range(1, 4):
        floor.submit(20.0 * batch, batch, cards=20, holds=2, refused=1)
    floor.run()  # the laws, and that nothing held goes further, are looked at after every turn
    assert floor.refolded() == floor.state
    assert not floor.state.card_holds
    assert not floor.state.batch_holds
    assert set(floor.ends().values()) == {1}
    assert len(floor.ends()) == floor.received()
