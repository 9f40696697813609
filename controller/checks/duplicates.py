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


class _Claim(msgspec.Struct, frozen=True):
    """One application that holds an identity number; `index` is -1 for one of the history."""

    person: bytes
    made: bool
    index: int = -1


class _Search:
    """The claims seen so far, from the history and from the rows before."""

    def __init__(self, known: Sequence[Known], policy: Policy) -> None:
        self._policy = policy
        self._claims: defaultdict[bytes, list[_Claim]] = defaultdict(list)
        self._taken: dict[str, str] = {}
        for entry in known:
            self._taken[entry.acceptance_number] = (
                "duplicate.acceptance_in_batch" if entry.same_batch else "duplicate.acceptance_before"
            )
            if entry.state is not Standing.ENDED:
                self._claims[entry.identity].append(_Claim(entry.person, entry.state is Standing.MADE))

    def findings_of(self, row: Person, own: Severity, reason: str) -> Iterator[tuple[int, Finding]]:
        """Give what is doubled about the next row, and take its claims."""
        found: list[Finding] = []
        if row.acceptance_number in self._taken:
            found.append(FINDINGS[self._taken[row.acceptance_number]])
        elif row.acceptance_number:
            self._taken[row.acceptance_number] = "duplicate.acceptance_in_batch"
        rivals = list(self._claims.get(row.identity, ()))
        found += self._identity_findings(row, rivals, reason)
        for finding in found:
            yield row.index, finding
        if max(own, verdict(found)) < Severity.REFUSE:
            yield from self._earlier_findings(row, rivals)
            self._claims[row.identity].append(_Claim(row.person, False, row.index))

    def _identity_findings(self, row: Person, rivals: Sequence[_Claim], reason: str) -> list[Finding]:
        mine = [claim for claim in rivals if claim.person == row.person]
        if any(not claim.made for claim in mine):
            return [FINDINGS["duplicate.application"]]
        found = []
        if mine:
            found.append(FINDINGS["duplicate.made_before" if reason in REPLACEMENTS else "duplicate.first_again"])
        if len(mine) < len(rivals):
            is_tolerated = self._policy.shared_number is SharedNumber.BOTH
            found.append(FINDINGS["duplicate.shared_tolerated" if is_tolerated else "duplicate.shared_number"])
        return found

    def _earlier_findings(self, row: Person, rivals: Sequence[_Claim]) -> Iterator[tuple[int, Finding]]:
        """Under *neither*, hold the earlier rows of this batch too; the history is for the caller to stop."""
        if self._policy.shared_number is SharedNumber.NEITHER:
            for claim in rivals:
                if claim.index >= 0 and claim.person != row.person:
                    yield claim.index, FINDINGS["duplicate.shared_number"]


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
