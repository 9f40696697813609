"""The batches of a year: their sizes, where they come from, numbers that come once, and how many are accepted."""

from __future__ import annotations

from datetime import timedelta

from controller.core.moves import Verdict
from sims.floor import DEFAULT_FLOOR
from sims.heap_batches import COUNTIES, LARGEST, SMALLEST
from sims.year.days import days_of
from sims.year.demand import Demand
from sims.year.rates import Rates

DAYS = days_of(DEFAULT_FLOOR)
CARDS = 60_000


def packages_of(seed: int, cards: int, rates: Rates) -> tuple[list, int]:
    demand, day, found = Demand(seed, DAYS, cards, rates), DAYS.first, []
    while not demand.is_over:
        found += demand.on(day)
        day += timedelta(days=1)
    return found, demand.accepted


def test_a_seed_gives_the_same_batches_and_another_seed_gives_others():
    assert packages_of(3, 2_000, Rates()) == packages_of(3, 2_000, Rates())
    assert packages_of(3, 2_000, Rates()) != packages_of(4, 2_000, Rates())


def test_batches_have_their_sizes_come_from_all_counties_and_every_number_comes_once():
    packages, accepted = packages_of(1, CARDS, Rates())
    assert CARDS <= accepted < CARDS + LARGEST
    assert all(SMALLEST <= len(one.rows) <= LARGEST for one in packages)
    assert len({one.number[:6] for one in packages}) > COUNTIES / 2
    assert len({one.number for one in packages}) == len(packages)
    assert all(len(one.number) == 25 and one.number.isdigit() for one in packages)
    numbers = [row.acceptance_number for one in packages for row in one.rows]
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) == 22 and number.isdigit() for number in numbers)
    assert [one.at_floor_s for one in packages] == sorted(one.at_floor_s for one in packages)


def test_what_is_refused_or_held_is_not_counted_as_accepted():
    packages, accepted = packages_of(2, 5_000, Rates(refused=0.05, held=0.03, express=0.02))
    rows = [row for one in packages for row in one.rows]
    told = {verdict: sum(row.verdict is verdict for row in rows) for verdict in Verdict}
    assert told[Verdict.REFUSE] > 0.03 * len(rows)
    assert told[Verdict.HOLD] > 0.02 * len(rows)
    assert sum(row.express for row in rows) > 0.01 * len(rows)
    assert accepted == told[Verdict.OK]
    assert all(row.codes and row.fields for row in rows if row.verdict >= Verdict.HOLD)
