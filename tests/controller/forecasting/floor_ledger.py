"""A floor in the middle of its work, and a real ledger in a data folder that holds all it did."""

from __future__ import annotations

from contextlib import asynccontextmanager

from controller.core import events as e
from controller.desk.desk import AllBefore
from controller.ledger.journal import Recorded
from controller.ledger.store import open_ledger
from tests.controller.core.rough_floor import RoughFloor

HOUR_S = 3_600.0
CARDS = 160  # of each batch


def floor_at_work(batches=4, until_s=400.0, seed=3, trouble=0.03, hours=0.05):
    """Give a floor that has made some of its batches, and not the others."""
    floor = RoughFloor(seed, trouble=trouble)
    floor.fill(40 * batches)
    for batch_id in range(1, batches + 1):
        floor.submit(hours * HOUR_S * (batch_id - 1) / batches, batch_id, cards=CARDS)
    floor.host.run(until_s)
    return floor


class Kept:
    """A ledger that holds what a floor did, and takes what it does next."""

    def __init__(self, ledger, floor):
        self.ledger, self.floor, self._kept = ledger, floor, 0

    async def keep(self):
        """Let the ledger have what moved since."""
        fresh = self.floor.log[self._kept :]
        self._kept = len(self.floor.log)
        for at, move in fresh:
            self.ledger.put(Recorded(at, e.TimerFired(), [move]))
        await self.ledger.write(AllBefore())


@asynccontextmanager
async def kept(folder, floor):
    """Open a ledger in a folder and let it have what a floor did."""
    async with open_ledger(folder) as ledger:
        made = Kept(ledger, floor)
        await made.keep()
        yield made
