"""Acts that take two people: one proposes, another agrees in time, and it is done only if it still can be."""

from __future__ import annotations

import pytest

from controller.core import events as e
from controller.core.acts import OPEN_MAX
from controller.core.moves import ActEnded, RowVerdict, Verdict
from controller.core.stock import Account
from controller.core.stock_moves import MagazineIssued, StockReceived
from tests.controller.core.rough_floor import RoughFloor

RECEIVE = ("receive", {"first_body": 90_000, "sheets": 5, "lot": "B"})


def ask(floor, verb, args, by="ann"):
    return floor.host.handle(e.ActAsked(verb, args, by), floor.host.now_floor_s)


def second(floor, act_id, by):
    return floor.host.handle(e.ActSeconded(act_id, by), floor.host.now_floor_s)


@pytest.fixture
def floor():
    return RoughFloor(1, trouble=0.0)


def test_one_person_alone_does_nothing(floor):
    vault = floor.state.stock.blanks[Account.VAULT]
    act_id = ask(floor, *RECEIVE).answer
    turn = second(floor, act_id, "ann")
    assert turn.refused.code == "act.same_person"
    assert turn.moves == []
    assert floor.state.stock.blanks[Account.VAULT] == vault


def test_two_people_do_it_once(floor):
    act_id = ask(floor, *RECEIVE).answer
    done = second(floor, act_id, "bob")
    assert [type(move) for move in done.moves] == [StockReceived, ActEnded]
    assert (done.moves[0].by, done.moves[0].second) == ("ann", "bob")
    assert second(floor, act_id, "eve").refused.code == "act.not_open"
    assert ask(floor, *RECEIVE).refused.code == "stock.known_serial"


def test_an_act_nobody_agrees_to_in_time_ends(floor):
    act_id = ask(floor, *RECEIVE).answer
    floor.host.run(floor.host.now_floor_s + floor.foreman.config.acts.second_within_s + 1)
    assert not floor.state.acts
    assert second(floor, act_id, "bob").refused.code == "act.not_open"


def test_a_proposal_that_was_withdrawn_can_be_agreed_to_no_more(floor):
    vault = floor.state.stock.blanks[Account.VAULT]
    act_id = ask(floor, *RECEIVE).answer
    turn = floor.host.handle(e.ActWithdrawn(act_id, "ann"), floor.host.now_floor_s)
    assert turn.moves == [ActEnded(act_id, "ann", False)]
    assert second(floor, act_id, "bob").refused.code == "act.not_open"
    assert floor.host.handle(e.ActWithdrawn(act_id, "ann"), 1.0).refused.code == "act.not_open"
    assert floor.state.stock.blanks[Account.VAULT] == vault
    assert floor.refolded() == floor.state


def test_what_could_be_done_when_proposed_is_looked_at_again(floor):
    ask(floor, *RECEIVE)
    second(floor, 4, "bob")
    issue = {"station": "l1", "first_body": 90_000, "sheets": 5}
    first, other = ask(floor, "issue", issue).answer, ask(floor, "issue", issue, "eve").answer
    assert isinstance(second(floor, first, "bob").moves[0], MagazineIssued)
    assert second(floor, other, "bob").refused.code == "stock.not_in_vault"


@pytest.mark.parametrize(
    ("verb", "args", "code"),
    [
        ("burn", {}, "act.unknown"),
        ("receive", {"first_body": "x", "sheets": 5, "lot": "B"}, "act.argument"),
        ("receive", {"first_body": 1, "sheets": True, "lot": "B"}, "act.argument"),
        ("receive", {"first_body": 1, "sheets": 0, "lot": "B"}, "stock.count"),
        ("receive", {"first_body": -1, "sheets": 1, "lot": "B"}, "act.argument"),
        ("receive", {"first_body": 2**60, "sheets": 1, "lot": "B"}, "act.argument"),
        ("issue", {"station": "p1", "first_body": 1, "sheets": 1}, "stock.no_magazine"),
        ("issue", {"station": "l1", "first_body": 1, "sheets": 1}, "stock.not_in_vault"),
        ("settle", {"sheet_id": 9, "mask": 1, "finding": "good"}, "suspect.none"),
        ("override", {"card": 9, "reason": "x"}, "decision.not_held"),
    ],
)
def test_an_act_that_cannot_be_is_refused_when_proposed(floor, verb, args, code):
    turn = ask(floor, verb, args)
    assert turn.refused.code == code
    assert turn.moves == []


def test_a_shared_number_is_released_by_two_people_only(floor):
    rows = [RowVerdict(0, "1" * 22, "520102001", Verdict.HOLD, ["duplicate.shared_number"])]
    floor.host.handle(e.BatchChecked(1, "1" * 25, "north", "second", 0.0, 9e9, rows), 0.0)
    alone = floor.host.handle(e.DecisionMade(10_000, "release", "ann", "known to us"), 0.0)
    assert alone.refused.code == "decision.second_person"
    act_id = ask(floor, "override", {"card": 10_000, "reason": "known to us"}).answer
    second(floor, act_id, "bob")
    assert floor.state.cards[10_000].state == "accepted"


@pytest.mark.parametrize("decision", ["release", "refuse", "cancel", "resume", "refuse_late", "burn"])
def test_a_decision_that_comes_too_late_says_so(floor, decision):
    rows = [RowVerdict(0, "1" * 22, "520102001", Verdict.HOLD, ["name.single"])]
    floor.host.handle(e.BatchChecked(1, "1" * 25, "north", "second", 0.0, 9e9, rows), 0.0)
    floor.host.handle(e.DecisionMade(10_000, "refuse", "ann", "no"), 0.0)
    assert not floor.state.batches
    turn = floor.host.handle(e.DecisionMade(10_000, decision, "ann", "again"), 0.0)
    assert turn.refused.code == "decision.no_card"


def test_one_person_has_a_hundred_open_proposals_at_most_and_others_are_not_in_their_way(floor):
    for number in range(OPEN_MAX):
        assert ask(floor, "receive", {"first_body": 90_000 + 10 * number, "sheets": 5, "lot": "B"}).answer
    more = ("receive", {"first_body": 190_000, "sheets": 5, "lot": "B"})
    turn = ask(floor, *more)
    assert (turn.refused.code, turn.moves) == ("act.too_many", [])
    other = ask(floor, *more, by="bob").answer
    assert other
    assert second(floor, min(floor.state.acts), "eve").refused is None
    assert ask(floor, "receive", {"first_body": 290_000, "sheets": 5, "lot": "B"}).answer
