"""Bundles that do not scan whole wait for two people; a good card that is gone is made again."""

from __future__ import annotations

import pytest

from controller.core import events as e
from controller.core.moves import ActEnded, BundleStopped, CardMissing, JobStarted, PileRepacked
from controller.core.stock import Account
from devices.defects import Step
from devices.messages import blank_serial
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.core.test_acts import ask, second

FOREIGN = 77_777


def packing_floor(cards=9):
    """Give a floor on which the first bundle is at the packer, and that bundle's job."""
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=cards)
    while not any(job.step is Step.PACK for job in floor.state.jobs.values()):
        floor.host.now_floor_s += 1.0
        floor.host.run(floor.host.now_floor_s)
    return floor, next(job for job in floor.state.jobs.values() if job.step is Step.PACK)


def scan(floor, job, blanks):
    now = floor.host.now_floor_s
    return floor.host.handle(e.BundlePacked(job.station, job.job_id, now, now, blanks), now)


def stopped_floor(lost=1, foreign=()):
    """Give a floor whose first bundle lacked its first cards, the bundle's job, and what that led to."""
    floor, job = packing_floor()
    blanks = [floor.state.cards[card].blank for card in job.cards]
    return floor, job, scan(floor, job, [*blanks[lost:], *foreign])


def started(turn, job):
    return [move for move in turn.moves if isinstance(move, JobStarted) and set(move.cards) & set(job.cards)]


def both(floor, verb, args):
    return second(floor, ask(floor, verb, args).answer, "bob")


def pile_of(job):
    return {"batch_id": 1, "unit": f"5201020{job.cards[0] % 10_000 % 3:02d}"}


def test_a_bundle_that_does_not_scan_whole_is_not_packed_again_by_itself():
    floor, job, turn = stopped_floor()
    assert not started(turn, job)
    floor.host.run()
    [stopped] = floor.state.stopped_piles.values()
    assert stopped.cards == job.cards
    assert 1 in floor.state.batches


def test_the_stop_names_the_cards_that_lack_and_the_foreign_blanks_by_serial():
    floor, job, turn = stopped_floor(foreign=[FOREIGN])
    [move] = [move for move in turn.moves if isinstance(move, BundleStopped)]
    assert (move.missing, move.missing_cards) == (1, job.cards[:1])
    assert (move.foreign, move.foreign_blanks) == (1, [FOREIGN])
    [stopped] = floor.state.stopped_piles.values()
    assert (stopped.missing, stopped.foreign, stopped.stations) == (job.cards[:1], [FOREIGN], [job.station])


def test_a_foreign_blank_alone_stops_a_bundle_in_which_nothing_lacks():
    floor, _, _ = stopped_floor(lost=0, foreign=[FOREIGN])
    [stopped] = floor.state.stopped_piles.values()
    assert (stopped.missing, stopped.foreign) == ([], [FOREIGN])


def test_two_people_let_a_stopped_pile_be_packed_anew():
    floor, job, _ = stopped_floor()
    act = ask(floor, "repack", pile_of(job))
    assert second(floor, act.answer, "ann").refused.code == "act.same_person"
    assert floor.state.stopped_piles
    turn = second(floor, act.answer, "bob")
    assert [type(move) for move in turn.moves[:2]] == [PileRepacked, ActEnded]
    floor.run()
    again = [move for _, move in floor.log if isinstance(move, JobStarted) and move.cards == job.cards]
    assert len({move.bundle_id for move in again}) == len(again) == 2
    assert floor.report.tally.dispatched == 9


def test_a_card_that_joins_a_stopped_pile_waits_with_it():
    floor, job, _ = stopped_floor()
    lost = job.cards[0]
    both(floor, "missing", {"card": lost})
    floor.host.run()
    [stopped] = floor.state.stopped_piles.values()
    assert floor.state.cards[lost].state == "good"
    assert sorted(stopped.cards) == sorted(job.cards)
    both(floor, "repack", pile_of(job))
    floor.host.run()
    assert floor.report.tally.dispatched == 9


def test_a_good_card_that_is_gone_is_made_again_only_after_its_blank_is_missing():
    floor, job, _ = stopped_floor()
    lost, blank = job.cards[0], floor.state.cards[job.cards[0]].blank
    good = floor.state.stock.blanks[Account.GOOD]
    turn = both(floor, "missing", {"card": lost})
    assert turn.moves[0] == CardMissing(lost, blank, "K2", "ann", "bob")
    assert floor.state.stock.blanks[Account.GOOD] == good - 1
    assert floor.state.stock.blanks[Account.MISSING] == 1
    card = floor.state.cards[lost]
    assert (card.generation, card.blank) == (2, 0)
    floor.run()
    assert floor.report.as_json()["blanks"]["missing"] == 1
    assert floor.report.as_json()["blanks"]["difference"] == 0
    assert floor.report.tally.spoiled_by[(Step.PACK, "K2")] == 1
    assert floor.refolded() == floor.state


def test_a_blank_that_turns_up_after_its_card_was_made_again_is_foreign():
    floor, job, _ = stopped_floor()
    lost, blank = job.cards[0], floor.state.cards[job.cards[0]].blank
    both(floor, "missing", {"card": lost})
    both(floor, "repack", pile_of(job))
    while not any(lost in one.cards for one in floor.state.jobs.values()):
        floor.host.now_floor_s += 1.0
        floor.host.run(floor.host.now_floor_s)
    again = next(one for one in floor.state.jobs.values() if lost in one.cards)
    blanks = [floor.state.cards[card].blank for card in again.cards]
    turn = scan(floor, again, [*blanks, blank])
    [move] = [move for move in turn.moves if isinstance(move, BundleStopped)]
    assert move.foreign_blanks == [blank]


def test_a_pile_whose_last_card_is_gone_has_nothing_left_to_wait_for():
    floor, job, _ = stopped_floor()
    for card in job.cards:
        both(floor, "missing", {"card": card})
    assert not floor.state.stopped_piles
    floor.host.run()
    assert floor.report.tally.dispatched == 9


def test_a_card_at_the_packer_cannot_be_missing_before_the_packer_answered():
    floor, job = packing_floor()
    assert ask(floor, "missing", {"card": job.cards[0]}).refused.code == "pack.under_way"


@pytest.mark.parametrize(
    ("verb", "args", "code"),
    [
        ("repack", {"batch_id": 1, "unit": "520102000"}, "pack.not_stopped"),
        ("repack", {"batch_id": 1}, "act.argument"),
        ("missing", {"card": 0}, "pack.not_good"),
        ("missing", {"card": "1"}, "act.argument"),
    ],
)
def test_an_act_on_what_does_not_wait_to_be_packed_is_refused(verb, args, code):
    assert ask(RoughFloor(1, trouble=0.0), verb, args).refused.code == code


def test_a_card_whose_attempts_are_used_up_stops_instead_of_being_made_again():
    floor, job, _ = stopped_floor()
    lost = job.cards[0]
    floor.state.cards[lost].generation = floor.foreman.config.remake.attempts_max
    both(floor, "missing", {"card": lost})
    assert floor.state.cards[lost].state == "stopped"


def test_a_bundle_whose_packer_forgot_it_is_packed_anew_at_once():
    floor, job = packing_floor()
    turn = floor.host.handle(e.JobForgotten(job.station, job.job_id), floor.host.now_floor_s)
    assert started(turn, job)
    assert not floor.state.stopped_piles


def test_a_count_of_a_consignment_that_was_never_sent_is_refused():
    floor = RoughFloor(1, trouble=0.0)
    turn = floor.host.handle(e.ArrivalReported(1, "520102000", 3, 3, "ann"), 0.0)
    assert turn.refused.code == "arrival.no_consignment"


def test_no_serial_of_a_test_is_foreign_by_accident():
    assert blank_serial(1_000, 0) > FOREIGN or blank_serial(1_200, 7) < FOREIGN
