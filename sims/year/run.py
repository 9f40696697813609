"""One run of the year: with its ledger in a process of its own, or the floor alone for its speed and its digest."""

from __future__ import annotations

import gc
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from controller.config import Config
from controller.core import events as e
from controller.core.cards import FINAL
from controller.core.moves import AnyMove
from controller.core.remakes import Remakes
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.ledger.chain import GENESIS, link
from controller.upkeep.books import Books, code_of, encode_books
from encoders.envelope import pack
from sims.year.broken import Broken
from sims.year.days import Days
from sims.year.errors import YearError
from sims.year.floor import YearFloor
from sims.year.keeper import KeeperFound, keep
from sims.year.rates import USUAL_RATES, Rates
from sims.year.refold import Refold
from sims.year.stream import DayOver, Heard, Kept, Teller

SNAPSHOT_DAYS = 7
Sight = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What is to be run."""

    cards: int
    seed: int = 1
    config: Config = field(default_factory=Config)
    rates: Rates = USUAL_RATES


@dataclass(slots=True)
class Ran:
    """What a run with a ledger came to."""

    found: KeeperFound
    wall_s: float
    cpu_s: float  # of the floor's process
    rss_peak_mib: float
    refolded_days: int
    refusals: dict[str, int]
    config: Config
    days: Days
    sentences: list[str]
    violations: int


@dataclass(frozen=True, slots=True)
class CoreRan:
    """What a run without a ledger came to."""

    digest: str
    sheets: int
    moves: int
    wall_s: float
    rss_peak_mib: float


def run_year(year: Year, folder: Path, sight: Sight = lambda done, of: None) -> Ran:
    """Run a year with its ledger in a folder; `sight(dispatched, cards)` is told each day.  Raises: YearError."""
    began_s, began_cpu_s, broken = time.perf_counter(), time.process_time(), Broken()
    with _keeper(folder) as (pipe, process), uncollected():
        teller = Teller(pipe.send_bytes)
        try:
            refold, floor = _run_floor(year, teller, broken, sight)
            teller.end()
        except BrokenPipeError:
            raise YearError(f"the ledger's process ended: {_last_word(pipe).failed}") from None
        found = _last_word(pipe)
        process.join()
    wall_s = time.perf_counter() - began_s
    if found.failed:
        raise YearError(f"the ledger's process ended: {found.failed}")
    rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024 + found.rss_peak_mib
    refusals = dict(floor.staff.refusals)  # type: ignore[attr-defined]
    return Ran(
        found,
        wall_s,
        time.process_time() - began_cpu_s,
        rss_mib,
        refold.days,
        refusals,
        floor.config,
        floor.days,
        broken.sentences + found.sentences,
        broken.count + found.violations,
    )


def _run_floor(year: Year, teller: Teller, broken: Broken, sight: Sight) -> tuple[Refold, YearFloor]:
    heard: list[Callable[[float, e.AnyEvent, list[AnyMove]], None]] = []
    early: list[tuple[float, e.AnyEvent, list[AnyMove]]] = []

    def keep_turn(at_floor_s: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        teller.tell(Heard(at_floor_s, event, moves))
        if heard:
            heard[0](at_floor_s, event, moves)
        else:
            early.append((at_floor_s, event, moves))

    floor = YearFloor(year.seed, year.cards, keep_turn, config=year.config, rates=year.rates)
    books = Books(floor.foreman, Tally(remakes=Remakes(floor.config.calendar)), 0.0)
    refold = Refold(books, floor.config, floor.days.first, broken)
    code, moves_told = code_of(floor.config), 0

    def count(at_floor_s: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        nonlocal moves_told
        moves_told += len(moves)
        books.count(at_floor_s, moves)
        refold.saw(at_floor_s, moves)

    for one in early:
        count(*one)
    heard.append(count)
    refold.begin(floor.days.first)
    for number, day in enumerate(floor.run_days(), 1):
        refold.end(day)
        teller.tell(_day_over(day.isoformat(), floor.foreman.state, moves_told))
        if number % SNAPSHOT_DAYS == 0:
            teller.tell(Kept(code, encode_books(books)))
        teller.flush()
        sight(books.tally.dispatched, year.cards)
        refold.begin(floor.days.day_after(day))
    refold.over()
    teller.tell(Kept(code, encode_books(books)))
    return refold, floor


def _day_over(day: str, state: FloorState, moves: int) -> DayOver:
    accounts = {account.value: count for account, count in state.stock.blanks.items()}
    open_cards = sum(
        count for batch in state.batches.values() for card, count in batch.states.items() if card not in FINAL
    )
    return DayOver(day, accounts, open_cards, len(state.sheets), moves)


@contextmanager
def _keeper(folder: Path) -> Iterator[tuple[Connection, BaseProcess]]:
    """Give the pipe to a new ledger's process, which is gone at the end whatever happened."""
    if (folder / "ledger.db").exists():
        raise YearError(f"there is a ledger in {folder.name} already: name another folder, or remove it")
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=keep, args=(str(folder), there), name="year ledger", daemon=True)
    process.start()
    there.close()
    try:
        yield here, process
    finally:
        here.close()
        if process.is_alive():
            process.terminate()
        process.join()


def _last_word(pipe: Connection) -> KeeperFound:
    try:
        found: Any = pipe.recv()
    except (EOFError, OSError):
        return KeeperFound(failed="it said nothing")
    assert isinstance(found, KeeperFound)
    return found


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector from looking at a year's objects again and again: they are no cycles, and go without it."""
    was_on = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
        gc.unfreeze()


# ---- the floor alone -------------------------------------------------------------------------------------------


def run_core(year: Year, sight: Sight = lambda done, of: None) -> CoreRan:
    """Run the floor of a year without a ledger, in a process of its own, and give its speed and its digest."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_core, args=(year, there), name="year core", daemon=True)
    process.start()
    there.close()
    try:
        while True:
            said: Any = here.recv()
            if isinstance(said, CoreRan):
                return said
            sight(*said)
    except EOFError:
        raise YearError("the core's process ended before the year did") from None
    finally:
        here.close()
        if process.is_alive():
            process.terminate()
        process.join()


def _core(year: Year, pipe: Connection) -> None:
    with uncollected():
        ran = core_pass(year, lambda done, of: pipe.send((done, of)))
    pipe.send(ran)


def core_pass(year: Year, sight: Sight = lambda done, of: None) -> CoreRan:
    """Run the floor of a year here; the wall is that of foreman, pretend stations and people, without the chain.

    The moves of each day are chained when it is over, while the watch stands: hashes are the ledger's work.
    """
    chain, moves_seen, chained_s, began_s = GENESIS.hash, 0, 0.0, time.perf_counter()
    day: list[tuple[float, list[AnyMove]]] = []

    def keep_turn(at_floor_s: float, event: e.AnyEvent, moves: list[AnyMove]) -> None:
        day.append((at_floor_s, moves))

    floor = YearFloor(year.seed, year.cards, keep_turn, config=year.config, rates=year.rates)
    for _ in floor.run_days():
        stood_s = time.perf_counter()
        for at_floor_s, moves in day:
            moves_seen += len(moves)
            for move in moves:
                chain = link(chain, at_floor_s, pack(move))
        day.clear()
        sight(floor.demand.accepted, year.cards)
        chained_s += time.perf_counter() - stood_s
    sheets, wall_s = floor.foreman.state.last_id["sheet"], time.perf_counter() - began_s - chained_s
    rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    return CoreRan(chain.hex(), sheets, moves_seen, wall_s, rss_mib)
