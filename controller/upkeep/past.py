"""The floor as it was at a past moment: folded from the ledger's moves up to then, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from controller.config import Config
from controller.core.moves import AnyMove
from controller.ledger.snapshot import usable_snapshots
from controller.ledger.store import Ledger
from controller.trace.moves import MoveReader
from controller.upkeep.books import Books, BooksUnreadable, code_of, decode_books, empty_books

TELL_EVERY = 5_000  # moves


def books_at(
    ledger: Ledger, config: Config, at_floor_s: float, told: Callable[[int, int], None] = lambda done, total: None
) -> Books:
    """Give the books as they were after the last move that was not after `at_floor_s`.

    `told` hears now and then how many of how many moves are folded, and may raise to end it.  For a worker thread: a
    million moves take some ten seconds, less what a snapshot before that moment saves.  Raises: LedgerDamaged.
    """
    end = MoveReader(ledger.reading).first_at(at_floor_s)
    while end <= MoveReader(ledger.reading).last() and MoveReader(ledger.reading).at_of(end) <= at_floor_s:
        end += 1  # moves of one turn carry one time
    books, begun = _base(ledger, config, end)
    total = max(0, end - 1 - begun)
    books.fold(_counted(islice(ledger.replay(begun), total), total, told))
    return books


def _base(ledger: Ledger, config: Config, end: int) -> tuple[Books, int]:
    """Give the books of the newest snapshot before move `end`, or empty ones, and the move they are after."""
    for snapshot in usable_snapshots(ledger.reading, code_of(config)):
        if snapshot.at.seq < end:
            try:
                return decode_books(snapshot.body, config), snapshot.at.seq
            except BooksUnreadable:
                continue
    return empty_books(config), 0


def _counted(
    moves: Iterator[tuple[float, AnyMove]], total: int, told: Callable[[int, int], None]
) -> Iterator[tuple[float, AnyMove]]:
    for done, move in enumerate(moves):
        if done % TELL_EVERY == 0:
            told(done, total)
        yield move
