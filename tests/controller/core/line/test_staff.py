"""People of a pretend line: whatever waits for somebody is done in time, in their hours, as the ledger says they do."""

from __future__ import annotations

from functools import cache

import pytest

from controller.core import hold_events as h
from controller.core import moves as m
from controller.core.cards import MOVES, Decision, State
from controller.core.events import BatchChecked, DecisionMade, RestoreAccepted, ServiceBegan
from controller.core.line.draws import Draws
from controller.core.line.estimates import Estimator
from controller.core.line.figures import Estimates
from controller.core.line.finishes import Finishes
from controller.core.line.fork import Fork
from controller.core.line.hours import PeopleHours
from controller.core.line.nature import Nature
from controller.core.line.run import run_line
from controller.core.line.staff import GOES_ON, WAITING, fitting
from controller.core.moves import RowVerdict, Verdict
from controller.core.review_folds import SHARED_NUMBER
from controller.core.review_moves import CardContested
from controller.core.settings import CalendarConfig, CoreConfig
from controller.hosts.heap import HeapHost
from tests.controller.core.line.forked_floor import UNITS, Forked

HOUR_S, DAY_S = 3_600.0, 86_400.0
SHIFT = CalendarConfig(shifts="08:00-16:00", weekdays="1234567", shift_hours=8.0)
CARDS = 24


class Waiting(Forked):
    """A floor at work, and on it batches of which some cards wait for people."""

    def __init__(self, *codes: list[str], held: int = 3) -> None:
        super().__init__(7, 1.0, every_s=300.0)
        self.foreman, self.held_batches = self.floor.foreman, []
        for number, said in enumerate(codes, max(self.state.batches) + 1):
            rows = [_row(place, said if place < held else None) for place in range(CARDS)]
            self.tell(BatchChecked(number, f"b{number}", "north", "second", self.now, self.now + 20 * DAY_S, rows))
            self.held_batches.append(number)
        self.take()

    def tell(self, event, later_s: float = 0.0) -> None:
        """Give the foreman an event, and the estimator its moves; nobody does what it asks for then."""
        for move in self.foreman.handle(event, self.now + later_s).moves:
            self.estimator.fold(self.now + later_s, move)

    def take(self) -> None:
        """Take the fork of now."""
        self.estimates, self.fork = self.estimator.estimates(), Fork.of(self.state)


def _row(place, codes):
    return RowVerdict(place, "", UNITS[place % 3], Verdict.OK if codes is None else Verdict.HOLD, codes or [])


@cache
def waiting() -> Waiting:
    """A floor with a batch that one person decides about, and one that takes two; nobody changes it."""
    return Waiting(["name.single"], [SHARED_NUMBER])


def runs(floor, count=12, hours=14 * 24.0):
    return [floor.run(seed, hours=hours) for seed in range(count)]


# ---- nothing waits for ever --------------------------------------------------------------------------------------


def test_batches_with_held_cards_are_finished_and_so_are_those_that_take_two_people():
    floor = waiting()
    for run in runs(floor):
        assert None not in run.batches.values()
        assert run.batches.keys() > set(floor.held_batches)


def test_cards_that_do_not_wait_for_people_are_finished_first_and_are_told_apart():
    floor = waiting()
    assert Finishes(floor.state).waiting == {(floor.held_batches[0], "held"): 3, (floor.held_batches[1], "override"): 3}
    for run in runs(floor, 4):
        assert run.others.keys() == set(floor.held_batches)
        assert all(run.others[one] <= run.batches[one] for one in floor.held_batches)


def test_a_stopped_card_that_another_person_contests_goes_on_by_two_or_ends():
    floor = Waiting([SHARED_NUMBER])
    (card, *_) = [one for one in floor.state.cards.values() if one.state is State.READY]
    number = max(floor.state.batches) + 1
    rows, due = [_row(0, [SHARED_NUMBER])], floor.now + 20 * DAY_S
    floor.tell(
        BatchChecked(number, "rival", "north", "second", floor.now, due, rows, contests=[(card.card, number * 10_000)])
    )
    floor.take()
    assert floor.state.contested
    assert all(None not in run.batches.values() for run in runs(floor, 6))


def test_cards_and_batches_that_people_hold_are_released_and_finished():
    floor = Waiting(["name.single"])
    (card, *_) = [one for one in floor.state.cards.values() if one.state is State.READY]
    floor.tell(h.CardHoldAsked(card.card, "later", "ann"))
    floor.tell(h.BatchHoldAsked(floor.held_batches[0], "later", "ann"))
    floor.take()
    assert all(None not in run.batches.values() for run in runs(floor, 6))


def test_a_restored_ledger_is_compared_with_the_floor_and_then_work_goes_on():
    floor = Waiting(["name.single"])
    floor.tell(ServiceBegan(), 1.0)
    floor.tell(RestoreAccepted(1, 1_000, ["north"]), 1.0)
    floor.take()
    assert floor.state.reconciling
    for run in runs(floor, 6):
        assert None not in run.batches.values()
        assert min(run.batches.values()) > floor.now


def test_blanks_that_are_at_their_end_come_again_though_none_came_after_the_first():
    floor = waiting()
    state = floor.fork.state()
    del state.stock.vault[:]
    for ranges in state.stock.magazines.values():
        ranges[0].sheets = 60  # too few for what is open, whatever spoils
    assert not floor.estimates.magazines.deliveries
    assert floor.estimates.magazines.first_sheets
    for seed in range(6):
        run = run_line(Fork.of(state), CoreConfig(), floor.estimates, floor.now, seed, make_host=HeapHost)
        assert ("blanks", "") in {(one.what, one.where) for one in run.starving}
        assert None not in run.batches.values()


def test_stations_that_are_not_heard_since_the_service_began_come_back_within_the_hour_mostly():
    floor = Waiting(["name.single"])
    offs = {name: one.offs for name, one in floor.estimates.stations.items()}
    floor.tell(ServiceBegan(), 5.0)
    floor.take()
    assert all(one.quiet for one in floor.estimates.stations.values())
    assert {name: one.offs for name, one in floor.estimates.stations.items()} == offs, "a restart is no fault of theirs"
    for run in runs(floor, 6):
        assert None not in run.batches.values()
        assert run.made[0][0] < floor.now + 6 * HOUR_S


# ---- as long as people took --------------------------------------------------------------------------------------


def test_the_times_and_decisions_of_the_ledger_are_those_of_the_runs():
    nature = Nature(decided("held", [(DAY_S, "release")] * 200), Draws(1))
    assert {nature.finding("held", f"card {number}") for number in range(20)} == {"release"}
    days = [nature.wait("held").value(number / 100) / DAY_S for number in range(100)]
    assert sum(0.8 < one < 1.25 for one in days) > 90


def decided(word: str, seen: list[tuple[float, str]]) -> Estimates:
    """Give what the moves of so many decisions say, each about a batch of one card."""
    estimator = Estimator()
    codes = [SHARED_NUMBER] if word == "override" else ["name.single"]
    for number, (waits_s, decision) in enumerate(seen, 1):
        at = number * 10 * DAY_S
        estimator.fold(at, m.BatchOpened(number, "n", "north", "second", at, at + DAY_S, [_row(0, codes)]))
        estimator.fold(at + waits_s, m.CardDecided(number * 10_000, decision, "ann", "looked", "bob"))
    return estimator.estimates()


@pytest.mark.parametrize("word", ["held", "override"])
def test_each_kind_of_wait_is_counted_by_itself(word):
    estimates = decided(word, [(100.0, "release"), (300.0, "refuse"), (200.0, "release")])
    assert estimates.waits.keys() == {word}
    assert (estimates.waits[word].count, estimates.waits[word].total) == (3, 600.0)
    assert estimates.findings == {word: {"release": 2, "refuse": 1}}


def test_a_held_card_that_another_person_contests_waits_for_two_since_it_was_held():
    estimator = Estimator()
    estimator.fold(0.0, m.BatchOpened(1, "n", "north", "second", 0.0, DAY_S, [_row(0, ["name.single"])]))
    estimator.fold(50.0, CardContested(10_000, 20_000, False))
    estimator.fold(80.0, m.CardDecided(10_000, "refuse", "ann", "looked"))
    assert estimator.estimates().waits["override"].total == 80.0


def test_decisions_of_one_visit_are_told_from_those_of_many():
    for gap_s, together, apart in ((10.0, {"held": 9}, {}), (HOUR_S, {}, {"held": 9})):
        estimator = Estimator()
        rows = [_row(place, ["name.single"]) for place in range(10)]
        estimator.fold(0.0, m.BatchOpened(1, "n", "north", "second", 0.0, DAY_S, rows))
        for place in range(10):
            estimator.fold(HOUR_S + place * gap_s, m.CardDecided(10_000 + place, "release", "ann", "looked"))
        assert (estimator.estimates().together, estimator.estimates().apart) == (together, apart)


def test_cards_of_a_batch_are_decided_about_in_one_visit_where_people_did_so_before():
    spans = []
    for together, apart in ((1_000, 0), (0, 1_000)):
        floor, seen = waiting(), {}
        estimates = floor.estimator.estimates()
        estimates.together["held"], estimates.apart["held"] = together, apart
        for seed in range(4):
            seen = when_decided(floor, estimates, seed)
            spans.append((together > 0, max(seen) - min(seen)))
    assert max(span for is_one, span in spans if is_one) == 0.0
    assert min(span for is_one, span in spans if not is_one) > 0.0


def when_decided(floor, estimates, seed):
    """Give the times at which the cards of the first batch with held ones are decided about in a run."""
    seen = []

    class Host(HeapHost):
        def handle(self, event, at_floor_s):
            if isinstance(event, DecisionMade) and event.card // 10_000 == floor.held_batches[0]:
                seen.append(at_floor_s)
            return super().handle(event, at_floor_s)

    run_line(floor.fork, CoreConfig(), estimates, floor.now, seed, make_host=Host)
    return seen


@pytest.mark.parametrize("state", WAITING)
@pytest.mark.parametrize("decision", list(Decision))
def test_a_decision_seen_of_one_state_is_taken_for_its_like_in_another(state, decision):
    found = fitting(decision, state)
    assert (state, found) in MOVES
    assert (found in GOES_ON) == (decision in GOES_ON)


# ---- people's hours ----------------------------------------------------------------------------------------------


def test_outside_their_hours_nobody_is_there():
    hours = PeopleHours(SHIFT)
    assert hours.between(0.0, 8 * HOUR_S) == 0.0
    assert hours.between(15 * HOUR_S, DAY_S + 9 * HOUR_S) == 2 * HOUR_S
    assert hours.after(15 * HOUR_S, 2 * HOUR_S) == DAY_S + 9 * HOUR_S
    assert hours.after(20 * HOUR_S, 0.0) == DAY_S + 8 * HOUR_S
    for begin in (0.0, 9.5 * HOUR_S, 17 * HOUR_S, 3 * DAY_S):
        for there_s in (1.0, HOUR_S, 30 * HOUR_S):
            assert hours.between(begin, hours.after(begin, there_s)) == pytest.approx(there_s)


def test_without_shifts_there_is_somebody_always_and_with_them_on_working_days():
    always = PeopleHours()
    assert (always.between(5.0, 9.0), always.between(9.0, 5.0), always.after(5.0, 4.0)) == (4.0, 0.0, 9.0)
    mondays = PeopleHours(CalendarConfig(shifts="08:00-16:00", weekdays="1"))  # day 0 was a Thursday
    assert mondays.between(0.0, 7 * DAY_S) == 8 * HOUR_S
    assert mondays.after(0.0, 10.0) == 4 * DAY_S + 8 * HOUR_S + 10.0


def test_nothing_is_decided_at_night_and_a_night_makes_no_wait_longer_in_the_record():
    floor, seen = waiting(), []

    class Host(HeapHost):
        def handle(self, event, at_floor_s):
            if isinstance(event, DecisionMade):
                seen.append(at_floor_s)
            return super().handle(event, at_floor_s)

    config = CoreConfig(calendar=SHIFT)
    run = run_line(floor.fork, config, floor.estimates, floor.now, 2, make_host=Host)
    assert None not in run.batches.values()
    assert seen
    assert all(8 <= at % DAY_S / HOUR_S <= 16 for at in seen)
    estimator = Estimator(SHIFT)
    at = 15.5 * HOUR_S
    estimator.fold(at, m.BatchOpened(1, "n", "north", "second", at, DAY_S, [_row(0, ["name.single"])]))
    estimator.fold(DAY_S + 8.5 * HOUR_S, m.CardDecided(10_000, "release", "ann", "looked"))
    assert estimator.estimates().waits["held"].total == HOUR_S
