"""Floors whose metrics tests read: one that worked, one of 64 stations with everything that can go wrong."""

from __future__ import annotations

import re

from controller.checks.codes import CODES
from controller.core.moves import AnyMove
from controller.core.state import FloorState, Station
from controller.core.stock import Account
from controller.core.tally import StationTally, Tally
from controller.metrics import Metrics
from controller.metrics_page import watch_all
from controller.refusals import CONSOLE, OF_CONNECTIONS, OF_SOCKET, Refusals
from devices import lies
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor

STATIONS = 64
LIARS = 10  # stations that say everything that cannot be
LIES = [value for name, value in vars(lies).items() if isinstance(value, str) and value.startswith("station.")]
LIES += [f"station.{what}" for what in ("other_step", "other_sheets", "other_job", "foreign_body", "unknown_step")]
DOORS = ("upstream", "station", "operator")


class MeasuredFloor:
    """Books and metrics of a floor, told of its moves one by one, as the service tells them."""

    def __init__(self, state: FloorState) -> None:
        self.state, self.tally = state, Tally()
        self.metrics = Metrics(self.tally, state)
        watch_all(self.metrics, state)

    def take(self, at_floor_s: float, move: AnyMove) -> None:
        """Tell of a durable move."""
        self.metrics.note(at_floor_s, move)
        self.tally.fold(at_floor_s, move)


def worked_floor(seed: int = 5, trouble: float = 0.03) -> tuple[RoughFloor, MeasuredFloor]:
    """Give a floor that made six batches, and what was measured of it."""
    floor = RoughFloor(seed, trouble=trouble)
    for batch in range(1, 7):
        floor.submit(1_500.0 * batch, batch, cards=40)
    floor.run()
    measured = MeasuredFloor(floor.state)
    for at, move in floor.log:
        measured.take(at, move)
    return floor, measured


def large_floor() -> Metrics:
    """Give the metrics of a floor of 64 stations on which every code there is has come."""
    state, tally, refused = FloorState(), Tally(), Refusals()
    for number in range(STATIONS):
        step = list(Step)[number % len(Step)]
        state.stations[f"s{number:02}"] = Station(f"s{number:02}", step, 1, "model")
        tally.stations[f"s{number:02}"] = StationTally(step, 0.0)
        if number < LIARS:
            tally.lied.update((f"s{number:02}", code) for code in LIES)
    tally.refused_by_code.update(list(CODES))
    state.stock.blanks.update(dict.fromkeys(Account, 1))
    for door in DOORS:
        refused.watch(door, dict.fromkeys([*OF_SOCKET, *OF_CONNECTIONS], 1))
        for number in range(20):  # codes of envelopes, and those of refusals
            refused.at(door)(f"envelope.{number}")
            refused.at(door)(f"refusal.{number}")
    for number in range(20):
        refused.at(CONSOLE)(f"console.{400 + number}")
    metrics = Metrics(tally, state)
    watch_all(metrics, state, refused)
    return metrics


def series(page: str) -> dict[str, float]:
    """Give every series of a page in the plain text format, with its value."""
    rows = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", page, re.MULTILINE)
    return {name: float(value) for name, value in rows}
