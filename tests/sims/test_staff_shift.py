"""The end of the demo keepers' shift: everything counted, what is spoiled destroyed, the books closed."""

from __future__ import annotations

import pytest

from controller.asking.conversation import ClientError
from controller.core import events as e
from controller.core.stock import Account
from controller.core.stock_moves import BlanksDestroyed, ShiftClosed
from devices.defects import Step
from devices.messages import POSITIONS
from sims.demo.report import shift_closed
from sims.demo.staff import StockKeepers
from sims.demo.summary import _shift
from tests.sims.desk import Desk
from tests.sims.test_staff import printed_sheet


@pytest.fixture
def desk():
    """A floor with a press that spoiled a sheet."""
    desk = Desk()
    desk.handle(e.StationSeen("l1", Step.LAMINATE, "simulated", 24, "idle", ""))
    desk.handle(e.StationSeen("p1", Step.PRINT, "simulated", 1, "idle", ""))
    return desk


@pytest.fixture
def keepers(desk):
    return StockKeepers(desk.of("keeper-1"), desk.of("keeper-2"), cards=600)


def spoil_a_sheet(desk, keepers):
    keepers.look()
    keepers.look()
    sheet, job = printed_sheet(desk)
    body = desk.foreman.state.stock.magazines["l1"][0].first
    outcome = e.SheetOutcome(sheet, "spoiled", "L1", body, [], [0] * POSITIONS)
    desk.handle(e.StepDone(job.station, job.job_id, 60.0, 99.0, [outcome]))


def test_keepers_destroy_what_is_spoiled_and_close_a_shift_that_balances(desk, keepers):
    spoil_a_sheet(desk, keepers)
    assert keepers.close_shift()
    [destroyed], [closed] = desk.kinds(BlanksDestroyed), desk.kinds(ShiftClosed)
    assert len(destroyed.blanks) == POSITIONS
    assert (closed.by, closed.second) == ("keeper-1", "keeper-2")
    received = desk.foreman.state.stock.received
    told = shift_closed(desk.moves)
    assert told == {"closed": 1, "accounted": received, "undestroyed": 0, "missing": 0}
    assert _shift(told, received).startswith("balances")
    assert _shift(told, received + 1).startswith("does not balance")
    assert keepers.close_shift()
    assert len(desk.kinds(ShiftClosed)) == 1


@pytest.mark.parametrize("lost", ["count", "act", "second"])
def test_an_answer_that_was_lost_is_no_second_destruction_and_no_second_closing(desk, keepers, lost):
    spoil_a_sheet(desk, keepers)
    desk.lose = [lost]
    with pytest.raises(ClientError):
        keepers.close_shift()
    closed = False
    for _ in range(3):
        closed = closed or keepers.close_shift()
    assert closed
    assert len(desk.kinds(ShiftClosed)) == 1
    assert desk.foreman.state.stock.blanks[Account.SPOILED] == 0
    assert desk.foreman.state.stock.blanks[Account.DESTROYED] == POSITIONS


def test_a_shift_waits_for_a_press_that_works(desk, keepers):
    keepers.look()
    keepers.look()
    _, job = printed_sheet(desk)
    assert not keepers.close_shift()
    assert not desk.kinds(ShiftClosed)
    desk.handle(e.JobForgotten(job.station, job.job_id))
    assert keepers.refusals["stock.station_works"]
