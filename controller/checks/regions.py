"""The region codes of GB/T 2260, current and abolished, with the years they were in force."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import msgspec

from controller.checks.days import are_digits
from controller.checks.errors import TableError

LEVELS = ("province", "prefecture", "county", "placeholder")
ALWAYS = 0  # first year of a code whose beginning is not known
STILL = 9_999  # last year of a code in force, or whose end is not known
# Prefecture cities without counties: their codes stand in numbers like a county's (DOMAIN.md 1.4).
CITIES_WITHOUT_COUNTIES = frozenset({"441900", "442000", "460400", "620200"})
# Hong Kong, Macau and Taiwan residence permits, layout J of the chip record.
PERMIT_CODES = frozenset({"810000", "820000", "830000"})


class Region(msgspec.Struct, frozen=True):
    """One code: its level, newest name, and the first and last year it was in force."""

    level: str
    name: str
    first_year: int
    last_year: int


class Regions(msgspec.Struct, frozen=True):
    """All codes by their six digits."""

    by_code: Mapping[str, Region]

    @classmethod
    def from_csv(cls, text: str) -> Regions:
        """Read `code,level,name,other_names,first_rev,last_rev,start_year,end_year,status,src`.

        Raises: TableError: no such column, a code that is not six digits, an unknown level, a year not a number.
        """
        by_code: dict[str, Region] = {}
        rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
        for line, row in enumerate(rows, start=2):
            try:
                code, region = row["code"], _region(row)
            except (KeyError, ValueError, TypeError) as error:
                raise TableError("regions", line, "code, level, name, revisions and years") from error
            if not are_digits(code, 6) or region.level not in LEVELS:
                raise TableError("regions", line, "six digits and a known level")
            by_code[code] = region
        if not by_code:
            raise TableError("regions", 1, "at least one code")
        return cls(by_code)


def _region(row: Mapping[str, str]) -> Region:
    """Merge the two sources of years: the wider span counts, so that a doubt is never a note (DOMAIN.md 11.3)."""
    starts = [int(row["start_year"] or STILL), int(row["first_rev"][:4] or STILL)]
    ends = [int(row["end_year"] or ALWAYS), int(row["last_rev"][:4] or ALWAYS)]
    first, last = min(starts), max(ends)
    if row["first_rev"] == "198012" or first == STILL:  # 1980 is where the oldest source begins
        first = ALWAYS
    if row["status"] == "current" or last == ALWAYS:
        last = STILL
    return Region(row["level"], row["name"], first, last)
