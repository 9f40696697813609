"""A centre that makes nothing: it answers with the real types over a real CURVE socket, and fails when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import zmq

from controller.application import Application
from controller.asking.submission import batch_digest
from controller.wire import (
    VERSION,
    Acknowledged,
    AcknowledgeReceipts,
    Answer,
    AskBatch,
    BatchState,
    Busy,
    CancelApplication,
    Chunk,
    ChunkStored,
    Command,
    Done,
    FetchReceipts,
    Hello,
    Limits,
    OpenBatch,
    Receipt,
    Receipts,
    Refusal,
    Request,
    UpstreamRequest,
    Welcome,
)
from devices.keys import KeyPair, curve_keypair
from encoders.envelope import Opener, pack

FLOOR_DATE = "20260312"
REQUESTS: Opener[Request] = Opener(UpstreamRequest | Command)
APPLICATIONS: Opener[Application] = Opener(Application)

ANSWER, DROP_ANSWER, DROP_REQUEST, BUSY, DIE, DIE_BEFORE = "answer", "drop answer", "drop", "busy", "die", "die before"
Mishap = Callable[[Request], str]
Ends = list[tuple[str, Sequence[str], Sequence[str]]]
"""Receipts of one application: kind, codes, fields."""

MADE: Ends = [("accepted", [], []), ("made", [], []), ("dispatched", [], [])]


@dataclass
class KeptBatch:
    header: OpenBatch
    applications: dict[int, bytes] = field(default_factory=dict)
    state: str = "receiving"
    codes: list[str] = field(default_factory=list)
    looks: int = 0

    def missing(self) -> list[tuple[int, int]]:
        ranges: list[tuple[int, int]] = []
        for index in range(self.header.count):
            if index in self.applications:
                continue
            if ranges and sum(ranges[-1]) == index:
                ranges[-1] = (ranges[-1][0], ranges[-1][1] + 1)
            else:
                ranges.append((index, 1))
        return ranges


class PretendCentre:
    """What the service remembers, which its death does not touch: batches, receipts, what was acknowledged."""

    def __init__(self, judge: Callable[[str, int, Application], Ends] = lambda *_: MADE) -> None:
        self.batches: dict[str, KeptBatch] = {}
        self.issued: list[Receipt] = []
        self.acknowledged = 0
        self.limits = Limits()
        self.asked: list[Request] = []
        self.cancelled: list[str] = []
        self.commands: Callable[[Command], Answer] = lambda command: Done(result={"verb": command.verb, **command.args})
        self._judge = judge

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        answer: Answer = getattr(self, f"_{type(request).__name__.lower()}")(request)
        return msgspec.structs.replace(answer, request=request.request)

    def asked_of(self, kind: type[Request]) -> list[Any]:
        return [request for request in self.asked if isinstance(request, kind)]

    def _hello(self, request: Hello) -> Answer:
        return Welcome(
            version=VERSION, you="city-1", limits=self.limits, floor_date=FLOOR_DATE,
            floor_s=1_773_302_400.0, scale=1.0, simulated=True,
        )  # fmt: skip

    def _openbatch(self, request: OpenBatch) -> Answer:
        known = self.batches.setdefault(request.batch_number, KeptBatch(request))
        if known.header.digest != request.digest:
            return Refusal(code="batch.conflict", text="Give the batch a new number.", field="batch_number")
        return self._state(known)

    def _askbatch(self, request: AskBatch) -> Answer:
        known = self.batches.get(request.batch_number)
        return self._state(known) if known else Refusal(code="batch.unknown", text="Announce the batch first.")

    def _state(self, batch: KeptBatch) -> BatchState:
        missing = batch.missing() if batch.state == "receiving" else []
        if batch.state == "receiving" and not missing:
            batch.looks += 1
            if batch.looks > 1:  # at the first look the last chunk is only just there
                self._close(batch)
        return BatchState(batch_number=batch.header.batch_number, state=batch.state, missing=missing, codes=batch.codes)

    def _chunk(self, request: Chunk) -> Answer:
        batch = self.batches.get(request.batch_number)
        if batch is None:
            return Refusal(code="batch.unknown", text="Announce the batch first.")
        encoded = [bytes(raw) for raw in request.applications]
        assert len(encoded) <= self.limits.applications_per_chunk
        assert sum(map(len, encoded)) <= self.limits.chunk_bytes
        batch.applications |= dict(enumerate(encoded, request.first))
        return ChunkStored(batch_number=request.batch_number, first=request.first, count=len(encoded))

    def _close(self, batch: KeptBatch) -> None:
        number = batch.header.batch_number
        encoded = [batch.applications[index] for index in range(batch.header.count)]
        if batch_digest(encoded) != batch.header.digest:
            batch.state, batch.codes = "refused", ["batch.digest"]
            self.issue("refused", number, codes=batch.codes)
            return
        batch.state = "open"
        counts = dict.fromkeys(("refused", "cancelled", "refused_late", "dispatched"), 0)
        for index, one in enumerate(encoded):
            application = APPLICATIONS.unpack(one)
            for kind, codes, fields in self._judge(number, index, application):
                self.issue(kind, number, application.acceptance_number, index, codes, fields)
            if kind in counts:
                counts[kind] += 1
        self.issue("batch_closed", number, counts={"received": len(encoded), **counts})

    def issue(
        self,
        kind: str,
        batch_number: str,
        acceptance_number: str = "",
        index: int = -1,
        codes: Sequence[str] = (),
        fields: Sequence[str] = (),
        counts: dict[str, int] | None = None,
    ) -> None:
        receipt = Receipt(
            number=len(self.issued) + 1, kind=kind, batch_number=batch_number, acceptance_number=acceptance_number,
            index=index, codes=list(codes), fields=list(fields), counts=counts or {}, at_floor_s=1_773_302_400.0,
        )  # fmt: skip
        self.issued.append(receipt)

    def _fetchreceipts(self, request: FetchReceipts) -> Answer:
        assert request.after >= self.acknowledged, "acknowledged receipts are gone"
        items = self.issued[request.after : request.after + request.limit]
        return Receipts(items=items, more=request.after + len(items) < len(self.issued))

    def _acknowledgereceipts(self, request: AcknowledgeReceipts) -> Answer:
        self.acknowledged = max(self.acknowledged, request.upto)
        return Acknowledged(upto=self.acknowledged)

    def _cancelapplication(self, request: CancelApplication) -> Answer:
        self.cancelled.append(request.acceptance_number)
        return Done()

    def _command(self, request: Command) -> Answer:
        return self.commands(request)


class PretendRouter:
    """The centre's socket, in a thread; `mishap` says of each request what goes wrong with it."""

    def __init__(
        self,
        centre: PretendCentre,
        mishap: Mishap = lambda _: ANSWER,
        *,
        endpoint: str = "tcp://127.0.0.1:*",
        open_now: bool = True,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
    ) -> None:
        self.centre, self.mishap, self.deaths = centre, mishap, 0
        self.keys: KeyPair = curve_keypair()
        self.endpoint = endpoint
        self._ctx, self._own_ctx, self._stop = context or zmq.Context(), context is None, threading.Event()
        self._socket: zmq.Socket[bytes] | None = None
        if open_now:
            self._socket = self._bind()
            self.endpoint = self._socket.LAST_ENDPOINT.rstrip(b"\0").decode()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> PretendRouter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._socket is not None:
            self._socket.close(0)
        if self._own_ctx:
            self._ctx.destroy(0)
        if self._failed is not None:
            raise self._failed

    def _bind(self) -> zmq.Socket[bytes]:
        socket = self._ctx.socket(zmq.ROUTER)
        socket.linger = 0
        socket.curve_server, socket.curve_secretkey = 1, self.keys.secret.encode()
        socket.curve_publickey = self.keys.public.encode()
        if not self._own_ctx:
            socket.zap_domain = b"upstream"
        socket.bind(self.endpoint)
        return socket

    def _run(self) -> None:
        try:
            if self._socket is None:
                self._stop.wait(0.5)  # late, as a service that is being started
                self._socket = self._bind()
            while not self._stop.is_set():
                if self._socket.poll(20):
                    self._serve(*self._socket.recv_multipart())
        except BaseException as error:  # noqa: BLE001  a broken rule of the protocol is the test's to hear of
            self._failed = error

    def _serve(self, peer: bytes, body: bytes) -> None:
        assert self._socket is not None
        request = REQUESTS.unpack(body)
        mishap = self.mishap(request)
        if mishap == DROP_REQUEST:
            return
        answer: Answer = Busy(request=request.request, retry_after_s=0.02)
        if mishap not in (BUSY, DIE_BEFORE):
            answer = self.centre.answer(request)
        if mishap in (DIE, DIE_BEFORE):
            self._die()
        elif mishap != DROP_ANSWER:
            self._socket.send_multipart([peer, pack(answer)])

    def _die(self) -> None:
        """Lose all connections and what was under way on them, then serve again at the same address."""
        assert self._socket is not None
        self.deaths += 1
        self._socket.close(0)
        while True:
            try:
                self._socket = self._bind()
                return
            except zmq.ZMQError as error:
                if error.errno != zmq.EADDRINUSE or self._stop.is_set():
                    raise


def people(count: int, portrait_bytes: int = 40) -> list[bytes]:
    """Give encoded applications that can be told apart, and are nobody's."""
    return [
        pack(Application(acceptance_number=f"{index:022d}", portrait=index.to_bytes(4) * (portrait_bytes // 4)))
        for index in range(count)
    ]
