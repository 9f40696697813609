"""The estimates as rows for people: each figure with the count behind it, and whether it was seen or is a guess."""

from __future__ import annotations

from collections import Counter

import msgspec

from controller.core.line import guesses
from controller.core.line.bins import Bins
from controller.core.line.figures import Estimates, StationFigures, StepFigures
from controller.core.line.outcome import PeopleWait
from controller.core.line.people_record import RECONCILE, RELEASE
from controller.core.line.spread import Guess, quantile_of
from controller.core.state import FloorState
from devices.defects import Step

LITTLE = 5  # a figure of fewer counts leans on the guess


class Figure(msgspec.Struct, frozen=True):
    """One figure: `observed` says whether enough was counted for it to stand without the guess."""

    what: str
    where: str  # station, step or empty
    value: float
    unit: str
    count: int
    observed: bool


def rows(estimates: Estimates) -> list[Figure]:
    """Give what a forecast rests on: paces and stops by station, the rest by step, people and arrivals."""
    found: list[Figure] = []
    for name, station in sorted(estimates.stations.items()):
        found += _station(name, station)
    for step in Step:
        found += _step(step, estimates.steps.get(step, StepFigures()))
    found += [_time(word, "", estimates.waits.get(word, Bins()), guess) for word, guess in guesses.WAITS.items()]
    found.append(_time("magazine", "", estimates.magazines.empty_s, guesses.EMPTY_S))
    found.append(_time("encode", "", estimates.encode_card_s, guesses.ENCODE_CARD_S))
    arrivals = estimates.arrivals
    hours = max(estimates.last_floor_s - estimates.first_floor_s, guesses.HOUR_S) / guesses.HOUR_S
    found.append(_figure("arrivals", "", arrivals.cards / hours, "cards/h", arrivals.batches))
    return found


def people(estimates: Estimates, state: FloorState, waiting: Counter[str]) -> list[PeopleWait]:
    """Give a row for each thing that waits for people, or did: `waiting`: cards by what they wait for."""
    waits = waiting | Counter({RELEASE: len(state.station_holds), RECONCILE: int(state.reconciling)})
    found = []
    for word, guess in guesses.WAITS.items():
        bins = estimates.waits.get(word, Bins())
        if waits[word] or bins.count:
            p50_s, p90_s = (quantile_of(bins, guess, share) for share in (0.5, 0.9))
            found.append(PeopleWait(word, waits[word], bins.count, p50_s, p90_s, estimates.findings.get(word, {})))
    return found


def _station(name: str, station: StationFigures) -> list[Figure]:
    begin_s, unit_s = guesses.PACES.get(Step(station.step), (0.0, 0.0))
    guess_s = begin_s + unit_s * station.load_max
    pace_s = station.load_s(station.load_max) if station.loads else guess_s
    stops = guesses.STOPS[0] + station.stops
    struck = guesses.DEFECTS[0] + station.struck
    return [
        Figure("pace", name, pace_s, "s of a full load", station.loads, station.loads >= guesses.SEEN_LOADS),
        _figure("stops", name, 3_600.0 * stops / (guesses.STOPS[1] + station.busy_s), "per busy hour", station.stops),
        _figure("defects", name, struck / (guesses.DEFECTS[1] + station.sheets), "of a sheet", station.struck),
    ]


def _step(step: Step, figures: StepFigures) -> list[Figure]:
    jams = figures.jams_spoiled + figures.jams_returned
    of = guesses.JAMS_SPOILED[1] + guesses.JAMS_RETURNED[1] + figures.loads
    share = (guesses.JAMS_SPOILED[0] + guesses.JAMS_RETURNED[0] + jams) / of
    return [
        _time("down", step.value, figures.down_s, guesses.DOWN_S),
        _time("off line", step.value, figures.off_s, guesses.OFF_S),
        _time("jam", step.value, figures.clear_s, guesses.CLEAR_S),
        _figure("jams", step.value, share, "of loads", jams),
    ]


def _time(what: str, where: str, bins: Bins, guess: Guess) -> Figure:
    """Give a mean time: what was counted, and the guess's median for as many as it counts."""
    mean_s = (bins.total + guess.weight * guess.median) / (bins.count + guess.weight)
    return _figure(what, where, mean_s, "s", bins.count)


def _figure(what: str, where: str, value: float, unit: str, count: int) -> Figure:
    return Figure(what, where, value, unit, count, count >= LITTLE)
