"""Where every blank is: accounts in double entry, balanced at each entry (law 2)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from controller.core.errors import Unbalanced
from controller.core.moves import Mark
from devices.messages import POSITIONS


class Account(StrEnum):
    """Where a blank can be; each is in exactly one."""

    VAULT = "vault"
    MAGAZINE = "magazine"
    SHEET = "sheet"
    GOOD = "good"
    QUARANTINED = "quarantined"
    SPOILED = "spoiled"
    SUSPECT = "suspect"
    SAMPLE = "sample"
    RETURNED = "returned"
    MISSING = "missing"
    DESTROYED = "destroyed"
    BUNDLE = "bundle"
    DISPATCHED = "dispatched"


ENTRY_OF_MARK: dict[Mark, Account] = {  # the account a marked position's blank goes to
    Mark.UNUSED: Account.SPOILED,
    Mark.SPOILED: Account.SPOILED,
    Mark.PASSED: Account.GOOD,
    Mark.QUARANTINED: Account.QUARANTINED,
    Mark.SUSPECTED: Account.SUSPECT,
    Mark.FOUND_GOOD: Account.GOOD,
    Mark.FOUND_SPOILED: Account.SPOILED,
    Mark.FOUND_MISSING: Account.MISSING,
}
VAULT, SPOILED = "vault", "spoiled"
COUNTED_PLACES = (VAULT, SPOILED)  # besides the magazines, by their stations' names
TAKEN_KEPT = 64  # takings out of one magazine that its station is told of again when it says hello


@dataclass(slots=True)
class BodyRange:
    """Body sheets of one size with serials in a row: `sheets` of them from `first` on; `issue_id` 0 in the vault."""

    first: int
    sheets: int
    issue_id: int = 0
    places: int = POSITIONS  # blanks of each: 8, or 1 where they are single bodies

    def holds(self, first: int, sheets: int = 1) -> bool:
        """Say whether all of `sheets` serials from `first` on lie in this range."""
        return self.first <= first and first + sheets <= self.first + self.sheets

    def blanks(self) -> int:
        """Give the blanks of these body sheets."""
        return self.sheets * self.places


@dataclass(slots=True)
class Supply:
    """What a station is loaded with: the lot, and the sheets it is still good for."""

    lot: str
    units: int


@dataclass(slots=True)
class Stock:
    """The accounts, counted in blanks, and the serial ranges of what is still in body sheets."""

    received: int = 0
    blanks: dict[Account, int] = field(default_factory=lambda: dict.fromkeys(Account, 0))
    lots: list[BodyRange] = field(default_factory=list)  # all that ever came, as it came
    singles: bool = False  # some of them are single bodies
    vault: list[BodyRange] = field(default_factory=list)
    magazines: dict[str, deque[BodyRange]] = field(default_factory=dict)
    spoiled: dict[int, float] = field(default_factory=dict)  # serial -> since when it waits for destruction
    spoilers: dict[int, str] = field(default_factory=dict)  # of those: serial -> who worked where it was spoiled
    returned: dict[int, float] = field(default_factory=dict)  # serial -> since when it is back from outside
    lost: dict[int, float] = field(default_factory=dict)  # serials missing since, that no closed shift named
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)  # place -> counted, expected; in this shift
    spoiled_counted_floor_s: float = 0.0  # when the spoiled were counted last
    shift_floor_s: float = 0.0  # when this shift was opened: when the one before was closed
    supplies: dict[str, dict[str, Supply]] = field(default_factory=dict)  # station -> kind -> what is loaded
    taken: dict[str, list[BodyRange]] = field(default_factory=dict)  # station -> what was taken out of its magazine

    def enter(self, source: Account, target: Account, blanks: int) -> None:
        """Move `blanks` from one account to another.  Raises: Unbalanced when the source has not so many."""
        if blanks < 0 or self.blanks[source] < blanks:
            raise Unbalanced(f"{blanks} blanks from {source}, which has {self.blanks[source]}")
        self.blanks[source] -= blanks
        self.blanks[target] += blanks

    def receive(self, first: int, sheets: int, places: int = POSITIONS) -> None:
        """Take body sheets into the vault.  Raises: Unbalanced for serials that are here already."""
        if not self.is_new(first, sheets):
            raise Unbalanced(f"body sheets from {first} on were received before")
        self._arrived(VAULT)
        self.lots.append(BodyRange(first, sheets, places=places))
        self.singles = self.singles or places != POSITIONS
        self._lay(first, sheets, places)
        self.received += sheets * places
        self.blanks[Account.VAULT] += sheets * places

    def is_new(self, first: int, sheets: int) -> bool:
        """Say whether none of these serials was ever received."""
        return all(first + sheets <= lot.first or lot.first + lot.sheets <= first for lot in self.lots)

    def places_of(self, body: int) -> int:
        """Give how many blanks a body sheet has: 8, or 1 when it came as a single body."""
        return next((lot.places for lot in self.lots if lot.holds(body)), POSITIONS)

    def has_singles(self) -> bool:
        """Say whether single bodies ever came."""
        return self.singles

    def issue(self, issue_id: int, station: str, first: int, sheets: int) -> None:
        """Move body sheets from the vault to a station's magazine.  Raises: Unbalanced."""
        places = self._cut(self.vault, first, sheets)
        self._arrived(station)
        self.magazines.setdefault(station, deque()).append(BodyRange(first, sheets, issue_id, places))
        self.enter(Account.VAULT, Account.MAGAZINE, sheets * places)

    def in_magazine(self, station: str, places: int = 0) -> int:
        """Give the body sheets left in a station's magazine: those of so many places, or all of them."""
        sheets = 0
        for one in self.magazines.get(station, ()):  # one or two: a sum over a list costs three times as much
            if not places or one.places == places:
                sheets += one.sheets
        return sheets

    def has_bodies(self, station: str, places: int, sheets: int) -> bool:
        """Say whether a station's magazine has at least so many body sheets of so many places."""
        for one in self.magazines.get(station, ()):
            if one.places == places:
                sheets -= one.sheets
                if sheets <= 0:
                    return True
        return sheets <= 0

    def magazine_holds(self, station: str, body: int, places: int) -> bool:
        """Say whether a body sheet of so many places lies in a station's magazine."""
        return any(one.places == places and one.holds(body) for one in self.magazines.get(station, ()))

    def draw(self, station: str, body: int) -> None:
        """Take one body sheet out of a magazine to a sheet.  Raises: Unbalanced when it is not there."""
        magazine = self.magazines.get(station)
        if magazine is None:
            raise Unbalanced(f"{station} has no magazine")
        self.enter(Account.MAGAZINE, Account.SHEET, self._cut(magazine, body, 1))

    def lies_in(self, place: str, first: int, sheets: int) -> bool:
        """Say whether all of these serials lie in one range of the vault (`place` empty) or of a magazine."""
        return any(one.holds(first, sheets) for one in (self.magazines.get(place, ()) if place else self.vault))

    def unissue(self, issue_id: int, station: str, first: int, sheets: int) -> None:
        """Move body sheets from a magazine back to the vault.  Raises: Unbalanced."""
        places = self.take_out(issue_id, station, first, sheets, Account.VAULT)
        self._arrived(VAULT)
        self._lay(first, sheets, places)

    def _lay(self, first: int, sheets: int, places: int) -> None:
        """Lay body sheets into the vault: with those of their size that they touch they are one range."""
        alike = [one for one in self.vault if one.places == places]
        for one in [one for one in alike if first in (one.first + one.sheets, one.first - sheets)]:
            self.vault.remove(one)
            first, sheets = min(first, one.first), sheets + one.sheets
        self.vault.append(BodyRange(first, sheets, places=places))

    def take_out(self, issue_id: int, station: str, first: int, sheets: int, target: Account) -> int:
        """Move body sheets out of the vault (`station` empty) or a magazine; give their places.  Raises: Unbalanced."""
        places = self._cut(self.magazines.get(station, deque()) if station else self.vault, first, sheets)
        self.enter(Account.MAGAZINE if station else Account.VAULT, target, sheets * places)
        if station:
            told = self.taken.setdefault(station, [])
            told.append(BodyRange(first, sheets, issue_id, places))
            del told[:-TAKEN_KEPT]
        return places

    def miss(self, blank: int, at_floor_s: float) -> None:
        """Let a blank, whose entry to the missing is made, be named when the shift is closed."""
        self.lost[blank] = at_floor_s

    def explain(self, place: str, lost: int) -> None:
        """Let what was declared lost explain that much of a place's count in this shift."""
        if place in self.counts:
            counted, expected = self.counts[place]
            self.counts[place] = (counted, expected - lost)

    def _arrived(self, place: str) -> None:
        """Forget a count that differed when body sheets come to its place: losing those must not explain it."""
        counted, expected = self.counts.get(place, (0, 0))
        if counted != expected:
            del self.counts[place]

    def has_supplies(self, station: str) -> bool:
        """Say whether nothing that was entered for a station is used up; nothing entered limits nothing."""
        return station not in self.supplies or not self.used_up(station)

    def used_up(self, station: str) -> list[str]:
        """Give the kinds of supply that a station has used up, by name."""
        return sorted(kind for kind, supply in self.supplies.get(station, {}).items() if not supply.units)

    def spoil(self, blank: int, at_floor_s: float, operator: str = "") -> None:
        """Let a spoiled blank, whose entry is made, wait for its destruction; `operator` worked at the station."""
        self.spoiled[blank] = at_floor_s
        if operator:
            self.spoilers[blank] = operator

    def spoiled_with(self, person: str) -> bool:
        """Say whether a person worked where one of the blanks that wait for their destruction was spoiled."""
        return person in self.spoilers.values()

    @property
    def unsigned(self) -> bool:
        """Say whether a blank that waits for its destruction was spoiled where nobody had signed on."""
        return len(self.spoilers) < len(self.spoiled)

    def unspoil(self, blank: int, target: Account) -> None:
        """Move one spoiled blank to another account.  Raises: Unbalanced when it is not there."""
        if self.spoiled.pop(blank, None) is None:
            raise Unbalanced(f"blank {blank} is not among the spoiled")
        self.spoilers.pop(blank, None)
        self.enter(Account.SPOILED, target, 1)

    def take_back(self, blank: int, at_floor_s: float) -> None:
        """Take a dispatched blank back from outside.  Raises: Unbalanced when it is back already."""
        if blank in self.returned:
            raise Unbalanced(f"blank {blank} is back already")
        self.enter(Account.DISPATCHED, Account.RETURNED, 1)
        self.returned[blank] = at_floor_s

    def take_void(self, blank: int, target: Account) -> None:
        """Move a blank that came back, or a spoiled one, to another account.  Raises: Unbalanced when it is neither."""
        if self.returned.pop(blank, None) is None:
            self.unspoil(blank, target)
        else:
            self.enter(Account.RETURNED, target, 1)

    def balanced(self) -> bool:
        """Say whether the accounts add up to what was received, and the ranges to their accounts."""
        vault = sum(one.blanks() for one in self.vault)
        magazine = sum(one.blanks() for ranges in self.magazines.values() for one in ranges)
        return (
            sum(self.blanks.values()) == self.received
            and vault == self.blanks[Account.VAULT]
            and magazine == self.blanks[Account.MAGAZINE]
            and len(self.spoiled) == self.blanks[Account.SPOILED]
            and len(self.returned) == self.blanks[Account.RETURNED]
        )

    @staticmethod
    def _cut(ranges: list[BodyRange] | deque[BodyRange], first: int, sheets: int) -> int:
        """Take serials out of the range that holds them, what lies before and after stays; give their places."""
        for place, one in enumerate(ranges):
            if one.holds(first, sheets):
                if first == one.first and sheets < one.sheets:  # from the front, as a press draws
                    one.first, one.sheets = one.first + sheets, one.sheets - sheets
                    return one.places
                del ranges[place]
                after = one.first + one.sheets - first - sheets
                if after:
                    ranges.insert(place, BodyRange(first + sheets, after, one.issue_id, one.places))
                if first > one.first:
                    ranges.insert(place, BodyRange(one.first, first - one.first, one.issue_id, one.places))
                return one.places
        raise Unbalanced(f"body sheets {first} to {first + sheets - 1} are not there to be taken")
