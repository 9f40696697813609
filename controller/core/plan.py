"""Which load goes to which station, and when a half-full one is closed; each decision names its rule."""

from __future__ import annotations

from enum import StrEnum

from controller.core import events as e
from controller.core.calendar import calendar_of
from controller.core.moves import EncodeStarted, JobStarted, SheetImposed
from controller.core.results import start_action
from controller.core.state import FloorState, Pile, Rank, Station
from controller.core.turn import Turn
from devices.defects import Step
from devices.messages import POSITIONS, StationState

BEATEN_KEPT = 3
_LAST: Rank = (9, 9, float("inf"), 0, "", 0)


class Because(StrEnum):
    """The rules that close a sheet or start a load; the ledger keeps them with each decision."""

    FULL = "full"  # the sheet, load or bundle is as large as it can be
    WAITED = "waited"  # its oldest part waited as long as anything may
    NO_MORE = "no_more"  # nothing can join it any more
    NEXT = "next"  # the first of its queue, for a station that takes what is there
    SAME_KIND = "same_kind"  # no setup: the station is set up for this card kind
    CAME_BACK = "came_back"  # a film that came back untouched


def plan(turn: Turn) -> None:
    """Give work to whoever is free: encoders first, then every free station, by name."""
    _encode(turn)
    for station in free_stations(turn.state):
        if not _is_open(turn, station):
            continue
        if station.step is Step.PRINT:
            _print(turn, station)
        elif station.step is Step.LAMINATE:
            _laminate(turn, station)
        elif station.step is Step.PACK:
            _pack(turn, station)
        else:
            _next(turn, station)


def free_stations(state: FloorState) -> list[Station]:
    """Give the stations that can take a load now, by name."""
    return [
        station
        for name, station in sorted(state.stations.items())
        if station.state == StationState.IDLE and not station.job_id and name not in state.station_holds
    ]


def _is_open(turn: Turn, station: Station) -> bool:
    """Say whether a load would end before the shift does, or planned maintenance begins."""
    calendar, now = calendar_of(turn.config.calendar), turn.now_floor_s
    if calendar.always:
        return True
    closes = calendar.closes_at(station.station, now)
    if closes > now + station.load_s:
        return True
    opens = calendar.opens_at(station.station, max(now, closes))
    if opens < float("inf"):
        turn.wake_at(opens)
    return False


def _encode(turn: Turn) -> None:
    """Hand cards to the encoders, as far as there are free ones."""
    state, config = turn.state, turn.config.plan
    while state.unencoded and len(state.encode_jobs) < config.encode_jobs:
        cards = [rank[-1] for rank in state.unencoded[: config.encode_load]]
        job_id = state.next_id("job")
        turn.record(EncodeStarted(job_id, cards))
        turn.act(e.Encode(job_id, cards))


# ---- print ----------------------------------------------------------------------------------------------------


def _print(turn: Turn, station: Station) -> None:
    """Impose the next eight ready cards; fewer when nobody will join them soon."""
    state = turn.state
    films = state.waiting[Step.PRINT]
    if films:
        _start(turn, station, [films[0][1]], Because.CAME_BACK)
        return
    if is_paused(turn):
        return
    for kind in sorted(state.ready, key=lambda kind: state.ready[kind][:1] or [_LAST]):
        ready = state.ready[kind][:POSITIONS]
        because = why_impose(turn, ready)
        if because is None:
            continue
        cards = [rank[-1] for rank in ready]
        sheet_id = state.next_id("sheet")
        turn.record(SheetImposed(sheet_id, cards + [0] * (POSITIONS - len(cards)), because))
        _start(turn, station, [sheet_id], because)
        return


def is_paused(turn: Turn) -> bool:
    """Say whether printing pauses: enough films wait before the presses, or enough sheets are on the floor."""
    config = turn.config.plan
    return len(turn.state.waiting[Step.LAMINATE]) >= config.films_max or len(turn.state.sheets) >= config.sheets_max


def why_impose(turn: Turn, ready: list[Rank]) -> Because | None:
    """Give the rule by which these cards become a sheet now; None while more may join them."""
    state = turn.state
    if not ready:
        return None
    if len(ready) == POSITIONS:
        return Because.FULL
    if state.unencoded or state.encode_jobs:
        return None
    if not state.sheets:  # nothing on the floor that could fail and need a place
        return Because.NO_MORE
    until = min(state.cards[rank[-1]].ready_floor_s for rank in ready) + turn.config.plan.sheet_wait_s
    if turn.now_floor_s >= until:
        return Because.WAITED
    turn.wake_at(until)
    return None


# ---- presses, and the stations that take what is there -----------------------------------------------------------


def _laminate(turn: Turn, station: Station) -> None:
    """Load a press when it is full, when its oldest film waited long enough, or when no film will come."""
    state = turn.state
    films = _of_one_kind(turn, station)
    load = films[: min(station.load_max, state.stock.in_magazine(station.station))]
    if not load:
        return
    because = Because.FULL
    if len(load) < station.load_max and len(films) == len(load):
        because = Because.NO_MORE
        if films_may_come(state):
            until = min(state.sheets[sheet_id].waiting_floor_s for sheet_id in load) + turn.config.plan.press_wait_s
            if turn.now_floor_s < until:
                turn.wake_at(until)
                return
            because = Because.WAITED
    _start(turn, station, load, because, films[len(load) :])


def films_may_come(state: FloorState) -> bool:
    """Say whether anything before the presses could still become a film."""
    if state.unencoded or state.encode_jobs or state.waiting[Step.PRINT] or any(state.ready.values()):
        return True
    return any(job.step is Step.PRINT for job in state.jobs.values())


def _next(turn: Turn, station: Station) -> None:
    sheets = _of_one_kind(turn, station)
    changes = bool(sheets) and station.kind == turn.state.sheets[sheets[0]].kind
    because = Because.SAME_KIND if changes and _kinds_wait(turn, station) > 1 else Because.NEXT
    _start(turn, station, sheets[: station.load_max], because, sheets[station.load_max :])


def _kinds_wait(turn: Turn, station: Station) -> int:
    state = turn.state
    return len({state.sheets[sheet_id].kind for _, sheet_id in state.waiting[station.step]})


def _of_one_kind(turn: Turn, station: Station) -> list[int]:
    """Give the sheets that wait for a station, of one card kind: a load has one, and another one costs a setup.

    The kind is the station's last one, unless none of it waits, the first of another is a remake or express, or has
    waited too long.
    """
    state = turn.state
    waiting = [sheet_id for _, sheet_id in state.waiting[station.step]]
    if len(state.ready) < 2 and not station.kind:
        return waiting
    kinds = dict.fromkeys(state.sheets[sheet_id].kind for sheet_id in waiting)
    if len(kinds) < 2:
        return waiting
    first = state.sheets[waiting[0]]
    urgent = first.rank[0] == 0 or first.rank[1] == 0
    waited = turn.now_floor_s - first.waiting_floor_s >= turn.config.plan.kind_wait_s
    kind = first.kind if urgent or waited or station.kind not in kinds else station.kind
    return [sheet_id for sheet_id in waiting if state.sheets[sheet_id].kind == kind]


# ---- packing --------------------------------------------------------------------------------------------------


def _pack(turn: Turn, station: Station) -> None:
    """Pack a pile that is large enough, or that no card can join any more; the earliest batch first."""
    state = turn.state
    limit = min(turn.config.plan.bundle_max, station.load_max)
    piles = sorted(state.piles, key=lambda pile: pile_rank(state, pile))
    for place, pile in enumerate(piles):
        cards = state.piles[pile]
        if len(cards) < limit and state.making[pile]:
            continue
        because = Because.FULL if len(cards) >= limit else Because.NO_MORE
        beaten = [f"batch {batch_id} {unit}" for batch_id, unit in piles[place + 1 : place + 1 + BEATEN_KEPT]]
        job_id, bundle_id = state.next_id("job"), state.next_id("bundle")
        turn.record(JobStarted(job_id, station.station, station.step, [], bundle_id, cards[:limit], because, beaten))
        turn.act(start_action(turn, state.jobs[job_id]))
        return


def pile_rank(state: FloorState, pile: Pile) -> tuple[float, int, str]:
    """Give the order in which piles are packed: due date, batch age, police station."""
    batch = state.batches[pile[0]]
    return (batch.due_floor_s, batch.batch_id, pile[1])


def _start(turn: Turn, station: Station, sheets: list[int], because: Because, others: list[int] | None = None) -> None:
    if not sheets:
        return
    job_id = turn.state.next_id("job")
    beaten = [f"sheet {sheet_id}" for sheet_id in (others or [])[:BEATEN_KEPT]]
    turn.record(JobStarted(job_id, station.station, station.step, sheets, because=because, beaten=beaten))
    turn.act(start_action(turn, turn.state.jobs[job_id]))
