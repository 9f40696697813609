"""A centre that has something to purge: a batch made long ago with a refused and a cancelled row, and a fresh one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import trio
from sqlalchemy import select

from controller.core import events as e
from controller.core.moves import RowVerdict, Verdict
from controller.core.turn import Turn
from controller.intake.giving_up import GivingUp
from controller.ledger import tables
from controller.ledger.inbox import InboxState, SetBatchState, StoreVerdicts
from controller.ledger.purge_rows import PurgeReader
from controller.upkeep.purging import Purger
from controller.vault.errors import KeyMissing
from tests.controller.checks.samples import TODAY
from tests.controller.returning import BATCH, NUMBERS, Centre, centre

DAYS, DAY_S = 200, 86_400.0
UNIT = "520102001"
OTHER_BATCH, REFUSED_BATCH = (f"520000000000{TODAY}0000{place}" for place in (2, 3))
OTHER_NUMBERS = [f"52010200120251221{sequence:05d}" for sequence in range(2)]
REFUSED_NUMBERS = [f"52010200120251222{sequence:05d}" for sequence in range(2)]


class Cut(BaseException):
    """The service is no more."""


class Steps:
    """Counts the steps of a purge and cuts it before one of them."""

    def __init__(self, allowed: int = 10_000) -> None:
        self.allowed, self.made = allowed, 0

    def step(self) -> None:
        if self.made == self.allowed:
            raise Cut
        self.made += 1


class Cutting:
    """Vault, ledger or host whose named calls are steps."""

    def __init__(self, real, steps, *names) -> None:
        self._real, self._steps, self._names = real, steps, names

    def __getattr__(self, name):
        if name in self._names:
            self._steps.step()
        return getattr(self._real, name)


def purger(made: Centre, steps: Steps | None = None) -> Purger:
    """Give a purger of a centre, which the steps may cut."""
    steps = steps or Steps()
    host = Cutting(made.host, steps, "post")
    vault = Cutting(made.vault, steps, "destroy_keys", "erase")
    ledger = Cutting(made.ledger, steps, "write")
    history = trio.Lock()
    giving_up = GivingUp(ledger, history, lambda event: host.post(event), lambda batch_id: None)
    return Purger(ledger, vault, lambda event: host.post(event), giving_up.give_up, history)


async def make_all(made: Centre) -> tuple[int, int, int]:
    """Make a batch of which one row is refused and one cancelled, refuse a whole one, then let 200 days go by.

    A third one is made after that.  Gives the numbers of the mixed, the refused and the fresh one.
    """
    mixed = await made.bring()
    verdicts = (Verdict.OK, Verdict.REFUSE, Verdict.HOLD)
    rows = [RowVerdict(index, one, UNIT, verdicts[index]) for index, one in enumerate(NUMBERS)]
    await made.ledger.write(StoreVerdicts(mixed, rows))
    now = made.clock.now_floor_s()
    await made.host.post(e.BatchChecked(mixed, BATCH, "north", "second", now, now + 9e5, rows)).wait()
    await made.host.post(e.DecisionMade(mixed * 10_000 + 2, "refuse", "ann", "not in the register")).wait()
    await made.settled()
    refused = await made.bring(REFUSED_NUMBERS, REFUSED_BATCH)
    await made.ledger.write(SetBatchState(refused, InboxState.REFUSED, ["batch.digest"]))
    told = e.BatchChecked(refused, REFUSED_BATCH, "north", "second", now, now + 9e5, [], ["batch.digest"])
    await made.host.post(told).wait()
    made.clock.epoch_floor_s += DAYS * DAY_S
    fresh = await made.bring(OTHER_NUMBERS, OTHER_BATCH)
    await made.made(fresh, OTHER_NUMBERS)
    return mixed, refused, fresh


@asynccontextmanager
async def later(folder):
    """Open the centre again as it is 200 days later."""
    async with centre(folder) as made:
        made.clock.epoch_floor_s += DAYS * DAY_S
        yield made


async def propose(made: Centre, days: int) -> Turn:
    """Let one person propose a purge."""
    return await made.host.post(e.ActAsked("purge", {"days": days}, "ann")).wait()


async def agree(made: Centre, days: int = 180) -> e.Purge:
    """Let two people agree to a purge, and give what the shell is asked to do."""
    asked = await propose(made, days)
    assert asked.refused is None, asked.refused
    done = await made.host.post(e.ActSeconded(asked.answer, "bob")).wait()
    [action] = done.actions
    assert isinstance(action, e.Purge)
    return action


async def purged(made: Centre) -> None:
    """Let two people agree to a purge, and do it."""
    await purger(made).purge(await agree(made))


def under_way(made: Centre, *, begun: bool = True) -> e.Purge:
    """Give the purge that is open, as the next start asks for it."""
    [(purge_id, before)] = made.host.foreman.state.purges.items()
    return e.Purge(purge_id, before, begun)


def can_read(made: Centre, batch_id: int, index: int = 0) -> bool:
    try:
        return bool(made.vault.application(batch_id, index))
    except KeyMissing:
        return False


def inbox_rows(made: Centre, batch_id: int) -> list:
    table = tables.inbox_application
    with made.ledger.reading.connect() as connection:
        query = select(table).where(table.c.batch_id == batch_id).order_by(table.c.idx)
        return connection.execute(query).all()


def is_as_purged(made: Centre, batch_id: int) -> bool:
    """Say whether ledger and vault agree that a batch is purged, and its rows are those the chain knows."""
    batch, reader = made.ledger.reader.batch(batch_id), PurgeReader(made.ledger.reading)
    is_gone = batch_id not in made.vault.batches() and not can_read(made, batch_id)
    return is_gone and batch.purged_floor_s > 0 and batch.rows_hash == reader.rows_hash(batch_id)


def bare(batch) -> object:
    """Give a batch's row without what a purge writes into it."""
    return replace(batch, rows_hash=b"", purged_floor_s=0.0)
