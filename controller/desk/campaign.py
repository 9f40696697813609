"""Verbs of the campaign: how far each unit is, and who may work where."""

from __future__ import annotations

from typing import Any

from controller.campaign.plan import MONTH
from controller.campaign.report import build_campaign
from controller.checks.shipped import load_tables
from controller.clock import floor_date
from controller.core.campaign import month_of
from controller.desk.desk import Args, BadArgument, Desk, Verb


async def _campaign(desk: Desk, user: str, args: Args) -> Any:
    this_month = month_of(desk.clock.now_floor_s())
    last = _month(args, "to", max(this_month, _month(args, "from", this_month)))
    first = _month(args, "from", last if "to" in args else this_month)
    if first > last:
        raise BadArgument("from", "a month not after `to`")
    return build_campaign(desk.campaign, desk.plan, first, last, this_month, county_name)


def _month(args: Args, name: str, default: str) -> str:
    value = args.get(name, default)
    if not isinstance(value, str) or not MONTH.fullmatch(value):
        raise BadArgument(name, "a month like 2026-03")
    return value


def county_name(county: str) -> str:
    """Give the name of a county's code, empty for one that no table has."""
    region = load_tables().regions.by_code.get(county)
    return region.name if region else ""


async def _posts(desk: Desk, user: str, args: Args) -> Any:
    today = floor_date(desk.clock.now_floor_s())
    return {
        "asked_for": desk.posts.asked_for,
        "today": today,
        "certificates": desk.posts.listing(today),
        "error": desk.posts.fault(),
    }


VERBS: dict[str, Verb] = {
    "campaign": _campaign,
    "posts": _posts,
}
