"""Batches for a floor in virtual time: when they come, when they are due, and each card's police station."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from controller.core.calendar import DAY_S
from controller.core.events import BatchChecked
from controller.core.moves import RowVerdict, Verdict
from sims.places import County, load_counties

COUNTIES = 60
SMALLEST, LARGEST = 50, 1_200  # cards of a batch
MEAN_CARDS = (SMALLEST + LARGEST) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One batch: it comes whole and without a fault; `units` has a police station for each card, as taken in."""

    at_floor_s: float
    due_floor_s: float
    units: tuple[str, ...]

    def checked(self, batch_id: int) -> BatchChecked:
        """Give the event that tells the foreman of it."""
        rows = [RowVerdict(index, f"{unit}{index:013d}", unit, Verdict.OK) for index, unit in enumerate(self.units)]
        number = f"{self.units[0][:6]:0<12}{batch_id:013d}"
        return BatchChecked(batch_id, number, "north", "second", self.at_floor_s, self.due_floor_s, rows)


class Batches:
    """An endless row of batches from one seed; a county's police stations differ in size, and come mixed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(f"heap batches {seed}")
        self._counties = load_counties()[:COUNTIES]

    def next(self, at_floor_s: float, due_in_s: float, most: int = LARGEST) -> Arrival:
        """Give the next batch: of `SMALLEST` to `LARGEST` cards, and at most `most`."""
        county = self._random.choice(self._counties)
        cards = min(self._random.randint(SMALLEST, LARGEST), most)
        names = [county.unit(place) for place in range(county.stations)]
        units = tuple(self._random.choices(names, unit_sizes(county), k=cards))
        return Arrival(at_floor_s=at_floor_s, due_floor_s=at_floor_s + due_in_s, units=units)


def steady(seed: int, cards_per_hour: float, until_floor_s: float) -> Iterator[Arrival]:
    """Give batches that come at random (Poisson) at a mean rate, due in 15 to 30 days."""
    batches, random = Batches(seed), Random(f"heap arrivals {seed}")
    at = 0.0
    while (at := at + random.expovariate(cards_per_hour / MEAN_CARDS / 3_600.0)) < until_floor_s:
        yield batches.next(at, random.randint(15, 30) * DAY_S)


def floor_day(seed: int, cards: int, before: float = 0.5, last_at_s: float = 9 * 3_600.0) -> list[Arrival]:
    """Give one day's batches: a share `before` the shift begins (time 0), the rest evenly until `last_at_s`.

    One batch in seven is due in 2 to 7 days, the others in 15 to 30.
    """
    batches, random = Batches(seed), Random(f"heap day {seed}")
    arrivals: list[Arrival] = []
    left = cards
    while left:
        done = 1 - left / cards
        at = 0.0 if done < before else (done - before) / (1 - before) * last_at_s
        days = random.randint(2, 7) if random.randrange(7) == 0 else random.randint(15, 30)
        arrivals.append(batches.next(at, days * DAY_S, left))
        left -= len(arrivals[-1].units)
    return arrivals


def unit_sizes(county: County) -> list[int]:
    """Give how much each police station takes in, relative to the others."""
    return [1 + place * 7 % 4 for place in range(county.stations)]
