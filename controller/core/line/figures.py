"""What the ledger's moves say of a line, as plain data that msgspec encodes: sums with the counts behind them."""

from __future__ import annotations

import msgspec

from controller.core.line.bins import Bins
from controller.core.rates import LoadLine
from devices.defects import Step

FIXED = frozenset({Step.LAMINATE})  # a press takes its time however many sheets lie in it


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
    busy_s: float = 0.0  # of all loads, time down left out: what stops are counted against
    stops: int = 0  # breakdowns and waits for material, with or without a load
    offs: int = 0  # times its operator took it off line, or it fell silent
    sheets: int = 0  # sheets judged to the end that it worked on
    struck: int = 0  # defects it caused in them, one for each code of a sheet
    down_in_load_s: float = 0.0  # of the load it has now: floor seconds down that are over
    quiet: bool = False  # not heard since the service began: what it does, it does on

    def take(self, units: int, took_s: float) -> None:
        """Count one clean load."""
        self.loads, self.units, self.took_s = self.loads + 1, self.units + units, self.took_s + took_s
        self.unit_s, self.square = self.unit_s + units * took_s, self.square + units * units

    def add_pace(self, other: StationFigures) -> None:
        """Count another station's clean loads as well."""
        self.loads, self.units, self.took_s = (
            self.loads + other.loads,
            self.units + other.units,
            self.took_s + other.took_s,
        )
        self.unit_s, self.square = self.unit_s + other.unit_s, self.square + other.square

    def load_s(self, units: int) -> float:
        """Give the floor seconds of a load of so many sheets (packing: cards) at its settled pace; 0: none seen."""
        if self.loads and self.step in FIXED and self.loads * self.square == self.units * self.units:
            return self.took_s / self.loads
        return LoadLine(self.loads, self.units, self.took_s, self.unit_s, self.square).load_s(units)


class StepFigures(msgspec.Struct):
    """All stations of a step together: what differs little between them."""

    ratios: Bins = msgspec.field(default_factory=_ratios)  # time of a clean load / the one its station's pace gives
    loads: int = 0  # answered
    jams_spoiled: int = 0  # loads that jammed, and were spoiled
    jams_returned: int = 0  # … and came back as they were
    clear_s: Bins = msgspec.field(default_factory=Bins)  # to clear either
    stopped_loads: int = 0  # loads during which the station went down
    stops_spoiled: int = 0
    stops_returned: int = 0
    down_s: Bins = msgspec.field(default_factory=Bins)  # breakdowns and waits for material, until it worked again
    off_s: Bins = msgspec.field(default_factory=Bins)  # off line by its operator, or silent by itself
    unknown: int = 0  # loads nobody could answer for
    suspects: int = 0  # sheets that became suspect in a load that was answered
    worked: int = 0  # sheets worked on
    sheets: int = 0  # of them, judged to the end
    defects: dict[str, int] = {}  # `code found_at positions` -> how often this step caused it in those


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
    shapes: list[BatchShape] = []


class MagazineFigures(msgspec.Struct):
    """Magazines as they were filled, and the vault: pairs of what was there before and what came, the latest."""

    fills: list[tuple[int, int]] = []  # body sheets in a press's magazine, and put in
    empty_s: Bins = msgspec.field(default_factory=Bins)  # floor seconds an empty one waited
    deliveries: list[tuple[int, int]] = []  # body sheets in the vault, and delivered; not the first one
    first_sheets: int = 0  # body sheets of the first delivery


class Estimates(msgspec.Struct):
    """Everything a pretend line is made of; nothing here comes from anything but moves.

    `waits`: seconds of their hours that people took, by what they were asked for: settle, release, stopped, held,
    override, hold, repack, reconcile, supply.  `findings`: what they then decided, by the same words.  `together` and
    `apart`: decisions of a batch's cards that came at once after another one, or later.  `open_since_floor_s`: what
    waits now, by word and number (`settle 7`, `stopped 70012`, `release p1`).
    """

    moves: int = 0
    first_floor_s: float = 0.0
    last_floor_s: float = 0.0
    stations: dict[str, StationFigures] = {}
    steps: dict[str, StepFigures] = {}
    encode_card_s: Bins = msgspec.field(default_factory=Bins)  # floor seconds of an encode job / its cards
    arrivals: ArrivalFigures = msgspec.field(default_factory=ArrivalFigures)
    magazines: MagazineFigures = msgspec.field(default_factory=MagazineFigures)
    supply_units: dict[str, int] = {}  # kind of supply -> sheets of the last one loaded
    return_s: Bins = msgspec.field(default_factory=Bins)  # until a station is heard again after the service began
    waits: dict[str, Bins] = {}
    findings: dict[str, dict[str, int]] = {}
    together: dict[str, int] = {}
    apart: dict[str, int] = {}
    open_since_floor_s: dict[str, float] = {}
