"""What foreman and stations say to each other: every word is put into the other's, and a known state is no news."""

from __future__ import annotations

import pytest

from controller.core import events as e
from controller.core.cards import Card, State
from controller.core.state import SILENT, Batch, FloorState, Job, Sheet, Station
from controller.floor.readback import CHIP_DIFFERS, FACE_DIFFERS, Chip
from controller.floor.words import (
    LIE_AGAIN_S,
    Lies,
    cards_to_compare,
    event_of,
    live_cards,
    load_of,
    magazine_of,
    result_of,
    start_of,
)
from devices import protocol as p
from devices.defects import GOOD, Step
from devices.lies import Load
from devices.messages import (
    Fate,
    Hello,
    JobDone,
    PositionResult,
    PositionWork,
    SheetResult,
    StationState,
)

RANK = (1, 1, 0.0, 1, "u", 1)


def floor(step: Step = Step.INSPECT, kind: str = "second") -> FloorState:
    """One station with one job of one sheet, whose positions 0 and 2 are live."""
    state = FloorState()
    state.stations["i1"] = Station("i1", step, 4, "m", StationState.IDLE, "", job_id=7)
    state.sheets[3] = Sheet(3, kind, [11, 12, 13, 0, 0, 0, 0, 0], RANK, step, live=0b101, job_id=7)
    state.jobs[7] = Job(7, "i1", step, [3], 0.0)
    state.batches[1] = Batch(1, "n", "north", kind, 0.0, 0.0, 3, 0)
    state.cards.update({n: Card(n, 1, "u", State.IMPOSED, RANK) for n in (11, 12, 13)})
    return state


def seen(state: StationState, reason: str = "", since: float = 5.0) -> p.StateSeen:
    return p.StateSeen(state, reason, since, 0, 0)


def done(*positions: PositionResult, job_id: int = 7) -> JobDone:
    rest = [PositionResult()] * (8 - len(positions))
    return JobDone(
        job_id=job_id, started_floor_s=1.0, ended_floor_s=2.0, sheets=[SheetResult(3, positions=[*positions, *rest])]
    )


def test_a_hello_is_a_station_seen_and_executing_is_idle():
    hello = Hello(version=1, step="inspect", model="m", load_max=4, state=StationState.EXECUTE)
    assert event_of(FloorState(), "i1", p.Joined(hello)) == e.StationSeen("i1", "inspect", "m", 4, "idle", "")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (seen(StationState.HELD, "jam"), e.StationReported("i1", "held", "jam", 5.0)),
        (seen(StationState.HELD, "jam", float("nan")), e.StationReported("i1", "held", "jam", 0.0)),
        (seen(StationState.IDLE, "whatever"), None),
        (seen(StationState.EXECUTE), None),
        (p.Silent(), e.StationReported("i1", SILENT, "", 0.0)),
        (p.NeverSeen(7), e.JobNeverSeen("i1", 7)),
        (p.Unknown(7), e.JobForgotten("i1", 7)),
        (p.Taken(7), None),
        (p.Back(), None),
    ],
)
def test_the_foreman_hears_of_what_is_news_to_it(event, said):
    assert event_of(floor(), "i1", event) == said


def test_a_state_that_differs_from_the_known_one_is_news_whichever_it_is():
    state = floor()
    state.stations["i1"].state = StationState.STOPPED
    assert event_of(state, "i1", seen(StationState.IDLE)) == e.StationReported("i1", "idle", "", 5.0)
    assert event_of(FloorState(), "x9", seen(StationState.IDLE)) == e.StationReported("x9", "idle", "", 5.0)


def test_a_load_is_known_while_its_job_is_open():
    assert load_of(floor(), 7) == Load(Step.INSPECT, (3,))
    assert load_of(floor(), 8) is None


def test_only_sheets_to_be_printed_or_written_are_told_what_lies_where():
    asked = []

    def positions(step, cards):
        asked.append((step, cards))
        return [PositionWork(b"face") if card else PositionWork() for card in cards]

    printed = start_of(e.StartJob(7, "p1", "print", [(3, [11, 0])], singles=[3]), positions)
    assert asked == [(Step.PRINT, [11, 0])]
    assert (printed.job_id, printed.step, printed.sheets[0].single) == (7, "print", True)
    assert printed.sheets[0].positions == [PositionWork(b"face"), PositionWork()]
    pressed = start_of(e.StartJob(8, "l1", "laminate", [(3, [11, 0])]), positions)
    assert (pressed.sheets[0].positions, pressed.bundle, len(asked)) == ([], None, 1)
    packed = start_of(e.StartJob(9, "k1", "pack", [], 5, "u", [101, 102]), positions)
    assert packed.bundle is not None
    assert (packed.bundle.bundle_id, packed.bundle.unit, packed.bundle.blanks) == (5, "u", [101, 102])


def test_an_issue_is_told_as_it_stands_in_the_books():
    told = magazine_of(e.FillMagazine("l1", 4, 1_000, 12, out=True, places=1))
    assert (told.issue_id, told.first_body, told.sheets, told.out, told.places) == (4, 1_000, 12, True, 1)


def test_what_inspection_read_is_compared_position_by_position():
    state = floor()
    assert live_cards(state, 3) == [11, 0, 13, 0, 0, 0, 0, 0]
    read = done(
        PositionResult(GOOD, 101, b"r", b"p", "11"), PositionResult(), PositionResult(GOOD, 103, b"r", b"x", "13")
    )
    assert cards_to_compare(state, read) == [11, 13]
    sent = {11: Chip(b"r", b"p"), 13: Chip(b"r", b"p")}
    said = result_of(state, "i1", read, sent)
    assert isinstance(said, e.StepDone)
    assert said.sheets[0].codes[:3] == [GOOD, GOOD, CHIP_DIFFERS]
    assert said.sheets[0].blanks[:3] == [101, 0, 103]
    moved = result_of(state, "i1", done(PositionResult(GOOD, 101, b"r", b"p", "12")), sent)
    assert isinstance(moved, e.StepDone)
    assert moved.sheets[0].codes[0] == FACE_DIFFERS


def test_a_card_without_a_chip_must_answer_with_nothing():
    state = floor(kind="first")
    said = result_of(state, "i1", done(PositionResult(GOOD, 0, b"", b"", "11")), {})
    assert isinstance(said, e.StepDone)
    assert said.sheets[0].codes[0] == GOOD
    said = result_of(state, "i1", done(PositionResult(GOOD, 0, b"r", b"", "11")), {})
    assert isinstance(said, e.StepDone)
    assert said.sheets[0].codes[0] == CHIP_DIFFERS


def test_a_result_of_a_job_that_is_over_says_nothing_of_its_sheets():
    late = done(job_id=6)
    assert cards_to_compare(floor(), late) == []
    assert result_of(floor(), "i1", late, {}) == e.StepDone("i1", 6, 1.0, 2.0, [])


def test_steps_before_inspection_need_nothing_to_compare_with():
    state = floor(Step.PUNCH)
    assert cards_to_compare(state, done()) == []
    spoiled = JobDone(job_id=7, started_floor_s=1.0, ended_floor_s=2.0, sheets=[SheetResult(3, Fate.SPOILED, "C4")])
    said = result_of(state, "i1", spoiled, {})
    assert isinstance(said, e.StepDone)
    assert (said.sheets[0].fate, said.sheets[0].code) == (Fate.SPOILED, "C4")


def test_a_packed_bundle_is_told_by_what_was_scanned():
    state = floor(Step.PACK)
    state.jobs[7].bundle_id = 5
    packed = JobDone(job_id=7, started_floor_s=1.0, ended_floor_s=2.0, packed=[101])
    assert result_of(state, "k1", packed, {}) == e.BundlePacked("k1", 7, 1.0, 2.0, [101])


def test_the_same_lie_is_told_once_a_minute_and_another_one_at_once():
    lies, state = Lies(), floor()
    said = lies.event_of(state, "i1", p.Lied("station.bad_times", 7), 0.0)
    assert said == e.StationSpokeNonsense("i1", "station.bad_times", 7)
    assert lies.event_of(state, "i1", p.Lied("station.bad_times", 7), LIE_AGAIN_S - 1) is None
    assert lies.event_of(state, "i1", p.Lied("station.bad_body", 7), 1.0) is not None
    assert lies.event_of(state, "i1", p.Lied("station.bad_times", 7), LIE_AGAIN_S) is not None
    assert lies.event_of(state, "i1", p.Lied("x", 99), 1.0) is not None
    assert lies.event_of(state, "i1", p.Lied("x", 98), 2.0) is None, "jobs that are not open are one lie"
