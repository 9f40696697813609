"""What grows in the service when it works for long, and is all as it should be after kills?

The real service process with its console, stations and upstreams over CURVE, at many times the real pace.  A console
listens, Prometheus scrapes, a good peer asks one question after the other.  The service is killed and started again,
and halfway of each of its lives but the last the stations are, with all that lay on the floor.  Every figure is
sampled all the time; within each life, after it warmed up, its slope per 10,000 cards is judged (`bench.soak_limits`
has the bounds with their reasons).  At the end the floor is emptied, the shift closed and the ledger verified.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.crash_centre import CentreFailed
from bench.pipeline_audience import EVENTS, audience
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json
from bench.soak_centre import People, SoakCentre, people_of
from bench.soak_laws import broken_laws
from bench.soak_limits import LIMITS, SHOWN, judged
from bench.soak_samples import Probe, Series
from controller.asking.conversation import ClientError
from devices.keys import LinkError

SHORT_ARGS: list[str] = ["--seconds", "60", "--kills", "1"]
LONG_ARGS: list[str] = ["--minutes", "60", "--kills", "5"]
LAST_LIFE_SHARE = 0.5  # of the time: a slope shows best in a long life
WARM_UP_SHARE = 0.25  # of a life: logs and the allocator's arenas fill ...
WARM_UP_CARDS = 30_000  # ... and so do the 64 MiB that keep the ledger's pages, by 2.4 KB a card (measured)
WARM_UP_MOST_SHARE = 0.5  # ... but half of the last life is judged in any case
SAMPLES_MOST, REST_LEAST_S = 1_200, 0.8
SCRAPE_EVERY_S, CONSOLES = 15.0, 1
FINISH_WITHIN_S, WORK_WITHIN_S = 300.0, 120.0
COLUMNS = ("figure", "level", "per 10,000", "at least", "limit", "grown")


@dataclass(slots=True)
class Run:
    """What a soak showed."""

    series: Series = field(default_factory=Series)
    cards: float = 0.0  # since the ledger began
    life_cards: float = 0.0  # when this life of the service began to make some, 0: not yet
    wall_s: float = 0.0
    kills: int = 0
    stations_kills: int = 0
    restarts_s: list[float] = field(default_factory=list)
    moves: int = 0
    broken: list[str] = field(default_factory=list)


def main(argv: Sequence[str]) -> int:
    """Run, print the table; exit code 1 when something leaks or a law does not hold."""
    options = Options("soak", "The whole centre for long, with kills; fails on whatever grows.")
    options.add_argument("--minutes", type=whole_number(1, 100_000), default=10, help="of work (10)")
    options.add_argument("--seconds", type=whole_number(20, 86_400), help="of work, in place of minutes")
    options.add_argument("--kills", type=whole_number(0, 1_000), default=2, help="of the service (2)")
    options.add_argument("--seed", type=whole_number(0, 2**31), default=1, help="of the floor's faults (1)")
    options.add_argument("--folder", type=Path, metavar="NEW", help="keep ledger, vault and logs there")
    chosen = options.parse_args(argv)
    work_s = float(chosen.seconds or chosen.minutes * 60)
    load = round(os.getloadavg()[0], 2)
    try:
        with _place(chosen.folder) as root:
            run = soak(root, work_s, chosen.kills, chosen.seed)
    except (CentreFailed, ClientError, LinkError, RuntimeError, OSError) as error:
        print(f"python -m bench soak: {error}", file=sys.stderr)
        return 1
    result = {"bench": "soak", "machine": machine() | {"load": load}, "work_s": work_s, **figures(run)}
    title = f"{run.cards:,.0f} cards in {work_s / 60:.1f} minutes, {run.kills} kills"
    show(title, COLUMNS, rows_of(result), chosen.json)
    for sentence in run.broken:
        print(f"does not hold: {sentence}", file=sys.stderr)
    return write_json(result, chosen.json) or int(not is_good(result))


def soak(root: Path, work_s: float, kills: int, seed: int) -> Run:
    """Let a centre work and look at it.  Raises: CentreFailed, RuntimeError, ClientError, LinkError, OSError."""
    with SoakCentre(root, seed) as centre:
        run, began_s = Run(), time.monotonic()
        centre.start()
        centre.wait_ready()
        centre.start_stations()
        with people_of(centre.folder) as people:
            for life_s in lives_s(work_s, kills):
                _live(centre, people, run, life_s, is_last=run.kills == kills)
            late = _finish(centre, people)
        centre.stop()
        run.wall_s = time.monotonic() - began_s
        _say("the ledger is verified")
        run.broken, run.moves = broken_laws(centre.folder.data, people.feed)
        run.broken += late
    return run


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """Give a folder that goes away afterwards, or the one that is to be kept.  Raises: OSError."""
    if folder is None:
        with TemporaryDirectory(prefix="cardmill-soak-") as root:
            yield Path(root)
    else:
        folder.mkdir()
        yield folder


def lives_s(work_s: float, kills: int) -> list[float]:
    """Give how long the service lives each time: the last life takes half of the time, the others share the rest."""
    if not kills:
        return [work_s]
    return [work_s * (1 - LAST_LIFE_SHARE) / kills] * kills + [work_s * LAST_LIFE_SHARE]


def _live(centre: SoakCentre, people: People, run: Run, life_s: float, *, is_last: bool) -> None:
    """Watch one life of the service, and end it with a kill, unless it is the last; then begin the next."""
    _wait_for_work(centre, people)
    _say(f"life {run.kills + 1}: {life_s:.0f} s")
    session, found = centre.session(), centre.addresses()
    order = {"consoles": CONSOLES, "scrape_every_s": SCRAPE_EVERY_S, "path": EVENTS, "cookie": session.header}
    with audience(order | {key: found[key] for key in ("console", "metrics")}):
        if is_last:
            _watch(centre, people, run, life_s, (0.0, life_s), is_last=True)
            return
        _watch(centre, people, run, life_s, (0.0, life_s / 2))
        centre.kill_stations()
        run.stations_kills += 1
        centre.start_stations()
        _watch(centre, people, run, life_s, (life_s / 2, life_s))
    centre.kill()
    run.kills, run.life_cards = run.kills + 1, 0.0
    centre.start()
    run.restarts_s.append(centre.wait_ready())


def is_warm(share: float, cards: float, *, is_last: bool) -> bool:
    """Say whether a life is judged yet, of which a share has passed, and that made so many cards."""
    return (is_last and share >= WARM_UP_MOST_SHARE) or (share >= WARM_UP_SHARE and cards >= WARM_UP_CARDS)


def _watch(
    centre: SoakCentre, people: People, run: Run, life_s: float, part_s: tuple[float, float], *, is_last: bool = False
) -> None:
    """Sample from one moment of a life to another; what warms up is not kept."""
    from_s, until_s = part_s
    probe, began_s = Probe(centre, people), time.monotonic() - from_s
    rest_s = max(REST_LEAST_S, (until_s - from_s) / SAMPLES_MOST)
    while (age_s := time.monotonic() - began_s) < until_s:
        run.cards, values = probe.look()
        people.require()
        if not run.life_cards:
            run.life_cards = run.cards
        if is_warm(age_s / life_s, run.cards - run.life_cards, is_last=is_last):
            run.series.add(run.kills, run.cards, values)
        time.sleep(min(rest_s, max(0.0, until_s - age_s)))


def _wait_for_work(centre: SoakCentre, people: People) -> None:
    """Wait until cards are made.  Raises: CentreFailed: none are."""
    probe, until_s = Probe(centre, people), time.monotonic() + WORK_WITHIN_S
    first = probe.look()[0]
    while probe.look()[0] <= first:
        people.require()
        if time.monotonic() > until_s:
            raise CentreFailed(f"no card was made within {WORK_WITHIN_S:g} s of a start")
        time.sleep(REST_LEAST_S)


def _finish(centre: SoakCentre, people: People) -> list[str]:
    """Send no more, wait until all is dispatched, and close the shift; give what did not come.

    Raises: CentreFailed, ClientError.
    """
    _say("the floor is emptied")
    people.feed.ending.set()
    until_s = time.monotonic() + FINISH_WITHIN_S
    while not people.feed.is_done:
        people.require()
        centre.service_pid  # noqa: B018  it is required to run
        if time.monotonic() > until_s:
            left = people.feed.sent - people.feed.closed
            return [f"{left} batches had no end {FINISH_WITHIN_S:g} s after the last was sent"]
        time.sleep(REST_LEAST_S)
    people.stop()
    return [] if people.keepers.close_shift() else ["the shift could not be closed"]


def figures(run: Run) -> dict[str, Any]:
    """Give the result's figures."""
    rates = {name: median_and_spread(values) for name in (*LIMITS, *SHOWN)
             if len(values := run.series.values(name)) > 1}  # fmt: skip
    restart_s, restart_spread_s = median_and_spread(run.restarts_s) if len(run.restarts_s) > 1 else (0.0, 0.0)
    slopes = judged(run.series.lives, run.cards)
    return {
        "cards": round(run.cards),
        "moves": run.moves,
        "kills": run.kills,
        "stations_kills": run.stations_kills,
        "restart_s": restart_s if len(run.restarts_s) > 1 else max(run.restarts_s, default=0.0),
        "restart_most_s": max(run.restarts_s, default=0.0),
        "wall_s": run.wall_s,
        "leaks": sum(one["is_leak"] for one in slopes.values()),
        "laws_broken": len(run.broken),
        "median": {name: middle for name, (middle, _) in rates.items()},
        "slopes": slopes,
        "spread": {"median": {name: spread for name, (_, spread) in rates.items()}, "restart_s": restart_spread_s},
    }


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether cards were made, nothing leaks, and every law holds."""
    return bool(result["cards"] and not result["leaks"] and not result["laws_broken"])


def rows_of(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the table's rows."""
    rows = []
    for name, one in result["slopes"].items():
        mark = " LEAK" if one["is_leak"] else ""
        parts = (one["level"], one["per_10k_cards"], one["at_least"], one["limit"], one["grown"])
        rows.append((f"{name}{mark}", *(_short(part) for part in parts)))
    wide = ("", "", "", "")
    rows += [
        ("kills", f"{result['kills']}", *wide),
        ("kills of stations", f"{result['stations_kills']}", *wide),
        ("restart, most s", f"{result['restart_most_s']:.1f}", *wide),
        ("moves", f"{result['moves']:,}", *wide),
        ("laws broken", f"{result['laws_broken']}", *wide),
    ]
    return rows


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _say(what: str) -> None:
    print(f"soak: {what} …", file=sys.stderr, flush=True)
