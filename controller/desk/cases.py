"""Verbs of cases: cards that came back, and remakes with their clock."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from controller.core.cases import RETURN_CODES
from controller.core.remakes import REMADE, RETURNED, Clock
from controller.core.turn import Refused
from controller.desk.desk import Args, BadArgument, Desk, Verb, text

PAGE = 1_000


async def _card_back(desk: Desk, user: str, args: Args) -> Any:
    number, code = text(args, "acceptance_number", 64), text(args, "code", 32)
    if code not in RETURN_CODES:
        raise BadArgument("code", f"what is bad about it, one of {', '.join(RETURN_CODES)}")
    assert desk.returns is not None, "the service gives every desk its returns"
    taken = await desk.returns.take_back(number, code, user)
    return taken if isinstance(taken, Refused) else asdict(taken)


async def _remakes(desk: Desk, user: str, args: Args) -> Any:
    clocks = desk.tally.remakes
    return {
        "remakes": _open(desk, clocks.remakes),
        "returns": _open(desk, clocks.returns),
        "remakes_open": len(clocks.remakes),
        "returns_open": len(clocks.returns),
        "remade_in_time": clocks.in_time[REMADE],
        "remade_late": clocks.late[REMADE],
        "returns_in_time": clocks.in_time[RETURNED],
        "returns_late": clocks.late[RETURNED],
        "set_good": desk.tally.set_good.total(),
    }


def _open(desk: Desk, clocks: dict[int, Clock]) -> list[dict[str, Any]]:
    """Give what is open, what began first in front."""
    now, oldest = desk.clock.now_floor_s(), sorted(clocks.items(), key=lambda one: (one[1].began_floor_s, one[0]))
    rows = []
    for number, clock in oldest[:PAGE]:
        card = desk.state.cards.get(number)
        rows.append(
            {
                "card": number,
                "state": card.state.value if card else "",
                "generation": card.generation if card else 0,
                "began_floor_s": clock.began_floor_s,
                "due_floor_s": clock.due_floor_s,
                "late_s": clock.late_s(now),
            }
        )
    return rows


VERBS: dict[str, Verb] = {
    "card_back": _card_back,
    "remakes": _remakes,
}
