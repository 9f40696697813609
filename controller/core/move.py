"""The base of every move; the kinds stand in `moves`, `stock_moves`, `quality_moves` and others named so."""

from __future__ import annotations

import msgspec


class Move(msgspec.Struct, frozen=True, array_like=True):
    """One recorded change."""
