"""What a recorded writer has acknowledged so far, line by line, and what must be found of it after a power cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

UPSTREAM = "north"


@dataclass(slots=True)
class Acknowledged:
    """All that was acknowledged up to one moment."""

    turns: int = 0  # events of the journal
    moves: int = 0
    cursor: int = 0  # receipts up to which upstream has them
    batches: dict[int, int] = field(default_factory=dict)  # running number -> batch id
    chunks: list[tuple[int, int, int]] = field(default_factory=list)  # batch id, first index, applications

    def take(self, line: str) -> None:
        """Take one line of the writer.  Raises: ValueError: it is none of its lines."""
        word, *numbers = line.split()
        match word, [int(number) for number in numbers]:
            case "open", []:
                pass
            case "turns", [turns, moves]:
                self.turns, self.moves = turns, moves
            case "cursor", [upto]:
                self.cursor = upto
            case "batch", [number, batch_id]:
                self.batches[number] = batch_id
            case "chunk", [batch_id, first, size]:
                self.chunks.append((batch_id, first, size))
            case _:
                raise ValueError(f"no line of the writer: {line[:60]!r}")


def batch_number(number: int) -> str:
    """Give the number under which the writer announces its `number`-th batch."""
    return f"52000000000020260302{number:05d}"


def body_of(batch_id: int, index: int) -> bytes:
    """Give the application that the writer stores at a place: 384 bytes that nobody else would write there."""
    return sha256(f"{batch_id} {index}".encode("ascii")).digest() * 12
