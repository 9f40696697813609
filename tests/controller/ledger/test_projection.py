"""The projection: state tables are a fold of moves, and agree with the core's own fold (law 7)."""

import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.application import batch_of
from controller.core import fold
from controller.core import moves as m
from controller.core.cards import IllegalMove
from controller.core.events import TimerFired
from controller.core.state import FloorState
from controller.ledger.columns import numbers_in
from controller.ledger.errors import UnknownRow
from controller.ledger.journal import Recorded
from controller.ledger.projection import NOT_PROJECTED, Projection
from controller.ledger.rows import CardRow, SheetRow, StationRow
from controller.ledger.verify.whole import verify
from tests.controller.ledger.desk import Desk, in_groups
from tests.controller.ledger.floor import SmallFloor

pytestmark = pytest.mark.usefixtures("engine_url")  # each test of this file runs on both engines

seeds = st.integers(0, 1_000_000)
group_sizes = st.lists(st.integers(1, 50), min_size=1, max_size=5)


def _kept(records, sizes=(7,)):
    desk = Desk()
    for group in in_groups(records, sizes):
        desk.keep(group)
    return desk


@settings(max_examples=12, deadline=None)
@given(seed=seeds, sizes=group_sizes, others=group_sizes)
def test_the_same_moves_make_the_same_rows_however_they_are_grouped(seed, sizes, others):
    records = list(SmallFloor(seed).run(120))
    assert _kept(records, sizes).state() == _kept(records, others).state()


@settings(max_examples=10, deadline=None)
@given(seed=seeds, sizes=group_sizes)
def test_what_was_written_verifies(seed, sizes):
    records = list(SmallFloor(seed).run(120))
    desk = _kept(records, sizes)
    report = verify(desk.engine)
    assert report.faults == []
    assert report.head == desk.journal.durable_head
    assert report.events == len(records)
    assert report.moves == sum(len(recorded.moves) for recorded in records)


@settings(max_examples=12, deadline=None)
@given(seed=seeds, steps=st.integers(0, 400))
def test_cards_stand_where_the_floor_and_the_core_say(seed, steps):
    floor, core = SmallFloor(seed), FloorState()
    records = list(floor.run(steps))
    for recorded in records:
        for move in recorded.moves:
            fold.apply(core, recorded.at_floor_s, move)
    desk = _kept(records)
    cards = {row.card_id: row for row in (CardRow(*values) for values in desk.rows("card"))}
    on_floor = {number: row for number, row in cards.items() if batch_of(number) in core.batches}
    assert {number: row.state for number, row in on_floor.items()} == floor.cards
    for number, row in on_floor.items():
        card = core.cards[number]
        stored = (row.state, row.generation, row.sheet_id, row.blank, row.unit, bool(row.express))
        assert stored == (card.state, card.generation, card.sheet_id, card.blank, card.unit, card.express)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, steps=st.integers(50, 300))
def test_sheets_and_stations_stand_where_the_core_says(seed, steps):
    core, records = FloorState(), list(SmallFloor(seed).run(steps))
    for recorded in records:
        for move in recorded.moves:
            fold.apply(core, recorded.at_floor_s, move)
    desk = _kept(records)
    sheets = {row.sheet_id: row for row in (SheetRow(*values) for values in desk.rows("sheet"))}
    assert {number for number, row in sheets.items() if row.live or row.suspect} == set(core.sheets)
    for number, sheet in core.sheets.items():
        row = sheets[number]
        stored = (numbers_in(row.cards), row.body, row.live, row.suspect, row.job_id)
        assert stored == (sheet.cards, sheet.body, sheet.live, sheet.suspect, sheet.job_id)
    for values in desk.rows("station"):
        row = StationRow(*values)
        station = core.stations[row.station]
        stored = (row.step, row.model, row.load_max, row.state, row.reason, row.since_floor_s, row.job_id)
        assert stored == (
            station.step,
            station.model,
            station.load_max,
            station.state,
            station.reason,
            station.since_floor_s,
            station.job_id,
        )


def test_every_kind_of_move_is_projected_or_said_not_to_be():
    desk = Desk()
    with desk.engine.connect() as connection:
        folded = set(Projection(connection)._folds)
    assert folded == set(typing.get_args(m.AnyMove))
    assert set(typing.get_args(m.AnyMove)) >= NOT_PROJECTED


def test_work_that_is_over_leaves_memory_and_comes_back_when_it_is_named():
    floor = SmallFloor(3, rows_max=4)
    desk = _kept(floor.run(2_000))
    projection = desk.journal._projection
    assert len(desk.rows("card")) > 300
    assert {card.card_id for card in projection.cards} == set(floor.cards)
    assert {batch.batch_id for batch in projection.batches} == set(floor.final)
    closed = next(row[0] for row in desk.rows("batch") if row[4] == "closed" and row[9] > row[10])
    assert projection.cards.find(closed * 10_000 + 9_999) is None
    assert any(batch_of(card.card_id) == closed for card in projection.cards)


@pytest.mark.parametrize(
    ("move", "error"),
    [
        (m.CardDecided(10_000, "release", "anna", ""), UnknownRow),
        (m.PositionsMarked(99, 1, m.Mark.SPOILED, "21", "print1", "print", "print"), UnknownRow),
        (m.StationChanged("print9", "idle", "", 0.0), UnknownRow),
        (m.CardDecided(20_000, "resume", "anna", ""), IllegalMove),
    ],
)
def test_a_move_that_does_not_fit_ends_the_group(move, error):
    desk = Desk()
    opened = m.BatchOpened(
        2, "2" * 25, "city", "second", 0.0, 9.0, [m.RowVerdict(0, "2" * 22, "110101001", m.Verdict.OK)]
    )
    desk.keep([Recorded(1.0, TimerFired(), [opened])])
    before = desk.state()
    with pytest.raises(error):
        desk.keep([Recorded(2.0, TimerFired(), [m.ServiceStarted(2)]), Recorded(2.0, TimerFired(), [move])])
    assert desk.state() == before
    assert len(desk.rows("move")) == 1
