"""What is asked of a pretend line: stations down, stations added, other shifts; nothing is the line as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from controller.core.calendar import DAY_S
from controller.core.settings import CalendarConfig, CoreConfig, read_shifts
from devices.defects import Step

ADDED_MAX = 50  # stations of one step
FIRST_SHIFT_MIN = 8 * 60  # when the first shift begins where the calendar names none
DAY_MIN = 24 * 60
STEP_WORDS: Mapping[str, Step] = {
    **{step.value: step for step in Step},
    "printer": Step.PRINT,
    "press": Step.LAMINATE,
    "laminator": Step.LAMINATE,
    "puncher": Step.PUNCH,
    "writer": Step.WRITE,
    "inspector": Step.INSPECT,
    "packer": Step.PACK,
}


class ChangeError(Exception):
    """What was asked cannot be tried; says what may be asked instead.  `code` is stable."""

    code = "whatif"

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Down(msgspec.Struct, frozen=True):
    """A station that gets no load from one time to another; the load it has then it ends."""

    station: str
    from_floor_s: float
    until_floor_s: float | None = None  # None: for good


class Change(msgspec.Struct, frozen=True):
    """What is different on the pretend line."""

    down: tuple[Down, ...] = ()
    added: tuple[tuple[Step, int], ...] = ()  # step, stations more like those it has
    shifts: int = 0  # a day; 0: as the calendar says

    def is_nothing(self) -> bool:
        """Say whether the line is as it is."""
        return not (self.down or self.added or self.shifts)


NOTHING = Change()


def parse_change(
    stations: Sequence[str],
    added: Sequence[str],
    shifts: int,
    begin: str,
    end: str,
    known: Collection[str],
    now_floor_s: float,
) -> Change:
    """Give the change that texts like `L3=down`, `printer=1` and 08:00 ask for.

    Args:
        stations: `NAME=down`, names in any case.
        added: `STEP=COUNT`, a step or its machine (printer, press, puncher, writer, inspector, packer).
        shifts: 1 to 3 a day, 0 as it is.
        begin: when the stations go down, empty now: HH:MM, its next time on the floor's clock, or YYYY-MM-DDTHH:MM.
        end: when they are back, empty never; HH:MM is the next one after `begin`.
        known: the stations' names.
    Raises: ChangeError: whatif.station, whatif.step, whatif.count, whatif.shifts, whatif.time, whatif.twice.
    """
    from_floor_s = parse_time(begin, now_floor_s) if begin else now_floor_s
    until_floor_s = parse_time(end, from_floor_s) if end else None
    if until_floor_s is not None and until_floor_s <= max(from_floor_s, now_floor_s):
        raise ChangeError("whatif.time", "the stations would be back before they are down, or before now")
    names = [_station(text, known) for text in stations]
    if not names and (begin or end):
        raise ChangeError("whatif.time", "a time says when stations are down: name one, like L3=down")
    more = tuple(_added(text) for text in added)
    if len(set(names)) < len(names) or len({step for step, _ in more}) < len(more):
        raise ChangeError("whatif.twice", "a station or step is named twice")
    if not 0 <= shifts <= 3:
        raise ChangeError("whatif.shifts", f"{shifts} shifts a day: 1 to 3 are possible")
    return Change(tuple(Down(name, from_floor_s, until_floor_s) for name in names), more, shifts)


def parse_time(text: str, after_floor_s: float) -> float:
    """Give a floor time: `HH:MM`, the next one after a time, or `YYYY-MM-DDTHH:MM`.  Raises: ChangeError."""
    try:
        if len(text) == len("08:00"):
            wanted = datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of the day
            at = after_floor_s // DAY_S * DAY_S + wanted.hour * 3600.0 + wanted.minute * 60.0
            return at if at >= after_floor_s else at + DAY_S
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ChangeError("whatif.time", f"{text[:20]!r} is no time: write 08:00, or 2026-03-02T08:00") from None


def changed_config(config: CoreConfig, change: Change) -> CoreConfig:
    """Give the settings of the changed line: so many shifts a day, the first from when it begins now."""
    if not change.shifts:
        return config
    return replace(config, calendar=replace(config.calendar, shifts=shifts_text(config.calendar, change.shifts)))


def shifts_text(calendar: CalendarConfig, shifts: int) -> str:
    """Give `shifts` shifts a day of the calendar's length as its setting's text, those over midnight in two parts."""
    now = read_shifts(calendar.shifts)
    begin = now[0][0] if now else FIRST_SHIFT_MIN
    minutes = min(round(calendar.shift_hours * 60), DAY_MIN // shifts)
    spans = []
    for number in range(shifts):
        first = (begin + number * minutes) % DAY_MIN
        last = first + minutes
        spans += [(first, min(last, DAY_MIN))] + ([(0, last - DAY_MIN)] if last > DAY_MIN else [])
    return ", ".join(f"{_clock(first)}-{_clock(last)}" for first, last in sorted(spans))


def _station(text: str, known: Collection[str]) -> str:
    name, _, what = text.partition("=")
    found = [one for one in known if one.lower() == name.strip().lower()]
    if what.strip().lower() != "down":
        raise ChangeError("whatif.station", f"{text[:40]!r} is no change of a station: write NAME=down")
    if not found:
        raise ChangeError("whatif.station", f"no station {name[:40]!r} is known: {', '.join(sorted(known)) or 'none'}")
    return found[0]


def _added(text: str) -> tuple[Step, int]:
    word, _, count = text.partition("=")
    step = STEP_WORDS.get(word.strip().lower())
    if step is None:
        raise ChangeError("whatif.step", f"{word[:40]!r} is no step: one of {', '.join(STEP_WORDS)}")
    number = count.strip()
    if not (number.isascii() and number.isdigit() and 1 <= int(number[:6]) <= ADDED_MAX):
        raise ChangeError("whatif.count", f"{text[:40]!r}: write {word.strip().lower()}=1, up to {ADDED_MAX}")
    return step, int(number)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
