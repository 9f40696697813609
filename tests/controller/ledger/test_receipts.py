"""Receipts: numbered without gaps, one final one for each accepted case, each resting on its move."""

import itertools
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core import moves as m
from controller.core.cards import State
from controller.core.events import TimerFired
from controller.core.moves import Mark, Verdict
from controller.ledger import receipts
from controller.ledger.journal import Recorded
from controller.ledger.reader import Reader
from controller.ledger.receipts import FINAL_KINDS, kind_of
from controller.ledger.rows import ReceiptRow
from controller.wire import Receipt
from tests.controller.ledger.desk import Desk, in_groups
from tests.controller.ledger.floor import UPSTREAMS, SmallFloor

pytestmark = pytest.mark.usefixtures("engine_url")  # each test of this file runs on both engines

UNIT = "110101001"


def _row(index, verdict=Verdict.OK, codes=(), fields=()):
    return m.RowVerdict(index, f"{index:022d}", UNIT, verdict, list(codes), list(fields))


def _tell(*moves):
    """Give what the upstream `city` is told of some moves."""
    desk = Desk()
    desk.keep([Recorded(float(at), TimerFired(), [move]) for at, move in enumerate(moves, 1)])
    return desk, Reader(desk.engine).receipts("city", 0)


def _opened(*rows):
    return m.BatchOpened(7, "7" * 25, "city", "second", 0.5, 9.0, list(rows))


STATIONS = tuple(m.StationJoined(f"{step}1", step, "simulated", 24) for step in ("print", "laminate", "pack"))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1_000_000), size=st.integers(1, 60))
def test_each_upstream_gets_its_receipts_numbered_from_1_without_gaps_in_the_order_of_moves(seed, size):
    desk = Desk()
    for group in in_groups(SmallFloor(seed).run(200), [size]):
        desk.keep(group)
    told = [ReceiptRow._make(row) for row in desk.rows("receipt")]
    assert {row.upstream for row in told} <= set(UPSTREAMS)
    for upstream in UPSTREAMS:
        mine = [row for row in told if row.upstream == upstream]
        assert [row.number for row in mine] == list(range(1, len(mine) + 1))
        assert all(one.move_seq <= two.move_seq for one, two in itertools.pairwise(mine))
    chain = {row[0]: row[4] for row in desk.rows("move")}
    assert all(row.chain == chain[row.move_seq] for row in told)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_each_accepted_case_of_a_closed_batch_has_exactly_one_final_receipt(seed):
    desk = Desk()
    for group in in_groups(SmallFloor(seed, rows_max=5).run(600), [40]):
        desk.keep(group)
    told = [ReceiptRow._make(row) for row in desk.rows("receipt")]
    closed = {row.batch_id: row for row in told if row.kind == receipts.BATCH_CLOSED}
    kinds: dict[int, Counter] = {}
    for row in told:
        if row.batch_id in closed and row.idx >= 0:
            kinds.setdefault(row.batch_id, Counter())[row.kind] += 1
    for batch_id, row in closed.items():
        counts, seen = msgspec.json.decode(row.counts), kinds[batch_id]
        ends = {kind: seen[kind] for kind in ("refused", "cancelled", "refused_late", "dispatched")}
        assert counts == {"received": sum(ends.values()), **ends}
        assert seen["accepted"] == sum(seen[kind] for kind in FINAL_KINDS)
        assert seen["made"] == seen["dispatched"]
    finals = Counter(row.card_id for row in told if row.kind in FINAL_KINDS)
    assert set(finals.values()) <= {1}
    for row in told:
        later = [other for other in told if other.card_id == row.card_id and other.number > row.number]
        assert not (row.kind in FINAL_KINDS and later), "something was told after the end"


def test_a_batch_is_told_row_by_row_what_became_of_it():
    _, told = _tell(
        _opened(
            _row(0),
            _row(1, Verdict.NOTE, ["address.form"], ["address"]),
            _row(2, Verdict.HOLD, ["number.shared"], ["identity_number"]),
            _row(3, Verdict.REFUSE, ["name.dots", "sex.digit"], ["name", "sex"]),
        )
    )
    assert [(one.kind, one.index, one.codes, one.fields) for one in told] == [
        ("accepted", 0, [], []),
        ("accepted", 1, ["address.form"], ["address"]),
        ("held", 2, ["number.shared"], ["identity_number"]),
        ("refused", 3, ["name.dots", "sex.digit"], ["name", "sex"]),
    ]
    assert {one.batch_number for one in told} == {"7" * 25}
    assert [one.acceptance_number for one in told] == [f"{index:022d}" for index in range(4)]


def test_a_batch_refused_as_a_whole_is_one_receipt_at_index_minus_1():
    desk, told = _tell(m.BatchRefused(7, "7" * 25, "city", ["batch.count"]))
    assert told == [
        Receipt(
            number=1,
            kind="refused",
            batch_number="7" * 25,
            index=-1,
            codes=["batch.count"],
            at_floor_s=1.0,
            chain=desk.journal.durable_head.hash.hex(),
        )
    ]


def test_decisions_are_told_with_what_the_card_was_held_or_stopped_for():
    held = [_row(index, Verdict.HOLD, ["number.shared"], ["identity_number"]) for index in range(2)]
    _, told = _tell(
        _opened(*held, _row(2), _row(3)),
        m.CardDecided(70_000, "release", "anna", ""),
        m.CardDecided(70_001, "refuse", "anna", ""),
        m.CardDecided(70_002, "cancel", "anna", ""),
        m.CardStopped(70_003, "portrait.size"),
        m.CardDecided(70_003, "resume", "anna", ""),
        m.CardStopped(70_003, "portrait.size"),
        m.CardDecided(70_003, "refuse_late", "anna", ""),
        m.BatchClosed(7, 4, 1, 1, 1, 0),
    )
    assert [(one.number, one.kind, one.index, one.codes) for one in told[4:]] == [
        (5, "accepted", 0, ["number.shared"]),
        (6, "refused", 1, ["number.shared"]),
        (7, "cancelled", 2, []),
        (8, "refused_late", 3, ["portrait.size"]),
        (9, "batch_closed", -1, []),
    ]
    assert told[-1].counts == {"received": 4, "refused": 1, "cancelled": 1, "refused_late": 1, "dispatched": 0}


def test_a_spoiled_card_is_told_as_being_made_again_and_a_suspect_one_only_once_it_is_found():
    cards = [70_000, 70_001, 70_002, 70_003]

    def mark(mask, mark):
        return m.PositionsMarked(1, mask, mark, "21", "print1", "print", "inspect")

    _, told = _tell(
        *STATIONS,
        _opened(*(_row(index) for index in range(4))),
        m.EncodeStarted(1, cards),
        m.EncodeEnded(1),
        m.SheetImposed(1, [*cards, 0, 0, 0, 0]),
        mark(0b0001, Mark.FILM_SPOILED),
        m.SheetBound(1, 1_000, "laminate1"),
        mark(0b11110000, Mark.UNUSED),
        mark(0b0110, Mark.SUSPECTED),
        mark(0b1000, Mark.PASSED),
        mark(0b0010, Mark.FOUND_GOOD),
        mark(0b0100, Mark.FOUND_MISSING),
        m.BundleMade(1, 7, UNIT, [70_001, 70_003], "pack1"),
        m.ConsignmentSent(1, 7, [1], "anna"),
    )
    assert [(one.kind, one.index, one.codes) for one in told[4:]] == [
        ("spoiled_remaking", 0, ["21"]),
        ("spoiled_remaking", 2, ["21"]),
        ("made", 1, []),
        ("made", 3, []),
        ("dispatched", 1, []),
        ("dispatched", 3, []),
    ]


def test_a_page_begins_after_its_cursor_and_ends_at_its_limit():
    desk, _ = _tell(_opened(*(_row(index) for index in range(10))))
    reader = Reader(desk.engine)
    assert [one.number for one in reader.receipts("city", 3, 4)] == [4, 5, 6, 7]
    assert [one.number for one in reader.receipts("city", 8, 4)] == [9, 10]
    assert reader.receipts("city", 10) == []
    assert reader.receipts("nobody", 0) == []


def test_a_way_between_states_is_told_or_not_by_where_it_leads():
    assert kind_of(State.HELD, State.ACCEPTED) == "accepted"
    assert kind_of(State.STOPPED, State.ACCEPTED) is None
    assert kind_of(State.ACCEPTED, State.READY) is None
    assert kind_of(State.SUSPECT, State.READY) == "spoiled_remaking"
    assert kind_of(State.IMPOSED, State.GOOD) is None
