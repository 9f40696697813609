"""The ledger's process: it commits what the floor's tells, by the product's own ledger, and looks after the laws."""

from __future__ import annotations

import gc
import os
import queue
import resource
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from controller.config import ServiceConfig
from controller.core.events import BatchChecked, CardCameBack
from controller.ledger.committer import Committer, Item
from controller.ledger.errors import LedgerError
from controller.ledger.journal import Journal, Recorded
from controller.ledger.lock import lock_folder
from controller.ledger.snapshot import StoreSnapshot
from controller.ledger.store import ledger_place, open_writing
from sims.year.inbox import PretendInbox, numbers_of
from sims.year.laws import Laws
from sims.year.stream import END, DayOver, Heard, Kept, told_in

PIECES_MAX = 48  # that wait: then the floor waits
GROUP_MOVES = 20_000  # of one commit, about
NATURE = {"centre": ServiceConfig().centre, "simulated": "true"}
OWN_FILES_ALONE = 0o077  # of the umask: a ledger is read by its owner


@dataclass(slots=True)
class KeeperFound:
    """What the ledger's process found."""

    head: str = ""
    moves: int = 0
    events: int = 0
    violations: int = 0
    sentences: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    rss_peak_mib: float = 0.0
    cpu_s: float = 0.0
    failed: str = ""


class Keeper:
    """Commits turns in groups, and lets the laws see each move of them."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self.laws = Laws()
        self.broken = self.laws.broken
        self._inbox = PretendInbox()
        self._changes: list[Any] = []
        self._turns: list[Any] = []
        self._pending = self.moves = self.events = 0

    def take(self, told: Heard | DayOver | Kept) -> None:
        """Take one thing that is told."""
        if isinstance(told, Heard):
            self._hear(told)
        elif isinstance(told, DayOver):
            self.commit()
            self._compare(told)
        else:
            self.commit()
            self._committer.commit([Item(StoreSnapshot(self.moves, told.code, told.body))])

    def _hear(self, told: Heard) -> None:
        event, moves = told.event, told.moves
        if isinstance(event, BatchChecked):
            self._changes += self._inbox.of_batch(event)
        elif isinstance(event, CardCameBack):
            self._changes += self._inbox.of_return(event)
        self._turns.append(Recorded(told.at_floor_s, event, moves))
        self.laws.see(told.at_floor_s, moves)
        self._pending += len(moves)
        self.moves += len(moves)
        self.events += 1
        if self._pending >= GROUP_MOVES:
            self.commit()

    def commit(self) -> None:
        """Make durable what was heard; the inbox first, because the floor was told of what lies there."""
        if not self._turns:
            return
        items = [Item(change) for change in (*self._changes, *self._turns)]
        self._committer.commit(items)
        self._committer.checkpoint_if_large()
        self._check_numbers([item.result for item in items[: len(self._changes)]])
        self._changes.clear()
        self._turns.clear()
        self._pending = 0

    def _check_numbers(self, results: list[Any]) -> None:
        opened = [turn.event for turn in self._turns if isinstance(turn.event, BatchChecked | CardCameBack)]
        told = [(event.opened if isinstance(event, CardCameBack) else event).batch_id for event in opened]
        if told != numbers_of(self._changes, results):
            self.broken.note("law 5", f"the inbox numbers its batches otherwise than the floor: {told[:3]} …")

    def _compare(self, told: DayOver) -> None:
        self.laws.blanks.compare(told.accounts, told.day)
        mine = (self.laws.cards.open(), self.moves)
        if (told.open_cards, told.moves) != mine:
            self.broken.note("law 4", f"{told.day}: {told.open_cards} open, {told.moves} moves; the moves give {mine}")

    def figures(self) -> dict[str, float]:
        """Give the figures of all that was heard."""
        cards = self.laws.cards
        ended: Counter[str] = cards.ends
        return {
            "cards": cards.accepted,
            "received": cards.received,
            "sheets": cards.sheets,
            "made": cards.made,
            "remade": cards.remade,
            "spoiled": self.laws.blanks.spoiled_ever,
            "open": cards.open(),
            "lead_p95_days": cards.lead_days(0.95),
            "lead_p50_days": cards.lead_days(0.50),
            **ended,
        }


def keep(folder: str, pipe: Connection) -> None:
    """Work in a process of one's own, until all is told; the last word down the pipe is what was found."""
    found = KeeperFound()
    os.umask(OWN_FILES_ALONE)
    try:
        with lock_folder(Path(folder)):
            _keep(Path(folder), pipe, found)
    except (LedgerError, EOFError, OSError) as error:
        found.failed = str(error) or type(error).__name__
    found.rss_peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    found.cpu_s = time.process_time()
    pipe.send(found)


def _keep(folder: Path, pipe: Connection, found: KeeperFound) -> None:
    engine, committer = open_writing(ledger_place(folder), NATURE)
    gc.freeze()
    gc.disable()  # what is heard is no cycle, and goes without the collector
    try:
        keeper = Keeper(committer)
        pieces: queue.Queue[bytes | None] = queue.Queue(PIECES_MAX)
        threading.Thread(target=_fetch, args=(pipe, pieces), name="pieces", daemon=True).start()
        while (piece := pieces.get()) != END:
            if piece is None:
                raise EOFError("the floor's process is gone")
            for told in told_in(piece):
                keeper.take(told)
        keeper.commit()
        committer.checkpoint()
        assert isinstance(committer.book, Journal)
        found.head, found.moves = committer.book.durable_head.hash.hex(), keeper.moves
        found.events, found.figures = keeper.events, keeper.figures()
        found.violations, found.sentences = keeper.broken.count, keeper.broken.sentences
    finally:
        committer.close()
        engine.dispose()


def _fetch(pipe: Connection, pieces: queue.Queue[bytes | None]) -> None:
    """Read pieces ahead, so that the floor goes on while a group is written."""
    while True:
        try:
            piece = pipe.recv_bytes()
        except (EOFError, OSError):
            pieces.put(None)
            return
        pieces.put(piece)
        if piece == END:
            return
