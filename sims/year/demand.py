"""The batches of a year: which come on a day, when, and what the checks said of their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from controller.core.calendar import DAY_S
from controller.core.events import BatchChecked
from controller.core.moves import RowVerdict, Verdict
from sims.heap_batches import COUNTIES, LARGEST, SMALLEST, unit_sizes
from sims.places import load_counties
from sims.year.days import Days, floor_s
from sims.year.rates import Rates

UPSTREAM = "province"
ARRIVE_FROM_S, ARRIVE_TO_S = 6.5 * 3_600.0, 17.0 * 3_600.0  # of a day
SOON_ONE_IN = 7  # of the batches: due in 2 to 7 days, the others in 15 to 30
SEQUENCES = 100_000  # of a police station on a day: five digits
NOTHING: list[str] = []  # neither codes nor fields
REFUSED = (["number.check_character"], ["identity_number"])
HELD = (["name.no_glyph"], ["name"])


@dataclass(frozen=True, slots=True)
class Package:
    """One batch as the checks leave it, before it has its number on the floor."""

    at_floor_s: float
    due_floor_s: float
    number: str
    rows: list[RowVerdict]

    def checked(self, batch_id: int) -> BatchChecked:
        """Give the event that tells the foreman of it."""
        times = (self.at_floor_s, self.due_floor_s)
        return BatchChecked(batch_id, self.number, UPSTREAM, "second", *times, self.rows)


class Demand:
    """Gives the batches day by day; `accepted` counts the rows that were accepted at once."""

    def __init__(self, seed: int, days: Days, cards: int, rates: Rates) -> None:
        """`cards`: so many are accepted, then no more batches come."""
        self._seed, self._days, self._rates, self._cards = seed, days, rates, cards
        self._counties = load_counties()[:COUNTIES]
        self._sizes = [unit_sizes(county) for county in self._counties]
        self._units = [[county.unit(place) for place in range(county.stations)] for county in self._counties]
        self._wanted = dict(zip(days.arriving, days.cards, strict=True))
        self._upto = 0  # cards the days so far were to bring
        self.accepted = 0

    @property
    def is_over(self) -> bool:
        """Say whether all have come."""
        return self.accepted >= self._cards

    def on(self, day: date) -> Iterator[Package]:
        """Give the batches of a day in the order of their times; each day is asked for once, in order."""
        self._upto = min(self._upto + self._wanted.get(day, 0), self._cards)
        if self.accepted >= self._upto:
            return
        random, taken = Random(f"year {self._seed} {day}"), Counter[str]()
        rows = list(self._rows(random, day, taken))
        times = sorted(floor_s(day) + random.uniform(ARRIVE_FROM_S, ARRIVE_TO_S) for _ in rows)
        for sequence, (at, (county, some)) in enumerate(zip(times, rows, strict=True), 1):
            days = random.randint(2, 7) if random.randrange(SOON_ONE_IN) == 0 else random.randint(15, 30)
            number = f"{county:0<12}{day:%Y%m%d}{sequence:05d}"
            yield Package(round(at, 3), floor_s(day) + (days + 1) * DAY_S, number, some)

    def _rows(self, random: Random, day: date, taken: Counter[str]) -> Iterator[tuple[str, list[RowVerdict]]]:
        """Give counties and the rows of one batch each, until the day has its cards."""
        while self.accepted < self._upto:
            county = random.randrange(COUNTIES)
            cards = min(random.randint(SMALLEST, LARGEST), max(SMALLEST, self._upto - self.accepted))
            rows = []
            stamp, ok = f"{day:%Y%m%d}", Verdict.OK
            for index, unit in enumerate(random.choices(self._units[county], self._sizes[county], k=cards)):
                taken[unit] = sequence = taken[unit] + 1
                rows.append(RowVerdict(index, unit + stamp + str(SEQUENCES + sequence)[1:], unit, ok, NOTHING, NOTHING))
            accepted = cards - self._strike(random, rows)
            self.accepted += accepted
            yield self._counties[county].code, rows

    def _strike(self, random: Random, rows: list[RowVerdict]) -> int:
        """Let some rows be refused or held, and others express; give how many were not accepted."""
        rates, count = self._rates, len(rows)
        refused, held, express = (
            int(count * share + random.random()) for share in (rates.refused, rates.held, rates.express)
        )
        places = random.sample(range(count), refused + held + express)
        for turn, place in enumerate(places):
            row = rows[place]
            if turn < refused + held:
                verdict, (codes, fields) = (Verdict.REFUSE, REFUSED) if turn < refused else (Verdict.HOLD, HELD)
                rows[place] = RowVerdict(row.index, row.acceptance_number, row.unit, verdict, codes, fields)
            else:
                rows[place] = RowVerdict(row.index, row.acceptance_number, row.unit, Verdict.OK, express=True)
        return refused + held
