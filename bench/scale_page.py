"""The page of scale: tables from the figures of RESULTS.md, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.scale_figures import Figure, Figures
from bench.scale_needs import LARGEST, NEEDS, OPERATORS, PEOPLE, PORTRAIT_BYTES, UPSTREAMS, YARDSTICK, Need

UNKNOWN = "not measured yet"
TIB = 2**40
CORES, FILLED = 2, 0.7  # of the machine; above that share of its time answers become slow
Judge = Callable[[float], str]

HEAD = """\
# Scale

Written by `python -m bench scale` from `bench/RESULTS.md`, where each figure stands with its machine; do not edit.
A figure that no benchmark has given yet says so. What nobody has tried is marked as an **estimate**.

## What is asked

The yardstick is a centre for 18 million people: 4.5 million cards a year, 18,000 on a mean day, 37,800 on a peak day
of two shifts of eight hours. The largest that is published: 8 million in a year (Zhejiang, 2025) and 60,000 on a day
(Beijing). All thirty-one provinces are told twice: as thirty-one yardsticks, and by their {people:,.0f} million people
(an assumption: every province renews as many cards a head in the same year).

"""
MEASURED_HEAD = """
## What one machine of two cores carries

"Needed" is the yardstick's peak day, or its year.

"""
BEYOND = """
## Where one machine is not enough

- **Processor.** The line is not the limit, the portraits and the records are: of the time of a card, nearly all is
  encoding, checking and sealing, which run in threads without the interpreter's lock. More cores of one machine help
  these first; the loop of the service, one core, is the bound after that.
- **Disk.** Personal data is purged some months after a batch is closed, and pages of it are used again; moves, receipts
  and heads stay. An SQLite file of some hundred GiB works, but backup and `audit verify` read all of it. **Estimate**:
  beyond five years of a province, or where the copy has to be on another machine all the time, use PostgreSQL.
- **PostgreSQL** ([storage](storage.md)) takes over where a second machine must stand ready to go on within a minute,
  where the reports of many people must not share a disk with the floor, or where the organisation backs up databases
  by itself. What a commit costs on each is in the table above.
- **Several controllers.** Today a second controller on one database is refused. Centres share no blanks, no stations
  and no upstreams, so thirty-one provinces are thirty-one controllers with a database each, and their sum is the last
  two columns above; that needs nothing new. The search for duplicates across provinces is the population system's.

## Estimates

"""

CONTROLLERS = """\
**Estimate**: several controllers on one database would give no more cards a second than one as long as the encoding
takes the time, for more cores or a farm of encoding machines do that better; they would give a centre that goes on
without a pause when one machine fails. Leases of 100 cards, fenced by the epoch that each commit checks today, are the
way that was thought through; nothing of it is built.
"""


def page(figures: Figures) -> str:
    """Give the page as Markdown."""
    lines = [
        *_needs(),
        MEASURED_HEAD.rstrip("\n"),
        "",
        *_measured(figures),
        BEYOND.rstrip("\n"),
        "",
        *_estimates(figures),
    ]
    return HEAD.format(people=PEOPLE / 1e6) + "\n".join(lines) + "\n"


def _needs() -> Iterator[str]:
    """Give the table of what is asked."""
    yield _row(("", *(need.name for need in NEEDS)))
    yield _row(("---", *("---:" for _ in NEEDS)))
    rows: Sequence[tuple[str, Callable[[Need], str]]] = (
        ("centres", lambda need: f"{need.centres}"),
        ("cards a year", lambda need: f"{need.cards_a_year:,.0f}"),
        ("cards on a mean day", lambda need: f"{need.mean_day:,.0f}"),
        ("cards on a peak day", lambda need: f"{need.peak_day:,.0f}"),
        ("cards a second then", lambda need: f"{need.peak_cards_per_s:,.2f}"),
        ("moves of sheets a year", lambda need: f"{need.moves_a_year / 1e6:,.0f} million"),
        ("portraits that arrive, GB on a mean day", lambda need: f"{need.portrait_bytes_a_day / 1e9:,.2f}"),
        ("written into chips, GB a year", lambda need: f"{need.chip_bytes_a_year / 1e9:,.1f}"),
        ("machines on the floor", lambda need: f"{need.stations:,}"),
        ("sockets", lambda need: f"{need.sockets:,}"),
    )
    for name, tell in rows:
        yield _row((name, *(tell(need) for need in NEEDS)))
    yield ""
    yield f"A portrait is taken as {PORTRAIT_BYTES / 1000:.0f} KB; besides machines a centre has {UPSTREAMS} upstreams"
    yield f"and {OPERATORS} people at consoles (assumptions). Machines are as many as the default floor has, in"
    yield "proportion to the peak day."


def _measured(figures: Figures) -> Iterator[str]:
    """Give the table of what was measured."""
    peak, year = YARDSTICK.peak_cards_per_s, YARDSTICK.cards_a_year
    hour = peak * 3_600
    moves = YARDSTICK.moves_a_year / year * peak
    rows: Sequence[tuple[str, str, str, str, Judge]] = (
        ("cards a second, upstream to bundle", "pipeline", "cards_per_s.alone", f"{peak:.2f}", _times(peak)),
        ("ms of processor a card, service", "pipeline", "cpu_ms_per_card.service", "", _cores(peak)),
        ("of them outside the encoding", "pipeline", "cpu_ms_per_card.service_outside_encode", "<= 1.5", _cores(peak)),
        ("applications a second taken in", "intake", "records_per_s", f"{peak:.2f}", _times(peak)),
        ("moves a second durable, SQLite", "ledger", "sqlite.core_moves_per_s_100", f"{moves:.1f}", _times(moves)),
        ("the same, PostgreSQL", "ledger", "postgresql.core_moves_per_s_100", f"{moves:.1f}", _times(moves)),
        ("ledger, GiB a year", "ledger", "gib_per_year", "", lambda gib: f"{10 * gib:,.0f} GiB in ten years"),
        ("the same, bytes a card", "ledger", "bytes_per_card", "", _nothing),
        ("slowest page at 1,000,000 cards, p99 ms", "ledger", "pages.worst_p99_ms", "< 150", _nothing),
        ("start on 1,000,000 moves of open work, s", "ledger", "restart_s", "< 60", _nothing),
        ("a year of the line, cards", "year", "cards", f"{year:,.0f}", _nothing),
        ("in so many s, with its ledger", "year", "wall_s", "<= 900", _nothing),
        ("its most memory, MiB", "year", "rss_peak_mib", "<= 1,024", _nothing),
        ("sheets a second, the foreman alone", "year", "core_sheets_per_s", f"{hour / 3600 / 8:.2f}", _times(peak / 8)),
        ("soak: cards made", "soak", "cards", "", lambda cards: f"{cards / YARDSTICK.mean_day:,.1f} mean days"),
        ("memory then, MiB", "soak", "median.memory_mib", "", _nothing),
        ("and more for each 10,000 cards, MiB", "soak", "slopes.memory_mib.per_10k_cards", "<= 2", _nothing),
        ("ready again after a kill, most s", "soak", "restart_most_s", "", _nothing),
    )  # fmt: skip
    yield _row(("figure", "measured", "spread", "needed", "so", "command"))
    yield _row(("---", "---:", "---:", "---:", "---", "---"))
    for name, bench, path, needed, judge in rows:
        yield _row((name, *_told(figures.find(bench, path), needed, judge, bench)))


def _estimates(figures: Figures) -> Iterator[str]:
    """Give what follows for more than was tried; each is marked."""
    rate, cpu_ms = figures.value("pipeline", "cards_per_s.alone"), figures.value("pipeline", "cpu_ms_per_card.service")
    ledger = figures.value("ledger", "bytes_per_card")
    disk = None if ledger is None else ledger + PORTRAIT_BYTES
    yield _row(("what", *(need.name for need in NEEDS), "from"))
    yield _row(("---", *("---:" for _ in NEEDS), "---"))
    yield _row(
        ("cores at the peak (estimate)", *(_core_count(need, cpu_ms) for need in NEEDS), "ms of processor a card")
    )
    yield _row(
        (f"share of {CORES}-core machines' speed (estimate)", *(_share(need, rate) for need in NEEDS), "cards a second")
    )
    whence = "the ledger's bytes a card, and the portrait as it comes, which a purge gives back"
    yield _row(("disk of a year, TiB (estimate)", *(_disk(need, disk) for need in NEEDS), whence))
    yield ""
    if rate:
        most = rate * FILLED / LARGEST.peak_cards_per_s
        yield f"**Estimate**: filled to {FILLED:.0%}, one {CORES}-core machine gives {rate * FILLED:,.1f} cards a"
        yield f"second; the largest published peak day asks for {LARGEST.peak_cards_per_s:,.2f}: one machine"
        yield ("carries it." if most >= 1 else "does not carry it.") + "\n"
    yield CONTROLLERS.rstrip("\n")


def _told(found: Figure | None, needed: str, judge: Judge, bench: str) -> tuple[str, ...]:
    if found is None:
        return UNKNOWN, "", needed, "", f"`python -m bench {bench}`"
    spread = "" if found.spread is None else _text(found.spread)
    missed, so = "**not met**" if _is_beyond(found.value, needed) else "", judge(found.value)
    return _text(found.value), spread, needed, ", ".join(filter(None, (missed, so))), f"`{found.command}`"


def _is_beyond(value: float, needed: str) -> bool:
    """Say whether a figure is above the most that is allowed; other needs are told by how many times they are met."""
    return needed.startswith("<") and value > float(needed.lstrip("<= ").replace(",", ""))


def _times(needed: float) -> Judge:
    return lambda value: f"{value / needed:,.0f} times" if value >= 10 * needed else f"{value / needed:,.1f} times"


def _cores(per_s: float) -> Judge:
    return lambda value: f"{value / 1e3 * per_s:.3f} of a core at the peak"


def _nothing(value: float) -> str:
    return ""


def _core_count(need: Need, cpu_ms: float | None) -> str:
    return UNKNOWN if cpu_ms is None else f"{need.peak_cards_per_s * cpu_ms / 1e3:,.2f}"


def _share(need: Need, rate: float | None) -> str:
    return UNKNOWN if rate is None else f"{need.peak_cards_per_s / need.centres / rate:.1%} of {need.centres}"


def _disk(need: Need, bytes_per_card: float | None) -> str:
    return UNKNOWN if bytes_per_card is None else f"{need.cards_a_year * bytes_per_card / TIB:,.2f}"


def _text(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
