"""A floor on which nothing is wrong, and for each code of alarms a way to make it wrong and right again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from controller.core.andon.alarm import Alarm, Conditions, Look
from controller.core.andon.andon import alarms
from controller.core.cards import Card, State
from controller.core.holds import CardHold, Hold
from controller.core.moves import JobEnded, SheetEnd
from controller.core.rates import DENIED
from controller.core.remakes import Clock
from controller.core.settings import CoreConfig
from controller.core.state import SILENT, Batch, FloorState, Station, StoppedPile
from controller.core.stock import BodyRange, Supply
from controller.core.taken import Glass
from controller.core.tally import Tally
from devices.defects import Step
from devices.messages import Fate, StationState

DAY_S = 86_400.0
FRIDAY_S = datetime(2026, 3, 6, 9, tzinfo=UTC).timestamp()
NAMES = dict(zip(Step, ("p1", "l1", "u1", "w1", "i1", "k1"), strict=True))
BATCH, UNIT = "9" * 25, "520102001"


class AndonFloor:
    """A centre whose state, counts and conditions are written by hand."""

    def __init__(self) -> None:
        self.state, self.tally, self.config = FloorState(), Tally(), CoreConfig()
        self.now_floor_s, self.conditions = FRIDAY_S, Conditions()
        self.seen: dict[str, float] = {}
        for step in Step:
            self.add(step)
        stock = self.state.stock
        stock.vault.append(BodyRange(1_000, 100))
        stock.magazines["l1"] = deque([BodyRange(2_000, 50, 1)])
        stock.received, stock.shift_floor_s = 1_200, FRIDAY_S - 3_600

    def add(self, step: Step, name: str = "", state: str = StationState.IDLE) -> None:
        name = name or NAMES[step]
        self.state.stations[name] = Station(name, step, 1, "m", state=state, since_floor_s=FRIDAY_S - DAY_S)

    def put(self, name: str, state: str, for_s: float = 100.0) -> None:
        """Let a station be in a state for so long."""
        station = self.state.stations[name]
        station.state, station.since_floor_s, station.reason = state, self.now_floor_s - for_s, ""

    def batch(self, **fields: Any) -> None:
        """Let a batch have one held card."""
        times = {"received_floor_s": FRIDAY_S - 10.0, "due_floor_s": FRIDAY_S + DAY_S, **fields}
        states = Counter({State.HELD: 1})
        self.state.batches[1] = Batch(
            1, BATCH, "north", "second", received=1, refused_rows=0, states=states, cards=[10_000], **times
        )
        self.state.cards[10_000] = Card(10_000, 1, UNIT, State.HELD, (1, 1, 0.0, 1, UNIT, 10_000))

    def works_hard(self) -> None:
        """Let the printer have used a hundred sheets of film in the last day, and have ten."""
        ends = [SheetEnd(number, Fate.DONE, "00", 255) for number in range(100)]
        at = self.now_floor_s - DAY_S
        self.tally.inputs.fold(at, JobEnded(1, "p1", Step.PRINT, "done", at, at, ends))
        self.state.stock.supplies["p1"] = {"film": Supply("A7", 10)}

    def look(self) -> Look:
        return Look(self.state, self.tally, self.config, self.now_floor_s, self.conditions)

    def alarms(self) -> list[Alarm]:
        """Look once, and remember when each alarm was seen first, as the service does."""
        found = alarms(self.look(), self.seen)
        self.seen = {one.key: one.since_floor_s for one in found}
        return found

    def standing(self) -> set[str]:
        return {one.key for one in self.alarms()}

    def alarm(self, key: str) -> Alarm:
        return next(one for one in self.alarms() if one.key == key)


class Case(NamedTuple):
    """How the alarm `key` begins and ends; since when it stands, as floor seconds before now, None: since now."""

    key: str
    begin: Callable[[AndonFloor], object]
    end: Callable[[AndonFloor], object]
    for_s: float | None = None


def put(name: str, state: str) -> Callable[[AndonFloor], object]:
    return lambda floor: floor.put(name, state)


def hold(code: str, by: str) -> Callable[[AndonFloor], object]:
    return lambda floor: floor.state.station_holds.update(p1=Hold(code, FRIDAY_S - 5.0, by))


def unhold(floor: AndonFloor) -> None:
    floor.state.station_holds.clear()


def set_of(things: Callable[[AndonFloor], Any], key: Any, value: Any) -> tuple[Any, Any]:
    """Give how a mapping gets an entry, and loses it."""
    return lambda floor: things(floor).update({key: value}), lambda floor: things(floor).pop(key)


def conditions(**known: Any) -> Callable[[AndonFloor], object]:
    return lambda floor: setattr(floor, "conditions", Conditions(**known))


def stop_print(floor: AndonFloor) -> None:
    floor.state.piles[1, UNIT] = [10_000]
    floor.put("p1", StationState.STOPPED)


def _keys(floor: AndonFloor, ago_s: float) -> None:
    floor.state.peer_keys.outside, floor.state.peer_keys.outside_floor_s = 2, floor.now_floor_s - ago_s


def supply(units: int) -> Mapping[str, Supply]:
    return {"film": Supply("A7", units)}


IDLE = put("p1", StationState.IDLE)
CASES = [
    Case(
        "floor.starving",
        lambda floor: floor.state.stock.magazines["l1"].clear(),
        lambda floor: floor.state.stock.magazines["l1"].append(BodyRange(3_000, 9, 2)),
    ),
    Case("step.stopped print", stop_print, IDLE, 100.0),
    Case("step.missing write", lambda floor: floor.state.stations.pop("w1"), lambda floor: floor.add(Step.WRITE)),
    Case("station.silent p1", put("p1", SILENT), IDLE, 100.0),
    Case("station.aborted p1", put("p1", StationState.ABORTED), IDLE, 100.0),
    Case("station.machine_held p1", put("p1", StationState.HELD), IDLE, 100.0),
    Case("station.no_material p1", put("p1", StationState.SUSPENDED), IDLE, 100.0),
    Case("station.unsupplied p1", *set_of(lambda floor: floor.state.stock.supplies, "p1", supply(0))),
    Case(
        "station.magazine_empty l1",
        lambda floor: floor.state.stock.magazines.clear(),
        lambda floor: floor.state.stock.magazines.update(l1=deque([BodyRange(3_000, 9, 2)])),
    ),
    Case(
        "station.unattended i1",
        lambda floor: setattr(floor.state.stations["i1"], "operator_until_floor_s", FRIDAY_S - 10.0),
        lambda floor: setattr(floor.state.stations["i1"], "operator", "cay"),
        10.0,
    ),
    Case("station.drift p1", hold("drift", ""), unhold, 5.0),
    Case("station.held p1", hold("belt-worn", "ann"), unhold, 5.0),
    Case("blank.missing 12", *set_of(lambda floor: floor.state.stock.lost, 12, FRIDAY_S - 5.0), 5.0),
    Case(
        "stock.vault_empty",
        lambda floor: floor.state.stock.vault.clear(),
        lambda floor: floor.state.stock.vault.append(BodyRange(3_000, 9)),
    ),
    Case(
        "input.ends film p1",
        lambda floor: floor.works_hard(),
        lambda floor: floor.state.stock.supplies.update(p1=supply(9_000)),
    ),
    Case("reject.open", *set_of(lambda floor: floor.state.stock.spoiled, 13, FRIDAY_S - 3 * DAY_S), 3 * DAY_S),
    Case("return.open", *set_of(lambda floor: floor.state.stock.returned, 14, FRIDAY_S - 3 * DAY_S), 3 * DAY_S),
    Case(
        "shift.open",
        lambda floor: setattr(floor.state.stock, "shift_floor_s", FRIDAY_S - 2 * DAY_S),
        lambda floor: setattr(floor.state.stock, "shift_floor_s", FRIDAY_S - DAY_S),
        2 * DAY_S,
    ),
    Case("suspect.open", *set_of(lambda floor: floor.tally.since.suspects, 3, {0: FRIDAY_S - 3_600.0}), 3_600.0),
    Case(
        "pile.stopped",
        *set_of(
            lambda floor: floor.state.stopped_piles, (1, UNIT), StoppedPile(cards=[7], since_floor_s=FRIDAY_S - 3_600.0)
        ),
        3_600.0,
    ),
    Case("card.stopped", *set_of(lambda floor: floor.tally.since.stopped, 10_000, FRIDAY_S - 14_400.0), 14_400.0),
    Case(
        "card.held",
        lambda floor: (floor.batch(received_floor_s=FRIDAY_S - DAY_S), floor.state.holds.update({10_000: ["a.b"]})),
        lambda floor: floor.state.holds.clear(),
        DAY_S,
    ),
    Case(
        "card.on_hold",
        *set_of(lambda floor: floor.state.card_holds, 10_000, CardHold("look", FRIDAY_S - DAY_S, "ann")),
        DAY_S,
    ),
    Case(
        "batch.on_hold",
        lambda floor: (floor.batch(), floor.state.batch_holds.update({1: CardHold("look", FRIDAY_S - DAY_S, "ann")})),
        lambda floor: floor.state.batch_holds.clear(),
        DAY_S,
    ),
    Case(
        "batch.late 1",
        lambda floor: floor.batch(due_floor_s=FRIDAY_S - 1.0),
        lambda floor: floor.state.batches.clear(),
        1.0,
    ),
    Case(
        "remake.late",
        *set_of(lambda floor: floor.tally.remakes.remakes, 10_000, Clock(FRIDAY_S - 9.0, FRIDAY_S - 1.0)),
        1.0,
    ),
    Case(
        "return.late",
        *set_of(lambda floor: floor.tally.remakes.returns, 10_000, Clock(FRIDAY_S - 9.0, FRIDAY_S - 2.0)),
        2.0,
    ),
    Case(
        "consignment.open",
        *set_of(lambda floor: floor.tally.since.uncounted, 4, (FRIDAY_S - 7 * DAY_S, {UNIT})),
        7 * DAY_S,
    ),
    Case("disk.low", conditions(disk="low", free_bytes=5 << 20), conditions()),
    Case("disk.reserve_spent", conditions(disk="reserve_given_up"), conditions()),
    Case(
        "ledger.reconciling",
        lambda floor: setattr(floor.state, "reconciling", True),
        lambda floor: setattr(floor.state, "reconciling", False),
    ),
    Case(
        "ledger.altered",
        lambda floor: floor.state.altered.extend([3, 4]),
        lambda floor: floor.state.altered.clear(),
    ),
    Case("purge.open 1", *set_of(lambda floor: floor.state.purges, 1, 0.0)),
    Case("keys.outside", lambda floor: _keys(floor, 5.0), lambda floor: _keys(floor, 7 * DAY_S), 5.0),
    Case(
        "keys.pending",
        lambda floor: floor.state.peer_keys.pending.append(("station", "p1")),
        lambda floor: floor.state.peer_keys.pending.clear(),
    ),
    Case("sockets.insecure", conditions(is_insecure=True), conditions()),
    Case(
        "glass.broken root supervisor",
        *set_of(
            lambda floor: floor.state.glass,
            "root",
            {"supervisor": Glass("danger", FRIDAY_S - 60.0, FRIDAY_S + 60.0)},
        ),
        60.0,
    ),
    Case(
        "attempt.denied",
        lambda floor: floor.tally.window.add(FRIDAY_S - 60.0, DENIED, 3),
        lambda floor: floor.tally.window.minutes.clear(),
        60.0,
    ),
    Case("frames.refused", conditions(refused_frames=100), conditions(refused_frames=99)),
]
