"""The errors of the core: each is a broken invariant, and the end of the service that meets it."""

from __future__ import annotations


class CoreError(Exception):
    """Something that cannot be has been.  `code` is stable."""

    code = "core"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")


class Unbalanced(CoreError):
    """A blank would have been in two accounts, or in none (law 2)."""

    code = "stock.unbalanced"


class NoPosition(CoreError):
    """A move marks none of a sheet's eight positions, or others than these."""

    code = "core.no_position"


class UnknownThing(CoreError):
    """A move names a thing that is not on the floor."""

    code = "core.unknown"
