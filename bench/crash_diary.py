"""What the service has promised: every answer that upstream and operators got, to be looked for after each crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.core import moves as m
from controller.core.quality_moves import OperatorSignedOn, StationReleased
from controller.wire import Receipt

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Announced:
    """A batch whose announcement was answered."""

    batch_number: str
    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A chunk that was answered as stored; a SHA-256 digest for each application."""

    batch_number: str
    first: int
    digests: Sequence[bytes]


@dataclass(slots=True)
class Diary:
    """Every answer, in the order it came.  Others may read the lists while they grow."""

    announced: list[Announced] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)  # each number once, in order
    changed: list[str] = field(default_factory=list)  # what came again and was another, or out of order
    cursor: int = 0
    cancelled: list[str] = field(default_factory=list)  # acceptance numbers
    answers: list[Key] = field(default_factory=list)  # of operators: what must be among the moves

    def take_receipts(self, receipts: Sequence[Receipt]) -> None:
        """Take a page: new ones go on without a gap, old ones must be what they were."""
        for receipt in receipts:
            place = receipt.number - 1
            if place == len(self.receipts):
                self.receipts.append(receipt)
            elif place > len(self.receipts):
                self.changed.append(f"receipt {receipt.number} came after {len(self.receipts)}")
            elif self.receipts[place] != receipt:
                self.changed.append(f"receipt {receipt.number} is another now")

    def total(self) -> int:
        """Give how many things were acknowledged."""
        answered = len(self.announced) + len(self.receipts) + len(self.cancelled) + len(self.answers)
        return answered + sum(len(chunk.digests) for chunk in self.stored) + bool(self.cursor)


def promise_of(user: str, verb: str, args: Mapping[str, Any], result: Any) -> Key | None:
    """Give what an operator's answer says is recorded; None for a verb that records nothing that is looked for."""
    match verb:
        case "act":
            return ("proposed", result["act_id"], args["verb"], user)
        case "second":
            return ("done", args["act_id"], user)
        case "decide":
            return ("decided", args["card"], args["decision"], user)
        case "release":
            return ("released", args["station"], user)
        case "sign_on":
            return ("signed on", args["station"], user)
    return None


def kept_by(move: m.AnyMove) -> Key | None:
    """Give the promise that a move keeps."""
    match move:
        case m.ActProposed():
            return ("proposed", move.act_id, move.verb, move.by)
        case m.ActEnded(done=True):
            return ("done", move.act_id, move.by)
        case m.CardDecided():
            return ("decided", move.card, move.decision, move.by)
        case StationReleased():
            return ("released", move.station, move.by)
        case OperatorSignedOn():
            return ("signed on", move.station, move.operator)
    return None
