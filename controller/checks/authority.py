"""The issuing authorities by county, and the check of an application's authority against them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from controller.application import Application
from controller.checks.characters import ADDRESS_TEXT, REFUSED_IN_ADDRESS, kinds_of, units_of
from controller.checks.context import CheckContext
from controller.checks.days import are_digits
from controller.checks.errors import TableError
from controller.checks.finding import FINDINGS, Finding

MAX_UNITS = 15  # places of the chip record (GA 490, DOMAIN.md 2.2)


def read_authorities(text: str) -> Mapping[str, str]:
    """Give county code -> authority from a CSV `code,name`.

    Raises: TableError: a column is missing, a code is not six digits or stands twice, a name is empty or too long.
    """
    names: dict[str, str] = {}
    for line, row in enumerate(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))), start=2):
        code, name = row.get("code") or "", row.get("name") or ""
        if not are_digits(code, 6) or code in names:
            raise TableError("authorities", line, "a column code with six digits, each county once")
        if not name or units_of(name) > MAX_UNITS:
            raise TableError("authorities", line, f"a column name with 1 to {MAX_UNITS} places")
        names[code] = name
    if not names:
        raise TableError("authorities", 1, "the columns code,name and at least one county")
    return MappingProxyType(names)


def check_authority(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Compare the authority with the table's entry for the county of the address, never with the number's region.

    Source: DOMAIN.md 4.2, 11.5.
    """
    known = context.authorities.get(app.address_county)
    if known is None and app.address_county:
        yield FINDINGS["authority.county_unknown"]
    if app.authority == known or not app.authority:
        return
    if units_of(app.authority) > MAX_UNITS:
        yield FINDINGS["authority.too_long"]
    if not ADDRESS_TEXT(app.authority) and not REFUSED_IN_ADDRESS.isdisjoint(kinds_of(app.authority)):
        yield FINDINGS["authority.character"]
    if known is not None:
        yield FINDINGS["authority.other_name"]
