"""What a span's report lists: counts, shifts, two-person acts, alarms, late batches; and what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from controller.core.andon.rules import RULES
from controller.ledger.store import DATABASE_NAME
from controller.report import alarms, span_fold, span_moves
from controller.report.alarms import COUNTED_ONLY, OTHERS
from controller.report.span import Span
from controller.report.span_build import build_span_report
from controller.report.span_report import SpanReport
from controller.report.span_words import ALARM_WORDS
from tests.controller.report.ledger_sql import LedgerSql
from tests.controller.report.worked_ledger import ENDS_FLOOR_S, ledger_of, worked_floor

IN = "at >= :begin AND at < :until"
BEGIN, UNTIL = 9_000.0, 36_000.0
ALARMS = {
    "station.aborted": "SELECT b->>1, count(*) FROM told WHERE {} AND tag = 'station' AND b->>2 = 'aborted' GROUP BY 1",
    "station.lied": "SELECT (b->>1) || ' ' || (b->>2), count(*) FROM told WHERE {} AND tag = 'lied' GROUP BY 1",
    "station.held": "SELECT (b->>1) || ' ' || (b->>2), count(*) FROM told WHERE {} AND tag = 'station_held' GROUP BY 1",
    "station.drift": "SELECT trim((b->>1) || ' ' || (b->>2)), count(*) FROM told WHERE {} AND tag = 'drift' GROUP BY 1",
    "card.stopped": "SELECT b->>2, count(*) FROM told WHERE {} AND tag = 'stopped' GROUP BY 1",
    "pile.stopped": "SELECT b->>6, count(*) FROM told WHERE {} AND tag = 'bundle_stopped' AND b->>9 GROUP BY 1",
    "count.differs": "SELECT b->>2, count(*) FROM told WHERE {} AND tag = 'counted' AND b->>3 <> b->>4 GROUP BY 1",
    "suspect.open": "SELECT iif(station = '', caused_at, station), sum(places) FROM marks WHERE {}"
    " AND mark = 'suspected' GROUP BY 1",
    "blank.missing": "SELECT about, sum(blanks) FROM (SELECT at, 'pack' AS about, 1 AS blanks FROM told"
    " WHERE tag = 'missing' UNION ALL SELECT at, 'spoiled', 1 FROM told WHERE tag = 'blanks_lost' UNION ALL"
    " SELECT at, iif(b->>1 = '', 'vault', b->>1), (b->>3) * (b->>7) FROM told WHERE tag = 'bodies_lost' UNION ALL"
    " SELECT at, iif(station = '', caused_at, station), places FROM marks WHERE mark = 'found_missing')"
    " WHERE {} GROUP BY 1",
}


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listed")
    floor = worked_floor(8)
    with ledger_of(floor, folder) as reading:
        sql = LedgerSql(folder / DATABASE_NAME, BEGIN, UNTIL)
        span = Span(kind="shift", name="1970-01-01/1", begin_floor_s=BEGIN, end_floor_s=UNTIL)
        yield SimpleNamespace(floor=floor, reading=reading, sql=sql, span=span, report=build_span_report(reading, span))
        sql.close()


def test_counts_and_closed_shifts_say_who_did_them(worked):
    counts = worked.sql.all(
        f"SELECT at, b->>2, b->>3, b->>4, b->>5 FROM told WHERE {IN} AND tag = 'counted' ORDER BY seq"
    )
    assert counts
    found = [(one.at_floor_s, one.place, one.counted, one.expected, one.by) for one in worked.report.counts]
    assert found == counts
    shifts = worked.sql.all(
        f"SELECT b->>1, b->>2, at, b->>5, b->>6, b->4 FROM told WHERE {IN} AND tag = 'shift' ORDER BY seq"
    )
    assert shifts
    assert [
        (one.shift, one.opened_floor_s, one.closed_floor_s, one.by, one.second, one.lost)
        for one in worked.report.shifts
    ] == [(*row, [str(blank) for blank in json.loads(lost)]) for *row, lost in shifts]


def test_two_person_acts_stand_with_both_people_though_the_first_asked_before_the_span(worked):
    query = """SELECT e.at, a.b->>2, a.b->>4, e.b->>2, e.b->>3 FROM told AS e JOIN told AS a ON a.tag = 'act'
        AND a.b->>1 = e.b->>1 WHERE e.tag = 'act_ended' AND e.at >= :begin AND e.at < :until ORDER BY e.seq"""
    acts = worked.sql.all(query)
    assert acts
    assert [(one.at_floor_s, one.verb, one.by, one.second, one.done) for one in worked.report.acts] == acts
    [(asked_at, act, ended_at)] = worked.sql.all(
        "SELECT a.at, a.b->>1, e.at FROM told AS a JOIN told AS e ON e.tag = 'act_ended' AND e.b->>1 = a.b->>1"
        " WHERE a.tag = 'act' ORDER BY e.at - a.at DESC, a.seq LIMIT 1"
    )
    begin = (asked_at + ended_at) / 2 if ended_at > asked_at else asked_at
    span = Span(kind="shift", name="x", begin_floor_s=begin, end_floor_s=ended_at + 1.0)
    verb = worked.sql.one("SELECT b->>2 FROM told WHERE tag = 'act' AND b->>1 = :act", act=act)
    assert verb in [one.verb for one in build_span_report(worked.reading, span).acts]


def test_alarms_are_counted_once_for_each_cause_and_thing(worked):
    found = {(one.alarm, one.about): one.times for one in worked.report.alarms}
    wanted = {
        (alarm, about): times for alarm, query in ALARMS.items() for about, times in worked.sql.all(query.format(IN))
    }
    assert found == wanted
    assert {alarm for alarm, _ in found} <= {*RULES, *COUNTED_ONLY}
    assert {"count.differs", "blank.missing", "suspect.open", "station.held"} <= {alarm for alarm, _ in found}
    assert all(BEGIN <= one.first_floor_s <= one.last_floor_s < UNTIL for one in worked.report.alarms)
    assert [one.times for one in worked.report.alarms] == sorted(found.values(), reverse=True)


@pytest.mark.parametrize(("begin", "until"), [(0.0, 14_400.0), (14_400.0, 43_200.0), (86_400.0, 172_800.0)])
def test_late_batches_are_those_that_were_due_and_not_closed(worked, begin, until):
    worked.sql.span = {"begin": begin, "until": until}
    query = """WITH ends AS (SELECT b->>1 AS batch_id, at AS closed FROM told WHERE tag = 'batch_closed'),
        over AS (SELECT batch_id, sum(cards) AS n FROM sent WHERE at < :until GROUP BY 1 UNION ALL
          SELECT (b->>1) / 10000, count(*) FROM told WHERE tag = 'decided' AND at < :until
          AND b->>2 NOT IN ('release', 'resume') GROUP BY 1)
        SELECT r.number, r.due, iif(closed < :until, closed, 0.0), iif(closed < :until, closed, :until) - r.due,
          iif(closed < :until, 0, sum(r.verdict < 3) - coalesce((SELECT sum(n) FROM over
            WHERE over.batch_id = r.batch_id), 0))
        FROM rows AS r LEFT JOIN ends USING (batch_id) WHERE r.at < :until AND r.due < :until AND (closed IS NULL
          OR (closed > r.due AND closed >= :begin)) GROUP BY r.batch_id ORDER BY r.due, r.batch_id"""
    span = Span(kind="day", name="x", begin_floor_s=begin, end_floor_s=until)
    report = build_span_report(worked.reading, span)
    found = [(one.batch_number, one.due_floor_s, one.closed_floor_s, one.late_s, one.open) for one in report.late]
    wanted = worked.sql.all(query)
    worked.sql.span = {"begin": BEGIN, "until": UNTIL}
    assert found == wanted
    assert found


def test_each_alarm_has_a_word_and_none_that_only_a_report_counts_is_in_the_list_of_alarms():
    assert set(COUNTED_ONLY).isdisjoint(RULES)
    assert set(ALARM_WORDS) <= {*RULES, *COUNTED_ONLY, OTHERS[0]}
    counted = {
        code for code in RULES | dict.fromkeys(COUNTED_ONLY) if f'"{code}"' in Path(alarms.__file__).read_text("utf-8")
    }
    assert counted == set(ALARM_WORDS) - {OTHERS[0]}


def test_a_report_in_the_midst_of_its_span_ends_now(worked):
    report = build_span_report(worked.reading, worked.span, now_floor_s=20_000.0)
    short = build_span_report(worked.reading, msgspec.structs.replace(worked.span, end_floor_s=20_000.0))
    assert report.until_floor_s == 20_000.0
    assert msgspec.structs.replace(report, span=short.span) == short
    ahead = build_span_report(worked.reading, worked.span, now_floor_s=1_000.0)
    assert (ahead.until_floor_s, ahead.moves, ahead.curve) == (BEGIN, 0, [])


def test_a_span_after_the_last_move_or_before_the_first_has_nothing_and_every_sum_holds(worked):
    after = Span(kind="day", name="x", begin_floor_s=2 * ENDS_FLOOR_S, end_floor_s=3 * ENDS_FLOOR_S)
    before = Span(kind="day", name="x", begin_floor_s=-9_000.0, end_floor_s=0.0)
    for span in (after, before):
        report = build_span_report(worked.reading, span)
        assert (report.moves, report.broken, report.cards["received"], report.rty) == (0, [], 0, 1.0)


def test_the_report_comes_back_whole_from_its_json(worked):
    assert msgspec.convert(msgspec.to_builtins(worked.report), SpanReport) == worked.report
    assert msgspec.json.decode(msgspec.json.encode(worked.report), type=SpanReport) == worked.report


def test_long_lists_are_cut_and_the_report_says_by_how_much(worked, monkeypatch):
    monkeypatch.setattr(span_fold, "ROWS_MAX", 2)
    monkeypatch.setattr(span_moves, "ROWS_MAX", 1)
    cut = build_span_report(worked.reading, worked.span)
    whole = worked.report
    assert (len(cut.counts), len(cut.acts), len(cut.late)) == (2, 2, 1)
    assert cut.left_out["counts"] == len(whole.counts) - 2
    assert cut.left_out["acts"] == len(whole.acts) - 2
    assert cut.left_out.get("late", 0) == len(whole.late) - 1


def test_work_ends_when_it_is_told_to(worked):
    class Enough(Exception):
        pass

    def stop():
        raise Enough

    with pytest.raises(Enough):
        build_span_report(worked.reading, worked.span, look=stop)


def test_moves_of_long_before_the_span_are_not_opened(worked, monkeypatch):
    seen, opened = [], span_moves.opened

    def counted(seq, body):
        seen.append(seq)
        return opened(seq, body)

    monkeypatch.setattr(span_moves, "opened", counted)
    span = Span(kind="shift", name="x", begin_floor_s=39_600.0, end_floor_s=ENDS_FLOOR_S)
    report = build_span_report(worked.reading, span)
    closed = worked.sql.one("SELECT max(at) FROM told WHERE tag = 'shift' AND at < 39600")
    assert report.blanks.since_floor_s == closed >= 28_800
    assert report.moves <= len(seen) < len(worked.floor.log) / 2
    assert worked.floor.log[min(seen) - 1][0] > 14_400.0, (
        "sheets that were on the floor when the shift was closed were imposed not long before"
    )
