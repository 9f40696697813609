"""What people can do in the console: each action's verb, what it asks for, and where it leads back to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.core.acts import FINDINGS, OPTIONAL, arguments_of
from controller.core.cases import RETURN_CODES
from controller.desk.desk import MAX_REASON
from controller.rights import ACT_RIGHTS, ACT_VERBS
from devices.peers import ROLES

NUMBER, TEXT, CHOICE = "number", "text", "choice"
CHOICES = {"role": ROLES, "finding": tuple(FINDINGS)}  # arguments of acts of which there are a few


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing an action asks for; `field.<name>` are its words, `choice.<value>` those of what can be chosen."""

    name: str
    kind: str = TEXT
    choices: tuple[str, ...] = ()
    longest: int = MAX_REASON
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do; `action.<name>` are its words, `effect.<name>` says what it will change."""

    name: str
    verb: str
    asked: tuple[Asked, ...] = ()
    back: str = "/"  # may hold {names} of what was asked
    act: str = ""  # the two-person act it proposes
    fixed: tuple[tuple[str, str | int | bool], ...] = ()  # further arguments of the verb
    view: str = ""  # a live view whose page shows what the action changes
    goes_on: bool = False  # once it is done `back` opens at once: there is more of the same to do

    def args(self, typed: Mapping[str, str | int]) -> dict[str, Any]:
        """Give the verb's arguments."""
        named = {one.name: typed[one.name] for one in self.asked if one.name in typed}
        return {"verb": self.act, "args": named} if self.act else {**named, **dict(self.fixed)}


def act_action(act: str) -> Action:
    """Give the action that proposes an act, with the arguments the act has."""
    optional = OPTIONAL.get(act, {})
    asked = tuple(_asked(name, kind, name in optional) for name, kind in arguments_of(act).items())
    return Action(f"act-{act}", ACT_VERBS[0], asked, "/acts", act)


def _asked(name: str, kind: type, is_optional: bool) -> Asked:
    if name in CHOICES:
        return Asked(name, CHOICE, CHOICES[name], is_optional=is_optional)
    return Asked(name, NUMBER if kind is int else TEXT, is_optional=is_optional)


STATION, CODE = Asked("station", longest=64), Asked("code", longest=32)
CARD, REASON, BATCH = Asked("card", NUMBER), Asked("reason"), Asked("batch_number", longest=64)
NEXT_CASE = "/review/after/{card}"
ON_CARDS = (
    Action("hold-card", "hold_card", (CARD, CODE), "/cards/{card}"),
    Action("release-card", "release_card", (CARD,), "/cards/{card}"),
    Action("express", "express", (CARD, REASON), "/cards/{card}"),
    Action("hold-batch", "hold_batch", (BATCH, CODE), "/batches/{batch_number}"),
    Action("release-batch", "release_batch", (BATCH,), "/batches/{batch_number}"),
    Action("release-held", "decide", (CARD, REASON), NEXT_CASE, fixed=(("decision", "release"),), goes_on=True),
    Action("refuse-held", "decide", (CARD, REASON), NEXT_CASE, fixed=(("decision", "refuse"),), goes_on=True),
    Action("override", ACT_VERBS[0], (CARD, REASON), NEXT_CASE, "override", goes_on=True),
    Action("agree", "second", (Asked("act_id", NUMBER), CARD), NEXT_CASE, goes_on=True),
)
CONSIGNMENT, RETURN_CODE = Asked("consignment_id", NUMBER), Asked("code", CHOICE, tuple(RETURN_CODES))
HOLD_REASONS = ("maintenance", "cleaning", "quality", "jam", "no_operator", "other")
STATION_BACK = "/stations/{station}"
ON_STATIONS = (
    Action("hold-station", "hold", (STATION, Asked("code", CHOICE, HOLD_REASONS)), STATION_BACK),
    Action("hold-station-as", "hold", (STATION, CODE), STATION_BACK),
    Action("release-station", "release", (STATION,), STATION_BACK),
    Action("sign-on", "sign_on", (STATION,), STATION_BACK),
    Action("sign-off", "sign_on", (STATION,), STATION_BACK, fixed=(("operator", ""),)),
)
ACTIONS: Mapping[str, Action] = {
    one.name: one
    for one in (
        *ON_STATIONS,
        Action("acknowledge", "acknowledge", (Asked("key", longest=128),), "/alarms"),
        # stock and packing
        Action("count", "count", (Asked("place", longest=32), Asked("counted", NUMBER)), "/stock/shift"),
        Action("load", "load", (STATION, Asked("kind"), Asked("lot", longest=64), Asked("units", NUMBER)), "/stock"),
        Action("dispatch", "dispatch", (Asked("batch_number", longest=64),), "/packing"),
        Action("arrived", "arrived", (CONSIGNMENT, Asked("unit", longest=32), Asked("cards", NUMBER)), "/packing"),
        Action("card_back", "card_back", (Asked("acceptance_number", longest=64), RETURN_CODE), "/packing"),
        Action("second", "second", (Asked("act_id", NUMBER),), "/acts"),
        Action("withdraw", "withdraw", (Asked("act_id", NUMBER),), "/acts"),
        *map(act_action, ACT_RIGHTS),
        *ON_CARDS,
    )
}
