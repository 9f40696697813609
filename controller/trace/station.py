"""Which cards a station touched in a stretch of time, with lots and people: a recall, from the ledger alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Engine, select

from controller.core.moves import JobEnded, JobStarted, Mark, PositionsMarked, SheetImposed, positions_in
from controller.core.stock_moves import SupplyLoaded
from controller.ledger import tables
from controller.ledger.columns import numbers_in
from controller.trace.loaded import AT_STATIONS, Loaded, loaded_before
from controller.trace.moves import WALK_MOVES, MoveReader
from devices.messages import POSITIONS, blank_serial, body_of
from encoders.envelope import pack

ROWS_MAX = 10_000  # of one page
ASKED_AT_ONCE = 500  # keys of one query
MENTIONED_MAX = 100  # numbers a query looks for in the moves themselves
ALL = (1 << POSITIONS) - 1


@dataclass(slots=True)
class TracedJob:
    """One load of the station; `worked` is a mask of positions for each sheet, all of them while it runs."""

    job_id: int
    seq: int
    step: str
    started_floor_s: float
    because: str
    operator: str
    lots: list[str]
    sheets: dict[int, int] = field(default_factory=dict)  # sheet -> mask
    cards: list[int] = field(default_factory=list)
    ended_floor_s: float = 0.0  # 0: not ended
    answer: str = ""
    bundle_id: int = 0

    def size(self) -> int:
        """Give the most cards it can have touched."""
        return len(self.sheets) * POSITIONS + len(self.cards)

    def facts(self) -> dict[str, Any]:
        """Give what is true of the whole load."""
        return {name: value for name, value in asdict(self).items() if name not in ("sheets", "cards", "seq")}


@dataclass(frozen=True, slots=True)
class TracedCard:
    """A card the station touched in a load, and where it is now; `here`: it still lies in that blank."""

    job_id: int
    sheet_id: int
    position: int
    card: int
    acceptance_number: str
    batch_number: str
    blank: int
    body_lot: str
    state: str
    generation: int
    bundle_id: int
    consignment_id: int
    unit: str
    here: bool


@dataclass(slots=True)
class StationTrace:
    """A page of a recall; `after` asks for the next one, 0: this is the last."""

    station: str
    jobs: list[TracedJob]
    cards: list[TracedCard]
    after: int
    loaded: Loaded

    def as_json(self) -> dict[str, Any]:
        """Give the page; rows are arrays in the order of `columns`, their `position` counts from 0, -1 for none."""
        columns = list(TracedCard.__slots__)
        return {
            "station": self.station,
            "jobs": [job.facts() for job in self.jobs],
            "columns": columns,
            "cards": [[getattr(card, name) for name in columns] for card in self.cards],
            "after": self.after,
            "walked_moves": self.loaded.walked_moves,
            "walked_to_floor_s": self.loaded.walked_to_floor_s,
            "complete": self.loaded.complete,
        }


def trace_station(
    engine: Engine,
    station: str,
    from_floor_s: float,
    to_floor_s: float,
    after: int = 0,
    rows_max: int = ROWS_MAX,
    walk_moves: int = WALK_MOVES,
) -> StationTrace:
    """Give every card that was in a load of `station` at some time of [from, to), page by page, in order of loads.

    What was loaded and who was signed on before is found by walking back over at most `walk_moves` moves; `complete`
    in the answer is False when the ledger goes further back than that, and then a lot may be missing.  One page looks
    through at most as many moves of the stretch itself: a page may be empty and have a next one.
    Cost: the moves of the stretch, and of the walk; a long look, for a worker thread.  Raises: LedgerDamaged.
    """
    reader = MoveReader(engine)
    first, end = reader.first_at(from_floor_s), reader.first_at(to_floor_s)
    first = max(first, after + 1)
    looked = min(end, first + walk_moves)
    loaded = loaded_before(reader, first, walk_moves)
    jobs: list[TracedJob] = []
    if not after:
        jobs += _under_way(reader, station, first, loaded, walk_moves)
    cursor = _collect(reader, station, (first, looked), jobs, loaded, rows_max) or (looked - 1 if looked < end else 0)
    if jobs and not jobs[-1].ended_floor_s:
        _find_end(reader, jobs[-1], max(first, jobs[-1].seq + 1), walk_moves)
    return StationTrace(station, jobs, _cards(engine, reader, jobs, loaded), cursor, loaded)


def _under_way(reader: MoveReader, station: str, first: int, loaded: Loaded, walk_moves: int) -> list[TracedJob]:
    """Give the load that was in the station when the stretch began: a station has one at a time."""
    for told in reader.backward(first, (JobStarted, JobEnded), walk_moves, [pack(station)]):
        if isinstance(told.move, JobEnded) and told.move.station == station:
            return []
        if isinstance(told.move, JobStarted) and told.move.station == station:
            return [_job(told.seq, told.at_floor_s, told.move, loaded)]
    return []


def _collect(
    reader: MoveReader, station: str, stretch: tuple[int, int], jobs: list[TracedJob], loaded: Loaded, rows_max: int
) -> int:
    """Add the loads that began in a stretch of moves; give the cursor when they are more than a page holds."""
    rows = sum(job.size() for job in jobs)
    for told in reader.forward(*stretch, (JobStarted, JobEnded, *AT_STATIONS), [pack(station)]):
        move = told.move
        if isinstance(move, JobStarted) and move.station == station:
            job = _job(told.seq, told.at_floor_s, move, loaded)
            if rows and rows + job.size() > rows_max:
                return jobs[-1].seq
            rows += job.size()
            jobs.append(job)
        elif isinstance(move, JobEnded) and jobs and move.job_id == jobs[-1].job_id:
            _end(jobs[-1], move)
        elif isinstance(move, AT_STATIONS):
            loaded.fold(move)
            if isinstance(move, SupplyLoaded) and move.station == station and jobs and not jobs[-1].ended_floor_s:
                jobs[-1].lots.append(f"{move.kind} {move.lot}")  # changed while the load was in it
    return 0


def _job(seq: int, at_floor_s: float, move: JobStarted, loaded: Loaded) -> TracedJob:
    operator, lots = loaded.operators.get(move.station, ""), loaded.lots(move.station)
    job = TracedJob(move.job_id, seq, move.step, at_floor_s, move.because, operator, lots)
    job.sheets, job.cards, job.bundle_id = dict.fromkeys(move.sheets, ALL), list(move.cards), move.bundle_id
    return job


def _end(job: TracedJob, move: JobEnded) -> None:
    job.ended_floor_s, job.answer = move.ended_floor_s, move.answer
    job.sheets |= {end.sheet_id: end.worked for end in move.sheets}


def _find_end(reader: MoveReader, job: TracedJob, first: int, walk_moves: int) -> None:
    """Look for the end of the last load behind the stretch, so that positions it did not work on are left out."""
    end = min(reader.last() + 1, first + walk_moves)
    for told in reader.forward(first, end, (JobEnded,), [pack(job.job_id)]):
        if isinstance(told.move, JobEnded) and told.move.job_id == job.job_id:
            _end(job, told.move)
            return


def lost_at(engine: Engine, sheets: Collection[int], walk_moves: int = WALK_MOVES) -> dict[int, str]:
    """Give the station each suspect sheet was last lost at, by walking back over at most `walk_moves` moves.

    A sheet that was lost before is left out.  Cost: a long look, for a worker thread.  Raises: LedgerDamaged.
    """
    reader, found = MoveReader(engine), dict[int, str]()
    mentions = [pack(one) for one in sheets] if len(sheets) <= MENTIONED_MAX else []
    for told in reader.backward(reader.last() + 1, (PositionsMarked,), walk_moves, mentions):
        move = told.move
        if isinstance(move, PositionsMarked) and move.mark is Mark.SUSPECTED and move.sheet_id in sheets:
            found.setdefault(move.sheet_id, move.station)
            if len(found) == len(sheets):
                break
    return found


# ---- from loads to cards --------------------------------------------------------------------------------------


def _cards(engine: Engine, reader: MoveReader, jobs: Sequence[TracedJob], loaded: Loaded) -> list[TracedCard]:
    sheets = rows_by(engine, tables.sheet, "sheet_id", {sheet for job in jobs for sheet in job.sheets})
    places = {sheet_id: cards_imposed(reader, row) for sheet_id, row in sheets.items()}
    numbers = {card for cards in places.values() for card in cards if card} | {one for job in jobs for one in job.cards}
    now = rows_by(engine, tables.card, "card_id", numbers)
    bundles = rows_by(engine, tables.bundle, "bundle_id", {row.bundle_id for row in now.values() if row.bundle_id})
    batches = rows_by(engine, tables.batch, "batch_id", {row.batch_id for row in now.values()})
    found = []
    for job in jobs:
        touched = [
            (places[sheet_id][place], sheet_id, place, sheets[sheet_id].body)
            for sheet_id, mask in job.sheets.items()
            for place in positions_in(mask)
        ]
        touched += [(number, now[number].sheet_id, now[number].position, 0) for number in job.cards]
        for number, sheet_id, place, body in touched:
            if not number:
                continue
            row = now[number]
            blank = blank_serial(body, place) if body else row.blank if job.cards else 0
            lot = loaded.lot_of(body_of(blank)) if blank else ""
            consignment = bundles[row.bundle_id].consignment_id if row.bundle_id else 0
            here = row.sheet_id == sheet_id and row.blank in (0, blank)
            names = (row.acceptance_number, batches[row.batch_id].batch_number)
            stands = (row.state, row.generation, row.bundle_id, consignment, row.unit)
            found.append(TracedCard(job.job_id, sheet_id, place, number, *names, blank, lot, *stands, here))
    return found


def cards_imposed(reader: MoveReader, row: Any) -> list[int]:
    """Give the cards a sheet was imposed with, by position: a tray inspected again shows only those left in it."""
    cards = numbers_in(row.cards)
    if all(cards):
        return cards
    first = reader.first_at(row.imposed_floor_s)
    for told in reader.forward(first, min(first + WALK_MOVES, reader.last() + 1), (SheetImposed,)):
        if isinstance(told.move, SheetImposed) and told.move.sheet_id == row.sheet_id:
            return list(told.move.cards)
        if told.at_floor_s > row.imposed_floor_s:
            break
    return cards


def rows_by(engine: Engine, table: Any, key: str, keys: Iterable[Any]) -> dict[Any, Any]:
    """Give the rows of a state table by their key, a few hundred at a time."""
    wanted, found = sorted(keys), dict[Any, Any]()
    for place in range(0, len(wanted), ASKED_AT_ONCE):
        query = select(table).where(table.c[key].in_(wanted[place : place + ASKED_AT_ONCE]))
        with engine.connect() as connection:
            found |= {getattr(row, key): row for row in connection.execute(query)}
    return found
