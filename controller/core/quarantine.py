"""What follows from a drift signal: a held station, and another inspection for what it made since the last zero."""

from __future__ import annotations

from controller.core.quality_moves import DriftSignalled, StationHeld
from controller.core.turn import Turn

DRIFT = "drift"


def take_signals(turn: Turn) -> None:
    """Act on every signal of this turn."""
    while turn.state.drift.signals:
        signal = turn.state.drift.signals[0]
        turn.record(
            DriftSignalled(
                signal.station,
                signal.code,
                signal.cards_since_zero,
                signal.first_job_id,
                signal.first_job_floor_s,
                list(signal.sheets_since_zero),
                list(signal.in_flight),
            )
        )
        if signal.deciding and signal.station not in turn.state.station_holds:
            turn.record(StationHeld(signal.station, DRIFT))
