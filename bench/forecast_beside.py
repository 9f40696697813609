"""How many fewer cards a second the service makes while a forecast is computed beside it, in pairs of windows.

The centre of `bench pipeline` works all the time.  In one window of a pair nobody forecasts; in the other a forecast is
asked for at its beginning, again when it is made, and the worker process is ended after it, so that what starting it
costs is in the loss.  Of one pair the quiet window comes first, of the next the other one: a trend is no loss.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.batches import BATCH_CARDS
from bench.pipeline import samples
from bench.pipeline_centre import AHEAD_BATCHES, Centre, batches_of, working_centre
from bench.result import median_and_spread
from controller.asking.conversation import ClientError
from controller.client import OperatorClient
from devices.defects import Step
from sims.demo.folder import OBSERVER

LOSS_MAX_PERCENT, JUDGED_FROM_PAIRS = 3.0, 5
ASKED_RUNS = 200
WARM_UP_S, WARM_WITHIN_S = 5.0, 150.0
LOOK_S = 1.0  # between two looks at how far the forecast is
GONE_WITHIN_S = 60.0  # what gives its memory back at idle priority takes its time
WORKER = "controller.forecasting.worker"


@dataclass(frozen=True, slots=True)
class Window:
    """Cards a second of one window, and the runs that were done in it."""

    cards_per_s: float
    runs: int = 0


def measure(pairs: int, window_s: float, rate_max: int) -> dict[str, Any]:
    """Give the loss of so many pairs of windows.  Raises: RuntimeError: the centre did not work."""
    cards = AHEAD_BATCHES * BATCH_CARDS + round(rate_max * (2 * pairs * (window_s + 2.0) + 2 * WARM_UP_S))
    _say(f"making {cards:,} applications")
    batches = batches_of(cards)
    found: list[tuple[Window, Window]] = []
    with TemporaryDirectory() as root, working_centre(Path(root), batches, cards) as centre:
        _warm_up(centre)
        with centre.folder.person(OBSERVER) as asks:
            for number in range(pairs):
                order = (False, True) if number % 2 == 0 else (True, False)
                windows = {busy: _window(centre, asks if busy else None, window_s) for busy in order}
                found.append((windows[False], windows[True]))
                rates = " and ".join(f"{one.cards_per_s:.1f}" for one in found[-1])
                _say(f"pair {number + 1} of {pairs}: {rates} cards/s, {found[-1][1].runs} runs")
    return figures(found) | {"window_s": window_s}


def figures(found: Sequence[tuple[Window, Window]]) -> dict[str, Any]:
    """Give the figures of pairs of windows, without a forecast and with one."""
    without, beside = ([one.cards_per_s for one in row] for row in zip(*found, strict=True))
    losses = [100.0 * (1.0 - busy.cards_per_s / quiet.cards_per_s) for quiet, busy in found]
    loss, spread = median_and_spread(losses) if len(losses) > 1 else (losses[0], 0.0)
    return {
        "pairs": len(found),
        "loss_percent": loss,
        "ratio": statistics.median(busy.cards_per_s / quiet.cards_per_s for quiet, busy in found),
        "cards_per_s": {"without": statistics.median(without), "beside": statistics.median(beside)},
        "runs_done": sum(busy.runs for _, busy in found),
        "rounds": {"loss_percent": losses, "without": without, "beside": beside},
        "spread": {"loss_percent": spread},
    }


def is_small(found: Mapping[str, Any]) -> bool:
    """Say whether the loss is as wanted, or comes from too few pairs to say it."""
    return bool(found["pairs"] < JUDGED_FROM_PAIRS or found["loss_percent"] < LOSS_MAX_PERCENT)


def rows_of(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Give the table's rows."""
    rate, spread = found["cards_per_s"], found["spread"]["loss_percent"]
    return [
        ("cards/s without, and beside a forecast", f"{rate['without']:.1f}, {rate['beside']:.1f}", ""),
        (
            f"loss, {found['pairs']} pairs",
            f"{found['loss_percent']:.1f} % ± {spread:.1f}",
            f"< {LOSS_MAX_PERCENT:.0f} %",
        ),
        ("runs done meanwhile", f"{found['runs_done']:,}", ""),
    ]


# ---- windows -----------------------------------------------------------------------------------------------------


def _window(centre: Centre, asks: OperatorClient | None, window_s: float) -> Window:
    """Give one window; with somebody who `asks`, a forecast is computed in all of it, and none is after it."""
    begin, until_s = _moment(centre), time.monotonic() + window_s
    runs = _forecast_until(asks, until_s) if asks else 0
    time.sleep(max(0.0, until_s - time.monotonic()))
    end = _moment(centre)
    centre.require_work()
    if asks:
        _end_worker(centre.service.pid)
    return Window((end[1] - begin[1]) / len(Step) / (end[0] - begin[0]), runs)


def _forecast_until(asks: OperatorClient, until_s: float) -> int:
    """Have one forecast after the other made until a time, and give how many runs were done."""
    ticket, done = 0, {0: 0}
    while time.monotonic() < until_s:
        with suppress(ClientError):  # the worker that was ended, or an answer that comes late: asked again
            wanted: dict[str, Any] = {"ticket": ticket} if ticket else {"runs": ASKED_RUNS}
            said = asks.command("forecast", at_once=True, **wanted)
            done[said["ticket"]] = said["done_runs"] if said["running"] else ASKED_RUNS
            ticket = said["ticket"] if said["running"] else 0
        time.sleep(max(0.0, min(LOOK_S, until_s - time.monotonic())))
    return sum(done.values())


def _end_worker(service_pid: int) -> None:
    """End the process that forecasts, and wait until it is gone; the next question starts another."""
    for pid in _workers_of(service_pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until_s = time.monotonic() + GONE_WITHIN_S
    while _workers_of(service_pid) and time.monotonic() < until_s:
        time.sleep(0.1)
    time.sleep(LOOK_S)  # the service hears of it


def _workers_of(service_pid: int) -> list[int]:
    tasks = (Path("/proc") / str(service_pid) / "task").iterdir()
    children = [pid for task in tasks for pid in _read(task / "children").split()]
    return [int(pid) for pid in children if WORKER in _read(Path("/proc") / pid / "cmdline")]


def _read(place: Path) -> str:
    """Give what stands there; nothing of a process or thread that has ended."""
    try:
        return place.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _moment(centre: Centre) -> tuple[float, float]:
    """Give the time, and the positions worked on until then."""
    page = centre.page()
    return time.monotonic(), sum(value for _, _, value in samples(page, "cardmill_positions_total"))


def _warm_up(centre: Centre) -> None:
    """Wait until cards come out at the end, and a little longer.  Raises: RuntimeError: none did."""
    until_s = time.monotonic() + WARM_WITHIN_S
    packed = re.compile(rf'^cardmill_positions_total{{[^}}]*step="{Step.PACK}"[^}}]*}} [1-9]', re.MULTILINE)
    while not packed.search(centre.page()):
        centre.require_work()
        if time.monotonic() > until_s:
            raise RuntimeError("no card came to the end of the pipeline")
        time.sleep(0.5)
    time.sleep(WARM_UP_S)


def _say(what: str) -> None:
    print(f"forecast: {what} …", file=sys.stderr, flush=True)
