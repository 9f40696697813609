"""What an action will change, as it is now: shown before anybody confirms it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.console.actions import Action
from controller.console.console import Console
from controller.console.guard import Person
from controller.core.stock import VAULT, Account
from devices.messages import POSITIONS

Typed = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One account's change in blanks; `before` None: not told, since these blanks are counted blind."""

    account: str
    before: int | None
    change: int


@dataclass(frozen=True, slots=True)
class Preview:
    """The accounts that will change, the act that is agreed to or taken back, and further words with their values."""

    entries: tuple[Entry, ...] = ()
    act: Mapping[str, Any] | None = None
    notes: tuple[tuple[str, Mapping[str, Any]], ...] = ()


Maker = Callable[[Console, Person, Typed], Awaitable[Preview]]


async def preview_of(console: Console, person: Person, action: Action, typed: Typed) -> Preview:
    """Give what an action will change.  Raises: VerbRefused."""
    if action.act:
        return Preview(await _entries(console, person, action.act, typed))
    maker = PREVIEWS.get(action.name)
    return await maker(console, person, typed) if maker else Preview()


async def _of_act(console: Console, person: Person, typed: Typed) -> Preview:
    found = [act for act in await console.ask(person, "acts") if act["act_id"] == typed["act_id"]]
    if not found:
        return Preview(notes=(("acts.is_over", {}),))
    return Preview(await _entries(console, person, found[0]["verb"], found[0]["args"]), found[0])


async def _of_withdrawal(console: Console, person: Person, typed: Typed) -> Preview:
    found = [act for act in await console.ask(person, "acts") if act["act_id"] == typed["act_id"]]
    return Preview(act=found[0]) if found else Preview(notes=(("acts.is_over", {}),))


async def _of_load(console: Console, person: Person, typed: Typed) -> Preview:
    named = (typed["station"], typed["kind"])
    now = [one for one in await console.ask(person, "supplies") if (one["station"], one["kind"]) == named]
    return Preview(notes=tuple(("stock.load_replaces", one) for one in now))


async def _entries(console: Console, person: Person, act: str, args: Typed) -> tuple[Entry, ...]:
    """Give the entries of an act about stock for those who may see its sums; who counts blind is told none."""
    if act not in ENTRIES or not console.may(person, "stock"):
        return ()
    stock = await console.ask(person, "stock")
    source, target, blanks = ENTRIES[act](stock, args)
    if act == "destroy":
        return (Entry(source, None, -blanks), Entry(target, None, blanks))
    accounts = stock["accounts"]
    entries = [Entry(target, accounts[target], blanks)]
    return (Entry(source, accounts[source], -blanks), *entries) if source else tuple(entries)


def _bodies(source: str, target: str) -> Callable[[Any, Typed], tuple[str, str, int]]:
    def entry(stock: Any, args: Typed) -> tuple[str, str, int]:
        return source, target, int(args["sheets"]) * _places(stock, int(args["first_body"]))

    return entry


def _lost(stock: Any, args: Typed) -> tuple[str, str, int]:
    source = Account.VAULT if args["station"] == VAULT else Account.MAGAZINE
    return source, Account.MISSING, int(args["sheets"]) * _places(stock, int(args["first_body"]))


def _places(stock: Any, body: int) -> int:
    held = (one for one in stock["ranges"] if one["first_body"] <= body < one["first_body"] + one["sheets"])
    return next((int(one["places"]) for one in held), POSITIONS)


ENTRIES: Mapping[str, Callable[[Any, Typed], tuple[str, str, int]]] = {  # act -> from account, to account, blanks
    "receive": lambda stock, args: ("", Account.VAULT, int(args["sheets"]) * int(args.get("places", POSITIONS))),
    "issue": _bodies(Account.VAULT, Account.MAGAZINE),
    "return": _bodies(Account.MAGAZINE, Account.VAULT),
    "sample": _bodies(Account.VAULT, Account.SAMPLE),
    "lost": _lost,
    "lost_blank": lambda stock, args: ("", Account.MISSING, 1),  # of the spoiled or of those that came back
    "destroy": lambda stock, args: (Account.SPOILED, Account.DESTROYED, int(args["count"])),
    "destroy_returned": lambda stock, args: (Account.RETURNED, Account.DESTROYED, 1),
}
PREVIEWS: Mapping[str, Maker] = {"second": _of_act, "agree": _of_act, "withdraw": _of_withdrawal, "load": _of_load}
