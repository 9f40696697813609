"""A vault without people for a floor in virtual time: each card has an application, a chip and a face of its number."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b

from controller.application import Application, control_mark
from controller.encoding import MadeCard
from encoders.envelope import pack
from encoders.face import SPECIMEN, Box, FaceJob

RECORD_BYTES, PORTRAIT_BYTES = 32, 32  # of a chip: enough to be told apart
NO_BOX = Box(0.0, 0.0, 1.0, 1.0)


class VirtualVault:
    """Gives what a real vault would (`controller.encoding.CardVault`), made from the numbers alone."""

    def applications(self, batch_id: int, indexes: list[int]) -> list[bytes]:
        """Give applications as they were sent: nobody's."""
        return [_nobody()] * len(indexes)

    def cards(self, cards: list[int]) -> list[bytes]:
        """Give packed `MadeCard`s."""
        return [_made(card) for card in cards]

    def at_hand(self, cards: list[int], *, with_applications: bool = False) -> None:
        """Give none: what is asked for is made in a thread, as a vault's rows are mostly read."""

    async def store_cards(self, cards: list[tuple[int, bytes]]) -> None:
        """Keep nothing: what is asked for is made again."""


@cache
def _nobody() -> bytes:
    return pack(Application(portrait=b"no picture"))


def _made(card: int) -> bytes:
    content = blake2b(b"%d" % card, digest_size=RECORD_BYTES + PORTRAIT_BYTES).digest()
    face = FaceJob((), (), control_mark(card), SPECIMEN, mirrored=True, portrait_box=NO_BOX)
    return pack(MadeCard(content[:RECORD_BYTES], content[RECORD_BYTES:], face))
