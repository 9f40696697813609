"""Arrival counts: what was sent to each police station, its last count, and the difference."""

import pytest

from controller.core import moves as m
from controller.core.events import TimerFired
from controller.ledger.journal import Recorded
from controller.ledger.reader import Reader, SentUnit
from controller.ledger.verify.whole import verify
from tests.controller.ledger.desk import Desk

pytestmark = pytest.mark.usefixtures("engine_url")  # each test of this file runs on both engines

NEAR, FAR = "110101001", "110101002"
CARDS = [70_000, 70_001, 70_002]


@pytest.fixture
def desk():
    """Give a ledger in which one consignment left: two cards for one police station, one for another."""
    rows = [m.RowVerdict(index, f"{index:022d}", FAR if index == 2 else NEAR, m.Verdict.OK) for index in range(3)]
    stations = [m.StationJoined(f"{step}1", step, "simulated", 24) for step in ("laminate", "pack")]
    moves = [
        *stations,
        m.BatchOpened(7, "7" * 25, "city", "second", 0.5, 9.0, rows),
        m.EncodeStarted(1, CARDS),
        m.EncodeEnded(1),
        m.SheetImposed(1, [*CARDS, 0, 0, 0, 0, 0]),
        m.SheetBound(1, 1_000, "laminate1"),
        m.PositionsMarked(1, 7, m.Mark.PASSED, "00", "inspect1", "inspect", "inspect"),
        m.BundleMade(1, 7, NEAR, CARDS[:2], "pack1"),
        m.BundleMade(2, 7, FAR, CARDS[2:], "pack1"),
        m.ConsignmentSent(1, 7, [1, 2], "anna"),
    ]
    desk = Desk()
    desk.keep([Recorded(1.0, TimerFired(), moves)])
    return desk


def count(desk, arrival_id, unit, sent, cards):
    desk.keep([Recorded(2.0, TimerFired(), [m.ArrivalCounted(arrival_id, 1, unit, sent, cards, "carl")])])


def test_before_any_count_there_is_no_difference(desk):
    sent = Reader(desk.engine).sent()
    assert sent == [
        SentUnit(1, "7" * 25, NEAR, 1.0, 1, 2, -1, (1,)),
        SentUnit(1, "7" * 25, FAR, 1.0, 1, 1, -1, (1,)),
    ]
    assert [one.difference() for one in sent] == [0, 0]


def test_a_count_names_the_difference_and_a_later_one_replaces_it(desk):
    count(desk, 1, NEAR, 2, 0)
    assert [one.difference() for one in Reader(desk.engine).sent()] == [-2, 0]
    count(desk, 2, NEAR, 2, 3)
    assert [(one.arrived, one.difference()) for one in Reader(desk.engine).sent(1)] == [(3, 1), (-1, 0)]
    assert len(desk.rows("arrival")) == 2


def test_a_consignment_waits_until_each_police_station_counted_and_not_longer(desk):
    def waits():
        return [(one.consignment_id, one.unit) for one in Reader(desk.engine).uncounted()]

    assert waits() == [(1, NEAR), (1, FAR)]
    count(desk, 1, "110101009", 1, 1)  # one that none of it was for
    count(desk, 2, NEAR, 2, 2)
    count(desk, 3, NEAR, 2, 1)
    assert waits() == [(1, FAR)]
    count(desk, 4, FAR, 1, 1)
    assert waits() == []
    assert [row[-1] for row in desk.rows("consignment")] == ["[]"]
    assert verify(desk.engine).faults == []


def test_a_count_of_a_consignment_that_a_restore_jumped_over_is_kept_and_harms_nothing(desk):
    move = m.ArrivalCounted(1, 5_000, NEAR, 2, 2, "carl")
    desk.keep([Recorded(2.0, TimerFired(), [move])])
    assert len(desk.rows("arrival")) == 1
    assert verify(desk.engine).faults == []


def test_counts_are_folded_from_moves_alone(desk):
    count(desk, 1, FAR, 1, 1)
    assert verify(desk.engine).faults == []


def test_nothing_is_known_of_a_consignment_that_was_never_sent(desk):
    assert Reader(desk.engine).sent(2) == []


def test_a_card_that_is_missing_is_told_upstream_as_being_made_again():
    desk = Desk()
    row = m.RowVerdict(0, "0" * 22, NEAR, m.Verdict.OK)
    desk.keep(
        [
            Recorded(1.0, TimerFired(), [move])
            for move in (
                m.StationJoined("laminate1", "laminate", "simulated", 24),
                m.BatchOpened(7, "7" * 25, "city", "second", 0.5, 9.0, [row]),
                m.EncodeStarted(1, CARDS[:1]),
                m.EncodeEnded(1),
                m.SheetImposed(1, [CARDS[0], *[0] * 7]),
                m.SheetBound(1, 1_000, "laminate1"),
                m.PositionsMarked(1, 1, m.Mark.PASSED, "00", "inspect1", "inspect", "inspect"),
                m.CardMissing(CARDS[0], 10_000, "K2", "anna", "bert"),
            )
        ]
    )
    reader = Reader(desk.engine)
    assert [(one.kind, one.codes) for one in reader.receipts("city", 1)] == [("spoiled_remaking", ["K2"])]
    card = reader.card(CARDS[0])
    assert (card.state, card.generation, card.blank, card.sheet_id) == ("ready", 2, 0, 0)
