"""How a station's chart of defects stood in a stretch of time, folded from the ledger by the watch itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Engine

from controller.core.drift import FOLDS, DriftWatch
from controller.core.quality_moves import StationReleased
from controller.core.settings import DriftConfig
from controller.trace.moves import MoveReader

WALK_MOVES = 100_000  # looked through at most: some days of a floor that makes 4.5 million cards a year
LEAD_S = 6 * 3_600.0  # before the stretch: sheets that were under way then, and where the chart stood


class DriftPoint(NamedTuple):
    """A chart's points after a sheet was counted."""

    at_floor_s: float
    score: int


@dataclass(slots=True)
class DriftCurve:
    """A chart in a stretch: `cards` were counted in it; `signals` and `releases` are times in floor seconds."""

    from_floor_s: float
    to_floor_s: float
    limit: int
    points: list[DriftPoint] = field(default_factory=list)
    signals: list[float] = field(default_factory=list)
    releases: list[float] = field(default_factory=list)
    cards: int = 0


def drift_curve(
    engine: Engine,
    station: str,
    config: DriftConfig,
    from_floor_s: float,
    to_floor_s: float,
    walk_moves: int = WALK_MOVES,
) -> DriftCurve:
    """Give a station's chart in [from, to), or of the last `walk_moves` moves of it.

    It is folded from `LEAD_S` before, from zero: from the first zero on it is the chart that decides.
    Cost: 25 to 55 us for each move of sheets (measured), for a worker thread.  Raises: LedgerDamaged.
    """
    reader, watch = MoveReader(engine), DriftWatch(config)
    end = reader.first_at(to_floor_s)
    first = max(reader.first_at(from_floor_s - LEAD_S), end - walk_moves)
    curve = DriftCurve(max(from_floor_s, reader.at_of(first)), to_floor_s, config.points(config.threshold))
    counted = 0
    for told in reader.forward(first, end, tuple(FOLDS)):
        signals = watch.fold(told.at_floor_s, told.move)
        chart = watch.charts.get(station)
        is_shown = told.at_floor_s >= curve.from_floor_s
        if is_shown and any(one.station == station and one.deciding for one in signals):
            curve.signals.append(told.at_floor_s)
            curve.points.append(DriftPoint(told.at_floor_s, curve.limit))
        if is_shown and isinstance(told.move, StationReleased) and told.move.station == station:
            curve.releases.append(told.at_floor_s)
        if chart is not None and chart.cards != counted:
            if is_shown:
                curve.cards += chart.cards - counted
                curve.points.append(DriftPoint(told.at_floor_s, chart.score))
            counted = chart.cards
    return curve
