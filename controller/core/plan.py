"""Which load goes to which station, and when a half-full one is closed."""

from __future__ import annotations

from controller.core import events as e
from controller.core.moves import EncodeStarted, JobStarted, SheetImposed
from controller.core.results import start_action
from controller.core.state import FloorState, Pile, Rank, Station
from controller.core.turn import Turn
from devices.defects import Step
from devices.messages import POSITIONS, StationState


def plan(turn: Turn) -> None:
    """Give work to whoever is free: encoders first, then every free station, by name."""
    _encode(turn)
    for station in free_stations(turn.state):
        if station.step is Step.PRINT:
            _print(turn, station)
        elif station.step is Step.LAMINATE:
            _laminate(turn, station)
        elif station.step is Step.PACK:
            _pack(turn, station)
        else:
            _start(turn, station, [sheet_id for _, sheet_id in turn.state.waiting[station.step][: station.load_max]])


def free_stations(state: FloorState) -> list[Station]:
    """Give the stations that can take a load now, by name."""
    return [
        station
        for _, station in sorted(state.stations.items())
        if station.state == StationState.IDLE and not station.job_id
    ]


def _encode(turn: Turn) -> None:
    """Hand cards to the encoders, as far as there are free ones."""
    state, config = turn.state, turn.config.plan
    while state.unencoded and len(state.encode_jobs) < config.encode_jobs:
        cards = [rank[-1] for rank in state.unencoded[: config.encode_load]]
        job_id = state.next_id("job")
        turn.record(EncodeStarted(job_id, cards))
        turn.act(e.Encode(job_id, cards))


def _print(turn: Turn, station: Station) -> None:
    """Impose the next eight ready cards; fewer when nobody will join them soon."""
    state, config = turn.state, turn.config.plan
    films = state.waiting[Step.PRINT]
    if films:  # a film that came back untouched
        _start(turn, station, [films[0][1]])
        return
    if len(state.waiting[Step.LAMINATE]) >= config.films_max:
        return
    for kind in sorted(state.ready, key=lambda kind: state.ready[kind][:1] or [_LAST]):
        ready = state.ready[kind][:POSITIONS]
        if not ready or (len(ready) < POSITIONS and _waits_for_more(turn, ready)):
            continue
        cards = [rank[-1] for rank in ready]
        sheet_id = state.next_id("sheet")
        turn.record(SheetImposed(sheet_id, cards + [0] * (POSITIONS - len(cards))))
        _start(turn, station, [sheet_id])
        return


_LAST: Rank = (9, 9, float("inf"), 0, "", 0)


def _waits_for_more(turn: Turn, ready: list[Rank]) -> bool:
    """Say whether a sheet that is not full should wait: encodes are coming, or a remake may come in time."""
    state = turn.state
    if state.unencoded or state.encode_jobs:
        return True
    if not state.sheets:  # nothing on the floor that could fail and need a place
        return False
    oldest = min(state.cards[rank[-1]].ready_floor_s for rank in ready)
    until = oldest + turn.config.plan.sheet_wait_s
    if turn.now_floor_s >= until:
        return False
    turn.wake_at(until)
    return True


def _laminate(turn: Turn, station: Station) -> None:
    """Load a press when it is full, when its oldest film waited long enough, or when no film will come."""
    state = turn.state
    films = state.waiting[Step.LAMINATE]
    load = films[: min(station.load_max, state.stock.in_magazine(station.station))]
    if not load:
        return
    if len(load) < station.load_max and len(films) == len(load) and _films_may_come(state):
        until = min(state.sheets[sheet_id].waiting_floor_s for _, sheet_id in load) + turn.config.plan.press_wait_s
        if turn.now_floor_s < until:
            turn.wake_at(until)
            return
    _start(turn, station, [sheet_id for _, sheet_id in load])


def _films_may_come(state: FloorState) -> bool:
    """Say whether anything before the presses could still become a film."""
    if state.unencoded or state.encode_jobs or state.waiting[Step.PRINT] or any(state.ready.values()):
        return True
    return any(job.step is Step.PRINT for job in state.jobs.values())


def _pack(turn: Turn, station: Station) -> None:
    """Pack a pile that is large enough, or that no card can join any more; the earliest batch first."""
    state = turn.state
    limit = min(turn.config.plan.bundle_max, station.load_max)
    for pile in sorted(state.piles, key=lambda pile: _pile_rank(state, pile)):
        cards = state.piles[pile]
        if len(cards) >= limit or not state.making[pile]:
            job_id, bundle_id = state.next_id("job"), state.next_id("bundle")
            turn.record(JobStarted(job_id, station.station, station.step, [], bundle_id, cards[:limit]))
            turn.act(start_action(turn, state.jobs[job_id]))
            return


def _pile_rank(state: FloorState, pile: Pile) -> tuple[float, int, str]:
    batch = state.batches[pile[0]]
    return (batch.due_floor_s, batch.batch_id, pile[1])


def _start(turn: Turn, station: Station, sheets: list[int]) -> None:
    if not sheets:
        return
    job_id = turn.state.next_id("job")
    turn.record(JobStarted(job_id, station.station, station.step, sheets))
    turn.act(start_action(turn, turn.state.jobs[job_id]))
