"""Every figure of a span's report asked of the ledger once more, in SQL over its moves, which SQLite reads as JSON.

`move.body` is opened by a function `told`; a move is a list: its tag, then its fields in order.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import msgspec

SPOILING = "('film_spoiled', 'spoiled', 'found_spoiled', 'found_missing')"
VIEWS = f"""
CREATE TEMP TABLE told AS SELECT seq, at_floor_s AS at, tag, told(body) AS b FROM move;
CREATE INDEX temp.told_tag ON told (tag, seq);
CREATE TEMP TABLE rows AS SELECT seq, at, b->>1 AS batch_id, b->>2 AS number, b->>3 AS upstream, b->>5 AS received,
  b->>6 AS due, r.value->>0 AS idx, r.value->>3 AS verdict, r.value->4 AS codes
  FROM told, json_each(b, '$[7]') AS r WHERE tag = 'batch';
CREATE TEMP TABLE bundles AS SELECT seq, at, b->>1 AS bundle_id, json_array_length(b, '$[4]') AS cards
  FROM told WHERE tag = 'bundle';
CREATE TEMP TABLE opened AS SELECT o.seq, o.at, u.cards, u.bundle_id FROM told AS o JOIN bundles AS u
  ON u.bundle_id = o.b->>1 WHERE o.tag = 'bundle_opened';
CREATE TEMP TABLE sent AS SELECT s.seq, s.at, s.b->>2 AS batch_id, u.cards FROM told AS s, json_each(s.b, '$[3]') AS one
  JOIN bundles AS u ON u.bundle_id = one.value WHERE s.tag = 'sent';
CREATE TEMP TABLE jobs AS SELECT seq, b->>2 AS station, b->>3 AS step, one.value AS sheet
  FROM told, json_each(b, '$[4]') AS one WHERE tag = 'job';
CREATE TEMP TABLE ended AS SELECT seq, at, b->>2 AS station, b->>3 AS step, b->>4 AS answer,
  max(0.0, (b->>6) - (b->>5)) AS took, b->>8 AS cards,
  (SELECT coalesce(sum(bits(one.value->>3)), 0) FROM json_each(b, '$[7]') AS one) AS places,
  (SELECT count(*) FROM json_each(b, '$[7]') AS one WHERE one.value->>3 > 0) AS sheets
  FROM told WHERE tag = 'job_ended';
CREATE TEMP TABLE passes AS SELECT t.seq, t.at, t.b->>2 AS station, t.b->>3 AS step, bits(one.value->>3) AS places,
  row_number() OVER (PARTITION BY one.value->>0, t.b->>3 ORDER BY t.seq) AS pass
  FROM told AS t, json_each(t.b, '$[7]') AS one WHERE t.tag = 'job_ended' AND one.value->>3 > 0;
CREATE TEMP TABLE marks AS SELECT seq, at, b->>1 AS sheet, b->>2 AS mask, bits(b->>2) AS places, b->>3 AS mark,
  b->>4 AS code, b->>5 AS station, b->>6 AS caused_at, b->>7 AS found_at FROM told WHERE tag = 'mark';
CREATE TEMP TABLE goods AS SELECT seq, at, b->>6 AS code, b->>7 AS caused_at, b->>8 AS sheet, (b->>2) % 10 - 1 AS place
  FROM told WHERE tag = 'set_good';
CREATE TEMP TABLE spoiled AS SELECT seq, at, code, caused_at, found_at, places, sheet, station FROM marks
  WHERE mark IN {SPOILING}
  UNION ALL SELECT seq, at, b->>3, 'pack', 'pack', 1, 0, '' FROM told WHERE tag = 'missing';
CREATE TEMP TABLE charged AS SELECT s.at, s.places, coalesce((SELECT j.station FROM jobs AS j
  WHERE j.sheet = s.sheet AND j.step = s.caused_at AND j.seq < s.seq ORDER BY j.seq DESC LIMIT 1), s.station) AS station
  FROM spoiled AS s;
"""
ENTRIES = """
CREATE TEMP TABLE entries AS
SELECT at, 'received' AS source, 'vault' AS target, (b->>2) * (b->>6) AS blanks FROM told WHERE tag = 'received'
UNION ALL SELECT at, 'vault', 'magazine', (b->>4) * (b->>7) FROM told WHERE tag = 'issued'
UNION ALL SELECT at, 'magazine', 'vault', (b->>3) * (b->>7) FROM told WHERE tag = 'unissued'
UNION ALL SELECT at, 'vault', 'sample', (b->>2) * (b->>5) FROM told WHERE tag = 'sampled'
UNION ALL SELECT at, iif(b->>1 = '', 'vault', 'magazine'), 'missing', (b->>3) * (b->>7) FROM told
  WHERE tag = 'bodies_lost'
UNION ALL SELECT t.at, 'magazine', 'sheet', i.b->>4 FROM told AS t
  JOIN told AS i ON i.tag = 'sheet' AND i.b->>1 = t.b->>1 WHERE t.tag = 'bound'
UNION ALL SELECT t.at, 'sheet', 'suspect', (SELECT coalesce(sum(iif(k.mark = 'suspected', k.places, -k.places)), 0)
  FROM marks AS k WHERE k.sheet = t.b->>1 AND k.seq < t.seq AND (k.mark = 'suspected' OR k.mark LIKE 'found_%'))
  FROM told AS t WHERE t.tag = 'bound'
UNION ALL SELECT k.at, CASE WHEN k.mark LIKE 'found_%' THEN 'suspect' WHEN EXISTS (SELECT 1 FROM told AS q
  WHERE q.tag = 'quarantined' AND q.b->>1 = k.sheet AND q.seq < k.seq) THEN 'quarantined' ELSE 'sheet' END,
  CASE WHEN k.mark IN ('passed', 'found_good') THEN 'good' WHEN k.mark = 'suspected' THEN 'suspect'
  WHEN k.mark = 'found_missing' THEN 'missing' ELSE 'spoiled' END, k.places
  FROM marks AS k WHERE k.mark <> 'film_spoiled'
  AND EXISTS (SELECT 1 FROM told AS t WHERE t.tag = 'bound' AND t.b->>1 = k.sheet AND t.seq < k.seq)
UNION ALL SELECT at, 'good', 'quarantined', (SELECT sum(one.value > 0) FROM json_each(b, '$[3]') AS one)
  FROM told WHERE tag = 'quarantined'
UNION ALL SELECT at, 'good', 'bundle', cards FROM bundles
UNION ALL SELECT at, 'bundle', 'good', cards FROM opened
UNION ALL SELECT at, 'bundle', 'dispatched', cards FROM sent
UNION ALL SELECT at, 'good', 'missing', 1 FROM told WHERE tag = 'missing'
UNION ALL SELECT at, 'spoiled', 'good', 1 FROM told WHERE tag = 'set_good'
UNION ALL SELECT at, 'dispatched', 'returned', 1 FROM told WHERE tag = 'came_back'
UNION ALL SELECT t.at, iif(EXISTS (SELECT 1 FROM told AS c WHERE c.tag = 'came_back' AND c.b->>2 = t.b->>1
  AND c.seq < t.seq), 'returned', 'spoiled'), 'missing', 1 FROM told AS t WHERE t.tag = 'blanks_lost'
UNION ALL SELECT t.at, iif(EXISTS (SELECT 1 FROM told AS c WHERE c.tag = 'came_back' AND c.b->>2 = one.value
  AND c.seq < t.seq), 'returned', 'spoiled'), 'destroyed', 1 FROM told AS t, json_each(t.b, '$[2]') AS one
  WHERE t.tag = 'destroyed';
"""


class LedgerSql:
    """A connection of its own; `one` and `all` ask with `:begin` and `:until` bound to a span."""

    def __init__(self, path: Path, begin_floor_s: float = 0.0, until_floor_s: float = 0.0) -> None:
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        self._db.create_function("told", 1, _told, deterministic=True)
        self._db.create_function("bits", 1, int.bit_count, deterministic=True)
        self._db.executescript(VIEWS)
        self._db.executescript(ENTRIES)
        self.span = {"begin": begin_floor_s, "until": until_floor_s}

    def all(self, query: str, **more: object) -> list[tuple]:
        return self._db.execute(query, self.span | more).fetchall()

    def one(self, query: str, **more: object):
        [[value]] = self.all(query, **more)
        return value

    def pairs(self, query: str, **more: object) -> dict:
        return dict(self.all(query, **more))

    def run(self, script: str) -> None:
        self._db.executescript(script)

    def fill(self, table: str, rows: list[tuple]) -> None:
        """Make a table `NAME (COLUMN, …)` of rows."""
        name, columns = table.split(" ", 1)
        self._db.execute(f"CREATE TEMP TABLE {name} {columns}")
        self._db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)

    def close(self) -> None:
        self._db.close()


def _told(body: bytes) -> str:
    return json.dumps(msgspec.msgpack.decode(body), default=bytes.hex)
