"""What moves say of sheets: which defects each step and station causes, where they are found, how many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controller.core import moves as m
from controller.core.line.figures import Estimates
from controller.core.moves import Mark
from devices.defects import FATE_UNKNOWN, GOOD
from devices.messages import Fate

SHEETS_KEPT = 20_000  # sheets not judged to the end that are remembered; the oldest is forgotten first
BAD = (Mark.FILM_SPOILED, Mark.SPOILED)
KINDS_KEPT = 200  # ways a step's defects show that are counted apart: a station could invent any number of codes


@dataclass(slots=True)
class _Trace:
    """A sheet on its way."""

    live: int
    visits: list[tuple[str, str, int]] = field(default_factory=list)  # step, station, job
    marks: list[m.PositionsMarked] = field(default_factory=list)  # of the load whose end is still to come
    defects: list[m.PositionsMarked] = field(default_factory=list)


class SheetRecord:
    """Folds sheets into figures; one is counted when its last position is judged, so that late findings weigh right."""

    def __init__(self, estimates: Estimates) -> None:
        self._stations, self._steps = estimates.stations, estimates.steps
        self._encode_card_s = estimates.encode_card_s
        self._traces: dict[int, _Trace] = {}
        self._encodes: dict[int, tuple[float, int]] = {}

    def imposed(self, at: float, move: m.SheetImposed) -> None:
        """Know a sheet."""
        self._traces[move.sheet_id] = _Trace(sum(1 << place for place, card in enumerate(move.cards) if card))
        if len(self._traces) > SHEETS_KEPT:
            del self._traces[next(iter(self._traces))]

    def started(self, at: float, move: m.JobStarted) -> None:
        """Know where its sheets are."""
        for sheet_id in move.sheets:
            trace = self._traces.get(sheet_id)
            if trace:
                trace.visits.append((move.step, move.station, move.job_id))

    def marked(self, at: float, move: m.PositionsMarked) -> None:
        """Remember a mark until the load's end says whether it is a defect, or a whole sheet lost."""
        trace = self._traces.get(move.sheet_id)
        if trace is None or not move.mask & trace.live:
            return
        trace.live &= ~move.mask
        if move.mark in BAD and move.code not in (GOOD, FATE_UNKNOWN):
            trace.marks.append(move)
        elif move.mark is Mark.SUSPECTED and move.code != FATE_UNKNOWN and move.found_at in self._steps:
            self._steps[move.found_at].suspects += 1

    def ended(self, at: float, move: m.JobEnded) -> None:
        """Count the sheets that are judged to the end."""
        for end in move.sheets:
            trace = self._traces.get(end.sheet_id)
            if trace is None:
                continue
            if end.fate == Fate.UNTOUCHED:
                trace.visits = [visit for visit in trace.visits if visit[2] != move.job_id]
            elif move.step in self._steps:
                self._steps[move.step].worked += 1
            if end.fate == Fate.DONE:
                by_code = {mark.code: mark for mark in reversed(trace.marks)}  # a second one: the film is thrown away
                trace.defects += by_code.values()
            trace.marks.clear()
            if not trace.live:
                self._count(self._traces.pop(end.sheet_id))

    def encoding(self, at: float, move: m.EncodeStarted) -> None:
        """Know an encode job."""
        self._encodes[move.job_id] = (at, len(move.cards))

    def encoded(self, at: float, move: m.EncodeEnded) -> None:
        """Count an encode job."""
        began, cards = self._encodes.pop(move.job_id, (at, 0))
        if cards:
            self._encode_card_s.add((at - began) / cards)

    def _count(self, trace: _Trace) -> None:
        by_step = {step: station for step, station, _ in trace.visits}
        for step, station in by_step.items():
            if station in self._stations and step in self._steps:
                self._stations[station].sheets += 1
                self._steps[step].sheets += 1
        for mark in trace.defects:
            step = mark.caused_at if mark.caused_at in by_step else mark.found_at
            station = by_step.get(step, mark.station)
            if station in self._stations and step in self._steps:
                self._stations[station].struck += 1
                defects = self._steps[step].defects
                kind = f"{mark.code} {mark.found_at} {mark.mask.bit_count()}"
                if kind in defects or len(defects) < KINDS_KEPT:
                    defects[kind] = defects.get(kind, 0) + 1


SHEET_FOLDS: Mapping[type, Callable[[Any, float, Any], None]] = {
    m.SheetImposed: SheetRecord.imposed,
    m.JobStarted: SheetRecord.started,
    m.PositionsMarked: SheetRecord.marked,
    m.JobEnded: SheetRecord.ended,
    m.EncodeStarted: SheetRecord.encoding,
    m.EncodeEnded: SheetRecord.encoded,
}
