"""What a station did in a stretch of time, from the ledger: its states one after the other."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine

from controller.core.moves import JobEnded, JobStarted, StationChanged
from controller.core.quality_moves import StationHeld, StationReleased
from controller.trace.moves import MoveReader, Told
from devices.messages import StationState
from encoders.envelope import pack

WALK_MOVES = 200_000  # looked through at most, before the stretch and in it
ON_HOLD = "on_hold"  # able to work, and given none
UNKNOWN = ""
KINDS = (StationChanged, JobStarted, JobEnded, StationHeld, StationReleased)


class Stretch(NamedTuple):
    """A state from a floor second to another; an empty one is not known."""

    state: str
    begin_floor_s: float
    end_floor_s: float


class _Standing:
    """What is known of the station while its moves are read."""

    def __init__(self) -> None:
        self.machine, self.job_id, self.is_held = UNKNOWN, 0, False

    def take(self, station: str, told: Told) -> None:
        """Take one move, which may be about another station."""
        move = told.move
        if isinstance(move, JobEnded) and move.job_id == self.job_id:
            self.job_id = 0
        if getattr(move, "station", "") != station:
            return
        if isinstance(move, StationChanged):
            self.machine = move.state
        elif isinstance(move, JobStarted):
            self.job_id = move.job_id
        elif isinstance(move, StationHeld | StationReleased):
            self.is_held = isinstance(move, StationHeld)

    def state(self) -> str:
        """Give the state people see: who has a load executes, and who is held and could work is on hold."""
        if self.machine not in (StationState.IDLE, UNKNOWN):
            return str(self.machine)
        if self.job_id:
            return StationState.EXECUTE.value
        return ON_HOLD if self.is_held else str(self.machine)


def station_states(
    engine: Engine, station: str, from_floor_s: float, to_floor_s: float, walk_moves: int = WALK_MOVES
) -> list[Stretch]:
    """Give what a station did in [from, to), without gaps; the part before what the walk reaches is unknown.

    Cost: 0.35 s for each million moves looked through, at most twice `walk_moves`; for a worker thread.
    Raises: LedgerDamaged.
    """
    reader, mentions = MoveReader(engine), [pack(station)]
    first, end = reader.first_at(from_floor_s), reader.first_at(to_floor_s)
    first = max(first, end - walk_moves)
    standing = _before(reader, station, first, walk_moves)
    begin = max(from_floor_s, reader.at_of(first)) if first > 1 and first + walk_moves == end else from_floor_s
    found, state = [Stretch(UNKNOWN, from_floor_s, begin)], standing.state()
    for told in reader.forward(first, end, KINDS, mentions):
        standing.take(station, told)
        if standing.state() != state:
            found.append(Stretch(state, begin, told.at_floor_s))
            begin, state = told.at_floor_s, standing.state()
    found.append(Stretch(state, begin, to_floor_s))
    return [one for one in found if one.end_floor_s > one.begin_floor_s]


def _before(reader: MoveReader, station: str, first: int, walk_moves: int) -> _Standing:
    """Give how the station stood before a move: the last word of each kind about it."""
    standing, wanted = _Standing(), {"machine", "job", "hold"}
    told: list[Told] = []
    for one in reader.backward(first, KINDS, walk_moves, [pack(station)]):
        if getattr(one.move, "station", "") != station:
            continue
        noun = "machine" if isinstance(one.move, StationChanged) else "hold"
        noun = "job" if isinstance(one.move, JobStarted | JobEnded) else noun
        if noun in wanted:
            wanted.discard(noun)
            told.append(one)
        if not wanted:
            break
    for one in reversed(told):
        standing.take(station, one)
    return standing
