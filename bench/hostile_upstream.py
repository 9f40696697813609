"""An upstream with a listed key and no manners: it speaks the protocol frame by frame, in any order, often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from time import time_ns
from typing import Any

import msgspec

from bench.hostile_place import Raw, asked, within
from controller.asking.submission import batch_digest, encode_application
from sims.people import Population

_sequences = count(time_ns() // 1_000_000 % 50_000)
_firsts = count(time_ns() // 1_000_000 % 1_000_000 * 7, 1_000)
ENDED = ("open", "closed", "refused")


@dataclass(slots=True)
class Mallory:
    """One conversation over a bare socket."""

    raw: Raw
    floor_date: str = field(init=False)
    you: str = field(init=False)

    def __post_init__(self) -> None:
        welcome = self.ask("hello", version=1)
        self.floor_date, self.you = welcome["floor_date"], welcome["you"]

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Give the answer to a request."""
        return asked(self.raw, {"type": kind, **fields})

    def new_number(self) -> str:
        """Give a batch number that was not used yet."""
        return f"520000000000{self.floor_date}{next(_sequences) % 100_000:05d}"

    def people(self, size: int, pictures: Sequence[bytes] = ()) -> list[bytes]:
        """Give applications, encoded, of people nobody has seen: with these portraits, or with none."""
        population, first = Population(9), next(_firsts)
        drawn = [population.application(index, self.floor_date) for index in range(first, first + size)]
        if pictures:
            drawn = [msgspec.structs.replace(one, portrait=two) for one, two in zip(drawn, pictures, strict=True)]
        return [encode_application(one) for one in drawn]

    def announce(self, number: str, people: Sequence[bytes]) -> dict[str, Any]:
        """Give the answer to the header of a batch."""
        digest = batch_digest(people)
        return self.ask("batch", batch_number=number, due=self.floor_date, count=len(people), digest=digest)

    def chunk(self, number: str, first: int, people: Sequence[bytes]) -> dict[str, Any]:
        """Give the answer to some applications of a batch; told to wait it asks again."""
        wanted = [msgspec.Raw(one) for one in people]
        answer: dict[str, Any] = {"type": "busy"}

        def is_taken() -> bool:
            answer.update(self.ask("chunk", batch_number=number, first=first, applications=wanted))
            return bool(answer["type"] != "busy")

        within(is_taken, "a chunk was never taken")
        return answer

    def bring(self, people: Sequence[bytes], chunk_size: int = 100) -> str:
        """Bring a batch whole, wait for its verdicts, give its number."""
        number = self.new_number()
        self.announce(number, people)
        for first in range(0, len(people), chunk_size):
            self.chunk(number, first, people[first : first + chunk_size])
        within(lambda: self.state(number) in ENDED, "a batch got no verdicts")
        return number

    def state(self, number: str) -> str:
        """Give how far a batch is."""
        return str(self.ask("status", batch_number=number).get("state", ""))

    def receipts(self) -> Iterator[dict[str, Any]]:
        """Give every receipt of this upstream."""
        after, more = 0, True
        while more:
            page = self.ask("receipts", after=after, limit=500)
            yield from page["items"]
            after, more = max((one["number"] for one in page["items"]), default=after), page["more"]
