"""Why something goes no further: a station that gets no work, a card or batch that a person keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Hold:
    """Why the controller gives a station no work."""

    code: str
    since_floor_s: float
    by: str = ""  # empty: the foreman
    off_line: bool = False  # its operator has it off line since: when it is back, it was looked after


@dataclass(slots=True)
class CardHold:
    """Why a person holds a card or a whole batch; a hold is no state, and stands beside whatever state a card has."""

    code: str
    since_floor_s: float
    by: str


@dataclass(slots=True)
class Drifted:
    """What the last deciding signal of a station's chart said; it is forgotten when the station is released."""

    at_floor_s: float
    cards_since_zero: int
    sheets: list[int]  # counted since the chart's last zero: dispatched cards among them are for a recall
    in_flight: list[int]  # sheets it worked on that were not inspected yet
