"""The search for duplicates inside a batch and against the history (DOMAIN.md 1.5, 11.9).

Three faults are kept apart: one acceptance number twice; a *duplicate application*, the same person again while the
first application is open; a *shared number*, two people with one identity number.

Who counts as being there first:

- A row stands in the way of later ones as long as it is open.  A row that is refused, by its own findings or by this
  search, is not open and stands in nobody's way; a held one is.  So of three equal rows the first is kept, and if
  its portrait is refused, the second.
- Acceptance numbers are keys: one that was used, even by a refused row, cannot be used by another row.  A correction
  of that row is its own message, and is named in `correcting`.
- The same application sent twice has both faults: its acceptance number is doubled, and its person applies again.
- A row that is refused for something else is compared all the same, so that upstream learns all faults at once.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

import msgspec

from controller.checks.codes import Severity
from controller.checks.finding import FINDINGS, Finding, verdict
from controller.checks.policy import Policy, SharedNumber
from controller.checks.reason import REPLACEMENTS


class Standing(enum.StrEnum):
    """What became of an application of the history."""

    OPEN = "open"  # held, accepted or in production
    MADE = "made"
    ENDED = "ended"  # refused or cancelled: only its acceptance number is taken


class Person(msgspec.Struct, frozen=True):
    """One row of the batch: its index, acceptance number, and the digests of `digests.person_digests`."""

    index: int
    acceptance_number: str
    identity: bytes
    person: bytes


class Known(msgspec.Struct, frozen=True):
    """One application of the history that shares a digest or an acceptance number with a row.

    `same_batch`: it lies in the batch the row belongs to, which happens when a corrected row is checked again.
    """

    acceptance_number: str
    identity: bytes
    person: bytes
    state: Standing
    same_batch: bool = False


class _Claims:
    """Who holds one identity number; looked up and never gone through, so that 10,000 people with one cost no more."""

    __slots__ = ("lone", "made", "open", "people")

    def __init__(self) -> None:
        self.people: set[bytes] = set()
        self.open: set[bytes] = set()
        self.made: set[bytes] = set()
        self.lone: list[tuple[bytes, int]] = []  # rows of this batch that no other person's row has held yet

    def take(self, person: bytes, index: int = -1, *, made: bool = False) -> None:
        """Add one application; `index` is -1 for one of the history."""
        self.people.add(person)
        (self.made if made else self.open).add(person)
        if index >= 0:
            self.lone.append((person, index))

    def others_than(self, person: bytes) -> bool:
        """Say whether anybody else holds the number."""
        return len(self.people) > (person in self.people)

    def held_by(self, person: bytes) -> list[int]:
        """Give the rows that another person's row holds now, each once."""
        held = [index for holder, index in self.lone if holder != person]
        self.lone = [(holder, index) for holder, index in self.lone if holder == person]
        return held


class _Search:
    """The claims seen so far, from the history and from the rows before."""

    def __init__(self, known: Sequence[Known], policy: Policy) -> None:
        self._policy = policy
        self._claims: defaultdict[bytes, _Claims] = defaultdict(_Claims)
        self._taken: dict[str, str] = {}
        for entry in known:
            self._taken[entry.acceptance_number] = (
                "duplicate.acceptance_in_batch" if entry.same_batch else "duplicate.acceptance_before"
            )
            if entry.state is not Standing.ENDED:
                self._claims[entry.identity].take(entry.person, made=entry.state is Standing.MADE)

    def findings_of(self, row: Person, own: Severity, reason: str) -> Iterator[tuple[int, Finding]]:
        """Give what is doubled about the next row, and take its claims."""
        found: list[Finding] = []
        if row.acceptance_number in self._taken:
            found.append(FINDINGS[self._taken[row.acceptance_number]])
        elif row.acceptance_number:
            self._taken[row.acceptance_number] = "duplicate.acceptance_in_batch"
        claims = self._claims[row.identity]
        found += self._identity_findings(row, claims, reason)
        for finding in found:
            yield row.index, finding
        if max(own, verdict(found)) < Severity.REFUSE:
            if self._policy.shared_number is SharedNumber.NEITHER:  # the history is for the caller to stop
                for index in claims.held_by(row.person):
                    yield index, FINDINGS["duplicate.shared_number"]
            claims.take(row.person, row.index)

    def _identity_findings(self, row: Person, claims: _Claims, reason: str) -> list[Finding]:
        if row.person in claims.open:
            return [FINDINGS["duplicate.application"]]
        found = []
        if row.person in claims.made:
            found.append(FINDINGS["duplicate.made_before" if reason in REPLACEMENTS else "duplicate.first_again"])
        if claims.others_than(row.person):
            is_tolerated = self._policy.shared_number is SharedNumber.BOTH
            found.append(FINDINGS["duplicate.shared_tolerated" if is_tolerated else "duplicate.shared_number"])
        return found


def check_duplicates(
    rows: Sequence[Person],
    verdicts: Sequence[Severity],
    known: Sequence[Known],
    reasons: Sequence[str],
    policy: Policy,
    correcting: Collection[str] = (),
) -> list[tuple[int, Finding]]:
    """Give (index, finding) for everything doubled in a batch, in row order, each once.

    Args:
        rows: the whole batch in its order; a verdict is only right when no row is missing.
        verdicts: each row's verdict by its own findings.
        known: everything in the history with one of the rows' acceptance numbers or identity digests.
        reasons: each row's reason code.
        policy: who gets a card when two people share a number.
        correcting: acceptance numbers whose earlier revision these rows replace; that revision stands in no way.
    """
    replaced = frozenset(correcting)
    search = _Search([entry for entry in known if entry.acceptance_number not in replaced], policy)
    found: dict[tuple[int, Finding], None] = {}
    for row, own, reason in zip(rows, verdicts, reasons, strict=True):
        found.update(dict.fromkeys(search.findings_of(row, own, reason)))
    return sorted(found, key=lambda pair: pair[0])
