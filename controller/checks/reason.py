"""Why the card is asked for, how fast, and what was paid: our tables (DOMAIN.md 11.6) and their checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from controller.application import Application
from controller.checks.context import CheckContext
from controller.checks.days import age_years, is_day
from controller.checks.finding import FINDINGS, Finding
from controller.checks.validity import birth_of

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "11": "first, under 16",
        "12": "first, from 16",
        "13": "settled from Hong Kong, Macau or Taiwan",
        "14": "returned from overseas",
        "15": "naturalised",
        "16": "other first",
        "21": "renewal at expiry",
        "22": "changed record",
        "31": "damaged",
        "41": "lost",
    }
)
REPLACEMENTS = frozenset({"21", "22", "31", "41"})  # reasons for another card of one who had one
PRODUCTION_TYPES: Mapping[str, str] = MappingProxyType({"1": "normal", "2": "express"})
FEE_CLASSES = frozenset({"standard", "loss", "reduced", "exempt", "free_first"})
FREE_FIRST_FROM = "20180401"  # the fee for these first applications is not collected from this day (DOMAIN.md 8)
FREE_FIRST_REASONS = frozenset({"11", "12", "13", "14", "15", "16"})
LOSS_REASONS = frozenset({"31", "41"})  # 40 yuan; reductions are for first application and renewal only
ADULT_YEARS = 16


def fitting_fees(reason: str, signed: str) -> frozenset[str]:
    """Give the fee classes that fit a known reason on the signing day `YYYYMMDD`.

    Reason 16 is not among the five cases that are free, yet centres count it as a first: both classes fit.
    """
    if reason in LOSS_REASONS:
        return frozenset({"loss"})
    if reason not in FREE_FIRST_REASONS or signed < FREE_FIRST_FROM:
        return frozenset({"standard", "reduced", "exempt"})
    fees = frozenset({"free_first", "reduced", "exempt"})
    return fees | {"standard"} if reason == "16" else fees


def check_reason(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find an unknown reason, and a first application under 16 or from 16 that does not fit the signing day."""
    if not app.reason:
        return
    if app.reason not in REASONS:
        yield FINDINGS["reason.unknown"]
        return
    birth = birth_of(app)
    if app.reason in ("11", "12") and birth and is_day(app.valid_from):
        is_adult = age_years(birth, app.valid_from) >= ADULT_YEARS
        if is_adult != (app.reason == "12"):
            yield FINDINGS["reason.age"]


def check_production_type(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find an unknown production type."""
    if app.production_type and app.production_type not in PRODUCTION_TYPES:
        yield FINDINGS["reason.production_type"]


def check_fee_class(app: Application, context: CheckContext) -> Iterator[Finding]:
    """Find an unknown fee class, and one that does not fit the reason."""
    if not app.fee_class:
        return
    if app.fee_class not in FEE_CLASSES:
        yield FINDINGS["reason.fee_class"]
    elif (
        app.reason in REASONS
        and is_day(app.valid_from)
        and app.fee_class not in fitting_fees(app.reason, app.valid_from)
    ):
        yield FINDINGS["reason.fee_mismatch"]
