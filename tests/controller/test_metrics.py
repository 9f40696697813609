"""Names, units and labels keep to the conventions; counters never go back; examples name the batch."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strictly_parsed
from prometheus_client.parser import text_string_to_metric_families as parsed

from controller.core.moves import BatchOpened, ConsignmentSent
from controller.core.quality_moves import BundleOpened
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.lead_times import BUCKETS_S, LeadTimes
from controller.metrics import LABELS, Metrics
from controller.metrics_page import families, page
from tests.controller.measured import MeasuredFloor, large_floor, series, worked_floor

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("_seconds", "_bytes", "_ratio")
ABBREVIATED = re.compile(r"_(ms|s|kb|mb|mib|pct|percent|hours|minutes)(_|$)")


@pytest.fixture(scope="module")
def worked():
    return worked_floor()


# ---- conventions ------------------------------------------------------------------------------------------------


def test_every_name_has_its_prefix_says_its_unit_in_full_and_counters_alone_end_in_total():
    for name, family, _ in families():
        assert re.fullmatch(r"(cardmill|process)_[a-z0-9_]+", name)
        assert name.endswith("_total") == (family.type == "counter"), name
        assert not ABBREVIATED.search(name), name
        assert not family.unit or name.removesuffix("_total").endswith(f"_{family.unit}")


def test_every_metric_says_what_it_is_in_words_that_do_not_repeat_its_name():
    for name, family, _ in families():
        assert len(family.documentation) > 10, name
        assert name not in family.documentation


def test_names_of_families_are_unique_and_none_is_a_series_of_another():
    names = Counter(name for name, _, _ in families())
    assert set(names.values()) == {1}
    assert not [name for name in names if name.endswith(("_bucket", "_sum", "_count", "_created"))]


def test_labels_come_from_the_closed_list_and_all_of_it_is_used():
    assert {label for _, _, labels in families() for label in labels} == set(LABELS)


def test_the_page_of_metrics_is_what_the_code_prints():
    assert (ROOT / "docs" / "metrics.md").read_text("utf-8") == page()
    assert all(f"| `{name}` |" in page() for name, _, _ in families())


# ---- both formats -------------------------------------------------------------------------------------------------


def test_both_formats_are_read_by_strict_readers_and_say_the_same(worked):
    _, measured = worked
    plain = {family.name: family for family in parsed(measured.metrics.text().decode())}
    whole = {family.name: family for family in strictly_parsed(measured.metrics.openmetrics().decode())}
    for name, family in whole.items():
        if name.startswith("process_"):
            continue
        shown = {(one.name, *sorted(one.labels.items())): one.value for one in family.samples}
        also = {(one.name, *sorted(one.labels.items())): one.value for one in plain[name].samples}
        assert {key: value for key, value in shown.items() if not key[0].endswith("_created")} == also, name
        assert family.documentation == plain[name].documentation


def test_examples_name_a_batch_that_had_this_lead_time_and_stand_in_openmetrics_alone(worked):
    floor, measured = worked
    [family] = [one for one in strictly_parsed(measured.metrics.openmetrics().decode()) if "lead_time" in one.name]
    examples = [(one.labels["le"], one.exemplar) for one in family.samples if one.exemplar]
    opened = {move.batch_id: move for _, move in floor.log if isinstance(move, BatchOpened)}
    leads = {
        (opened[move.batch_id].batch_number, round(at - opened[move.batch_id].received_floor_s, 1))
        for at, move in floor.log
        if isinstance(move, ConsignmentSent)
    }
    assert examples
    assert all((one.labels["batch_id"], one.value) in leads for _, one in examples)
    assert all(one.value <= float(bound) for bound, one in examples)
    assert "batch_id" not in measured.metrics.text().decode()


def test_an_encoded_card_is_an_example_of_its_batch_and_of_none_that_is_unknown():
    fresh = MeasuredFloor(FloorState())
    fresh.metrics.observe_encode(0.01, [10_000, 10_001])
    assert "batch_id" not in fresh.metrics.openmetrics().decode()
    fresh.take(1.0, BatchOpened(1, "5201000000002026030200001", "north", "second", 1.0, 2.0, []))
    fresh.metrics.observe_encode(0.01, [10_000, 10_001])
    text = fresh.metrics.openmetrics().decode()
    assert re.search(
        r'cardmill_encode_seconds_bucket\{le="0.008"\} 4.0 # \{batch_id="5201000000002026030200001"\}', text
    )


# ---- counts -------------------------------------------------------------------------------------------------------


def test_no_counter_ever_goes_back_whatever_happens_on_the_floor(worked):
    floor, _ = worked
    measured, before = MeasuredFloor(floor.state), dict[str, float]()
    opened = 0
    kinds = {name for name, family, _ in families() if family.type != "gauge"}
    for at, move in floor.log:
        measured.take(at, move)
        opened += isinstance(move, BundleOpened)
        now = {
            name: value
            for name, value in series(measured.metrics.text().decode()).items()
            if re.sub(r"(_bucket|_count|_sum)?(\{.*)?$", "", name) in kinds and not name.startswith("process_")
        }
        assert [name for name, value in before.items() if now[name] < value] == []
        before = now
    assert before['cardmill_cards_total{outcome="made"}'] > 0


def test_a_bundle_that_is_opened_again_and_a_wrong_reject_leave_their_counters_standing():
    tally, state = Tally(made=10, opened=4), FloorState()
    page = series(Metrics(tally, state).text().decode())
    assert page['cardmill_cards_total{outcome="made"}'] == 14
    assert page['cardmill_cards_total{outcome="opened"}'] == 4


def test_lead_times_counted_one_by_one_are_those_counted_from_the_whole_tally(worked):
    _, measured = worked
    restored = Metrics(measured.tally, measured.state)
    once, again = (series(one.text().decode()) for one in (measured.metrics, restored))
    rows = {name: value for name, value in once.items() if name.startswith("cardmill_lead_time")}
    assert rows == pytest.approx(
        {name: value for name, value in again.items() if name.startswith("cardmill_lead_time")}
    )
    assert rows["cardmill_lead_time_seconds_count"] == measured.tally.dispatched > 0
    leads = measured.tally.lead_s
    for bound in BUCKETS_S:
        wanted = sum(count for lead, count in leads.items() if lead <= bound)
        assert rows[f'cardmill_lead_time_seconds_bucket{{le="{bound}"}}'] == wanted


def test_a_lead_time_on_a_bound_lies_under_it():
    tally = Tally()
    tally.lead_s[1_800.0] = 3
    [family] = LeadTimes(tally).collect()
    assert [one.value for one in family.samples[:2]] == [3, 3]


def test_a_large_floor_has_every_label_of_the_closed_list():
    found = {label for name in series(large_floor().text().decode()) for label in re.findall(r"[{,](\w+)=", name)}
    assert found == set(LABELS)


def test_turns_portraits_and_tasks_are_told_as_they_are_noted():
    metrics = Metrics(Tally(), FloorState())
    metrics.watch_tasks(lambda: 7)
    metrics.observe_turn(0.25)
    metrics.spend_on_portraits(1.5)
    metrics.spend_on_portraits(0.5)
    page = series(metrics.text().decode())
    assert (page["cardmill_turn_seconds_count"], page["cardmill_turn_seconds_sum"]) == (1, 0.25)
    assert page["cardmill_portrait_cpu_seconds_total"] == 2
    assert page["cardmill_tasks"] == 7
