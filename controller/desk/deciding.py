"""Verbs by which one person decides, or two act."""

from __future__ import annotations

from typing import Any

from controller.core.events import ActAsked, ActSeconded, DecisionMade
from controller.desk.desk import MAX_REASON, Args, BadArgument, Desk, Verb, number, text
from controller.desk.stock import alarm


async def _decide(desk: Desk, user: str, args: Args) -> Any:
    reason = text(args, "reason", MAX_REASON)
    event = DecisionMade(number(args, "card"), text(args, "decision", 32), user, reason)
    return await desk.post(event).wait()


async def _act(desk: Desk, user: str, args: Args) -> Any:
    wanted = args.get("args")
    if not isinstance(wanted, dict) or len(wanted) > 16:
        raise BadArgument("args", "the act's own arguments, by name")
    for name, value in wanted.items():
        if not isinstance(name, str) or type(value) not in (int, str) or len(str(value)) > MAX_REASON:
            raise BadArgument(f"args.{str(name)[:32]}", f"a whole number, or a text of at most {MAX_REASON} characters")
    return await desk.post(ActAsked(text(args, "verb", 32), wanted, user)).wait()


async def _second(desk: Desk, user: str, args: Args) -> Any:
    turn = await desk.post(ActSeconded(number(args, "act_id"), user)).wait()
    for move in turn.moves:
        alarm(move)
    return turn


VERBS: dict[str, Verb] = {
    "decide": _decide,
    "act": _act,
    "second": _second,
}
