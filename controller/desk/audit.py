"""The verb of the audit: who did what and when, a page at a time, and where the chain stands."""

from __future__ import annotations

from typing import Any

import trio

from controller.audit.groups import GROUPS, PEOPLE
from controller.audit.history import History
from controller.audit.words import people_of, sentences_of
from controller.core.record_moves import TablesFolded
from controller.desk.desk import Args, BadArgument, Desk, Verb
from controller.ledger.journal import TAGS
from controller.trace.moves import Told

PAGE_MAX, DAYS_SHOWN = 200, 7
MAX_NAME = 32
FLOOR_S_MAX = 1e11


async def _audit(desk: Desk, user: str, args: Args) -> Any:
    group, by = args.get("group", PEOPLE), args.get("by", "")
    if not isinstance(group, str) or group not in GROUPS:
        raise BadArgument("group", f"one of {', '.join(GROUPS)}")
    if not isinstance(by, str) or len(by) > MAX_NAME:
        raise BadArgument("by", f"the name of a person, at most {MAX_NAME} characters")
    limit, before = _whole(args, "limit", PAGE_MAX), _whole(args, "before", 0)
    if not 1 <= limit <= PAGE_MAX:
        raise BadArgument("limit", f"1 to {PAGE_MAX}")
    until = args.get("until_floor_s", None)
    if until is not None and (type(until) not in (int, float) or not 0 <= until <= FLOOR_S_MAX):
        raise BadArgument("until_floor_s", "a floor time in seconds")
    return await trio.to_thread.run_sync(_read, desk, (before, group, by, limit), until)


def _read(desk: Desk, asked: tuple[int, str, str, int], until_floor_s: float | None) -> dict[str, Any]:
    history, (before, group, by, limit) = History(desk.ledger.reading), asked
    if until_floor_s is not None and not before:
        before = history.number_after(until_floor_s)
    head = history.head()
    told, older = history.page(before, group, by, limit)
    return {
        "head": {"seq": head.seq, "hash": head.hash.hex()},
        "days": [
            {"day": one.move.day, "seq": one.seq, "hash": chain.hex()}
            for one, chain in history.days(DAYS_SHOWN)
            if isinstance(one.move, TablesFolded)
        ],
        "rows": list(map(_row, told)),
        "older": older,
    }


def _row(told: Told) -> dict[str, Any]:
    english, chinese = sentences_of(told.move)
    return {
        "seq": told.seq,
        "at_floor_s": told.at_floor_s,
        "tag": TAGS[type(told.move)],
        "people": people_of(told.move),
        "sentence_en": english,
        "sentence_zh": chinese,
    }


def _whole(args: Args, name: str, otherwise: int) -> int:
    value = args.get(name, otherwise)
    if type(value) is not int or not 0 <= value < 2**53:
        raise BadArgument(name, "a whole number")
    return value


VERBS: dict[str, Verb] = {"audit": _audit}
