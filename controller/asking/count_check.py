"""The upstream's check of law 4: the centre's counts of a batch against the receipts it gave, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from controller.asking.conversation import Exchange, unfit
from controller.wire import (
    MAX_RECEIPTS_PER_PAGE,
    Answer,
    AskBatch,
    BatchState,
    FetchReceipts,
    Receipt,
    Receipts,
    Request,
)

ENDS = ("refused", "cancelled", "refused_late", "dispatched")
FIRST_KINDS = frozenset({"refused", "held", "accepted"})
LOOKS_MAX = 5  # while new receipts come in between


@dataclass(slots=True)
class ReceiptCount:
    """Counts what the receipts of one batch say: where each of its applications stands."""

    batch_number: str
    standing: dict[int, str] = field(default_factory=dict)  # index -> the kind that says how it stands
    closing: dict[str, int] = field(default_factory=dict)  # what `batch_closed` said
    twice: set[int] = field(default_factory=set)  # indexes that ended more than once

    def take(self, receipt: Receipt) -> None:
        """Take the next receipt, of whatever batch."""
        if receipt.batch_number != self.batch_number:
            return
        if receipt.kind == "batch_closed":
            self.closing = dict(receipt.counts)
        elif receipt.index >= 0 and (receipt.kind in ENDS or receipt.kind in FIRST_KINDS):
            if self.standing.get(receipt.index) in ENDS:
                self.twice.add(receipt.index)
            self.standing[receipt.index] = receipt.kind

    def counts(self) -> dict[str, int]:
        """Give received, the four ends, open and held."""
        kinds = list(self.standing.values())
        ended = {kind: kinds.count(kind) for kind in ENDS}
        still_open = len(kinds) - sum(ended.values())
        return {"received": len(kinds), **ended, "open": still_open, "held": kinds.count("held")}


class CountsAgree(msgspec.Struct, frozen=True):
    """What a check of counts found; `differences` are sentences, none where all agrees."""

    batch_number: str
    state: str
    counts: dict[str, int]
    differences: tuple[str, ...]


def unbalanced(counts: Mapping[str, int]) -> str:
    """Give how counts break received = refused + cancelled + refused_late + dispatched + open, empty if they do not."""
    parts = sum(counts.get(part, 0) for part in (*ENDS, "open"))
    received = counts.get("received", 0)
    return "" if parts == received else f"{received} were received, and {parts} are ended or open"


def differences(said: Mapping[str, int], receipts: ReceiptCount) -> list[str]:
    """Give, in sentences, where the centre's counts of a batch are not what its receipts say."""
    found = [unbalanced(said)] if unbalanced(said) else []
    told = receipts.counts()
    for name, count in told.items():
        if said.get(name, 0) != count:
            found.append(f"{name}: the centre counts {said.get(name, 0)}, its receipts say {count}")
    for name, count in receipts.closing.items():
        if told.get(name, 0) != count:
            found.append(f"{name}: the receipt that closed the batch says {count}, those before it {told.get(name, 0)}")
    found += [f"application {index} ended more than once" for index in sorted(receipts.twice)]
    return found


class CheckCounts(Exchange[CountsAgree]):
    """Reads all receipts and a batch's state, until no receipt came in between, and compares them."""

    def __init__(self, batch_number: str) -> None:
        """Check a batch of this upstream's; nothing is acknowledged."""
        super().__init__()
        self._receipts = ReceiptCount(batch_number)
        self._state: BatchState | None = None
        self._after, self._looks, self._asking, self._came = 0, 0, False, False

    def next_request(self, now_s: float) -> Request | None:
        """Give the question for the state, then those for all receipts above the last one read."""
        if self._asking:
            return None
        self._asking = True
        if self._state is None:
            return AskBatch(batch_number=self._receipts.batch_number)
        return FetchReceipts(after=self._after, limit=MAX_RECEIPTS_PER_PAGE)

    def answered(self, asked: Request, answer: Answer, now_s: float) -> None:
        """Go on until the receipts read before and after the state are the same."""
        self._asking = False
        if isinstance(answer, BatchState):
            self._state = answer
        elif isinstance(answer, Receipts):
            self._read(answer.items)
            if not answer.more:
                self._compare()
        else:
            self.fail(unfit(answer))

    def lost(self, asked: Request) -> bool:
        """Ask again: looking does no harm."""
        return True

    def _read(self, items: Iterable[Receipt]) -> None:
        for receipt in items:
            self._receipts.take(receipt)
            self._after, self._came = receipt.number, True

    def _compare(self) -> None:
        assert self._state is not None, "the state is asked for first"
        self._looks += 1
        if self._came and self._looks < LOOKS_MAX:  # what came may be younger than the state: look once more
            self._state, self._came = None, False
            return
        found = differences(self._state.counts, self._receipts)
        self.end(CountsAgree(self._receipts.batch_number, self._state.state, self._state.counts, tuple(found)))
