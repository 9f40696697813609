"""What a mutant is: a name, a sentence, and which functions or entries of tables it replaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Make = Callable[[Any], Any]  # the right one -> the wrong one
Patch = tuple[Any, Any, Make]  # an owner (module, class or table), the name or key in it, how it is made wrong


@dataclass(frozen=True, slots=True)
class Mutant:
    """One deliberate bug."""

    name: str
    what: str
    patches: tuple[Patch, ...]


def always(value: Any) -> Make:
    """Give a patch that puts a value in the place of whatever was there."""
    return lambda right: value
