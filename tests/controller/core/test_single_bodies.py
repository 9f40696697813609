"""Single bodies: remakes that fill no sheet go on them, each film on a body of its size, and every blank is counted."""

from __future__ import annotations

import pytest

from controller.core import events as e
from controller.core import plan
from controller.core.fold import apply
from controller.core.foreman import Foreman
from controller.core.moves import (
    BundleMade,
    JobEnded,
    Mark,
    PositionsMarked,
    RowVerdict,
    SheetBound,
    SheetImposed,
    StationLied,
    Verdict,
)
from controller.core.plan import Because
from controller.core.settings import CoreConfig, PlanConfig
from controller.core.sheets import single_waits
from controller.core.state import NOT_URGENT, FloorState
from controller.core.stock import Account
from controller.report.figures import Report
from devices.defects import GOOD, Step
from devices.messages import Fate, blank_serial
from sims.heap_batches import floor_day
from sims.heap_floor import HeapFloor
from tests.controller.core.rough_floor import RoughFloor

FIRST = 70_000


class Floor:
    """A foreman with a printer, two presses and an inspector; its stations answer when the test says so."""

    def __init__(self, config: CoreConfig | None = None) -> None:
        self.rough = RoughFloor(1, config, trouble=0.0)
        self.moves, self.state = [], self.rough.state

    def tell(self, event):
        turn = self.rough.foreman.handle(event, self.rough.host.now_floor_s)
        self.moves += turn.moves
        return turn

    def act(self, verb, **args):
        """Propose and agree; give why not, or nothing."""
        turn = self.tell(e.ActAsked(verb, args, "ann"))
        if turn.refused:
            return turn.refused.code
        turn = self.tell(e.ActSeconded(turn.answer, "bob"))
        return turn.refused.code if turn.refused else ""

    def singles(self, sheets, station="l1"):
        assert not self.act("receive", first_body=FIRST, sheets=sheets, lot="S", places=1)
        assert not self.act("issue", station=station, first_body=FIRST, sheets=sheets)


def day(seed, singles, cards=900):
    """Give the moves of a small day."""
    log = []
    floor = HeapFloor(seed, watch=[lambda at, move: log.append((at, move))], singles=singles)
    for arrival in floor_day(seed, cards):
        floor.submit(arrival)
    floor.run()
    assert not floor.foreman.state.batches
    return log


def unused(log):
    """Give the blanks spoiled because nobody was to be on them."""
    return sum(one.mask.bit_count() for _, one in log if isinstance(one, PositionsMarked) and one.mark is Mark.UNUSED)


# ---- stock ------------------------------------------------------------------------------------------------------


def test_a_single_body_is_one_blank_wherever_it_lies():
    floor = Floor()
    stock, before = floor.state.stock, floor.state.stock.received
    floor.singles(10)
    assert stock.received == before + 10
    assert (stock.in_magazine("l1", 1), stock.in_magazine("l1", 8), stock.in_magazine("l1")) == (10, 60, 70)
    floor.tell(e.StationReported("l1", "stopped", "", 0.0))
    assert not floor.act("return", station="l1", first_body=FIRST + 4, sheets=2)
    assert not floor.act("sample", first_body=FIRST + 4, sheets=1)
    assert not floor.act("lost", station="vault", first_body=FIRST + 5, sheets=1)
    assert not floor.act("lost", station="l1", first_body=FIRST, sheets=1)
    assert stock.blanks[Account.SAMPLE] == 1
    assert set(stock.lost) == {blank_serial(FIRST, 0), blank_serial(FIRST + 5, 0)}
    assert stock.in_magazine("l1", 1) == 7
    assert stock.balanced()
    state = FloorState()
    for at, move in [*floor.rough.log, *((0.0, move) for move in floor.moves)]:
        apply(state, at, move)
    assert state == floor.state


@pytest.mark.parametrize("places", [0, 2, 7, 9])
def test_a_body_sheet_has_eight_places_or_one(places):
    assert Floor().act("receive", first_body=FIRST, sheets=2, lot="S", places=places) == "stock.places"


def test_single_bodies_and_sheets_with_serials_in_a_row_stay_apart_in_the_vault():
    floor = Floor()
    floor.singles(4)
    assert not floor.act("receive", first_body=FIRST + 4, sheets=3, lot="B")
    floor.tell(e.StationReported("l1", "stopped", "", 0.0))
    assert not floor.act("return", station="l1", first_body=FIRST, sheets=4)
    assert floor.act("issue", station="l2", first_body=FIRST + 2, sheets=4) == "stock.not_in_vault"
    assert sorted((one.first, one.sheets, one.places) for one in floor.state.stock.vault) == [
        (FIRST, 4, 1),
        (FIRST + 4, 3, 8),
    ]


def test_films_for_single_bodies_stand_with_the_urgent_ones_and_are_seen_there():
    foreman, found = Foreman(CoreConfig()), set()
    state = foreman.state

    def saw(at, move):
        queue = state.waiting[Step.LAMINATE]
        singles = {film: rank for rank, film in queue if state.sheets[film].places == 1}
        assert all(rank < NOT_URGENT for rank in singles.values())
        assert single_waits(state, queue) == bool(singles)
        found.update(singles)

    floor = HeapFloor(3, foreman=foreman, watch=[saw], singles=24)
    for arrival in floor_day(3, 1_500):
        floor.submit(arrival)
    floor.run()
    assert found
    assert not state.batches


# ---- which cards, and which bodies --------------------------------------------------------------------------------


def one_card(config=None, singles=3):
    """Give a floor whose only card was spoiled at the printer: a remake that nothing can join."""
    floor = Floor(config)
    if singles:
        floor.singles(singles)
    rows = [RowVerdict(0, "1" * 22, "520102001", Verdict.OK)]
    floor.tell(e.BatchChecked(1, "1" * 25, "north", "second", 0.0, 86_400.0, rows))
    floor.tell(e.CardsEncoded(next(iter(floor.state.encode_jobs))))
    finish(floor, Step.PRINT, "P1")
    return floor


def finish(floor, step, code=GOOD, body=0):
    """Let the open job of a step end, with a code at position 0."""
    [job] = [job for job in floor.state.jobs.values() if job.step is step]
    [sheet_id] = job.sheets
    bound = floor.state.sheets[sheet_id].body
    blanks = [blank_serial(bound, 0) if bound else 0, *[0] * 7]
    outcome = e.SheetOutcome(sheet_id, Fate.DONE, GOOD, body, [code, *[GOOD] * 7], blanks)
    return floor.tell(e.StepDone(job.station, job.job_id, 0.0, 1.0, [outcome]))


def last_sheet(floor):
    return [move for move in floor.moves if isinstance(move, SheetImposed)][-1]


def test_a_remake_that_nothing_joins_goes_on_a_single_body_and_spoils_none_unused():
    floor = one_card()
    assert (last_sheet(floor).because, last_sheet(floor).places) == (Because.SINGLE, 1)
    finish(floor, Step.PRINT)
    [job] = [job for job in floor.state.jobs.values() if job.step is Step.LAMINATE]
    assert job.station == "l1", "l2 has no single body"
    turn = finish(floor, Step.LAMINATE, body=FIRST)
    assert SheetBound(last_sheet(floor).sheet_id, FIRST, "l1") in turn.moves
    for step in (Step.PUNCH, Step.WRITE, Step.INSPECT):
        [start] = [one for one in turn.actions if isinstance(one, e.StartJob)]
        assert start.singles == [last_sheet(floor).sheet_id]
        turn = finish(floor, step)
    assert unused([(0.0, move) for move in floor.moves]) == 0
    assert floor.state.stock.blanks[Account.GOOD] == 1
    assert floor.state.stock.blanks[Account.SPOILED] == 0
    assert floor.state.stock.balanced()


@pytest.mark.parametrize(("config", "singles"), [(None, 0), (CoreConfig(plan=PlanConfig(single_bodies=False)), 3)])
def test_without_single_bodies_or_where_they_are_not_wanted_a_remake_has_a_sheet_as_ever(config, singles):
    floor = one_card(config, singles)
    assert (last_sheet(floor).because, last_sheet(floor).places) == (Because.NO_MORE, 8)


def test_single_bodies_in_a_press_that_is_held_are_not_counted_on():
    floor = Floor()
    floor.singles(2)
    floor.tell(e.HoldAsked("l1", "dirty", "ann"))
    rows = [RowVerdict(0, "1" * 22, "520102001", Verdict.OK)]
    floor.tell(e.BatchChecked(1, "1" * 25, "north", "second", 0.0, 86_400.0, rows))
    floor.tell(e.CardsEncoded(next(iter(floor.state.encode_jobs))))
    finish(floor, Step.PRINT, "P1")
    assert last_sheet(floor).places == 8


@pytest.mark.parametrize(("places", "body"), [(1, 1_000), (8, FIRST)])
def test_a_body_of_another_size_under_a_film_is_a_lie_and_the_film_suspect(places, body):
    floor = one_card(CoreConfig(plan=PlanConfig(single_bodies=places == 1)))
    finish(floor, Step.PRINT)
    [sheet_id] = [one.sheet_id for one in floor.state.sheets.values()]
    assert floor.state.sheets[sheet_id].places == places
    turn = finish(floor, Step.LAMINATE, body=body)
    assert [move.code for move in turn.moves if isinstance(move, StationLied)] == ["station.foreign_body"]
    assert floor.state.sheets[sheet_id].suspect == 1
    settle = {"sheet_id": sheet_id, "mask": 1, "finding": "spoiled"}
    assert floor.act("settle", **settle, body=body) == "suspect.body"
    right = FIRST if places == 1 else 1_000
    assert not floor.act("settle", **settle, body=right)
    assert floor.state.stock.blanks[Account.SPOILED] == places
    assert floor.state.stock.balanced()


# ---- whole days ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_with_single_bodies_keeps_law_2_at_every_move_and_spoils_fewer_blanks_unused(seed):
    log, state, report = day(seed, 60), FloorState(), Report(yearly_hours=4_000)
    places, bound = {}, 0
    for at, move in log:
        apply(state, at, move)
        report.fold(at, move)
        assert state.stock.balanced()
        if isinstance(move, SheetImposed):
            places[move.sheet_id] = move.places
            assert (move.because == Because.SINGLE) == (move.places == 1)
            assert move.places == 8 or not any(move.cards[1:])
        elif isinstance(move, SheetBound):
            assert state.stock.places_of(move.body) == places[move.sheet_id], "a film on a body of another size"
            bound += places[move.sheet_id] == 1
        elif isinstance(move, JobEnded):
            assert all(end.worked <= 1 for end in move.sheets if places[end.sheet_id] == 1)
        elif isinstance(move, PositionsMarked) and places[move.sheet_id] == 1:
            assert (move.mask, move.mark is Mark.UNUSED) == (1, False)
    assert bound, "no remake went on a single body"
    blanks = report.as_json()["blanks"]
    assert (blanks["difference"], blanks["drawn_twice"]) == (0, 0)
    assert unused(log) < unused(day(seed, 0))


def test_every_card_is_packed_once_with_single_bodies_too():
    packed = [card for _, move in day(5, 24) if isinstance(move, BundleMade) for card in move.cards]
    assert len(packed) == len(set(packed)) > 850


@pytest.mark.parametrize("seed", range(3))
def test_a_quick_look_at_the_presses_decides_what_a_close_one_does(seed, monkeypatch):
    log, quick = day(seed, 24), []
    early = plan._films_are_early
    monkeypatch.setattr(plan, "_films_are_early", lambda turn: quick.append(_waits(turn)) or early(turn))
    assert day(seed, 24) == log
    assert any(quick), "no film for a single body waited"
    monkeypatch.setattr(plan, "_could_take_all", lambda state, press: False)
    assert day(seed, 24) == log


def _waits(turn):
    return single_waits(turn.state, turn.state.waiting[Step.LAMINATE])


@pytest.mark.parametrize("seed", range(4))
def test_a_rough_floor_uses_single_bodies_and_ends(seed):
    floor = RoughFloor(seed, trouble=0.15)
    for batch in (1, 2, 3):
        floor.submit(100.0 * batch, batch, cards=21, holds=2, refused=1)
    floor.run()
    assert any(isinstance(move, SheetImposed) and move.places == 1 for _, move in floor.log)
    assert floor.refolded() == floor.state
    assert floor.report.as_json()["blanks"]["difference"] == 0
