"""Complaints 13, 14 and 15: healthy idle looks healthy, counts survive, removed stations go, labels are few."""

from __future__ import annotations

import re

from controller.config import Config
from controller.core.foreman import Foreman
from controller.core.state import SILENT
from controller.metrics import LABELS, Metrics
from controller.metrics_page import watch_all
from controller.upkeep.books import Books, decode_books, encode_books
from devices.messages import StationState
from tests.controller.measured import STATIONS, MeasuredFloor, large_floor, series, worked_floor

SERIES_MAX = 2_000
HOUR_S = 3_600.0


def page_of(metrics: Metrics) -> dict[str, float]:
    return series(metrics.text().decode())


# ---- complaint 13: healthy idle looks healthy ---------------------------------------------------------------------


def test_complaint_13_beside_what_is_there_now_stands_what_the_last_hour_brought():
    floor, measured = worked_floor(trouble=0.0)
    now = floor.log[-1][0]
    idle = Metrics(measured.tally, floor.state, now_floor_s=lambda: now)
    page = page_of(idle)
    assert page["cardmill_open_cards"] == 0
    assert all(page[f'cardmill_waiting_sheets{{step="{step}"}}'] == 0 for step in ("print", "inspect"))
    assert page['cardmill_last_hour_cards{outcome="made"}'] > 0
    assert page['cardmill_last_hour_cards{outcome="made"}'] <= page['cardmill_cards_total{outcome="made"}']


def test_complaint_13_the_last_hour_is_that_of_the_clock_and_empties_while_nothing_moves():
    floor, measured = worked_floor(trouble=0.0)
    now = floor.log[-1][0]
    later = Metrics(measured.tally, floor.state, now_floor_s=lambda: now + 2 * HOUR_S)
    page = page_of(later)
    assert page['cardmill_last_hour_cards{outcome="made"}'] == 0
    assert page['cardmill_cards_total{outcome="made"}'] == measured.tally.made > 0
    ages = {name: value for name, value in page.items() if name.startswith("cardmill_station_state_age_seconds")}
    assert len(ages) == len(floor.state.stations)
    assert min(ages.values()) >= 2 * HOUR_S


# ---- complaint 14: metrics survive a restart, a removed station's series disappears -------------------------------


def test_complaint_14_counts_read_from_a_snapshot_of_the_books_are_those_before():
    floor, measured = worked_floor()
    books = Books(Foreman(floor.foreman.config, floor.state), measured.tally, floor.log[-1][0])
    before = page_of(measured.metrics)
    again = decode_books(encode_books(books), Config())
    restored = Metrics(again.tally, again.foreman.state)
    watch_all(restored, again.foreman.state)
    now = page_of(restored)
    same = {name for name in before if not name.startswith(("process_", "cardmill_disk")) and "_created" not in name}
    assert {name for name in same if abs(now[name] - before[name]) > 1e-6 * abs(before[name])} == set()
    assert before['cardmill_cards_total{outcome="made"}'] > 0


def test_complaint_14_all_series_of_a_station_that_was_taken_away_disappear_and_no_others():
    floor, measured = worked_floor()
    measured.tally.lied["p1", "station.bad_times"] = 2
    measured.tally.lied["p2", "station.bad_times"] = 2
    listed = {name for name in floor.state.stations if name != "p1"}
    metrics = Metrics(measured.tally, floor.state, lambda: listed)
    before = page_of(metrics)
    assert sum('station="p1"' in name for name in before) > 10, "its key is gone, and it works on to the end"
    floor.state.stations["p1"].state = SILENT
    after = page_of(metrics)
    gone = {name for name in before if name not in after}
    assert gone == {name for name in before if 'station="p1"' in name}
    assert sum('station="p2"' in name for name in after) > 10


# ---- complaint 15: the label budget -------------------------------------------------------------------------------


def test_complaint_15_a_floor_of_64_stations_where_every_code_came_has_fewer_than_2000_series():
    metrics = large_floor()
    plain = page_of(metrics)
    assert len({re.search(r'station="(\w+)"', name)[1] for name in plain if 'station="' in name}) == STATIONS
    assert STATIONS * len(StationState) < len(plain) < SERIES_MAX
    samples = [line for line in metrics.openmetrics().decode().splitlines() if not line.startswith("#")]
    assert len(samples) < SERIES_MAX


def test_complaint_15_ten_times_the_cards_batches_and_people_give_not_one_series_more():
    floor, small = worked_floor(seed=7)
    large = MeasuredFloor(floor.state)
    for at, move in floor.log:
        large.take(at, move)
    for number in range(10):
        large.tally.lead_s[float(number)] += 5
        large.tally.batch_received[10_000 + number] = 1.0
    large.tally.received += 400
    assert set(page_of(large.metrics)) == set(page_of(small.metrics))


def test_complaint_15_no_label_holds_a_card_a_batch_or_a_person():
    floor, measured = worked_floor()
    labels = re.findall(r'[{,](\w+)="([^"]*)"', measured.metrics.text().decode())
    assert {name for name, _ in labels} <= set(LABELS)
    numbers = {batch.batch_number for batch in floor.state.batches.values()} | {str(card) for card in floor.state.cards}
    assert not {value for name, value in labels if name != "le"} & numbers
    assert [value for name, value in labels if name != "le" and re.search(r"\d{3}", value)] == []
