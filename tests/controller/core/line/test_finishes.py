"""Finishes: a batch is finished with its last card in a bundle, whatever becomes of the others."""

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core import moves as m
from controller.core.cards import FINAL, State
from controller.core.line.finishes import Finishes
from controller.core.quality_moves import BundleOpened
from tests.controller.core.line.forked_floor import Forked
from tests.controller.core.line.troubled_floor import troubled


@given(seed=st.integers(0, 300))
@settings(max_examples=6, deadline=None)
def test_at_any_moment_what_is_left_is_what_the_state_has_open_and_not_made(seed):
    rough = troubled(seed, 1_500.0)
    finishes, folded = Finishes(rough.state), len(rough.log)
    for until in (2_500.0, 5_000.0, 20_000.0):
        rough.host.run(until)
        for at, move in rough.log[folded:]:
            finishes.fold(at, move)
        folded = len(rough.log)
        known = finishes.batches.keys()
        cards = [one for one in rough.state.cards.values() if one.batch_id in known]
        assert finishes.left() == sum(one.state not in FINAL and one.state is not State.MADE for one in cards)
        for batch_id, finish in finishes.batches.items():
            open_now = [one for one in cards if one.batch_id == batch_id and one.state not in FINAL | {State.MADE}]
            assert (finish is None) == bool(open_now)


def test_a_bundle_that_is_opened_again_is_finished_later():
    floor = Forked(5, 0.25, batches=1, faults=0.0)
    finishes = Finishes(floor.state)
    batch_id = next(iter(finishes.batches))
    cards = [one.card for one in floor.state.cards.values()]
    unit = floor.state.cards[cards[0]].unit
    assert not finishes.is_over()
    assert finishes.left() == len([one for one in floor.state.cards.values() if one.state not in (State.MADE, *FINAL)])
    left = [one for one in floor.state.cards.values() if one.state is not State.MADE]
    finishes.fold(9_000.0, m.BundleMade(900, batch_id, unit, [one.card for one in left], "k1"))
    assert finishes.is_over()
    assert finishes.is_over({batch_id})
    finishes.fold(9_100.0, BundleOpened(900, "drift"))
    assert not finishes.is_over()
    assert not finishes.is_over({batch_id})
    finishes.fold(9_500.0, m.BundleMade(901, batch_id, unit, [one.card for one in left], "k1"))
    assert finishes.batches == {batch_id: 9_500.0}
