"""How long do the console's pages take over a ledger of a million cards while the floor works on it?

A ledger of so many cards is written through the real path, then the real service is started on it, with its console,
stations and upstream as processes; a person who is signed in asks for pages, each of another card or batch, one after
the other and all kinds by turns.  The upstream brings `--pace` cards a second: eight times what the busiest day of a
province of 18 million asks of its centre (37,800 cards in two shifts, 0.66 a second), and far below what would keep
both processors with encoding alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import trio

from bench.crash_centre import CentreFailed
from bench.ledger_pages import write_cards
from bench.pipeline_audience import Session
from bench.result import Options, machine, show, whole_number, write_json
from bench.soak_centre import ASKER_NAME, SoakCentre, people_of
from bench.soak_samples import counts_of
from controller.application import card_id
from controller.asking.conversation import ClientError
from controller.core.calendar import DAY_S
from controller.floor_time import FILE
from controller.ledger.reader import Reader
from controller.ledger.store import ledger_place
from controller.vault.store import open_vault
from devices.keys import LinkError

SHORT_ARGS: list[str] = ["--cards", "2000", "--asked", "10"]
LONG_ARGS: list[str] = ["--cards", "1000000", "--asked", "200"]
P95_MOST_MS = 150.0
PACE_CARDS_S = 5.0
JUDGED_FROM_CARDS = 500_000  # with fewer it is no proof, and the machine's other work decides
SCALE = 600.0  # floor seconds a second, as the config of the centre says
WORK_WITHIN_S = 300.0
P95 = 18  # of 19 cuts
COLUMNS = ("page", "median ms", "p95 ms", "wanted")
Places = Sequence[Mapping[str, str]]


def main(argv: Sequence[str]) -> int:
    """Measure and print; exit code 1 when a page is too slow or the floor did not work."""
    options = Options("pages", "Pages of the console over many cards, with the floor at work.")
    options.add_argument("--cards", type=whole_number(500, 10_000_000), default=50_000, help="in the ledger (50,000)")
    options.add_argument("--asked", type=whole_number(5, 10_000), default=50, help="times each page (50)")
    options.add_argument("--pace", type=float, default=PACE_CARDS_S, help="cards a second that are brought (5)")
    chosen = options.parse_args(argv)
    load = round(os.getloadavg()[0], 2)
    try:
        with TemporaryDirectory(prefix="cardmill-pages-") as root:
            found = measured(Path(root), chosen.cards, chosen.asked, chosen.pace)
    except (CentreFailed, ClientError, LinkError, RuntimeError, OSError) as error:
        print(f"python -m bench pages: {error}", file=sys.stderr)
        return 1
    over = {"cards": chosen.cards, "pace_cards_per_s": chosen.pace}
    result = {"bench": "pages", "machine": machine() | {"load": load}, **over, **found}
    rows = [(f"{name} ({one['status']})", f"{one['median_ms']:.1f}", f"{one['p95_ms']:.1f}", f"<= {P95_MOST_MS:.0f}")
            for name, one in result["pages"].items()]  # fmt: skip
    rows.append(("cards a second meanwhile", f"{result['cards_per_s']:.1f}", "", ""))
    show(f"Pages over {chosen.cards:,} cards, the floor at work", COLUMNS, rows, chosen.json)
    return write_json(result, chosen.json) or int(not is_good(result))


def is_good(result: Mapping[str, Any]) -> bool:
    """Say whether every page came, the floor worked, and with cards enough each p95 is as wanted."""
    came = result["cards_per_s"] > 0 and all(one["status"] == 200 for one in result["pages"].values())
    return bool(came and (result["cards"] < JUDGED_FROM_CARDS or result["worst_p95_ms"] <= P95_MOST_MS))


def measured(root: Path, cards: int, asked: int, pace: float) -> dict[str, Any]:
    """Write the ledger, let the centre work on it, ask; give the figures.  Raises: as `bench.soak.soak`."""
    with SoakCentre(root, 1) as centre:
        data = centre.folder.data
        _say(f"a ledger of {cards:,} cards")
        today = _begin(data, cards)
        places = _places(data, asked)
        _say("the service starts on it")
        centre.start()
        started_s = centre.wait_ready()
        centre.start_stations()
        with people_of(centre.folder, ASKER_NAME, today, pace) as people:
            _wait_for_work(centre)
            session = centre.session()
            before = counts_of(centre.page(), centre.service_pid, data)
            times, statuses = _ask(session, places)
            people.require()
            after = counts_of(centre.page(), centre.service_pid, data)
        centre.stop()
    pages = {name: _figures(times[name], statuses[name]) for name in times}
    return {
        "start_s": started_s,
        "asked": asked,
        "cards_per_s": (after.cards - before.cards) / (after.at_s - before.at_s),
        "worst_p95_ms": max(one["p95_ms"] for one in pages.values()),
        "pages": pages,
        "spread": {"pages": {name: {"median_ms": _width(taken)} for name, taken in times.items()}},
    }


def paths_of(place: Mapping[str, str]) -> dict[str, str]:
    """Give the pages that people ask for, of one card and its batch."""
    return {
        "card": f"/cards/{place['card']}",
        "batch": f"/batches/{place['batch']}",
        "review": "/review",
        "batches": "/batches",
        "find": f"/find?q={place['number']}",
        "floor": "/floor",
    }


def _begin(data: Path, cards: int) -> str:
    """Fill ledger, vault and clock of a fresh folder; give the floor's day on which the service goes on."""
    last_floor_s = write_cards(data, cards)
    trio.run(_begin_vault, data)
    begin_floor_s = (last_floor_s // DAY_S + 1) * DAY_S + 8 * 3_600.0
    fields = {"epoch_floor_s": begin_floor_s, "anchor_wall_s": time.time(), "scale": SCALE}
    (data / FILE).write_text(json.dumps(fields), "utf-8")
    return datetime.fromtimestamp(begin_floor_s, UTC).strftime("%Y%m%d")


async def _begin_vault(data: Path) -> None:
    async with open_vault(data):
        pass


def _places(data: Path, asked: int) -> Places:
    """Give so many cards drawn from the ledger, with their batches."""
    engine, random = ledger_place(data).reader(), Random("pages")
    reader, found = Reader(engine), list[dict[str, str]]()
    last = reader.last_batch_number()
    while len(found) < asked:
        batch_id = random.randint(1, last)
        batch = reader.batch(batch_id)
        assert batch is not None
        card = card_id(batch_id, random.randrange(batch.received))
        row = reader.card(card)
        assert row is not None
        found.append({"card": str(card), "batch": batch.batch_number, "number": row.acceptance_number})
    engine.dispose()
    return found


def _ask(session: Session, places: Places) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Ask for every page of every place by turns; give the seconds by page, and the worst status of each."""
    times: dict[str, list[float]] = {}
    statuses: dict[str, int] = {}
    for place in places:
        for name, path in paths_of(place).items():
            began_s = time.perf_counter()
            status, _ = session.ask("GET", path)
            times.setdefault(name, []).append(time.perf_counter() - began_s)
            statuses[name] = max(statuses.get(name, 0), 200 if status in FOUND else status)
    return times, statuses


FOUND = (200, 302, 303, 307)  # a find that finds one leads there


def _figures(taken_s: Sequence[float], status: int) -> dict[str, float]:
    cuts = quantiles(taken_s, n=20, method="inclusive")
    return {"median_ms": 1e3 * median(taken_s), "p95_ms": 1e3 * cuts[P95], "status": status}


def _width(taken_s: Sequence[float]) -> float:
    low, _, high = quantiles(taken_s, n=4, method="inclusive")
    return 1e3 * (high - low)


def _wait_for_work(centre: SoakCentre) -> None:
    """Wait until cards are made.  Raises: CentreFailed."""
    until_s = time.monotonic() + WORK_WITHIN_S
    first = counts_of(centre.page(), centre.service_pid, centre.folder.data).cards
    while counts_of(centre.page(), centre.service_pid, centre.folder.data).cards <= first + 8:
        if time.monotonic() > until_s:
            raise CentreFailed(f"no card was made within {WORK_WITHIN_S:g} s")
        time.sleep(0.5)


def _say(what: str) -> None:
    print(f"pages: {what} …", file=sys.stderr, flush=True)
