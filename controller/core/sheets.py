"""Imposition: which ready cards share the next sheet, and when a batch's turn is."""

from __future__ import annotations

from bisect import bisect_left

from controller.core.state import NOT_URGENT, Batch, FloorState, Rank
from devices.messages import POSITIONS, SINGLE, StationState

# A due date is a day: within one day who came first goes first.  Tried with `bench balance` and dropped, because the
# lead time that 95 % of the batches keep grew by up to 7 % or nothing was gained: the due second, a place between
# arrival and due date, large batches earlier, piles of otherwise finished batches first.
DUE_S = 86_400.0
BATCHES_COMPARED = 16  # of those with the earliest due dates: a day's worth; it bounds the cost of a sheet


def turn_of(batch: Batch) -> tuple[float, float]:
    """Give what batches are ordered by: the day they are due, then when they came."""
    return batch.due_floor_s // DUE_S, batch.received_floor_s


def in_order(queue: list[tuple[Rank, int]], most: int) -> list[int]:
    """Give the first sheets of a queue: remakes and express by rank, then as they were imposed.

    The order of batches is decided once, at imposition; behind the printers nobody overtakes but who is urgent.
    """
    return [sheet_id for _, sheet_id in queue[:most]]


def foremost(state: FloorState, kind: str) -> list[Rank]:
    """Give the ready cards of a kind that the next sheet is for, at most eight, in the order of its positions.

    Remakes and express cards first, as they are ranked; then batch by batch, each sorted by police station, so that
    a sheet's neighbours are neighbours in the bundle.
    """
    ready = state.ready[kind]
    if len(ready) <= POSITIONS or ready[POSITIONS - 1] < NOT_URGENT:
        return ready[:POSITIONS]
    place = bisect_left(ready, NOT_URGENT, 0, POSITIONS)
    chosen = ready[:place]
    for begin, end in _batches(state, ready, place):
        chosen += ready[begin : min(end, begin + POSITIONS - len(chosen))]
        if len(chosen) == POSITIONS:
            break
    return chosen


def goes_single(state: FloorState, ready: list[Rank]) -> bool:
    """Say whether the ready cards, too few for a sheet, are remakes that single bodies are left for.

    A new card among them costs a sheet anyhow, and has places to spare for them.  Bodies count that lie in presses
    which work, beyond what films on their way to a press need.
    """
    stock = state.stock
    if ready[-1][0] or not stock.has_singles():
        return False
    works = (StationState.IDLE, StationState.EXECUTE)
    presses = [name for name in stock.magazines if name not in state.station_holds]
    bodies = sum(stock.in_magazine(name, SINGLE) for name in presses if state.stations[name].state in works)
    return bodies > 0 and bodies > sum(one.places == SINGLE and not one.body for one in state.sheets.values())


def single_waits(state: FloorState, queue: list[tuple[Rank, int]]) -> bool:
    """Say whether a film for a single body is in a queue: they are remakes, and stand with the urgent ones."""
    for rank, sheet_id in queue:
        if rank == NOT_URGENT:
            return False
        if state.sheets[sheet_id].places == SINGLE:
            return True
    return False


def pressable(state: FloorState, press: str, queue: list[tuple[Rank, int]]) -> list[tuple[Rank, int]]:
    """Give the films of a queue whose size a press's magazine has bodies for: single ones as many as those."""
    eights, singles = state.stock.in_magazine(press, POSITIONS), state.stock.in_magazine(press, SINGLE)
    films = []
    for one in queue:
        single = state.sheets[one[1]].places == SINGLE
        singles -= single
        if singles >= 0 if single else eights:
            films.append(one)
    return films


def with_bodies(state: FloorState, press: str, films: list[int]) -> list[int]:
    """Give those of some films, in their order, that a press's magazine has a body of the right size for."""
    left = {places: state.stock.in_magazine(press, places) for places in (POSITIONS, SINGLE)}
    chosen = []
    for film in films:
        places = state.sheets[film].places
        if left[places]:
            left[places] -= 1
            chosen.append(film)
    return chosen


def _batches(state: FloorState, ready: list[Rank], place: int) -> list[tuple[int, int]]:
    """Give where the cards of each batch begin and end among the ready ones, from a place on, in their order."""
    found: list[tuple[tuple[float, float], int, int]] = []
    first, day = place, float("inf")
    while place < len(ready) and len(found) < BATCHES_COMPARED:
        _, _, due_floor_s, batch_id, _, _ = ready[place]
        if due_floor_s // DUE_S > day and place - first >= POSITIONS:
            break  # those before it are due on an earlier day, and are enough
        day = due_floor_s // DUE_S
        end = bisect_left(ready, (1, 1, due_floor_s, batch_id + 1, "", 0), place)
        found.append((turn_of(state.batches[batch_id]), place, end))
        place = end
    return [(begin, end) for _, begin, end in sorted(found)]
