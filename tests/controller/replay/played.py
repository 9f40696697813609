"""A small whole record: a day's batches made, stations drifting, several runs under settings of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import create_engine

from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig, DriftConfig, PlanConfig, RemakeConfig
from controller.ledger.journal import Recorded
from controller.ledger.store import DATABASE_NAME, open_ledger
from controller.replay.run import began
from sims.faults import USUAL_FAULTS
from sims.heap_batches import floor_day
from sims.heap_floor import HeapFloor

CARDS = 700
FIRST = CoreConfig()
NARROW = CoreConfig(plan=PlanConfig(encode_load=8, sheet_wait_s=30.0), remake=RemakeConfig(discard_film_at=1))
NERVOUS = replace(NARROW, drift=DriftConfig(threshold=2.0, warn_threshold=1.0))


class Played(HeapFloor):
    """A floor in virtual time that records each event as the service does; its first run as an older program did."""

    def __init__(self, seed: int, recorded: list[Recorded]) -> None:
        self._recorded = recorded
        super().__init__(seed, faults=USUAL_FAULTS.times(15.0))

    def _keep(self, at_floor_s, event, moves):
        heard = event if self._recorded else e.ServiceBegan()
        self._recorded.append(Recorded(at_floor_s, heard, list(moves)))
        super()._keep(at_floor_s, event, moves)

    def start_again(self, at_floor_s: float, event: e.ServiceBegan, config: CoreConfig) -> None:
        """Let a new run of the service begin, its foreman folded from the moves as at any start."""
        self.run(at_floor_s)
        foreman = Foreman(config)
        for one in self._recorded:
            for move in one.moves:
                foreman.replay(one.at_floor_s, move)
        self.foreman = self.host.foreman = foreman
        self.host.handle(event, max(at_floor_s, self.host.now_floor_s))
        for name, spec in self.machines.items():
            one = spec.spec
            self.host.handle(e.StationSeen(name, one.step, one.model, one.load_max, "idle", ""), self.host.now_floor_s)


def record_of(seed: int, runs: Sequence[tuple[float, CoreConfig]] = ()) -> list[Recorded]:
    """Give what a service records of a day; `runs` begin later, each with settings of its own."""
    recorded: list[Recorded] = []
    floor = Played(seed, recorded)
    for arrival in floor_day(seed, CARDS):
        floor.submit(arrival)
    for at_floor_s, config in runs:
        floor.start_again(at_floor_s, began(config), config)
    floor.run()
    return recorded


async def write(folder: Path, recorded: Sequence[Recorded], url: str = "") -> None:
    """Make what was recorded durable in a ledger of a folder."""
    async with open_ledger(folder, url=url) as ledger:
        for one in recorded:
            await ledger.room()
            ledger.put(one)


def tamper(folder: Path, *statements: str) -> None:
    """Change a ledger as somebody would who has the file, past the triggers."""
    engine = create_engine(f"sqlite:///{folder / DATABASE_NAME}")
    with engine.begin() as connection:
        for table in ("event", "move"):
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
