"""Who gets what next: which cards share a sheet, the order of queues, and that nobody free waits beside work."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import JobStarted, RowVerdict, SheetImposed, Verdict
from controller.core.plan import Because, free_stations
from controller.core.quality_moves import StationHeld, StationReleased
from controller.core.settings import CalendarConfig, CoreConfig, PlanConfig
from controller.core.sheets import DUE_S, foremost, in_order, turn_of
from controller.core.state import Sheet
from controller.core.stock import BodyRange, Stock
from devices.defects import GOOD, Step
from devices.messages import Fate, StationState
from sims.faults import NO_FAULTS
from sims.floor import DEFAULT_FLOOR
from sims.heap_batches import Batches, floor_day
from sims.heap_floor import HeapFloor

DAY = DUE_S


class Desk:
    """A foreman and the events it is told, one second after the other."""

    def __init__(self, config: CoreConfig | None = None) -> None:
        self.foreman, self.now, self.moves = Foreman(config or CoreConfig()), 0.0, []
        self.tell(e.ServiceBegan())

    @property
    def state(self):
        return self.foreman.state

    def tell(self, event):
        self.now += 1.0
        turn = self.foreman.handle(event, self.now)
        self.moves += turn.moves
        for action in turn.actions:
            if isinstance(action, e.Encode):
                self.tell(e.CardsEncoded(action.job_id))
        return turn

    def batch(self, batch_id: int, units: str, due_days: float, express: bool = False):
        rows = [
            RowVerdict(index, f"{unit:0>9}{index:013d}", f"{unit:0>9}", Verdict.OK, express=express)
            for index, unit in enumerate(units)
        ]
        self.tell(e.BatchChecked(batch_id, f"{batch_id:025d}", "north", "second", self.now, due_days * DAY, rows))

    def station(self, name: str, step: Step, load_max: int = 1):
        self.tell(e.StationSeen(name, step, "test", load_max, StationState.IDLE, ""))

    def act(self, verb: str, **args: object):
        """Let one person propose and another agree."""
        turn = self.tell(e.ActAsked(verb, args, "ann"))
        assert not turn.refused, turn.refused
        assert not self.tell(e.ActSeconded(turn.answer, "bob")).refused

    def imposed(self) -> list[list[int]]:
        """Give each sheet's cards so far: batch x 100 + place in the batch."""
        sheets = [move.cards for move in self.moves if isinstance(move, SheetImposed)]
        return [[card // 10_000 * 100 + card % 10_000 if card else 0 for card in cards] for cards in sheets]

    def printed(self, spoiled: int = 0):
        """Let the printer's sheet come out, some positions of it spoiled."""
        [job] = [job for job in self.state.jobs.values() if job.step is Step.PRINT]
        codes = ["P1" if place < spoiled else GOOD for place in range(8)]
        outcome = e.SheetOutcome(job.sheets[0], Fate.DONE, GOOD, 0, codes, [])
        self.tell(e.StepDone(job.station, job.job_id, self.now, self.now, [outcome]))


# ---- which cards share a sheet --------------------------------------------------------------------------------


def test_cards_of_one_police_station_are_neighbours_on_a_sheet_whatever_order_they_came_in():
    desk = Desk()
    desk.batch(1, "2121212121212121", 20)
    desk.station("p1", Step.PRINT)
    desk.printed()
    units = [
        desk.state.cards[card].unit[-1] for move in desk.moves if isinstance(move, SheetImposed) for card in move.cards
    ]
    assert units == ["1"] * 8 + ["2"] * 8


def test_the_batch_that_is_due_on_an_earlier_day_goes_first_and_within_a_day_the_older_one():
    desk = Desk()
    desk.batch(1, "1" * 8, 20.9)
    desk.batch(2, "1" * 8, 20.1)
    desk.batch(3, "1" * 8, 19.9)
    desk.station("p1", Step.PRINT)
    desk.printed()
    desk.printed()
    assert [cards[0] // 100 for cards in desk.imposed()] == [3, 1, 2]


def test_express_cards_go_before_every_due_date():
    desk = Desk()
    desk.batch(1, "1" * 8, 2)
    desk.batch(2, "1" * 8, 25, express=True)
    desk.station("p1", Step.PRINT)
    assert [cards[0] // 100 for cards in desk.imposed()] == [2]


def test_the_places_that_a_batch_leaves_free_are_filled_from_the_next_one():
    desk = Desk()
    desk.batch(1, "1" * 11, 20)
    desk.batch(2, "1" * 7, 21)
    desk.station("p1", Step.PRINT)
    desk.printed()
    assert desk.imposed()[1] == [108, 109, 110, 200, 201, 202, 203, 204]


def test_remakes_fill_the_next_sheet():
    desk = Desk()
    desk.batch(1, "1" * 24, 20)
    desk.station("p1", Step.PRINT)
    desk.printed(spoiled=2)
    assert desk.imposed()[1] == [100, 101, *range(108, 114)]


def test_the_last_cards_wait_for_company_and_then_go_alone_with_empty_positions():
    desk = Desk(CoreConfig(plan=PlanConfig(sheet_wait_s=50.0)))
    desk.batch(1, "1" * 9, 20)
    desk.station("p1", Step.PRINT)
    desk.printed()
    assert len(desk.imposed()) == 1
    desk.now += 60.0
    desk.tell(e.TimerFired())
    assert desk.imposed()[1] == [108, 0, 0, 0, 0, 0, 0, 0]
    assert [move.because for move in desk.moves if isinstance(move, SheetImposed)] == [Because.FULL, Because.WAITED]


def two_lone_cards(*presses: str, bodies: int = 24) -> Desk:
    """Let a second card become ready while the first one's film lies before the presses; both batches have one."""
    desk = Desk()
    for name in presses:
        desk.station(name, Step.LAMINATE, 24)
        if bodies:
            desk.act("receive", first_body=1, sheets=bodies, lot="A")
            desk.act("issue", station=name, first_body=1, sheets=bodies)
    desk.station("p1", Step.PRINT)
    desk.batch(1, "1", 20)
    desk.batch(2, "1", 20)
    desk.printed()
    return desk


def test_the_last_card_does_not_wait_for_a_film_that_waits_for_it():
    desk = two_lone_cards("l1")
    assert desk.imposed() == [[100, *[0] * 7], [200, *[0] * 7]]
    desk.printed()
    [press] = [job for job in desk.state.jobs.values() if job.step is Step.LAMINATE]
    assert len(press.sheets) == 2
    assert desk.now < PlanConfig().sheet_wait_s


@pytest.mark.parametrize(("presses", "bodies"), [([], 0), (["l1"], 0)], ids=["none", "empty"])
def test_the_last_card_waits_for_company_while_no_press_could_take_the_film_before_it(presses, bodies):
    desk = two_lone_cards(*presses, bodies=bodies)
    assert desk.imposed() == [[100, *[0] * 7]]
    desk.now += PlanConfig().sheet_wait_s
    desk.tell(e.TimerFired())
    assert desk.imposed()[1:] == [[200, *[0] * 7]]


CLOSED = {
    "open": {},
    "maintained": {"maintenance": "l1 1970-01-01T00:00/1970-01-02T00:00"},
    "too late": {"shifts": "08:00-16:00", "weekdays": "1234567"},
}


@pytest.mark.parametrize("press", CLOSED)
def test_cards_that_trickle_in_share_their_sheets_whether_the_press_is_open_or_closed(press):
    desk = Desk(CoreConfig(calendar=CalendarConfig(**CLOSED[press])))
    if press == "too late":
        desk.now = 16 * 3600.0 - 920  # a load of twenty minutes does not end before the shift does
    desk.station("l1", Step.LAMINATE, 24)
    desk.state.stations["l1"].load_s = 1200.0
    desk.act("receive", first_body=1, sheets=60, lot="A")
    desk.act("issue", station="l1", first_body=1, sheets=60)
    desk.station("p1", Step.PRINT)
    desk.state.stations["p1"].load_s = 30.0
    for batch_id in range(1, 41):
        is_printing = any(job.step is Step.PRINT for job in desk.state.jobs.values())
        desk.now += 7 if is_printing else 14
        desk.batch(batch_id, "1", 20)
        if is_printing:
            desk.now += 7
            desk.printed()
    imposed = desk.imposed()
    empty = sum(sheet.count(0) for sheet in imposed)
    assert sum(map(bool, chain.from_iterable(imposed))) >= 30
    assert empty <= 14, "two sheets with one card each; every further one would spoil seven blanks"


def test_a_sheet_is_chosen_alike_from_a_short_and_from_a_long_row_of_ready_cards():
    desk = Desk()
    for batch_id in range(1, 40):
        desk.batch(batch_id, "1" * (batch_id % 5 + 1), 20 + batch_id % 3)
    state = desk.state
    chosen = [rank[-1] for rank in foremost(state, "second")]
    order = sorted(state.ready["second"], key=lambda rank: (turn_of(state.batches[rank[3]]), rank))
    # only batches of the earliest due times are compared: all of the day that is due first are among them
    assert chosen == [rank[-1] for rank in order[:8]]


# ---- the order of queues --------------------------------------------------------------------------------------


def test_behind_the_printers_remakes_overtake_and_nobody_else_does():
    def lying(sheet_id: int, remake: int, express: int, due: float) -> tuple[object, int]:
        return Sheet(sheet_id, "second", [], (remake, express, due, 1, "u", 1), Step.PUNCH, live=1).place()

    plain = [lying(sheet_id, 1, 1, due) for due, sheet_id in ((9.0, 1), (5.0, 2), (7.0, 3))]
    urgent = [lying(4, 0, 1, 8.0), lying(5, 1, 0, 8.0)]
    assert in_order(sorted(plain + urgent), 10) == [4, 5, 1, 2, 3]
    assert in_order(sorted(plain + urgent), 3) == [4, 5, 1]
    assert in_order(sorted(plain), 2) == [1, 2]
    assert in_order([], 3) == []


# ---- on a whole floor -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_no_station_rests_beside_work_and_none_gets_work_it_cannot_do(seed):
    seen = {"jobs": 0, "turns": 0}

    def saw(at, move):
        state = foreman.state
        if isinstance(move, JobStarted):
            seen["jobs"] += 1
            station = state.stations[move.station]
            assert station.step == move.step
            assert move.station not in held
            assert 1 <= len(move.sheets) + len(move.cards) <= station.load_max
            assert move.because in list(Because)
        elif isinstance(move, StationHeld):
            held.add(move.station)
        elif isinstance(move, StationReleased):
            held.discard(move.station)

    def kept(at, event, moves):
        keep(at, event, moves)
        seen["turns"] += 1
        state = foreman.state
        stations = free_stations(state)
        free = {station.step for station in stations}
        for step in (Step.PUNCH, Step.WRITE, Step.INSPECT):
            assert not (step in free and state.waiting[step]), step
        for packer in [station for station in stations if station.step is Step.PACK]:
            least = min(100, packer.load_max)
            assert all(len(cards) < least and state.making[pile] for pile, cards in state.piles.items())

    held: set[str] = set()
    foreman = Foreman(CoreConfig())
    specs = [replace(spec, load_max=40) if spec.name == "k2" else spec for spec in DEFAULT_FLOOR]
    floor = HeapFloor(seed, floor=specs, foreman=foreman, watch=[saw])
    keep, floor.host._keep = floor.host._keep, kept
    for arrival in floor_day(seed, 3_000):
        floor.submit(arrival)
    floor.run()
    assert seen["jobs"] > 1_500
    assert seen["turns"] > 1_500


@pytest.mark.parametrize(("films_max", "sheets_max"), [(48, 2_000), (10_000, 100)])
def test_work_in_progress_stays_within_its_limits_when_the_presses_are_slow(films_max, sheets_max):
    slow = tuple(replace(spec, load_s=4_000.0) if spec.step is Step.LAMINATE else spec for spec in DEFAULT_FLOOR)
    printers = sum(spec.step is Step.PRINT for spec in DEFAULT_FLOOR)
    films, sheets = [0], [0]

    def saw(at, move):
        films.append(len(foreman.state.waiting[Step.LAMINATE]))
        sheets.append(len(foreman.state.sheets))

    foreman = Foreman(CoreConfig(plan=PlanConfig(films_max=films_max, sheets_max=sheets_max)))
    floor = HeapFloor(1, foreman=foreman, floor=slow, faults=NO_FAULTS, watch=[saw])
    for arrival in floor_day(1, 3_000, before=1.0):
        floor.submit(arrival)
    floor.run()
    assert max(films) >= films_max or max(sheets) >= sheets_max, "a limit that was never reached proves nothing"
    assert max(films) < films_max + printers  # those that were in the printers
    assert max(sheets) <= sheets_max
    assert not foreman.state.cards


def test_cards_leave_the_printers_sorted_by_batch_and_police_station():
    imposed = []
    floor = HeapFloor(3, faults=NO_FAULTS, watch=[lambda at, move: imposed.append(move)])
    arrival = Batches(3).next(0.0, 20 * DAY, 400)
    floor.submit(arrival)
    floor.run()
    sheets = [move.cards for move in imposed if isinstance(move, SheetImposed)]
    units = [arrival.units[card % 10_000] for cards in sheets for card in cards if card]
    assert len(units) == len(arrival.units)
    assert len(list(groupby(units))) == len(set(units))
    assert sum(cards.count(0) for cards in sheets) <= 7


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([1, 8])), max_size=4), st.integers(0, 20))
def test_a_magazine_has_bodies_for_as_many_sheets_of_a_size_as_lie_in_it(ranges, wanted):
    stock = Stock()
    stock.magazines["l1"] = [BodyRange(10 * place, sheets, 1, places) for place, (sheets, places) in enumerate(ranges)]
    for places in (1, 8):
        assert stock.has_bodies("l1", places, wanted) == (stock.in_magazine("l1", places) >= wanted)
        assert stock.has_bodies("nobody", places, wanted) == (wanted == 0)
