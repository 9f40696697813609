"""The tables of a span's report: what its page shows and its CSV holds, with the same names and order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from controller.clock import floor_text
from controller.report.figures import SECONDS_PER_HOUR
from controller.report.span_report import SpanReport, StepRow
from controller.report.span_words import (
    ACCOUNTS,
    ALARM_WORDS,
    CARDS,
    COLUMNS,
    TITLES,
    defect_word,
    step_word,
    word,
)
from controller.report.spreadsheet import Cell
from controller.report.year_words import BLANK_WORDS, DUE_WORDS, STATE_WORDS
from devices.defects import Step

HOURS = (  # shown in hours
    *("planned_s", "busy_s", "down_s", "seconds", "late_s"),
    *("overtime_s", "station_s", "lead_p50_s", "lead_p95_s", "longest_s"),
)
SHARES = (
    *("in_time", *(step.value for step in Step)),
    *("fpy", "fty", "scrap_ratio", "rework_ratio", "share", "cumulated"),
    *("availability", "effectiveness", "quality", "oee"),
)
NONE_AT_0 = ("opened_floor_s", "closed_floor_s")  # 0 stands for: with the ledger, or not yet
STEP_SHARES = ("fpy", "fty", "scrap_ratio", "rework_ratio")
STEPS = ("step", "caused_at", "found_at", "bottleneck")


class Table(NamedTuple):
    """One table: its name, the names of its columns, and values as they are in the report."""

    name: str
    columns: Sequence[str]
    rows: list[dict[str, Any]]


def tables_of(report: SpanReport) -> list[Table]:
    """Give the tables of a report, in their order."""
    counts = [fields_of(one) | {"difference": one.counted - one.expected} for one in report.counts]
    causes = [fields_of(one) | {"meaning": one.code} for one in report.causes]
    stations = ("station", "step", "oee", "availability", "effectiveness", "quality", "planned_s", "busy_s", "down_s")
    return [
        Table("cards", ("name", "count"), [{"name": name, "count": count} for name, count in report.cards.items()]),
        table_of("curve", ("begin_floor_s", "seconds", "planned_s", "cards", "per_hour"), report.curve),
        Table("steps", ("step", "worked", "scrap", "rework", *STEP_SHARES), [_step(one) for one in report.steps]),
        table_of("oee", (*stations, "ideal_unit_s", "loads", "worked", "bad", "rework"), report.stations),
        Table("causes", ("code", "meaning", "caused_at", "found_at", "count", "share", "cumulated"), causes),
        table_of("blanks", ("account", "begin", "came", "went", "end"), report.blanks.accounts),
        Table("counts", ("at_floor_s", "place", "counted", "expected", "difference", "by"), counts),
        table_of("shifts", ("shift", "opened_floor_s", "closed_floor_s", "by", "second", "lost"), report.shifts),
        table_of("acts", ("at_floor_s", "verb", "about", "by", "second", "done"), report.acts),
        table_of("alarms", ("alarm", "about", "times", "first_floor_s", "last_floor_s"), report.alarms),
        table_of(
            "late",
            ("batch_number", "upstream", "received_floor_s", "due_floor_s", "closed_floor_s", "late_s", "open"),
            report.late,
        ),
        Table(
            "refused",
            ("code", "count"),
            [{"code": code, "count": count} for code, count in report.refused_by_code.items()],
        ),
    ]


def _step(one: StepRow) -> dict[str, Any]:
    """Give a step's row; who worked on nothing has no share of it."""
    return fields_of(one) | ({} if one.worked else dict.fromkeys(STEP_SHARES, ""))


def title_of(name: str, language: str) -> str:
    """Give a table's title."""
    return word(TITLES, name, language)


def heads_of(table: Table, language: str) -> list[str]:
    """Give the heads of a table's columns."""
    return [word(COLUMNS, column, language) for column in table.columns]


def plain(name: str, value: Any, language: str) -> Cell:
    """Give a value for a spreadsheet: times to be read, durations in hours, shares from 0 to 1, lists as text."""
    if name in HOURS:
        return round(float(value) / SECONDS_PER_HOUR, 4)
    if name.endswith("_floor_s"):
        return "" if name in NONE_AT_0 and not value else floor_text(value)
    if name == "lost":
        return "; ".join(value)
    if isinstance(value, float):
        return round(value, 6)
    known = WORDS.get(name)
    return known(value, language) if known and isinstance(value, str) else value


def shown(name: str, value: Any, language: str) -> str:
    """Give a value to be read on a page."""
    if isinstance(value, bool):
        return {True: ("是", "yes"), False: ("否", "no")}[value][language == "en"]
    if name in SHARES:
        return "" if value == "" else f"{value:.2%}"
    one = plain(name, value, language)
    if isinstance(one, float):
        return f"{one:,.2f}" if name in (*HOURS, "ideal_unit_s") else f"{one:,.1f}"
    return f"{one:,}" if isinstance(one, int) and name != "shift" else str(one)


def is_number(name: str, value: Any) -> bool:
    """Say whether a column's value stands at the right."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not name.endswith("_floor_s")


def rows_for_sheet(table: Table, language: str) -> Iterable[list[Cell]]:
    """Give a table's rows for a spreadsheet."""
    return ([plain(column, row[column], language) for column in table.columns] for row in table.rows)


WORDS: dict[str, Callable[[str, str], str]] = {
    **dict.fromkeys(STEPS, step_word),
    "name": lambda value, language: word(CARDS, value, language),
    "account": lambda value, language: word(ACCOUNTS, value, language),
    "alarm": lambda value, language: word(ALARM_WORDS, value, language),
    "meaning": defect_word,
    "due_class": lambda value, language: word(DUE_WORDS, value, language),
    "state": lambda value, language: word(STATE_WORDS, value, language) if value else "",
    "blank_sum": lambda value, language: word(BLANK_WORDS, value, language),
}


def table_of(name: str, columns: Sequence[str], rows: Iterable[Any]) -> Table:
    """Give a table of rows that are structs."""
    return Table(name, columns, [fields_of(row) for row in rows])


def fields_of(row: Any) -> dict[str, Any]:
    """Give a struct's values by name."""
    return {name: getattr(row, name) for name in row.__struct_fields__}
