"""What a centre may choose about the checks; the defaults are those of DOMAIN.md 11."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class SharedNumber(enum.StrEnum):
    """Who may get a card when two people use one number (DOMAIN.md 1.5)."""

    NEITHER = "neither"
    BOTH = "both"
    FIRST_ONLY = "first_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The choices."""

    shared_number: SharedNumber = SharedNumber.FIRST_ONLY
    note_age_years: int = 110  # older than this on the day of receipt: note
    refuse_age_years: int = 130  # older than this: refuse
    scope_age_years: int = 16  # from this age on the day of application the campaign counts a person
    late_region_years: int = 40  # a region code that began more than this after the birth year: note
