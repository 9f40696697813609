"""Which load goes to which station, and when a half-full one is closed; each decision names its rule."""

from __future__ import annotations

from collections.abc import Container, Sequence
from enum import StrEnum
from heapq import nsmallest
from operator import attrgetter

from controller.core import events as e
from controller.core.calendar import Calendar, calendar_of
from controller.core.moves import EncodeStarted, JobStarted, SheetImposed
from controller.core.results import start_action
from controller.core.sheets import foremost, goes_single, in_order, pressable, single_waits, turn_of, with_bodies
from controller.core.state import FloorState, Pile, Rank, Sheet, Station
from controller.core.turn import Turn
from devices.defects import Step
from devices.messages import POSITIONS, SINGLE, StationState

BEATEN_KEPT = 3
_LAST: Rank = (9, 9, float("inf"), 0, "", 0)
# asked in each turn: as a class's attribute, a member of an enum costs ten times as much (measured)
_IDLE, _PRINT, _LAMINATE, _PACK = StationState.IDLE, Step.PRINT, Step.LAMINATE, Step.PACK


class Because(StrEnum):
    """The rules that close a sheet or start a load; the ledger keeps them with each decision."""

    FULL = "full"  # the sheet, load or bundle is as large as it can be
    WAITED = "waited"  # its oldest part waited as long as anything may
    NO_MORE = "no_more"  # nothing can join it any more
    NEXT = "next"  # the first of its queue, for a station that takes what is there
    SAME_KIND = "same_kind"  # no setup: the station is set up for this card kind
    CAME_BACK = "came_back"  # a film that came back untouched
    SINGLE = "single"  # a remake that would waste seven blanks of a sheet: it goes on a single body


_FULL, _NO_MORE, _NEXT = Because.FULL, Because.NO_MORE, Because.NEXT


def plan(turn: Turn) -> None:
    """Give work to whoever is free: encoders first, then every free station, by name."""
    state = turn.state
    if state.reconciling:
        return  # what a restored ledger takes for unmade may be made already
    if state.unencoded:
        _encode(turn)
    free = free_stations(state, _steps_with_work(turn))
    if not free:
        return
    calendar, now = calendar_of(turn.config.calendar), turn.now_floor_s
    idle: set[tuple[Step, int]] = set()  # those of a step and size would find nothing, as one of them did
    films, are_early = state.waiting[_LAMINATE], -1  # so many of them were found early
    for station in free:
        step = station.step
        if step is _LAMINATE and _could_take_all(state, station):  # each press has bodies of its own
            if len(films) != are_early and _films_are_early(turn):
                are_early = len(films)
            if len(films) == are_early:
                continue
        if idle and (step, station.load_max) in idle:
            continue
        closes = calendar.closes_at(station.station, now)
        if closes <= now + station.load_s and not _is_open(turn, station, calendar, closes):
            continue
        RULES[step](turn, station)
        if not station.job_id and step is not _LAMINATE:
            idle.add((step, station.load_max))


def _steps_with_work(turn: Turn) -> list[Step]:
    """Give the steps for which there is something to do, or may be."""
    state, config = turn.state, turn.config.plan
    steps = [step for step, queue in state.waiting.items() if queue]
    if state.ripe or (state.piles and config.bundle_max < state.ripe_cards):
        steps.append(_PACK)
    if any(state.ready.values()):  # printing may pause, but not any more once a press took its films in this plan
        steps.append(_PRINT)
    return steps


def free_stations(state: FloorState, steps: Container[Step] = tuple(Step)) -> list[Station]:
    """Give the stations of some steps that can take a load now, by name."""
    idle = [one for one in state.stations.values() if not one.job_id and one.step in steps and one.state == _IDLE]
    holds, stock = state.station_holds, state.stock
    if holds or stock.supplies:
        idle = [one for one in idle if one.station not in holds and stock.has_supplies(one.station)]
    if len(idle) > 1:
        idle.sort(key=_NAME)
    return idle


def _is_open(turn: Turn, station: Station, calendar: Calendar, closes_floor_s: float) -> bool:
    """Say whether a station may begin though it closes before its load would end; ask to be called when it may."""
    now = turn.now_floor_s
    opens = calendar.opens_at(station.station, max(now, closes_floor_s))
    if now < opens < float("inf"):
        turn.wake_at(opens)
    return opens <= now


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
    films = state.waiting[_PRINT]
    if films:
        _start(turn, station, [films[0][1]], Because.CAME_BACK)
        return
    if is_paused(turn):
        return
    kinds = list(state.ready)
    if len(kinds) > 1:
        kinds.sort(key=lambda kind: state.ready[kind][:1] or [_LAST])
    for kind in kinds:
        ready = foremost(state, kind)
        because = why_impose(turn, ready)
        if because is None:
            continue
        places = POSITIONS
        if because is not _FULL and turn.config.plan.single_bodies and goes_single(state, ready):
            ready, because, places = ready[:1], Because.SINGLE, SINGLE
        cards = [rank[-1] for rank in ready]
        sheet_id = state.next_id("sheet")
        turn.record(SheetImposed(sheet_id, cards + [0] * (POSITIONS - len(cards)), because, places))
        _start(turn, station, [sheet_id], because)
        return


def is_paused(turn: Turn) -> bool:
    """Say whether printing pauses: enough films wait before the presses, or enough sheets are on the floor."""
    config = turn.config.plan
    return len(turn.state.waiting[_LAMINATE]) >= config.films_max or len(turn.state.sheets) >= config.sheets_max


def why_impose(turn: Turn, ready: list[Rank]) -> Because | None:
    """Give the rule by which these cards become a sheet now; None while more may join them."""
    state = turn.state
    if not ready:
        return None
    if len(ready) == POSITIONS:
        return _FULL
    if state.unencoded or state.encode_jobs:
        return None
    if not state.sheets or _presses_wait_for_more(turn):  # nothing on the floor could fail soon and need a place
        return _NO_MORE
    until = min([state.cards[rank[-1]].ready_floor_s for rank in ready]) + turn.config.plan.sheet_wait_s
    if turn.now_floor_s >= until:
        return Because.WAITED
    turn.wake_at(until)
    return None


def _presses_wait_for_more(turn: Turn) -> bool:
    """Say whether all sheets on the floor are films that a press may take now: they wait for these cards in turn.

    One film with empty positions is enough: more of them would spoil seven blanks for each card that trickles in.
    """
    state, films, now = turn.state, turn.state.waiting[_LAMINATE], turn.now_floor_s
    if len(films) < len(state.sheets) or sum(_has_room(state.sheets[one]) for _, one in films) > 1:
        return False
    calendar = calendar_of(turn.config.calendar)
    open_now = (p for p in free_stations(state, (_LAMINATE,)) if calendar.starts_at(p.station, now, p.load_s) <= now)
    return any(_pressable(turn, press)[1] for press in open_now)


def _has_room(sheet: Sheet) -> bool:
    """Say whether a sheet was imposed with empty positions, which its body has all the same."""
    return sheet.places == POSITIONS and 0 in sheet.cards


# ---- presses, and the stations that take what is there -----------------------------------------------------------


def _laminate(turn: Turn, station: Station) -> None:
    """Load a press when it is full, when its oldest film waited long enough, or when no film will come."""
    state = turn.state
    films, load = _pressable(turn, station)
    if not load:
        return
    because = _FULL
    if len(load) < station.load_max and len(films) == len(load):
        because = _NO_MORE
        if films_may_come(state):
            until = min([state.sheets[sheet_id].waiting_floor_s for sheet_id in load]) + turn.config.plan.press_wait_s
            if turn.now_floor_s < until:
                turn.wake_at(until)
                return
            because = Because.WAITED
    others = films[len(load) :] if load == films[: len(load)] else [film for film in films if film not in set(load)]
    _start(turn, station, load, because, others)


def _could_take_all(state: FloorState, station: Station) -> bool:
    """Say whether a press could take every film that waits, and one more."""
    queue, stock, press = state.waiting[_LAMINATE], state.stock, station.station
    films = len(queue)
    if films >= station.load_max or not stock.has_bodies(press, POSITIONS, films):
        return False
    return not single_waits(state, queue) or stock.has_bodies(press, SINGLE, films)


def _films_are_early(turn: Turn) -> bool:
    """Say whether all films that wait, which one press could take, may wait for others yet: a quick look.

    It is asked in most turns, and says no where several kinds want a closer one.
    """
    state = turn.state
    queue, sheets = state.waiting[_LAMINATE], state.sheets
    if not queue or len(state.ready) > 1 or not films_may_come(state):
        return False
    until = min([sheets[sheet_id].waiting_floor_s for _, sheet_id in queue]) + turn.config.plan.press_wait_s
    if turn.now_floor_s >= until:
        return False
    turn.wake_at(until)
    return True


def _pressable(turn: Turn, station: Station) -> tuple[list[int], list[int]]:
    """Give the first films a press could take, and of them those its magazine has bodies for: its load."""
    stock, queue = turn.state.stock, turn.state.waiting[_LAMINATE]
    if not single_waits(turn.state, queue):
        films = _of_one_kind(turn, station, queue)
        return films, films[: min(station.load_max, stock.in_magazine(station.station, POSITIONS))]
    films = _of_one_kind(turn, station, pressable(turn.state, station.station, queue))
    return films, with_bodies(turn.state, station.station, films)[: station.load_max]


def films_may_come(state: FloorState) -> bool:
    """Say whether anything before the presses could still become a film."""
    if state.unencoded or state.encode_jobs or state.waiting[_PRINT] or any(state.ready.values()):
        return True
    return any(job.step is _PRINT for job in state.jobs.values())


def _next(turn: Turn, station: Station) -> None:
    """Load what waits first, of one card kind."""
    state, most = turn.state, station.load_max
    if len(state.ready) < 2:  # no second kind was ever made
        sheets = in_order(state.waiting[station.step], most + BEATEN_KEPT)
        if sheets:
            _start(turn, station, sheets[:most], _NEXT, sheets[most:])
        return
    sheets = _of_one_kind(turn, station, state.waiting[station.step])
    if sheets:
        because = Because.SAME_KIND if _stays_with_its_kind(turn, station, sheets[0]) else _NEXT
        _start(turn, station, sheets[:most], because, sheets[most:])


def _stays_with_its_kind(turn: Turn, station: Station, sheet_id: int) -> bool:
    """Say whether a sheet is chosen from among several kinds for the sake of the setup."""
    state = turn.state
    if station.kind != state.sheets[sheet_id].kind:
        return False
    return any(state.sheets[other].kind != station.kind for _, other in state.waiting[station.step])


def _of_one_kind(turn: Turn, station: Station, queue: list[tuple[Rank, int]]) -> list[int]:
    """Give the first sheets of a queue before a station, of one card kind: a load has one, and another costs a setup.

    The kind is the station's last one, unless none of it waits, the first of another is a remake or express, or has
    waited too long.  They are a load, and those it beat.
    """
    state, most = turn.state, station.load_max + BEATEN_KEPT
    if len(state.ready) < 2:  # no second kind was ever made
        return in_order(queue, most)
    sheets = in_order(queue, len(queue))
    kinds = {state.sheets[sheet_id].kind for sheet_id in sheets}
    if len(kinds) < 2:
        return sheets[:most]
    first = state.sheets[sheets[0]]
    urgent = first.rank[0] == 0 or first.rank[1] == 0
    waited = turn.now_floor_s - first.waiting_floor_s >= turn.config.plan.kind_wait_s
    kind = first.kind if urgent or waited or station.kind not in kinds else station.kind
    return [sheet_id for sheet_id in sheets if state.sheets[sheet_id].kind == kind][:most]


# ---- packing --------------------------------------------------------------------------------------------------


def _pack(turn: Turn, station: Station) -> None:
    """Pack a pile that is large enough, or that no card can join any more."""
    state = turn.state
    limit = min(turn.config.plan.bundle_max, station.load_max)
    piles = state.ripe if limit >= state.ripe_cards else state.piles.keys()
    closed = [pile for pile in piles if pile not in state.making or len(state.piles[pile]) >= limit]
    if not closed:
        return
    closed = nsmallest(1 + BEATEN_KEPT, closed, key=lambda pile: pile_rank(state, pile))
    cards = state.piles[closed[0]]
    because = _FULL if len(cards) >= limit else _NO_MORE
    beaten = [f"batch {batch_id} {unit}" for batch_id, unit in closed[1:]]
    job_id, bundle_id = state.next_id("job"), state.next_id("bundle")
    turn.record(JobStarted(job_id, station.station, station.step, [], bundle_id, cards[:limit], because, beaten))
    turn.act(start_action(turn, state.jobs[job_id]))


def pile_rank(state: FloorState, pile: Pile) -> tuple[tuple[float, float], int, str]:
    """Give the order in which piles are packed: day due, arrival, batch, police station."""
    return (turn_of(state.batches[pile[0]]), *pile)


def _start(turn: Turn, station: Station, sheets: list[int], because: Because, others: Sequence[int] = ()) -> None:
    job_id = turn.state.next_id("job")
    beaten = [f"sheet {sheet_id}" for sheet_id in others[:BEATEN_KEPT]] if others else []
    turn.record(JobStarted(job_id, station.station, station.step, sheets, because=because, beaten=beaten))
    turn.act(start_action(turn, turn.state.jobs[job_id]))


_NAME = attrgetter("station")
RULES = {**dict.fromkeys(Step, _next), Step.PRINT: _print, Step.LAMINATE: _laminate, Step.PACK: _pack}
