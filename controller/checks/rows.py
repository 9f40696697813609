"""The checks of one application: one list of pure functions, and what is made of an application that passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from controller.application import Application
from controller.checks.authority import check_authority
from controller.checks.context import CheckContext
from controller.checks.ethnic import ALIASES, check_ethnic
from controller.checks.finding import Finding
from controller.checks.names import check_address, check_name
from controller.checks.number import (
    check_birth,
    check_number_date,
    check_number_form,
    check_number_region,
    check_sex,
)
from controller.checks.portrait import check_portrait
from controller.checks.reason import check_fee_class, check_production_type, check_reason
from controller.checks.structure import check_acceptance_number, check_card_kind, check_required, check_unit
from controller.checks.validity import check_valid_from, check_valid_until

Check = Callable[[Application, CheckContext], Iterable[Finding]]

TEXT_CHECKS: tuple[Check, ...] = (
    check_required,
    check_acceptance_number,
    check_card_kind,
    check_number_form,
    check_number_date,
    check_number_region,
    check_sex,
    check_birth,
    check_ethnic,
    check_name,
    check_address,
    check_authority,
    check_valid_from,
    check_valid_until,
    check_reason,
    check_production_type,
    check_fee_class,
    check_unit,
)
CHECKS: tuple[Check, ...] = (*TEXT_CHECKS, check_portrait)


def check_application(app: Application, context: CheckContext) -> list[Finding]:
    """Give everything the fields of one application show, each code once, in the order of CHECKS.

    Duplicates need the whole batch (`duplicates.check_duplicates`), the picture itself a decode (`pixels`).
    """
    return [finding for check in CHECKS for finding in check(app, context)]


def check_texts(app: Application, context: CheckContext) -> list[Finding]:
    """Give the same for the texts alone, for one who looks at the portrait apart (`portrait.portrait_findings`)."""
    return [finding for check in TEXT_CHECKS for finding in check(app, context)]


def normalised(app: Application) -> Application:
    """Give the application as it is made: x as X, ethnic 57 and 58 as 97 and 98; a note names each of these.

    The form that was sent stays with the application as received.
    """
    number, ethnic = app.identity_number, ALIASES.get(app.ethnic, app.ethnic)
    if number.endswith("x"):
        number = number[:-1] + "X"
    if number == app.identity_number and ethnic == app.ethnic:
        return app
    return msgspec.structs.replace(app, identity_number=number, ethnic=ethnic)
