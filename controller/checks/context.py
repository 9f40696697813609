"""What a check may know besides the application: the day, the tables, the font, the centre's choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from controller.checks.policy import Policy
from controller.checks.regions import Regions
from controller.checks.shipped import load_tables


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Everything the checks are given.

    `today`: the day the batch was received, `YYYYMMDD`, a real day.  `ethnic`: code -> printed name.
    `authorities`: county code -> issuing authority.  `glyphs`: says whether the print font has a code point.
    `card_kind`: the batch's, empty when no batch is known.
    """

    today: str
    regions: Regions
    ethnic: Mapping[str, str]
    authorities: Mapping[str, str]
    glyphs: Callable[[int], bool]
    policy: Policy = field(default_factory=Policy)
    card_kind: str = ""

    def on(self, today: str, card_kind: str = "") -> CheckContext:
        """Give the same context on another day, for a batch of a kind: one context a batch."""
        return replace(self, today=today, card_kind=card_kind)


def load_context(
    today: str,
    glyphs: Callable[[int], bool],
    *,
    authorities: Mapping[str, str] | None = None,
    policy: Policy | None = None,
) -> CheckContext:
    """Give a context with the shipped tables; a centre passes its own authorities (`named_codes.read_authorities`)."""
    tables = load_tables()
    chosen = tables.authorities if authorities is None else authorities
    return CheckContext(today, tables.regions, tables.ethnic, chosen, glyphs, policy or Policy())
