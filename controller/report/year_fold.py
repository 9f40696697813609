"""The fold of a year, day by day and week by week: what a year's report has besides that of any span."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from controller.core.calendar import DAY_S, Calendar
from controller.core.moves import AnyMove
from controller.core.settings import CalendarConfig, read_dates
from controller.core.stock import Account
from controller.core.yields import planned_busy_s
from controller.report import flow, leads, overtime, stops
from controller.report.flow import STEPS, Flow
from controller.report.leads import Leads
from controller.report.overtime import OvertimeFold
from controller.report.span_build import SpanBuild
from controller.report.stops import Stops
from controller.report.year_report import ALL, COUNTED, DayRow, LeadRow, WeekRow

MONDAY = 1


class YearFold:
    """Goes beside the fold of the span: before a move `reach`, after it `fold`; at the end `finish`.

    Memory: a row for each day, week and due class; besides them what is on the floor and not yet closed.
    """

    kinds = frozenset({*flow.FOLDS, *overtime.FOLDS, *leads.FOLDS, *stops.FOLDS})

    def __init__(self, build: SpanBuild, calendar: Calendar, config: CalendarConfig) -> None:
        """Take the calendar of normal work, and the section of the settings that it is of."""
        self._folded, self._before, self._calendar = build.folded, build.before, calendar
        self._begin, self._until = build.span.begin_floor_s, build.until
        self._edge = self._since = self._begin
        self._has_begun = False
        self._open = build.before.open_at(self._begin, build.before.first)
        self._holidays = read_dates(config.holidays)
        accounts, stations = self._folded.entries, self._folded.tally.stations
        self._flow = Flow(lambda: accounts.accounts[Account.GOOD])
        self._overtime = OvertimeFold(calendar, self._state_of)
        self.stops = Stops({name: one.state for name, one in stations.items()}, self._begin)
        self.lead_times = Leads(build.before)
        folds = ((flow, self._flow), (overtime, self._overtime), (leads, self.lead_times), (stops, self.stops))
        self._folds: dict[type, list[Callable[[float, AnyMove], None]]] = {
            kind: [partial(room.FOLDS[kind], one) for room, one in folds if kind in room.FOLDS] for kind in self.kinds
        }
        self._known: Mapping[str, int] = dict.fromkeys(COUNTED, 0)
        self.days: list[DayRow] = []
        self.weeks: list[WeekRow] = []
        self.leads: list[LeadRow] = []
        self.station_s = 0.0  # of overtime, all stations together
        self._week_days = 0

    def reach(self, at_floor_s: float) -> None:
        """Let time pass: days and weeks that are over before a move at this time are closed."""
        while at_floor_s >= self._edge:
            self._cross(self._edge)

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take one move, after the span's fold took it."""
        for fold in self._folds.get(type(move), ()):
            fold(at_floor_s, move)

    def finish(self) -> None:
        """Close the last day and week: the year is over, or the report ends within it."""
        self.reach(self._until)
        if self._since < self._until:
            self._end_day(self._until)
        if self._week_days:
            self._end_week(self._until)

    def _state_of(self, station: str) -> str:
        known = self._folded.tally.stations.get(station)
        return known.state if known else ""

    def _cross(self, at: float) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._flow.take(at)
            self._overtime.take(at)
            self.stops.begin(at)
            self.lead_times.begin()
        else:
            self._end_day(at)
            if datetime.fromtimestamp(at, UTC).isoweekday() == MONDAY:
                self._end_week(at)
        self._edge = at + DAY_S

    # ---- rows --------------------------------------------------------------------------------------------------

    def _end_day(self, at: float) -> None:
        tally = self._folded.tally
        if not self._folded.begun:  # the tally is not yet of the year
            counts = dict.fromkeys(COUNTED, 0)
            is_open = self._open
        else:
            counts = {name: getattr(tally, name) for name in COUNTED}
            is_open = self._open + tally.open()
        outside = self._overtime.take(at)
        self.station_s += outside.station_s
        self.days.append(
            DayRow(
                begin_floor_s=self._since,
                planned_s=planned_busy_s("", self._since, at, self._calendar),
                is_holiday=datetime.fromtimestamp(self._since, UTC).date() in self._holidays,
                open=is_open,
                overtime_s=outside.seconds,
                overtime_cards=outside.cards,
                **{name: count - self._known[name] for name, count in counts.items()},
            )
        )
        self._known, self._since = counts, at
        self._week_days += 1

    def _end_week(self, at: float) -> None:
        days = self.days[len(self.days) - self._week_days :]
        self._week_days = 0
        year, week, _ = datetime.fromtimestamp(days[0].begin_floor_s, UTC).isocalendar()
        name, planned_s = f"{year:04d}-W{week:02d}", sum(day.planned_s for day in days)
        rows = self.lead_times.take_week(name)
        self.leads += rows
        whole = next((row for row in rows if row.due_class == ALL), None)
        steps = self._shares(at, planned_s)
        self.weeks.append(
            WeekRow(
                week=name,
                begin_floor_s=days[0].begin_floor_s,
                planned_s=planned_s,
                open=days[-1].open,
                lead_p50_s=whole.lead_p50_s if whole else 0.0,
                lead_p95_s=whole.lead_p95_s if whole else 0.0,
                in_time=whole.in_time if whole else 1.0,
                overtime_s=sum(day.overtime_s for day in days),
                overtime_cards=sum(day.overtime_cards for day in days),
                bottleneck=max(STEPS, key=steps.__getitem__) if any(steps.values()) else "",
                steps=steps,
                **{name: sum(getattr(day, name) for day in days) for name in COUNTED},
            )
        )

    def _shares(self, at: float, planned_s: float) -> dict[str, float]:
        """Give for each step how much of its stations' planned time they had a load while work waited before it."""
        stations = Counter(one.step.value for one in self._folded.tally.stations.values())
        sums = self._flow.take(at)
        whole = {step: stations[step] * planned_s for step in STEPS}
        return {step: sums[step] / whole[step] if whole[step] else 0.0 for step in STEPS}
