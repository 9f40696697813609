"""Every figure of a span's report equals what SQL finds in the ledger, and the accounts are the core's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from controller.core.calendar import Calendar
from controller.core.settings import CalendarConfig
from controller.ledger.store import DATABASE_NAME
from controller.report.span import Span
from controller.report.span_build import build_span_report
from tests.controller.report.ledger_sql import SPOILING, LedgerSql
from tests.controller.report.worked_ledger import ENDS_FLOOR_S, accounts_at, ledger_of, worked_floor

IN = "at >= :begin AND at < :until"
SPANS = ((0.0, 14_400.0), (14_400.0, 28_800.0), (9_000.0, 30_000.0), (28_800.0, ENDS_FLOOR_S))
STEPS = ("print", "laminate", "punch", "write", "inspect", "pack")
REFUSING = "('refuse', 'correct')"
CARDS = {
    "received": f"SELECT count(*) FROM rows WHERE {IN}",
    "refused": f"SELECT count(*) FROM rows WHERE {IN} AND verdict = 3",
    "held": f"SELECT count(*) FROM rows WHERE {IN} AND verdict = 2",
    "accepted": f"SELECT count(*) FROM rows WHERE {IN} AND verdict < 2",
    "held_released": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'decided' AND b->>2 = 'release'",
    "held_refused": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'decided' AND b->>2 IN {REFUSING}",
    "cancelled": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'decided' AND b->>2 = 'cancel'",
    "refused_late": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'decided' AND b->>2 = 'refuse_late'",
    "made": f"SELECT (SELECT coalesce(sum(cards), 0) FROM bundles WHERE {IN})"
    f" - (SELECT coalesce(sum(cards), 0) FROM opened WHERE {IN})",
    "dispatched": f"SELECT coalesce(sum(cards), 0) FROM sent WHERE {IN}",
    "sheets": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'sheet'",
    "batches": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'batch'",
    "batches_refused": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'batch_refused'",
    "batches_closed": f"SELECT count(*) FROM told WHERE {IN} AND tag = 'batch_closed'",
    "remade": f"SELECT (SELECT coalesce(sum(places), 0) FROM spoiled WHERE {IN}) - (SELECT count(*) FROM here)",
    "set_good_earlier": f"SELECT (SELECT count(*) FROM goods WHERE {IN}) - (SELECT count(*) FROM here)",
}
HERE = f"""CREATE TEMP TABLE here AS SELECT g.* FROM goods AS g WHERE g.at >= {{0}} AND g.at < {{1}} AND EXISTS
(SELECT 1 FROM marks AS k WHERE k.at >= {{0}} AND k.seq < g.seq AND k.sheet = g.sheet AND k.found_at = 'inspect'
AND k.mark IN {SPOILING} AND (k.mask >> g.place) & 1)"""
OPEN_AT = """SELECT (SELECT count(*) FROM rows WHERE at < :at AND verdict < 3)
- (SELECT count(*) FROM told WHERE at < :at AND tag = 'decided' AND b->>2 NOT IN ('release', 'resume'))
- (SELECT coalesce(sum(cards), 0) FROM sent WHERE at < :at)"""
STATION = f"""
WITH sums AS (SELECT count(*) AS n, sum(sheets + cards) AS u, sum(took) AS t, sum((sheets + cards) * took) AS ut,
    sum((sheets + cards) * (sheets + cards)) AS uu FROM ended WHERE {IN} AND station = :station AND answer = 'done'
    AND sheets + cards > 0),
  line AS (SELECT n, u, t, 1.0 * n * uu - u * u AS spread, (n * ut - u * t) / nullif(1.0 * n * uu - u * u, 0) AS slope
    FROM sums),
  ideal AS (SELECT u, CASE WHEN coalesce(u, 0) = 0 THEN 0 WHEN spread <= 0 THEN t / u * :most WHEN slope < 0 THEN t / n
    WHEN (t - slope * u) / n < 0 THEN t / u * :most ELSE (t - slope * u) / n + slope * :most END / :most AS unit_s
    FROM line),
  own AS (SELECT coalesce(sum(took), 0.0) AS busy, count(*) AS loads, coalesce(sum(places + cards), 0) AS worked
    FROM ended WHERE {IN} AND station = :station),
  bad AS (SELECT coalesce(sum(places), 0) AS bad FROM charged WHERE {IN} AND station = :station)
SELECT busy, loads, worked, bad - :set_good, CASE WHEN busy > 0 AND :planned > 0 THEN min(1.0, busy / :planned) ELSE 0.0
  END, CASE WHEN busy > 0 AND :planned > 0 THEN min(1.0, coalesce(u, 0) * unit_s / busy) ELSE 1.0 END,
  CASE WHEN worked > 0 THEN 1.0 - min(1.0, 1.0 * (bad - :set_good) / worked) ELSE 1.0 END FROM own, bad, ideal
"""
DOWN = """WITH told_states AS (SELECT at, seq, b->>2 AS state FROM told WHERE tag = 'station' AND b->>1 = :station
  UNION ALL SELECT min(at), min(seq), 'stopped' FROM told WHERE tag = 'joined' AND b->>1 = :station),
  spells AS (SELECT state, at AS since, lead(at, 1, :until) OVER (ORDER BY seq) AS till FROM told_states)
SELECT coalesce(sum(max(0.0, min(till, :until) - max(since, :begin))), 0.0) FROM spells
  WHERE state NOT IN ('idle', 'execute')"""


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worked")
    floor = worked_floor(5)
    with ledger_of(floor, folder) as reading:
        sql = LedgerSql(folder / DATABASE_NAME)
        yield SimpleNamespace(floor=floor, reading=reading, sql=sql)
        sql.close()


@pytest.fixture(params=SPANS, ids=lambda one: f"{one[0]:.0f}-{one[1]:.0f}")
def asked(worked, request):
    return ask(worked, *request.param)


def ask(worked, begin, end):
    """The report of a span, and SQL that is bound to it."""
    span = Span(kind="shift", name="1970-01-01/1", begin_floor_s=begin, end_floor_s=end)
    worked.sql.span = {"begin": begin, "until": end}
    worked.sql.all("DROP TABLE IF EXISTS temp.here")
    worked.sql.all(HERE.format(begin, end))
    report = build_span_report(worked.reading, span)
    return SimpleNamespace(report=report, sql=worked.sql, floor=worked.floor, begin=begin, end=end)


def test_the_floor_had_every_kind_of_trouble_that_a_report_tells_of(worked):
    tags = worked.sql.pairs("SELECT tag, count(*) FROM told GROUP BY tag")
    for tag in ("shift", "counted", "destroyed", "set_good", "came_back", "mark", "bundle_stopped", "station_held"):
        assert tags.get(tag), f"no {tag} in {tags}"


def test_cases_are_those_of_the_moves_and_law_4_closes(asked):
    found = {name: asked.sql.one(query) for name, query in CARDS.items()}
    found["open_at_begin"] = asked.sql.one(OPEN_AT, at=asked.begin)
    found["open_at_end"] = asked.sql.one(OPEN_AT, at=asked.end)
    assert asked.report.cards == found
    assert asked.report.broken == []
    codes = asked.sql.pairs(
        f"SELECT c.value, count(*) FROM rows, json_each(codes) AS c WHERE {IN} AND verdict = 3 GROUP BY 1"
    )
    assert asked.report.refused_by_code == codes


def test_a_reject_of_before_the_span_that_is_set_good_in_it_is_not_taken_off(worked):
    rejected, good = worked.sql.all(
        "SELECT max(k.at) AS rejected, g.at FROM goods AS g JOIN marks AS k ON k.sheet = g.sheet AND k.seq < g.seq AND"
        " k.found_at = 'inspect' AND k.mark = 'spoiled' AND (k.mask >> g.place) & 1 GROUP BY g.seq, g.place"
        " ORDER BY g.at - rejected DESC, g.seq LIMIT 1"
    )[0]
    assert rejected < good
    one = ask(worked, (rejected + good) / 2, good + 600.0)
    assert one.report.cards["set_good_earlier"] == one.sql.one(CARDS["set_good_earlier"]) > 0
    assert one.report.cards["remade"] == one.sql.one(CARDS["remade"])
    assert all(row.count > 0 for row in one.report.causes)
    assert one.report.broken == []


def test_yields_of_steps_are_those_of_the_moves(asked):
    worked = asked.sql.pairs(f"SELECT step, sum(places + cards) FROM ended WHERE {IN} GROUP BY step")
    scrap = asked.sql.pairs(f"SELECT caused_at, sum(places) FROM spoiled WHERE {IN} GROUP BY 1")
    for step, spared in asked.sql.all("SELECT caused_at, count(*) FROM here GROUP BY 1"):
        scrap[step] -= spared
    rework = asked.sql.pairs(f"SELECT step, sum(places) FROM passes WHERE {IN} AND pass > 1 GROUP BY 1")
    rty = 1.0
    for row, step in zip(asked.report.steps, STEPS, strict=True):
        done, lost, again = (counts.get(step, 0) for counts in (worked, scrap, rework))
        assert (row.step, row.worked, row.scrap, row.rework) == (step, done, lost, again)
        assert row.fpy == pytest.approx(asked.sql.one("SELECT 1 - 1.0 * :lost / max(1, :done)", lost=lost, done=done))
        assert row.fty == pytest.approx(max(0.0, 1.0 - (lost + again) / max(1, done)))
        assert (row.scrap_ratio, row.rework_ratio) == pytest.approx((lost / max(1, done), again / max(1, done)))
        rty *= row.fty
    assert asked.report.rty == pytest.approx(rty)


def test_oee_of_stations_is_that_of_the_moves(asked):
    assert {row.station for row in asked.report.stations} == {
        name for (name,) in asked.sql.all("SELECT DISTINCT b->>1 FROM told WHERE tag = 'joined' AND at < :until")
    }
    for row in asked.report.stations:
        most = asked.sql.one("SELECT b->>4 FROM told WHERE tag = 'joined' AND b->>1 = :station", station=row.station)
        spared = sum(_charged_to(asked.sql, sheet, step) == row.station for sheet, step in _set_good(asked.sql))
        values = {"station": row.station, "most": most, "planned": asked.end - asked.begin, "set_good": spared}
        [(busy, loads, done, bad, availability, effectiveness, quality)] = asked.sql.all(STATION, **values)
        assert (row.loads, row.worked, row.bad) == (loads, done, bad), row.station
        found = (row.busy_s, row.availability, row.effectiveness, row.quality, row.down_s, row.planned_s)
        down = asked.sql.one(DOWN, station=row.station)
        assert found == pytest.approx((busy, availability, effectiveness, quality, down, asked.end - asked.begin))
        assert row.oee == pytest.approx(availability * effectiveness * quality)
    reworked = asked.sql.pairs(f"SELECT station, sum(places) FROM passes WHERE {IN} AND pass > 1 GROUP BY 1")
    assert {row.station: row.rework for row in asked.report.stations if row.rework} == reworked


def _set_good(sql):
    return sql.all("SELECT sheet, caused_at FROM here")


def _charged_to(sql, sheet, step):
    found = sql.all("SELECT station FROM jobs WHERE sheet = :sheet AND step = :step", sheet=sheet, step=step)
    return found[-1][0] if found else ""


def test_the_curve_and_the_lead_times_are_those_of_the_moves(asked):
    made = asked.sql.pairs(
        "SELECT cast((at - :begin) / 3600 AS int), sum(cards) FROM (SELECT at, cards FROM bundles UNION ALL"
        f" SELECT at, -cards FROM opened) WHERE {IN} GROUP BY 1"
    )
    assert [point.cards for point in asked.report.curve] == [
        made.get(place, 0) for place in range(len(asked.report.curve))
    ]
    assert sum(point.seconds for point in asked.report.curve) == asked.report.planned_s == asked.end - asked.begin
    for point in asked.report.curve:
        assert point.per_hour == pytest.approx(point.cards / (point.seconds / 3_600))
    assert asked.report.cards_per_hour == pytest.approx(sum(made.values()) / ((asked.end - asked.begin) / 3_600))
    lead = f"""WITH leads AS (SELECT round(s.at - r.received, 1) AS lead, sum(s.cards) AS cards FROM sent AS s
        JOIN (SELECT DISTINCT batch_id, received FROM rows) AS r ON r.batch_id = s.batch_id WHERE s.{IN} GROUP BY 1),
        running AS (SELECT lead, sum(cards) OVER (ORDER BY lead) AS upto, sum(cards) OVER () AS whole FROM leads)
        SELECT coalesce(min(lead), 0.0) FROM running WHERE upto >= :share * whole"""
    assert asked.report.lead_p50_s == pytest.approx(asked.sql.one(lead, share=0.5))
    assert asked.report.lead_p95_s == pytest.approx(asked.sql.one(lead, share=0.95))


def test_the_pareto_is_that_of_the_moves_and_adds_up(asked):
    found = {(code, step, at): n for code, step, at, n in asked.sql.all(
        f"SELECT code, caused_at, found_at, sum(places) FROM spoiled WHERE {IN} GROUP BY 1, 2, 3")}  # fmt: skip
    for code, step in asked.sql.all("SELECT code, caused_at FROM here"):
        found[(code, step, "inspect")] -= 1
    rows = asked.report.causes
    assert {(row.code, row.caused_at, row.found_at): row.count for row in rows} == {
        key: count for key, count in found.items() if count
    }
    assert [row.count for row in rows] == sorted((row.count for row in rows), reverse=True)
    whole = sum(row.count for row in rows)
    assert whole == asked.report.cards["remade"]
    running = 0
    for row in rows:
        running += row.count
        assert (row.share, row.cumulated) == pytest.approx((row.count / whole, running / whole))


def test_blanks_of_each_account_are_those_of_the_entries_and_of_the_core(asked):
    before, after = (accounts_at(asked.floor.log, at) for at in (asked.begin, asked.end))
    for row in asked.report.blanks.accounts:
        assert (row.begin, row.end) == (before[row.account], after[row.account]), row.account
        came = asked.sql.one(f"SELECT coalesce(sum(blanks), 0) FROM entries WHERE {IN} AND target = :a", a=row.account)
        went = asked.sql.one(f"SELECT coalesce(sum(blanks), 0) FROM entries WHERE {IN} AND source = :a", a=row.account)
        assert (row.came, row.went) == (came, went), row.account
        assert row.begin + row.came - row.went == row.end
        assert row.begin == asked.sql.one(
            "SELECT coalesce(sum(iif(target = :a, blanks, -blanks)), 0) FROM entries WHERE at < :begin AND :a IN"
            " (source, target)",
            a=row.account,
        )
    assert asked.report.blanks.received == asked.sql.one(
        f"SELECT coalesce(sum(blanks), 0) FROM entries WHERE {IN} AND source = 'received'"
    )
    closed = asked.sql.all("SELECT b->>1, at FROM told WHERE tag = 'shift' AND at < :begin ORDER BY seq DESC LIMIT 1")
    assert (asked.report.blanks.since_shift, asked.report.blanks.since_floor_s) == (closed[0] if closed else (0, 0.0))


def test_planned_time_is_what_the_calendar_leaves_open(worked):
    span = Span(kind="day", name="1970-01-01", begin_floor_s=0.0, end_floor_s=ENDS_FLOOR_S)
    config = CalendarConfig(
        shifts="02:00-06:00, 06:00-10:00", weekdays="1234567", maintenance="w1 1970-01-01T03:00/1970-01-01T04:00"
    )
    report = build_span_report(worked.reading, span, Calendar(config))
    planned = {row.station: row.planned_s for row in report.stations}
    assert report.planned_s == planned["p1"] == 8 * 3_600
    assert planned["w1"] == 7 * 3_600
    assert report.cards_per_hour == pytest.approx(report.cards["made"] / 8)
    assert [point.planned_s for point in report.curve] == [0, 0, *[3_600] * 8, 0, 0]
