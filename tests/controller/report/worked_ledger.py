"""A real ledger of half a day: stations fail, two people count, lose, destroy and close shifts, cards come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio
from sqlalchemy import Engine

from controller.core import events as e
from controller.core.fold import apply
from controller.core.moves import AnyMove, RowVerdict, Verdict
from controller.core.state import FloorState
from controller.ledger.engine import reader_engine
from controller.ledger.journal import Recorded
from controller.ledger.store import DATABASE_NAME, open_ledger
from devices.messages import POSITIONS
from tests.controller.core.keepers_floor import PRESSES, KeepersFloor

ENDS_FLOOR_S = 43_200.0
CLOSES_S, STEP_S = 7_200.0, 600.0


def worked_floor(seed: int) -> KeepersFloor:
    """Give a floor after half a day; every two hours its stock is counted and the shift closed."""
    floor = KeepersFloor(seed, trouble=0.08)
    for batch in range(1, 9):
        floor.submit(4_000.0 * batch - 3_500.0, batch, cards=48, holds=3, refused=4)
    for batch, due in ((9, 2_050.0), (10, 30_000.0), (11, 42_000.0)):  # the last one is open when the half day ends
        rows = [RowVerdict(index, f"{batch:022d}", "520102001", Verdict.OK) for index in range(8)]
        at = 2_000.0 if batch == 9 else due - 600.0
        floor.host.push(at, e.BatchChecked(batch, f"{batch:025d}", "north", "second", at, due, rows))
    floor.host.push(100.0, e.StationReported("w2", "aborted", "head 3", 100.0))
    floor.host.push(5_100.0, e.StationReported("w2", "idle", "", 5_100.0))
    for step in range(1, int(ENDS_FLOOR_S / STEP_S) + 1):
        floor.host.run(step * STEP_S)
        floor.host.now_floor_s = step * STEP_S
        _keep_going(floor)
        if step * STEP_S % CLOSES_S == 0:
            for place in ("vault", "spoiled", *floor.state.stock.magazines):
                floor.count(place)
            floor.both("close_shift")
        elif step == 20:
            floor.count("vault", 1)  # somebody miscounts, and counts again before the shift is closed
        elif step % 3 == 0:
            floor.errand()
    floor.host.run(ENDS_FLOOR_S)
    return floor


def _keep_going(floor: KeepersFloor) -> None:
    if any(floor.state.stock.in_magazine(press, POSITIONS) < 3 for press in PRESSES):
        floor.fill(40)
    floor.settle_suspects()
    floor.look_through_piles()
    floor.load_all()
    for station in list(floor.state.station_holds):
        floor.say(e.ReleaseAsked(station, "ann"))


@contextmanager
def ledger_of(floor: KeepersFloor, folder: Path) -> Iterator[Engine]:
    """Give a reader of the ledger that holds what a floor did."""

    async def fill() -> None:
        async with open_ledger(folder) as ledger:
            for at, move in floor.log:
                ledger.put(Recorded(at, e.TimerFired(), [move]))
                await ledger.room()
            await ledger.record(Recorded(floor.log[-1][0], e.TimerFired(), []))

    trio.run(fill)
    engine = reader_engine(folder / DATABASE_NAME)
    yield engine
    engine.dispose()


def accounts_at(log: list[tuple[float, AnyMove]], at_floor_s: float) -> dict[str, int]:
    """Give the blanks of each account as the core's own fold has them before a time."""
    state = FloorState()
    for at, move in log:
        if at < at_floor_s:
            apply(state, at, move)
    return {account.value: blanks for account, blanks in state.stock.blanks.items()}
