"""Batches as a province sends them: seeded, from many counties, with a settable share of planted faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import islice
from random import Random

import msgspec

from controller.application import Application
from sims.faces import FaceSource
from sims.people import Population, day_text, parse_day
from sims.planted import HELD, NOTED, REFUSED, Fault, Planted, plant

_URGENT_PERCENT = 15
_DUE_DAYS = (15, 30)  # a provincial rule: 30 days from receipt
_URGENT_DAYS = (2, 7)


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of all applications (0 to 1) that get a fault, by what the centre must say of it."""

    refuse: float = 0.03
    hold: float = 0.01
    note: float = 0.01

    def __post_init__(self) -> None:
        if min(self.refuse, self.hold, self.note) < 0 or self.refuse + self.hold + self.note > 0.5:
            raise ValueError("shares of planted faults: none under 0, together at most 0.5")


@dataclass(frozen=True, slots=True)
class Span:
    """Which people a batch holds: `count` of the county at `turn`, from its `first` row on."""

    turn: int
    first: int
    count: int


class BatchDraft:
    """One batch to send: its header's texts, and its applications, made when they are asked for."""

    def __init__(self, plan: BatchPlan, span: Span, batch_number: str, due: str, faults: dict[int, Fault]) -> None:
        """Take what `BatchPlan` settled: `faults` by the place in the batch."""
        self.batch_number, self.due, self.count = batch_number, due, span.count
        self.planted = tuple(Planted(at, *fault[:-1]) for at, fault in sorted(faults.items()))
        self._plan, self._span, self._faults = plan, span, faults

    def __len__(self) -> int:
        return self.count

    def applications(self, first: int = 0) -> Iterator[Application]:
        """Give the applications in order, from `first` on."""
        return (self.application(index) for index in range(first, self.count))

    def application(self, index: int) -> Application:
        """Give the application at `index`, always the same.  Cost: 1.6 ms, most of it the portrait."""
        good = self._good(index)
        fault = self._faults.get(index)
        if fault is None:
            return good
        rng = Random(f"plant {self._plan.seed} {self.batch_number} {index}")
        earlier = rng.choice([at for at in range(index) if at not in self._faults])
        return plant(fault, good, self._good(earlier), rng)

    def _good(self, index: int) -> Application:
        """Give the application at `index` before anything was planted."""
        if not 0 <= index < self.count:
            raise IndexError(f"application {index}: the batch has {self.count}")
        people = self._plan.population
        return people.application(self._span.turn + (self._span.first + index) * len(people.counties), self._plan.today)


class BatchPlan:
    """All batches of one run, the same for a seed.  Iterate over it to get `BatchDraft` after `BatchDraft`."""

    def __init__(
        self,
        seed: int,
        cards: int,
        today: str,
        shares: Shares | None = None,
        sizes: tuple[int, int] = (50, 1_200),
        first_due_today: bool = False,
        faces: FaceSource | None = None,
    ) -> None:
        """Settle who is in which batch, and what is planted where.

        Args:
            cards: applications in all, 1 or more.
            today: the day of receipt, `YYYYMMDD`.
            sizes: least and most applications a batch; a run of fewer cards is one smaller batch.
            first_due_today: the first batch is due on that day; else none is so near.
            faces: who draws the portraits; without it one is made from the seed (60 MB).
        Raises: ValueError: a number is out of its range.
        """
        low, high = sizes
        if cards < 1 or not 1 <= low <= high // 2 or high > 10_000:
            raise ValueError(
                "a plan has 1 card or more; batch sizes are 1 to 10,000, the most at least twice the least"
            )
        self.seed, self.today, self.cards = seed, today, cards
        self.population = Population(seed, today, faces or FaceSource(seed))
        rng = Random(f"batches {seed}")
        spans = self._deal(_cut(cards, low, high, rng), rng)
        planted = _spread(spans, shares or Shares(), rng)
        numbers = self._number(spans)
        due = [self._due(rng) for _ in spans]
        if first_due_today:
            due[0] = today
        self._rows = list(zip(spans, numbers, due, planted, strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[BatchDraft]:
        return (self[at] for at in range(len(self)))

    def __getitem__(self, at: int) -> BatchDraft:
        return BatchDraft(self, *self._rows[at])

    @cached_property
    def planted(self) -> dict[str, tuple[Planted, ...]]:
        """Give what was planted in each batch, by batch number."""
        return {draft.batch_number: draft.planted for draft in self}

    def _deal(self, counts: list[int], rng: Random) -> list[Span]:
        """Give each batch a county and its next people."""
        used: Counter[int] = Counter()
        spans = []
        for count in counts:
            turn = rng.randrange(len(self.population.counties))
            spans.append(Span(turn, used[turn], count))
            used[turn] += count
        return spans

    def _number(self, spans: list[Span]) -> list[str]:
        """Give the batch numbers: the county's organisation code of 12 digits, the day, and a sequence from 00001."""
        used: Counter[int] = Counter()
        numbers = []
        for span in spans:
            used[span.turn] += 1
            numbers.append(f"{self.population.counties[span.turn].code}000000{self.today}{used[span.turn]:05d}")
        return numbers

    def _due(self, rng: Random) -> str:
        """Give the day by which a batch should be done, for some a near one."""
        days = _URGENT_DAYS if rng.randrange(100) < _URGENT_PERCENT else _DUE_DAYS
        return day_text(parse_day(self.today) + timedelta(days=rng.randint(*days)))


def encode_planted(planted: dict[str, tuple[Planted, ...]]) -> bytes:
    """Give what was planted as the JSON text that a run keeps beside its report."""
    return msgspec.json.format(msgspec.json.encode(planted))


def decode_planted(text: bytes) -> dict[str, tuple[Planted, ...]]:
    """Give what `encode_planted` kept."""
    return msgspec.json.decode(text, type=dict[str, tuple[Planted, ...]])


def _cut(cards: int, low: int, high: int, rng: Random) -> list[int]:
    """Cut `cards` into batches of `low` to `high`; fewer than `low` cards are one batch."""
    counts = []
    while cards > high:
        counts.append(rng.randint(low, min(high, cards - low)))
        cards -= counts[-1]
    return [*counts, cards]


def _spread(spans: list[Span], shares: Shares, rng: Random) -> list[dict[int, Fault]]:
    """Give the faults of each batch by place: every kind as often as the others of its weight, or once less.

    The first of a batch is always good, so that what needs an earlier good application finds one.
    """
    cards = sum(span.count for span in spans)
    kinds: list[Fault] = []
    for faults, share in ((REFUSED, shares.refuse), (HELD, shares.hold), (NOTED, shares.note)):
        kinds += islice(_in_turn(faults, rng), round(cards * share))
    places = [(batch, index) for batch, span in enumerate(spans) for index in range(1, span.count)]
    if len(kinds) > len(places):
        raise ValueError(f"{len(kinds)} faults do not fit: the first application of a batch stays good")
    planted: list[dict[int, Fault]] = [{} for _ in spans]
    for (batch, index), fault in zip(rng.sample(places, len(kinds)), kinds, strict=True):
        planted[batch][index] = fault
    return planted


def _in_turn(faults: tuple[Fault, ...], rng: Random) -> Iterator[Fault]:
    """Give the kinds for ever, each round in another order."""
    while True:
        yield from rng.sample(faults, len(faults))
