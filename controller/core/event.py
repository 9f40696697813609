"""The base of all events, in a file of its own so that those of one room can stand apart."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened."""
