"""The daily heads: what they and the purges told of the tables outside the chain, against those tables now."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from controller.core import record_moves as r
from controller.core.moves import AnyMove
from controller.ledger import tables
from controller.ledger.purge_rows import is_due
from controller.ledger.row_hash import Places, kept_hash, rows_hash
from controller.ledger.verify.report import Verified
from controller.ledger.verify.rows import readable

GROWING = ("epoch", "schema")
RESTORED = "restored"  # written by `backup.mark`, which stands above the ledger


class _Waited(NamedTuple):
    """What a head told of a batch that was not decided."""

    places: Places
    digest: bytes
    seq: int


class HeadCheck:
    """Gathers what moves tell of other tables; `events_told` is for whoever walks the events."""

    def __init__(self, connection: Connection, report: Verified) -> None:
        self._connection, self._report = connection, report
        self._batches: dict[int, tuple[bytes, int]] = {}  # digest that holds, and the move that told it
        self._cursors: dict[str, tuple[int, int]] = {}
        self._purged: set[int] = set()
        self._purging: dict[int, float] = {}  # purges under way, and before when their batches were closed
        self._waiting: defaultdict[int, list[_Waited]] = defaultdict(list)
        self._meta: dict[str, tuple[str, int]] = {}  # what the last head told, and its move
        self._void: Counter[str] = Counter()  # receipts that a restore left out
        self._jumps = [0]  # of all restores up to one: where an upstream's numbers may begin
        self.events_told: defaultdict[int, list[tuple[bytes, int]]] = defaultdict(list)

    def apply(self, seq: int, move: AnyMove) -> None:
        """Take note of what one move tells."""
        if isinstance(move, r.TablesFolded):
            self._report.counts["daily heads"] += 1
            self._report.last_day, self._report.last_day_seq = move.day, seq
            self._batches.update((one, (digest, seq)) for one, digest in move.batches if one not in self._purged)
            self._cursors.update((upstream, (upto, seq)) for upstream, upto in move.cursors)
            self._meta.update((key, (value, seq)) for key, value in move.meta)
            self._wait(seq, move)
            if move.event_seq:
                self.events_told[move.event_seq].append((move.event_hash, seq))
        elif isinstance(move, r.PurgeApproved):
            self._purging[move.purge_id] = move.closed_before_floor_s
        elif isinstance(move, r.BatchesPurged):
            self._report.counts["purged batches"] += len(move.batches)
            self._batches.update((batch_id, (digest, seq)) for batch_id, digest in move.batches)
            self._purged.update(batch_id for batch_id, _ in move.batches)
            if move.is_last:
                self._purging.pop(move.purge_id, None)
        elif isinstance(move, r.LedgerRestored):
            self._report.notes.append(f"move {seq}: this ledger came out of a backup that ended at move {move.at_seq}")
            self._void.update(dict.fromkeys(move.upstreams, move.step))
            self._jumps.append(self._jumps[-1] + move.step)

    def end(self) -> None:
        """Compare what was told with what stands there."""
        with readable(self._report, "the inbox"):
            under_way = self._under_way()
            for batch_id, (digest, seq) in self._batches.items():
                if batch_id in under_way:
                    continue
                self._report.counts["batches in heads"] += 1
                if rows_hash(self._connection, batch_id) != digest:
                    self._report.add(f"the inbox rows of batch {batch_id} are not those that move {seq} folded")
            self._check_waiting(self._purged | under_way)
        with readable(self._report, "meta"):
            self._check_meta()
        with readable(self._report, "receipt_cursor"):
            self._check_cursors()

    def _wait(self, seq: int, move: r.TablesFolded) -> None:
        """Note what a head tells of batches that wait, unless the one before told the same of it."""
        for batch_id, places, digest in move.waiting:
            before = self._waiting[batch_id]
            if not before or (before[-1].places, before[-1].digest) != (places, digest):
                before.append(_Waited(places, digest, seq))

    def _check_waiting(self, blanked: set[int]) -> None:
        for batch_id, told in self._waiting.items():
            if batch_id in blanked:
                continue
            self._report.counts["waiting batches in heads"] += 1
            for places, digest, seq in told:
                if kept_hash(self._connection, batch_id, places) != digest:
                    self._report.add(f"the inbox rows of batch {batch_id} are not those that waited at move {seq}")

    def _check_meta(self) -> None:
        meta = tables.meta
        stand = {row[0]: row[1] for row in self._connection.execute(select(meta.c.key, meta.c.value))}
        for key, (told, seq) in self._meta.items():
            value = stand.get(key)
            if value is None:
                self._report.add(f"meta {key}: it is not there, move {seq} had it")
            elif value != told and not _may_be(key, told, value, seq):
                self._report.add(f"meta {key}: it is not what move {seq} had")

    def blanked(self) -> set[int]:
        """Give the batches whose digests a purge took out, or may be taking out now."""
        return self._purged | self._under_way()

    def _under_way(self) -> set[int]:
        """Give the batches that a purge is at: their rows change before the move that tells their digests."""
        found = set[int]()
        for purge_id, before_floor_s in self._purging.items():
            query = select(tables.batch.c.batch_id).where(is_due(before_floor_s))
            found |= set(self._connection.execute(query).scalars())
            note = f"purge {purge_id} is under way: the inbox rows of its batches are not compared with their heads"
            if note not in self._report.notes:
                self._report.notes.append(note)
        return found

    def _check_cursors(self) -> None:
        cursor, receipt = tables.receipt_cursor, tables.receipt
        stand = {row[0]: row[1] for row in self._connection.execute(select(cursor.c.upstream, cursor.c.acknowledged))}
        last = select(receipt.c.upstream, func.max(receipt.c.number), func.count()).group_by(receipt.c.upstream)
        issued = {row[0]: (row[1], row[2]) for row in self._connection.execute(last)}
        for upstream, (told, seq) in self._cursors.items():
            if not _is_least(stand.get(upstream, 0), told):
                self._report.add(f"receipt_cursor {upstream}: it stands below {told}, where move {seq} had it")
        for upstream, upto in stand.items():
            if not _is_least(issued.get(upstream, (0, 0))[0], upto):
                self._report.add(f"receipt_cursor {upstream}: it stands beyond the last receipt")
        for upstream, (number, count) in issued.items():
            if number not in (jumped + count + self._void[upstream] for jumped in self._jumps):
                self._report.add(f"receipts of {upstream}: the last is number {number}, and there are {count}")


def _may_be(key: str, told: str, value: object, seq: int) -> bool:
    """Say whether a word about the database may have changed so since move `seq`: these only grow."""
    if not isinstance(value, str):
        return False
    if key in GROWING:
        return value.isdecimal() and told.isdecimal() and int(value) > int(told)
    at_seq = value.partition(" ")[0]
    return key == RESTORED and at_seq.isdecimal() and int(at_seq) >= seq  # it came out of a backup since


def _is_least(value: object, least: object) -> bool:
    """Say whether a number is at least another; what is no number is not."""
    return isinstance(value, int) and isinstance(least, int) and value >= least
