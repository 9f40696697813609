"""A restored ledger on the floor: nothing is made before two people compared it, and no number is given twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from controller import core
from controller.core import events as e
from controller.core import moves as m
from controller.core import record_moves as r
from controller.core.cards import State
from controller.core.foreman import Foreman
from controller.core.record_folds import OUTSIDE_NUMBERS
from controller.core.settings import CoreConfig
from controller.core.stock import Account
from controller.core.turn import Turn
from controller.ledger.inbox import AcknowledgeReceipts
from controller.ledger.journal import Recorded
from controller.ledger.reader import Reader
from controller.ledger.receipts import RESTORED
from controller.ledger.verify.whole import verify
from tests.controller.core.rough_floor import STATIONS, RoughFloor
from tests.controller.ledger.desk import Desk
from tests.controller.ledger.floor import SmallFloor

STEP = 1_000_000
NUMBERED = {
    m.JobStarted: "job_id",
    m.SheetImposed: "sheet_id",
    m.EncodeStarted: "job_id",
    m.ConsignmentSent: "consignment_id",
}


class Restored:
    """A foreman on what a rough floor had recorded in the middle of its work; the floor itself went on to its end."""

    def __init__(self, seed: int) -> None:
        self.lost = RoughFloor(seed, trouble=0.02)
        rows = [e.RowVerdict(index, "1" * 22, "520102001", 0) for index in range(60)]
        self.lost.host.push(1.0, e.BatchChecked(1, "1" * 25, "north", "second", 1.0, 9e5, rows))
        while not (self.waiting(self.lost) and any(job.step == "inspect" for job in self.lost.state.jobs.values())):
            self.lost.host.now_floor_s += 1.0
            self.lost.host.run(self.lost.host.now_floor_s)
        self.now_floor_s = self.lost.host.now_floor_s
        self.foreman, self.log = Foreman(CoreConfig()), list(self.lost.log)
        for at_floor_s, move in self.log:
            self.foreman.replay(at_floor_s, move)
        self.lost.run()
        self.state = self.foreman.state
        self.actions: list[e.AnyAction] = []

    @staticmethod
    def waiting(floor: RoughFloor) -> int:
        """Give how many sheets lie between two steps."""
        return sum(map(len, floor.state.waiting.values()))

    def say(self, event: e.AnyEvent) -> Turn:
        """Tell the foreman something; its moves are kept, and law 2 holds."""
        turn = self.foreman.handle(event, self.now_floor_s)
        self.log += [(self.now_floor_s, move) for move in turn.moves]
        self.actions += turn.actions
        assert self.state.stock.balanced()
        return turn

    def begin(self) -> None:
        """Start the service on it, with stations that are idle and remember nothing."""
        self.say(e.RestoreAccepted(len(self.log), STEP, ["north"]))
        self.say(e.ServiceBegan())
        for name, step, load_max in STATIONS:
            self.say(e.StationSeen(name, step, "rough", load_max, "idle", ""))
            self.say(e.StationReported(name, "idle", "", 0.0))

    def two_people(self, verb: str, **args: int | str) -> Turn:
        """Propose and agree; give the second's turn, or the first's if that was refused."""
        asked = self.say(e.ActAsked(verb, args, "ann"))
        return asked if asked.refused else self.say(e.ActSeconded(asked.answer, "bob"))

    def settle_all(self) -> None:
        """Give up every job and find everything suspect spoiled, or missing where no body is known."""
        for job in list(self.state.jobs.values()):
            self.say(e.JobForgotten(job.station, job.job_id))
        for sheet in list(self.state.sheets.values()):
            if sheet.suspect:
                finding = "spoiled" if sheet.body else "missing"
                assert not self.two_people(
                    "settle", sheet_id=sheet.sheet_id, mask=sheet.suspect, finding=finding
                ).refused


@pytest.mark.parametrize("seed", range(4))
def test_every_sheet_between_two_steps_becomes_suspect_and_no_station_gets_a_load(seed):
    restored = Restored(seed)
    waiting = restored.waiting(restored)
    assert waiting
    live = sum(one.live.bit_count() for one in restored.state.sheets.values() if not one.job_id)
    restored.begin()
    assert sum(one.suspect.bit_count() for one in restored.state.sheets.values()) == live
    assert restored.waiting(restored) == 0
    restored.say(e.TimerFired())
    begun = [action for action in restored.actions if isinstance(action, e.StartJob)]
    assert begun == []
    assert restored.state.reconciling


@pytest.mark.parametrize("seed", range(4))
def test_a_print_job_that_a_station_forgot_is_suspect_too_since_a_press_may_have_had_its_film(seed):
    restored = Restored(seed)
    jobs = [job for job in restored.state.jobs.values() if job.step == "print"]
    restored.begin()
    for job in jobs:
        restored.say(e.JobForgotten(job.station, job.job_id))
        assert all(restored.state.sheets[sheet_id].suspect for sheet_id in job.sheets)
    spoiled = [move for _, move in restored.log if isinstance(move, m.PositionsMarked) and move.mark == "film_spoiled"]
    assert not any(move.sheet_id in job.sheets for job in jobs for move in spoiled)


@pytest.mark.parametrize("seed", range(4))
def test_work_goes_on_only_after_every_suspect_is_settled_and_two_people_agree(seed):
    restored = Restored(seed)
    restored.begin()
    assert restored.two_people("reconciled").refused.code in ("restored.open_jobs", "restored.suspects")
    restored.settle_all()
    assert restored.state.reconciling
    alone = restored.say(e.ActAsked("reconciled", {}, "ann"))
    assert restored.say(e.ActSeconded(alone.answer, "ann")).refused.code == "act.same_person"
    assert not any(isinstance(action, e.StartJob) for action in restored.actions)
    assert restored.say(e.ActSeconded(alone.answer, "bob")).refused is None
    assert not restored.state.reconciling
    assert any(isinstance(action, e.StartJob | e.Encode) for action in restored.actions)
    assert restored.two_people("reconciled").refused.code == "restored.nothing"


@pytest.mark.parametrize("seed", range(4))
def test_no_number_that_the_lost_time_gave_is_given_again(seed):
    restored = Restored(seed)
    began = len(restored.log)
    restored.begin()
    restored.settle_all()
    restored.two_people("reconciled")

    def numbers(log):
        return {
            (NUMBERED[type(move)], getattr(move, NUMBERED[type(move)])) for _, move in log if type(move) in NUMBERED
        }

    fresh = numbers(restored.log[began:])
    assert fresh
    assert not fresh & numbers(restored.lost.log)
    assert min(number for _, number in fresh) > STEP


@pytest.mark.parametrize("seed", range(2))
def test_the_moves_of_a_restored_floor_fold_to_its_state(seed):
    restored = Restored(seed)
    restored.begin()
    restored.settle_all()
    restored.two_people("reconciled")
    again = Foreman(CoreConfig())
    for at_floor_s, move in restored.log:
        again.replay(at_floor_s, move)
    assert again.state == restored.state


def test_a_card_made_in_the_lost_time_can_be_ended_by_a_person_before_work_goes_on():
    restored = Restored(0)
    restored.begin()
    restored.settle_all()
    ready = [card for card in restored.state.cards.values() if card.state in (State.READY, State.ACCEPTED)]
    turn = restored.say(e.DecisionMade(ready[0].card, "refuse_late", "ann", "dispatched before the restore"))
    assert turn.refused is None
    restored.two_people("reconciled")
    imposed = {card for _, move in restored.log if isinstance(move, m.SheetImposed) for card in move.cards}
    later = [move for _, move in restored.log[-20:] if isinstance(move, m.SheetImposed)]
    assert ready[0].card not in {card for move in later for card in move.cards}
    assert imposed
    assert restored.state.stock.blanks[Account.SHEET] >= 0


# ---- receipts --------------------------------------------------------------------------------------------------


@pytest.fixture
def desk():
    made = Desk(create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}))
    yield made
    made.close()


def restored_desk(desk: Desk) -> tuple[Reader, int]:
    """Record a small floor and then a restore; give a reader and the last receipt of `city` before it."""
    floor = SmallFloor(3, rows_max=6)
    desk.keep(list(floor.run(120)))
    last, _ = Reader(desk.engine).receipt_numbers("city")
    assert last
    accepted = e.RestoreAccepted(desk.journal.head.seq, STEP, ["city", "village"])
    moves = [r.LedgerRestored(accepted.at_seq, STEP, accepted.upstreams)]
    desk.keep([Recorded(floor.at_floor_s, accepted, moves)])
    desk.keep(list(floor.run(120)))
    return Reader(desk.engine), last


def test_receipts_go_on_far_above_the_last_and_the_first_of_them_says_that_the_ledger_was_restored(desk):
    reader, last = restored_desk(desk)
    first, *rest = reader.receipts("city", last)
    assert (first.number, first.kind, first.batch_number) == (last + 1 + STEP, RESTORED, "")
    assert first.counts == {"first_void": last + 1}
    assert [one.number for one in rest] == list(range(first.number + 1, first.number + 1 + len(rest)))
    assert rest
    [told] = reader.receipts("village", 0)
    assert (told.number, told.kind) == (1 + STEP, RESTORED), "it may have been known in the lost time"


def _refused(batch_id: int, upstream: str) -> Recorded:
    return Recorded(1e6, e.TimerFired(), [m.BatchRefused(batch_id, f"{batch_id:025d}", upstream, ["batch.count"])])


@pytest.mark.parametrize("reopened", [False, True])
def test_an_upstream_that_this_ledger_first_hears_of_after_a_restore_gets_no_number_of_the_lost_time(desk, reopened):
    restored_desk(desk)
    if reopened:  # by another start, whose journal was not there at the restore
        other = Desk(desk.engine)
        other.keep([_refused(900, "hamlet"), _refused(901, "hamlet")])
        other.keep([_refused(902, "hamlet")])
    else:
        desk.keep([_refused(900, "hamlet"), _refused(901, "hamlet")])
        desk.keep([_refused(902, "hamlet")])
    first, *rest = Reader(desk.engine).receipts("hamlet", 0)
    assert (first.number, first.kind, first.counts) == (1 + STEP, RESTORED, {"first_void": 1})
    assert [(one.number, one.kind) for one in rest] == [(place + 2 + STEP, "refused") for place in range(3)]
    assert verify(desk.engine).faults == []


def test_after_two_restores_it_gets_none_that_either_lost_time_may_have_given(desk):
    restored_desk(desk)
    desk.keep([_refused(900, "hamlet")])
    again = e.RestoreAccepted(desk.journal.head.seq, STEP, ["city", "hamlet"])
    desk.keep([Recorded(1e6, again, [r.LedgerRestored(again.at_seq, STEP, again.upstreams)])])
    desk.keep([_refused(901, "hamlet"), _refused(902, "farm")])
    reader = Reader(desk.engine)
    assert [one.number for one in reader.receipts("hamlet", 0)] == [1 + STEP, 2 + STEP, 3 + 2 * STEP, 4 + 2 * STEP]
    assert [one.number for one in reader.receipts("farm", 0)] == [1 + 2 * STEP, 2 + 2 * STEP]
    assert verify(desk.engine).faults == []


@pytest.mark.parametrize("noun", OUTSIDE_NUMBERS)
def test_each_number_that_people_write_down_jumps_at_a_restore(noun):
    foreman = Foreman(CoreConfig())
    foreman.state.used_id(noun, 7)
    foreman.replay(1.0, r.LedgerRestored(0, STEP, []))
    assert foreman.state.next_id(noun) == 8 + STEP


def test_every_number_the_foreman_gives_jumps_at_a_restore():
    given = set()
    for path in Path(core.__file__).parent.rglob("*.py"):
        given |= set(re.findall(r'next_id\("(\w+)"\)', path.read_text("utf-8")))
    assert given == set(OUTSIDE_NUMBERS)


def test_a_cursor_in_the_lost_time_is_known_as_such_and_every_other_one_is_not(desk):
    reader, last = restored_desk(desk)
    newest, _ = reader.receipt_numbers("city")
    for cursor in (0, 1, last, last + STEP, last + STEP + 1, newest):
        assert reader.cursor_at("city", cursor) == cursor
    for cursor in (last + 1, last + 2, last + STEP - 1):
        assert reader.cursor_at("city", cursor) == last
    assert reader.cursor_at("city", newest + 5) == newest
    assert reader.cursor_at("nobody", 3) == 0
    [item] = desk.keep([AcknowledgeReceipts("city", last + STEP + 1)])
    assert item.result == last + STEP + 1
