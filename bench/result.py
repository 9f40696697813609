"""What every benchmark shares: its options, rounds taken in turn, and a result as a table and as JSON."""

import argparse
import json
import os
import platform
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

ROUND_S = 0.03  # a shorter round would measure the clock and the scheduler


class Options(argparse.ArgumentParser):
    """Command-line options of one benchmark, `--json` among them; a bad one is one sentence and exit code 2."""

    def __init__(self, name: str, purpose: str) -> None:
        super().__init__(prog=f"python -m bench {name}", description=purpose, allow_abbrev=False)
        self.add_argument(
            "--json", type=_result_file, metavar="FILE", help="write the result as JSON; - is standard output"
        )

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and one sentence."""
        self.exit(2, f"{self.prog}: {message}. --help lists the options.\n")


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """An option type: a whole number from `low` to `high`, or a sentence that says so."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def machine() -> dict[str, Any]:
    """What the figures were taken on: processors, system and versions; no name of the machine."""
    return {
        "cpus": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
    }


def versions(requirements: Iterable[str] | None = None) -> dict[str, str]:
    """Versions of Cardmill and of what it or its benchmarks require and is installed, by name."""
    found = {"cardmill": version("cardmill")}
    for requirement in requires("cardmill") or [] if requirements is None else requirements:
        extra = re.search(r"extra == [\"'](\w+)", requirement)
        name = re.match(r"[\w.-]+", requirement)
        if name and (extra is None or extra[1] in ("bench", "postgresql")):
            with suppress(PackageNotFoundError):
                found[name[0]] = version(name[0])
    return dict(sorted(found.items()))


def seconds_in_turn(jobs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds one call of each job takes, `rounds` times over, the jobs by turns so that all share the weather.

    A job shorter than ROUND_S is called several times a round.
    """
    calls = {}
    for name, job in jobs.items():
        job()  # the first call may compile or fill caches
        calls[name] = max(1, round(ROUND_S / max(_seconds(job, 1), 1e-6)))
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            taken[name].append(_seconds(job, calls[name]))
    return taken


def median_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """The median, and the distance between the quartiles; at least two values."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, high - low


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of the values, in whole hundredths, does not exceed; at least two values."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], json_file: str | None) -> None:
    """Print the table: to standard output, or to standard error when the JSON goes there."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(stderr=json_file == "-").print(table)


def write_json(result: Mapping[str, Any], json_file: str | None) -> int:
    """Write the result where `--json` says, if it says so.  Returns the exit code: 2 when it cannot be written.

    The versions are added; and an empty `spread` where nothing was measured more than once, but counted or computed.
    """
    if json_file is None:
        return 0
    text = json.dumps({"versions": versions(), "spread": {}, **result}, indent=2, ensure_ascii=False) + "\n"
    if json_file == "-":
        sys.stdout.write(text)
        return 0
    try:
        Path(json_file).write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"The result cannot be written to {json_file}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def _seconds(job: Callable[[], object], calls: int) -> float:
    start_s = perf_counter()
    for _ in range(calls):
        job()
    return (perf_counter() - start_s) / calls


def _result_file(text: str) -> str:
    """Refuse a place that cannot be written before anything is measured."""
    if text != "-" and (not text or Path(text).is_dir() or not Path(text).absolute().parent.is_dir()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a file in an existing folder")
    return text
