"""The campaign's periodic report: units against the plan, ranked; capture accuracy; fee classes that must add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from controller.campaign.plan import COUNTY_DIGITS, Plan, Target
from controller.core.campaign import ALWAYS, FEE_GROUPS, UNKNOWN, Campaign, Counts, month_before

FLOWS = ("opening", "accepted", "dispatched", "cancelled", "refused_late", "open")


def build_campaign(
    campaign: Campaign, plan: Plan, first_month: str, last_month: str, this_month: str, name_of: Callable[[str], str]
) -> dict[str, Any]:
    """Give the report of months `YYYY-MM`, both included; counts are integers, shares percent with two decimals.

    A unit's completion is that of its own months in the plan, up to and with `last_month`.  Fee classes satisfy, by
    class: opening + accepted = dispatched + cancelled + refused_late + open; where the period reaches the present,
    `open` must besides equal the open cases counted one by one (`fees_balance`).

    Args:
        this_month: the floor's.
        name_of: a county's code -> its name.
    """
    period = (first_month, last_month)
    targets = plan.within(*period)
    rows = [_planned(campaign, plan, target, period, name_of) for target in targets]
    rows.sort(key=lambda row: (-row["completed_percent"], row["unit"]))
    for place, row in enumerate(rows):
        is_tied = place and rows[place - 1]["completed_percent"] == row["completed_percent"]
        row["rank"] = rows[place - 1]["rank"] if is_tied else place + 1
    fees, balance = _fees(campaign, period, this_month)
    return {
        "from": first_month,
        "to": last_month,
        "scope_age": plan.scope_age,
        "acceptance_percent": plan.acceptance_percent,
        "total": _total(campaign, plan, targets, rows, period),
        "units": rows,
        "unplanned": list(_unplanned(campaign, targets, period, name_of)),
        "fees": fees,
        "fee_groups": _by_group(fees),
        "fees_balance": balance,
    }


# ---- units ----------------------------------------------------------------------------------------------------


def _planned(
    campaign: Campaign, plan: Plan, target: Target, period: tuple[str, str], name_of: Callable[[str], str]
) -> dict[str, Any]:
    completed = _completed(campaign, target, period[1])
    return {
        "rank": 0,
        "unit": target.unit,
        "name": name_of(target.unit[:COUNTY_DIGITS]),
        "year": target.year,
        "from": target.first_month,
        "to": target.last_month,
        "target": target.cards,
        **_against(completed, target.cards, plan),
        **_capture(campaign.between(*period, target.unit)),
    }


def _unplanned(
    campaign: Campaign, targets: Iterable[Target], period: tuple[str, str], name_of: Callable[[str], str]
) -> Iterable[dict[str, Any]]:
    """Give the counties that brought something in the period, and have no target in it."""
    planned = {target.unit[:COUNTY_DIGITS] for target in targets}
    for county in campaign.counties():
        counts = campaign.between(*period, county)
        if county not in planned and county and (counts.received or counts.completed):
            yield {"unit": county, "name": name_of(county), **_capture(counts)}


def _total(
    campaign: Campaign, plan: Plan, targets: list[Target], rows: list[dict[str, Any]], period: tuple[str, str]
) -> dict[str, Any]:
    """Give the whole; a township's target that is part of its county's is not added to it."""
    whole = [target for target in targets if not any(_is_part(target, other) for other in targets)]
    completed = sum(_completed(campaign, target, period[1]) for target in whole)
    wanted = sum(target.cards for target in whole)
    everything = campaign.between(*period)
    return {
        "units": len(rows),
        "units_complete": sum(row["complete"] for row in rows),
        "target": wanted,
        **_against(completed, wanted, plan),
        "refused": everything.refused,
        **_capture(everything),
    }


def _is_part(target: Target, other: Target) -> bool:
    is_inside = len(other.unit) < len(target.unit) and target.unit.startswith(other.unit)
    return is_inside and other.overlaps(target.first_month, target.last_month)


def _completed(campaign: Campaign, target: Target, last_month: str) -> int:
    return campaign.completed(target.first_month, min(target.last_month, last_month), target.unit)


def _against(completed: int, target: int, plan: Plan) -> dict[str, Any]:
    """Give how far a number of cards is; the line is drawn by the counts, not by the rounded percent."""
    return {
        "completed": completed,
        "completed_percent": round(100 * completed / target, 2) if target else 0.0,
        "complete": bool(target) and 100 * completed >= plan.acceptance_percent * target,
    }


def _capture(counts: Counts) -> dict[str, Any]:
    return {
        "completed_in_period": counts.completed,
        "received": counts.received,
        "photo_faults": counts.photo_faults,
        "data_faults": counts.data_faults,
        "capture_accuracy_percent": round(100 * counts.capture_accuracy(), 2),
    }


# ---- fees -----------------------------------------------------------------------------------------------------


def _fees(campaign: Campaign, period: tuple[str, str], this_month: str) -> tuple[list[dict[str, Any]], bool]:
    beginning = campaign.between(ALWAYS[0], month_before(period[0]))
    during, so_far = campaign.between(*period), campaign.between(ALWAYS[0], period[1])
    counted = campaign.open_by_fee_class()
    known = [one for one in (*FEE_GROUPS, UNKNOWN) if one != UNKNOWN or so_far.accepted[UNKNOWN]]
    rows: list[dict[str, Any]] = [
        {
            "fee_class": fee_class,
            "group": FEE_GROUPS.get(fee_class, UNKNOWN),
            "opening": beginning.open(fee_class),
            "accepted": during.accepted[fee_class],
            "dispatched": during.dispatched[fee_class],
            "cancelled": during.cancelled[fee_class],
            "refused_late": during.refused_late[fee_class],
            "open": so_far.open(fee_class),
        }
        for fee_class in known
    ]
    reaches_now = period[1] >= this_month
    balance = all(
        row["opening"] + row["accepted"] == row["dispatched"] + row["cancelled"] + row["refused_late"] + row["open"]
        and (not reaches_now or row["open"] == counted[row["fee_class"]])
        for row in rows
    )
    return rows, balance and (not reaches_now or set(counted) <= set(known))


def _by_group(fees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    groups = dict.fromkeys(row["group"] for row in fees)
    return [
        {"group": group, **{flow: sum(row[flow] for row in fees if row["group"] == group) for flow in FLOWS}}
        for group in groups
    ]
