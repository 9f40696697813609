"""A sheet shifted by one position, for a card without a chip: the printed control mark alone can show it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from controller.application import control_mark
from controller.core import events as e
from controller.core.cards import State
from controller.core.foreman import Foreman
from controller.core.moves import JobEnded, Mark, PositionsMarked, RowVerdict, Verdict
from controller.core.settings import CoreConfig
from controller.encoding import MadeCard
from controller.floor.readback import FACE_DIFFERS, outcome_of
from controller.hosts.heap import HeapHost
from devices.defects import Step
from devices.messages import PositionWork, SheetResult, StationState
from encoders.envelope import pack
from encoders.face import PORTRAIT_BOX, SPECIMEN, FaceJob
from sims.faults import NO_FAULTS, Faults
from sims.world import World

STATIONS = {"p1": Step.PRINT, "l1": Step.LAMINATE, "c1": Step.PUNCH, "i1": Step.INSPECT, "k1": Step.PACK}
BODY = 5_000


class FirstKindFloor:
    """A foreman and a world of `first` cards; readback compares as on the real floor, and no chip ever answers."""

    def __init__(self, faults: Faults) -> None:
        self.world, self.body, self.moves = World(1, faults), BODY, []
        self.foreman = Foreman(CoreConfig())
        self.host = HeapHost(self.foreman, self.perform, lambda at, event, moves: self.moves.extend(moves))
        self.host.handle(e.ServiceBegan(), 0.0)
        for name, step in STATIONS.items():
            self.host.handle(e.StationSeen(name, step, "m", 8, StationState.IDLE, ""), 0.0)
        for verb, args in (
            ("receive", {"first_body": BODY, "sheets": 50, "lot": "a"}),
            ("issue", {"station": "l1", "first_body": BODY, "sheets": 50}),
        ):
            act = self.host.handle(e.ActAsked(verb, args, "ann"), 0.0)
            self.host.handle(e.ActSeconded(act.answer, "bob"), 0.0)

    def submit(self, cards: int) -> None:
        rows = [RowVerdict(index, f"{index:022d}", "520102001", Verdict.OK) for index in range(cards)]
        self.host.push(1.0, e.BatchChecked(1, f"{1:025d}", "north", "first", 1.0, 90_000.0, rows))

    def perform(self, at: float, action: e.AnyAction) -> None:
        if isinstance(action, e.Encode):
            self.host.push(at, e.CardsEncoded(action.job_id))
        elif isinstance(action, e.StartJob) and action.bundle_id:
            packed = self.world.pack(action.blanks)
            self.host.push(at + 1, e.BundlePacked(action.station, action.job_id, at, at + 1, packed))
        elif isinstance(action, e.StartJob):
            done = [self.work(Step(action.step), sheet_id, cards) for sheet_id, cards in action.sheets]
            self.host.push(at + 1, e.StepDone(action.station, action.job_id, at, at + 1, done))

    def work(self, step: Step, sheet_id: int, cards: list[int]) -> e.SheetOutcome:
        made = {card: MadeCard(record=b"", portrait=b"", face=face(card)) for card in cards if card}
        return outcome_of(step, self.result(step, sheet_id, cards), cards, made)

    def result(self, step: Step, sheet_id: int, cards: list[int]) -> SheetResult:
        if step is Step.PRINT:
            return self.world.print(sheet_id, [PositionWork(pack(face(card)) if card else b"") for card in cards])
        if step is Step.LAMINATE:
            self.body += 1
            return self.world.laminate(sheet_id, self.body - 1)
        if step is Step.PUNCH:
            return self.world.punch(sheet_id)
        seen = self.world.inspect(sheet_id)
        return msgspec.structs.replace(
            seen, positions=[msgspec.structs.replace(one, blank=0) for one in seen.positions]
        )


def face(card: int) -> FaceJob:
    mark = control_mark(card)
    return FaceJob(front=(), back=(), control_mark=mark, specimen=SPECIMEN, mirrored=True, portrait_box=PORTRAIT_BOX)


@pytest.mark.parametrize("fault", ["film_shifted", "tray_shifted"])
def test_every_first_card_of_a_sheet_shifted_by_one_is_rejected_by_its_control_mark(fault):
    floor = FirstKindFloor(replace(NO_FAULTS, **{fault: 1.0}))
    floor.submit(8)
    floor.host.run(6.0)  # print, laminate, punch, inspect
    ended = [move.step for move in floor.moves if isinstance(move, JobEnded)]
    assert ended[:4] == [Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.INSPECT]
    marks = [move for move in floor.moves if isinstance(move, PositionsMarked) and move.found_at == Step.INSPECT]
    assert [(move.mark, move.mask, move.code) for move in marks][:1] == [(Mark.SPOILED, 0xFF, FACE_DIFFERS)]
    assert not [move for move in floor.moves if isinstance(move, PositionsMarked) and move.mark is Mark.PASSED]
    assert not floor.foreman.state.station_holds, "one incident: no station drifts for it"
    assert {card.generation for card in floor.foreman.state.cards.values()} == {2}
    assert not any(card.state is State.GOOD for card in floor.foreman.state.cards.values())


def test_first_cards_of_a_sheet_that_is_not_shifted_pass():
    floor = FirstKindFloor(NO_FAULTS)
    floor.submit(8)
    floor.host.run(100.0)
    assert not floor.foreman.state.batches, "dispatched, and closed"
    assert not floor.world.violations
