"""The check of an application's issuing authority against the table of counties."""

from __future__ import annotations

from collections.abc import Iterator

from controller.application import Application
from controller.checks.characters import UNPRINTABLE, is_plain_address, kinds_of, units_of
from controller.checks.context import CheckContext
from controller.checks.finding import FINDINGS, Finding
from controller.checks.named_codes import NAME_UNITS


def check_authority(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Compare the authority with the table's entry for the county of the address, never with the number's region.

    Source: DOMAIN.md 4.2, 11.5.
    """
    known = context.authorities.get(app.address_county)
    if known is None and app.address_county:
        yield FINDINGS["authority.county_unknown"]
    if not app.authority:
        return
    is_long = len(app.authority) > NAME_UNITS or units_of(app.authority) > NAME_UNITS
    if is_long:  # even if the table has it: the chip record has no place for it
        yield FINDINGS["authority.too_long"]
    if app.authority == known:
        return
    if not is_long and not is_plain_address(app.authority) and not UNPRINTABLE.isdisjoint(kinds_of(app.authority)):
        yield FINDINGS["authority.character"]
    if known is not None:
        yield FINDINGS["authority.other_name"]
