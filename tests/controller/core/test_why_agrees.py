"""`why` agrees with what the next turns do: a `now` is followed by a start, an `until` is not exceeded."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.core import events as e
from controller.core.cards import State
from controller.core.moves import JobStarted, RowVerdict, SheetImposed, StationJoined, Verdict
from controller.core.plan import Because
from controller.core.settings import CalendarConfig, CoreConfig, PlanConfig
from controller.core.state import FloorState
from controller.core.turn import Refused
from controller.core.why.sentences import EN, ZH, rule_key
from controller.core.why.why import why
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor

HOUR_S = 3_600.0
WAITING = ("sheet_until", "press_until")
DAY = CalendarConfig(
    shifts="08:00-09:00", weekdays="1234567", maintenance="l2 1970-01-01T08:10/1970-01-01T08:40, c1 1970-01-01T08:20/"
    "1970-01-01T08:30",
)  # fmt: skip
CONFIGS = [
    CoreConfig(),
    CoreConfig(plan=PlanConfig(sheet_wait_s=40.0, press_wait_s=25.0, films_max=24, sheets_max=24)),
    CoreConfig(calendar=DAY),
]


class Asked:
    """A rough floor that is asked about everything at each turn's end, and right before each turn at its time."""

    def __init__(self, seed: int, config: CoreConfig, trouble: float) -> None:
        self.floor, self.seen, self.started = RoughFloor(seed, config, trouble=trouble), Counter(), 0
        self._keep, self._handle = self.floor.host._keep, self.floor.host.handle
        self.floor.host._keep, self.floor.host.handle = self.keep, self.handle

    def ask(self, thing: str, at: float):
        reason = why(self.floor.state, self.floor.foreman.config, at, thing)
        assert not isinstance(reason, Refused), thing
        return reason

    def things(self, cards: bool):
        state = self.floor.state
        yield from state.stations
        yield from (f"sheet {number}" for number in state.sheets)
        if cards:
            yield from (f"card {number}" for number in state.cards)
            yield from (batch.batch_number for batch in state.batches.values())

    def keep(self, at, event, moves):
        """After a turn whatever could start has started, so nothing says `now` and every time lies ahead."""
        self._keep(at, event, moves)
        for thing in self.things(cards=self.floor.random.random() < 0.1):
            reason = self.ask(thing, at)
            because, until = reason.facts["because"], reason.facts.get("until_floor_s")
            self.seen[because] += 1
            assert because not in ("now", "others_now"), (thing, reason)
            assert until is None or until > at, (thing, reason)
            assert "{" not in reason.sentence_en + reason.sentence_zh
            assert reason.sentence_en.endswith(".")
            assert reason.sentence_zh.endswith("。")

    def handle(self, event, at):
        """Before a turn that only a timer causes, what says `now` is in what that turn starts."""
        if not isinstance(event, e.TimerFired):
            return self._handle(event, at)
        told = {thing: self.ask(thing, at).facts["because"] for thing in self.things(cards=True)}
        now = {thing for thing, because in told.items() if because == "now"}
        turn = self._handle(event, at)
        jobs = [move for move in turn.moves if isinstance(move, JobStarted)]
        assert bool(now) == bool(jobs), (now, jobs)
        cards = {card for move in turn.moves if isinstance(move, SheetImposed) for card in move.cards}
        cards |= {card for job in jobs for card in job.cards}
        stations, sheets = {job.station for job in jobs}, {sheet for job in jobs for sheet in job.sheets}
        for thing in now:
            noun, _, number = thing.partition(" ")
            if noun == "sheet":
                assert int(number) in sheets
            elif noun == "card" and int(number) not in cards:
                assert self.floor.state.cards[int(number)].sheet_id in sheets
        steps = {job.step for job in jobs}
        assert stations & now or not jobs
        assert all(self.floor.state.stations[one].step in steps for one in now if one in self.floor.state.stations)
        self.started += len(jobs)
        return turn


@pytest.mark.parametrize("config", CONFIGS, ids=["default", "short waits", "shifts"])
@pytest.mark.parametrize("seed", range(3))
def test_what_says_now_starts_with_the_next_turn_and_no_time_that_was_said_passes_by(seed, config):
    asked = Asked(seed, config, trouble=[0.0, 0.05, 0.15][seed])
    begin = 8 * HOUR_S if config.calendar.shifts else 0.0
    for batch, cards in enumerate((29, 27, 43), start=1):
        asked.floor.submit(begin + 500.0 * batch, batch, cards=cards, holds=2, refused=1)
    asked.floor.host.run(begin + 2 * HOUR_S)
    assert asked.started > 0 or config is not CONFIGS[1]
    assert {"works", "nothing"} <= set(asked.seen)
    assert set(WAITING) & set(asked.seen)
    if config.calendar.shifts:
        assert {"closed", "all_closed"} & set(asked.seen)
    assert asked.floor.refolded() == asked.floor.state


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_in_a_job_tells_the_rule_it_started_by_and_what_it_was_chosen_before(seed):
    floor, rules = RoughFloor(seed, trouble=0.05), set()
    keep = floor.host._keep

    def kept(at, event, moves):
        keep(at, event, moves)
        for job in floor.state.jobs.values():
            for thing in [job.station, *(f"sheet {one}" for one in job.sheets), *(f"card {one}" for one in job.cards)]:
                reason = why(floor.state, floor.foreman.config, at, thing)
                assert reason.facts["rule"] == job.because
                assert EN[rule_key(job.because)] in reason.sentence_en or rule_key(job.because) == "by_other"
                assert ZH[rule_key(job.because)] in reason.sentence_zh or rule_key(job.because) == "by_other"
                if job.beaten:
                    assert reason.beaten == job.beaten[:3]
                    assert job.beaten[0] in reason.sentence_en
            rules.add(job.because)

    floor.host._keep = kept
    for batch in range(1, 4):
        floor.submit(200.0 * batch, batch, cards=60)
    floor.host.run(6_000.0)
    assert {Because.FULL, Because.NEXT} <= rules


def test_every_rule_of_the_plan_has_its_sentence():
    assert rule_key("") == "by_none"
    assert rule_key("a rule of tomorrow") == "by_other"
    assert {rule_key(rule) for rule in ("full", "waited", "no_more", "next", "same_kind", "came_back")} <= set(EN)


def quiet(config: CoreConfig | None = None) -> RoughFloor:
    return RoughFloor(1, config, trouble=0.0)


def ask(floor: RoughFloor, thing: str, at: float | None = None):
    return why(floor.state, floor.foreman.config, floor.host.now_floor_s if at is None else at, thing)


def test_a_station_that_the_controller_holds_says_by_whom_since_when_and_for_what():
    floor = quiet()
    floor.host.handle(e.HoldAsked("p1", "smells", "ann"), 3_600.0)
    reason = ask(floor, "p1")
    assert (reason.facts["because"], reason.facts["code"], reason.facts["hold_by"]) == ("kept_by", "smells", "ann")
    assert "no work since 01:00: smells (by ann)" in reason.sentence_en
    floor.host.handle(e.HoldAsked("p2", "smells", "ann"), 3_700.0)
    floor.submit(3_800.0, 1, cards=9)
    floor.host.run(4_000.0)
    waits = ask(floor, "card 10000")
    assert waits.facts["because"] == "all_kept_by"
    assert "no print station gets work: the controller gives p1 no work" in waits.sentence_en
    floor.host.handle(e.ReleaseAsked("p1", "bob"), 4_100.0)
    assert ask(floor, "card 10000").facts["because"] == "works"


def test_a_station_that_used_up_its_supplies_says_which_lot_is_gone():
    floor = quiet()
    floor.host.handle(e.SupplyEntered("p1", "film", "F7", 1, "ann"), 10.0)
    floor.state.stock.supplies["p1"]["film"].units = 0
    reason = ask(floor, "p1")
    assert (reason.facts["because"], reason.facts["supplies"]) == ("no_supply", "film F7")


@pytest.mark.parametrize(
    ("at", "because", "word"),
    [(7 * HOUR_S, "closed", "the end of the shift"), (8.2 * HOUR_S, "closed", "planned maintenance"),
     (9.5 * HOUR_S, "closed", "the end of the shift"), (8.7 * HOUR_S, "nothing", "")],
)  # fmt: skip
def test_a_station_closed_by_the_calendar_says_why_and_when_it_opens(at, because, word):
    floor = quiet(CoreConfig(calendar=DAY))
    reason = ask(floor, "l2", at)
    assert reason.facts["because"] == because
    assert word in reason.sentence_en
    if because == "closed":
        opens = {7.0: 8 * HOUR_S, 8.2: 8 * HOUR_S + 2_400, 9.5: 32 * HOUR_S}[at / HOUR_S]
        assert reason.facts["opens_floor_s"] == opens


def test_a_load_that_would_not_end_before_the_shift_is_not_started_and_says_so():
    floor = quiet(CoreConfig(calendar=DAY))
    floor.state.stations["p1"].load_s = 1_200.0
    reason = ask(floor, "p1", 9 * HOUR_S - 600)
    assert (reason.facts["because"], reason.facts["load_min"]) == ("closes", 20)
    assert "20 minutes would not end before the end of the shift at 09:00" in reason.sentence_en


def test_printing_that_pauses_for_too_many_sheets_on_the_floor_says_so():
    floor = quiet(CoreConfig(plan=PlanConfig(sheets_max=24)))
    for station in ("c1", "l1"):
        floor.host.handle(e.StationReported(station, "stopped", "off", 0.0), 0.0)
    floor.submit(0.0, 1, cards=400)
    floor.host.run(4_000.0)
    card = floor.state.ready["second"][0][-1]
    reason = ask(floor, f"card {card}")
    assert (reason.facts["because"], reason.facts["sheets_max"]) == ("paused_sheets", 24)
    assert floor.state.cards[card].state is State.READY


def test_a_sheet_of_another_kind_says_for_which_one_the_busy_stations_are_set_up():
    floor = quiet()
    floor.host.handle(e.StationReported("l2", "stopped", "off", 0.0), 0.0)
    row = [RowVerdict(index, f"{index:022d}", "520102001", Verdict.OK) for index in range(24)]
    for batch, kind in ((1, "second"), (2, "first")):
        floor.host.push(1.0, e.BatchChecked(batch, f"{batch:025d}", "north", kind, 1.0, 90_000.0 + batch, row))
    floor.host.handle(e.StationReported("c1", "stopped", "off", 0.0), 0.0)
    floor.host.run(3_000.0)
    assert len(floor.state.waiting[Step.PUNCH]) == 6
    floor.host.handle(e.StationReported("c1", "idle", "", 3_000.0), 3_000.0)
    mine = next(one for one in floor.state.sheets.values() if one.kind == "first" and not one.job_id)
    reason = ask(floor, f"sheet {mine.sheet_id}")
    assert reason.facts["because"] == "other_kind"
    assert (reason.facts["kind"], reason.facts["mine"]) == ("second", "first")
    assert "set up for second: first goes when no second waits" in reason.sentence_en
    done = [one for at, one in floor.log if isinstance(one, JobStarted) and one.station == "c1"]
    floor.run()
    later = [one for at, one in floor.log if isinstance(one, JobStarted) and one.station == "c1"][len(done) :]
    kinds = ["first" if set(one.sheets) & {4, 5, 6} else "second" for one in later]
    assert kinds == sorted(kinds, reverse=True), "a second one waited and a first one was punched before it"


@pytest.mark.parametrize("seed", range(4))
def test_what_is_said_to_go_before_goes_before(seed):
    floor, compared = RoughFloor(seed, trouble=0.08), 0
    handle = floor.host.handle

    def handled(event, at):
        nonlocal compared
        state = floor.state
        cards = {card: ask(floor, f"card {card}", at).facts["ahead"] for card, one in state.cards.items()
                 if one.state is State.READY and not state.is_held(one)}  # fmt: skip
        queues = [[sheet for _, sheet in queue] for queue in state.waiting.values()]
        sheets = [{one: ask(floor, f"sheet {one}", at).facts["ahead"] for one in queue} for queue in queues]
        turn = handle(event, at)
        imposed = {card for one in turn.moves if isinstance(one, SheetImposed) for card in one.cards}
        loaded = {sheet for one in turn.moves if isinstance(one, JobStarted) for sheet in one.sheets}
        left = {card for card in cards if floor.state.cards.get(card) and floor.state.cards[card].state is State.READY}
        for ahead, started, stay in [(cards, imposed, left)] + [(one, loaded, set(one) - loaded) for one in sheets]:
            gone = [ahead[one] for one in ahead if one in started]
            stays = [ahead[one] for one in ahead if one in stay]
            assert sorted(ahead.values())[:100] == list(range(min(100, len(ahead))))
            if gone and stays:
                compared += 1
                assert max(gone) < min(stays), (event, ahead)
        return turn

    floor.host.handle = handled
    for batch in range(1, 6):
        floor.submit(40.0 * batch, batch, cards=24, holds=1)
    floor.host.run(4_000.0)
    assert compared > 20


def test_looking_at_a_floor_of_which_nothing_is_known_names_the_missing_station():
    state = FloorState()
    floor = quiet()
    floor.foreman.replay(0.0, StationJoined("z9", Step.WRITE, "rough", 1))
    assert isinstance(why(state, CoreConfig(), 0.0, "p1"), Refused)
    assert ask(floor, "z9").facts["because"] == "away"
