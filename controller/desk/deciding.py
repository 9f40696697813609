"""Verbs by which one person decides, or two act."""

from __future__ import annotations

from typing import Any

from controller.core.acts import ACTS, arguments_of, malformed
from controller.core.cards import Decision
from controller.core.events import ActAsked, ActSeconded, ActWithdrawn, DecisionMade
from controller.core.moves import CardDecided
from controller.core.turn import Refused, Turn
from controller.desk.desk import MAX_REASON, Args, BadArgument, Desk, Verb, number, text
from controller.desk.many import each_card, reason_of
from controller.desk.stock import alarm

DECISIONS = tuple(one.value for one in Decision if one is not Decision.CORRECT)  # that one is its upstream's


async def _decide(desk: Desk, user: str, args: Args) -> Any:
    reason, decision = reason_of(args), text(args, "decision", 32)
    if decision not in DECISIONS:
        raise BadArgument("decision", f"one of {', '.join(DECISIONS)}")
    turn = await each_card(desk, user, "decide", args, lambda card: DecisionMade(card, decision, user, reason))
    if not isinstance(turn, Turn):
        return turn
    made = next((move for move in turn.moves if isinstance(move, CardDecided)), None)
    return turn if made is None else {"decision": str(made.decision)}  # what was recorded, where it is another


async def _act(desk: Desk, user: str, args: Args) -> Any:
    wanted = args.get("args")
    if not isinstance(wanted, dict) or len(wanted) > 16:
        raise BadArgument("args", "the act's own arguments, by name")
    for name, value in wanted.items():
        if not isinstance(name, str) or type(value) not in (int, str) or len(str(value)) > MAX_REASON:
            raise BadArgument(f"args.{str(name)[:32]}", f"a whole number, or a text of at most {MAX_REASON} characters")
    verb = text(args, "verb", 32)
    if verb in ACTS:
        _require_known(verb, wanted)
    why = malformed(verb, wanted)
    if why:  # the foreman would refuse it too, but the journal keeps whole whatever is posted
        return Refused(*why)
    return await desk.post(ActAsked(verb, wanted, user)).wait()


def _require_known(verb: str, wanted: dict[str, Any]) -> None:
    """Refuse an argument the act does not have: it is a slip of the pen, and must not be passed over in silence."""
    known = arguments_of(verb)
    for name in wanted:
        if name not in known:
            takes = ", ".join(known) or "no arguments"
            raise BadArgument(f"args.{name[:32]}", f"an argument it has: {verb} takes {takes}")


async def _second(desk: Desk, user: str, args: Args) -> Any:
    turn = await desk.post(ActSeconded(number(args, "act_id"), user)).wait()
    for move in turn.moves:
        alarm(move)
    return turn


async def _withdraw(desk: Desk, user: str, args: Args) -> Any:
    return await desk.post(ActWithdrawn(number(args, "act_id"), user)).wait()


VERBS: dict[str, Verb] = {
    "decide": _decide,
    "act": _act,
    "second": _second,
    "withdraw": _withdraw,
}
