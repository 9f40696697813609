"""Moves of quality: drift, quarantine, who works where, and cards that were judged wrongly or came back."""

from __future__ import annotations

from controller.core.move import Move


class DriftSignalled(Move, frozen=True, array_like=True, tag="drift"):
    """A station's chart crossed its threshold; with a `code` it is one defect's, which only warns.

    `sheets` were judged since the chart's last zero, `in_flight` are not judged yet.
    """

    station: str
    code: str
    cards_since_zero: int
    first_job_id: int
    first_job_floor_s: float
    sheets: list[int]
    in_flight: list[int]


class StationHeld(Move, frozen=True, array_like=True, tag="station_held"):
    """The controller gives a station no more work until it was looked after."""

    station: str
    code: str
    by: str = ""  # empty: the foreman


class StationReleased(Move, frozen=True, array_like=True, tag="station_released"):
    """A held station gets work again; `by` is empty when its operator took it off line and back at the machine."""

    station: str
    by: str = ""


class CardsQuarantined(Move, frozen=True, array_like=True, tag="quarantined"):
    """Good cards of one tray go back to inspection: `cards` by position, 0 for those that do not; `body` carries them.

    A card that lay in a bundle is taken out of it before (`BundleOpened`).
    """

    sheet_id: int
    body: int
    cards: list[int]
    station: str  # that is drifting


class BundleOpened(Move, frozen=True, array_like=True, tag="bundle_opened"):
    """A bundle that was not sent is opened again: its cards are good and wait to be packed."""

    bundle_id: int
    code: str


class OperatorSignedOn(Move, frozen=True, array_like=True, tag="signed_on"):
    """A person works at a station from now on; `operator` is empty when nobody does any more."""

    station: str
    operator: str
    until_floor_s: float  # the end of the person's certificate for this post; 0: none


class CardSetGood(Move, frozen=True, array_like=True, tag="set_good"):
    """Two people found a rejected card good before its remake was imposed: its spoiled blank is good again.

    `code` is one of `core.cases.SET_GOOD_CODES`; `rejected_for` the defect it was rejected for, charged to `caused_at`.
    """

    card: int
    blank: int
    code: str
    by: str
    second: str
    rejected_for: str = ""
    caused_at: str = ""
    sheet_id: int = 0


class CardReturned(Move, frozen=True, array_like=True, tag="came_back"):
    """A dispatched card came back bad: its blank is returned; the next case is made as `case_card`, if it is made."""

    card: int
    blank: int
    case_card: int
    code: str
    by: str


AnyQualityMove = (
    DriftSignalled
    | StationHeld
    | StationReleased
    | CardsQuarantined
    | BundleOpened
    | OperatorSignedOn
    | CardSetGood
    | CardReturned
)
