"""A storm's upstreams: they say everything at least once, believe nothing unheard, and keep whatever they were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from controller.ledger.receipts import FINAL_KINDS
from controller.wire import (
    Acknowledged,
    AcknowledgeReceipts,
    AskBatch,
    BatchState,
    CancelApplication,
    Chunk,
    ChunkStored,
    Done,
    FetchReceipts,
    OpenBatch,
    Receipt,
    Receipts,
    Refusal,
    UpstreamAnswer,
)
from encoders.envelope import Opener, pack
from sims.storm.application import Token
from sims.storm.errors import Broken
from sims.storm.line import Lines
from sims.storm.options import Options
from sims.storm.timeline import Timeline
from sims.storm.told import Told

CHUNK = 54
PAGE, AGAIN = 400, 60
PATIENCE_S, POLL_S = 5.0, 8.0
UNITS = ("110101001", "110101002", "110101003")
HELD, REFUSED = "name.single", "number.length"  # codes of the one table: a person decides; upstream must correct
_opener: Opener[UpstreamAnswer] = Opener(UpstreamAnswer)


@dataclass(slots=True)
class Sent:
    """One batch as its sender keeps it."""

    number: str
    due: str
    encoded: list[bytes]
    digest: str
    at_s: float
    stored: dict[int, int] = field(default_factory=dict)  # first index of a chunk -> requests made until it was stored
    state: str = ""
    last: tuple[Any, ...] = ()  # what was answered once it was over
    ended_at: int = 0  # requests made until then
    asked_s: float = -1e9


class Upstream:
    """One upstream: sends its batches, fetches its receipts, and compares all it hears with what it heard before."""

    def __init__(
        self,
        name: str,
        batches: list[Sent],
        timeline: Timeline,
        lines: Lines,
        options: Options,
        seed: int,
        seen: Counter[str],
        told: Told,
        hear: Callable[[str, bytes], None],
    ) -> None:
        self.name, self.batches = name, batches
        self._timeline, self._lines, self._options, self._seen, self._to = timeline, lines, options, seen, hear
        self._told = told
        self._luck = Random(f"storm upstream {seed} {name}")
        self._by_number = {one.number: one for one in batches}
        self._requests: dict[int, Any] = {}
        self.receipts: list[Receipt] = []
        self.is_silent = False
        self._closed: set[str] = set()  # numbers of batches
        self.refused: set[str] = set()  # acceptance numbers
        self._lives: list[int] = []  # how often the service had crashed when each of them came
        self.finals: dict[str, str] = {}  # acceptance number -> how it ended
        self.acknowledged = 0  # what the centre said it will never give again unasked
        self.cancelled: dict[str, int] = {}  # acknowledged as cancelled -> requests made until then
        timeline.after(self._luck.random(), self._step)

    @property
    def is_over(self) -> bool:
        """Say whether every batch ended, and all that was told of it is here."""
        return all(one.last and one.number in self._closed for one in self.batches)

    # ---- what it says ------------------------------------------------------------------------------------------

    def _ask(self, request: Any) -> None:
        number = len(self._requests) + 1
        self._requests[number] = request
        self._lines.send(self.name, self._hear_there, pack(replace(request, request=number)))

    def _hear_there(self, body: bytes) -> None:
        self._to(self.name, body)

    def _step(self) -> None:
        if self.is_silent:
            return
        now_s, luck = self._timeline.now_s, self._luck
        for batch in self.batches:
            patience_s = PATIENCE_S if batch.state in ("", "receiving") else POLL_S
            if now_s >= batch.at_s and now_s - batch.asked_s >= patience_s and not batch.last:
                batch.asked_s = now_s
                self._go_on(batch)
            elif batch.last and luck.random() < 0.15:
                self._announce(batch, batch.digest)
        self._ask(FetchReceipts(after=self._after(), limit=PAGE))
        if self.acknowledged < len(self.receipts) and self._luck.random() < 0.4:
            self._ask(AcknowledgeReceipts(upto=len(self.receipts)))
        if not self._lines.is_calm:
            self._be_a_nuisance(luck)
        self._timeline.after((3.0 if self._lines.is_calm else 9.0) + 7.0 * luck.random(), self._step)

    def _after(self) -> int:
        """Give from where to read on; now and then from an earlier place, to compare."""
        if self.receipts and self._luck.random() < 0.15 and not self._lines.is_calm:
            return max(0, len(self.receipts) - 1 - self._luck.randrange(AGAIN))
        return len(self.receipts)

    def _go_on(self, batch: Sent) -> None:
        if batch.state in ("", "receiving"):
            self._announce(batch, batch.digest)
            if batch.state:
                self._send_chunks(batch)
        else:
            if batch.number in self._closed or self._luck.random() < 0.2:
                self._ask(AskBatch(batch_number=batch.number))

    def _announce(self, batch: Sent, digest: str) -> None:
        self._ask(OpenBatch(batch_number=batch.number, due=batch.due, count=len(batch.encoded), digest=digest))

    def _send_chunks(self, batch: Sent) -> None:
        firsts = [first for first in range(0, len(batch.encoded), CHUNK) if first not in batch.stored]
        self._luck.shuffle(firsts)
        for first in firsts:
            self._send_chunk(batch, first, batch.encoded)

    def _send_chunk(self, batch: Sent, first: int, encoded: list[bytes]) -> None:
        some = [Raw(one) for one in encoded[first : first + CHUNK]]
        self._ask(Chunk(batch_number=batch.number, first=first, applications=some))

    def _be_a_nuisance(self, luck: Random) -> None:
        """Say old things again, say others under an old number, and cancel what may be made by now."""
        options, known = self._options, [one for one in self.batches if one.state]
        if not known:
            return
        if luck.random() < options.resent:
            batch = luck.choice(known)
            self._announce(batch, batch.digest)
        if luck.random() < options.resent:
            batch = luck.choice(known)
            self._send_chunk(batch, luck.randrange(0, len(batch.encoded), CHUNK), batch.encoded)
        if self.receipts and luck.random() < options.resent:
            self._ask(AcknowledgeReceipts(upto=luck.randrange(len(self.receipts))))
        if luck.random() < options.conflicting:
            self._announce(luck.choice(known), sha256(b"other").hexdigest())
        if luck.random() < options.conflicting:
            self._send_other_chunk(luck.choice(known), luck)
        if luck.random() < options.cancelled * 10:
            number = luck.choice(luck.choice(known).encoded)
            self._cancel(_numbers.unpack(number).acceptance_number)

    def _send_other_chunk(self, batch: Sent, luck: Random) -> None:
        first = luck.randrange(0, len(batch.encoded), CHUNK)
        if first in batch.stored:
            other = list(batch.encoded)
            other[first] = other[first - 1] if len(other) > 1 else b"\x90"
            if other[first] != batch.encoded[first]:
                self._send_chunk(batch, first, other)

    def _cancel(self, number: str) -> None:
        self._ask(CancelApplication(acceptance_number=number, reason="withdrawn"))

    # ---- what it hears -----------------------------------------------------------------------------------------

    def hear(self, body: bytes) -> None:
        """Take one answer."""
        answer = _opener.unpack(body)
        request: Any = self._requests.get(answer.request)
        if isinstance(answer, BatchState):
            self._state(request, answer)
        elif isinstance(answer, ChunkStored):
            self._chunk_stored(request, answer)
        elif isinstance(answer, Receipts):
            self._take_receipts(request, answer)
        elif isinstance(answer, Acknowledged):
            self._is_acknowledged(request, answer)
        elif isinstance(answer, Done) and isinstance(request, CancelApplication):
            self.cancelled.setdefault(request.acceptance_number, len(self._requests))
        elif isinstance(answer, Refusal):
            self._refused(request, answer)

    def _state(self, request: Any, answer: BatchState) -> None:
        batch = self._by_number[answer.batch_number]
        if isinstance(request, OpenBatch) and request.digest != batch.digest:
            raise Broken("law 5", f"batch {batch.number} is taken with another digest")
        if answer.state == "refused":
            raise Broken("law 5", f"batch {batch.number} is refused ({answer.codes}), and is whole and as announced")
        if answer.state in ("closed", "refused"):
            told = (answer.state, tuple(answer.codes), tuple(sorted(answer.counts.items())))
            if batch.last and told != batch.last:
                raise Broken("law 5", f"batch {batch.number} ended as {batch.last}, and now as {told}")
            if batch.last:
                self._seen["batch asked again after its end"] += 1
            else:
                batch.last, batch.ended_at = told, len(self._requests)
        elif batch.last:
            if answer.request > batch.ended_at:
                raise Broken("law 5", f"batch {batch.number} had ended, and is {answer.state} now")
            return  # an answer that was overtaken
        is_first = not batch.state
        batch.state = answer.state
        if is_first and answer.state == "receiving":
            self._send_chunks(batch)
        if answer.state == "receiving":
            self._compare_missing(batch, answer)

    def _compare_missing(self, batch: Sent, answer: BatchState) -> None:
        """Send what is missing again; what was acknowledged cannot be missing, unless the answer is older than that."""
        lacking = {index for first, count in answer.missing for index in range(first, first + count)}
        for first, asked in sorted(batch.stored.items()):
            if first in lacking and answer.request > asked:
                raise Broken("law 3", f"batch {batch.number}: the chunk from {first} was acknowledged, and is missing")

    def _chunk_stored(self, request: Any, answer: ChunkStored) -> None:
        batch = self._by_number[answer.batch_number]
        sent = [bytes(one) for one in request.applications]
        if sent != batch.encoded[answer.first : answer.first + answer.count]:
            raise Broken("law 5", f"batch {batch.number}: other content is taken at {answer.first}")
        self._told.check_stored(batch.number, answer.first, answer.count)
        batch.stored.setdefault(answer.first, len(self._requests))

    def _take_receipts(self, request: FetchReceipts, answer: Receipts) -> None:
        for place, receipt in enumerate(answer.items, request.after + 1):
            if receipt.number != place:
                raise Broken("law 4", f"receipt {receipt.number} of {self.name} stands at place {place}")
            if place <= len(self.receipts):
                if receipt != self.receipts[place - 1]:
                    raise Broken("law 5", f"receipt {place} of {self.name} is not what it was")
                is_other_life = self._lives[place - 1] != self._seen["service crash"]
                self._seen["receipt fetched again after a crash"] += is_other_life
            elif place == len(self.receipts) + 1:
                self._take_receipt(receipt)

    def _take_receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)
        if receipt.kind == "batch_closed":
            self._closed.add(receipt.batch_number)
        elif receipt.kind == "refused":
            self.refused.add(receipt.acceptance_number)
        self._lives.append(self._seen["service crash"])
        if receipt.kind in FINAL_KINDS:
            key = f"{receipt.acceptance_number}/{receipt.case}"
            if key in self.finals:
                raise Broken("law 4", f"{key} ended as {self.finals[key]}, and now as {receipt.kind}")
            self.finals[key] = receipt.kind

    def _is_acknowledged(self, request: AcknowledgeReceipts, answer: Acknowledged) -> None:
        if answer.upto < request.upto:
            raise Broken("law 3", f"{self.name} keeps {request.upto} receipts, the centre has given {answer.upto}")
        self._told.check_cursor(self.name, answer.upto)
        self.acknowledged = max(self.acknowledged, answer.upto)

    def _refused(self, request: Any, answer: Refusal) -> None:
        if isinstance(request, CancelApplication) and answer.request > self.cancelled.get(
            request.acceptance_number, answer.request
        ):
            raise Broken("law 5", f"{request.acceptance_number} was cancelled, and asked again it is {answer.code}")
        if answer.code == "batch.conflict":
            self._seen["conflicting digest refused"] += 1
            if request.digest == self._by_number[request.batch_number].digest:
                raise Broken("law 5", f"batch {request.batch_number} is refused as a conflict with itself")
        elif answer.code == "chunk.conflict":
            self._seen["conflicting chunk refused"] += 1
            batch = self._by_number[request.batch_number]
            first = request.first
            if [bytes(one) for one in request.applications] == batch.encoded[first : first + CHUNK]:
                raise Broken("law 5", f"batch {batch.number}: the chunk from {first} is a conflict with itself")


_numbers: Opener[Token] = Opener(Token)
