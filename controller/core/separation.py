"""Who may be neither of the two people of an act, whatever their roles: nobody destroys what one spoiled."""

from __future__ import annotations

from controller.core.state import FloorState

BARRED = "act.station_operator"


def barred(state: FloorState, verb: str, *people: str) -> tuple[str, str] | None:
    """Give why one of these people may not take part in an act, a code and a sentence; None when all may.

    Where nobody had signed on, whoever works at stations is barred: the door sees to that, here no roles are known.
    """
    if verb == "destroy" and any(state.stock.spoiled_with(person) for person in people):
        what_to_do = "ask two people who did not"
        return (BARRED, f"who worked where some of these blanks were spoiled may not destroy them: {what_to_do}")
    return None
