"""The base of every move; the kinds stand in `moves` (cards, sheets, packing), `stock_moves` and `quality_moves`."""

from __future__ import annotations

import msgspec


class Move(msgspec.Struct, frozen=True, array_like=True):
    """One recorded change."""
