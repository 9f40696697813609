"""Rejects that two people set good, and cards that came back: never two good cards of one case, every blank counted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from controller.core import events as e
from controller.core.cards import State
from controller.core.cases import RETURN_CODES, SET_GOOD_CODES
from controller.core.moves import BatchClosed, BatchOpened, CardStopped, RowVerdict, Verdict
from controller.core.quality_moves import CardReturned, CardSetGood
from controller.core.settings import CoreConfig, PlanConfig, RemakeConfig
from controller.core.stock import Account
from devices.defects import GOOD, Step
from devices.messages import Fate
from tests.controller.core.rough_floor import RoughFloor

CARD = 10_000


class Inspected(RoughFloor):
    """A floor without trouble whose inspection rejects the first card of each sheet as often as `rejects` says."""

    def __init__(self, rejects: int = 1, code: str = "I1", config: CoreConfig | None = None) -> None:
        self.rejects, self.code = rejects, code
        super().__init__(1, config, trouble=0.0)

    def outcome(self, job, sheet, cards):
        said = super().outcome(job, sheet, cards)
        if Step(job.step) is Step.INSPECT and self.rejects and cards[0]:
            self.rejects -= 1
            said = e.SheetOutcome(sheet, Fate.DONE, GOOD, 0, [self.code, *said.codes[1:]], said.blanks)
        return said

    def act(self, verb, by="ann", **args):
        return self.host.handle(e.ActAsked(verb, args, by), self.host.now_floor_s)

    def agree(self, act_id, by="bob"):
        return self.host.handle(e.ActSeconded(act_id, by), self.host.now_floor_s)

    def step(self):
        """Go on to the next moment at which anything happens."""
        before, at = len(self.events), self.host.now_floor_s
        while len(self.events) == before:
            at += 1.0
            self.host.run(at)


def printers(floor, state):
    for name in ("p1", "p2"):
        floor.host.handle(e.StationReported(name, state, "", floor.host.now_floor_s), floor.host.now_floor_s)


def rejected_floor(code="I1", attempts_max=8, rejects=1):
    """Give a floor whose first card of three is rejected, and whose printers are off line: its remake waits."""
    config = CoreConfig(plan=PlanConfig(auto_dispatch=False), remake=RemakeConfig(attempts_max=attempts_max))
    floor = Inspected(rejects, code, config)
    floor.submit(1.0, 1, cards=3)
    while not floor.state.waiting[Step.LAMINATE] and not any(
        job.step is Step.LAMINATE for job in floor.state.jobs.values()
    ):
        floor.step()
    printers(floor, "stopped")
    while not floor.state.cards[CARD].rejected_blank:
        floor.step()
    return floor


def finish(floor):
    """Let the printers work again until every batch is closed."""
    floor.foreman.config = replace(floor.foreman.config, plan=PlanConfig())
    printers(floor, "idle")
    floor.run()
    assert floor.refolded() == floor.state
    assert set(floor.ends().values()) == {1}
    assert len(floor.ends()) == floor.received()


def test_a_wrong_reject_is_set_good_by_two_people_and_its_own_blank_is_the_card():
    floor = rejected_floor()
    card = floor.state.cards[CARD]
    blank, sheet_id = card.rejected_blank, card.rejected_sheet_id
    assert (card.state, card.generation, floor.report.tally.remade) == (State.READY, 2, 1)
    assert blank in floor.state.stock.spoiled
    act_id = floor.act("set_good", card=CARD, code="false_reject").answer
    assert card.state is State.READY, "one person alone sets nothing good"
    assert floor.agree(act_id, "ann").refused.code == "act.same_person"
    turn = floor.agree(act_id)
    [move] = [move for move in turn.moves if isinstance(move, CardSetGood)]
    assert (move.blank, move.rejected_for, move.caused_at, move.by, move.second) == (
        blank,
        "I1",
        "inspect",
        "ann",
        "bob",
    )
    assert (card.state, card.generation, card.blank, card.sheet_id) == (State.GOOD, 1, blank, sheet_id)
    assert (card.rejected_blank, card.rejected_for, card.spoiled_floor_s, card.rank[0]) == (0, "", 0.0, 1)
    assert blank not in floor.state.stock.spoiled
    assert CARD in floor.state.piles[1, card.unit]


def test_what_was_set_good_is_no_defect_in_the_pareto_and_counted_by_its_reason():
    floor = rejected_floor()
    tally = floor.report.tally
    assert tally.spoiled_by[Step.INSPECT, "I1"] == 1
    bad = sum(station.bad for station in tally.stations.values())
    floor.agree(floor.act("set_good", card=CARD, code="dirt_removed").answer)
    assert (tally.remade, tally.set_good) == (0, {("inspect", "dirt_removed"): 1})
    assert not +tally.spoiled_by
    assert not +tally.found_at
    assert sum(station.bad for station in tally.stations.values()) == bad - 1
    finish(floor)


def test_once_the_remake_is_imposed_nobody_sets_the_reject_good():
    floor = rejected_floor()
    card = floor.state.cards[CARD]
    proposed = floor.act("set_good", card=CARD, code="false_reject")
    printers(floor, "idle")
    while card.state is State.READY:
        floor.step()
    assert card.state is State.IMPOSED
    assert floor.agree(proposed.answer).refused.code == "case.remake_began"
    assert floor.act("set_good", card=CARD, code="false_reject").refused.code == "case.remake_began"
    finish(floor)
    assert not any(isinstance(move, CardSetGood) for _, move in floor.log)


def test_a_card_set_good_is_imposed_no_more():
    floor = rejected_floor()
    floor.agree(floor.act("set_good", card=CARD, code="false_reject").answer)
    sheets = floor.report.tally.sheets
    finish(floor)
    assert floor.report.tally.sheets == sheets
    assert floor.state.stock.blanks[Account.SPOILED] == 5  # the empty positions of its sheet, and no card's blank


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"card": CARD, "code": "nice"}, "case.code"),
        ({"card": CARD + 1, "code": "false_reject"}, "case.not_rejected"),
        ({"card": 77, "code": "false_reject"}, "case.not_rejected"),
        ({"card": "77", "code": "false_reject"}, "act.argument"),
    ],
)
def test_what_is_no_reject_cannot_be_set_good(args, code):
    floor = rejected_floor()
    assert floor.act("set_good", **args).refused.code == code


def test_a_reject_whose_blank_was_destroyed_or_lost_stays_a_reject():
    floor = rejected_floor()
    floor.state.stock.unspoil(floor.state.cards[CARD].rejected_blank, Account.DESTROYED)
    assert floor.act("set_good", card=CARD, code="false_reject").refused.code == "case.blank_gone"


def test_a_chip_with_another_number_than_its_blank_is_never_set_good():
    floor = rejected_floor(code="W9")
    assert floor.act("set_good", card=CARD, code="wrong_reading").refused.code == "case.wrong_blank"


def test_a_card_that_is_set_good_still_has_only_so_many_attempts():
    floor = rejected_floor(attempts_max=1)
    card = floor.state.cards[CARD]
    assert (card.state, card.generation) == (State.STOPPED, 2)  # one attempt, and it was rejected
    floor.agree(floor.act("set_good", card=CARD, code="false_reject").answer)
    assert (card.state, card.generation) == (State.GOOD, 1)
    at, by = floor.host.now_floor_s, "ann"
    act = floor.host.handle(e.ActAsked("missing", {"card": CARD}, by), at)
    floor.agree(act.answer)
    assert (card.state, card.generation, card.rejected_blank) == (State.STOPPED, 2, 0)
    assert any(isinstance(move, CardStopped) and move.code == "remake.attempts" for _, move in floor.log)
    assert floor.act("set_good", card=CARD, code="false_reject").refused.code == "case.not_rejected"


def test_a_card_that_a_person_sent_to_the_encoders_again_can_still_be_set_good():
    floor = rejected_floor(attempts_max=1)
    card, at = floor.state.cards[CARD], floor.host.now_floor_s
    act = floor.act("set_good", card=CARD, code="false_reject")
    floor.host.handle(e.DecisionMade(CARD, "resume", "ann", "once more"), at)
    assert card.state is State.ACCEPTED
    floor.agree(act.answer)
    assert card.state is State.GOOD
    finish(floor)


def test_the_last_card_of_a_batch_set_good_closes_it():
    floor = rejected_floor(attempts_max=1)
    floor.agree(floor.act("set_good", card=CARD, code="false_reject").answer)
    finish(floor)
    [closed] = [move for _, move in floor.log if isinstance(move, BatchClosed)]
    assert (closed.received, closed.dispatched) == (3, 3)


# ---- returns -------------------------------------------------------------------------------------------------


def sent_floor():
    """Give a floor after nine cards left and their batch was closed."""
    floor = Inspected(rejects=0)
    floor.submit(1.0, 1, cards=9)
    floor.run()
    assert not floor.state.batches
    return floor


def came_back(floor, card=CARD, batch_id=2, code="chip_dead", by="ann", case=1):
    blank, unit = floor.last_seen[card]
    at = floor.host.now_floor_s
    row = RowVerdict(0, "1" * 22, unit, Verdict.OK, express=True, case_no=case)
    opened = e.BatchChecked(batch_id, f"{1:025d}-R{case}-0", "north", "second", at, at + 432_000, [row])
    return floor.host.handle(e.CardCameBack(card, blank, code, by, opened), at)


def test_a_card_that_came_back_is_returned_before_its_next_case_begins_in_the_same_turn():
    floor = sent_floor()
    blank, dispatched = floor.last_seen[CARD][0], floor.state.stock.blanks[Account.DISPATCHED]
    turn = came_back(floor)
    assert [type(move) for move in turn.moves[:2]] == [CardReturned, BatchOpened]
    assert (turn.moves[0].card, turn.moves[0].blank, turn.moves[0].case_card) == (CARD, blank, 20_000)
    assert floor.state.stock.blanks[Account.DISPATCHED] == dispatched - 1
    assert list(floor.state.stock.returned) == [blank]
    assert (floor.state.cards[20_000].express, floor.state.cards[20_000].due_floor_s) == (
        True,
        turn.moves[1].due_floor_s,
    )
    floor.run()
    assert floor.ends()[20_000] == 1
    assert floor.state.stock.blanks[Account.DISPATCHED] == dispatched


def test_the_same_card_brought_back_by_two_desks_begins_one_case():
    floor = sent_floor()
    assert came_back(floor).refused is None
    again = came_back(floor, batch_id=3, by="bob")
    assert (again.refused.code, again.moves) == ("return.open_case", [])


@pytest.mark.parametrize("code", ["", "ugly", "false_reject"])
def test_a_return_for_no_known_reason_changes_nothing(code):
    floor = sent_floor()
    turn = came_back(floor, code=code)
    assert (turn.refused.code, turn.moves) == ("return.code", [])


def test_only_a_card_that_was_dispatched_can_come_back_though_its_batch_is_open():
    floor = rejected_floor()
    floor.last_seen[CARD] = (1, "520102000")
    turn = came_back(floor, batch_id=9)
    assert (turn.refused.code, turn.moves) == ("return.not_sent", [])


def test_a_returned_blank_is_destroyed_once_by_two_people():
    floor = sent_floor()
    blank = floor.last_seen[CARD][0]
    assert floor.act("destroy_returned", blank=blank).refused.code == "return.no_blank"
    came_back(floor)
    first, second = (floor.act("destroy_returned", blank=blank).answer for _ in range(2))
    assert floor.agree(first, "ann").refused.code == "act.same_person"
    floor.agree(first)
    assert floor.agree(second).refused.code == "return.no_blank"
    assert (floor.state.stock.returned, floor.state.stock.blanks[Account.DESTROYED]) == ({}, 1)


def test_the_words_for_returns_and_rejects_are_short_and_in_two_languages():
    for code, (zh, en) in {**SET_GOOD_CODES, **RETURN_CODES}.items():
        assert re.fullmatch("[a-z_]{1,32}", code)
        assert en.isascii()
        assert not zh.isascii()
