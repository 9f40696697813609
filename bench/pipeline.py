"""How many cards a second go through the whole service, and how many fewer while people watch and Prometheus reads?

The real service process with its console, over CURVE: applications with real portraits come in, are checked, encoded,
imposed, and go through print, laminate, punch, write, inspect and pack at simulated stations whose clock runs so fast
that they are not the limit; receipts are written.  Windows without and with watchers follow each other by turns, and a
pair of them gives one loss.  Watchers are another process on the same machine, so what they take is in the loss.

Of the processor time of a card, what is not the encoding of its portrait (its decoding and preparing included) is to be
no more than 1.5 ms: the service counts its threads' own time for portraits, the rest is the difference.

Cards a second are the positions worked on over all six steps of the route, divided by six: in a busy pipeline they are
equal at each, and their mean is less jumpy than what the last step gives out by the bundle.  The CPU loss is what
watching costs in processor time, the service's and the watchers' own: on a machine that has other work, trust that one.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.batches import BATCH_CARDS
from bench.pipeline_audience import Session, audience, signed_in, watched_path
from bench.pipeline_centre import AHEAD_BATCHES, Centre, batches_of, working_centre
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json
from devices.defects import Step
from sims.demo.folder import OBSERVER

SHORT_ARGS: list[str] = ["--pairs", "1", "--window-s", "2", "--consoles", "1"]
LONG_ARGS: list[str] = ["--pairs", "5", "--window-s", "10", "--rate-max", "180"]
CONSOLES, SCRAPE_EVERY_S, HARD_SCRAPE = (0, 1, 20), 15.0, "scrape_1s"
LOSS_MAX_PERCENT = {"1": 3.0, "20": 15.0}
RATE_MAX = 250  # twice what two cores make
BUSY_MAX_PERCENT = 80.0  # of a step's stations: above it they would be the limit
JUDGED_FROM_PAIRS = 3  # with fewer the machine's other work decides
BLANK = ("", "", "")
WARM_UP_S, WARM_WITHIN_S = 5.0, 150.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
WHOLE = ("service", "stations", "bench", "watchers")  # parts that add up; the others are parts of `service`
ENCODE, OUTSIDE = "service_portrait_encode", "service_outside_encode"
OUTSIDE_MAX_MS = 1.5
Condition = tuple[int, float]
"""Consoles that listen, and seconds between two scrapes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What had been done at a moment; processor seconds by part."""

    at_s: float
    positions: float
    busy: dict[str, float]  # by step: stations' floor seconds
    floor_s: float
    cpu_s: dict[str, float]


@dataclass(slots=True)
class Window:
    """One window's figures."""

    cards_per_s: float
    busy_percent: float  # of the busiest step's stations
    cpu_ms: dict[str, float]  # a card, by part
    said: dict[str, float] = field(default_factory=dict)  # by the watchers


def main(argv: Sequence[str]) -> int:
    """Measure, print the table; exit code 1 when watching costs more than wanted, or stations were the limit."""
    options = Options("pipeline", "Cards a second end to end, and the loss by consoles and scrapes.")
    options.add_argument("--consoles", type=whole_number(0, 100), help="measure this number alone (0, 1 and 20)")
    options.add_argument("--pairs", type=whole_number(1, 50), default=3, help="windows without and with, of each (3)")
    options.add_argument("--window-s", type=whole_number(1, 120), default=8, help="seconds of a window (8)")
    options.add_argument(
        "--rate-max", type=whole_number(1, 500), default=RATE_MAX, help="cards/s to be prepared for (250)"
    )
    chosen = options.parse_args(argv)
    conditions = conditions_of(chosen.consoles)
    windows_s = 2 * len(conditions) * chosen.pairs * (chosen.window_s + 1.0)
    cards = AHEAD_BATCHES * BATCH_CARDS + round(chosen.rate_max * (windows_s + WARM_UP_S))
    load = round(os.getloadavg()[0], 2)
    _say(f"making {cards:,} applications")
    batches = batches_of(cards)
    try:
        with TemporaryDirectory() as root, working_centre(Path(root), batches, cards) as centre:
            session = signed_in(centre.endpoints["console"], centre.folder.data, OBSERVER)
            _warm_up(centre)
            path = watched_path(session)
            pairs = _measured(centre, session, path, conditions, chosen.pairs, chosen.window_s)
    except RuntimeError as error:
        print(f"python -m bench pipeline: {error}", file=sys.stderr)
        return 1
    result = {
        "bench": "pipeline",
        "machine": machine() | {"load": load},
        "pairs": chosen.pairs,
        "window_s": chosen.window_s,
        "watched": path,
        **figures(pairs),
    }
    title = f"Cards end to end, {chosen.pairs} pairs of {chosen.window_s} s; listeners read {path}"
    show(
        title,
        ("watchers", "cards/s", "loss %", "±", "wanted", "CPU %", "scrape"),
        rows_of(result),
        chosen.json,
    )
    return write_json(result, chosen.json) or int(not is_good(result))


def conditions_of(consoles: int | None) -> dict[str, Condition]:
    """Give by name how many consoles watch, and how many seconds lie between scrapes."""
    if consoles is not None:
        return {str(consoles): (consoles, SCRAPE_EVERY_S)}
    return {**{str(count): (count, SCRAPE_EVERY_S) for count in CONSOLES}, HARD_SCRAPE: (0, 1.0)}


def figures(pairs: Mapping[str, Sequence[tuple[Window, Window]]]) -> dict[str, Any]:
    """Give the result's figures of pairs of windows, without watchers and with them, by condition."""
    alone = [quiet for rows in pairs.values() for quiet, _ in rows]
    losses = {name: [100 * (1 - loud.cards_per_s / quiet.cards_per_s) for quiet, loud in rows]
              for name, rows in pairs.items()}  # fmt: skip
    rates = {"alone": [one.cards_per_s for one in alone]}
    rates |= {name: [loud.cards_per_s for _, loud in rows] for name, rows in pairs.items()}
    rate, loss = ({name: _middle(values) for name, values in rows.items()} for rows in (rates, losses))
    said = {name: [loud.said for _, loud in rows] for name, rows in pairs.items()}
    outside = [one.cpu_ms[OUTSIDE] for one in alone]
    return {
        "cards_per_s": {name: middle for name, (middle, _) in rate.items()},
        "loss_percent": {name: middle for name, (middle, _) in loss.items()},
        "cpu_loss_percent": {name: _middle([_cpu_loss(*pair) for pair in rows])[0] for name, rows in pairs.items()},
        "cpu_ms_per_card": _middle_parts(alone),
        "cpu_ms_per_card_watched": {name: _middle_parts([loud for _, loud in rows]) for name, rows in pairs.items()},
        "scrape_ms": {name: _scrape_ms(rows) for name, rows in said.items()},
        "listener_bytes": {name: sum(round(one.get("bytes", 0)) for one in rows) for name, rows in said.items()},
        "listeners_ended": sum(round(one.get("ended", 0)) for rows in said.values() for one in rows),
        "busiest_step_percent": max(one.busy_percent for rows in pairs.values() for pair in rows for one in pair),
        "rounds": {"loss_percent": losses, "cards_per_s": rates, "outside_encode_ms": outside},
        "spread": {
            "cards_per_s": {name: spread for name, (_, spread) in rate.items()},
            "loss_percent": {name: spread for name, (_, spread) in loss.items()},
            "outside_encode_ms": _middle(outside)[1],
        },
    }


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether cards went through, stations were not the limit, and where it can be said the loss is small."""
    went = all(rate > 0 for rate in result["cards_per_s"].values()) and not result["listeners_ended"]
    if result["pairs"] < JUDGED_FROM_PAIRS or not went:
        return went
    small = all(loss <= LOSS_MAX_PERCENT.get(name, 100.0) for name, loss in result["loss_percent"].items())
    return bool(small and result["busiest_step_percent"] <= BUSY_MAX_PERCENT)


def rows_of(result: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the table's rows."""
    spread = result["spread"]
    rows = [("none", f"{result['cards_per_s']['alone']:.1f}", "", f"{spread['cards_per_s']['alone']:.1f}", *BLANK)]
    for name, loss in result["loss_percent"].items():
        words = "scrape each 1 s" if name == HARD_SCRAPE else f"{name} consoles, scrape 15 s"
        wanted = f"<= {LOSS_MAX_PERCENT[name]:.0f}" if name in LOSS_MAX_PERCENT else ""
        row = (f"{result['cards_per_s'][name]:.1f}", f"{loss:.1f}", f"{spread['loss_percent'][name]:.1f}", wanted)
        cost = f"{result['cpu_loss_percent'][name]:.1f}"
        rows.append((words, *row, cost, f"{result['scrape_ms'][name]:.0f} ms"))
    for part, cost_ms in result["cpu_ms_per_card"].items():
        judged = (f"{spread['outside_encode_ms']:.2f}", f"<= {OUTSIDE_MAX_MS}") if part == OUTSIDE else ("", "")
        words = f"CPU ms: {part.removeprefix('service_').replace('_', ' ')}"
        rows.append((words, f"{cost_ms:.2f}", "", *judged, "", ""))
    busy = f"{result['busiest_step_percent']:.0f}"
    return [*rows, ("busiest step, % of time", busy, "", "", f"<= {BUSY_MAX_PERCENT:.0f}", "", "")]


# ---- windows ------------------------------------------------------------------------------------------------------


def _measured(
    centre: Centre,
    session: Session,
    path: str,
    conditions: Mapping[str, tuple[int, float]],
    pairs: int,
    window_s: float,
) -> dict[str, list[tuple[Window, Window]]]:
    found: dict[str, list[tuple[Window, Window]]] = {name: [] for name in conditions}
    for number in range(1, pairs + 1):
        for name, (consoles, every_s) in conditions.items():
            quiet = _window(centre, window_s)
            order = {"consoles": consoles, "scrape_every_s": every_s, "path": path, "cookie": session.header}
            with audience(order | {key: centre.endpoints[key] for key in ("console", "metrics")}) as watchers:
                loud = _window(centre, window_s, watchers.process.pid)
            loud.said = watchers.said
            found[name].append((quiet, loud))
            _say(f"pair {number} of {pairs}, {name}: {quiet.cards_per_s:.1f} and {loud.cards_per_s:.1f} cards/s")
    return found


def _window(centre: Centre, window_s: float, watchers: int = 0) -> Window:
    begin = _moment(centre, watchers)
    time.sleep(window_s)
    end = _moment(centre, watchers)
    centre.require_work()
    return window_between(begin, end)


def window_between(begin: Moment, end: Moment) -> Window:
    """Give the figures of the time between two moments."""
    cards = max((end.positions - begin.positions) / len(Step), 1e-9)
    floor_s = end.floor_s - begin.floor_s
    busy = max((end.busy[step] - begin.busy[step]) / floor_s for step in end.busy)
    cpu_ms = {part: 1e3 * (end.cpu_s[part] - begin.cpu_s[part]) / cards for part in end.cpu_s}
    return Window(cards / (end.at_s - begin.at_s), 100 * busy, cpu_ms)


def _moment(centre: Centre, watchers: int) -> Moment:
    page = centre.page()
    at_s = time.monotonic()
    stations = dict(re.findall(r'^cardmill_station_planned{station="(\w+)",step="(\w+)"}', page, re.MULTILINE))
    busy = dict.fromkeys(stations.values(), 0.0)
    for _, step, value in samples(page, "cardmill_station_busy_seconds_total"):
        busy[step] += value / sum(one == step for one in stations.values())
    cpu_s = _service_cpu_s(centre.service.pid)
    [(_, _, cpu_s[ENCODE])] = samples(page, "cardmill_portrait_cpu_seconds_total")
    cpu_s[OUTSIDE] = cpu_s["service"] - cpu_s[ENCODE]
    cpu_s |= {"stations": _cpu_s(centre.stations.pid), "bench": time.process_time()}
    cpu_s["watchers"] = _cpu_s(watchers) if watchers else 0.0
    positions = sum(value for _, _, value in samples(page, "cardmill_positions_total"))
    [(_, _, floor_s)] = samples(page, "cardmill_floor_seconds_total")
    return Moment(at_s, positions, busy, floor_s, cpu_s)


def samples(page: str, name: str) -> list[tuple[str, str, float]]:
    """Give station, step and value of each series of a name; a label that it does not have is empty."""
    rows = re.findall(rf"^{name}(\{{[^}}]*\}})? (\S+)$", page, re.MULTILINE)
    labels = [(dict(re.findall(r'(\w+)="([^"]*)"', row)), float(value)) for row, value in rows]
    return [(one.get("station", ""), one.get("step", ""), value) for one, value in labels]


def _cpu_s(pid: int, task: str = "") -> float:
    """Give the processor seconds of a process, or of one of its threads."""
    place = Path("/proc") / str(pid) / task / "stat"
    fields = place.read_text("ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _service_cpu_s(pid: int) -> dict[str, float]:
    """Give the service's processor seconds, and of them those of its loop, its sockets and its worker threads.

    Threads are what is left: the ones that ended take their time out of the list of tasks, never out of the service.
    """
    parts = dict.fromkeys(("service", "service_loop", "service_sockets"), 0.0)
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        try:
            name, taken_s = (task / "comm").read_text("ascii", errors="replace"), _cpu_s(pid, f"task/{task.name}")
        except OSError:
            continue  # it ended meanwhile
        if task.name == str(pid):
            parts["service_loop"] = taken_s
        elif name.startswith("ZMQ"):
            parts["service_sockets"] += taken_s
    parts["service"] = _cpu_s(pid)
    parts["service_threads"] = parts["service"] - parts["service_loop"] - parts["service_sockets"]
    return parts


def _warm_up(centre: Centre) -> None:
    """Wait until cards come out at the end, and a little longer.  Raises: RuntimeError: none did."""
    until_s = time.monotonic() + WARM_WITHIN_S
    while not any(value for _, step, value in samples(centre.page(), "cardmill_positions_total") if step == Step.PACK):
        centre.require_work()
        if time.monotonic() > until_s:
            raise RuntimeError("no card came to the end of the pipeline")
        time.sleep(0.5)
    time.sleep(WARM_UP_S)


def _middle(values: Sequence[float]) -> tuple[float, float]:
    return median_and_spread(values) if len(values) > 1 else (values[0], 0.0)


def _middle_parts(windows: Sequence[Window]) -> dict[str, float]:
    return {part: _middle([one.cpu_ms[part] for one in windows])[0] for part in windows[0].cpu_ms}


def _cpu_loss(quiet: Window, loud: Window) -> float:
    """Give the loss in percent that processor time alone would make: what else the machine does is not in it."""
    alone, watched = (sum(one.cpu_ms[part] for part in WHOLE) for one in (quiet, loud))
    return 100 * (1 - alone / watched) if watched else 0.0


def _scrape_ms(rows: Sequence[Mapping[str, float]]) -> float:
    scrapes = sum(one.get("scrapes", 0) for one in rows)
    return 1e3 * sum(one.get("scrape_s", 0) for one in rows) / scrapes if scrapes else 0.0


def _say(what: str) -> None:
    print(f"pipeline: {what} …", file=sys.stderr, flush=True)
