"""The frame of an application: required fields, acceptance number, delivery unit, card kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from controller.application import ACCEPTANCE_DIGITS, Application
from controller.checks.context import CheckContext
from controller.checks.days import are_digits, is_day
from controller.checks.finding import FINDINGS, Finding

CARD_KINDS: Mapping[str, str] = MappingProxyType({"second": "second generation", "first": "first generation"})
UNIT_DIGITS = 9  # region 6 + police station 3
_REQUIRED = tuple((name, FINDINGS[f"missing.{name}"]) for name in Application.__struct_fields__ if name != "portrait")


def check_required(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find each empty text: all are required (DOMAIN.md 11.4); the portrait has its own check."""
    for name, finding in _REQUIRED:
        if not getattr(app, name):
            yield finding


def check_card_kind(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find an unknown card kind, and one that is not the batch's: the batch's is what would be made."""
    if app.card_kind and app.card_kind not in CARD_KINDS:
        yield FINDINGS["card_kind.unknown"]
    elif app.card_kind and context.card_kind and app.card_kind != context.card_kind:
        yield FINDINGS["card_kind.other"]


def check_acceptance_number(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find an acceptance number that is not region 6 + station 3 + date 8 + sequence 5, counted from 00001.

    A county of the authorities table counts as a region, so that a county newer than the region table is no fault.
    Source: GA 214.4-2004 (DOMAIN.md 5.5).
    """
    number = app.acceptance_number
    if not number:
        return
    if not are_digits(number, ACCEPTANCE_DIGITS):
        yield FINDINGS["acceptance.form"]
        return
    if number[:6] not in context.regions.by_code and number[:6] not in context.authorities:
        yield FINDINGS["acceptance.region"]
    if not is_day(number[9:17]) or number[9:17] > context.today:
        yield FINDINGS["acceptance.date"]
    if number[17:] == "00000":
        yield FINDINGS["acceptance.sequence"]


def check_unit(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find a delivery unit that is not nine digits, or not the place that accepted (DOMAIN.md 11.11)."""
    if not app.unit:
        return
    if not are_digits(app.unit, UNIT_DIGITS):
        yield FINDINGS["unit.form"]
    elif are_digits(app.acceptance_number, ACCEPTANCE_DIGITS) and app.unit != app.acceptance_number[:UNIT_DIGITS]:
        yield FINDINGS["unit.other_place"]
