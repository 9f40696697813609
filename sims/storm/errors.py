"""The errors of a storm: a law that does not hold, and an option that cannot be."""

from __future__ import annotations


class StormError(Exception):
    """Something that ends a storm, or keeps it from beginning."""

    code = "storm"


class Broken(StormError):
    """A law of DESIGN.md 4 does not hold: which, and what shows it."""

    code = "storm.broken"

    def __init__(self, law: str, what: str) -> None:
        super().__init__(f"{law}: {what}")
        self.law, self.what = law, what


class StormOptionError(StormError):
    """An option of the command that cannot be: says which, and what it may be."""

    code = "storm.option"
