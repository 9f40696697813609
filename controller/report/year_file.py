"""The report of a year written as files from a ledger's folder, without a service: for a finished ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from controller.config import Config
from controller.core.calendar import DAY_S
from controller.core.settings import CalendarConfig
from controller.ledger.store import ledger_place
from controller.report import year_page
from controller.report.span import floor_day, midnight_floor_s, year_span
from controller.report.span_words import ZH
from controller.report.year_build import build_year_report
from controller.report.year_report import YearReport
from controller.trace.moves import MoveReader


def _go_on() -> None:
    """Let the work go on."""


def write_year_report(
    ledger_folder: Path,
    year: int,
    out: Path,
    config: Config,
    *,
    normal: CalendarConfig | None = None,
    constants: Mapping[str, str] | None = None,
    language: str = ZH,
    csv: Path | None = None,
    look: Callable[[], object] = _go_on,
) -> YearReport:
    """Write the report of a year as one HTML page, and give it; nobody need serve the ledger, and nobody may write it.

    Args:
        ledger_folder: the data folder with the ledger in it, see `ledger.store.open_ledger`; closed by then.
        year: of the floor clock, UTC.  A ledger that ends before the year does is taken up to the end of its last day.
        out: the page; its folder must be there.
        config: says what is simulated, where the ledger stands and what the calendar is.
        normal: the calendar of normal work where overtime was planned beyond it; without it `config.calendar`.
        constants: simulated values the figures rest on beside `encoding.card_s` of `config`, each with its unit, like
            {"printer": "30 s a sheet"}; shown as they are, and taken for those of `config` by the same name.
        language: zh or en.
        csv: all tables too, for a spreadsheet.
        look: called every thousand moves; what it raises ends the work.
    Cost: 8.5 to 12 us a move, all on this thread; 55 MiB for 565,000 cards: see docs/reports.md.
    Raises: LedgerDamaged, OSError.
    """
    reading = ledger_place(ledger_folder, config.storage.url).reader()
    try:
        span, moves = year_span(year), MoveReader(reading)
        last = moves.at_of(moves.last())
        ends = midnight_floor_s(floor_day(last)) + DAY_S
        is_simulated = config.clock.simulated
        report = build_year_report(
            reading,
            span,
            normal or config.calendar,
            ends,
            simulated=is_simulated,
            constants=_constants(config) | dict(constants or {}) if is_simulated else None,
            look=look,
        )
    finally:
        reading.dispose()
    out.write_text(year_page.html(report, language), "utf-8")
    if csv:
        csv.write_bytes(year_page.csv(report, language))
    return report


def _constants(config: Config) -> dict[str, str]:
    """Give what stands for the work that is not done in virtual time: portraits are not encoded, it was measured."""
    return {"encoding.card_s": f"{config.encoding.card_s:g} s a card in one worker"}
