"""The report of a floor, from the moves of its ledger alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from controller.core.fold import apply
from controller.core.moves import AnyMove, BundleMade, CardMissing, PositionsMarked, SheetBound, positions_in
from controller.core.state import FloorState
from controller.core.stock import ENTRY_OF_MARK, Account
from controller.core.tally import StationTally, Tally
from devices.defects import Step
from devices.messages import POSITIONS, blank_serial

SECONDS_PER_HOUR = 3600.0


class Report:
    """Folds moves one by one; `as_json` gives what was found."""

    def __init__(self, yearly_hours: float) -> None:
        self._yearly_hours = yearly_hours
        self.tally, self.state, self.trace = Tally(), FloorState(), BlankTrace()
        self._made_per_hour: Counter[int] = Counter()

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move of the ledger."""
        apply(self.state, at_floor_s, move)
        self.tally.fold(at_floor_s, move)
        self.trace.fold(move)
        if isinstance(move, BundleMade):
            first = self.tally.first_floor_s or at_floor_s
            self._made_per_hour[int((at_floor_s - first) // SECONDS_PER_HOUR)] += len(move.cards)

    def as_json(self) -> dict[str, Any]:
        """Give the report; counts are integers, times floor seconds, shares 0 to 1."""
        tally = self.tally
        fpy = {step: first_pass_yield(tally, step) for step in Step}
        capacity, limiting = yearly_capacity(tally, self._yearly_hours)
        causes = spoiled_by_cause(tally)
        parts = {name: oee(one, tally.last_floor_s) for name, one in sorted(tally.stations.items())}
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
            "fpy_by_step": {step.value: round(share, 6) for step, share in fpy.items()},
            "rty": round(rolled_throughput_yield(tally), 6),
            "oee_by_station": {name: one["oee"] for name, one in parts.items()},
            "oee_parts_by_station": parts,
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
        }


def build_report(moves: Iterable[tuple[float, AnyMove]], yearly_hours: float) -> dict[str, Any]:
    """Give the report of a ledger's moves."""
    report = Report(yearly_hours)
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
    """Give the share of positions a step worked on that it did not spoil, whoever found it.

    Source: ISO 22400-2, first pass yield; a defect is charged to the step that caused it.
    """
    worked = tally.worked[step]
    bad = sum(count for (cause, _), count in tally.spoiled_by.items() if cause == step)
    return 1.0 - bad / worked if worked else 1.0


def rolled_throughput_yield(tally: Tally) -> float:
    """Give the product of the steps' first pass yields: the share of cards that go through without a remake."""
    share = 1.0
    for step in Step:
        share *= first_pass_yield(tally, step)
    return share


def availability(station: StationTally, at_floor_s: float) -> float:
    """Give the share of its time on the floor that a station was able to work."""
    planned_s = at_floor_s - station.joined_floor_s
    return max(0.0, 1.0 - station.down_until(at_floor_s) / planned_s) if planned_s > 0 else 1.0


def oee(station: StationTally, at_floor_s: float) -> dict[str, float]:
    """Give overall equipment effectiveness and its factors, 0 to 1.

    availability = actual production time / planned busy time; effectiveness = planned run time of what was produced
    / actual production time, 1 here, because a station's own cycle is its plan; quality = good / produced.
    Planned busy time is the time since the station joined.  Source: ISO 22400-2.
    """
    planned_s = at_floor_s - station.joined_floor_s
    busy = min(1.0, station.busy_s / planned_s) if planned_s > 0 else 0.0
    quality = max(0.0, 1.0 - station.bad / station.worked) if station.worked else 1.0
    return {"availability": round(busy, 4), "quality": round(quality, 4), "oee": round(busy * quality, 4)}


def cards_per_hour(tally: Tally) -> float:
    """Give the cards made per floor hour, from the first batch's arrival to the last bundle."""
    if tally.first_floor_s is None or tally.last_made_floor_s <= tally.first_floor_s:
        return 0.0
    return tally.made / ((tally.last_made_floor_s - tally.first_floor_s) / SECONDS_PER_HOUR)


def lead_time(tally: Tally) -> dict[str, float]:
    """Give the median and the 95th percentile of floor seconds from a batch's arrival to a card's dispatch."""
    return {"p50": _quantile(tally.lead_s, 0.50), "p95": _quantile(tally.lead_s, 0.95)}


def _quantile(weights: Counter[float], share: float) -> float:
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
        self._bodies: dict[int, int] = {}

    def fold(self, move: AnyMove) -> None:
        """Take one move."""
        if isinstance(move, SheetBound):
            self._bodies[move.sheet_id] = move.body
            for position in range(POSITIONS):
                serial = blank_serial(move.body, position)
                self.drawn_twice += serial in self.account_of
                self.account_of[serial] = Account.SHEET
        elif isinstance(move, PositionsMarked) and move.sheet_id in self._bodies and move.mark in ENTRY_OF_MARK:
            for position in positions_in(move.mask):
                self.account_of[blank_serial(self._bodies[move.sheet_id], position)] = ENTRY_OF_MARK[move.mark]
        elif isinstance(move, CardMissing):
            self.account_of[move.blank] = Account.MISSING

    def count(self, *accounts: Account) -> int:
        """Give how many drawn blanks lie in these accounts."""
        return sum(account in accounts for account in self.account_of.values())


def blanks(state: FloorState, trace: BlankTrace) -> dict[str, int]:
    """Give the balance of blanks; difference = opening + received - good - spoiled - suspect - remaining.

    Good (bundled and dispatched ones too), spoiled and suspect are counted by serial, remaining by the ranges that
    lie in vault and magazines and by the sheets on the floor.
    """
    stock = state.stock
    ranges = [*stock.vault, *(one for magazine in stock.magazines.values() for one in magazine)]
    balance = {
        "opening": 0,
        "received": stock.received,
        "good": trace.count(Account.GOOD, Account.QUARANTINED),
        "spoiled": trace.count(Account.SPOILED, Account.MISSING),
        "suspect": trace.count(Account.SUSPECT),
        "remaining": sum(one.sheets for one in ranges) * POSITIONS + trace.count(Account.SHEET),
    }
    out = balance["good"] + balance["spoiled"] + balance["suspect"] + balance["remaining"]
    balance["difference"] = balance["opening"] + balance["received"] - out
    return balance | {"missing": trace.count(Account.MISSING), "drawn_twice": trace.drawn_twice}


def _station(station: StationTally, at_floor_s: float) -> dict[str, Any]:
    per_hour = station.worked / (station.busy_s / SECONDS_PER_HOUR) if station.busy_s else 0.0
    return {
        "step": station.step.value,
        "jobs": station.jobs,
        "worked": station.worked,
        "bad": station.bad,
        "busy_s": round(station.busy_s, 1),
        "down_s": round(station.down_until(at_floor_s), 1),
        "cards_per_executing_hour": round(per_hour, 1),
        "availability": round(availability(station, at_floor_s), 4),
    }
