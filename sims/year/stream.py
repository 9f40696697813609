"""What the floor's process tells the ledger's: turns, the ends of days, and snapshots, as bounded pieces of msgpack."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from controller.core.events import AnyEvent
from controller.core.moves import AnyMove

PIECE_TURNS = 1_000  # turns of one piece


class Heard(msgspec.Struct, frozen=True, array_like=True, tag="heard"):
    """An event, and the moves that followed from it."""

    at_floor_s: float
    event: AnyEvent
    moves: list[AnyMove]


class DayOver(msgspec.Struct, frozen=True, array_like=True, tag="day"):
    """A floor day is over: the state of the floor then, in sums, for those who have their own."""

    day: str
    accounts: dict[str, int]
    open_cards: int
    sheets: int
    moves: int


class Kept(msgspec.Struct, frozen=True, array_like=True, tag="kept"):
    """A snapshot of the books after all that was heard so far."""

    code: str
    body: bytes


Told = Heard | DayOver | Kept
END = b""  # the piece after the last one

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Told]).decode


class Teller:
    """Gathers what is told and sends it on in pieces."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        """`send` may block: that is how the floor waits for the disk."""
        self._send, self._piece = send, list[Told]()

    def tell(self, one: Told) -> None:
        """Take one."""
        self._piece.append(one)
        if len(self._piece) >= PIECE_TURNS:
            self.flush()

    def flush(self) -> None:
        """Send what was gathered."""
        if self._piece:
            self._send(_encode(self._piece))
            self._piece = []

    def end(self) -> None:
        """Say that nothing more comes."""
        self.flush()
        self._send(END)


def told_in(piece: bytes) -> list[Told]:
    """Give what a piece tells.  Raises: msgspec.MsgspecError."""
    return _decode(piece)
