"""What the ledger's moves say of a line, as plain data that msgspec encodes: sums with the counts behind them."""

from __future__ import annotations

import msgspec

from controller.core.line.bins import Bins


def _ratios() -> Bins:
    return Bins(per_octave=32)  # a cycle's spread is a few parts in a hundred


class StationFigures(msgspec.Struct):
    """One station: its pace as sums over its clean loads, its stops, its sheets, and how it stood at the last move.

    Loads, units and times t of clean loads (not jammed, time down left out) are those of `rates.LoadLine`.
    """

    step: str
    load_max: int = 1
    loads: int = 0
    units: int = 0
    took_s: float = 0.0
    unit_s: float = 0.0  # sum of units x t
    square: int = 0  # sum of units squared
    busy_s: float = 0.0  # of all loads, time down left out: what a stop is counted against
    stops: int = 0  # times it went down, with or without a load
    sheets: int = 0  # sheets judged to the end that it worked on
    struck: int = 0  # of them, those with a defect it caused
    down_in_load_s: float = 0.0  # of the load it has now: floor seconds down that are over


class StepFigures(msgspec.Struct):
    """All stations of a step: what differs little between them."""

    ratios: Bins = msgspec.field(default_factory=_ratios)  # time of a clean load / the one its station's pace gives
    loads: int = 0  # answered
    jams_spoiled: int = 0  # loads that jammed, and were spoiled
    jams_returned: int = 0  # … and came back as they were
    clear_s: Bins = msgspec.field(default_factory=Bins)  # to clear either
    stopped_loads: int = 0  # loads during which the station went down
    stops_spoiled: int = 0
    stops_returned: int = 0
    down_s: Bins = msgspec.field(default_factory=Bins)  # breakdowns and waits for material, until it worked again
    off_s: Bins = msgspec.field(default_factory=Bins)  # off line by its operator
    unknown: int = 0  # loads nobody could answer for
    suspects: int = 0  # sheets that became suspect in a load that ended
    worked: int = 0  # sheets
    defects: dict[str, int] = msgspec.field(default_factory=dict)  # `code found_at positions` -> sheets, of `sheets`
    sheets: int = 0  # judged to the end


class BatchShape(msgspec.Struct):
    """One batch that came: what a pretend batch is made like."""

    card_kind: str
    due_in_s: float
    units: list[tuple[str, int]]  # police stations and their cards
    express: int = 0
    held: int = 0


class ArrivalFigures(msgspec.Struct):
    """Batches as they came: how many in each hour of the day, and the shapes of the latest."""

    batches: int = 0
    cards: int = 0
    by_hour: list[int] = msgspec.field(default_factory=lambda: [0] * 24)
    first_floor_s: float | None = None
    last_floor_s: float = 0.0
    shapes: list[BatchShape] = []  # noqa: RUF012 - msgspec copies empty defaults


class MagazineFigures(msgspec.Struct):
    """Magazines as they were filled: (body sheets left before, body sheets put in), the latest; and waits when empty."""

    fills: list[tuple[int, int]] = []  # noqa: RUF012
    empty_s: Bins = msgspec.field(default_factory=Bins)
    deliveries: list[tuple[int, int]] = []  # noqa: RUF012 - (body sheets in the vault before, body sheets that came)


class Estimates(msgspec.Struct):
    """Everything a pretend line is made of; nothing here comes from anything but moves.

    `waits`: floor seconds people took, by what they were asked for: settle, release, stopped, held, repack, hold,
    supply, dispatch.  `findings`: what they then decided, by the same words.
    """

    moves: int = 0
    first_floor_s: float = 0.0
    last_floor_s: float = 0.0
    stations: dict[str, StationFigures] = {}  # noqa: RUF012
    steps: dict[str, StepFigures] = {}  # noqa: RUF012
    encode_card_s: Bins = msgspec.field(default_factory=Bins)  # floor seconds of an encode job / its cards
    arrivals: ArrivalFigures = msgspec.field(default_factory=ArrivalFigures)
    magazines: MagazineFigures = msgspec.field(default_factory=MagazineFigures)
    supply_units: dict[str, int] = {}  # noqa: RUF012 - kind of supply -> sheets of the last one loaded
    waits: dict[str, Bins] = {}  # noqa: RUF012
    findings: dict[str, dict[str, int]] = {}  # noqa: RUF012
    open_since_floor_s: dict[str, float] = {}  # noqa: RUF012 - `settle 7`, `stopped 70012` -> since when it waits
