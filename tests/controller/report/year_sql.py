"""What a year's report says beside a span's, asked of the ledger once more in SQL: see `ledger_sql` for the tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from controller.core.settings import CalendarConfig
from tests.controller.report.ledger_sql import SPOILING, LedgerSql

DAY_S = 86_400.0
PAGE_OF = "json_each(t.b, '$[2]')"
CARDS = """
CREATE TEMP TABLE due_of AS SELECT b->>1 AS batch_id, b->>5 AS received, b->>6 AS due, b->>8 AS express_due
  FROM told WHERE tag = 'batch';
CREATE TEMP TABLE hastened AS SELECT seq, b->>1 AS card, b->>2 AS due FROM told WHERE tag = 'hastened';
CREATE TEMP TABLE express AS SELECT (t.b->>1) * 10000 + (r.value->>0) AS card
  FROM told AS t, json_each(t.b, '$[7]') AS r WHERE t.tag = 'batch' AND r.value->>6;
CREATE TEMP TABLE bundled AS SELECT t.seq, t.b->>1 AS bundle_id, c.value AS card
  FROM told AS t, json_each(t.b, '$[4]') AS c WHERE t.tag = 'bundle';
CREATE TEMP TABLE left_at AS SELECT s.at, u.card, d.received, d.due, d.express_due,
  (SELECT h.due FROM hastened AS h WHERE h.card = u.card AND h.seq < u.seq ORDER BY h.seq DESC LIMIT 1) AS hastened,
  EXISTS (SELECT 1 FROM express AS x WHERE x.card = u.card) AS express
  FROM told AS s, json_each(s.b, '$[3]') AS one JOIN bundled AS u ON u.bundle_id = one.value
  JOIN due_of AS d ON d.batch_id = s.b->>2 WHERE s.tag = 'sent';
CREATE TEMP TABLE leads AS SELECT at, round(at - received, 1) AS lead, CASE
    WHEN hastened IS NOT NULL OR express THEN 'express' WHEN due - received <= 7 * 86400 THEN 'within_7'
    WHEN due - received <= 15 * 86400 THEN 'within_15' WHEN due - received <= 30 * 86400 THEN 'within_30'
    ELSE 'over_30' END AS due_class,
  at <= CASE WHEN hastened IS NOT NULL THEN hastened WHEN express AND express_due > 0 THEN min(due, express_due)
    ELSE due END AS in_time FROM left_at;
"""
WORK = """
CREATE TEMP TABLE states AS SELECT seq, at, b->>1 AS station, b->>2 AS state, b->>3 AS reason FROM told
  WHERE tag = 'station' UNION ALL SELECT min(seq), min(at), b->>1, 'stopped', '' FROM told WHERE tag = 'joined'
  GROUP BY b->>1;
CREATE TEMP TABLE station_events AS SELECT seq, at, station, 0 AS load FROM states
  UNION ALL SELECT seq, at, b->>2, 1 FROM told WHERE tag = 'job'
  UNION ALL SELECT seq, at, b->>2, -1 FROM told WHERE tag = 'job_ended';
CREATE TEMP TABLE at_work AS WITH here AS (SELECT e.seq, e.at, e.station,
    sum(e.load) OVER (PARTITION BY e.station ORDER BY e.seq) > 0 AND coalesce((SELECT s.state FROM states AS s
      WHERE s.station = e.station AND s.seq <= e.seq ORDER BY s.seq DESC LIMIT 1), '') IN ('idle', 'execute') AS works
    FROM station_events AS e),
  changes AS (SELECT seq, at, works - lag(works, 1, 0) OVER (PARTITION BY station ORDER BY seq) AS change FROM here),
  counts AS (SELECT seq, at, sum(change) OVER (ORDER BY seq) AS stations,
    lead(at, 1, 1e18) OVER (ORDER BY seq) AS till FROM changes)
  SELECT stations, at AS since, till FROM counts WHERE stations > 0 AND till > at;
"""
FLOW = f"""
CREATE TEMP TABLE imposed AS SELECT t.seq, t.at, t.b->>1 AS sheet, c.key AS place, c.value AS card
  FROM told AS t, {PAGE_OF} AS c WHERE t.tag = 'sheet' AND c.value > 0;
CREATE TEMP TABLE back AS SELECT t.seq, t.at, t.b->>1 AS sheet,
  (SELECT sum(c.value > 0) FROM json_each(t.b, '$[3]') AS c) AS places FROM told AS t WHERE t.tag = 'quarantined';
CREATE INDEX temp.imposed_sheet ON imposed (sheet);
CREATE TEMP TABLE sheet_ends AS SELECT t.seq, t.at, t.b->>3 AS step, o.value->>0 AS sheet, o.value->>1 AS fate
  FROM told AS t, json_each(t.b, '$[7]') AS o WHERE t.tag = 'job_ended';
CREATE TEMP TABLE card_events AS
  SELECT seq, at, card, 0 AS ready FROM imposed
  UNION ALL SELECT seq, at, b->>1, 0 FROM told WHERE tag IN ('stopped', 'decided', 'set_good')
    OR (tag = 'contested' AND b->>3)
  UNION ALL SELECT seq, at, b->>1, 1 FROM told WHERE tag = 'missing'
  UNION ALL SELECT k.seq, k.at, i.card, 1 FROM marks AS k JOIN imposed AS i ON i.sheet = k.sheet
    AND (k.mask >> i.place) & 1 WHERE k.mark IN {SPOILING}
  UNION ALL SELECT d.seq, d.at, c.value, 1 FROM told AS d JOIN told AS s ON s.tag = 'encode' AND s.b->>1 = d.b->>1,
    json_each(s.b, '$[2]') AS c WHERE d.tag = 'encoded'
    AND NOT EXISTS (SELECT 1 FROM json_each(d.b, '$[2]') AS f WHERE f.value->>0 = c.value)
    AND NOT EXISTS (SELECT 1 FROM told AS o WHERE o.tag IN ('stopped', 'decided') AND o.b->>1 = c.value
      AND o.seq BETWEEN s.seq AND d.seq);
CREATE TEMP TABLE waits AS
  SELECT at, 'print' AS step, ready - lag(ready, 1, 0) OVER (PARTITION BY card ORDER BY seq) AS units FROM card_events
  UNION ALL SELECT min(at), 'print', 1 FROM imposed GROUP BY sheet
  UNION ALL SELECT t.at, t.b->>3, -json_array_length(t.b, '$[4]') FROM told AS t WHERE t.tag = 'job'
  UNION ALL SELECT at, iif(fate = 'done', CASE step WHEN 'print' THEN 'laminate' WHEN 'laminate' THEN 'punch'
      WHEN 'punch' THEN 'write' ELSE 'inspect' END, step), 1 FROM sheet_ends AS z
    WHERE (SELECT count(*) FROM imposed AS i WHERE i.sheet = z.sheet)
      + (SELECT coalesce(sum(places), 0) FROM back AS k WHERE k.sheet = z.sheet AND k.seq < z.seq)
      > (SELECT coalesce(sum(places), 0) FROM marks AS k WHERE k.sheet = z.sheet AND k.seq < z.seq
        AND k.mark IN ('film_spoiled', 'spoiled', 'passed', 'suspected'))
  UNION ALL SELECT k.at, 'inspect', 1 FROM back AS k WHERE NOT EXISTS (SELECT 1 FROM back AS j WHERE j.sheet = k.sheet
    AND j.seq < k.seq AND NOT EXISTS (SELECT 1 FROM jobs AS g WHERE g.sheet = k.sheet
      AND g.seq BETWEEN j.seq AND k.seq))
  UNION ALL SELECT at, 'pack', iif(target = 'good', blanks, -blanks) FROM entries WHERE 'good' IN (source, target)
  UNION ALL SELECT t.at, 'pack', -json_array_length(t.b, '$[6]') FROM told AS t WHERE t.tag = 'job'
  UNION ALL SELECT t.at, 'pack', t.b->>8 FROM told AS t WHERE t.tag = 'job_ended';
CREATE TEMP TABLE flow AS WITH both AS (SELECT at, step, units, 0 AS load FROM waits
    UNION ALL SELECT at, b->>3, 0, iif(tag = 'job', 1, -1) FROM told WHERE tag IN ('job', 'job_ended')),
  here AS (SELECT at, step, sum(units) AS units, sum(load) AS load FROM both GROUP BY at, step)
  SELECT step, at AS since, lead(at) OVER (PARTITION BY step ORDER BY at) AS till,
    sum(units) OVER (PARTITION BY step ORDER BY at) AS waiting, sum(load) OVER (PARTITION BY step ORDER BY at) AS loaded
    FROM here;
"""


class YearSql(LedgerSql):
    """A connection with the tables of a year; `calendar` says which hours are normal work."""

    def __init__(self, path: Path, begin_floor_s: float, until_floor_s: float, calendar: CalendarConfig) -> None:
        super().__init__(path, begin_floor_s, until_floor_s)
        for script in (CARDS, WORK, FLOW):
            self.run(script)
        days = ceil((until_floor_s - begin_floor_s) / DAY_S)
        first = datetime.fromtimestamp(begin_floor_s, UTC)
        dates = [first + timedelta(days=place) for place in range(days)]
        weeks = ["{}-W{:02d}".format(*at.isocalendar()[:2]) for at in dates]
        ends = [min(until_floor_s, at.timestamp() + DAY_S) for at in dates]
        rows = [(at.timestamp(), till, week) for at, till, week in zip(dates, ends, weeks, strict=True)]
        self.fill("day (since, till, week)", rows)
        opened = [one for at in dates for one in _openings(at.replace(hour=0), calendar)]
        self.fill("opening (since, till)", [one for one in opened if one[0] >= begin_floor_s])


def _openings(day: datetime, calendar: CalendarConfig) -> Iterable[tuple[float, float]]:
    """Give the hours of a day that the words of the calendar leave open."""
    if str(day.isoweekday()) not in calendar.weekdays or day.date().isoformat() in calendar.holidays:
        return
    for shift in calendar.shifts.split(","):
        hours = [at.strip().split(":") for at in shift.split("-")]
        begin, end = (day.timestamp() + int(hour) * 3_600.0 + int(minute) * 60.0 for hour, minute in hours)
        yield begin, end
