"""The demo's keepers and supervisors, against a real foreman."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.asking.conversation import ClientError
from controller.checks.codes import CODES, Severity
from controller.core import events as e
from controller.core.cards import Decision, State
from controller.core.moves import ActProposed, CardDecided, Mark, PositionsMarked, RowVerdict, Verdict
from controller.core.stock import Account
from controller.core.stock_moves import MagazineIssued, StockReceived
from devices.defects import Step
from devices.messages import POSITIONS
from sims.demo.folder import VISITORS
from sims.demo.staff import FIRST_BODY, SERVICE_S, SINGLES, TOP_UP_SHEETS, StockKeepers, Supervisors
from sims.demo.verdicts import UNKNOWN, VERDICTS, rule
from tests.sims.desk import Desk

PRESSES = ("l1", "l2", "l3")


@pytest.fixture
def desk():
    desk = Desk()
    for press in PRESSES:
        desk.handle(e.StationSeen(press, Step.LAMINATE, "simulated", 24, "idle", ""))
    desk.handle(e.StationSeen("p1", Step.PRINT, "simulated", 1, "idle", ""))
    return desk


@pytest.fixture
def keepers(desk):
    return StockKeepers(desk.of("keeper-1"), desk.of("keeper-2"), cards=600)


@pytest.fixture
def supervisors(desk):
    return Supervisors(desk.of("supervisor-1"), desk.of("supervisor-2"))


def magazines(desk):
    return {press: desk.foreman.state.stock.in_magazine(press, POSITIONS) for press in PRESSES}


def test_keepers_leave_what_a_visitor_proposed_to_whoever_the_visitor_asks(desk, keepers):
    keepers.look()
    visitor = desk.of(VISITORS[0])
    act_id = visitor.command("act", verb="receive", args={"first_body": 77_000_001, "sheets": 1, "lot": "x"})["act_id"]
    keepers.look()
    assert [one["act_id"] for one in visitor.command("acts")] == [act_id]


def held_batch(desk, rows):
    """Let a batch come with one held card for each list of codes; give the card numbers."""
    verdicts = [
        RowVerdict(index, f"{index:022d}", "520102001", Verdict.HOLD, list(codes)) for index, codes in enumerate(rows)
    ]
    desk.handle(e.BatchChecked(1, f"{1:025d}", "north", "second", 10.0, 90_000.0, verdicts))
    return list(desk.foreman.state.holds)


def printed_sheet(desk):
    """Bring eight cards to a film; give the sheet's number, the press that takes it and its job."""
    rows = [RowVerdict(index, f"{index:022d}", "520102001", Verdict.OK, []) for index in range(POSITIONS)]
    turn = desk.handle(e.BatchChecked(2, f"{2:025d}", "north", "second", 10.0, 90_000.0, rows))
    encode = next(one for one in turn.actions if isinstance(one, e.Encode))
    turn = desk.handle(e.CardsEncoded(encode.job_id))
    job = next(one for one in turn.actions if isinstance(one, e.StartJob))
    sheet = job.sheets[0][0]
    outcome = e.SheetOutcome(sheet, "done", "00", 0, ["00"] * POSITIONS, [0] * POSITIONS)
    turn = desk.handle(e.StepDone(job.station, job.job_id, 20.0, 50.0, [outcome]))
    return sheet, next(one for one in turn.actions if isinstance(one, e.StartJob))


# ---- keepers --------------------------------------------------------------------------------------------------


def test_keepers_receive_half_as_many_sheets_again_and_fill_every_press(desk, keepers):
    keepers.look()
    keepers.look()
    received = desk.kinds(StockReceived)
    singles = received.pop()
    assert (singles.sheets, singles.places) == (SINGLES * len(PRESSES), 1)
    assert {desk.foreman.state.stock.in_magazine(press, 1) for press in PRESSES} == {SINGLES}
    assert [(one.first_body, one.sheets) for one in received] == [(FIRST_BODY, 600 // 8 * 3 // 2 + 1 + 200)]
    assert set(magazines(desk).values()) == {keepers.refill_sheets}
    assert {(one.by, one.second) for one in desk.kinds(MagazineIssued) + received} == {("keeper-1", "keeper-2")}
    assert desk.foreman.state.stock.balanced()


def test_full_magazines_are_left_alone(desk, keepers):
    for _ in range(3):
        keepers.look()
    before = len(desk.moves)
    keepers.look()
    assert len(desk.moves) == before


def test_a_press_that_runs_low_is_filled_again_and_no_other(desk, keepers):
    keepers.look()
    keepers.look()
    sheet, job = printed_sheet(desk)
    body = desk.foreman.state.stock.magazines[job.station][0].first
    outcome = e.SheetOutcome(sheet, "done", "00", body, ["00"] * POSITIONS, [0] * POSITIONS)
    desk.handle(e.StepDone(job.station, job.job_id, 60.0, 99.0, [outcome]))
    assert magazines(desk)[job.station] == keepers.refill_sheets - 1
    keepers.look()
    assert magazines(desk) == {
        press: keepers.refill_sheets * 2 - 1 if press == job.station else keepers.refill_sheets for press in PRESSES
    }


def test_when_the_vault_is_empty_and_a_press_is_low_more_is_received_with_fresh_serials(desk):
    few = StockKeepers(desk.of("keeper-1"), desk.of("keeper-2"), cards=1)
    few.look()
    stock = desk.foreman.state.stock
    for start in range(FIRST_BODY, FIRST_BODY + few.ordered_sheets - 5, 28):
        left = min(28, FIRST_BODY + few.ordered_sheets - 5 - start)
        desk.of("a").command("act", verb="issue", args={"station": "l1", "first_body": start, "sheets": left})
        desk.of("b").command("second", act_id=max(desk.foreman.state.acts))
    few.look()
    assert [one.sheets for one in desk.kinds(StockReceived) if one.places == POSITIONS] == [
        few.ordered_sheets,
        TOP_UP_SHEETS,
    ]
    few.look()
    assert min(magazines(desk).values()) > 0
    assert stock.balanced()


@pytest.mark.parametrize("lost", ["act", "second"])
def test_an_answer_that_was_lost_costs_the_keepers_a_look_and_nothing_is_done_twice(desk, keepers, lost):
    desk.lose = [lost]
    with pytest.raises(ClientError):
        keepers.look()
    for _ in range(3):
        keepers.look()
    assert [one.places for one in desk.kinds(StockReceived)] == [POSITIONS, 1]
    assert Counter(one.places for one in desk.kinds(MagazineIssued)) == {POSITIONS: len(PRESSES), 1: len(PRESSES)}
    assert not desk.foreman.state.acts


def test_an_act_that_cannot_be_done_is_tried_once_and_does_not_stop_the_others(desk, keepers):
    keepers.look()
    issue = {"station": "l1", "first_body": FIRST_BODY, "sheets": 8}
    for _ in range(2):
        desk.of("keeper-1").command("act", verb="issue", args=issue)
    for _ in range(3):
        keepers.look()
    assert keepers.refusals == {"stock.not_in_vault": 1}
    assert min(magazines(desk).values()) == keepers.refill_sheets


def test_keepers_leave_the_acts_of_supervisors_to_supervisors(desk, keepers):
    (card,) = held_batch(desk, [["duplicate.shared_number"]])
    desk.of("supervisor-1").command("act", verb="override", args={"card": card, "reason": "looked"})
    keepers.look()
    assert [act.verb for act in desk.foreman.state.acts.values()] == ["override"]


# ---- supervisors ----------------------------------------------------------------------------------------------


def test_the_table_has_a_ruling_for_every_code_that_holds_and_for_no_other():
    assert set(VERDICTS) == {code for code, row in CODES.items() if row.severity is Severity.HOLD}


def test_both_rulings_occur_in_the_table_and_a_shared_number_takes_two_people():
    assert {one.decision for one in VERDICTS.values()} == {Decision.RELEASE, Decision.REFUSE}
    assert [code for code, one in VERDICTS.items() if one.by_two] == ["duplicate.shared_number"]


@pytest.mark.parametrize("code", VERDICTS)
def test_each_held_card_is_decided_as_its_code_says(desk, supervisors, code):
    (card,) = held_batch(desk, [[code]])
    supervisors.look()
    (decided,) = desk.kinds(CardDecided)
    people = ("supervisor-1", "supervisor-2" if VERDICTS[code].by_two else "")
    assert (decided.card, decided.decision) == (card, VERDICTS[code].decision)
    assert (decided.by, decided.second) == people
    assert decided.reason == VERDICTS[code].reason
    assert not desk.foreman.state.holds


def test_one_refusal_among_the_codes_refuses_and_notes_do_not_count():
    assert rule(["name.single", "portrait.background"]).decision is Decision.REFUSE
    assert rule(["name.single", "number.lower_x"]).decision is Decision.RELEASE
    assert rule(["name.single", "duplicate.shared_number"]).by_two
    assert rule(["number.lower_x"]) == rule([]) == UNKNOWN


def test_a_lost_answer_to_an_override_is_finished_at_the_next_look(desk, supervisors):
    held_batch(desk, [["duplicate.shared_number"], ["name.single"], ["portrait.background"]])
    desk.lose = ["act"]
    with pytest.raises(ClientError):
        supervisors.look()
    supervisors.look()
    assert Counter(one.decision for one in desk.kinds(CardDecided)) == {"release": 2, "refuse": 1}
    assert len(desk.kinds(ActProposed)) == 1


def test_a_card_that_upstream_cancelled_meanwhile_is_passed_over(desk, supervisors):
    first, second = held_batch(desk, [["name.single"], ["name.single"]])
    real = desk.answer

    def overtaken(name, verb, args):
        if verb == "decide" and args["card"] == first:
            desk.handle(e.DecisionMade(first, "cancel", "north", "moved away"))
        return real(name, verb, args)

    desk.answer = overtaken
    supervisors.look()
    assert supervisors.refusals.total() == 1
    assert desk.foreman.state.cards[second].state is State.ACCEPTED


def test_suspects_are_settled_as_spoiled_by_two_people_and_the_cards_made_again(desk, keepers):
    keepers.look()
    keepers.look()
    words: Counter[str] = Counter()
    supervisors = Supervisors(
        desk.of("supervisor-1"), desk.of("supervisor-2"), decided=lambda what: words.update([what])
    )
    sheet, job = printed_sheet(desk)
    desk.handle(e.JobForgotten(job.station, job.job_id))
    assert desk.foreman.state.sheets[sheet].suspect
    supervisors.look()
    (mark,) = [one for one in desk.kinds(PositionsMarked) if one.mark is Mark.FOUND_SPOILED]
    assert (mark.by, mark.second, mark.mask) == ("supervisor-1", "supervisor-2", 0xFF)
    assert {card.generation for card in desk.foreman.state.cards.values()} == {2}
    assert desk.foreman.state.stock.blanks[Account.SUSPECT] == 0
    assert words == {"settled": 1}


def test_a_card_that_cannot_be_encoded_is_refused_late(desk, supervisors):
    rows = [RowVerdict(0, f"{0:022d}", "520102001", Verdict.OK, [])]
    turn = desk.handle(e.BatchChecked(3, f"{3:025d}", "north", "second", 10.0, 90_000.0, rows))
    encode = next(one for one in turn.actions if isinstance(one, e.Encode))
    desk.handle(e.CardsEncoded(encode.job_id, [(encode.cards[0], "face.no_glyph")]))
    supervisors.look()
    assert [one.decision for one in desk.kinds(CardDecided)] == [Decision.REFUSE_LATE]
    assert not desk.foreman.state.batches


def test_a_held_station_is_looked_after_and_released_once_the_service_took_its_time(desk, supervisors):
    desk.handle(e.HoldAsked("p1", "drift", "somebody"))
    supervisors.look()
    assert "p1" in desk.foreman.state.station_holds
    desk.now_floor_s += SERVICE_S
    supervisors.look()
    assert not desk.foreman.state.station_holds
    supervisors.look()
    assert sum(verb == "release" for _, verb, _ in desk.asked) == 1


def test_what_waits_for_a_person_is_left_to_a_visitor_and_inspection_goes_on(desk):
    desk.handle(e.StationSeen("i1", Step.INSPECT, "simulated", 1, "idle", ""))
    held = held_batch(desk, [["name.single"], ["reason.age"]])
    Supervisors(desk.of("supervisor-1"), desk.of("supervisor-2"), leaves_cards=True).look()
    assert list(desk.foreman.state.holds) == held
    assert desk.foreman.state.stations["i1"].operator == "supervisor-1"


def test_every_inspection_station_has_somebody_and_nobody_signs_on_twice(desk, supervisors):
    for name in ("i1", "i2", "i3"):
        desk.handle(e.StationSeen(name, Step.INSPECT, "simulated", 1, "idle", ""))
    supervisors.look()
    stations = desk.foreman.state.stations
    assert [stations[name].operator for name in ("i1", "i2", "i3")] == ["supervisor-1", "supervisor-2", "supervisor-1"]
    assert not stations["p1"].operator
    supervisors.look()
    assert sum(verb == "sign_on" for _, verb, _ in desk.asked) == 3
