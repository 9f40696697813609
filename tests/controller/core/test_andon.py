"""The andon: each cause is one alarm as long as it stands, in an order that stays, with its age and its owner."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.andon.words import CAUSES, MEANINGS, SEVERITIES, TO_DO, cause_of, row_of, to_do_of
from controller.core.andon.alarm import Look
from controller.core.andon.andon import alarms, count_alarms, owned_and_over
from controller.core.andon.of_cards import AGEING, limit_s
from controller.core.andon.rules import LISTED_MAX, REST_TO_DO, RULES, Severity
from controller.core.peer_keys import PeerKey
from controller.core.rights_moves import Denied
from controller.core.settings import AndonConfig, CalendarConfig, CoreConfig, SettingError
from controller.core.starving import standing as standing_of
from controller.core.state import SILENT
from controller.core.taken import AlarmOwner
from devices.defects import Step
from devices.messages import StationState
from tests.controller.core.andon_floor import CASES, FRIDAY_S, UNIT, AndonFloor
from tests.controller.core.rough_floor import RoughFloor

HAN = re.compile(r"[\u4e00-\u9fff]")


def dead_floor(stations: int) -> AndonFloor:
    floor = AndonFloor()
    for number in range(stations):
        floor.add(Step.PRINT, f"dead-{number:02}", SILENT)
    return floor


# ---- each cause -------------------------------------------------------------------------------------------------


def test_a_floor_on_which_nothing_is_wrong_has_no_alarm():
    assert AndonFloor().alarms() == []


def test_each_code_of_the_list_has_a_cause_here_and_none_is_without_words():
    codes = set(RULES)
    assert {case.key.partition(" ")[0] for case in CASES} == codes
    assert set(MEANINGS) == codes
    assert set(CAUSES) <= codes
    assert set(TO_DO) == {rule.to_do for rule in RULES.values()} | {REST_TO_DO}
    assert set(SEVERITIES) == {severity.value for severity in Severity}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_an_alarm_begins_with_its_cause_and_ends_with_it(case):
    floor = AndonFloor()
    case.begin(floor)
    alarm = floor.alarm(case.key)
    assert alarm.since_floor_s == FRIDAY_S - (case.for_s or 0.0)
    assert alarm.severity is RULES[alarm.code].severity
    floor.now_floor_s += 30.0
    assert floor.alarm(case.key).since_floor_s == alarm.since_floor_s, "it grows older"
    case.end(floor)
    assert case.key not in floor.standing()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
def test_an_alarm_says_in_chinese_and_english_why_it_stands_and_what_to_do(case):
    floor = AndonFloor()
    case.begin(floor)
    alarm = floor.alarm(case.key)
    (zh, en), (to_do_zh, to_do_en) = cause_of(alarm, FRIDAY_S), to_do_of(alarm)
    assert HAN.search(zh)
    assert HAN.search(to_do_zh)
    assert en.isascii()
    assert to_do_en.isascii()
    for said in (zh, en, to_do_zh, to_do_en):
        assert not set(said) & set("{}")
    row = row_of(alarm, FRIDAY_S)
    assert (row["key"], row["age_s"], row["cause_en"], row["owner"]) == (case.key, case.for_s or 0.0, en, "")


AGED = {code for code, _ in AGEING.values()} - {"consignment.open"}


def test_what_waits_less_than_its_limit_is_no_alarm():
    for case in CASES:
        if case.key in AGED:
            floor = AndonFloor()
            case.begin(floor)
            floor.now_floor_s -= 1.0
            assert case.key not in floor.standing()


def test_things_of_a_kind_that_wait_too_long_are_one_alarm_with_their_number_and_the_oldest():
    floor = AndonFloor()
    for sheet in range(40):
        floor.tally.since.suspects[sheet + 1] = {0: FRIDAY_S - 3_600.0 - sheet}
    alarm = floor.alarm("suspect.open")
    assert (alarm.facts["count"], alarm.facts["first"], alarm.since_floor_s) == (40, "sheet 40", FRIDAY_S - 3_639.0)
    assert cause_of(alarm, FRIDAY_S) == (
        "40 联去向不明，最早 联 40",
        "40 sheets are suspect, the first sheet 40",
    )


def test_of_a_lost_pallet_the_list_shows_some_blanks_and_those_that_somebody_owns_and_counts_the_others():
    floor = AndonFloor()
    floor.state.stock.lost.update({serial: FRIDAY_S - 900.0 + serial / 1_000 for serial in range(1, 1_001)})
    floor.state.alarm_owners["blank.missing 777"] = AlarmOwner("ann", FRIDAY_S, FRIDAY_S)
    found = [one for one in floor.alarms() if one.code == "blank.missing"]
    assert [one.key for one in found if one.owner] == ["blank.missing 777"]
    assert len(found) == LISTED_MAX + 2
    rest = next(one for one in found if one.key == "blank.missing +")
    assert (rest.facts, rest.to_do) == ({"count": 1_000 - LISTED_MAX - 1}, REST_TO_DO)
    floor.state.alarm_owners["blank.missing +"] = AlarmOwner("bob", FRIDAY_S, FRIDAY_S)
    assert floor.alarm("blank.missing +").owner == "bob"
    assert owned_and_over(floor.look(), floor.alarms()) == []


def test_each_refused_attempt_counts_for_an_hour():
    floor = AndonFloor()
    floor.tally.fold(FRIDAY_S - 60.0, Denied("eve", "decide", "", "right.missing", 2))
    assert floor.alarm("attempt.denied").facts == {"count": 2}
    floor.now_floor_s += 3_600.0
    assert floor.standing() == set()


@pytest.mark.parametrize("setting", [{"silent_s": 0.0}, {"ahead_s": 1e9}, {"frames_min": 0}])
def test_a_limit_out_of_its_range_is_refused(setting):
    with pytest.raises(SettingError, match="andon"):
        AndonConfig(**setting)


# ---- stations ---------------------------------------------------------------------------------------------------


def test_a_station_that_is_silent_for_a_moment_is_no_alarm_nor_is_its_step():
    floor = AndonFloor()
    floor.state.piles[1, UNIT] = [10_000]
    for name in list(floor.state.stations):
        floor.put(name, SILENT, for_s=59.0)
    assert floor.standing() == set()
    floor.now_floor_s += 1.0
    assert {"station.silent p1", "step.stopped print", "step.stopped pack"} <= floor.standing()


def test_of_54_dead_stations_the_list_shows_some_and_says_how_many_more():
    floor = dead_floor(54)
    mine = [one for one in floor.alarms() if one.code == "station.silent"]
    assert len(mine) == LISTED_MAX + 1
    rest = next(one for one in mine if one.key == "station.silent +")
    assert rest.facts == {"count": 54 - LISTED_MAX}
    assert cause_of(rest, FRIDAY_S)[1] == "34 more: a station is not heard"
    assert to_do_of(rest) == TO_DO[REST_TO_DO]


def test_one_of_the_many_that_somebody_owns_stays_on_the_list():
    floor = dead_floor(54)
    floor.state.alarm_owners["station.silent dead-53"] = AlarmOwner("ann", FRIDAY_S, FRIDAY_S)
    assert floor.alarm("station.silent dead-53").owner == "ann"
    assert floor.alarm("station.silent +").facts == {"count": 53 - LISTED_MAX}


def test_a_station_whose_key_was_taken_away_is_no_alarm_any_more():
    floor = dead_floor(1)
    floor.state.peer_keys.put("operator", "ann", PeerKey("k", "", [], 0.0, "act"))
    floor.state.peer_keys.put("station", "dead-00", PeerKey("k", "", [], 0.0, "act"))
    assert "station.silent dead-00" in floor.standing()
    floor.state.peer_keys.remove("station", "dead-00")
    assert floor.standing() == set()


def test_outside_of_shifts_the_line_may_stand():
    floor = AndonFloor()
    next(case for case in CASES if case.key == "step.stopped print").begin(floor)
    floor.config = CoreConfig(calendar=CalendarConfig(shifts="08:00-16:00"))
    assert "step.stopped print" in floor.standing()
    floor.now_floor_s += 8 * 3_600.0
    assert not [key for key in floor.standing() if key.startswith(("step.", "floor."))]


def test_a_step_stands_since_its_last_station_was_lost():
    floor = AndonFloor()
    floor.add(Step.PRINT, "p2")
    floor.state.piles[1, UNIT] = [10_000]
    floor.put("p1", StationState.ABORTED, for_s=500.0)
    assert "step.stopped print" not in floor.standing()
    floor.put("p2", StationState.STOPPED, for_s=40.0)
    assert floor.alarm("step.stopped print").since_floor_s == FRIDAY_S - 40.0


@pytest.mark.parametrize("said", [1e12, math.nan, math.inf])
def test_a_station_that_says_any_time_is_as_old_as_it_was_seen_first(said):
    floor = AndonFloor()
    floor.put("p1", StationState.ABORTED)
    floor.state.stations["p1"].since_floor_s = said
    floor.alarms()
    floor.now_floor_s += 60.0
    assert floor.alarm("station.aborted p1").since_floor_s == FRIDAY_S


# ---- owners -----------------------------------------------------------------------------------------------------


def test_an_owner_stands_at_the_alarm_until_it_is_over():
    floor = AndonFloor()
    floor.put("p1", StationState.ABORTED)
    floor.state.alarm_owners["station.aborted p1"] = AlarmOwner("ann", FRIDAY_S, FRIDAY_S - 100.0)
    alarm = floor.alarm("station.aborted p1")
    assert (alarm.owner, alarm.owned_floor_s) == ("ann", FRIDAY_S)
    assert owned_and_over(floor.look(), floor.alarms()) == []
    floor.put("p1", StationState.IDLE)
    assert owned_and_over(floor.look(), floor.alarms()) == ["station.aborted p1"]


@pytest.mark.parametrize("key", ["station.aborted p1", "step.stopped print", "station.silent p1"])
def test_what_a_silent_moment_hides_is_not_known_to_be_over(key):
    floor = AndonFloor()
    floor.state.alarm_owners[key] = AlarmOwner("ann", FRIDAY_S, FRIDAY_S)
    floor.put("p1", SILENT, for_s=59.0)
    assert owned_and_over(floor.look(), floor.alarms()) == []
    floor.put("p1", StationState.IDLE)
    assert owned_and_over(floor.look(), floor.alarms()) == [key]


def test_after_a_start_an_owned_alarm_is_as_old_as_it_was():
    floor = AndonFloor()
    floor.state.stock.vault.clear()
    floor.state.alarm_owners["stock.vault_empty"] = AlarmOwner("ann", FRIDAY_S - 10.0, FRIDAY_S - 900.0)
    assert floor.alarm("stock.vault_empty").since_floor_s == FRIDAY_S - 900.0


# ---- the list ---------------------------------------------------------------------------------------------------


def everything_wrong() -> AndonFloor:
    floor = AndonFloor()
    for case in CASES:
        case.begin(floor)
    floor.conditions = replace(floor.conditions, disk="low", is_insecure=True)
    return floor


def test_the_gravest_come_first_and_of_those_the_oldest():
    floor = everything_wrong()
    found = floor.alarms()
    order = [(list(Severity).index(one.severity), one.since_floor_s, one.key) for one in found]
    assert order == sorted(order)
    assert sum(count_alarms(found).values()) == len(found)
    assert list(count_alarms([])) == ["page", "ticket", "note"]


NOUNS = ("blank", "reject", "return", "shift", "suspect", "pile", "remake", "consignment", "purge", "keys", "glass")


@pytest.mark.parametrize("young", [0, 1, 7])
def test_of_spoiled_blanks_those_that_wait_too_long_are_counted_and_the_oldest_of_them_dated(young):
    floor = AndonFloor()
    latest = FRIDAY_S - limit_s(CoreConfig().andon, "spoiled")
    floor.state.stock.spoiled |= {serial: latest - 50.0 + serial for serial in range(1, 51 + young)}
    alarm = floor.alarm("reject.open")
    assert (alarm.facts["count"], alarm.since_floor_s) == (50, latest - 49.0)


APART = [case for case in CASES if case.key.partition(".")[0] in NOUNS]


@settings(max_examples=40, deadline=None)
@given(st.permutations(APART))
def test_in_whatever_order_things_went_wrong_the_list_is_the_same(cases):
    floor, other = AndonFloor(), AndonFloor()
    for case in cases:
        case.begin(floor)
    for case in APART:
        case.begin(other)
    assert floor.alarms() == other.alarms()
    assert floor.standing() == {case.key for case in APART}


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), until_s=st.floats(0.0, 20_000.0), later_s=st.floats(0.0, 1e6))
def test_on_a_floor_with_much_trouble_no_key_is_there_twice_and_a_second_look_sees_the_same(seed, until_s, later_s):
    floor = RoughFloor(seed, trouble=0.3)
    floor.submit(1.0, 1, 24, holds=2)
    floor.host.run(until_s)
    look = Look(floor.state, floor.report.tally, CoreConfig(), floor.host.now_floor_s + later_s)
    found = alarms(look, {})
    keys = [one.key for one in found]
    assert len(keys) == len(set(keys))
    assert alarms(look, {one.key: one.since_floor_s for one in found}) == found
    assert all(one.since_floor_s <= look.now_floor_s for one in found)
    for waiting in (floor.state.stock.spoiled, floor.state.stock.returned):
        assert list(waiting.values()) == sorted(waiting.values()), "alarms read the young ones alone"
    word = standing_of(floor.state, floor.report.tally.window.sums(look.now_floor_s)["made"])
    assert ("floor.starving" in keys) is (word == "starving")
    assert any(key.startswith("step.stopped") for key in keys) is (word == "stopped")
