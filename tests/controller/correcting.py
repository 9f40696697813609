"""A centre in one process that takes applications in and lets upstreams and people change them, on a perfect floor."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import trio

from controller import commands
from controller.asking.submission import batch_digest
from controller.checks.policy import Policy
from controller.config import IntakeConfig, UpstreamConfig
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.desk.desk import Desk
from controller.intake.intake import Intake
from controller.intake.judging import Judge
from controller.intake.place import Place
from controller.ledger.corrections import SentRows
from controller.ledger.verify.whole import verify
from controller.wire import (
    Answer,
    BatchState,
    CancelApplication,
    Chunk,
    ChunkStored,
    Command,
    CorrectApplication,
    OpenBatch,
    Receipt,
)
from encoders.envelope import pack
from tests.controller.checks.samples import TODAY, context, good, number_of
from tests.controller.returning import Centre, centre

DUE = "20260201"


def number(sequence: int) -> str:
    return f"520000000000{TODAY}{sequence:05d}"


def accepted_as(sequence: int) -> str:
    return f"52010200120251220{sequence:05d}"


def identity(person: int) -> str:
    return number_of("520102", "19900307", f"{person:03d}")


def application(sequence: int, person: int | None = None, **changes: object) -> bytes:
    """Give the application of somebody of their own, `person` an odd number below 1,000."""
    who = identity(2 * sequence + 1 if person is None else person)
    return pack(good(**{"acceptance_number": accepted_as(sequence), "identity_number": who, **changes}))


HELD = {"name": "样"}  # a person decides
REFUSED = {"sex": "2"}  # upstream must correct it


@dataclass
class Upstreams:
    """The doors of a centre: what upstreams and operators ask, in one process."""

    centre: Centre
    judge: Judge
    intake: Intake

    @property
    def reader(self):
        return self.centre.ledger.reader

    @property
    def state(self):
        return self.centre.host.foreman.state

    async def ask(self, request: object, user: str = "north") -> Answer:
        return await self.intake.answer(user, request)

    async def bring(self, sequence: int, sent: list[bytes], user: str = "north") -> int:
        """Bring a whole batch and wait for its verdicts; give its number here."""
        header = OpenBatch(batch_number=number(sequence), due=DUE, count=len(sent), digest=batch_digest(sent))
        assert isinstance(await self.ask(header, user), BatchState)
        raw = [msgspec.Raw(one) for one in sent]
        stored = await self.ask(Chunk(batch_number=number(sequence), first=0, applications=raw), user)
        assert isinstance(stored, ChunkStored)
        batch = self.reader.announced(number(sequence))
        with trio.fail_after(60):
            while self.reader.batch(batch.batch_id) is None:  # noqa: ASYNC110  the ledger's thread does it
                await trio.sleep(0.005)
        return batch.batch_id

    async def correct(self, sequence: int, revision: int, encoded: bytes, user: str = "north") -> Answer:
        content = msgspec.Raw(encoded)
        return await self.ask(
            CorrectApplication(acceptance_number=accepted_as(sequence), revision=revision, application=content), user
        )

    async def cancel(self, sequence: int, user: str = "north") -> Answer:
        return await self.ask(CancelApplication(acceptance_number=accepted_as(sequence), reason="withdrawn"), user)

    async def operator(self, verb: str, /, who: str = "ann", **args: object) -> Answer:
        made = self.centre
        desk = Desk(
            made.ledger, self.state, made.tally, made.clock, True, 4_000.0, made.host.post,
            returns=made.returns, vault=made.vault,
        )  # fmt: skip
        return await commands.answer(desk, who, Command(request=1, verb=verb, args=args))

    async def decide(self, card: int, decision: str) -> Answer:
        return await self.operator("decide", card=card, decision=decision, reason="looked at it")

    def cards(self, sequence: int) -> list[tuple[int, str]]:
        """Give the cards of an application, the newest first, with their states."""
        return [(row.card_id, row.state) for row in self.reader.cards_of(accepted_as(sequence))]

    def newest(self, sequence: int) -> tuple[int, str]:
        return next(iter(self.cards(sequence)), (0, ""))

    def receipts(self, sequence: int, user: str = "north") -> list[Receipt]:
        """Give what was told of one application, by whatever revision."""
        told = self.reader.receipts(user, 0)
        return [one for one in told if one.acceptance_number == accepted_as(sequence)]

    def told(self, sequence: int) -> list[tuple[int, str]]:
        return [(one.revision, one.kind) for one in self.receipts(sequence)]

    async def until_told(self, sequence: int, wanted: tuple[int, str]) -> None:
        """Wait for a receipt of an application: its revision and kind."""
        with trio.fail_after(60):
            while wanted not in self.told(sequence):  # noqa: ASYNC110  the judge and the ledger's thread do it
                await trio.sleep(0.005)

    async def settled(self) -> None:
        """Wait until the floor has nothing to do, and all of it is durable."""
        with trio.fail_after(60):
            while any(batch.in_making() or batch.bundles for batch in self.state.batches.values()):  # noqa: ASYNC110
                await trio.sleep(0.005)
        await self.operator("acts")

    def check_laws(self) -> None:
        """Raise AssertionError where one application may have two cards, or law 4 does not add up."""
        tally = self.centre.tally
        ended = tally.refused + tally.cancelled + tally.refused_late + tally.dispatched
        assert tally.received == ended + tally.open()
        for batch in self.state.batches.values():
            counts = self.reader.counts(batch.batch_id)
            parts = ("refused", "cancelled", "refused_late", "dispatched", "open")
            assert counts["received"] == sum(counts[part] for part in parts)
        alive = Counter(
            card.acceptance_number
            for found in map(self._rows_of, self._numbers())
            for card in found
            if card.state not in ("refused", "cancelled", "refused_late")
        )
        assert all(count == 1 for count in alive.values()), alive

    def verify(self) -> None:
        """Raise AssertionError where the ledger of a settled floor is not what its moves make, in memory or on disk."""
        report = verify(self.centre.ledger.reading, whole=True)
        assert report.sound, report.faults
        again = Foreman(CoreConfig())
        for at_floor_s, move in self.centre.ledger.replay():
            again.replay(at_floor_s, move)
        assert again.state == self.state

    def _numbers(self) -> set[str]:
        return {one.acceptance_number for one in self.reader.receipts("north", 0) if one.acceptance_number}

    def _rows_of(self, acceptance_number: str):
        return self.reader.cards_of(acceptance_number)

    def sent(self, sequence: int):
        return SentRows(self.centre.ledger.reading).of(accepted_as(sequence))


@asynccontextmanager
async def doors(
    folder,
    policy: Policy | None = None,
    upstreams: UpstreamConfig | None = None,
    is_judging: bool = True,
    is_working: bool = True,
):
    """Open a centre on a folder; the judge runs, and stations that were there before are idle."""
    async with centre(folder, is_working) as made, trio.open_nursery() as nursery:
        judge = Judge(made.ledger, policy or context().policy, made.host.post)
        made.returns._history = judge.history
        workers = trio.CapacityLimiter(2)
        intake = Intake(
            made.ledger, made.vault, judge, context(), Place(made.clock, True), IntakeConfig(), made.host.post, workers,
            upstreams=upstreams,
        )  # fmt: skip
        if is_judging:
            nursery.start_soon(judge.run)
        yield Upstreams(made, judge, intake)
        nursery.cancel_scope.cancel()


async def second(desk: Upstreams, verb: str, **args: object) -> Answer:
    """Let two people do an act."""
    asked = await desk.operator("act", verb=verb, args=args)
    if not hasattr(asked, "result"):
        return asked
    return await desk.operator("second", "bob", act_id=asked.result["act_id"])


def card_event(card: int, decision: str) -> e.DecisionMade:
    """Give what a person decides, as the foreman hears it."""
    return e.DecisionMade(card, decision, "ann", "looked at it")
