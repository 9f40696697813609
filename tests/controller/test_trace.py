"""Trace and recall: what the ledger says of a stretch of time is what the moves themselves say, card by card."""

from __future__ import annotations

import bisect
from dataclasses import asdict

import pytest
from sqlalchemy import select

from controller.core import events as e
from controller.core.moves import (
    CardMissing,
    JobEnded,
    JobStarted,
    PositionsMarked,
    SheetBound,
    SheetImposed,
    positions_in,
)
from controller.core.quality_moves import CardSetGood, CardsQuarantined
from controller.core.stock_moves import SupplyLoaded
from controller.core.tally import SPOILING
from controller.ledger import tables
from controller.ledger.journal import Recorded
from controller.trace.card import past, trace_card
from controller.trace.loaded import loaded_before
from controller.trace.mentions import NAMING_IT, NAMING_ITS, OF_SHEETS, moves_about
from controller.trace.moves import MoveReader
from controller.trace.station import trace_station
from devices.messages import blank_serial
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.ledger.desk import Desk

FIRST, LAST = 0.0, 1e9
STATIONS = ("p1", "l1", "l2", "c1", "w2", "i1", "k1")


class Written:
    """A rough floor whose every turn is in a ledger."""

    def __init__(self, seed: int, trouble: float, batches: int = 3, cards: int = 40) -> None:
        self.floor, self.desk = RoughFloor(seed, trouble=trouble), Desk()
        floor = self.floor
        for station, kind, lot in (("l1", "laminate", "A1"), ("p1", "film", "F1"), ("p2", "film", "F2")):
            floor.host.handle(e.SupplyEntered(station, kind, lot, 10_000, "sam"), 1.0)
        floor.host.handle(e.SignedOn("i1", "mei", 0.0), 2.0)
        for batch in range(1, batches + 1):
            floor.submit(300.0 * batch, batch, cards=cards, holds=2, refused=1)
        floor.host.push(700.0, e.SupplyEntered("l1", "laminate", "A2", 10_000, "sam"))
        floor.host.push(750.0, e.SignedOn("i1", "liu", 0.0))
        floor.run()
        self.desk.keep([Recorded(at, e.TimerFired(), [move]) for at, move in floor.log])
        self.engine = self.desk.engine


@pytest.fixture(scope="module")
def written():
    return Written(3, trouble=0.08)


@pytest.fixture(scope="module")
def quiet():
    return Written(1, trouble=0.0)


def told_by_moves(log, station, begin, end):
    """Fold the whole log: every (job, sheet, position, card) that a load of a station touched in [begin, end)."""
    sheets, starts, found = {}, {}, []
    for at, move in log:
        if isinstance(move, SheetImposed):
            sheets[move.sheet_id] = move.cards
        elif isinstance(move, JobStarted) and move.station == station:
            starts[move.job_id] = (at, move)
        elif isinstance(move, JobEnded) and move.job_id in starts:
            started, job = starts.pop(move.job_id)
            if started >= end or at < begin:
                continue
            for one in move.sheets:
                found += [
                    (job.job_id, one.sheet_id, place, sheets[one.sheet_id][place])
                    for place in positions_in(one.worked)
                    if sheets[one.sheet_id][place]
                ]
            found += [(job.job_id, None, None, card) for card in job.cards]
    assert not starts
    return sorted(found, key=str)


def rows_of(page, station):
    packs = station == "k1"
    return sorted(
        ((one.job_id, *((None, None) if packs else (one.sheet_id, one.position)), one.card) for one in page.cards),
        key=str,
    )


@pytest.mark.parametrize("station", STATIONS)
def test_a_recall_of_a_whole_life_finds_every_card_the_station_touched_and_no_other(written, station):
    page = trace_station(written.engine, station, FIRST, LAST)
    assert rows_of(page, station) == told_by_moves(written.floor.log, station, FIRST, LAST)
    assert page.after == 0
    assert page.loaded.complete
    assert page.cards


@pytest.mark.parametrize("station", STATIONS)
@pytest.mark.parametrize("share", [0.1, 0.35, 0.6])
def test_a_recall_of_a_stretch_has_the_load_that_was_under_way_and_none_outside(written, station, share):
    last = written.floor.log[-1][0]
    begin, end = last * share, last * (share + 0.2)
    page = trace_station(written.engine, station, begin, end)
    assert rows_of(page, station) == told_by_moves(written.floor.log, station, begin, end)


def test_a_recall_by_pages_is_the_same_as_in_one(written):
    whole = trace_station(written.engine, "p1", FIRST, LAST)
    cards, jobs, after, asked = [], [], 0, 0
    while asked == 0 or after:
        page = trace_station(written.engine, "p1", FIRST, LAST, after, rows_max=40)
        assert len(page.cards) <= 40
        cards, jobs, after, asked = cards + page.cards, jobs + page.jobs, page.after, asked + 1
    assert asked > 2
    assert [asdict(one) for one in cards] == [asdict(one) for one in whole.cards]
    assert [one.facts() for one in jobs] == [one.facts() for one in whole.jobs]


def test_a_page_looks_through_only_so_many_moves_and_the_next_one_goes_on(written):
    whole, cards, after, asked = trace_station(written.engine, "i1", FIRST, LAST), [], 0, 0
    while asked == 0 or after:
        page = trace_station(written.engine, "i1", FIRST, LAST, after, walk_moves=100)
        cards, after, asked = cards + page.cards, page.after, asked + 1
    assert asked >= len(written.floor.log) // 100
    assert [(one.job_id, one.card) for one in cards] == [(one.job_id, one.card) for one in whole.cards]


def test_each_row_says_where_the_card_is_now_and_whether_it_still_lies_in_that_blank(written):
    bound = {move.sheet_id: move.body for _, move in written.floor.log if isinstance(move, SheetBound)}
    single = {one.sheet_id for _, one in written.floor.log if isinstance(one, SheetImposed) and one.places == 1}
    page = trace_station(written.engine, "l1", FIRST, LAST)
    assert {one.here for one in page.cards} == {True, False}
    for one in page.cards:
        assert one.blank == (blank_serial(bound[one.sheet_id], one.position) if one.sheet_id in bound else 0)
        assert one.body_lot == ("" if not one.blank else "S" if one.sheet_id in single else "A")
    for one in page.cards[::7]:
        row = trace_card(written.engine, one.card)
        assert (one.state, one.bundle_id, one.consignment_id) == (row.state, row.bundle_id, row.consignment_id)
        assert one.here == (row.blank == one.blank != 0) or not row.blank
        assert one.acceptance_number == row.acceptance_number


def test_a_load_has_the_lot_that_was_loaded_and_the_person_who_was_signed_on_then(written):
    loads = [(at, move) for at, move in written.floor.log if isinstance(move, SupplyLoaded)]
    lots = [(at, move.lot) for at, move in loads if move.station == "l1"]
    for job in trace_station(written.engine, "l1", FIRST, LAST).jobs:
        place = bisect.bisect_right([at for at, _ in lots], job.started_floor_s) - 1
        assert f"laminate {lots[place][1]}" in job.lots
    people = {(job.started_floor_s >= 750.0, job.operator) for job in trace_station(written.engine, "i1", 0, LAST).jobs}
    assert (True, "liu") in people
    assert people <= {(False, "mei"), (True, "liu")}


def test_what_was_loaded_long_before_is_looked_for_only_so_far_and_the_answer_says_so(written):
    late = written.floor.log[-1][0] * 0.9
    far = trace_station(written.engine, "p1", late, LAST)
    near = trace_station(written.engine, "p1", late, LAST, walk_moves=40)
    assert far.jobs[0].lots == ["film F1"]
    assert far.loaded.complete
    assert not near.loaded.complete
    assert near.loaded.walked_moves == 40
    assert near.loaded.walked_to_floor_s > 0
    assert near.as_json()["complete"] is False


def test_the_first_move_of_a_time_is_found_by_halves(written):
    reader, times = MoveReader(written.engine), [at for at, _ in written.floor.log]
    for at in (0.0, 1.0, times[len(times) // 2], times[len(times) // 2] + 1e-6, times[-1], times[-1] + 1):
        assert reader.first_at(at) == bisect.bisect_left(times, at) + 1
    assert MoveReader(Desk().engine).first_at(5.0) == 1


def test_moves_are_read_backwards_in_the_reverse_of_their_order(written):
    reader = MoveReader(written.engine)
    there = [told.seq for told in reader.forward(1, reader.last() + 1, (JobStarted,))]
    assert [told.seq for told in reader.backward(reader.last() + 1, (JobStarted,))] == there[::-1]
    assert loaded_before(reader, 1).walked_moves == 0


# ---- one card ---------------------------------------------------------------------------------------------------


def test_no_move_about_a_card_is_overlooked_where_only_its_own_stretches_are_looked_at(written, quiet, monkeypatch):
    looked, told = 0, 0
    for one in (written, quiet):
        cards = [row[0] for row in one.desk.rows("card")]
        narrow = {card: trace_card(one.engine, card) for card in cards}
        with monkeypatch.context() as patched:
            patched.setattr("controller.trace.card.moves_about", _all_moves)
            for card in cards:
                assert trace_card(one.engine, card) == narrow[card]
        reader = MoveReader(one.engine)
        with one.engine.connect() as connection:
            rows = connection.execute(select(tables.card)).all()
        for row in rows:
            told += len(moves_about(one.engine, reader, row, 1, reader.last() + 1))
            looked += reader.last()
    assert told < looked / 10


def _all_moves(engine, reader, card, first, end):
    kinds = tuple({*NAMING_IT, *NAMING_ITS, *OF_SHEETS})
    return list(reader.forward(first, end, kinds))


def test_a_card_s_history_has_every_load_it_was_in_with_rule_lots_people_and_ends(written):
    jobs = {move.job_id: move for _, move in written.floor.log if isinstance(move, JobStarted)}
    seen_lots, seen_people, remade = set(), set(), 0
    for card in range(10_000, 10_040):
        history = trace_card(written.engine, card)
        if history is None:
            continue
        assert history.complete
        times = [one.at_floor_s for one in history.happened]
        assert times == sorted(times)
        where, place, expected = None, 0, []
        for _, move in written.floor.log:
            if isinstance(move, SheetImposed | CardsQuarantined) and card in move.cards:
                where, place, remade = move.sheet_id, move.cards.index(card), remade + 1
            elif isinstance(move, PositionsMarked) and move.sheet_id == where and move.mask >> place & 1:
                where = None if move.mark in SPOILING else where
            elif isinstance(move, CardMissing) and move.card == card:
                where = None
            elif isinstance(move, CardSetGood) and move.card == card:
                where = move.sheet_id
            elif isinstance(move, JobStarted) and (where in move.sheets or card in move.cards):
                expected.append(move.job_id)
        mine = [one for one in history.happened if one.what == "job"]
        assert [one.job_id for one in mine] == expected
        for one in mine:
            assert (one.because, one.beaten) == (jobs[one.job_id].because, jobs[one.job_id].beaten)
            assert one.ended_floor_s >= one.at_floor_s
            seen_lots.update(one.lots)
            seen_people.update(one.people)
        if history.state == "dispatched":
            assert {"sheet", "bound", "passed", "bundle", "sent"} <= {one.what for one in history.happened}
            good = [one.blank for one in history.happened if one.what in ("passed", "set_good")]
            assert good[-1] == history.blank
    assert {"laminate A1", "film F1"} <= seen_lots
    assert seen_people >= {"mei"}
    assert remade > 40
    assert trace_card(written.engine, 99) is None


def test_a_card_that_is_over_says_where_by_which_rule_it_was_packed_and_with_what_it_left(quiet):
    history = trace_card(quiet.engine, 10_020)
    reason = past(history, quiet.floor.host.now_floor_s)
    assert history.state == "dispatched"
    assert (reason.facts["because"], reason.facts["rule"]) == ("was_made", history.happened[-3].because)
    assert f"into bundle {history.bundle_id} by k1 because nothing more could join it" in reason.sentence_en
    assert f"consignment {history.consignment_id} left with it at" in reason.sentence_en
    assert "装入包" in reason.sentence_zh
    assert reason.sentence_zh.endswith("。")


def test_a_card_that_a_person_ended_says_who(written):
    ended = [move for _, move in written.floor.log if getattr(move, "decision", "") == "refuse"]
    reason = past(trace_card(written.engine, ended[0].card), 0.0)
    assert reason.facts["because"] == "was_decided"
    assert f"refuse by {ended[0].by}" in reason.sentence_en
