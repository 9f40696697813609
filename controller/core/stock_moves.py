"""Moves of stock: body sheets, blanks that can become no card, supplies with their lots, counts and shifts."""

from __future__ import annotations

from controller.core.move import Move


class StockReceived(Move, frozen=True, array_like=True, tag="received"):
    """Body sheets came into the vault: `sheets` serials from `first_body` on."""

    first_body: int
    sheets: int
    lot: str
    by: str
    second: str
    places: int = 8  # of each: 8, or 1 for single bodies


class MagazineIssued(Move, frozen=True, array_like=True, tag="issued"):
    """Body sheets went from the vault into a laminate station's magazine."""

    issue_id: int
    station: str
    first_body: int
    sheets: int
    by: str
    second: str
    places: int = 8


class BodiesReturned(Move, frozen=True, array_like=True, tag="unissued"):
    """Body sheets came back from a magazine into the vault; the station is told by the number `issue_id`."""

    station: str
    first_body: int
    sheets: int
    by: str
    second: str
    issue_id: int = 0
    places: int = 8


class BodiesSampled(Move, frozen=True, array_like=True, tag="sampled"):
    """Body sheets left the vault as samples: for tests, never for a card."""

    first_body: int
    sheets: int
    by: str
    second: str
    places: int = 8


class BodiesLost(Move, frozen=True, array_like=True, tag="bodies_lost"):
    """Two people could not find body sheets in the vault (`station` empty) or in a magazine, by `issue_id` as above."""

    station: str
    first_body: int
    sheets: int
    by: str
    second: str
    issue_id: int = 0
    places: int = 8


class BlanksLost(Move, frozen=True, array_like=True, tag="blanks_lost"):
    """Two people could not find a spoiled blank that waits for its destruction."""

    blank: int
    by: str
    second: str


class BlanksDestroyed(Move, frozen=True, array_like=True, tag="destroyed"):
    """Two people destroyed spoiled blanks, which they had counted before: `blanks` are the serials."""

    destruction_id: int
    blanks: list[int]
    by: str
    second: str


class StockCounted(Move, frozen=True, array_like=True, tag="counted"):
    """A person counted a place without being told what should be there: the books had `expected` then.

    `place` is `vault`, `spoiled`, or a laminate station for its magazine; counted are body sheets, of spoiled: blanks.
    """

    count_id: int
    place: str
    counted: int
    expected: int
    by: str


class ShiftClosed(Move, frozen=True, array_like=True, tag="shift"):
    """A shift balanced: `accounts` are the blanks of each account, `lost` the serials two people declared missing."""

    shift_id: int
    opened_floor_s: float
    accounts: dict[str, int]
    lost: list[int]
    by: str
    second: str


class SupplyLoaded(Move, frozen=True, array_like=True, tag="supply"):
    """A person loaded a station with a lot of film, ribbon, laminate …: `units` are the sheets it is good for."""

    station: str
    kind: str
    lot: str
    units: int
    by: str


AnyStockMove = (
    StockReceived
    | MagazineIssued
    | BodiesReturned
    | BodiesSampled
    | BodiesLost
    | BlanksLost
    | BlanksDestroyed
    | StockCounted
    | ShiftClosed
    | SupplyLoaded
)
