"""`why`: one sentence for whatever is on the floor, which says what the foreman then does."""

from __future__ import annotations

import string
import sys
from types import SimpleNamespace

import pytest

from controller import commands
from controller.core import events as e
from controller.core.cards import Card, State, rank_of
from controller.core.moves import BatchOpened, RowVerdict, Verdict
from controller.core.review_folds import SHARED_NUMBER
from controller.core.settings import CoreConfig, PlanConfig
from controller.core.state import FloorState
from controller.core.stock import Account
from controller.core.tally import Tally
from controller.core.turn import Refused
from controller.core.why.sentences import EN, WORDS_ZH, ZH, clock_text
from controller.core.why.why import why
from controller.desk.desk import Desk
from controller.wire import Command, Done, Refusal
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.ledger.desk import Desk as LedgerDesk

SLOW = CoreConfig(plan=PlanConfig(sheet_wait_s=5_000.0, press_wait_s=7_000.0))


def ask(floor, thing, now=None):
    state, config = floor.state, floor.foreman.config
    return why(state, config, floor.host.now_floor_s if now is None else now, thing)


def things(state):
    yield from state.stations
    yield from (batch.batch_number for batch in state.batches.values())
    yield from (f"sheet {number}" for number in state.sheets)
    yield from (f"card {number}" for number in state.cards)


def walk(floor, until, check):
    """Go from turn to turn, and check after each."""
    keep = floor.host._keep

    def kept(at, event, moves):
        keep(at, event, moves)
        check(at)

    floor.host._keep = kept
    floor.host.run(until)


def off(floor, station, state="stopped", reason="cleaning"):
    floor.host.handle(e.StationReported(station, state, reason, floor.host.now_floor_s), floor.host.now_floor_s)


def on(floor, station):
    off(floor, station, "idle", "")


def until_because(floor, thing, because, latest=5_000):
    """Go on second by second until `why` gives this rule for a thing; then its reason."""
    for at in range(int(floor.host.now_floor_s), latest):
        floor.host.run(at)
        reason = ask(floor, thing())
        if not isinstance(reason, Refused) and reason.facts["because"] == because:
            return reason
    raise AssertionError(f"{because} was never the reason")


def last_ready(floor):
    ready = floor.state.ready.get("second")
    return ready[-1][-1] if ready else 0


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_each_sentence_stands_in_both_languages_with_the_same_facts():
    assert list(EN) == list(ZH)
    assert {key: fields(EN[key]) for key in EN} == {key: fields(ZH[key]) for key in ZH}
    assert all(state.value in WORDS_ZH for state in State)
    assert all(step.value in WORDS_ZH for step in Step)


@pytest.mark.parametrize("seed", range(6))
def test_everything_on_a_rough_floor_has_a_sentence_at_every_turn_and_looking_changes_nothing(seed):
    floor, seen = RoughFloor(seed, trouble=[0.02, 0.1, 0.2][seed % 3]), set()

    def check(at):
        for thing in things(floor.state):
            reason = ask(floor, thing)
            seen.add(reason.facts["because"])
            assert "{" not in reason.sentence_en + reason.sentence_zh
            assert reason.sentence_en.endswith(".")
            assert reason.sentence_zh.endswith("。")
            assert len(reason.beaten) <= 3

    for batch in range(1, 4):
        floor.submit(200.0 * batch, batch, cards=30, holds=3, refused=1)
    walk(floor, 3_000.0, check)
    assert floor.refolded() == floor.state
    assert {"works", "press_until", "held", "nothing", "more", "encoding"} <= seen


def test_a_sheet_that_waits_for_more_cards_is_imposed_at_the_time_that_was_said():
    floor = RoughFloor(1, SLOW, trouble=0.0)
    off(floor, "l1")
    off(floor, "l2")  # a free press would wait with the first sheet for these five cards
    floor.submit(0.0, 1, cards=13)
    reason = until_because(floor, lambda: f"card {last_ready(floor)}", "sheet_until")
    last = last_ready(floor)
    until = reason.facts["until_floor_s"]
    assert reason.facts["filled"] == 5
    assert clock_text(until, floor.host.now_floor_s) in reason.sentence_en
    assert clock_text(until, floor.host.now_floor_s) in reason.sentence_zh
    free = next(name for name in ("p1", "p2") if not floor.state.stations[name].job_id)
    assert ask(floor, free).facts["until_floor_s"] == until
    floor.host.run(until - 0.001)
    assert floor.state.cards[last].state is State.READY
    floor.host.run(until)
    assert floor.state.cards[last].state is State.IMPOSED


def test_a_press_that_waits_for_more_films_starts_at_the_time_that_was_said():
    floor = RoughFloor(2, SLOW, trouble=0.0)
    off(floor, "l1")
    floor.submit(0.0, 1, cards=61)  # seven full sheets, and five cards that no printer takes: films may come
    until_because(floor, lambda: f"card {last_ready(floor)}", "sheet_until")
    off(floor, "p1")
    off(floor, "p2")
    floor.host.run(400.0)
    reason = ask(floor, "sheet 1")
    until = reason.facts["until_floor_s"]
    assert (reason.facts["load"], reason.facts["load_max"], reason.facts["station"]) == (7, 24, "l2")
    assert "7 of 24" in reason.sentence_en
    assert ask(floor, "card 10000").facts["until_floor_s"] == until
    assert ask(floor, "l2").facts["until_floor_s"] == until
    floor.host.run(until - 0.001)
    assert not floor.state.stations["l2"].job_id
    floor.host.run(until)
    assert floor.state.stations["l2"].job_id == floor.state.sheets[1].job_id


def test_the_cards_that_go_before_a_ready_one_are_counted_by_rule_and_are_imposed_before_it():
    floor = RoughFloor(3, trouble=0.0)
    off(floor, "p1")
    off(floor, "p2", "held", "jam")
    rows = [RowVerdict(i, f"{i:022d}", "520102001", Verdict.OK, [], [], i < 3) for i in range(30)]
    floor.host.push(1.0, e.BatchChecked(1, f"{1:025d}", "north", "second", 1.0, 90_000.0, rows))
    early = [RowVerdict(i, f"{100 + i:022d}", "520102001", Verdict.OK) for i in range(4)]
    floor.host.push(1.0, e.BatchChecked(2, f"{2:025d}", "north", "second", 1.0, 80_000.0, early))
    floor.host.run(60.0)
    down = ask(floor, "card 10010")
    assert (down.facts["because"], down.facts["station"], down.facts["reason"]) == ("down", "p1", "cleaning")
    told = [down.facts[name] for name in ("ahead", "remakes", "express", "earlier")]
    assert told == [14, 0, 3, 4]
    assert down.beaten[0] == "card 10009 before it: place in its batch"
    assert ask(floor, "card 10003").beaten[0] == "card 20003 before it: its batch's turn"
    order = sorted(floor.state.cards.values(), key=lambda card: ask(floor, f"card {card.card}").facts["ahead"])
    on(floor, "p1")
    first = [number for number in floor.state.sheets[1].cards if number]
    assert [card.card for card in order[:8]] == first


def test_a_card_says_that_printing_pauses_while_films_pile_up():
    config = CoreConfig(plan=PlanConfig(films_max=24))
    floor = RoughFloor(4, config, trouble=0.0)
    off(floor, "l1")
    off(floor, "l2")
    floor.submit(0.0, 1, cards=400)
    floor.host.run(5_000.0)
    films = len(floor.state.waiting[Step.LAMINATE])
    ready = floor.state.ready["second"][0][-1]
    assert films >= 24
    assert ask(floor, f"card {ready}").facts["films"] == films
    assert ask(floor, f"card {ready}").facts["because"] == ask(floor, "p1").facts["because"] == "paused"
    assert ask(floor, "sheet 1").facts["because"] == "down"


def test_an_empty_magazine_a_missing_step_and_a_busy_one_are_named():
    floor = RoughFloor(5, trouble=0.0)
    stock = floor.state.stock
    stock.magazines.clear()
    stock.received -= stock.blanks[Account.MAGAZINE]
    stock.blanks[Account.MAGAZINE] = 0
    floor.submit(0.0, 1, cards=80)
    floor.host.run(300.0)
    assert ask(floor, "sheet 1").facts["because"] == ask(floor, "l1").facts["because"] == "empty"
    assert ask(floor, "sheet 1").facts["names"] == "l1, l2"
    busy = RoughFloor(5, trouble=0.0)
    busy.submit(0.0, 1, cards=200)
    assert "p1, p2" in until_because(busy, lambda: "card 10190", "busy").sentence_en
    del busy.state.stations["p1"], busy.state.stations["p2"]
    assert ask(busy, "card 10190").facts["because"] == "none"


@pytest.mark.parametrize(
    ("state", "word"),
    [("stopped", "operator"), ("held", "inside"), ("suspended", "outside"), ("aborted", "broke"), ("silent", "hear")],
)
def test_a_station_that_does_not_run_says_who_or_what_holds_it_and_since_when(state, word):
    floor = RoughFloor(6, trouble=0.0)
    floor.host.run(3_600.0)
    floor.host.handle(e.StationReported("w1", state, "jam", 3_660.0), 3_700.0)
    reason = ask(floor, "w1")
    assert word in reason.sentence_en
    assert "01:01 (jam)" in reason.sentence_en
    assert reason.beaten == ["w2: idle"]


def test_held_stopped_and_suspect_cards_say_which_people_they_wait_for():
    floor = RoughFloor(7, trouble=0.0)
    floor.submit(0.0, 1, cards=12, holds=2)
    floor.host.run(0.0)
    assert "held for x: one person" in ask(floor, "card 10000").sentence_en
    floor.state.holds[10_001] = [SHARED_NUMBER]
    assert ask(floor, "card 10001").facts["because"] == "held_two"
    turn = floor.host.handle(e.ActAsked("override", {"card": 10_001, "reason": "twins"}, "ann"), 1.0)
    assert ask(floor, "card 10001").facts["act_id"] == turn.answer
    reason = until_because(floor, lambda: "sheet 1", "works")
    job = floor.state.jobs[reason.facts["job_id"]]
    off(floor, job.station, "aborted", "smoke")
    assert ask(floor, "sheet 1").facts["because"] == "works_not"
    assert ask(floor, job.station).facts["job_id"] == job.job_id
    on(floor, job.station)
    at = floor.host.now_floor_s
    while floor.state.sheets[1].step is not Step.PUNCH or not floor.state.sheets[1].job_id:
        floor.host.run(at := at + 1)
    job = floor.state.jobs[floor.state.sheets[1].job_id]
    floor.host.handle(e.JobForgotten(job.station, job.job_id), floor.host.now_floor_s)
    card = floor.state.sheets[1].cards[0]
    assert ask(floor, f"card {card}").facts == ask(floor, "sheet 1").facts
    assert ask(floor, "sheet 1").facts["because"] == "suspect"
    assert ask(floor, "sheet 1").facts["mask"] == floor.state.sheets[1].suspect
    assert f"card {card}" in ask(floor, f"{1:025d}").sentence_en.lower() or floor.state.batches[1].states[State.HELD]
    state = FloorState()
    state.cards[5] = Card(5, 1, "u", State.STOPPED, rank_of(5, 9, False, 1.0, 1, "u"), generation=9)
    stopped = why(state, CoreConfig(), 0.0, "card 5")
    assert (stopped.facts["attempts"], stopped.facts["codes"]) == (8, "remake.attempts")
    assert why(state, CoreConfig(), 0.0, "card 5", "face.no_glyph").facts["codes"] == "face.no_glyph"


def test_a_good_card_waits_for_as_many_of_its_police_station_as_may_come():
    floor = RoughFloor(8, trouble=0.0)
    floor.submit(0.0, 1, cards=60)

    def one():
        return next((f"card {card.card}" for card in floor.state.cards.values() if card.state is State.GOOD), "p1")

    reason = until_because(floor, one, "more")
    pile = (1, reason.facts["unit"])
    assert reason.facts["pile"] == len(floor.state.piles[pile])
    may_come = [card for card in floor.state.cards.values() if card.unit == pile[1]]
    assert reason.facts["making"] == sum(card.state in (State.READY, State.IMPOSED) for card in may_come)
    off(floor, "k1")
    assert ask(floor, one()).facts["because"] == "down"


def test_a_made_card_waits_for_the_rest_of_its_batch_or_for_a_person():
    floor = RoughFloor(9, trouble=0.0)
    floor.submit(0.0, 1, cards=60)

    def made():
        return next((f"card {card.card}" for card in floor.state.cards.values() if card.state is State.MADE), "p1")

    reason = until_because(floor, made, "made")
    assert reason.facts["in_making"] == floor.state.batches[1].in_making() > 0
    manual = CoreConfig(plan=PlanConfig(auto_dispatch=False))
    assert why(floor.state, manual, 0.0, made()).facts["because"] == "made_asked"


def test_a_batch_counts_its_cards_and_names_what_holds_the_last_one():
    floor = RoughFloor(10, trouble=0.0)
    off(floor, "w1")
    off(floor, "w2")
    floor.submit(0.0, 1, cards=20)
    floor.host.run(3_000.0)
    reason = ask(floor, f"{1:025d}")
    assert reason.facts["count_imposed"] == 20
    assert (reason.facts["because"], reason.facts["step"], reason.facts["late_s"]) == ("down", "write", 0.0)
    assert "20 imposed" in reason.sentence_en
    assert "20 已拼版" in reason.sentence_zh
    assert ask(floor, f"{1:025d}", now=10 * 86_400.0).facts["late_s"] > 0


@pytest.mark.parametrize(
    "thing", ["", "card", "card x", "card ٣", "card 99", "sheet 10000000000000000000000", "p9", "1" * 25]
)
def test_what_is_not_on_the_floor_is_refused_with_a_code(thing):
    refused = ask(RoughFloor(11), thing)
    assert (type(refused), refused.code) == (Refused, "why.unknown")


@pytest.mark.parametrize("since", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_is_none_breaks_no_sentence(since):
    floor = RoughFloor(12)
    floor.host.handle(e.StationReported("p1", "held", "", since), 0.0)
    assert "--:--" in ask(floor, "p1").sentence_en


def test_a_time_of_another_day_shows_its_date():
    assert clock_text(86_400.0 + 60, 86_400.0 + 120) == "00:01"
    assert clock_text(60.0, 86_400.0 * 3) == "01-01 00:01"


def test_an_answer_costs_little_with_forty_thousand_ready_cards():
    floor = RoughFloor(13, trouble=0.0)
    off(floor, "p1")
    off(floor, "p2")
    for batch in range(1, 5):
        rows = [RowVerdict(i, f"{batch}{i:021d}", f"52010{i % 400:04d}", Verdict.OK) for i in range(10_000)]
        opened = BatchOpened(batch, f"{batch:025d}", "north", "second", 0.0, 9e4 + batch, rows)
        floor.foreman.replay(0.0, opened)
    for rank in list(floor.state.unencoded):
        floor.state.set_card(floor.state.cards[rank[-1]], State.READY, 0.0)
    assert sum(map(len, floor.state.ready.values())) == 40_000
    for thing in ["card 10000", "card 49999", "p1", "l1", "k1", f"{3:025d}"]:
        calls = calls_of(lambda thing=thing: ask(floor, thing))
        assert calls < (60_000 if len(thing) == 25 else 6_000), (thing, calls)  # a batch asks each of its cards


def calls_of(work):
    """Give how many calls a piece of work makes: a cost that no loaded machine changes."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


class Ledger:
    """A ledger that knows one application, and commits at once."""

    def __init__(self, card):
        self.reader, self.reading = self, LedgerDesk().engine
        self._row = SimpleNamespace(card_id=card, stopped_for="face.no_glyph")

    async def write(self, change):
        return None

    def cards_of(self, acceptance_number):
        return [self._row] if acceptance_number == "7" * 22 else []

    def card(self, number):
        return self._row


async def test_an_operator_asks_by_acceptance_number_and_hears_the_ledgers_code_or_a_refusal():
    floor = RoughFloor(14, trouble=0.0)
    floor.submit(0.0, 1, cards=3)
    floor.host.run(0.0)
    state = floor.state
    state.cards[10_000].state = State.STOPPED
    clock = SimpleNamespace(now_floor_s=lambda: 0.0)
    desk = Desk(Ledger(10_000), state, Tally(), clock, True, 4_000.0, lambda event: None)
    told = await commands.answer(desk, "ann", Command(verb="why", args={"thing": "7" * 22}))
    assert isinstance(told, Done)
    assert told.result["facts"]["codes"] == "face.no_glyph"
    assert set(told.result) == {"sentence_en", "sentence_zh", "facts", "beaten"}
    refused = await commands.answer(desk, "ann", Command(verb="why", args={"thing": "8" * 22}))
    assert isinstance(refused, Refusal)
    assert refused.code == "why.unknown"
