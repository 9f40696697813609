"""The simulated floor as a process of its own: every station over its own socket and key, one world between them."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import trio

from devices.key_files import read_pair
from devices.keys import KeyPair
from devices.zlink import Context, connect_dealer
from sims.bad_line import Dealer
from sims.faults import USUAL_FAULTS, Faults
from sims.floor import DEFAULT_FLOOR, FloorError, StationSpec
from sims.stations import SimulatedStation
from sims.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class StationsSetting:
    """What `cardmill-sim stations` is told."""

    endpoint: str
    server_public: str
    secrets_folder: Path  # `<station>.secret` for each station of the floor
    floor: Sequence[StationSpec] = DEFAULT_FLOOR
    seed: int = 1
    faults: Faults = USUAL_FAULTS
    lost_memory: bool = False  # these stations ran before, and remember nothing of it
    summary: str = ""  # where to write the JSON summary at the end; `-` is standard output, empty: nowhere


def run_stations(setting: StationsSetting) -> None:
    """Run the floor until SIGTERM or SIGINT, through every restart of the service.

    Raises: KeyFileError, LinkError, FloorError floor.bad_summary: a key, the endpoint or the place of the summary
        is unusable; before anything is run.
    """
    if setting.summary not in ("", "-") and not Path(setting.summary).absolute().parent.is_dir():
        raise FloorError("floor.bad_summary", setting.summary, "name a file in a folder that is there")
    keys = {spec.name: read_pair(setting.secrets_folder, spec.name) for spec in setting.floor}
    stations, world = trio.run(_run, setting, keys)
    if setting.summary:
        text = json.dumps(summary_of(stations, world), indent=2) + "\n"
        if setting.summary == "-":
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            Path(setting.summary).write_text(text, encoding="utf-8")


async def _run(setting: StationsSetting, keys: dict[str, KeyPair]) -> tuple[list[SimulatedStation], World]:
    world = World(setting.seed, setting.faults)
    with Context() as ctx, trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:

        def dial(pair: KeyPair) -> AbstractAsyncContextManager[Dealer]:
            return connect_dealer(ctx, setting.endpoint, my_keys=pair, server_public_key=setting.server_public)

        for pair in keys.values():  # an endpoint or key that can never work ends this now, not later in a retry
            async with dial(pair):
                break
        stations = [
            SimulatedStation(
                spec, world, partial(dial, keys[spec.name]), lost_memory=setting.lost_memory, report=_Once()
            )
            for spec in setting.floor
        ]
        async with trio.open_nursery() as nursery:
            for station in stations:
                nursery.start_soon(station.run)
            async for _ in signals:
                nursery.cancel_scope.cancel()
                break
    return stations, world


class _Once:
    """Writes a sentence to standard error when it is another one than before."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, sentence: str) -> None:
        if sentence != self._last:
            self._last = sentence
            sys.stderr.write(f"{sentence}\n")


def summary_of(stations: Sequence[SimulatedStation], world: World) -> dict[str, Any]:
    """Give what went through the floor and what was planted on it, for JSON; nothing in it is a person's.

    `planted` counts flaws made, by step and code: of positions, of sheets for jams (P4, L6, C4, W4), films that
    slipped (L5) and trays (`tray`).  `unseen` counts those of them that the station did not report.
    """
    planted: dict[str, dict[str, int]] = {}
    for (step, code), count in sorted(world.planted.items()):
        planted.setdefault(step.value, {})[code] = count
    return {
        "planted": planted,
        "unseen": {step.value: count for step, count in sorted(world.unseen.items())},
        "missed_at_inspection": world.misses,
        "violations": dict(sorted(world.violations.items())),
        "bodies_drawn": len(world.bodies),
        "stations": {station.spec.name: asdict(station.machine.tally) for station in stations},
    }
