"""The report of a span, folded from the moves of that span and what stood before it: see `span_moves`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from sqlalchemy import Engine

from controller.core.calendar import Calendar
from controller.core.moves import AnyMove
from controller.core.stock import Account
from controller.core.tally import StationTally, Tally
from controller.core.yields import (
    broken_sums,
    pareto,
    planned_busy_s,
    rolled_throughput_yield,
    station_effect,
    step_quality,
)
from controller.report.blank_entries import OUTSIDE
from controller.report.figures import SECONDS_PER_HOUR, lead_time
from controller.report.span import DAY_S, Span
from controller.report.span_fold import KINDS, SpanFold
from controller.report.span_moves import SpanMoves
from controller.report.span_report import (
    AccountRow,
    ActRow,
    Blanks,
    CauseRow,
    CurvePoint,
    LateRow,
    SpanReport,
    StationRow,
    StepRow,
)
from devices.defects import Step

BUCKETS_BY_HOUR = 48  # hours: a longer span has its curve by the day
ABOUT_MAX = 120  # characters of an act's arguments
LOOK_MOVES = 1_000  # between two looks whether to go on


def _go_on() -> None:
    """Let the work go on."""


class Beside(Protocol):
    """What is folded beside a span's report, in the same reading of the moves; `kinds` are those it looks at."""

    kinds: frozenset[type]

    def reach(self, at_floor_s: float) -> None:
        """Let time pass up to a move that comes next."""

    def fold(self, at_floor_s: float, move: AnyMove) -> None:
        """Take a move, after the span's own fold took it."""


def build_span_report(
    reading: Engine,
    span: Span,
    calendar: Calendar | None = None,
    now_floor_s: float | None = None,
    *,
    look: Callable[[], object] = _go_on,
) -> SpanReport:
    """Give the report of a span, of what is durable; for a worker thread.

    Args:
        reading: an engine of the ledger's readers, see `Ledger.reading`.
        calendar: what planned time is; without it, every hour.
        now_floor_s: the span ends there at the latest; without it, it is over.
        look: called now and then; what it raises ends the work.
    Cost: 7 to 12 us a move of the span and of the shift before it, see docs/reports.md.  Raises: LedgerDamaged.
    """
    return SpanBuild(reading, span, calendar, now_floor_s).fold(None, look).report()


class SpanBuild:
    """Reads the moves of a span once, and puts the report together from what was folded."""

    def __init__(
        self, reading: Engine, span: Span, calendar: Calendar | None = None, now_floor_s: float | None = None
    ) -> None:
        """Look up what stood before the span; see `build_span_report`."""
        begin, end = span.begin_floor_s, span.end_floor_s
        self.span, self.calendar = span, calendar
        self.until = end if now_floor_s is None else min(end, max(begin, now_floor_s))
        self.before = SpanMoves(reading, begin, self.until)
        self._bucket_s = SECONDS_PER_HOUR if end - begin <= BUCKETS_BY_HOUR * 3_600 else DAY_S
        self.folded = SpanFold(self.before, lambda at: int((at - begin) // self._bucket_s))

    def fold(self, beside: Beside | None = None, look: Callable[[], object] = _go_on) -> SpanBuild:
        """Read all moves; give itself.  Raises: LedgerDamaged."""
        folded, kinds = self.folded, KINDS | beside.kinds if beside else KINDS
        for place, (seq, at_floor_s, move) in enumerate(self.before.moves(kinds)):
            if place % LOOK_MOVES == 0:
                look()
            if beside is None:
                folded.fold(seq, at_floor_s, move)
                continue
            beside.reach(at_floor_s)
            folded.fold(seq, at_floor_s, move)
            beside.fold(at_floor_s, move)
        if not folded.begun:
            folded.begin()
        return self

    def report(self) -> SpanReport:
        """Give the report of what was folded."""
        fold, tally = self.folded, self.folded.tally
        planned_s = self.planned_s(self.span.begin_floor_s, self.until)
        late, late_more = self.before.late()
        lead, cards = lead_time(tally), self._cards()
        left_out = {**fold.left_out, "late": late_more}
        return SpanReport(
            span=self.span,
            until_floor_s=self.until,
            cards=cards,
            refused_by_code=dict(sorted(tally.refused_by_code.items())),
            steps=[_step(tally, step) for step in Step],
            rty=rolled_throughput_yield(tally),
            stations=[self._station(name, one) for name, one in sorted(tally.stations.items(), key=_by_route)],
            planned_s=planned_s,
            cards_per_hour=_per_hour(cards["made"], planned_s),
            lead_p50_s=lead["p50"],
            lead_p95_s=lead["p95"],
            curve=self._curve(),
            causes=[
                CauseRow(**{name: value for name, value in asdict(row).items() if name not in ("en", "zh")})
                for row in pareto(tally)
            ],
            blanks=self._blanks(),
            counts=fold.counts,
            shifts=fold.shifts,
            acts=self._acts(),
            alarms=fold.alarms.rows(),
            late=[
                LateRow(**one._asdict(), late_s=(one.closed_floor_s or self.until) - one.due_floor_s) for one in late
            ],
            left_out={name: count for name, count in left_out.items() if count},
            broken=self._broken(cards),
            moves=fold.moves,
        )

    def _cards(self) -> dict[str, int]:
        """Give the cases of the span; see docs/reports.md for each."""
        tally, fold, before = self.folded.tally, self.folded, self.before
        refused = tally.refused - tally.held_refused
        accepted = tally.accepted - tally.held_released
        return {
            "open_at_begin": before.open_at(self.span.begin_floor_s, before.first),
            "received": tally.received,
            "refused": refused,
            "held": tally.received - refused - accepted,
            "accepted": accepted,
            "held_released": tally.held_released,
            "held_refused": tally.held_refused,
            "cancelled": tally.cancelled,
            "refused_late": tally.refused_late,
            "made": tally.made,
            "dispatched": tally.dispatched,
            "open_at_end": before.open_at(self.until, before.end),
            "remade": tally.remade,
            "set_good_earlier": fold.set_good_earlier,
            "sheets": tally.sheets,
            "batches": tally.batches,
            "batches_refused": fold.batches_refused,
            "batches_closed": tally.batches_closed,
        }

    def planned_s(self, begin: float, end: float, station: str = "") -> float:
        """Give the floor seconds between two times in which the floor, or a station, was to work."""
        return planned_busy_s(station, begin, end, self.calendar)

    def _station(self, name: str, one: StationTally) -> StationRow:
        planned_s = self.planned_s(max(one.joined_floor_s, self.span.begin_floor_s), self.until, name)
        effect = station_effect(one, self.until, planned_s)
        return StationRow(
            station=name,
            step=one.step.value,
            planned_s=planned_s,
            busy_s=one.busy_s,
            down_s=one.down_until(self.until),
            loads=one.jobs,
            worked=one.worked,
            bad=one.bad,
            rework=one.reworked,
            ideal_unit_s=effect.ideal_s,
            availability=effect.availability,
            effectiveness=effect.effectiveness,
            quality=effect.quality,
            oee=effect.oee,
        )

    def _curve(self) -> list[CurvePoint]:
        points, at, place = [], self.span.begin_floor_s, 0
        while at < self.until:
            end = min(at + self._bucket_s, self.until)
            planned_s, cards = self.planned_s(at, end), self.folded.made[place]
            rate = _per_hour(cards, planned_s or end - at)
            points.append(
                CurvePoint(begin_floor_s=at, seconds=end - at, planned_s=planned_s, cards=cards, per_hour=rate)
            )
            at, place = at + self._bucket_s, place + 1
        return points

    def _blanks(self) -> Blanks:
        fold, anchor = self.folded, self.before.anchor
        opening, closing, entries = fold.opening, fold.entries.accounts, fold.entries.entries
        came, went = _sums(entries)
        accounts = [
            AccountRow(account=name, begin=opening[name], came=came[name], went=went[name], end=closing[name])
            for name in Account
        ]
        received = came[Account.VAULT] - sum(
            blanks for (source, target), blanks in entries.items() if target == Account.VAULT and source != OUTSIDE
        )
        faults = list(fold.faults)
        faults += [f"the account {row.account} has {row.end} blanks" for row in accounts if min(row.begin, row.end) < 0]
        if sum(closing.values()) != sum(opening.values()) + received:
            faults.append("the accounts at the end are not those at the beginning and what was received")
        shift = getattr(anchor.move, "shift_id", 0) if anchor else 0
        since = anchor.at_floor_s if anchor else 0.0
        return Blanks(accounts=accounts, received=received, since_shift=shift, since_floor_s=since, faults=faults)

    def _acts(self) -> list[ActRow]:
        fold = self.folded
        unknown = {move.act_id for _, move in fold.ended} - fold.proposed.keys()
        known = fold.proposed | self.before.proposed(unknown)
        return [_act(at, move, known) for at, move in fold.ended]

    def _broken(self, cards: Mapping[str, int]) -> list[str]:
        """Name the sums that do not hold: of what was spoiled, of cases (law 4), of blanks (law 2)."""
        ended = sum(
            cards[name]
            for name in ("refused", "held_refused", "cancelled", "refused_late", "dispatched", "open_at_end")
        )
        came = cards["open_at_begin"] + cards["received"]
        law_4 = [] if came == ended else [f"cases: {came} were open or received, {ended} ended or are open"]
        return [*broken_sums(self.folded.tally), *law_4, *self._blanks().faults]


def _step(tally: Tally, step: Step) -> StepRow:
    one = step_quality(tally, step)
    return StepRow(
        step=step.value,
        worked=one.produced,
        scrap=one.scrap,
        rework=one.rework,
        fpy=one.fpy,
        fty=one.fty,
        scrap_ratio=one.scrap_ratio,
        rework_ratio=one.rework_ratio,
    )


def _by_route(named: tuple[str, StationTally]) -> tuple[int, str]:
    return list(Step).index(named[1].step), named[0]


def _per_hour(cards: int, seconds: float) -> float:
    return cards / (seconds / SECONDS_PER_HOUR) if seconds > 0 else 0.0


def _sums(entries: Mapping[tuple[str, str], int]) -> tuple[dict[str, int], dict[str, int]]:
    came: dict[str, int] = dict.fromkeys(Account, 0)
    went: dict[str, int] = dict.fromkeys([*Account, OUTSIDE], 0)
    for (source, target), blanks in entries.items():
        came[target] += blanks
        went[source] += blanks
    return came, went


def _act(at: float, move: Any, known: Mapping[int, Any]) -> ActRow:
    asked = known.get(move.act_id)
    about = " ".join(f"{name}={value}" for name, value in asked.args.items()) if asked else ""
    return ActRow(
        at_floor_s=at,
        verb=asked.verb if asked else "",
        about=about[:ABOUT_MAX],
        by=asked.by if asked else "",
        second=move.by,
        done=move.done,
    )
