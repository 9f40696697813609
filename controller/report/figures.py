"""The report of a floor, from the moves of its ledger alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from controller.core.calendar import Calendar
from controller.core.fold import apply
from controller.core.inspectors import Inspectors
from controller.core.moves import (
    AnyMove,
    BundleMade,
    CardMissing,
    PositionsMarked,
    SheetBound,
    SheetImposed,
    positions_in,
)
from controller.core.quality_moves import CardReturned, CardSetGood
from controller.core.state import FloorState
from controller.core.stock import ENTRY_OF_MARK, Account
from controller.core.stock_moves import BlanksDestroyed, BlanksLost, BodiesLost, BodiesSampled
from controller.core.tally import StationTally, Tally
from controller.core.yields import (
    Effect,
    broken_sums,
    pareto,
    planned_busy_s,
    rolled_throughput_yield,
    station_effect,
    station_quality,
    step_quality,
)
from devices.defects import Step
from devices.messages import POSITIONS, blank_serial

SECONDS_PER_HOUR = 3600.0


class Report:
    """Folds moves one by one; `as_json` gives what was found."""

    def __init__(self, yearly_hours: float, calendar: Calendar | None = None) -> None:
        self._yearly_hours, self._calendar = yearly_hours, calendar
        self.tally, self.state, self.trace = Tally(), FloorState(), BlankTrace()
        self.inspectors = Inspectors()
        self._made_per_hour: Counter[int] = Counter()

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move of the ledger."""
        apply(self.state, at_floor_s, move)
        self.tally.fold(at_floor_s, move)
        self.trace.fold(move)
        self.inspectors.fold(at_floor_s, move)
        if isinstance(move, BundleMade):
            first = self.tally.first_floor_s or at_floor_s
            self._made_per_hour[int((at_floor_s - first) // SECONDS_PER_HOUR)] += len(move.cards)

    def as_json(self) -> dict[str, Any]:
        """Give the report; counts are integers, times floor seconds, shares 0 to 1."""
        tally = self.tally
        steps = {step.value: step_quality(tally, step) for step in Step}
        capacity, limiting = yearly_capacity(tally, self._yearly_hours)
        causes = spoiled_by_cause(tally)
        effects = {name: self.effect(name) for name in sorted(tally.stations)}
        return {
            "submitted": tally.received,
            "accepted": tally.accepted,
            "refused": tally.refused,
            "refused_by_code": dict(sorted(tally.refused_by_code.items())),
            "held_released": tally.held_released,
            "held_refused": tally.held_refused,
            "held_open": len(tally.held),
            "made": tally.made,
            "cancelled": tally.cancelled,
            "refused_late": tally.refused_late,
            "dispatched": tally.dispatched,
            "open": tally.open(),
            "remade": tally.remade,
            "batches": tally.batches,
            "batches_closed": tally.batches_closed,
            "sheets": tally.sheets,
            "spoiled_by_step": {step.value: sum(causes.get(step, {}).values()) for step in Step},
            "spoiled_by_cause": causes,
            "causes": [asdict(row) for row in pareto(tally)],
            "fpy_by_step": {step: round(one.fpy, 6) for step, one in steps.items()},
            "fty_by_step": {step: round(one.fty, 6) for step, one in steps.items()},
            "scrap_ratio_by_step": {step: round(one.scrap_ratio, 6) for step, one in steps.items()},
            "rework_ratio_by_step": {step: round(one.rework_ratio, 6) for step, one in steps.items()},
            "rty": round(rolled_throughput_yield(tally), 6),
            "oee_by_station": {name: round(one.oee, 4) for name, one in effects.items()},
            "oee_parts_by_station": {name: _effect(one) for name, one in effects.items()},
            "cards_per_hour": round(cards_per_hour(tally), 1),
            "cards_per_floor_hour": [
                self._made_per_hour[hour] for hour in range(max(self._made_per_hour, default=-1) + 1)
            ],
            "lead_time_s": lead_time(tally),
            "yearly_capacity": int(capacity),
            "yearly_hours": self._yearly_hours,
            "limiting_step": limiting,
            "blanks": blanks(self.state, self.trace),
            "stations": {name: _station(one, tally.last_floor_s) for name, one in sorted(tally.stations.items())},
            "inspectors": [_rounded(row) for row in self.inspectors.rows()],
            "broken_sums": broken_sums(tally),
        }

    def effect(self, station: str) -> Effect:
        """Give the OEE of a station over its planned time, up to the last move."""
        one, at = self.tally.stations[station], self.tally.last_floor_s
        return station_effect(one, at, planned_busy_s(station, one.joined_floor_s, at, self._calendar))


def build_report(
    moves: Iterable[tuple[float, AnyMove]], yearly_hours: float, calendar: Calendar | None = None
) -> dict[str, Any]:
    """Give the report of a ledger's moves; without a calendar every hour is one in which stations could work."""
    report = Report(yearly_hours, calendar)
    for at_floor_s, move in moves:
        report.fold(at_floor_s, move)
    return report.as_json()


def spoiled_by_cause(tally: Tally) -> dict[str, dict[str, int]]:
    """Give the positions spoiled, by the step that caused it and the code."""
    spoiled: dict[str, dict[str, int]] = defaultdict(dict)
    for (step, code), count in sorted(tally.spoiled_by.items()):
        spoiled[step][code] = count
    return dict(spoiled)


def first_pass_yield(tally: Tally, step: str) -> float:
    """Give the share of positions a step worked on that it did not spoil, whoever found it: see `core.yields`."""
    return step_quality(tally, step).fpy


def availability(station: StationTally, at_floor_s: float) -> float:
    """Give the share of its time on the floor that a station was able to work."""
    planned_s = at_floor_s - station.joined_floor_s
    return max(0.0, 1.0 - station.down_until(at_floor_s) / planned_s) if planned_s > 0 else 1.0


def cards_per_hour(tally: Tally) -> float:
    """Give the cards made per floor hour, from the first batch's arrival to the last bundle."""
    if tally.first_floor_s is None or tally.last_made_floor_s <= tally.first_floor_s:
        return 0.0
    return tally.made / ((tally.last_made_floor_s - tally.first_floor_s) / SECONDS_PER_HOUR)


def lead_time(tally: Tally) -> dict[str, float]:
    """Give the median and the 95th percentile of floor seconds from a batch's arrival to a card's dispatch."""
    return {"p50": quantile(tally.lead_s, 0.50), "p95": quantile(tally.lead_s, 0.95)}


def quantile(weights: Counter[float], share: float) -> float:
    """Give the least value that so large a share of the weight does not exceed; 0 of nothing."""
    left = share * weights.total()
    for value in sorted(weights):
        left -= weights[value]
        if left <= 0:
            return value
    return 0.0


def yearly_capacity(tally: Tally, yearly_hours: float) -> tuple[float, str]:
    """Give the cards a year the floor could make, and the step that limits it.

    The smallest over the steps of: sum over its stations of (cards per executing hour x availability) x the yield of
    this and all later steps x yearly hours.  A step nothing was done at does not limit.
    """
    capacities = {}
    later = 1.0
    for step in reversed(Step):
        later *= first_pass_yield(tally, step)
        rate = sum(
            one.worked / (one.busy_s / SECONDS_PER_HOUR) * availability(one, tally.last_floor_s)
            for one in tally.stations.values()
            if one.step == step and one.busy_s > 0
        )
        if rate:
            capacities[step.value] = rate * later * yearly_hours
    if not capacities:
        return 0.0, ""
    limiting = min(capacities, key=lambda step: capacities[step])
    return capacities[limiting], limiting


class BlankTrace:
    """Follows every drawn blank by its serial, without the stock's own accounts: the other side of the balance."""

    def __init__(self) -> None:
        self.account_of: dict[int, Account] = {}
        self.drawn_twice = 0
        self.taken = 0  # blanks of body sheets that were never drawn: samples, and what two people could not find
        self._bodies: dict[int, int] = {}
        self._places: dict[int, int] = {}  # of the sheets that are not of eight

    def fold(self, move: AnyMove) -> None:
        """Take one move."""
        if isinstance(move, SheetImposed):
            if move.places != POSITIONS:
                self._places[move.sheet_id] = move.places
        elif isinstance(move, SheetBound):
            self._bodies[move.sheet_id] = move.body
            for position in range(self._places.pop(move.sheet_id, POSITIONS)):
                serial = blank_serial(move.body, position)
                self.drawn_twice += serial in self.account_of
                self.account_of[serial] = Account.SHEET
        elif isinstance(move, PositionsMarked) and move.sheet_id in self._bodies and move.mark in ENTRY_OF_MARK:
            for position in positions_in(move.mask):
                self.account_of[blank_serial(self._bodies[move.sheet_id], position)] = ENTRY_OF_MARK[move.mark]
        elif isinstance(move, BodiesSampled | BodiesLost):
            self.taken += move.sheets * move.places
        elif isinstance(move, BlanksDestroyed):
            self.account_of |= dict.fromkeys(move.blanks, Account.DESTROYED)
        elif type(move) in ACCOUNT_AFTER:
            self.account_of[move.blank] = ACCOUNT_AFTER[type(move)]  # type: ignore[union-attr]

    def count(self, *accounts: Account) -> int:
        """Give how many drawn blanks lie in these accounts."""
        return sum(account in accounts for account in self.account_of.values())


ACCOUNT_AFTER: dict[type, Account] = {  # moves of one blank by its serial
    CardMissing: Account.MISSING,
    BlanksLost: Account.MISSING,
    CardSetGood: Account.GOOD,
    CardReturned: Account.RETURNED,
}


def blanks(state: FloorState, trace: BlankTrace) -> dict[str, int]:
    """Give the balance of blanks; difference = opening + received - good - spoiled - suspect - remaining - taken.

    Good (bundled, dispatched and returned ones too), spoiled (destroyed and missing ones too) and suspect are counted
    by serial, remaining by the ranges that lie in vault and magazines and by the sheets on the floor; taken are the
    blanks of body sheets that never were drawn, as samples or because two people could not find them.
    """
    stock = state.stock
    ranges = [*stock.vault, *(one for magazine in stock.magazines.values() for one in magazine)]
    balance = {
        "opening": 0,
        "received": stock.received,
        "good": trace.count(Account.GOOD, Account.QUARANTINED, Account.RETURNED),
        "spoiled": trace.count(Account.SPOILED, Account.MISSING, Account.DESTROYED),
        "suspect": trace.count(Account.SUSPECT),
        "remaining": sum(one.blanks() for one in ranges) + trace.count(Account.SHEET),
        "taken": trace.taken,
    }
    out = sum(balance[name] for name in ("good", "spoiled", "suspect", "remaining", "taken"))
    balance["difference"] = balance["opening"] + balance["received"] - out
    return balance | {"missing": trace.count(Account.MISSING), "drawn_twice": trace.drawn_twice}


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()}


def _effect(one: Effect) -> dict[str, float]:
    return {
        "availability": round(one.availability, 4),
        "effectiveness": round(one.effectiveness, 4),
        "quality": round(one.quality, 4),
        "oee": round(one.oee, 4),
        "ideal_unit_s": round(one.ideal_s, 3),
    }


def _station(station: StationTally, at_floor_s: float) -> dict[str, Any]:
    per_hour = station.worked / (station.busy_s / SECONDS_PER_HOUR) if station.busy_s else 0.0
    quality = station_quality(station)
    return {
        "step": station.step.value,
        "jobs": station.jobs,
        "worked": station.worked,
        "bad": station.bad,
        "reworked": station.reworked,
        "fpy": round(quality.fpy, 6),
        "fty": round(quality.fty, 6),
        "scrap_ratio": round(quality.scrap_ratio, 6),
        "rework_ratio": round(quality.rework_ratio, 6),
        "busy_s": round(station.busy_s, 1),
        "down_s": round(station.down_until(at_floor_s), 1),
        "cards_per_executing_hour": round(per_hour, 1),
        "availability": round(availability(station, at_floor_s), 4),
    }
