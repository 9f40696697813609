"""The batches of the resend bench: a few bases, each with the faults that make its receipts worth comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bench.resend_centre import TODAY
from sims.conformance.cast import Batch, Cast

SEED = 20_260_302


@dataclass(frozen=True, slots=True)
class Base:
    """Batches that are brought together; `wrong_digest`: the numbers of those announced with another's digest."""

    name: str
    batches: Sequence[Batch]
    wrong_digest: frozenset[str] = frozenset()

    def header(self, batch: Batch) -> dict[str, object]:
        """Give the announcement of a batch."""
        if batch.number in self.wrong_digest:
            return batch.header(digest="0a" * 32)
        return batch.header()


@cache
def bases() -> tuple[Base, ...]:
    """Give the bases, always the same; no two batches of one share a person, so that their order says nothing."""
    cast = Cast(SEED, TODAY)
    good, doubtful, mixed = cast.good(9), _doubtful(cast), _mixed(cast)
    pair = (cast.good(5), _mixed(cast))
    refused = cast.good(4)
    return (
        Base("good", (good,)),
        Base("faults and doubles", (mixed,)),
        Base("held", (doubtful,)),
        Base("two at once", pair),
        Base("wrong digest", (refused, cast.good(3)), frozenset({refused.number})),
    )


def _mixed(cast: Cast) -> Batch:
    """Give a batch with refusals of every sort, one person twice and one acceptance number twice."""
    people = cast.people(9)
    return cast.batch(
        [
            people[0],
            {**people[1], "sex": "9", "reason": "99"},
            ["no", "map"],
            {**people[2], "portrait": people[2]["portrait"][:2_000]},
            people[3],
            {**people[3], "acceptance_number": people[4]["acceptance_number"]},
            people[5],
            {**people[6], "acceptance_number": people[5]["acceptance_number"]},
            {**people[7], "name": 17},
            people[8],
        ]
    )


def _doubtful(cast: Cast) -> Batch:
    """Give a batch of which a person has to decide about some, and two share a number."""
    people = cast.people(6)
    shared = {**people[5], **{name: people[4][name] for name in ("identity_number", "birth", "sex")}}
    return cast.batch([{**people[0], "name": "样"}, people[1], {**people[2], "name": "王\ue000"}, *people[3:5], shared])
