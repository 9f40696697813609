"""A file of applications with planted faults, and the truth about each of its lines, which the planting alone knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from bench.checks_lines import EMPTY_LINE, GOOD, HEAD_FAULTS, LINE_FAULTS, LONG_LINE, LineFault, Truth, line_of
from bench.checks_people import vary
from controller.application import Application
from sims import spoiled_text as texts
from sims.faces import FaceSource
from sims.people import Population
from sims.planted import FAULTS, WRITTEN_ONLY, Fault

CENSUS_DAY = "20170101"
DAYS = ("20180331", "20180401", "20200229", "20210301", "20240229", "20240301", "20251231", "20260101", "20260312")
SIZES = (2, 400)
PICTURES = 300  # good portraits of either sex, dealt to all
FAULT_SHARE = 0.2
HEAD_SHARE, AGAIN_SHARE = 0.12, 0.05
REMEMBERED = 300  # good people of earlier batches, to be doubled later
_NUMBER = "identity_number"
ACROSS = (
    Fault("person_of_before", "refuse", "duplicate.application", _NUMBER, "duplicate", texts.same_person_again),
    Fault("shared_with_before", "hold", "duplicate.shared_number", _NUMBER, "duplicate", texts.shared_number),
    Fault(
        "acceptance_of_before",
        "refuse",
        "duplicate.acceptance_before",
        "acceptance_number",
        "duplicate",
        texts.doubled_acceptance,
    ),
)
DOUBLES = tuple(fault for fault in FAULTS if fault.group == "duplicate")
SHARED = ("shared_number", "shared_with_before")


class FaultyFile:
    """Writes `applications.jsonl` and its portraits into a folder; `truths` has one row for each line."""

    def __init__(self, folder: Path, cards: int, seed: int, policy: str = "first_only") -> None:
        """Plan a file of about `cards` applications for a centre with that policy for shared numbers.

        Under another policy than `first_only` only duplicates are planted, because only they differ.
        """
        self.path, self.truths = folder / "applications.jsonl", list[Truth]()
        self._folder, self._cards, self._policy = folder, cards, policy
        self._rng = Random(f"checks {seed}")
        self._faces = FaceSource(seed)
        self._people = Population(seed, CENSUS_DAY)
        self._names: dict[bytes, str] = {}
        self._pictures = {sex: self._good_pictures(sex) for sex in "12"}
        self._used: set[str] = set()
        self._next_person = self._next_picture = self._sequence = 0
        self._before: list[Application] = []
        usual: tuple[Fault | LineFault, ...] = (*FAULTS, *WRITTEN_ONLY, *LINE_FAULTS, *ACROSS)
        kinds = usual if policy == "first_only" else (*DOUBLES, *ACROSS)
        self._kinds: Iterator[Fault | LineFault] = cycle(self._rng.sample(kinds, len(kinds)))
        self._head_kinds = cycle(HEAD_FAULTS)

    def write(self) -> int:
        """Write it all; gives the number of applications, without the lines that are none."""
        written, earlier = 0, ""
        with self.path.open("wb") as file:
            while written < self._cards:
                day = DAYS[written * len(DAYS) // self._cards]
                lines, truths, good = self._members(day, self._rng.randint(*SIZES))
                head, truth = self._head(day, len(lines)), GOOD
                fault = next(self._head_kinds) if earlier and self._rng.random() < HEAD_SHARE else None
                if fault:
                    head, truth = fault.spoil(head, earlier), fault.truth
                self._put(file, head, truth, lines, truths)
                written += len(lines)
                if fault is None:
                    earlier = head["batch_number"]
                    self._remember(good)
                if fault and fault.truth.code == "batch.count":  # counted again, and sent under a number of its own
                    self._put(file, self._head(day, len(lines)), GOOD, lines, truths)
                    written += len(lines)
                    self._remember(good)
                elif fault is None and self._rng.random() < AGAIN_SHARE:  # the same again: the same answer
                    self._put(file, head, truth, lines, truths)
                    written += len(lines)
        return written

    # ---- batches ----------------------------------------------------------------------------------------------

    def _head(self, day: str, count: int) -> dict[str, Any]:
        self._sequence += 1
        number = f"520100000000{day}{self._sequence:05d}"
        return {"batch_number": number, "received_on": day, "card_kind": "second", "count": count}

    def _put(
        self, file: Any, head: dict[str, Any], truth: Truth, lines: Sequence[bytes], truths: Sequence[Truth]
    ) -> None:
        file.write(json.dumps({"batch": head}).encode() + b"\n")
        self.truths.append(truth._replace(number=head["batch_number"]))
        for line, of_line in zip(lines, truths, strict=True):
            file.write(line + b"\n")
            self.truths.append(of_line)
        if self._rng.random() < 0.05:
            file.write(EMPTY_LINE.spoil({}, self._rng) + b"\n")
            self.truths.append(EMPTY_LINE.truth)

    def _remember(self, good: list[Application]) -> None:
        self._before += good
        self._rng.shuffle(self._before)
        del self._before[REMEMBERED:]

    # ---- applications -----------------------------------------------------------------------------------------

    def _members(self, day: str, count: int) -> tuple[list[bytes], list[Truth], list[Application]]:
        """Give the lines of one batch, the truth about each, and the good people nobody doubled."""
        lines: list[bytes] = []
        truths: list[Truth] = []
        good: list[tuple[int, Application]] = []
        while len(lines) < count:
            plain = self._person(day)
            fault = next(self._kinds) if good and self._rng.random() < FAULT_SHARE else None
            if isinstance(fault, Fault):
                line, truth = self._spoiled(fault, plain, good, truths)
            else:
                varied = self._varied(plain)
                wire = self._wire(varied, plain)
                chosen = LONG_LINE if isinstance(fault, LineFault) and self._rng.random() < 0.01 else fault
                if isinstance(chosen, LineFault):
                    line, truth = chosen.spoil(wire, self._rng), chosen.truth
                    truth = truth if truth.number == "" else truth._replace(number=varied.acceptance_number)
                else:
                    good.append((len(lines), varied))
                    line, truth = line_of(wire), GOOD._replace(number=varied.acceptance_number)
            lines.append(line)
            truths.append(truth)
        return lines, truths, [app for _, app in good]

    def _spoiled(
        self, fault: Fault, plain: Application, good: list[tuple[int, Application]], truths: list[Truth]
    ) -> tuple[bytes, Truth]:
        at = -1
        if fault in ACROSS:
            if not self._before:
                return line_of(self._wire(plain, plain)), GOOD._replace(number=plain.acceptance_number)
            earlier = self._before.pop()
        elif fault.group == "duplicate":
            at, earlier = good.pop(self._rng.randrange(len(good)))
        else:
            earlier = good[-1][1]
        spoiled = fault.spoil(plain, earlier, self._rng)
        if fault.group != "duplicate" and spoiled.identity_number != plain.identity_number:
            if spoiled.identity_number in self._used:  # another fault made up the same number
                return line_of(self._wire(plain, plain)), GOOD._replace(number=plain.acceptance_number)
            self._used.add(spoiled.identity_number)
        truth = Truth(fault.name, fault.expected, fault.code, fault.field, fault.group, spoiled.acceptance_number)
        if fault.name in SHARED:
            truth = self._by_policy(truth, at, truths)
        return line_of(self._wire(spoiled, plain)), truth

    def _by_policy(self, truth: Truth, at: int, truths: list[Truth]) -> Truth:
        """Give what the centre's policy makes of a shared number; under *neither* the first of the batch waits too."""
        if self._policy == "both":
            return truth._replace(verdict="note", code="duplicate.shared_tolerated")
        if self._policy == "neither" and at >= 0:
            truths[at] = truth._replace(kind="shared_by_a_later_one", number=truths[at].number)
        return truth

    def _person(self, day: str) -> Application:
        """Give the next good person, with a portrait of the pool."""
        while True:
            app = self._people.application(self._next_person, day)
            self._next_person += 1
            if app.identity_number not in self._used:
                self._used.add(app.identity_number)
                pool = self._pictures[app.sex]
                return replace(app, portrait=pool[self._next_person % len(pool)])

    def _varied(self, plain: Application) -> Application:
        varied = vary(plain, self._rng)
        if varied.identity_number == plain.identity_number:
            return varied
        if varied.identity_number in self._used:
            return plain
        self._used.add(varied.identity_number)
        return varied

    # ---- portraits --------------------------------------------------------------------------------------------

    def _good_pictures(self, sex: str) -> list[bytes]:
        count = min(PICTURES, max(4, self._cards // 20))
        pool = [self._faces.portrait(turn, sex) for turn in range(count)]
        for turn, picture in enumerate(pool):
            name = f"good-{sex}-{turn}.jpg"
            (self._folder / name).write_bytes(picture)
            self._names[picture] = name
        return pool

    def _wire(self, app: Application, plain: Application) -> dict[str, Any]:
        """Give the fields as JSON has them, the portrait by its name."""
        fields = msgspec.structs.asdict(app)
        name = self._names.get(app.portrait, "")
        if app.portrait and not name:
            self._next_picture += 1
            name = f"planted-{self._next_picture}.jpg"
            (self._folder / name).write_bytes(app.portrait)
        fields["portrait"] = name or self._rng.choice(("", "gone.jpg", "no-folder/gone.jpg"))
        return fields
