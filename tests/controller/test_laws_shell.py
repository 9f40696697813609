"""Attempts to break the laws in the shell: intake, judging, doors, floor, commands, start and stop on a real disk."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import ClassVar

import msgpack
import msgspec
import pytest
import trio

from controller import commands
from controller.asking.submission import batch_digest
from controller.clock import FloorClock, day_start_floor_s
from controller.config import ClockConfig, Config, IntakeConfig, MetricsConfig, ServiceConfig, StorageConfig
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.core.tally import Tally
from controller.desk.desk import Desk
from controller.doors import serve_door, upstream_requests
from controller.floor_time import open_clock
from controller.hosts.live import LiveHost
from controller.intake.examination import examine
from controller.intake.intake import Intake
from controller.intake.judging import Judge, judge
from controller.intake.place import Place
from controller.ledger.errors import LedgerInUse
from controller.ledger.inbox import InboxState, SetBatchState, StoreVerdicts
from controller.ledger.store import Ledger, open_ledger
from controller.metrics import Metrics
from controller.service import _allowed, _Rest, serve
from controller.upkeep.disk import DiskWatch
from controller.vault.store import Vault, open_vault
from controller.wire import BatchState, Busy, Chunk, ChunkStored, Command, Done, FetchReceipts, OpenBatch
from controller.wiring import Books, Doors, LedgerKeeper, Parts, open_floor
from devices.key_ring import KeyRing
from devices.keys import LinkError, curve_keypair
from devices.limits import SocketLimits
from devices.zlink import Delivery
from encoders.envelope import EnvelopeError, pack
from tests.controller.checks.samples import TODAY, context, good
from tests.controller.core.rough_floor import RoughFloor

DUE = "20260201"


def number(sequence: int) -> str:
    return f"520000000000{TODAY}{sequence:05d}"


def application(sequence: int, **changes: object) -> bytes:
    return pack(good(acceptance_number=f"52010200120251220{sequence:05d}", **changes))


@dataclass
class Shell:
    """Intake, judge and foreman on a real ledger and vault."""

    ledger: Ledger
    vault: Vault
    host: LiveHost
    judge: Judge
    intake: Intake

    async def bring(self, sequence: int, sent: list[bytes], user: str = "north") -> object:
        header = OpenBatch(batch_number=number(sequence), due=DUE, count=len(sent), digest=batch_digest(sent))
        state = await self.intake.answer(user, header)
        if not isinstance(state, BatchState):
            return state
        for first in range(0, len(sent), 200):
            stored = await self.chunk(sequence, sent[first : first + 200], first, user)
            assert isinstance(stored, ChunkStored)
        return state

    async def chunk(self, sequence: int, sent: list[bytes], first: int = 0, user: str = "north") -> object:
        raw = [msgspec.Raw(one) for one in sent]
        return await self.intake.answer(user, Chunk(batch_number=number(sequence), first=first, applications=raw))

    async def judged(self, sequence: int) -> None:
        batch = self.ledger.reader.announced(number(sequence))
        await until(lambda: self.ledger.reader.batch(batch.batch_id))


async def until(is_so) -> None:
    with trio.fail_after(30):
        while not is_so():  # noqa: ASYNC110  other threads do it
            await trio.sleep(0.01)


@asynccontextmanager
async def shell(folder, **settings):
    """A shell whose judge does not run yet: `nursery.start_soon(shell.judge.run)`."""
    async with open_ledger(folder) as ledger, open_vault(folder) as vault:
        clock = FloorClock(day_start_floor_s(TODAY) + 3_600, time.time())
        foreman = Foreman(CoreConfig())
        for at_floor_s, move in ledger.replay():
            foreman.replay(at_floor_s, move)
        host = LiveHost(foreman, clock, LedgerKeeper(ledger), lambda action: None, lambda at, moves: None)
        judges = Judge(ledger, context().policy, host.post)
        config, workers = IntakeConfig(**settings), trio.CapacityLimiter(2)
        intake = Intake(ledger, vault, judges, context(), Place(clock, True), config, host.post, workers)
        yield Shell(ledger, vault, host, judges, intake)


# ---- bad input is an answer (law 10) ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record", [b"\x81\x90\x01", b"\x81\x80\x01", b"\x82\xa4name\xa1x\x91\x01\x02", b"\x81\x91\x80\x01"]
)
def test_a_record_with_a_key_that_nothing_can_be_found_by_is_refused_by_its_code(record):
    [found] = examine([record], context(), b"k" * 32)
    assert [one.code for one in found.findings] == ["record.unreadable"]


def wrong_in_every_field(sequence: int) -> bytes:
    name = "·a1 \u3000\u200b\ufe00⺀•\ue000\ue81e𠮷豈㐁ａ，、··" + "·" * 5
    fields = {
        "acceptance_number": f"99999999999999999{sequence:05d}", "card_kind": "zz", "name": name, "sex": "9",
        "identity_number": "99000019999999000x", "birth": "20001340", "ethnic": "99", "address": name * 3,
        "address_county": "999999", "authority": "a" * 20, "valid_from": "99999999", "valid_until": "x",
        "reason": "99", "production_type": "9", "fee_class": "zz", "unit": "9", "portrait": b"",
    }  # fmt: skip
    return msgpack.packb(fields)


async def test_receipts_of_records_wrong_in_every_field_come_in_pages_that_fit_a_message(tmp_path, nursery):
    async with shell(tmp_path) as centre:
        nursery.start_soon(centre.judge.run)
        await centre.bring(1, [wrong_in_every_field(index) for index in range(1_000)])
        await centre.judged(1)
        seen, more = [], True
        while more:
            after = seen[-1] if seen else 0
            page = await centre.intake.answer("north", FetchReceipts(after=after, limit=1_000))
            assert len(pack(page)) <= SocketLimits().max_message_bytes
            seen += [one.number for one in page.items]
            more = page.more
        assert seen == list(range(1, 1_002))  # 1,000 refusals, and the batch's end
        nursery.cancel_scope.cancel()


class Router:
    """A router in memory that carries at most 1,000 bytes."""

    endpoint = "memory"

    def __init__(self, *frames: bytes) -> None:
        self._frames, self.sent = list(frames), []

    heard: ClassVar = set()

    def drop_revoked(self):
        return 0

    async def recv(self):
        if not self._frames:
            await trio.sleep_forever()
        return Delivery(b"peer", "ann", self._frames.pop(0))

    async def recv_many(self, limit):
        return [await self.recv()]

    def send(self, peer, body):
        if len(body) > 1_000:
            raise LinkError("link.too_long", len(body))
        self.sent.append(msgspec.msgpack.decode(body))


async def test_an_answer_no_message_can_hold_is_told_as_such_and_the_door_stays_open(autojump_clock, nursery):
    async def answer(user, request):
        return Done(request=request.request, result="x" * (5_000 if request.request == 1 else 5))

    router = Router(*(pack({"type": "hello", "version": 1, "request": each}) for each in (1, 2)))
    nursery.start_soon(partial(serve_door, router, upstream_requests, answer))
    await trio.sleep(1)
    assert {one["request"]: (one["type"], one.get("code")) for one in router.sent} == {
        1: ("error", "link.too_long"),
        2: ("done", None),
    }
    nursery.cancel_scope.cancel()


def test_a_chunk_of_more_applications_than_any_batch_is_refused_before_it_costs_memory():
    count = 1_000_000
    head = {"type": "chunk", "batch_number": "1", "first": 0}
    frame = b"\x84" + msgpack.packb(head)[1:] + b"\xacapplications\xdd" + count.to_bytes(4) + b"\xc0" * count
    with pytest.raises(EnvelopeError) as refused:
        upstream_requests.unpack(frame)
    assert refused.value.path == "$.applications"


async def test_batches_that_wait_for_their_verdicts_are_counted_at_the_door(tmp_path, nursery):
    async with shell(tmp_path, batches_max=2) as centre:
        for sequence in (1, 2):
            assert isinstance(await centre.bring(sequence, [application(sequence)]), BatchState)
        assert isinstance(await centre.bring(3, [application(3)]), Busy)
        for _ in range(300):  # a last chunk sent again and again is one batch
            assert isinstance(await centre.chunk(1, [application(1)]), ChunkStored)
        assert centre.judge.backlog == 2
        nursery.start_soon(centre.judge.run)
        await until(lambda: not centre.judge.backlog)
        assert isinstance(await centre.bring(3, [application(3)]), BatchState)
        await centre.judged(3)
        nursery.cancel_scope.cancel()


async def test_batches_that_were_whole_when_the_service_died_hold_no_place_after_it(tmp_path, nursery):
    async with shell(tmp_path, batches_max=2) as centre:
        for sequence in (1, 2):
            await centre.bring(sequence, [application(sequence)])
    async with shell(tmp_path, batches_max=1) as centre:
        nursery.start_soon(centre.judge.run)
        await centre.judged(2)
        assert isinstance(await centre.bring(3, [application(3)]), BatchState)
        nursery.cancel_scope.cancel()


def test_a_stray_file_among_the_keys_lets_nobody_in_and_ends_nothing(tmp_path):
    ring = KeyRing(tmp_path)
    known, stranger = curve_keypair().public, curve_keypair().public
    ring.allow("operator", "ann", known)
    (tmp_path / "allowed" / "operator" / "half.public").write_text("cut off", "utf-8")
    assert _allowed(ring, "operator", stranger) is None
    assert _allowed(ring, "operator", known) == "ann"


def test_a_flood_of_unlisted_keys_costs_two_looks_at_the_folder_a_second_and_a_new_key_still_gets_in(
    tmp_path, monkeypatch
):
    ring, now_s, looks = KeyRing(tmp_path), [100.0], []
    looked = ring.has_changed
    monkeypatch.setattr(ring, "has_changed", lambda: looks.append(now_s[0]) or looked())
    rest = _Rest(lambda: now_s[0])
    stranger, known, other = (curve_keypair().public for _ in range(3))
    for _ in range(1_000):
        assert _allowed(ring, "operator", stranger, rest) is None
        now_s[0] += 1 / 256
    assert len(looks) == 8
    KeyRing(tmp_path).allow("operator", "ann", known)
    now_s[0] += 0.5
    assert _allowed(ring, "operator", known, rest) == "ann"
    KeyRing(tmp_path).allow("operator", "bob", other)
    assert _allowed(ring, "operator", other, rest) == "bob", "a look that found something is followed by no rest"
    (tmp_path / "allowed" / "operator" / "half.public").write_text("cut off", "utf-8")
    del looks[:]
    for _ in range(10):
        assert _allowed(ring, "operator", stranger, rest) is None
    assert len(looks) == 1, "neither does a folder that cannot be read"


# ---- same batch, same answer; nothing acknowledged is lost (laws 3 and 5) --------------------------------------


async def test_other_content_is_a_conflict_also_when_the_verdicts_are_out_and_after_a_restart(tmp_path):
    sent = [application(1), application(2, name="样例乙")]
    for is_judged in (False, True):
        async with shell(tmp_path) as centre, trio.open_nursery() as nursery:
            await centre.bring(1, sent)
            nursery.start_soon(centre.judge.run)
            if is_judged:
                await centre.judged(1)
            assert isinstance(await centre.chunk(1, sent), ChunkStored)
            other = await centre.chunk(1, [sent[0], application(2, name="样例丙")])
            assert (other.code, other.index) == ("chunk.conflict", 1)
            batch = centre.ledger.reader.announced(number(1))
            assert centre.vault.applications(batch.batch_id, [0, 1]) == sent
            await centre.judged(1)
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("cut", ["before the verdicts", "after the verdicts", "after the refusal"])
async def test_a_batch_whose_judging_was_cut_short_is_judged_once_whatever_was_durable(tmp_path, cut):
    sent = [application(1), application(1), application(2)]
    async with shell(tmp_path) as centre:
        await centre.bring(1, sent)
        batch = centre.ledger.reader.announced(number(1))
        codes, rows = judge(centre.ledger.reader, batch, context().policy)
        assert codes == []
        if cut == "after the verdicts":
            await centre.ledger.write(StoreVerdicts(batch.batch_id, rows))
        elif cut == "after the refusal":
            await centre.ledger.write(SetBatchState(batch.batch_id, InboxState.REFUSED, ["batch.digest"]))
    for _ in range(2):
        async with shell(tmp_path) as centre, trio.open_nursery() as nursery:
            nursery.start_soon(centre.judge.run)
            await centre.judged(1)
            nursery.cancel_scope.cancel()
    async with shell(tmp_path) as centre:
        told = [event for _, event in centre.ledger.events() if isinstance(event, e.BatchChecked)]
        assert [event.rows for event in told] == [rows]
        kinds = [one.kind for one in centre.ledger.reader.receipts("north", 0)]
        assert sorted(kinds) == ["accepted", "refused", "refused"]  # the third is the same person as the first


async def test_a_body_that_reached_the_vault_alone_does_not_bind_what_is_sent_again(tmp_path):
    async with shell(tmp_path) as centre:
        await centre.intake.answer(
            "north", OpenBatch(batch_number=number(1), due=DUE, count=1, digest=batch_digest([application(2)]))
        )
        batch = centre.ledger.reader.announced(number(1))
        await centre.vault.store_applications(batch.batch_id, [(0, application(1))])  # and then the power was cut
    async with shell(tmp_path) as centre:
        assert isinstance(await centre.chunk(1, [application(2)]), ChunkStored)
        assert centre.vault.application(batch.batch_id, 0) == application(2)


# ---- commit before telling -------------------------------------------------------------------------------------


class HeldLedger:
    """A ledger whose next commit comes when `sync` is set."""

    def __init__(self) -> None:
        self.sync = trio.Event()

    async def write(self, change):
        await self.sync.wait()


@pytest.mark.parametrize("verb", ["status", "stations", "stock", "suspects", "acts"])
async def test_what_the_foreman_has_decided_is_shown_only_when_it_is_durable(autojump_clock, nursery, verb):
    floor, ledger, shown = RoughFloor(1, trouble=0.0), HeldLedger(), []
    clock = FloorClock(0.0, time.time())
    desk = Desk(ledger, floor.state, Tally(), clock, True, 4_000.0, lambda event: None)

    async def look():
        shown.append(await commands.answer(desk, "ann", Command(verb=verb)))

    nursery.start_soon(look)
    await trio.sleep(60)
    assert shown == []
    ledger.sync.set()
    await trio.sleep(1)
    assert [type(one) for one in shown] == [Done]


async def test_a_stop_with_a_turn_on_its_way_to_the_disk_is_a_clean_stop(tmp_path):
    async with shell(tmp_path) as centre:
        await centre.bring(1, [application(1)])
    held = []
    async with open_ledger(tmp_path) as ledger, open_vault(tmp_path) as vault:
        put = ledger.put

        def hold(recorded, on_durable=None):
            is_verdict = isinstance(recorded.event, e.BatchChecked)
            held.append((recorded, on_durable)) if is_verdict else put(recorded, on_durable)

        ledger.put = hold
        books = Books(Foreman(CoreConfig()), Tally(), 0.0)
        metrics = Metrics(books.tally, books.foreman.state)
        clock, ring = FloorClock(day_start_floor_s(TODAY), time.time()), KeyRing(tmp_path / "keys")
        disk = DiskWatch(tmp_path, StorageConfig(free_min_mib=0))
        parts = Parts(tmp_path, ledger, vault, books, metrics, clock, context(), ring, SimpleNamespace(), disk)
        config = Config(metrics=MetricsConfig(listen=""))
        async with trio.open_nursery() as nursery:
            await open_floor(config, parts, nursery, Doors(Router(), Router(), Router()))
            await until(lambda: held)
            nursery.cancel_scope.cancel()  # SIGTERM: the floor is told to stop
        [(recorded, on_durable)] = held
        put(recorded, on_durable)  # its commit, and what it asks for, come when nobody is there any more
    async with open_ledger(tmp_path) as ledger:
        assert any(isinstance(event, e.BatchChecked) for _, event in ledger.events())


async def test_a_second_service_that_is_refused_leaves_the_floor_clock_as_it_is(tmp_path):
    open_clock(tmp_path, ClockConfig(simulated=True, scale=600.0))
    before = json.loads((tmp_path / "clock.json").read_text("utf-8"))
    async with open_ledger(tmp_path):
        with pytest.raises(LedgerInUse):
            await serve(Config(service=ServiceConfig(folder=str(tmp_path))))
    assert json.loads((tmp_path / "clock.json").read_text("utf-8")) == before
