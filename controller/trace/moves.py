"""Moves of a stretch of time: found by bisection on their number, read in short pages, so that no read pins the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, func, literal, literal_column, or_, select

from controller.core.moves import AnyMove
from controller.ledger import tables
from controller.ledger.journal import TAGS, open_move

PAGE_MOVES = 50_000  # numbers looked through by one short transaction
WALK_MOVES = 2_000_000  # looked through at most before a stretch, for what was loaded and who was signed on then

Kinds = Sequence[type]
Mentions = Sequence[bytes]


class Told(NamedTuple):
    """A move with its number and time."""

    seq: int
    at_floor_s: float
    move: AnyMove


class MoveReader:
    """Reads the journal; numbers have no gaps, and along them the floor time never falls."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last(self) -> int:
        """Give the number of the last move, 0 for none."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(tables.move.c.seq))).scalar() or 0

    def first_at(self, at_floor_s: float) -> int:
        """Give the number of the first move that was not before a time; one after the last when there is none.

        Cost: about 25 look-ups by key in ten million moves.
        """
        move = tables.move
        low, high = 1, self.last() + 1
        with self._engine.connect() as connection:
            while low < high:
                middle = (low + high) // 2
                at = connection.execute(select(move.c.at_floor_s).where(move.c.seq == middle)).scalar_one()
                low, high = (middle + 1, high) if at < at_floor_s else (low, middle)
        return low

    def forward(self, first: int, end: int, kinds: Kinds, mentions: Mentions = ()) -> Iterator[Told]:
        """Give the moves of some kinds numbered from `first` to before `end`, in order.

        With `mentions` only those whose packed form holds one of these bytes, as `pack` gives them for a number or a
        name: others may be among them, so look again.
        """
        step = max(1, end - first) if _are_rare(kinds) else PAGE_MOVES
        for begin in range(first, end, step):
            yield from self._page(begin, min(end, begin + step), kinds, mentions)

    def backward(self, before: int, kinds: Kinds, most: int = WALK_MOVES, mentions: Mentions = ()) -> Iterator[Told]:
        """Give the moves of some kinds numbered below `before`, the last one first; `most` numbers are looked through.

        Cost: 15 us for each move given; 0.35 s for each million numbers, unless the kinds are rare ones
        (`tables.RARE_TAGS`), which an index has.
        """
        least = max(1, before - most)
        step = max(1, before - least) if _are_rare(kinds) else PAGE_MOVES
        for end in range(before, least, -step):
            yield from reversed(self._page(max(least, end - step), end, kinds, mentions))

    def newest(self, before: int, kinds: Kinds, limit: int, most: int, mentions: Mentions = ()) -> list[Told]:
        """Give the last moves of some kinds numbered below `before`, the last one first, at most `limit`.

        `most` numbers are looked through, in one short transaction: only what is given is unpacked.
        """
        move = tables.move
        query = select(move).where(move.c.seq < before, move.c.seq >= before - most)
        query = query.where(move.c.tag.in_([TAGS[kind] for kind in kinds]))
        if mentions:
            query = query.where(or_(*map(self._mentions, mentions)))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(move.c.seq.desc()).limit(limit)).all()
        return [Told(row.seq, row.at_floor_s, open_move(row)) for row in rows]

    def at_of(self, seq: int) -> float:
        """Give the time of a move by its number; 0 when there is none."""
        with self._engine.connect() as connection:
            found = connection.execute(select(tables.move.c.at_floor_s).where(tables.move.c.seq == seq)).scalar()
        return float(found or 0.0)

    def turn_end(self, seq: int) -> int:
        """Give the number of the first move that is later than a move, one after the last when there is none."""
        move = tables.move
        at = select(move.c.at_floor_s).where(move.c.seq == seq).scalar_subquery()
        later = select(move.c.seq).where(move.c.seq > seq, move.c.at_floor_s > at).order_by(move.c.seq).limit(1)
        with self._engine.connect() as connection:
            found = connection.execute(later).scalar()
        return self.last() + 1 if found is None else int(found)

    def _page(self, first: int, end: int, kinds: Kinds, mentions: Mentions) -> list[Told]:
        move = tables.move
        query = select(move).where(move.c.seq >= first, move.c.seq < end).order_by(move.c.seq)
        if mentions:
            query = query.where(or_(*map(self._mentions, mentions)))
        tags = [TAGS[kind] for kind in kinds]
        queries = [query.where(move.c.tag.in_(tags))]
        if _are_rare(kinds):  # one after the other, from their index
            queries = [query.where(move.c.tag == literal_column(f"'{tag}'")) for tag in tags]
        rows: list[Any] = []
        with self._engine.connect() as connection:
            for one in queries:
                rows += connection.execute(one).all()
        return [Told(row.seq, row.at_floor_s, open_move(row)) for row in sorted(rows, key=lambda row: row.seq)]

    def _mentions(self, packed: bytes) -> ColumnElement[bool]:
        """Give the words for a move whose packed form holds some bytes."""
        body = tables.move.c.body
        if self._engine.dialect.name == "sqlite":
            return func.instr(body, packed) > 0
        return func.position(literal(packed).op("IN")(body)) > 0


def _are_rare(kinds: Kinds) -> bool:
    return all(TAGS[kind] in tables.RARE_TAGS for kind in kinds)
