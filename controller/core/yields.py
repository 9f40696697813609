"""Yields, scrap, rework, OEE and causes from the tally, in the words of ISO 22400-2, each with its formula.

A *position* is one place of a sheet that a step worked on, at packing a card.  A position is scrap at the step that
*caused* it to be spoiled, whoever found it; rework is a position that a step worked on a second time, which here is a
tray inspected again.  A remake is no rework: it is a new product on new material.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller.core.calendar import Calendar
from controller.core.tally import StationTally, Tally
from devices.defects import DEFECTS, FATE_UNKNOWN, Step

OPENINGS_MAX = 4_000  # of a calendar that are added up: more than five years of two shifts a day


@dataclass(frozen=True, slots=True)
class Quality:
    """What a step or station did, in positions."""

    produced: int
    scrap: int
    rework: int

    @property
    def fpy(self) -> float:
        """First pass yield = (produced - scrap) / produced; 1 before anything was produced."""
        return 1.0 - self.scrap_ratio

    @property
    def fty(self) -> float:
        """First time yield = (produced - scrap - rework) / produced; not below 0."""
        return max(0.0, 1.0 - self.scrap_ratio - self.rework_ratio)

    @property
    def scrap_ratio(self) -> float:
        """Scrap ratio = scrap / produced; at most 1."""
        return min(1.0, self.scrap / self.produced) if self.produced else 0.0

    @property
    def rework_ratio(self) -> float:
        """Rework ratio = rework / produced."""
        return self.rework / self.produced if self.produced else 0.0


@dataclass(frozen=True, slots=True)
class Effect:
    """Overall equipment effectiveness of a station, and its factors, each from 0 to 1."""

    availability: float
    effectiveness: float
    quality: float
    ideal_s: float  # floor seconds of one unit in a full load

    @property
    def oee(self) -> float:
        """OEE index = availability x effectiveness x quality."""
        return self.availability * self.effectiveness * self.quality


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the Pareto of causes: `share` of all spoiled positions, `cumulated` with the rows above it."""

    code: str
    caused_at: str
    found_at: str
    count: int
    share: float
    cumulated: float
    en: str
    zh: str


def step_quality(tally: Tally, step: str) -> Quality:
    """Give what a step did; scrap is charged to the step that caused it."""
    scrap = sum(count for (caused_at, _), count in tally.spoiled_by.items() if caused_at == step)
    return Quality(tally.worked[step], scrap, tally.reworked[step])


def station_quality(station: StationTally) -> Quality:
    """Give what a station did; scrap is charged to the station of the causing step that the sheet went through."""
    return Quality(station.worked, station.bad, station.reworked)


def rolled_throughput_yield(tally: Tally) -> float:
    """Give the rolled throughput yield = product of the steps' first time yields.

    It is the share of cards that go through the whole route without a remake and without a second inspection.
    Source: ISO 22400-2 for the factors; the product is the usual one of six sigma.
    """
    share = 1.0
    for step in Step:
        share *= step_quality(tally, step).fty
    return share


def station_effect(station: StationTally, at_floor_s: float, planned_s: float) -> Effect:
    """Give the OEE of a station and its factors.  `planned_s`: its planned busy time, see `planned_busy_s`.

    Availability = actual production time (its loads' floor seconds) / planned busy time: waiting for work, being
    down and being held all count against it.
    Effectiveness = units worked on x ideal time of a unit / actual production time, where the ideal time is that of a
    *full* load at the station's own settled pace (`rates.LoadLine`) / its size: a press that runs half empty is charged
    for it, and so is a load that nobody can answer for; a machine that is slow by nature is not.
    Quality = (produced - scrap) / produced.
    Source: ISO 22400-2.
    """
    if planned_s <= 0 or station.busy_s <= 0:
        return Effect(0.0, 1.0, station_quality(station).fpy, 0.0)
    ideal_s = station.line.load_s(station.load_max) / station.load_max
    effectiveness = station.line.units * ideal_s / station.busy_s
    return Effect(min(1.0, station.busy_s / planned_s), min(1.0, effectiveness), station_quality(station).fpy, ideal_s)


def planned_busy_s(station: str, joined_floor_s: float, at_floor_s: float, calendar: Calendar | None) -> float:
    """Give the floor seconds a station was planned to work: since it joined, shifts' ends and maintenance left out."""
    if calendar is None or calendar.always:
        return max(0.0, at_floor_s - joined_floor_s)
    planned_s, at = 0.0, joined_floor_s
    for _ in range(OPENINGS_MAX):
        opens = calendar.opens_at(station, at)
        if opens >= at_floor_s:
            break
        at = calendar.closes_at(station, opens)
        planned_s += min(at, at_floor_s) - opens
    return planned_s


def pareto(tally: Tally) -> list[Cause]:
    """Give the causes of spoiled positions, the most frequent first; their counts add up to `tally.remade`."""
    rows, cumulated = [], 0
    order = sorted(tally.causes.items(), key=lambda one: (-one[1], one[0]))
    for (code, caused_at, found_at), count in order:
        cumulated += count
        en, zh = words_of(code)
        share, so_far = count / tally.remade, cumulated / tally.remade
        rows.append(Cause(code, caused_at, found_at, count, share, so_far, en, zh))
    return rows


def words_of(code: str) -> tuple[str, str]:
    """Give what a defect code means, in English and Chinese; both empty for one that is not in the table."""
    if code == FATE_UNKNOWN:
        return "fate unknown", "下落不明"
    defect = DEFECTS.get(code)
    return (defect.en, defect.zh) if defect else ("", "")


def broken_sums(tally: Tally) -> list[str]:
    """Name the sums that do not hold: every way of counting what was spoiled gives `remade`."""
    sums = {
        "the Pareto of causes": sum(tally.causes.values()),
        "spoiled by step and code": sum(tally.spoiled_by.values()),
        "spoiled by causing and finding step": sum(tally.found_at.values()),
        "charged to stations or to none": sum(one.bad for one in tally.stations.values()) + tally.uncharged,
        "scrap of the steps": sum(step_quality(tally, step).scrap for step in Step),
    }
    return [f"{name}: {found}, not the {tally.remade} remade" for name, found in sums.items() if found != tally.remade]
