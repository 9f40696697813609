"""Attempts to break the laws between foreman and stations: lies, times that are none, jobs forgotten on their way."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from controller.application import control_mark
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.core.turn import Turn
from controller.encoding import MadeCard
from controller.floor.floor import Floor
from controller.floor.words import LIE_AGAIN_S, WORDS_BURST
from controller.hosts.live import Ticket
from controller.ledger.journal import Recorded
from controller.vault.errors import Tampered
from devices import protocol as p
from devices.messages import Fate, Hello, JobDone, PositionResult, SheetResult, StationState, blank_serial
from encoders.envelope import pack
from encoders.face import FaceJob, lay_out
from encoders.fonts.coverage import bundled_coverage
from encoders.text_layout import TextFields
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.ledger.desk import Desk


class Driver:
    """A driver that notes what it is asked for."""

    def __init__(self) -> None:
        self.started, self.loads = [], []

    def start(self, station, start):
        self.started.append(start.job_id)
        self.loads.append(start)


def posting(posted):
    """Give a host's `post` that keeps what it is given, and decides nothing."""

    def post(event):
        posted.append(event)
        return Ticket(Turn(None, None, 0.0))

    return post


def heard_by(state, nursery, made=None):
    """Give a floor on a state, its driver, and the events it posts."""
    driver, posted = Driver(), []
    rows = {"cards": lambda cards: [pack(made(card)) for card in cards], "at_hand": lambda cards, **_: None}
    vault = SimpleNamespace(**rows)
    return Floor(driver, vault, state, posting(posted), nursery), driver, posted


@pytest.mark.parametrize("since", [math.nan, math.inf, -math.inf])
async def test_a_time_that_is_no_time_is_not_taken_from_a_station(nursery, since):
    foreman, ledger = Foreman(CoreConfig()), Desk()
    floor, _, posted = heard_by(foreman.state, nursery)
    said = e.StationSeen("p1", "print", "m", 1, "idle", "")
    ledger.keep([Recorded(1.0, said, foreman.handle(said, 1.0).moves)])
    floor.heard("p1", p.StateSeen(StationState.ABORTED, "jam", since, 0, 0))
    [event] = posted
    ledger.keep([Recorded(2.0, event, foreman.handle(event, 2.0).moves)])
    assert foreman.state.stations["p1"].since_floor_s == 2.0


async def test_a_station_that_repeats_a_lie_does_not_fill_the_ledger(autojump_clock, nursery):
    rough = RoughFloor(1, trouble=0.0)
    floor, _, posted = heard_by(rough.state, nursery)
    for job_id in range(1_000):
        floor.heard("p1", p.Lied("station.job_not_given", job_id + 10**6))
        floor.heard("p1", p.Lied("envelope.malformed"))
        floor.heard("p2", p.Lied("envelope.malformed"))
    assert len(posted) == 3
    await trio.sleep(LIE_AGAIN_S)
    floor.heard("p1", p.Lied("envelope.malformed"))
    assert len(posted) == 4


async def test_a_station_whose_words_change_without_end_fills_no_ledger_and_its_last_word_is_heard(
    autojump_clock, nursery
):
    foreman, rows = Foreman(CoreConfig()), 0

    def post(event):
        nonlocal rows
        turn = foreman.handle(event, 2.0)
        rows += bool(turn.moves)
        return Ticket(turn)

    floor = Floor(Driver(), None, foreman.state, post, nursery)
    for number in range(2_000):
        hello = Hello(version=1, step="print", model=f"m{number}", load_max=1, state=StationState.IDLE)
        floor.heard("p1", p.Joined(hello))
        floor.heard("p1", p.StateSeen(StationState.STOPPED, f"door {number}", 1.0, 0, 0))
    assert rows <= WORDS_BURST + 1  # and one that says so
    await trio.sleep(60.0)
    station = foreman.state.stations["p1"]
    assert (station.model, station.state, station.reason) == ("m1999", StationState.STOPPED, "door 1999")
    assert foreman.state.stations.keys() == {"p1"}
    assert rows <= WORDS_BURST + 3


@pytest.mark.parametrize("hellos", [1, 2])  # so that either of its words is the first that waits
async def test_a_station_that_flaps_and_is_well_again_is_not_held_for_broken(autojump_clock, nursery, hellos):
    foreman = Foreman(CoreConfig())
    floor = Floor(Driver(), None, foreman.state, lambda event: Ticket(foreman.handle(event, 2.0)), nursery)
    hello = Hello(version=1, step="print", model="m", load_max=1, state=StationState.IDLE)
    for _ in range(hellos):
        floor.heard("p1", p.Joined(hello))
    for number in range(100):
        floor.heard("p1", p.StateSeen(StationState.ABORTED, f"jam {number}", 1.0, 0, 0))
        floor.heard("p1", p.StateSeen(StationState.IDLE, "", 1.0, 0, 0))
    await trio.sleep(60.0)  # the link tells a state once: no other word comes
    assert foreman.state.stations["p1"].state == StationState.IDLE


async def test_each_lie_is_counted_once_whoever_sees_it_and_however_few_are_recorded(autojump_clock, nursery):
    counted, foreman = [], Foreman(CoreConfig())
    said = e.StationSeen("p1", "print", "m", 1, "idle", "")
    foreman.handle(said, 1.0)

    def post(event):
        ticket = Ticket(foreman.handle(event, 2.0))
        nursery.start_soon(durable, ticket)
        return ticket

    async def durable(ticket):
        ticket.set_durable()

    floor = Floor(Driver(), None, foreman.state, post, nursery, refused=counted.append)
    for job_id in range(3):
        floor.heard("p1", p.Lied("station.job_not_given", 10**6 + job_id))
    floor.heard("p1", p.Lied("envelope.malformed"))  # the driver has counted the frame
    floor.heard("p1", p.Joined(Hello(version=1, step="dance", model="m", load_max=1, state=StationState.IDLE)))
    await trio.testing.wait_all_tasks_blocked()
    assert counted == ["station.job_not_given"] * 3 + ["station.unknown_step"]


def open_job(step: str, kind: str = "second") -> tuple[RoughFloor, e.StartJob]:
    """Give a floor on which a job of a step is under way."""
    rough = RoughFloor(1, trouble=0.0)
    rows = [e.RowVerdict(index, "1" * 22, "520102001", 0) for index in range(8)]
    rough.host.push(1.0, e.BatchChecked(1, "1" * 25, "north", kind, 1.0, 9e5, rows))
    while not any(job.step == step for job in rough.state.jobs.values()):
        rough.host.now_floor_s += 1.0
        rough.host.run(rough.host.now_floor_s)
    return rough, next(job for job in rough.state.jobs.values() if job.step == step)


async def test_a_job_that_was_forgotten_while_its_work_was_fetched_is_not_started(nursery):
    rough, job = open_job("write")
    floor, driver, _ = heard_by(rough.state, nursery)
    start = e.StartJob(job.job_id, job.station, job.step, [(job.sheets[0], [0] * 8)])
    floor.perform(start)
    await trio.testing.wait_all_tasks_blocked(0.2)
    assert driver.started == [job.job_id]
    floor.perform(start)
    rough.host.handle(e.JobForgotten(job.station, job.job_id), rough.host.now_floor_s)
    await trio.testing.wait_all_tasks_blocked(0.2)
    assert driver.started == [job.job_id]


async def test_a_load_of_which_the_vault_knows_nothing_is_started_at_once_and_a_forgotten_one_is_not(nursery):
    rough, job = open_job("punch")
    floor, driver, _ = heard_by(rough.state, nursery)
    start = e.StartJob(job.job_id, job.station, job.step, [(job.sheets[0], [0] * 8)])
    floor.perform(start)
    assert driver.started == [job.job_id]
    rough.host.handle(e.JobForgotten(job.station, job.job_id), rough.host.now_floor_s)
    floor.perform(start)
    assert driver.started == [job.job_id]


def face() -> FaceJob:
    """Give a print job of an invented person."""
    fields = TextFields(
        name="样例", sex="1", ethnic="01", birth="19900307", address="样例路", identity_number="52010219900307125X",
        authority="样例局", valid_from="20251220", valid_until="20451220",
    )  # fmt: skip
    return lay_out(fields, bundled_coverage(), control_mark="1")


@pytest.mark.parametrize(("kind", "code"), [("first", "00"), ("second", "I2")])
async def test_a_card_without_a_chip_passes_inspection_and_a_chip_without_a_record_does_not(nursery, kind, code):
    rough, job = open_job("inspect", kind)
    floor, _, posted = heard_by(rough.state, nursery, lambda card: MadeCard(b"r" * 256, b"p" * 900, face()))
    [sheet] = [rough.state.sheets[sheet_id] for sheet_id in job.sheets]
    seen = [
        PositionResult("00", blank_serial(sheet.body, place), b"", b"", control_mark(card))
        for place, card in enumerate(sheet.cards)
    ]
    done = JobDone(
        job_id=job.job_id, started_floor_s=1.0, ended_floor_s=2.0,
        sheets=[SheetResult(sheet.sheet_id, Fate.DONE, positions=seen)],
    )  # fmt: skip
    floor.heard(job.station, p.Finished(done))
    with trio.fail_after(60):
        while not posted:  # noqa: ASYNC110  a thread fetches what was sent
            await trio.sleep(0.01)
    [outcome] = posted[0].sheets
    assert outcome.codes == [code if card else "00" for card in sheet.cards]


class DamagedVault:
    """A vault in which the row of one card does not open any more; its rows are at hand or on the disk."""

    def __init__(self, damaged: int, is_at_hand: bool) -> None:
        self.damaged, self.is_at_hand = damaged, is_at_hand

    def at_hand(self, cards, *, with_applications=False):
        return self if self.is_at_hand else None

    def cards(self, cards):
        if self.damaged in cards:
            raise Tampered(f"the sealed card {self.damaged} is not what was stored")
        return [pack(MadeCard(b"r" * 256, b"p" * 900, face())) for _ in cards]

    def applications(self, batch_id, indexes):
        raise Tampered("no application opens")


@pytest.mark.parametrize("is_at_hand", [True, False])
@pytest.mark.parametrize("step", ["print", "write"])
async def test_what_cannot_be_read_of_a_card_leaves_its_position_empty_and_the_others_as_they_are(
    nursery, step, is_at_hand
):
    rough, job = open_job(step)
    sheet = rough.state.sheets[job.sheets[0]]
    driver = Driver()
    floor = Floor(driver, DamagedVault(sheet.cards[2], is_at_hand), rough.state, posting([]), nursery)
    floor.perform(e.StartJob(job.job_id, job.station, step, [(sheet.sheet_id, sheet.cards)]))
    await trio.testing.wait_all_tasks_blocked(0.2)
    [start] = driver.loads
    records = [bool(position.record) for position in start.sheets[0].positions]
    assert records == [step == "write" and place != 2 and bool(card) for place, card in enumerate(sheet.cards)]
    assert not any(position.face for position in start.sheets[0].positions)  # and no application opens either


@pytest.mark.parametrize("is_at_hand", [True, False])
async def test_a_card_that_cannot_be_compared_any_more_is_not_found_good(nursery, is_at_hand):
    rough, job = open_job("inspect")
    sheet = rough.state.sheets[job.sheets[0]]
    posted = []
    floor = Floor(Driver(), DamagedVault(sheet.cards[2], is_at_hand), rough.state, posting(posted), nursery)
    seen = [
        PositionResult("00", blank_serial(sheet.body, place), b"r" * 256, b"p" * 900, control_mark(card))
        for place, card in enumerate(sheet.cards)
    ]
    result = SheetResult(sheet.sheet_id, fate=Fate.DONE, positions=seen)
    done = JobDone(job_id=job.job_id, started_floor_s=1.0, ended_floor_s=2.0, sheets=[result])
    floor.heard(job.station, p.Finished(done))
    with trio.fail_after(30):
        while not posted:  # noqa: ASYNC110  a thread fetches what was sent
            await trio.sleep(0.01)
    [outcome] = posted[0].sheets
    assert outcome.codes == ["I2" if place == 2 else "00" for place in range(8)]
