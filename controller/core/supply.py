"""What the floor runs out of first, and when: data, blanks or a station's film, at the pace of the last floor days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from controller.core import moves as m
from controller.core.calendar import DAY_S
from controller.core.cards import Decision
from controller.core.moves import Verdict
from controller.core.state import FloorState
from controller.core.turn import Refused
from devices.defects import Step
from devices.messages import POSITIONS, SINGLE, Fate

HOUR_S = 3_600.0
WINDOW_HOURS = 7 * 24  # a week, so that weekends count as they are
SUPPLY_KINDS: Mapping[Step, Mapping[str, str]] = {  # what stations of a step are loaded with, and its Chinese name
    Step.PRINT: {"film": "印刷膜", "ribbon": "色带"},
    Step.LAMINATE: {"laminate": "覆合膜"},
    Step.PUNCH: {"blade": "冲切刀"},
}
NAMES_ZH = {"data": "数据", "blanks": "空白卡体"}
NAMES_ZH |= {kind: name for kinds in SUPPLY_KINDS.values() for kind, name in kinds.items()}
AHEAD_DAYS = 365  # what lasts longer starves nobody

PACED = frozenset({m.SheetImposed, m.SheetBound, m.JobEnded, m.BundleMade, m.BatchOpened, m.CardDecided})
ACCEPTED, MADE, BODIES = "accepted", "made", "bodies"


@dataclass(slots=True)
class InputPace:
    """What came and went in each of the last floor hours: a fold of moves, at most `WINDOW_HOURS` + 1 of them."""

    first_floor_s: float | None = None
    hours: dict[int, Counter[str]] = field(default_factory=dict)  # hour -> what -> how many
    singles: set[int] = field(default_factory=set)  # films that take no body sheet of eight

    def fold(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Count one move."""
        if type(move) not in PACED:
            return
        if isinstance(move, m.SheetBound):
            self._add(at_floor_s, BODIES, int(move.sheet_id not in self.singles))
            self.singles.discard(move.sheet_id)
        elif isinstance(move, m.SheetImposed):
            if move.places == SINGLE:
                self.singles.add(move.sheet_id)
        elif isinstance(move, m.JobEnded):
            self._add(at_floor_s, f"sheets {move.station}", sum(end.fate != Fate.UNTOUCHED for end in move.sheets))
        elif isinstance(move, m.BundleMade):
            self._add(at_floor_s, MADE, len(move.cards))
        elif isinstance(move, m.BatchOpened):
            self._add(at_floor_s, ACCEPTED, sum(row.verdict < Verdict.HOLD for row in move.rows))
        elif isinstance(move, m.CardDecided) and move.decision == Decision.RELEASE:
            self._add(at_floor_s, ACCEPTED, 1)

    def per_day(self, what: str, now_floor_s: float) -> float:
        """Give how many of something a floor day saw, in the mean of the last week, or of all there was of it."""
        since = now_floor_s - WINDOW_HOURS * HOUR_S
        first = now_floor_s if self.first_floor_s is None else self.first_floor_s
        count = sum(counts[what] for hour, counts in self.hours.items() if (hour + 1) * HOUR_S > since)
        return count / max(now_floor_s - max(first, since), HOUR_S) * DAY_S

    def _add(self, at_floor_s: float, what: str, count: int) -> None:
        if not count:
            return
        if self.first_floor_s is None:
            self.first_floor_s = at_floor_s
        hour = int(at_floor_s // HOUR_S)
        if hour not in self.hours:
            self.hours[hour] = Counter()
            for old in [one for one in self.hours if one < hour - WINDOW_HOURS]:
                del self.hours[old]
        self.hours[hour][what] += count


@dataclass(frozen=True, slots=True)
class Input:
    """One thing the floor eats: what is there, what a day takes of it (less what it brings), when it ends."""

    name: str  # data, blanks, or the kind of a station's supply
    station: str  # of a supply; else empty
    unit: str  # cards or sheets
    left: int
    per_day: float
    ends_floor_s: float | None  # None: not within `AHEAD_DAYS`


@dataclass(frozen=True, slots=True)
class Forecast:
    """What starves first: `input` is empty when nothing does within `AHEAD_DAYS`."""

    input: str
    station: str
    ends_floor_s: float | None
    date: str  # YYYY-MM-DD of the floor; empty when nothing starves
    sentence_en: str
    sentence_zh: str
    inputs: list[Input]


def kind_refusal(step: Step, kind: str) -> Refused | None:
    """Give why no station of a step is loaded with such a kind, None when it is one of the table."""
    if kind in SUPPLY_KINDS.get(step, {}):
        return None
    lists = "; ".join(f"{one.value}: {', '.join(kinds)}" for one, kinds in SUPPLY_KINDS.items())
    return Refused("stock.kind", f"a {step.value} station is not loaded with this; the kinds are {lists}")


def forecast(state: FloorState, pace: InputPace, now_floor_s: float, sees_stock: bool = True) -> Forecast:
    """Give the input that ends first, as the last floor days went; of two that end together, the scarcer kind.

    Blanks are looked at for those alone who may see their sums.
    """
    inputs = [_blanks(state, pace, now_floor_s)] if sees_stock else []
    inputs += [*_supplies(state, pace, now_floor_s), _cards(state, pace, now_floor_s)]
    first = min(inputs, key=lambda one: float("inf") if one.ends_floor_s is None else one.ends_floor_s)
    if first.ends_floor_s is None:
        en = f"Nothing runs out within {AHEAD_DAYS} days at the pace of the last floor days."
        return Forecast("", "", None, "", en, f"按最近几天的速度，{AHEAD_DAYS}天内不会缺任何物料。", inputs)
    date = datetime.fromtimestamp(first.ends_floor_s, UTC).strftime("%Y-%m-%d")
    en, zh = _sentences(first, date)
    return Forecast(first.name, first.station, first.ends_floor_s, date, en, zh, inputs)


def _blanks(state: FloorState, pace: InputPace, now_floor_s: float) -> Input:
    stock = state.stock
    ranges = [*stock.vault, *(one for magazine in stock.magazines.values() for one in magazine)]
    left = sum(one.sheets for one in ranges if one.places == POSITIONS)  # single bodies are for remakes alone
    return _input("blanks", "", "sheets", left, pace.per_day(BODIES, now_floor_s), now_floor_s)


def _supplies(state: FloorState, pace: InputPace, now_floor_s: float) -> list[Input]:
    return [
        _input(kind, station, "sheets", supply.units, pace.per_day(f"sheets {station}", now_floor_s), now_floor_s)
        for station, supplies in sorted(state.stock.supplies.items())
        for kind, supply in sorted(supplies.items())
    ]


def _cards(state: FloorState, pace: InputPace, now_floor_s: float) -> Input:
    """The data in hand: cards that are on their way, less what a day makes, more what a day brings."""
    made, accepted = pace.per_day(MADE, now_floor_s), pace.per_day(ACCEPTED, now_floor_s)
    return _input("data", "", "cards", state.making.total(), made - accepted, now_floor_s)


def _input(name: str, station: str, unit: str, left: int, per_day: float, now_floor_s: float) -> Input:
    ends: float | None = None
    if not left:
        ends = now_floor_s
    elif per_day > 0 and left / per_day <= AHEAD_DAYS:
        ends = round(now_floor_s + left / per_day * DAY_S, 3)
    return Input(name, station, unit, left, round(per_day, 1), ends)


def _sentences(first: Input, date: str) -> tuple[str, str]:
    if not first.left and first.name == "data":
        return "Data: nothing waits to be made.", "没有待制的数据。"
    where_en, where_zh = (f" of {first.station}", f"{first.station} 的") if first.station else ("", "")
    name_en, name_zh = first.name.capitalize(), NAMES_ZH.get(first.name, first.name)
    if not first.left:
        return (
            f"{name_en}{where_en}: none left; the floor starves of it now.",
            f"{where_zh}{name_zh}已用完，生产现在就缺它。",
        )
    runs = "run" if first.name in ("data", "blanks") else "runs"
    unit_en, are = (first.unit.removesuffix("s"), "is") if first.left == 1 else (first.unit, "are")
    per_sheet = f" ({first.left * POSITIONS:,} blanks)" if first.name == "blanks" else ""
    blanks_zh = f"（{first.left * POSITIONS:,} 张卡体）" if first.name == "blanks" else ""
    en = (
        f"{name_en}{where_en} {runs} out first, on {date}: {first.left:,} {unit_en}{per_sheet} {are} left, "
        f"{first.per_day:,.1f} a day are used up."
    )
    unit_zh = "大张" if first.name == "blanks" else "张"
    net_zh = "日均净用" if first.name == "data" else "日均"
    zh = f"{where_zh}{name_zh}将最先于 {date} 用完：余 {first.left:,} {unit_zh}{blanks_zh}，"
    return en, f"{zh}{net_zh} {first.per_day:,.1f} {unit_zh}。"
