"""Which program this is: service and worker are started at different times, and files may be exchanged in between."""

from __future__ import annotations

from controller.upkeep.books import FOLDING, digest_of_source

FORECASTING = {**FOLDING, "controller.core.line": (), "controller.forecasting": (), "controller.hosts": ("heap.py",)}


def this_worker() -> str:
    """Give the digest (64 hex digits) of the source of folds and forecasts, as its files stand now."""
    return digest_of_source(FORECASTING).hex()
