"""A batch closes when all of it is dispatched, refused or cancelled: never before, and always then."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core import events as e
from controller.core import moves as m
from controller.core.cards import State
from controller.core.settings import CoreConfig, PlanConfig
from tests.controller.core.test_packing_exit import DoorFloor

ENDS = ("refuse", "cancel", "refuse_late")


class CountingFloor(DoorFloor):
    """A floor whose open cards are counted by the test alone, from what the moves say became of each."""

    def __init__(self, seed: int, config: CoreConfig, trouble: float) -> None:
        self.open: dict[int, set[int]] = {}  # batch -> cards that have not come to an end
        self.bundled: dict[int, list[int]] = {}
        self.closed: list[int] = []
        super().__init__(seed, config, trouble)

    def keep(self, at, event, moves):
        for move in moves:
            self._take(move)
        empty = [batch for batch, cards in self.open.items() if not cards]
        assert empty == [], "nothing of it is open, and it is not closed"
        assert self.open.keys() == self.state.batches.keys()
        super().keep(at, event, moves)

    def _take(self, move: m.AnyMove) -> None:
        if isinstance(move, m.BatchOpened):
            cards = {move.batch_id * 10_000 + row.index for row in move.rows if row.verdict != m.Verdict.REFUSE}
            self.open[move.batch_id] = cards
        elif isinstance(move, m.CardDecided) and move.decision in ENDS:
            self.open[move.card // 10_000].remove(move.card)
        elif isinstance(move, m.BundleMade):
            self.bundled[move.bundle_id] = move.cards
        elif isinstance(move, m.ConsignmentSent):
            for bundle in move.bundles:
                self.open[move.batch_id] -= set(self.bundled[bundle])
        elif isinstance(move, m.BatchClosed):
            assert not self.open.pop(move.batch_id), "closed, and some of it is open"
            assert move.received == move.refused + move.cancelled + move.refused_late + move.dispatched
            self.closed.append(move.batch_id)

    def run_to_end(self) -> None:
        """Let people do what there is to do, with one dispatch at a time, until nothing waits."""
        for _ in range(400):
            self.host.run()
            if not self.state.batches:
                return
            now = self.host.now_floor_s
            for station in ("l1", "l2"):
                if self.state.stock.in_magazine(station, 8) < 3:
                    self.fill(60)
                    break
            self.settle_suspects()
            self.look_through_piles()
            for station in list(self.state.station_holds):
                self.host.handle(e.ReleaseAsked(station, "ann"), now)
            for card in list(self.state.cards.values()):
                decision = {State.HELD: "release", State.STOPPED: "refuse_late"}.get(card.state)
                if decision:
                    self.host.handle(e.DecisionMade(card.card, decision, "ann", "looked"), now)
            for batch in list(self.state.batches.values()):
                if batch.bundles:
                    self.host.handle(e.DispatchAsked(batch.batch_id, "ann", list(batch.bundles)), now)
        raise AssertionError(f"{len(self.state.batches)} batches never closed")


batches = st.lists(
    st.tuples(st.integers(1, 14), st.integers(0, 4), st.integers(0, 4)).filter(lambda one: one[1] + one[2] <= one[0]),
    min_size=1,
    max_size=3,
)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    batches=batches,
    by_hand=st.booleans(),
    trouble=st.sampled_from([0.0, 0.05, 0.2]),
    cancels=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 13), st.integers(0, 3_000)), max_size=6),
)
def test_a_batch_never_closes_before_its_last_card_ended_and_always_closes_then(
    seed, batches, by_hand, trouble, cancels
):
    config = CoreConfig(plan=PlanConfig(auto_dispatch=not by_hand, bundle_max=2))
    floor = CountingFloor(seed, config, trouble)
    for number, (cards, holds, refused) in enumerate(batches, 1):
        floor.submit(10.0 * number, number, cards, holds, refused)
    for number, index, at in cancels:  # some too late, some of nobody
        card = (number % len(batches) + 1) * 10_000 + index
        floor.host.push(40.0 + at, e.DecisionMade(card, "cancel", "ann", "upstream asked"))
    floor.run_to_end()
    assert sorted(floor.closed) == list(range(1, len(batches) + 1))
    assert floor.refolded() == floor.state
