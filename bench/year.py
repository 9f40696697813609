"""How long does a province's calendar year take with its ledger, and how fast is a plain SimPy model of its line?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from bench.result import Options, machine, show, whole_number, write_json
from bench.year_line import PlainLine
from controller.config import Config
from controller.core.moves import Verdict
from sims.faults import USUAL_FAULTS
from sims.floor import DEFAULT_FLOOR
from sims.year.command import result_of, run_both
from sims.year.days import YEAR_CARDS, days_of
from sims.year.demand import Demand
from sims.year.errors import YearError
from sims.year.rates import USUAL_RATES
from sims.year.run import Year

SHORT_ARGS: list[str] = ["--cards", "3000"]
LONG_ARGS: list[str] = ["--cards", "4500000"]
COLUMNS = ("figure", "value")


def main(argv: Sequence[str]) -> int:
    """Run the year and beside it the plain model; exit code 1 when a law is broken."""
    options = Options("year", "The year of a province with its ledger, and its line as a plain SimPy model.")
    options.add_argument("--cards", type=whole_number(1, YEAR_CARDS), default=20_000, help="accepted (20,000)")
    options.add_argument("--seed", type=whole_number(0, 10**9), default=1, help="of everything that is drawn (1)")
    options.add_argument("--folder", type=Path, help="where the ledger is made: on the disk to be measured")
    chosen = options.parse_args(argv)
    if chosen.folder is not None and not chosen.folder.is_dir():
        options.error(f"--folder {chosen.folder}: there is no such folder, make it or name another")
    year = Year(cards=chosen.cards, seed=chosen.seed, config=Config())
    try:
        with TemporaryDirectory(dir=chosen.folder) as folder:
            ran, core = run_both(year, Path(folder), Console(stderr=True))
    except YearError as error:
        print(f"year: {error}", file=sys.stderr)
        return 1
    result = {"bench": "year", "machine": machine(), **result_of(ran, core), **plain(year), "spread": {}}
    show("A year, and its line as a plain SimPy model", COLUMNS, rows_of(result), chosen.json)
    return write_json(result, chosen.json) or int(bool(result["violations"]))


def plain(year: Year) -> dict[str, Any]:
    """Give the wall and the speed of the plain model over the same cards."""
    came = list(arrivals(year))
    began_s = time.perf_counter()
    line = PlainLine(year.seed, DEFAULT_FLOOR, USUAL_FAULTS)
    line.run(came)
    wall_s = time.perf_counter() - began_s
    return {"simpy_wall_s": round(wall_s, 3), "simpy_sheets_per_s": round(line.sheets / wall_s, 1)}


def arrivals(year: Year) -> Iterator[tuple[float, int]]:
    """Give when batches come, in seconds of the year, and how many cards of each are made."""
    days = days_of(DEFAULT_FLOOR)
    demand, day = Demand(year.seed, days, year.cards, USUAL_RATES), days.first
    while not demand.is_over:
        for package in demand.on(day):
            made = sum(row.verdict < Verdict.HOLD for row in package.rows)
            yield package.at_floor_s - days.begin_floor_s(), made
        day += timedelta(days=1)


def rows_of(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """The table's rows."""
    left_out = ("bench", "machine", "spread", "digest")
    return [(name, f"{value:,}") for name, value in result.items() if name not in left_out]
