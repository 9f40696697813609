"""A centre in one process for tests of returns: a real ledger and vault, and a floor of perfect stations."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

import trio
import trio.testing

from controller import commands
from controller.clock import FloorClock, day_start_floor_s
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, RowVerdict, Verdict
from controller.core.settings import CoreConfig
from controller.core.tally import Tally
from controller.desk.desk import Desk
from controller.hosts.live import LiveHost
from controller.intake.judging import Judge
from controller.ledger.inbox import AnnounceBatch, InboxRow, StoreChunk, StoreVerdicts
from controller.ledger.store import Ledger, open_ledger
from controller.returns import Returns
from controller.vault.store import Vault, open_vault
from controller.wire import Command, Done, Refusal
from controller.wiring import LedgerKeeper
from devices.defects import GOOD, Step
from devices.messages import Fate, blank_serial
from encoders.envelope import pack
from tests.controller.checks.samples import TODAY, context, good

STATIONS = [(step.value, step, 24 if step is Step.LAMINATE else 100) for step in Step]
BATCH = f"520000000000{TODAY}00001"
NUMBERS = [f"52010200120251220{sequence:05d}" for sequence in range(3)]
BODIES = 100


@dataclass
class Centre:
    """Ledger, vault, foreman and a floor of perfect stations that answer at once."""

    ledger: Ledger
    vault: Vault
    host: LiveHost
    judge: Judge
    returns: Returns
    tally: Tally
    clock: FloorClock
    moves: list[AnyMove]

    async def ask(self, verb: str, **args: object) -> Done | Refusal:
        state = self.host.foreman.state
        desk = Desk(self.ledger, state, self.tally, self.clock, True, 4_000.0, self.host.post, returns=self.returns)
        return await commands.answer(desk, "ann", Command(request=1, verb=verb, args=args))

    async def back(self, number: str = NUMBERS[0], code: str = "chip_dead") -> Done | Refusal:
        return await self.ask("card_back", acceptance_number=number, code=code)

    async def bring(self, numbers: list[str] = NUMBERS, name: str = BATCH, **changes: object) -> int:
        """Bring a batch past the checks, its applications in the vault and its rows in the inbox."""
        sent = [pack(good(acceptance_number=number, **changes)) for number in numbers]
        now = self.clock.now_floor_s()
        digest = sha256(b"".join(sha256(one).digest() for one in sent)).hexdigest()
        batch = await self.ledger.write(
            AnnounceBatch(name, "north", "20260201", len(sent), digest, "second", TODAY, now)
        )
        await self.vault.store_applications(batch.batch_id, list(enumerate(sent)))
        rows = [
            InboxRow(index, number, sha256(one).digest(), f"id{number}".encode(), f"he{number}".encode(), "520102001",
                     False, "10")
            for index, (number, one) in enumerate(zip(numbers, sent, strict=True))
        ]  # fmt: skip
        await self.ledger.write(StoreChunk(batch.batch_id, rows))
        return batch.batch_id

    async def made(self, batch_id: int, numbers: list[str] = NUMBERS) -> None:
        """Let the floor make and send a batch whose rows are all good."""
        rows = [RowVerdict(index, one, "520102001", Verdict.OK) for index, one in enumerate(numbers)]
        await self.ledger.write(StoreVerdicts(batch_id, rows))
        now = self.clock.now_floor_s()
        await self.host.post(e.BatchChecked(batch_id, BATCH, "north", "second", now, now + 9e5, rows)).wait()
        await self.settled()

    async def settled(self) -> None:
        """Wait until no batch is open: the stations answer at once."""
        with trio.fail_after(60):
            while self.host.foreman.state.batches:  # noqa: ASYNC110  the ledger's thread does it
                await trio.sleep(0.01)
        await self.ask("acts")  # and all of it is durable

    def kinds(self, card: int) -> list[str]:
        about = {receipt.number: receipt for receipt in self.ledger.reader.receipts("north", 0)}
        batch = self.ledger.reader.batch(card // 10_000)
        return [
            one.kind for one in about.values() if one.batch_number == batch.batch_number and one.index == card % 10_000
        ]


class PerfectFloor:
    """Stations that do everything right at once."""

    def __init__(self) -> None:
        self.host: LiveHost | None = None
        self.bodies: list[int] = []
        self.drawn: dict[int, int] = {}
        self.is_over = False

    def perform(self, action: e.AnyAction) -> None:
        if self.is_over:
            return
        if isinstance(action, e.Encode):
            self.host.post(e.CardsEncoded(action.job_id))
        elif isinstance(action, e.FillMagazine):
            self.bodies += range(action.first_body, action.first_body + action.sheets)
        elif isinstance(action, e.StartJob):
            self.host.post(self._done(action))

    def _done(self, job: e.StartJob) -> e.AnyEvent:
        if job.bundle_id:
            return e.BundlePacked(job.station, job.job_id, 1.0, 2.0, list(job.blanks))
        outcomes = []
        for sheet_id, cards in job.sheets:
            body = self.drawn.get(sheet_id, 0)
            if job.step == Step.LAMINATE:
                body = self.drawn[sheet_id] = self.bodies.pop(0)
            blanks = [blank_serial(body, place) if card else 0 for place, card in enumerate(cards)]
            said = body if job.step == Step.LAMINATE else 0
            outcomes.append(e.SheetOutcome(sheet_id, Fate.DONE, GOOD, said, [GOOD] * 8, blanks))
        return e.StepDone(job.station, job.job_id, 1.0, 2.0, outcomes)


@asynccontextmanager
async def centre(folder, is_working=True):
    """Open a centre on a folder; stations join and a magazine is filled at the first time."""
    async with open_ledger(folder) as ledger, open_vault(folder) as vault:
        clock, floor = FloorClock(day_start_floor_s(TODAY) + 3_600, time.time()), PerfectFloor()
        foreman, tally, moves = Foreman(CoreConfig()), Tally(), []
        last, fresh = 0.0, True
        for at_floor_s, move in ledger.replay():
            foreman.replay(at_floor_s, move)
            tally.fold(at_floor_s, move)
            last, fresh = at_floor_s, False

        def count(at_floor_s, made):
            moves.extend(made)
            for move in made:
                tally.fold(at_floor_s, move)

        host = floor.host = LiveHost(foreman, clock, LedgerKeeper(ledger), floor.perform, count)
        host.start_after(last)
        judge = Judge(ledger, context().policy, host.post)
        returns = Returns(ledger, vault, judge.history, clock.now_floor_s, host.post)
        made = Centre(ledger, vault, host, judge, returns, tally, clock, moves)
        for magazine in foreman.state.stock.magazines.values():
            floor.bodies += [body for one in magazine for body in range(one.first, one.first + one.sheets)]
        await host.post(e.ServiceBegan()).wait()
        if fresh:
            for name, step, load_max in STATIONS:
                await host.post(e.StationSeen(name, step, "perfect", load_max, "idle", "")).wait()
            for verb, more in (("receive", {"lot": "A"}), ("issue", {"station": "laminate"})):
                turn = await host.post(e.ActAsked(verb, {"first_body": 1_000, "sheets": BODIES, **more}, "ann")).wait()
                await host.post(e.ActSeconded(turn.answer, "bob")).wait()
        elif is_working:
            for name, _, _ in STATIONS:
                await host.post(e.StationReported(name, "idle", "", last)).wait()
        try:
            yield made
        finally:
            floor.is_over = True


@asynccontextmanager
async def sent_centre(folder):
    """A centre that made and sent a batch of three."""
    async with centre(folder) as made:
        await made.made(await made.bring())
        yield made
