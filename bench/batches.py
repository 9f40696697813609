"""Batches of good applications, ready to be sent: the load of every benchmark of the whole service."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from controller.asking.submission import batch_digest, encode_application
from sims.faces import FaceSource
from sims.people import Population

BATCH_CARDS = 80  # of a batch of one county


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, ready to be sent."""

    batch_number: str
    due: str
    digest: str
    applications: Sequence[bytes] = field(repr=False)


def population(today: str, seed: int) -> Population:
    """Give the people who apply on a day, `YYYYMMDD`, with portraits of 17 KB."""
    return Population(seed, today, FaceSource(seed))


def batch_of(people: Population, number: int, places: Iterable[int], today: str) -> Batch:
    """Give batch `number`, from 0, of the people at some places of a population."""
    encoded = [encode_application(people.application(place, today)) for place in places]
    return Batch(f"520100000000{today}{number + 1:05d}", today, batch_digest(encoded), encoded)


def county_batches(today: str, seed: int = 1) -> Iterator[Batch]:
    """Give batches of one county each, for ever: each is made when it is asked for, so that none lies about.

    People are dealt to the counties in turn: neighbours would go to as many police stations, a bundle for each.
    """
    people = population(today, seed)
    counties = len(people.counties)
    for number in itertools.count():
        first = number // counties * BATCH_CARDS
        places = (number % counties + counties * place for place in range(first, first + BATCH_CARDS))
        yield batch_of(people, number, places, today)
