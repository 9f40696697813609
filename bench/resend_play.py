"""One seed of the resend bench: a hostile line brings a base's batches, and what the upstream hears is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import trio
import trio.lowlevel

from bench.resend_bases import Base
from bench.resend_centre import Hatch, frame_of, living
from sims.conformance.cast import Batch
from sims.conformance.line import Message

TIMES = (1, 1, 1, 2, 2, 3)  # a chunk is sent
WAVE = (1, 2, 3, 5, 8, 12)  # messages at once; from nine chunks on the door says `busy`
RESTART_SHARE, CUT_SHARE, UNREAD_SHARE = 0.2, 0.10, 0.15
INTERRUPTIONS_MAX = 4  # of one seed
TURNS_BEFORE_RESTART = 60  # passes of the scheduler at most
DEADLINE_S = 300.0  # of one seed
LOOK_S = 0.003
PAGES = (1, 3, 7, 1_000)
HEARD_MISUSE = frozenset({"batch.unknown"})  # a chunk that overtook its batch
FINALS, VERDICTS = ("dispatched", "cancelled", "refused_late"), ("refused", "accepted")
Frame = tuple[str, bytes]


@dataclass(slots=True)
class Played:
    """What one seed did and heard.  `violations` are sentences; none is right."""

    base: str
    sends: int = 0
    reorders: int = 0
    cuts: int = 0
    duplicates: int = 0
    restarts: int = 0
    violations: list[str] = field(default_factory=list)
    receipts: tuple[Any, ...] = ()


async def play(base: Base, seed: int, folder: Path) -> Played:
    """Bring a base once, hostile in every way that the seed draws, and give what came of it."""
    upstream = _Upstream(base, Random(f"resend {seed}"), folder)
    with trio.move_on_after(DEADLINE_S) as patience:
        await upstream.run()
    if patience.cancelled_caught:
        upstream.played.violations.append(f"not over within {DEADLINE_S:g} s")
    return upstream.played


class _Upstream:
    """The upstream and its line."""

    def __init__(self, base: Base, rng: Random, folder: Path) -> None:
        self._base, self._rng, self._folder = base, rng, folder
        self.played = Played(base.name)
        self._stored: dict[str, set[int]] = {batch.number: set() for batch in base.batches}
        self._sent: dict[str, Counter[int]] = {batch.number: Counter() for batch in base.batches}
        self._furthest: dict[str, int] = {}
        self._heard: dict[int, Message] = {}  # receipts by number
        self._lives = self._interruptions = 0

    async def run(self) -> None:
        """Send the storm, then what a client does, then cancel what was accepted, and compare."""
        waiting = list(self._storm())
        while waiting:
            waiting = await self._one_life(waiting)
        async with self._life() as hatch:
            for batch in self._base.batches:
                await self._finish(hatch, batch)
            for batch in self._base.batches:
                await self._until_judged(hatch, batch)
            waiting = list(self._cancels())
        while waiting:
            waiting = await self._one_life(waiting)
        async with self._life() as hatch:
            for _, frame in self._cancels():
                await self._ask(hatch, frame)
            await self._until_closed(hatch)
        self.played.restarts = self._lives - 1
        self.played.receipts = tuple(sorted(map(_told, self._heard.values())))
        self.played.violations += _faults_of(self._base.batches, list(self._heard.values()))

    # ---- the storm ---------------------------------------------------------------------------------------------

    def _storm(self) -> Iterator[Frame]:
        """Give what is sent, in an order that nobody meant: (what it is, its frame)."""
        rng, messages = self._rng, []
        for batch in self._base.batches:
            announcements = [("batch", frame_of(self._base.header(batch)))] * rng.choice((1, 2, 3))
            chunks = [(first, size) for first, size in _ranges(batch.count, rng) for _ in range(rng.choice(TIMES))]
            chunks += [_some(batch.count, rng) for _ in range(rng.choice((0, 1, 3)))]
            rng.shuffle(chunks)
            messages.append([*announcements[1:], *(self._chunk(batch, *one) for one in chunks)])
            yield announcements[0]
        looks = [("receipts", frame_of({"type": "receipts", "after": 0, "limit": limit})) for limit in PAGES]
        mixed = [one for some in messages for one in some] + looks
        rng.shuffle(mixed)
        yield from mixed

    def _chunk(self, batch: Batch, first: int, size: int) -> Frame:
        return f"chunk {batch.number} {first} {size}", frame_of(batch.chunk(first, size))

    def _cancels(self) -> Iterator[Frame]:
        """Give a cancellation of everything accepted or held, some twice, in any order."""
        last: dict[tuple[str, int], Message] = {}
        for _, one in sorted(self._heard.items()):
            last[one["batch_number"], one["index"]] = one
        numbers = [one["acceptance_number"] for one in last.values() if one["kind"] in ("accepted", "held")]
        some = [number for number in numbers for _ in range(self._rng.choice((1, 1, 2)))]
        self._rng.shuffle(some)
        for number in some:
            yield "cancel", frame_of({"type": "cancel", "acceptance_number": number, "reason": "resend bench"})

    async def _one_life(self, waiting: list[Frame]) -> list[Frame]:
        """Send waves until a restart is drawn or nothing waits; give what is left, lost messages left out."""
        rng = self._rng
        async with self._life() as hatch:
            while waiting:
                size = rng.choice(WAVE)
                wave, waiting = waiting[:size], waiting[size:]
                is_cut_short = self._interruptions < INTERRUPTIONS_MAX and rng.random() < RESTART_SHARE
                async with trio.open_nursery() as nursery:
                    for what, frame in wave:
                        nursery.start_soon(self._send, hatch, what, frame)
                    if is_cut_short:
                        self._interruptions += 1
                        for _ in range(rng.randrange(TURNS_BEFORE_RESTART)):
                            await trio.lowlevel.checkpoint()
                        nursery.cancel_scope.cancel()
                if is_cut_short:
                    break
        return waiting

    @asynccontextmanager
    async def _life(self) -> AsyncIterator[Hatch]:
        self._lives += 1
        async with living(self._folder) as hatch:
            yield hatch

    async def _send(self, hatch: Hatch, what: str, frame: bytes) -> None:
        """Send one message: whole, cut somewhere, or without waiting for its answer."""
        draw = self._rng.random()
        if draw < CUT_SHARE:
            self.played.cuts += 1
            await self._ask_cut(hatch, frame[: self._rng.randrange(len(frame))])
        elif draw < CUT_SHARE + UNREAD_SHARE:
            self.played.cuts += 1
            with trio.move_on_after(0.001):
                await self._ask_storm(hatch, what, frame)
        else:
            await self._ask_storm(hatch, what, frame)

    async def _ask_cut(self, hatch: Hatch, frame: bytes) -> None:
        answer = await self._ask(hatch, frame)
        if answer.get("type") != "error" or not str(answer.get("code")).startswith("envelope."):
            self.played.violations.append(f"a frame cut to {len(frame)} bytes was answered {answer.get('type')}")

    async def _ask_storm(self, hatch: Hatch, what: str, frame: bytes) -> None:
        kind, *about = what.split()
        if kind == "chunk":
            self._count(about[0], int(about[1]), int(about[2]))
        answer = await self._ask(hatch, frame)
        if answer["type"] == "chunk_stored" and kind == "chunk":
            self._stored[about[0]].update(range(int(about[1]), int(about[1]) + int(about[2])))
        elif answer["type"] == "receipts":
            self._keep(answer["items"])
        elif answer["type"] == "error" and answer["code"] not in HEARD_MISUSE and kind != "cancel":
            self.played.violations.append(f"{kind} was answered {answer['code']}")

    def _count(self, number: str, first: int, size: int) -> None:
        self.played.reorders += first < self._furthest.get(number, 0)
        self._furthest[number] = max(first, self._furthest.get(number, 0))
        for index in range(first, first + size):
            self.played.duplicates += self._sent[number][index] > 0
            self._sent[number][index] += 1

    async def _ask(self, hatch: Hatch, frame: bytes) -> Message:
        self.played.sends += 1
        answer: Message = msgspec.msgpack.decode(await hatch.ask(frame))
        return answer

    # ---- what every client does --------------------------------------------------------------------------------

    async def _finish(self, hatch: Hatch, batch: Batch) -> None:
        """Announce, send what is missing, until it is not `receiving`."""
        while True:
            state = await self._ask(hatch, frame_of(self._base.header(batch)))
            if state["type"] == "batch_state" and (state["state"] != "receiving" or not state["missing"]):
                return
            missing = [index for first, size in state.get("missing", []) for index in range(first, first + size)]
            if lost := self._stored[batch.number] & set(missing):
                self.played.violations.append(f"{len(lost)} applications were acknowledged and are missing")
                self._stored[batch.number].clear()
            for index in missing:
                self._count(batch.number, index, 1)
                await self._ask(hatch, frame_of(batch.chunk(index)))
            await trio.sleep(LOOK_S)

    async def _until_judged(self, hatch: Hatch, batch: Batch) -> None:
        while True:
            state = await self._ask(hatch, frame_of(batch.status()))
            if state.get("state") not in ("receiving", "checking"):
                await self._fetch(hatch)
                return
            await trio.sleep(LOOK_S)

    async def _until_closed(self, hatch: Hatch) -> None:
        for batch in self._base.batches:
            while True:
                state = await self._ask(hatch, frame_of(batch.status()))
                if state.get("state") in ("closed", "refused"):
                    break
                await trio.sleep(LOOK_S)
        await self._fetch(hatch)

    async def _fetch(self, hatch: Hatch) -> None:
        """Read every receipt from the first on, in pages of some size."""
        after, limit = 0, self._rng.choice(PAGES)
        while True:
            page = await self._ask(hatch, frame_of({"type": "receipts", "after": after, "limit": limit}))
            self._keep(page["items"])
            if not page["more"]:
                return
            after = page["items"][-1]["number"]

    def _keep(self, items: Iterable[Message]) -> None:
        """Keep receipts; one that was told before must be the same."""
        for one in items:
            if self._heard.setdefault(one["number"], one) != one:
                self.played.violations.append(f"receipt {one['number']} changed")


def _ranges(count: int, rng: Random) -> Iterator[tuple[int, int]]:
    at = 0
    while at < count:
        size = min(rng.randint(1, 4), count - at)
        yield at, size
        at += size


def _some(count: int, rng: Random) -> tuple[int, int]:
    first = rng.randrange(count)
    return first, rng.randint(1, min(4, count - first))


def _told(receipt: Message) -> tuple[Any, ...]:
    """Give what a receipt says, without its number, its time and its place in the chain."""
    names = ("kind", "batch_number", "acceptance_number", "index", "case", "revision")
    listed = tuple(tuple(receipt.get(name, ())) for name in ("codes", "fields", "texts"))
    return (*(str(receipt.get(name, "")) for name in names), *listed, tuple(sorted(receipt.get("counts", {}).items())))


def _faults_of(batches: Sequence[Batch], heard: list[Message]) -> Iterator[str]:
    """Say what the receipts break: gaps, verdicts that are not one, finals that are not one, ends that are not one."""
    numbers = sorted(one["number"] for one in heard)
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"receipts are numbered {numbers[:5]} … {numbers[-3:]}"
    for batch in batches:
        own = [one for one in heard if one["batch_number"] == batch.number]
        if any(one["index"] == -1 and one["kind"] == "refused" for one in own):
            continue  # refused as a whole
        ends = sum(one["kind"] == "batch_closed" for one in own)
        if ends != 1:
            yield f"a batch of {batch.count} was closed {ends} times"
        for index in range(batch.count):
            kinds = Counter(one["kind"] for one in own if one["index"] == index)
            verdicts, finals = sum(kinds[kind] for kind in VERDICTS), sum(kinds[kind] for kind in FINALS)
            if verdicts != 1 or finals != kinds["accepted"]:
                yield f"application {index} of {batch.count} heard {dict(kinds)}"
