"""How fast is the ledger: durable moves/s beside the bare drivers, its start, its size, and its pages?

A group is so many moves with their events, state rows and receipts in one commit; both sides sync each commit.  The
bare driver gets the same statements with the same rows as prepared tuples and computes the chain as we do; `unchained`
is the same without the chain.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.ledger_contest import PATHS, contest
from bench.ledger_engines import DRIVERS, opened
from bench.ledger_pages import pages
from bench.ledger_restart import restarts
from bench.ledger_stream import turns_with
from bench.result import Options, machine, show, whole_number, write_json

GROUPS = (100, 1_000)  # moves of a commit
SHORT_ARGS: list[str] = ["--moves", "12000", "--rounds", "3", "--restart", "20000", "--cards", "5000"]
LONG_ARGS: list[str] = ["--moves", "90000", "--rounds", "9", "--restart", "1000000", "--cards", "1000000"]
MOST_RESTART_S, MOST_PAGE_MS = 5.0, 100.0
JUDGED_FROM_MOVES, JUDGED_FROM_CARDS = 900_000, 900_000


def main(argv: Sequence[str]) -> int:
    """Run all parts, print the tables; exit code 1 when the restart or a page is slower than wanted."""
    options = Options("ledger", "The ledger against the bare drivers, its start, its size and its pages.")
    options.add_argument("--moves", type=whole_number(2_000, 10**7), default=46_000, help="of a contest (46,000)")
    options.add_argument("--rounds", type=whole_number(2, 100), default=5, help="of a contest (5)")
    options.add_argument("--restart", type=whole_number(1_000, 10**7), default=200_000, help="open moves (200,000)")
    options.add_argument("--cards", type=whole_number(1_000, 10**7), default=100_000, help="of the pages (100,000)")
    options.add_argument("--folder", type=Path, help="where databases are made: on the disk to be measured")
    chosen = options.parse_args(argv)
    if chosen.folder is not None and not chosen.folder.is_dir():
        options.error(f"--folder {chosen.folder}: there is no such folder, make it or name another")
    result: dict[str, Any] = {"bench": "ledger", "machine": machine(), "spread": {}}
    turns = list(turns_with(chosen.moves))
    for kind in DRIVERS:
        with TemporaryDirectory(dir=chosen.folder) as folder, opened(kind, Path(folder)) as store:
            result[kind], result["spread"][kind] = {}, {}
            for group in GROUPS:
                _say(f"{kind}, {group} moves a commit")
                for name, (middle, width) in contest(store, turns, group, chosen.rounds).items():
                    result[kind][f"{name}_{group}"], result["spread"][kind][f"{name}_{group}"] = middle, width
    del turns
    gc.collect()
    _say(f"a start on {chosen.restart:,} moves")
    with TemporaryDirectory(dir=chosen.folder) as folder:
        found = restarts(Path(folder), chosen.restart)
        found["restart_s"], result["spread"]["restart_s"] = found["restart_s"]
        result |= found
    _say(f"the pages of {chosen.cards:,} cards")
    with TemporaryDirectory(dir=chosen.folder) as folder:
        result |= pages(Path(folder), chosen.cards)
    show(
        "Durable moves/s: our core, the bare driver, the same without the chain",
        CONTEST_COLUMNS,
        contest_rows(result),
        chosen.json,
    )
    show("Start, size and pages", COLUMNS, rows_of(result), chosen.json)
    return write_json(result, chosen.json) or int(not is_good(result))


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether the start and every page are as fast as wanted, or the ledger is too small to say it."""
    soon = result["restart_s"] <= MOST_RESTART_S or result["restart"]["moves"] < JUDGED_FROM_MOVES
    quick = result["pages"]["worst_p99_ms"] < MOST_PAGE_MS or result["pages"]["cards"] < JUDGED_FROM_CARDS
    return bool(soon and quick)


CONTEST_COLUMNS = ("moves a commit", "core", "raw", "no chain", "chain us", "ratio", "spread")
COLUMNS = ("figure", "value", "wanted")


def contest_rows(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for each engine and size of group."""
    rows = []
    for kind, driver in DRIVERS.items():
        for group in GROUPS:
            found = result[kind]
            rows.append(
                (
                    f"{driver}, {group:,}",
                    *(f"{found[f'{name}_moves_per_s_{group}']:,.0f}" for name in PATHS),
                    f"{found[f'chain_us_per_move_{group}']:.2f}",
                    f"{found[f'core_over_raw_{group}']:.2f}",
                    f"{result['spread'][kind][f'core_over_raw_{group}']:.2f}",
                )
            )
    return rows


def rows_of(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The other figures."""
    restart, snapshot = result["restart"], result["snapshot"]
    rows: list[tuple[str, ...]] = [
        ("replay, moves/s", f"{result['replay_moves_per_s']:,.0f}", ""),
        ("snapshot, MB", f"{snapshot['size_bytes'] / 1e6:.1f}", ""),
        ("moves of open work", f"{restart['moves']:,}", ""),
        ("cards of them, open", f"{restart['open_cards']:,}", ""),
        ("moves after the snapshot", f"{restart['tail_moves']:,}", ""),
        ("restart, s", f"{result['restart_s']:.2f}", f"<= {MOST_RESTART_S:.0f}"),
        ("bytes a card", f"{result['bytes_per_card']:,.0f}", ""),
        ("GiB a year", f"{result['gib_per_year']:.1f}", ""),
    ]
    for name, times in result["pages"].items():
        if isinstance(times, dict):
            shown = f"{times['median_ms']:.1f} / {times['p99_ms']:.1f}"
            rows.append((f"{name.replace('_', ' ')}: ms, median / p99", shown, f"< {MOST_PAGE_MS:.0f}"))
    return rows


def _say(what: str) -> None:
    print(f"ledger: {what} …", file=sys.stderr, flush=True)
