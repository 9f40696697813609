"""The audit to be read: moves by number, card, batch, person or time, in the order they were made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import inf, nextafter

from sqlalchemy import Column, Engine, func, literal_column, select

from controller.application import ACCEPTANCE_DIGITS, BATCH_DIGITS, batch_of, card_id
from controller.audit.groups import GROUPS, NAMING_PEOPLE, PEOPLE, WITH_PEOPLE
from controller.core import moves as m
from controller.core import record_moves as r
from controller.core.moves import AnyMove
from controller.ledger import tables
from controller.ledger.chain import Head
from controller.ledger.journal import TAGS, last_head, open_move
from controller.trace.moves import MoveReader, Told
from encoders.envelope import pack

ALL = tuple(TAGS)
NUMBER_MAX = 2**63 - 1  # no database has a larger one
NAMING_CARDS = ("card", "case_card")
PAGE_WALK = 200_000  # numbers looked through for one page: 80 ms

Fits = Callable[[AnyMove], bool]


class History:
    """Answers from what is durable, in short readings; a service may go on meanwhile."""

    def __init__(self, ledger: Engine) -> None:
        self._ledger, self._moves = ledger, MoveReader(ledger)

    def head(self) -> Head:
        """Give the end of the chain as it stands there."""
        with self._ledger.connect() as connection:
            return last_head(connection)

    def last_day(self) -> Told | None:
        """Give the last daily head.  Cost: a walk back to it."""
        last = self._moves.last()
        return next(self._moves.backward(last + 1, (r.TablesFolded,), last), None)

    def move(self, seq: int) -> list[Told]:
        """Give one move by its number; nothing when there is none."""
        return list(self._moves.forward(seq, seq + 1, ALL)) if seq < NUMBER_MAX else []

    def last(self, limit: int) -> list[Told]:
        """Give the last moves."""
        return list(islice(self._moves.backward(self._moves.last() + 1, ALL), limit))[::-1]

    def since(self, at_floor_s: float, limit: int) -> list[Told]:
        """Give the first moves that were not before a time."""
        return list(islice(self._moves.forward(self._moves.first_at(at_floor_s), self._moves.last() + 1, ALL), limit))

    def by(self, name: str, limit: int) -> list[Told]:
        """Give the last moves that a person stands behind.  Cost: a walk over the journal, 0.4 s a million moves."""
        last = self._moves.last()
        told = self._moves.backward(last + 1, WITH_PEOPLE, last, (pack(name),))
        return list(islice((one for one in told if _names(one.move, name)), limit))[::-1]

    def page(self, before: int, group: str, name: str, limit: int) -> tuple[list[Told], int]:
        """Give moves of a group of `audit.groups` numbered below `before` (0: all), the last one first.

        With `name` only those this person stands behind.  Then the number below which the next page begins, 0 when
        nothing is left.  At most `PAGE_WALK` numbers are looked through, and of what people did those that nobody
        stands behind are left out: a page may be short and not the last one.
        """
        before = min(before or NUMBER_MAX, self._moves.last() + 1)
        kinds = [kind for kind in GROUPS[group] if not name or kind in WITH_PEOPLE]
        found = self._moves.newest(before, kinds, limit, PAGE_WALK, (pack(name),) if name else ())
        least = found[-1].seq if len(found) == limit else max(1, before - PAGE_WALK)
        if name:
            found = [one for one in found if _names(one.move, name)]
        elif group == PEOPLE:
            found = [one for one in found if any(getattr(one.move, field, "") for field in NAMING_PEOPLE)]
        return found, least if least > 1 else 0

    def number_after(self, at_floor_s: float) -> int:
        """Give the number of the first move that is later than a time, one after the last when there is none."""
        return self._moves.first_at(nextafter(at_floor_s, inf))

    def days(self, limit: int) -> list[tuple[Told, bytes]]:
        """Give the newest daily heads, each with its hash: where the chain stood then."""
        move = tables.move
        is_head = move.c.tag == literal_column(f"'{TAGS[r.TablesFolded]}'")  # as the index of rare moves has it
        with self._ledger.connect() as connection:
            rows = connection.execute(select(move).where(is_head).order_by(move.c.seq.desc()).limit(limit)).all()
        return [(Told(row.seq, row.at_floor_s, open_move(row)), row.hash) for row in rows]

    def card_called(self, said: str) -> int:
        """Give the number here of a card, of which a person said that or the 22 digits; 0 when there is none."""
        return self._called(said, ACCEPTANCE_DIGITS, tables.card.c.acceptance_number, tables.card.c.card_id)

    def batch_called(self, said: str) -> int:
        """Give the number here of a batch, of which a person said that or the 25 digits; 0 when there is none."""
        return self._called(said, BATCH_DIGITS, tables.batch.c.batch_number, tables.batch.c.batch_id)

    def _called(self, said: str, digits: int, outside: Column[str], here: Column[int]) -> int:
        """Give the last number here of what has these digits outside; what is no such digits is a number here."""
        if len(said) != digits:
            return _whole(said)
        with self._ledger.connect() as connection:
            return connection.execute(select(func.max(here)).where(outside == said)).scalar() or 0

    def card(self, number: int, limit: int) -> list[Told]:
        """Give the first moves that name a card, a sheet it lay on, or a job that worked on it."""
        return list(islice(self._fitting(batch_of(number), OfCard(number)), limit))

    def batch(self, batch_id: int, limit: int) -> list[Told]:
        """Give the first moves that name a batch or one of its cards."""
        return list(islice(self._fitting(batch_id, lambda move: names_batch(move, batch_id)), limit))

    def _fitting(self, batch_id: int, fits: Fits) -> Iterator[Told]:
        """Give the moves that fit, from the one on that opened a batch."""
        batch = tables.batch
        with self._ledger.connect() as connection:
            at = connection.execute(select(batch.c.decided_floor_s).where(batch.c.batch_id == batch_id)).scalar()
        if at is None:
            return
        for told in self._moves.forward(self._moves.first_at(at), self._moves.last() + 1, ALL):
            if fits(told.move):
                yield told


def _names(move: AnyMove, name: str) -> bool:
    return name in (getattr(move, field, "") for field in NAMING_PEOPLE)


def _whole(digits: str) -> int:
    """Give a number, 0 where it is larger than any that was given."""
    return int(digits) if len(digits) < len(str(NUMBER_MAX)) else 0


class OfCard:
    """Tells which moves are about one card; asked of all moves in their order, it learns which sheets it lies on."""

    def __init__(self, card: int) -> None:
        self._card = card
        self._places: dict[int, int] = {}  # sheet -> its position there

    def __call__(self, move: AnyMove) -> bool:
        """Say whether a move is about the card."""
        if isinstance(move, m.SheetImposed) and self._card in move.cards:
            self._places[move.sheet_id] = move.cards.index(self._card)
            return True
        if isinstance(move, m.PositionsMarked):
            return bool(move.mask >> self._places.get(move.sheet_id, 63) & 1)
        if isinstance(move, m.SheetBound):
            return move.sheet_id in self._places
        if isinstance(move, m.JobStarted):
            return self._card in move.cards or not self._places.keys().isdisjoint(move.sheets)
        if isinstance(move, m.JobEnded):
            return any(end.sheet_id in self._places for end in move.sheets)
        return self._card in cards_in(move)


def names_batch(move: AnyMove, batch_id: int) -> bool:
    """Say whether a move names a batch or a card of it."""
    if isinstance(move, r.TablesFolded):
        return batch_id in {*(one for one, _ in move.batches), *(one for one, _, _ in move.waiting)}
    if isinstance(move, r.BatchesPurged):
        return batch_id in {*(one for one, _ in move.batches), *move.altered}
    return getattr(move, "batch_id", 0) == batch_id or any(batch_of(card) == batch_id for card in cards_in(move))


def cards_in(move: AnyMove) -> Iterable[int]:
    """Give the cards that a move names."""
    if isinstance(move, m.EncodeEnded):
        return [card for card, _ in move.failed]
    if isinstance(move, m.BatchOpened):
        return [card_id(move.batch_id, row.index) for row in move.rows]
    if isinstance(move, m.JobEnded):
        return []  # its `cards` are a count
    named = [getattr(move, field, 0) for field in NAMING_CARDS]
    cards = getattr(move, "cards", None)
    return [*named, *cards] if isinstance(cards, list) else named
