"""How often people do what, as shares from 0 to 1, all ours: no figure of a real centre is public."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Of one year."""

    refused: float = 0.004  # of the rows: the checks refuse them
    held: float = 0.003  # of the rows: a person decides
    held_refused: float = 0.1  # of those: they are refused
    express: float = 0.005  # of the rows
    cancelled: float = 0.001  # of the accepted: their upstream takes them back
    refused_late: float = 0.0003  # of the accepted: a person refuses them before they are made
    came_back: float = 0.0004  # of the dispatched: bad, and made again
    miscounted: float = 0.001  # of the arrivals: one card fewer is counted than was sent
    wear_loads: float = 30_000.0  # of a printer until it spoils twice as much as a new one


USUAL_RATES = Rates()
