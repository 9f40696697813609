"""A real ledger of four weeks about a new year: two shifts beyond the normal ones, holidays, express cards, trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from controller.core import events as e
from controller.core.calendar import DAY_S
from controller.core.cards import Decision
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, RowVerdict, Verdict
from controller.core.settings import CalendarConfig, CoreConfig, PlanConfig
from sims.heap_floor import HeapFloor

HOLIDAYS = "1970-12-25, 1971-01-01"
NORMAL = CalendarConfig(shifts="08:00-12:00, 13:00-17:00", weekdays="12345", holidays=HOLIDAYS)
WORKED = CalendarConfig(shifts="07:00-19:00", weekdays="123456", holidays="1971-01-01")  # with what is overtime
FIRST_DAY, DAYS = 352, 20  # of 1970: from 19 December 1970 to 7 January 1971
BATCHES_A_DAY, CARDS = 2, 60
UNITS = ("520102001", "520102002")


@dataclass
class YearFloor:
    """What a floor did, and the floor."""

    host: HeapFloor
    log: list[tuple[float, AnyMove]] = field(default_factory=list)


def year_floor(seed: int) -> YearFloor:
    """Give the floor after those weeks."""
    log: list[tuple[float, AnyMove]] = []
    foreman = Foreman(CoreConfig(calendar=WORKED, plan=PlanConfig(sheet_wait_s=1_800.0)))
    floor = HeapFloor(seed, foreman=foreman, watch=[lambda at, move: log.append((at, move))], singles=40)
    random = Random(f"year ledger {seed}")
    for batch in range(1, BATCHES_A_DAY * DAYS + 1):
        day = FIRST_DAY + (batch - 1) // BATCHES_A_DAY
        _submit(floor, random, batch, day * DAY_S + random.uniform(6, 16) * 3_600.0)
    floor.run((FIRST_DAY + DAYS + 1) * DAY_S)
    return YearFloor(floor, log)


def _submit(floor: HeapFloor, random: Random, batch: int, at: float) -> None:
    verdicts = random.choices((Verdict.OK, Verdict.NOTE, Verdict.HOLD, Verdict.REFUSE), (90, 4, 3, 3), k=CARDS)
    rows = [
        RowVerdict(
            index,
            f"{batch:09d}{index:013d}",
            UNITS[index % 7 == 0],
            verdict,
            ["I1"] if verdict >= Verdict.HOLD else [],
            express=random.random() < 0.08,
        )
        for index, verdict in enumerate(verdicts)
    ]
    due = at + random.choice((0.4, 1, 5, 12, 20, 40)) * DAY_S
    floor.host.push(at, e.BatchChecked(batch, f"{batch:025d}", "north", "second", at, due, rows))
    for index, verdict in enumerate(verdicts):
        card, later = batch * 10_000 + index, at + random.uniform(60, 40_000)
        if verdict is Verdict.HOLD:
            decision = random.choice((Decision.RELEASE, Decision.REFUSE))
            floor.host.push(later, e.DecisionMade(card, decision, "ann", "it was looked at"))
        elif random.random() < 0.02:
            floor.host.push(later, e.ExpressAsked(card, "north", "it is urgent"))
        elif verdict < Verdict.HOLD and random.random() < 0.03:
            floor.host.push(later, e.DecisionMade(card, Decision.CANCEL, "ann", "nobody wants it"))
