"""What follows from a drift signal: the station is held, what it made is inspected again, nothing doubtful leaves."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.core import events as e
from controller.core.cards import State
from controller.core.foreman import Foreman
from controller.core.moves import BatchClosed, BundleMade, ConsignmentSent, JobStarted, Mark, PositionsMarked
from controller.core.quality_moves import (
    BundleOpened,
    CardsQuarantined,
    DriftSignalled,
    StationHeld,
    StationReleased,
)
from controller.core.settings import CoreConfig, DriftConfig, PlanConfig
from controller.core.stock import Account
from controller.hosts.heap import replay
from controller.ledger.journal import Recorded
from controller.ledger.receipts import FINAL_KINDS
from controller.ledger.verify.whole import verify
from devices.defects import Step
from devices.messages import position_of
from tests.controller.core.drifting_floor import DRIFTS, DriftingFloor
from tests.controller.core.rough_floor import STATIONS
from tests.controller.ledger.desk import Desk


def drifted(seed: int, trouble: float = 0.0) -> DriftingFloor:
    """Give a floor after three batches, in the midst of which a printer drifted."""
    floor = DriftingFloor(seed, from_sheet=8, trouble=trouble)
    for batch in range(1, 4):
        floor.submit(100.0 * batch, batch, cards=60)
    floor.run()
    return floor


def test_a_deciding_signal_holds_the_station_and_quarantines_what_it_made_since_the_charts_zero():
    floor = drifted(1)
    first = next(move for move in floor.moves(DriftSignalled) if not move.code)
    at = next(at for at, move in floor.log if move is first)
    turn = [move for when, move in floor.log if when == at]
    after = turn[turn.index(first) + 1 :]
    assert first.station == DRIFTS
    assert isinstance(after[0], StationHeld)
    assert (after[0].station, after[0].code, after[0].by) == (DRIFTS, "drift", "")
    back = [move for move in after if isinstance(move, CardsQuarantined)]
    assert back
    assert {move.sheet_id for move in back} & set(first.sheets)
    assert all(isinstance(move, BundleOpened) for move in after[1 : after.index(back[0])])


@pytest.mark.parametrize("seed", range(6))
def test_quarantined_cards_lie_at_the_positions_of_their_blanks_and_are_inspected_again(seed):
    floor, expected = drifted(seed), Counter()
    places = {}
    for _, move in floor.log:
        if isinstance(move, PositionsMarked) and move.found_at == Step.INSPECT:
            expected.subtract((move.sheet_id, place) for place in range(8) if move.mask >> place & 1)
        elif isinstance(move, CardsQuarantined):
            for place, card in enumerate(move.cards):
                if card:
                    places.setdefault((move.sheet_id, place), card)
                    assert places[move.sheet_id, place] == card
                    expected[move.sheet_id, place] += 1
    assert places
    assert all(expected[place] < 0 for place in places), "judged once more for each time it was quarantined"
    assert set(floor.ends().values()) == {1}
    assert floor.state.stock.blanks[Account.QUARANTINED] == 0


@pytest.mark.parametrize("seed", range(8))
def test_whatever_drifts_the_state_is_the_fold_of_the_moves_and_the_events_give_the_same_moves(seed):
    floor, again = drifted(seed, trouble=0.05), []
    assert floor.moves(CardsQuarantined)
    assert floor.refolded() == floor.state
    config = CoreConfig(plan=PlanConfig(bundle_max=6))
    replay(Foreman(config), floor.events, lambda at, _, moves: again.extend((at, move) for move in moves))
    assert again == floor.log


@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_keeps_quarantine_and_every_card_has_one_final_receipt(seed):
    floor, desk = drifted(seed, trouble=0.05), Desk()
    desk.keep([Recorded(at, e.TimerFired(), [move]) for at, move in floor.log])
    assert verify(desk.engine).faults == []
    finals = Counter(row[4] for row in desk.rows("receipt") if row[2] in FINAL_KINDS)
    assert set(finals.values()) == {1}
    assert floor.moves(BundleOpened)


def test_the_ledgers_tables_agree_with_the_state_while_cards_are_quarantined():
    floor, desk = DriftingFloor(), Desk()
    floor.submit(1.0, 1, cards=40)
    sheets = floor.until_good(12)
    floor.signal(sheets)
    desk.keep([Recorded(at, e.TimerFired(), [move]) for at, move in floor.log])
    rows = {row[0]: row for row in desk.rows("card")}
    quarantined = {card.card for card in floor.state.cards.values() if card.state is State.QUARANTINED}
    assert quarantined
    for number, card in floor.state.cards.items():
        assert str(card.state) in rows[number], number


def test_a_bundle_with_one_doubtful_card_goes_back_whole():
    floor = DriftingFloor(bundle_max=12)
    floor.submit(1.0, 1, cards=60)
    floor.until(lambda: any(len({floor.state.cards[one].sheet_id for one in cards}) > 1 for _, cards in bundles(floor)))
    cards = next(cards for _, cards in bundles(floor) if len({floor.state.cards[one].sheet_id for one in cards}) > 1)
    one_sheet = floor.state.cards[cards[0]].sheet_id
    turn = floor.signal([one_sheet])
    opened = [move for move in turn.moves if isinstance(move, BundleOpened)]
    back = {card for move in turn.moves if isinstance(move, CardsQuarantined) for card in move.cards}
    assert opened
    assert back >= set(cards)
    assert {floor.state.cards[card].state for card in cards} == {State.QUARANTINED}


def bundles(floor: DriftingFloor) -> list[tuple[int, list[int]]]:
    return list(floor.state.bundles.values())


def packing_floor() -> tuple[DriftingFloor, int, list[int]]:
    """Give a floor on which a packer has cards, its job, and the sheets they came from."""
    floor = DriftingFloor(bundle_max=6)
    floor.submit(1.0, 1, cards=40)
    floor.until(lambda: any(job.cards for job in floor.state.jobs.values()))
    job = next(job for job in floor.state.jobs.values() if job.cards)
    return floor, job.job_id, sorted({floor.state.cards[card].sheet_id for card in job.cards})


def test_what_a_packer_has_is_left_to_it_and_its_bundle_is_opened_as_soon_as_it_is_made():
    floor, job_id, sheets = packing_floor()
    cards = list(floor.state.jobs[job_id].cards)
    turn = floor.signal(sheets)
    assert not {card for move in turn.moves if isinstance(move, CardsQuarantined) for card in move.cards} & set(cards)
    assert set(cards) <= set(floor.state.doubtful)
    blanks = [floor.state.cards[card].blank for card in cards]
    moves = floor.host.handle(e.BundlePacked("k1", job_id, 1.0, 2.0, blanks), floor.host.now_floor_s).moves
    kinds = [type(move) for move in moves]
    assert kinds.index(BundleMade) < kinds.index(BundleOpened) < kinds.index(CardsQuarantined)
    assert {floor.state.cards[card].state for card in cards} == {State.QUARANTINED}
    assert not floor.state.doubtful


@pytest.mark.parametrize("said", ["short", "forgotten"])
def test_cards_a_packer_gives_back_are_quarantined_before_another_one_gets_them(said):
    floor, job_id, sheets = packing_floor()
    cards = list(floor.state.jobs[job_id].cards)
    floor.signal(sheets)
    blanks = [floor.state.cards[card].blank for card in cards][1:]
    event = e.JobForgotten("k1", job_id) if said == "forgotten" else e.BundlePacked("k1", job_id, 1.0, 2.0, blanks)
    moves = floor.host.handle(event, floor.host.now_floor_s).moves
    assert {floor.state.cards[card].state for card in cards} == {State.QUARANTINED}
    assert not {card for move in moves if isinstance(move, JobStarted) for card in move.cards} & set(cards)


def test_a_card_whose_tray_is_at_the_inspector_follows_when_the_tray_is_back_and_never_leaves():
    floor = DriftingFloor(from_sheet=10**6, bundle_max=5)
    floor.mute["k1"] = None
    floor.submit(1.0, 1, cards=40)
    floor.until(lambda: bool(floor.mute["k1"]) and not floor.state.sheets)
    cards = next(list(job.cards) for job in floor.state.jobs.values() if job.cards)
    floor.mute["i1"] = None
    floor.signal(sorted({floor.state.cards[card].sheet_id for card in cards}))
    late: set[int] = set()
    for _ in range(40):  # until one tray has cards at the packer and at the inspector
        floor.until(lambda: any(job.station == "i1" for job in floor.state.jobs.values()))
        job = next(job for job in floor.state.jobs.values() if job.station == "i1")
        [tray] = job.sheets
        late = {
            card for card in cards if floor.state.cards[card].sheet_id == tray and floor.state.sheets[tray].quarantined
        }
        given = floor.mute["i1"]
        if late or given is None or given.job_id != job.job_id:
            break
        floor.answer("i1")
    assert late
    floor.answer("k1")
    assert late <= set(floor.state.doubtful)
    assert not floor.state.bundles
    floor.answer("i1")
    if late & {card for job in floor.state.jobs.values() for card in job.cards}:  # a packer took them once more
        floor.answer("k1")
    assert {floor.state.cards[card].state for card in late} == {State.QUARANTINED}
    assert floor.state.sheets[tray].live


def test_cards_that_were_dispatched_are_named_by_the_signal_and_stay_where_they_are():
    floor = DriftingFloor()
    floor.submit(1.0, 1, cards=16)
    floor.submit(2.0, 2, cards=60)
    floor.until(lambda: bool(floor.moves(ConsignmentSent)))
    gone = sorted({move.sheet_id for move in floor.moves(PositionsMarked) if move.mark is Mark.PASSED})
    moves = floor.signal(gone).moves
    [signal] = [move for move in moves if isinstance(move, DriftSignalled)]
    assert signal.sheets == gone
    back = {card for move in moves if isinstance(move, CardsQuarantined) for card in move.cards if card}
    assert all(card // 10_000 == 2 for card in back)
    assert floor.state.stock.blanks[Account.DISPATCHED] == 16


def suspect_tray() -> tuple[DriftingFloor, int]:
    """Give a floor with a tray whose first half two people found good, and whose second half is suspect."""
    floor = DriftingFloor()
    floor.submit(1.0, 1, cards=24)
    floor.until(lambda: any(job.step is Step.INSPECT for job in floor.state.jobs.values()))
    job = next(job for job in floor.state.jobs.values() if job.step is Step.INSPECT)
    [sheet_id] = job.sheets
    floor.host.handle(e.JobForgotten(job.station, job.job_id), floor.host.now_floor_s)
    floor.settle(sheet_id, 0b1111, "good")
    return floor, sheet_id


def test_a_tray_with_suspect_positions_takes_its_other_cards_back_beside_them():
    floor, sheet_id = suspect_tray()
    cards = list(floor.state.sheets[sheet_id].cards)
    floor.signal([sheet_id])
    tray = floor.state.sheets[sheet_id]
    assert (tray.live, tray.suspect, tray.cards) == (0b1111, 0b11110000, cards)
    floor.settle(sheet_id, 0b11110000, "good")
    assert floor.state.sheets[sheet_id].live == 0b1111
    blanks = floor.state.stock.blanks
    assert blanks[Account.QUARANTINED] == 4
    floor.run()
    assert set(floor.ends().values()) == {1}


def test_a_quarantined_card_passes_is_remade_or_becomes_suspect_as_its_second_inspection_says():
    for said, states, account in [
        ("00", {State.GOOD}, Account.GOOD),
        ("P1", {State.READY, State.IMPOSED}, Account.SPOILED),  # a remake goes first: a printer may have it already
        ("lost", {State.SUSPECT}, Account.SUSPECT),
    ]:
        floor = DriftingFloor(bundle_max=100)
        floor.submit(1.0, 1, cards=40)
        sheets = floor.until_good(1)
        number = next(card.card for card in floor.state.cards.values() if card.state is State.GOOD)
        floor.signal(sheets)
        floor.until(lambda tray=floor.state.cards[number].sheet_id, one=floor: one.state.sheets[tray].job_id)
        tray = floor.state.sheets[floor.state.cards[number].sheet_id]
        before = floor.state.stock.blanks[account]
        job, live = floor.state.jobs[tray.job_id], tray.live.bit_count()
        blank = floor.state.cards[number].blank
        blanks = [tray.body * 10 + place + 1 for place in range(8)]
        codes = [said] * 8
        event = e.StepDone(
            job.station, job.job_id, 1, 2, [e.SheetOutcome(tray.sheet_id, "done", "00", 0, codes, blanks)]
        )
        lost = e.JobForgotten(job.station, job.job_id)
        floor.host.handle(lost if said == "lost" else event, floor.host.now_floor_s)
        assert floor.state.cards[number].state in states
        assert floor.state.stock.blanks[account] == before + live
        assert floor.state.stock.blanks[Account.QUARANTINED] == 0
        assert position_of(blank) in range(8)


def test_a_batch_neither_leaves_nor_closes_while_one_of_its_cards_is_quarantined():
    floor = DriftingFloor(bundle_max=100)
    floor.submit(1.0, 1, cards=24)
    floor.until(lambda: bool(floor.state.bundles))
    floor.signal(sorted({card.sheet_id for card in floor.state.cards.values() if card.state is State.MADE}))
    batch = floor.state.batches[1]
    assert batch.states[State.QUARANTINED]
    floor.host.handle(e.DispatchAsked(1, "ann"), floor.host.now_floor_s)
    sent = {card for move in floor.moves(ConsignmentSent) for card in move.bundles}
    assert not sent
    assert not floor.moves(BatchClosed)
    floor.run()
    assert len(floor.moves(BatchClosed)) == 1


def test_a_warning_is_recorded_and_shown_and_holds_nothing():
    floor = DriftingFloor()
    floor.submit(1.0, 1, cards=24)
    sheets = floor.until_good(8)
    moves = floor.signal(sheets, code="P1").moves
    assert [type(move) for move in moves[:1]] == [DriftSignalled]
    assert not [move for move in moves if isinstance(move, StationHeld | CardsQuarantined | BundleOpened)]
    assert list(floor.state.station_warnings[DRIFTS]) == ["P1"]


def test_a_station_that_a_person_holds_already_is_not_held_twice_and_its_cards_are_quarantined_all_the_same():
    floor = DriftingFloor()
    floor.submit(1.0, 1, cards=24)
    sheets = floor.until_good(8)
    floor.host.handle(e.HoldAsked(DRIFTS, "cleaning", "ann"), floor.host.now_floor_s)
    moves = floor.signal(sheets).moves
    assert not [move for move in moves if isinstance(move, StationHeld)]
    assert [move for move in moves if isinstance(move, CardsQuarantined)]
    assert floor.state.station_holds[DRIFTS].code == "cleaning"


def test_after_a_release_the_charts_begin_at_zero_and_older_jobs_no_longer_count():
    floor = DriftingFloor(from_sheet=1)
    floor.submit(1.0, 1, cards=120)
    floor.until(lambda: floor.state.drift.charts.get(DRIFTS) and floor.state.drift.charts[DRIFTS].score)
    now = floor.host.now_floor_s
    floor.host.handle(e.HoldAsked(DRIFTS, "cleaning", "ann"), now)
    floor.host.handle(e.ReleaseAsked(DRIFTS, "ann"), now)
    chart = floor.state.drift.charts[DRIFTS]
    assert (chart.score, chart.sheets, chart.cards_since_zero) == (0, [], 0)
    assert chart.after_job_id == floor.state.drift.last_job_id
    assert DRIFTS not in floor.state.station_warnings
    assert [move.station for move in floor.moves(StationReleased)] == [DRIFTS]


@pytest.mark.parametrize("threshold", [1.0, 20.0])
def test_a_ledger_is_read_under_other_settings_of_drift_and_old_signals_hold_nothing_anew(threshold):
    floor, foreman = drifted(1), Foreman(CoreConfig(drift=DriftConfig(threshold=threshold, warn_threshold=0.9)))
    for at, move in floor.log:
        foreman.replay(at, move)
    turn = foreman.handle(e.ServiceBegan(), floor.host.now_floor_s)
    assert not foreman.state.drift.signals
    assert not [move for move in turn.moves if isinstance(move, DriftSignalled | StationHeld)]
    assert foreman.state.station_holds == floor.state.station_holds
    assert foreman.state.stock == floor.state.stock


def test_every_inspection_station_held_for_drift_keeps_the_quarantined_waiting_and_goes_on_when_released():
    floor = DriftingFloor()
    floor.submit(1.0, 1, cards=40)
    sheets = floor.until_good(8)
    floor.signal(sheets, station="i1")
    floor.host.run(floor.host.now_floor_s + 40_000)
    assert floor.state.waiting[Step.INSPECT]
    assert not any(job.step is Step.INSPECT for job in floor.state.jobs.values())
    floor.run()
    assert set(floor.ends().values()) == {1}
    assert {name for name, _, _ in STATIONS} >= {"i1"}
