"""Who and what is sent: people who do not exist, in batches that a run sends and no run before it sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any

import msgspec

from encoders.envelope import pack
from sims.faces import FaceSource
from sims.people import Population, day_text, parse_day

Fields = dict[str, Any]
DUE_DAYS = 20
_ORGANISATIONS = 10**10
_RUN_PEOPLE = 20_000  # kept apart for each run, so that no run sends the people of another


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as its sender has it: what lies in `applications` may be no map at all."""

    number: str
    due: str
    applications: Sequence[Any]
    encoded: Sequence[bytes]

    @property
    def count(self) -> int:
        """Give how many applications it has."""
        return len(self.encoded)

    @property
    def digest(self) -> str:
        """Give the digest as the page defines it."""
        return sha256(b"".join(sha256(one).digest() for one in self.encoded)).hexdigest()

    def header(self, **changes: Any) -> Fields:
        """Give the announcement, with changes."""
        header = {"type": "batch", "batch_number": self.number, "due": self.due, "count": self.count}
        return {**header, "digest": self.digest, "card_kind": "second", **changes}

    def chunk(self, first: int, size: int = 1, **changes: Any) -> Fields:
        """Give the request that brings `size` applications from `first` on."""
        some = [msgspec.Raw(one) for one in self.encoded[first : first + size]]
        return {"type": "chunk", "batch_number": self.number, "first": first, "applications": some, **changes}

    def status(self) -> Fields:
        """Give the question how far it is."""
        return {"type": "status", "batch_number": self.number}

    def acceptance_number(self, index: int) -> str:
        """Give the acceptance number of an application that has one."""
        return str(self.applications[index]["acceptance_number"])


class Cast:
    """Gives people and batch numbers that were never given before, all from a seed and the floor's day."""

    def __init__(self, seed: int, today: str) -> None:
        self.today = today
        self.due = day_text(parse_day(today) + timedelta(days=DUE_DAYS))
        self._population = Population(seed, today, FaceSource(seed))
        runs = self._population.size // _RUN_PEOPLE
        self._people = count(seed % runs * _RUN_PEOPLE)
        self._organisation = f"99{seed % _ORGANISATIONS:010d}"
        self._sequences = count(1)

    def people(self, size: int) -> list[Fields]:
        """Give good applications of people nobody has met yet."""
        return [self._person() for _ in range(size)]

    def batch(self, applications: Sequence[Any], number: str = "") -> Batch:
        """Give a batch of applications, under a number of its own or the one named."""
        number = number or f"{self._organisation}{self.today}{next(self._sequences):05d}"
        return Batch(number, self.due, applications, [pack(one) for one in applications])

    def good(self, size: int) -> Batch:
        """Give a batch in which nothing is wrong."""
        return self.batch(self.people(size))

    def _person(self) -> Fields:
        application = self._population.application(next(self._people), self.today)
        return {**msgspec.structs.asdict(application), "production_type": "1"}
