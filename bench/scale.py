"""What do one machine, one province and all thirty-one need, by the figures of RESULTS.md?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench
from bench.result import Options, machine, show, write_json
from bench.results_page import write_results
from bench.scale_figures import Figures
from bench.scale_needs import NEEDS
from bench.scale_page import page

PAGE = Path("docs") / "scale.md"
COLUMNS = ("what", *(need.name for need in NEEDS))


def main(argv: Sequence[str]) -> int:
    """Write the page and print what is asked; exit code 2 where a file cannot be read or written."""
    home = Path(bench.__path__[0])
    options = Options("scale", "The sizing paper, from the figures of RESULTS.md.")
    options.add_argument("--results", type=Path, default=home / "RESULTS.md", help="the page of results (RESULTS.md)")
    options.add_argument("--page", type=Path, default=home.parent / PAGE, help=f"where to write ({PAGE})")
    chosen = options.parse_args(argv)
    return write_page(chosen) or _show(chosen.json)


def write_page(chosen: argparse.Namespace) -> int:
    """Write the page.  Returns the exit code."""
    try:
        text = chosen.results.read_text("utf-8")
    except OSError as error:
        print(f"The results cannot be read: {error.strerror}.", file=sys.stderr)
        return 2
    return write_results(page(Figures(text)), chosen.page)


def _show(json_file: str | None) -> int:
    result: dict[str, Any] = {"bench": "scale", "machine": machine()}
    for need in NEEDS:
        result[need.name.replace(" ", "_")] = {
            "cards_a_year": need.cards_a_year,
            "peak_cards_per_s": need.peak_cards_per_s,
            "moves_a_year": need.moves_a_year,
            "sockets": need.sockets,
        }
    rows = [
        ("cards a year", *(f"{need.cards_a_year:,.0f}" for need in NEEDS)),
        ("cards a second, peak", *(f"{need.peak_cards_per_s:,.2f}" for need in NEEDS)),
        ("sockets", *(f"{need.sockets:,}" for need in NEEDS)),
    ]
    show("What is asked", COLUMNS, rows, json_file)
    return write_json(result, json_file)
