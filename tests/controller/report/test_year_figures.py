"""Every figure of a year's report equals what SQL finds in the ledger: at a year's end, at its start, of half a day."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from controller.core.calendar import calendar_of
from controller.core.settings import CalendarConfig
from controller.ledger.store import DATABASE_NAME
from controller.report.span import floor_day, midnight_floor_s, year_span
from controller.report.span_build import build_span_report
from controller.report.year_build import build_year_report
from controller.report.year_report import YearReport
from tests.controller.report.test_span_figures import HERE
from tests.controller.report.worked_ledger import ledger_of, worked_floor
from tests.controller.report.year_ledger import NORMAL, year_floor
from tests.controller.report.year_sql import DAY_S, YearSql

ROUND = CalendarConfig(shifts="00:00-03:00, 04:00-07:00", weekdays="1234567")  # of the half day: more is overtime
IN_DAY = "at >= d.since AND at < d.till"
COUNTS = {
    "received": f"SELECT count(*) FROM rows WHERE {IN_DAY}",
    "accepted": f"SELECT (SELECT count(*) FROM rows WHERE {IN_DAY} AND verdict < 2)"
    f" + (SELECT count(*) FROM told WHERE {IN_DAY} AND tag = 'decided' AND b->>2 = 'release')",
    "made": f"SELECT (SELECT coalesce(sum(cards), 0) FROM bundles WHERE {IN_DAY})"
    f" - (SELECT coalesce(sum(cards), 0) FROM opened WHERE {IN_DAY})",
    "dispatched": f"SELECT coalesce(sum(cards), 0) FROM sent WHERE {IN_DAY}",
    "remade": f"SELECT (SELECT coalesce(sum(places), 0) FROM spoiled WHERE {IN_DAY})"
    f" - (SELECT count(*) FROM here WHERE {IN_DAY})",
    "open": "SELECT (SELECT count(*) FROM rows WHERE at < d.till AND verdict < 3) - (SELECT count(*) FROM told"
    " WHERE at < d.till AND tag = 'decided' AND b->>2 NOT IN ('release', 'resume'))"
    " - (SELECT coalesce(sum(cards), 0) FROM sent WHERE at < d.till)",
    "planned_s": "SELECT coalesce(sum(o.till - o.since), 0) FROM opening AS o WHERE o.since >= d.since"
    " AND o.till <= d.till",
    "overtime_cards": f"SELECT coalesce(sum(cards), 0) FROM bundles WHERE {IN_DAY} AND NOT EXISTS (SELECT 1 FROM"
    " opening AS o WHERE bundles.at >= o.since AND bundles.at < o.till)",
}
WORKED = """SELECT d.since, coalesce(sum({0} * (max(0, min(w.till, d.till) - max(w.since, d.since))
    - (SELECT coalesce(sum(max(0, min(w.till, o.till) - max(w.since, o.since))), 0) FROM opening AS o
       WHERE o.since >= d.since AND o.till <= d.till))), 0)
  FROM day AS d LEFT JOIN at_work AS w ON w.till > d.since AND w.since < d.till GROUP BY 1 ORDER BY 1"""
LEADS = """WITH here AS (SELECT lead, in_time FROM leads WHERE at >= :since AND at < :till
    AND :class IN (due_class, 'all')),
  running AS (SELECT lead, row_number() OVER (ORDER BY lead) AS place, count(*) OVER () AS whole FROM here)
  SELECT (SELECT count(*) FROM here), (SELECT min(lead) FROM running WHERE place >= 0.5 * whole),
    (SELECT min(lead) FROM running WHERE place >= 0.95 * whole), (SELECT avg(in_time) FROM here)"""
WEEKS = "SELECT week, min(since), max(till) FROM day GROUP BY week ORDER BY 2"
FLOW = """SELECT d.week, f.step, sum(f.loaded * (min(coalesce(f.till, :until), d.till) - max(f.since, d.since)))
  FROM flow AS f JOIN day AS d ON coalesce(f.till, :until) > d.since AND f.since < d.till
  WHERE f.waiting > 0 GROUP BY 1, 2"""
STATIONS = """SELECT j.step, count(*) FROM (SELECT b->>1 AS station, b->>2 AS step, min(at) AS at FROM told
  WHERE tag = 'joined' GROUP BY 1) AS j WHERE j.at < :till GROUP BY 1"""
STOPS = """WITH spells AS (SELECT station, state, reason, seq, at, lead(at, 1, :until) OVER (PARTITION BY station
    ORDER BY seq) AS till FROM states)
  SELECT p.station, p.state, p.reason, sum(p.at >= :begin AND EXISTS (SELECT 1 FROM told AS t WHERE t.seq = p.seq
      AND t.tag = 'station')) AS times, sum(max(0, min(till, :until) - max(at, :begin))) AS seconds,
    max(max(0, min(till, :until) - max(at, :begin))) AS longest FROM spells AS p
  WHERE p.state NOT IN ('idle', 'execute') AND p.at < :until GROUP BY 1, 2, 3 HAVING times > 0 OR seconds > 0"""


@pytest.fixture(scope="module")
def floors():
    return {"weeks": year_floor(3), "half day": worked_floor(5)}


CASES = {  # floor, its calendar of normal work, from when on
    "a year's end": ("weeks", NORMAL, year_span(1970)),
    "a year's start": ("weeks", NORMAL, year_span(1971)),
    "half a day": ("half day", ROUND, year_span(1970)),
    "after a closed shift": ("half day", ROUND, msgspec.structs.replace(year_span(1970), begin_floor_s=14_400.0)),
}


@pytest.fixture(scope="module", params=CASES)
def asked(floors, request, tmp_path_factory):
    name, calendar, span = CASES[request.param]
    folder, floor = tmp_path_factory.mktemp("year"), floors[name]
    until = min(span.end_floor_s, midnight_floor_s(floor_day(floor.log[-1][0])) + DAY_S)
    with ledger_of(floor, folder) as reading:
        report = build_year_report(reading, span, calendar, until)
        sql = YearSql(folder / DATABASE_NAME, span.begin_floor_s, until, calendar)
        sql.all(HERE.format(span.begin_floor_s, until))
        yield SimpleNamespace(
            name=name, report=report, sql=sql, reading=reading, span=span, until=until, calendar=calendar
        )
        sql.close()


def test_what_a_span_has_is_that_of_a_span_and_every_sum_holds(asked):
    whole = build_span_report(asked.reading, asked.span, calendar_of(asked.calendar), asked.until)
    assert msgspec.structs.replace(asked.report.whole, moves=whole.moves) == whole
    assert asked.report.whole.broken == []
    assert asked.report.whole.cards["made"] > 0


def test_days_are_those_of_the_moves_and_of_the_calendar(asked):
    for name, query in COUNTS.items():
        found = [getattr(day, name) for day in asked.report.days]
        assert found == [row[0] for row in asked.sql.all(f"SELECT ({query}) FROM day AS d ORDER BY d.since")], name
    since = [row[0] for row in asked.sql.all("SELECT since FROM day ORDER BY since")]
    assert [day.begin_floor_s for day in asked.report.days] == since
    holidays = {floor_day(day.begin_floor_s).isoformat() for day in asked.report.days if day.is_holiday}
    assert holidays == {
        day for day in ("1970-12-25", "1971-01-01") if asked.name == "weeks" and day[:4] == asked.span.name
    }


def test_overtime_is_the_time_at_work_less_the_hours_of_the_calendar(asked):
    hours, station_hours = (asked.sql.all(WORKED.format(count)) for count in ("1", "w.stations"))
    assert [day.overtime_s for day in asked.report.days] == pytest.approx([row[1] for row in hours])
    over = asked.report.overtime
    assert over.is_known
    assert over.seconds == pytest.approx(sum(row[1] for row in hours))
    assert over.station_s == pytest.approx(sum(row[1] for row in station_hours))
    assert over.station_s > over.seconds > 3_600
    assert over.cards == sum(day.overtime_cards for day in asked.report.days) > 0


def test_weeks_are_the_sums_of_their_days_and_their_lead_times_those_of_the_moves(asked):
    weeks = asked.sql.all(WEEKS)
    assert [(week.week, week.begin_floor_s) for week in asked.report.weeks] == [row[:2] for row in weeks]
    for week, (name, since, till) in zip(asked.report.weeks, weeks, strict=True):
        days = [day for day in asked.report.days if since <= day.begin_floor_s < till]
        for column in ("planned_s", "received", "accepted", "made", "dispatched", "remade", "overtime_cards"):
            assert getattr(week, column) == sum(getattr(day, column) for day in days), (name, column)
        assert week.overtime_s == pytest.approx(sum(day.overtime_s for day in days))
        assert week.open == days[-1].open
        [(cards, p50, p95, in_time)] = asked.sql.all(LEADS, since=since, till=till, **{"class": "all"})
        wanted = (p50, p95, in_time) if cards else (0.0, 0.0, 1.0)
        assert (week.lead_p50_s, week.lead_p95_s, week.in_time) == pytest.approx(wanted)


def test_lead_times_of_each_due_class_are_those_of_the_moves(asked):
    found = {(row.week, row.due_class): row for row in asked.report.leads}
    spans = [("", asked.span.begin_floor_s, asked.until), *asked.sql.all(WEEKS)]
    wanted = {}
    for week, since, till in spans:
        for due_class in ("all", "express", "within_7", "within_15", "within_30", "over_30"):
            [row] = asked.sql.all(LEADS, since=since, till=till, **{"class": due_class})
            if row[0]:
                wanted[(week, due_class)] = row
    assert found.keys() == wanted.keys()
    for key, row in found.items():
        assert (row.cards, row.lead_p50_s, row.lead_p95_s, row.in_time) == pytest.approx(wanted[key]), key
    if asked.name == "weeks":
        assert {due_class for week, due_class in found if not week} >= {"all", "express", "within_7"}
        assert any(row.in_time < 1 for row in found.values())


def test_the_bottleneck_is_the_step_with_most_load_while_work_waited(asked):
    seconds = {(week, step): value for week, step, value in asked.sql.all(FLOW)}
    for week, (name, _, till) in zip(asked.report.weeks, asked.sql.all(WEEKS), strict=True):
        stations = asked.sql.pairs(STATIONS, till=till)
        for step, share in week.steps.items():
            if step == "print" and asked.report.whole.blanks.since_shift:
                continue  # what was ready before the first move that is read, nobody knows
            whole = stations.get(step, 0) * week.planned_s
            assert share * whole == pytest.approx(seconds.get((name, step), 0.0) if whole else 0.0), (name, step)
        most = max(week.steps.values())
        assert week.bottleneck == next((step for step, share in week.steps.items() if share == most > 0), "")
    assert any(week.bottleneck for week in asked.report.weeks)
    shown = {step for week in asked.report.weeks for step, share in week.steps.items() if share}
    assert len(shown - {"print"}) >= 2


def test_stops_are_those_that_the_stations_told(asked):
    found = {
        (row.station, row.state, row.reason): (row.times, row.seconds, row.longest_s) for row in asked.report.stops
    }
    wanted = {tuple(row[:3]): tuple(row[3:]) for row in asked.sql.all(STOPS)}
    assert found.keys() == wanted.keys()
    for key, row in found.items():
        assert row == pytest.approx(wanted[key]), key
    is_whole = not asked.report.whole.blanks.since_shift
    assert sum(row.times for row in asked.report.stops) > 0 or not is_whole
    seconds = [row.seconds for row in asked.report.stops]
    assert seconds == sorted(seconds, reverse=True)


def test_what_became_of_the_blanks_is_that_of_the_entries(asked):
    def sum_of(where, at="at >= :begin AND at < :until"):
        return asked.sql.one(f"SELECT coalesce(sum(blanks), 0) FROM entries WHERE {at} AND {where}")

    def stock(at):
        places = "('vault', 'magazine')"
        return sum_of(f"target IN {places}", at) - sum_of(f"source IN {places}", at)

    blanks = asked.report.blanks
    targets = {"used": "sheet", "destroyed": "destroyed", "sampled": "sample", "missing": "missing"}
    targets |= {"spoiled": "spoiled", "returned": "returned", "dispatched": "dispatched"}
    for name, target in targets.items():
        assert blanks[name] == sum_of(f"target = '{target}'"), name
    assert blanks["received"] == sum_of("source = 'received'")
    assert (blanks["begin"], blanks["end"]) == (stock("at < :begin"), stock("at < :until"))
    everywhere = sum_of("source = 'received'", "at < :until")
    gone = sum_of("target IN ('dispatched', 'destroyed', 'sample', 'missing')", "at < :until")
    gone -= sum_of("source IN ('dispatched', 'destroyed', 'sample', 'missing')", "at < :until")
    assert blanks["on_floor"] == everywhere - gone - blanks["end"]
    assert blanks["used"] > 0


def test_the_report_comes_back_whole_from_its_json(asked):
    assert msgspec.convert(msgspec.to_builtins(asked.report), YearReport) == asked.report
    assert msgspec.json.decode(msgspec.json.encode(asked.report), type=YearReport) == asked.report


def test_a_calendar_without_shifts_knows_no_overtime(asked):
    report = build_year_report(asked.reading, asked.span, CalendarConfig(), asked.until)
    assert not report.overtime.is_known
    assert (report.overtime.seconds, report.overtime.station_s, report.overtime.cards) == (0, 0, 0)
    assert sum(day.planned_s for day in report.days) == asked.until - asked.span.begin_floor_s
    assert report.whole.broken == []


def test_a_year_in_which_nothing_happened_has_its_days_and_every_sum_holds(asked):
    report = build_year_report(asked.reading, year_span(1975), asked.calendar, None)
    assert (len(report.days), report.whole.cards["received"], report.leads) == (365, 0, [])
    assert {week.bottleneck for week in report.weeks} == {""}
    assert report.whole.broken == []
    early = build_year_report(asked.reading, asked.span, asked.calendar, asked.span.begin_floor_s - 5.0)
    assert (early.days, early.weeks, early.stops) == ([], [], [])
