"""What was decrypted for encoding is let go of: no application and no portrait is kept once its cards are made."""

from __future__ import annotations

import gc

import msgspec
import trio

from controller.application import Application
from controller.asking.submission import encode_application
from controller.core.events import CardsEncoded, Encode
from controller.encoding import Encoders
from encoders.fonts.coverage import bundled_coverage
from tests.whole.canaries import canaries

CARDS = 4


class Vault:
    """Gives sealed rows as the real one does: fresh bytes at each call, which nobody else holds."""

    def __init__(self, rows: list[bytes]) -> None:
        self._rows, self.stored = rows, 0

    def applications(self, batch_id: int, indexes: list[int]) -> list[bytes]:
        return [bytes(bytearray(self._rows[index])) for index in indexes]

    def cards(self, cards: list[int]) -> list[bytes]:
        raise AssertionError("nobody prints here")

    async def store_cards(self, cards: list[tuple[int, bytes]]) -> None:
        self.stored += len(cards)


def portraits_held(marks: set[bytes]) -> int:
    """Give how many objects of this process hold a decrypted portrait: as bytes anywhere a container has them."""
    gc.collect()
    held = 0
    for one in gc.get_objects():
        if isinstance(one, dict):
            inner = list(one.values())
        elif isinstance(one, list | tuple | set):
            inner = list(one)
        elif isinstance(one, Application):
            inner = [one.portrait]
        else:
            continue
        held += sum(isinstance(value, bytes) and value in marks for value in inner)
        held += sum(isinstance(value, Application) and value.portrait in marks for value in inner)
    return held


async def test_when_a_job_is_told_as_done_nothing_holds_its_portraits_any_more():
    told: list[CardsEncoded] = []
    vault = Vault([encode_application(one) for one in canaries(0, CARDS, "20260302")])
    marks = {msgspec.msgpack.decode(row)["portrait"] for row in vault._rows}
    assert len(marks) == CARDS
    kept = [bytes(bytearray(one)) for one in marks]
    assert portraits_held(marks) >= 2 * CARDS, "the search sees what is held"
    del kept
    before = portraits_held(marks)
    encoders = Encoders(vault, bundled_coverage(), trio.CapacityLimiter(1), told.append, lambda seconds, cards: None)
    await encoders.encode(Encode(1, [10_000 + index for index in range(CARDS)]))
    assert [one.failed for one in told] == [[]]
    assert vault.stored == CARDS
    assert portraits_held(marks) == before
