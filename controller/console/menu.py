"""The menu: every page, the verb that must be allowed for it to be seen, and the page each role begins with."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from controller import rights


class Entry(NamedTuple):
    """One page of the menu; `menu.<key>` are its words."""

    key: str
    path: str
    verb: str  # reading, whose right decides who sees the page; empty: everybody who is logged in


MENU = (
    Entry("floor", "/floor", "stations"),
    Entry("alarms", "/alarms", "alarms"),
    Entry("stations", "/stations", "stations"),
    Entry("batches", "/batches", "batches"),
    Entry("forecast", "/forecast", "forecast"),
    Entry("review", "/review", "review"),
    Entry("quality", "/quality", "report"),
    Entry("reports", "/reports", "report"),
    Entry("stock", "/stock", "shift"),
    Entry("acts", "/acts", "acts"),
    Entry("packing", "/packing", "consignments"),
    Entry("campaign", "/campaign", "campaign"),
    Entry("audit", "/audit", "audit"),
    Entry("settings", "/settings", "settings"),
    Entry("rights", "/rights", "rights"),
)
HOMES = (  # the first role that somebody has decides
    (rights.SUPERVISOR, "/floor"),
    (rights.STOCK_KEEPER, "/stock"),
    (rights.QUALITY, "/quality"),
    (rights.AUDITOR, "/audit"),
    (rights.ADMINISTRATOR, "/rights"),
    (rights.OPERATOR, "/stations"),
)


def menu_of(roles: Set[str]) -> list[Entry]:
    """Give the entries that somebody with these roles sees."""
    return [entry for entry in MENU if not entry.verb or rights.may(roles, entry.verb)]


def home_of(roles: Set[str]) -> str:
    """Give the page somebody begins with, `/account` for whoever has no role."""
    return next((path for role, path in HOMES if role in roles), "/account")
