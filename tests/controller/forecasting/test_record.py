"""The record of forecasts: the first one of a batch is scored, all is bounded, and it outlives a restart."""

from __future__ import annotations

import pytest
import structlog

from controller.core.calendar import DAY_S
from controller.forecasting.record import (
    BATCHES_MAX,
    BY_P50,
    BY_P90,
    DAYS_MAX,
    LATER,
    SCORED_MAX,
    Record,
    Said,
)
from controller.forecasting.record_file import NAME, read_record, write_record


def said(made_floor_s, p50_floor_s=100.0, p90_floor_s=200.0):
    return Said(made_floor_s=made_floor_s, p50_floor_s=p50_floor_s, p90_floor_s=p90_floor_s)


@pytest.mark.parametrize(
    ("finished_floor_s", "outcome"), [(99.0, BY_P50), (100.0, BY_P50), (150.0, BY_P90), (200.0, BY_P90), (201.0, LATER)]
)
def test_a_finished_batch_is_scored_by_its_p50_and_its_p90(finished_floor_s, outcome):
    record = Record()
    record.note(7, "0007", said(10.0))
    assert record.score({7: finished_floor_s}) == 1
    assert [one.outcome for one in record.scored] == [outcome]
    assert record.counts == {outcome: 1}
    assert record.open == {}


def test_the_first_forecast_counts_and_of_a_floor_day_the_first_is_kept():
    record = Record()
    for at, p90 in ((10.0, 200.0), (20.0, 900.0), (DAY_S + 1.0, 300.0)):
        record.note(7, "0007", said(at, 100.0, p90))
    assert [one.p90_floor_s for one in record.open[7].said] == [200.0, 300.0]
    record.score({7: 250.0})
    assert record.scored[0].outcome == LATER


def test_p90_holds_for_what_is_finished_by_p50_too():
    record = Record()
    for batch_id, finished in ((1, 50.0), (2, 150.0), (3, 150.0), (4, 500.0)):
        record.note(batch_id, str(batch_id), said(1.0))
        record.score({batch_id: finished})
    held = record.calibration()
    assert (held.scored, held.p50_held_percent, held.p90_held_percent, held.waiting) == (4, 25.0, 75.0, 0)


def test_without_a_finished_batch_no_share_is_told():
    record = Record()
    record.note(1, "1", said(1.0))
    held = record.calibration()
    assert (held.scored, held.p50_held_percent, held.p90_held_percent, held.waiting) == (0, None, None, 1)


def test_a_batch_nobody_forecast_is_not_scored_and_one_is_scored_once():
    record = Record()
    record.note(1, "1", said(1.0))
    assert record.score({1: 50.0, 2: 50.0}) == 1
    assert record.score({1: 50.0}) == 0


def test_what_is_kept_has_a_bound_and_the_counts_go_on():
    record = Record()
    for batch_id in range(BATCHES_MAX + 5):
        record.note(batch_id, str(batch_id), said(1.0))
    assert len(record.open) == BATCHES_MAX
    assert 4 not in record.open
    for day in range(DAYS_MAX + 5):
        record.note(9, "9", said(day * DAY_S + 2.0))
    assert len(record.open[9].said) == DAYS_MAX
    assert record.open[9].said[0].made_floor_s == 1.0, "the first is the one that counts"
    record.score(dict.fromkeys(list(record.open), 50.0))
    assert len(record.scored) == SCORED_MAX
    assert record.counts == {BY_P50: BATCHES_MAX}


def test_it_comes_out_of_its_file_as_it_was_and_only_its_owner_reads_it(tmp_path):
    record = Record()
    record.note(7, "0007", said(10.0))
    record.note(8, "0008", said(10.0))
    record.score({8: 150.0})
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("broken", [b"", b"{", b'{"open": 3}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_costs_the_record_and_a_line_in_the_log(tmp_path, broken):
    (tmp_path / NAME).write_bytes(broken)
    with structlog.testing.capture_logs() as logs:
        assert read_record(tmp_path) == Record()
    assert [one["event"] for one in logs] == ["the record of forecasts begins anew"]


def test_without_a_file_it_begins_empty_and_says_nothing(tmp_path):
    with structlog.testing.capture_logs() as logs:
        assert read_record(tmp_path) == Record()
    assert logs == []
