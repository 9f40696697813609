"""The watch for drift: sequential charts of every station's defects, a fold of moves like the tally."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from controller.core import moves as m
from controller.core.moves import Mark, mask_of, positions_in
from controller.core.quality_moves import StationReleased
from controller.core.settings import DriftConfig
from devices.defects import DEFECTS, FATE_UNKNOWN, GOOD
from devices.messages import Fate

SHEETS_KEPT = 20_000  # sheets not yet counted that are remembered; the oldest is forgotten first
WINDOW_KEPT = 4_096  # sheets one chart remembers since its last zero
FACE_DIFFERS = "I3"  # another card's control mark
BAD_MARKS = (Mark.FILM_SPOILED, Mark.SPOILED)
GOOD_MARKS = (Mark.PASSED, Mark.QUARANTINED)
NO_SIGNALS: Sequence[Signal] = ()
_SPOILED, _UNTOUCHED, _PASSED = Fate.SPOILED, Fate.UNTOUCHED, Mark.PASSED  # asked for each sheet of each load


@dataclass(frozen=True, slots=True)
class Signal:
    """A chart crossed its threshold: hold the station (`deciding`), or look at one defect code of it.

    `sheets_since_zero` are counted sheets, in the order of inspection.  `in_flight` are sheets it worked on, or has
    now, that are not counted yet.  First job and time are the earliest of the sheets since zero, at this station.
    """

    station: str
    deciding: bool
    code: str  # empty when deciding: all defects it caused are pooled
    cards_since_zero: int
    sheets_since_zero: tuple[int, ...]
    in_flight: tuple[int, ...]
    first_job_id: int
    first_job_floor_s: float


class Visit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A sheet at a station."""

    step: str
    station: str
    job_id: int
    at_floor_s: float


class Verdict(NamedTuple):
    """What one position of a sheet proves: for the first `visits` stations of its route."""

    visits: int
    code: str  # GOOD, or the defect
    station: str  # that caused the defect


@dataclass(slots=True)
class Chart:
    """A Bernoulli CUSUM in whole points: folds are bit-identical, and its Markov chain is exact.

    Source: Reynolds and Stoumbos, Journal of Quality Technology 31 (1999), 87-108.
    """

    defect_points: int
    limit: int
    score: int = 0
    cards: int = 0  # since the ledger began
    cards_since_zero: int = 0
    sheets: list[int] = field(default_factory=list)  # since the last zero
    first_job_id: int = 0  # since the last zero; 0 while it stands there
    first_job_floor_s: float = 0.0
    after_job_id: int = 0  # only later jobs count: it signalled, and what was made before is quarantined anyway

    def take(self, sheet_id: int, visit: Visit, good: int, bad: bool) -> bool:
        """Count good cards of a sheet, then a bad one if there is; True when the threshold is reached."""
        self.cards += good + bad
        if not bad and not self.score:
            return False  # it stands at zero, and stays there
        if good >= self.score:
            self.to_zero()
            good = 0
        self.score -= good
        self.cards_since_zero += good + bad
        if bad:
            self.score += self.defect_points
        if self.score:
            self._remember(sheet_id, visit)
        return self.score >= self.limit

    def to_zero(self) -> None:
        """Start afresh."""
        self.score = self.cards_since_zero = self.first_job_id = 0
        self.first_job_floor_s = 0.0
        self.sheets.clear()

    def _remember(self, sheet_id: int, visit: Visit) -> None:
        if not self.sheets or self.sheets[-1] != sheet_id:
            self.sheets.append(sheet_id)
            del self.sheets[:-WINDOW_KEPT]
        if not self.first_job_id or visit.job_id < self.first_job_id:
            self.first_job_id, self.first_job_floor_s = visit.job_id, visit.at_floor_s


class Trace(msgspec.Struct, array_like=True, gc=False):
    """A sheet from imposition until its last position is judged."""

    live: int
    visits: list[Visit] = []  # msgspec copies empty defaults
    marks: list[m.PositionsMarked] = []  # of the job whose end is still to come
    verdicts: dict[int, Verdict] = {}  # by position

    def cause(self, mark: m.PositionsMarked) -> str:
        """Give the station a mark is charged to: that of the causing step, else the one that found it."""
        return next((visit.station for visit in self.visits if visit.step == mark.caused_at), mark.station)

    def passed_whole(self) -> bool:
        """Say whether all that was on the sheet passed with its one mark, and is judged by it."""
        return not self.live and not self.verdicts and len(self.marks) == 1 and self.marks[0].mark == _PASSED

    def settle_marks(self, fate: str) -> None:
        """Turn a job's marks into verdicts, now that the sheet's fate is known."""
        charged = set()
        for mark in self.marks:
            positions = positions_in(mark.mask)
            code = GOOD if mark.mark in GOOD_MARKS else mark.code
            if mark.mark in BAD_MARKS:
                if code in (GOOD, FATE_UNKNOWN) or code in charged:
                    continue  # nobody knows; or the rest of a film thrown away whole, unjudged
                charged.add(code)
                if fate == _SPOILED or code == FACE_DIFFERS:
                    del positions[1:]  # a jam, or a sheet shifted by one, is one incident of one machine, not eight
            elif mark.mark not in GOOD_MARKS:
                continue
            self.verdicts.update(dict.fromkeys(positions, Verdict(len(self.visits), code, self._charged(mark, code))))
        self.marks.clear()

    def _charged(self, mark: m.PositionsMarked, code: str) -> str:
        return self.cause(mark) if code != GOOD else ""


@dataclass(slots=True)
class DriftWatch:
    """All charts: one a station that decides, one a defect code of it that warns.

    A sheet is counted when its last position is judged, so that defects found early do not run ahead of the good
    cards beside them.
    """

    config: DriftConfig = field(default_factory=DriftConfig)
    charts: dict[str, Chart] = field(default_factory=dict)
    warnings: dict[str, dict[str, Chart]] = field(default_factory=dict)  # station -> code -> chart above zero
    sheets: dict[int, Trace] = field(default_factory=dict)  # not counted yet
    last_job_id: int = 0
    signals: list[Signal] = field(default_factory=list)  # that no move tells yet: empty at each turn's end

    def fold(self, at_floor_s: float, move: m.AnyMove) -> Sequence[Signal]:
        """Count one move, and give the charts that crossed their threshold by it."""
        fold = FOLDS.get(type(move))
        return fold(self, at_floor_s, move) if fold else NO_SIGNALS

    def _count(self, sheet_id: int) -> list[Signal]:
        """Count a whole sheet for every station its positions went through, and forget it."""
        trace = self.sheets.pop(sheet_id)
        found, signals = trace.verdicts, list[Signal]()
        told = list(found.values())
        if told and told[0].code == GOOD and told.count(told[0]) == len(told):  # nothing wrong at all
            self._count_faultless(sheet_id, trace.visits[: told[0].visits], len(told))
            return signals
        verdicts = [found[place] for place in sorted(found)]
        blamed = {verdict.station for verdict in verdicts}
        judged_by_all = min([verdict.visits for verdict in verdicts], default=0)
        for index, visit in enumerate(trace.visits):
            proofs = verdicts if index < judged_by_all else [one for one in verdicts if one.visits > index]
            if visit.station in blamed:
                codes = [proof.code if proof.station == visit.station else GOOD for proof in proofs]
                signals += self._count_codes(sheet_id, visit, codes)
            elif proofs:
                self._count_good(sheet_id, visit, len(proofs))
        return signals

    def _count_faultless(self, sheet_id: int, visits: list[Visit], good: int) -> None:
        """Count a sheet whose cards are all good for the stations they went through."""
        charts, warned = self.charts, self.warnings
        for visit in visits:
            chart = charts.get(visit.station)
            if chart is None or chart.score or visit.station in warned:
                self._count_good(sheet_id, visit, good)
            elif visit.job_id > chart.after_job_id:
                chart.cards += good  # it stands at zero, and stays there

    def _count_good(self, sheet_id: int, visit: Visit, good: int) -> None:
        """Count good cards alone: they reach no threshold."""
        station = visit.station
        chart = self._chart_of(station)
        if visit.job_id > chart.after_job_id:
            if station in self.warnings:
                self._cool(sheet_id, visit, good)
            chart.take(sheet_id, visit, good, False)

    def _cool(self, sheet_id: int, visit: Visit, good: int) -> None:
        """Count good cards for what a station is warned of."""
        charts = self.warnings[visit.station]
        for code, chart in list(charts.items()):
            chart.take(sheet_id, visit, good, False)
            if not chart.score:
                del charts[code]
        if not charts:
            del self.warnings[visit.station]

    def _chart_of(self, station: str) -> Chart:
        chart = self.charts.get(station)
        if chart is None:
            chart = self.charts[station] = self._chart(self.config.threshold)
        return chart

    def _count_codes(self, sheet_id: int, visit: Visit, codes: Sequence[str]) -> list[Signal]:
        chart = self._chart_of(visit.station)
        if visit.job_id <= chart.after_job_id:
            return []
        signals = self._warn(sheet_id, visit, codes)
        for good, bad in _runs([code != GOOD for code in codes]):
            if chart.take(sheet_id, visit, good, bad):
                signals.append(self._signal(visit.station, "", chart))
                chart.after_job_id = self.last_job_id
                self.warnings.pop(visit.station, None)
                break
        return signals

    def _warn(self, sheet_id: int, visit: Visit, codes: Sequence[str]) -> list[Signal]:
        charts = self.warnings.setdefault(visit.station, {})
        signals = []
        # a code that is not in the table has no chart of its own: a station could invent any number of them
        for code in sorted({*charts, *codes} & DEFECTS.keys()):
            chart = charts.get(code)
            if chart is None:
                chart = charts[code] = self._chart(self.config.warn_threshold)
            for good, bad in _runs([one == code for one in codes]):
                if chart.take(sheet_id, visit, good, bad):
                    signals.append(self._signal(visit.station, code, chart))
            if not chart.score:
                del charts[code]
        if not charts:
            del self.warnings[visit.station]
        return signals

    def _chart(self, log_ratio: float) -> Chart:
        return Chart(self.config.defect_points(), self.config.points(log_ratio))

    def _signal(self, station: str, code: str, chart: Chart) -> Signal:
        """Give the signal of a chart, and start the chart afresh."""
        flying = (
            sheet_id
            for sheet_id, trace in self.sheets.items()
            if any(visit.station == station and visit.job_id > chart.after_job_id for visit in trace.visits)
        )
        signal = Signal(
            station,
            not code,
            code,
            chart.cards_since_zero,
            tuple(chart.sheets),
            tuple(flying),
            chart.first_job_id,
            chart.first_job_floor_s,
        )
        chart.to_zero()
        return signal


def _runs(bad: Sequence[bool]) -> list[tuple[int, bool]]:
    """Give cards as runs: so many good ones, and whether a bad one follows."""
    runs, good = [], 0
    for one in bad:
        if one:
            runs.append((good, True))
            good = 0
        else:
            good += 1
    return [*runs, (good, False)] if good else runs


def _began(watch: DriftWatch, at: float, move: m.ServiceStarted) -> Sequence[Signal]:
    """Forget signals that no move told: the ledger was read under settings that are new since, and they are old."""
    watch.signals.clear()
    return NO_SIGNALS


def _sheet(watch: DriftWatch, at: float, move: m.SheetImposed) -> Sequence[Signal]:
    watch.sheets[move.sheet_id] = Trace(mask_of(move.cards))
    if len(watch.sheets) > SHEETS_KEPT:
        del watch.sheets[next(iter(watch.sheets))]
    return NO_SIGNALS


def _job(watch: DriftWatch, at: float, move: m.JobStarted) -> Sequence[Signal]:
    if move.job_id > watch.last_job_id:
        watch.last_job_id = move.job_id
    if not move.sheets:
        return NO_SIGNALS
    traces, visit = watch.sheets, Visit(move.step, move.station, move.job_id, at)
    for sheet_id in move.sheets:
        trace = traces.get(sheet_id)
        if trace is not None:
            trace.visits.append(visit)
    return NO_SIGNALS


def _marked(watch: DriftWatch, at: float, move: m.PositionsMarked) -> Sequence[Signal]:
    trace = watch.sheets.get(move.sheet_id)
    if trace and move.mask & trace.live:  # a settled suspect, or a card inspected again, was taken out before
        trace.live &= ~move.mask
        trace.marks.append(move)
    return NO_SIGNALS


def _job_ended(watch: DriftWatch, at: float, move: m.JobEnded) -> Sequence[Signal]:
    signals: Sequence[Signal] = NO_SIGNALS
    traces, jammed = watch.sheets, False
    for end in move.sheets:
        trace = traces.get(end.sheet_id)
        if trace is None:
            continue
        fate = end.fate
        if fate == _SPOILED:
            if jammed:  # a press that jams with 24 sheets in it jammed once
                trace.marks.clear()
            jammed = True
        if trace.marks:
            if fate != _UNTOUCHED and trace.passed_whole():  # no verdict of any position is asked: by far the most
                del traces[end.sheet_id]
                watch._count_faultless(end.sheet_id, trace.visits, trace.marks[0].mask.bit_count())
                continue
            trace.settle_marks(fate)
        if fate == _UNTOUCHED:
            trace.visits = [visit for visit in trace.visits if visit.job_id != move.job_id]
        elif not trace.live:
            signals = [*signals, *watch._count(end.sheet_id)]
    return signals


def _released(watch: DriftWatch, at: float, move: StationReleased) -> Sequence[Signal]:
    """Begin at zero: whoever looked after the station changed it, and what it made before says nothing of it now."""
    watch.warnings.pop(move.station, None)
    chart = watch.charts.get(move.station)
    if chart:
        chart.to_zero()
        chart.after_job_id = watch.last_job_id
    return NO_SIGNALS


FOLDS: dict[type, Callable[[DriftWatch, float, Any], Sequence[Signal]]] = {
    m.ServiceStarted: _began,
    m.SheetImposed: _sheet,
    m.JobStarted: _job,
    m.PositionsMarked: _marked,
    m.JobEnded: _job_ended,
    StationReleased: _released,
}
