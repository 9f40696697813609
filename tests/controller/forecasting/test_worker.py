"""Forecasts by a real worker process on a real ledger: asked, shared, cancelled, killed."""

from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from controller.config import Config
from controller.core.line.change import Change
from controller.core.tally import Tally
from controller.forecasting.errors import ForecastBusy, ForecastTooLarge, OtherProgram, WorkerLost
from controller.forecasting.forecasts import KEPT, OWN_MAX, WAITING_MAX, Forecasts
from controller.forecasting.frames import READ_BYTES, FrameReader
from controller.forecasting.messages import DifferenceMade, Failed, ForecastMade, Question, SensitivityMade
from controller.forecasting.program import this_worker
from controller.forecasting.record_file import read_record
from controller.forecasting.settings import ForecastConfig
from controller.forecasting.worker_loop import Worker
from controller.forecasting.worker_process import WorkerProcess
from controller.ledger.finishes import finished_batches
from controller.upkeep.books import Books, digest_of_source, encode_books
from devices.defects import Step
from tests.controller.forecasting.floor_ledger import floor_at_work, kept

WITHIN_S = 900.0  # real seconds, on a machine on which nothing is left for anybody
RUNS = 50
# as the tests themselves: at idle priority a machine that tests keep busy would never come to it
QUICK = ForecastConfig(every_s=0.0, priority="normal", within_s=WITHIN_S, runs=RUNS)


def is_there(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@asynccontextmanager
async def forecasting(folder, floor, settings=QUICK):
    """Give forecasts of a floor whose ledger lies in a folder, and that ledger."""
    async with kept(folder, floor) as books, trio.open_nursery() as nursery:
        clock = lambda: floor.host.now_floor_s  # noqa: E731
        made = Forecasts(folder, Config(forecast=settings), books.ledger, floor.state, clock)
        nursery.start_soon(made.run)
        yield made, books
        nursery.cancel_scope.cancel()


async def over(asked):
    with trio.fail_after(WITHIN_S):
        await asked.over.wait()
    return asked.answer


async def until(holds):
    with trio.fail_after(WITHIN_S):
        while not holds():  # noqa: ASYNC110  a process beside it sets it
            await trio.sleep(0.05)


def children_of(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


async def test_each_open_batch_gets_a_p50_not_after_its_p90_and_the_floor_is_left_alone(tmp_path):
    floor = floor_at_work(2, trouble=0.0)
    before = encode_books(Books(floor.foreman, Tally(), 0.0))
    async with forecasting(tmp_path, floor) as (forecasts, books):
        made = await over(forecasts.ask(Question(runs=RUNS)))
        assert isinstance(made, ForecastMade)
        assert made.made.runs == made.made.asked_runs == RUNS
        assert {one.batch_id for one in made.batches} == set(floor.state.batches)
        for one in [*made.batches, *made.units]:
            assert floor.host.now_floor_s < one.p50_floor_s <= one.p90_floor_s
        assert forecasts.latest is made
        assert books.ledger.head.seq == len(floor.log), "a forecast leaves no move"
        worker = forecasts.worker_pid
        assert is_there(worker)
        again = await over(forecasts.ask(Question(runs=RUNS)))
        assert forecasts.worker_pid == worker, "the worker and its copy are kept"
        assert (again.batches, again.starving) == (made.batches, made.starving), "the same ledger, the same answer"
    assert encode_books(Books(floor.foreman, Tally(), 0.0)) == before
    assert not is_there(worker)


async def test_batches_with_held_cards_say_what_waits_for_people_and_are_finished_in_the_runs(tmp_path):
    floor = floor_at_work(2, trouble=0.0)
    floor.submit(floor.host.now_floor_s, 9, cards=12, holds=3)
    floor.host.run(floor.host.now_floor_s + 1.0)
    async with forecasting(tmp_path, floor) as (forecasts, _):
        made = await over(forecasts.ask(Question(runs=RUNS)))
        held = next(one for one in made.batches if one.batch_id == 9)
        assert held.waiting == {"held": 3}
        assert held.others_p50_floor_s <= held.p50_floor_s <= held.p90_floor_s
        assert held.finished_percent == 100.0
        assert [(one.what, one.waiting) for one in made.people if one.waiting] == [("held", 3)]
        assert all(not one.waiting for one in made.batches if one.batch_id != 9)


async def test_a_change_is_compared_and_one_station_more_of_each_step_is_tried(tmp_path):
    floor = floor_at_work(1, trouble=0.0)
    async with forecasting(tmp_path, floor) as (forecasts, _):
        change = Change(added=((Step.PRINT, 1),))
        difference, steps = [
            await over(forecasts.ask(one))
            for one in (Question(runs=RUNS, change=change), Question(runs=RUNS, sensitivity=True))
        ]
        assert isinstance(difference, DifferenceMade)
        assert difference.difference.cards.pairs == RUNS
        assert set(difference.batch_numbers) == set(floor.state.batches)
        assert isinstance(steps, SensitivityMade)
        assert {one.step for one in steps.steps} == {step.value for step in Step}
        assert forecasts.latest is None, "a floor that is not is no forecast"


async def test_what_was_said_is_kept_over_a_restart_and_scored_when_the_batch_is_finished(tmp_path):
    floor = floor_at_work(1, trouble=0.0)
    async with forecasting(tmp_path, floor) as (forecasts, _):
        await over(forecasts.ask(Question(runs=RUNS)))
        said = forecasts.said_of(1)
        assert said.made_floor_s <= said.p50_floor_s <= said.p90_floor_s
    assert list(read_record(tmp_path).open) == [1]
    (tmp_path / "ledger.db").rename(tmp_path / "first.db")
    floor.host.run()
    assert 1 not in floor.state.batches
    async with forecasting(tmp_path, floor) as (forecasts, books):
        await until(lambda: forecasts.record.scored)
        (one,) = forecasts.record.scored
        assert one.finished_floor_s == finished_batches(books.ledger.reading, [1])[1]
        assert forecasts.calibration().scored == 1
    assert read_record(tmp_path).counts == {one.outcome: 1}


async def test_the_same_question_is_asked_once_and_too_many_are_refused_at_once(tmp_path):
    floor = floor_at_work(1, trouble=0.0)
    async with kept(tmp_path, floor) as books:
        made = Forecasts(tmp_path, Config(forecast=QUICK), books.ledger, floor.state, lambda: 0.0)
        first = made.ask(Question(runs=RUNS))
        assert made.ask(Question(runs=RUNS)) is first
        for more in range(WAITING_MAX):
            made.ask(Question(runs=RUNS + 1 + more))
        with pytest.raises(ForecastBusy):
            made.ask(Question(runs=RUNS + 99))
        for number in range(1, WAITING_MAX + 2):
            made.asked(number).over.set()
        for more in range(3 * KEPT):
            made.ask(Question(runs=RUNS + 200 + more)).over.set()
        assert made.asked(first.number) is None, "old answers are forgotten"
        assert made.worker_pid == 0, "no process before somebody works on a question"


async def test_one_person_cannot_fill_the_queue_and_keep_the_others_from_their_questions(tmp_path):
    floor = floor_at_work(1, trouble=0.0)
    async with kept(tmp_path, floor) as books:
        made = Forecasts(tmp_path, Config(forecast=QUICK), books.ledger, floor.state, lambda: 0.0)
        own = [made.ask(Question(runs=RUNS + more), "ann") for more in range(OWN_MAX)]
        with pytest.raises(ForecastBusy):
            made.ask(Question(runs=RUNS + 99), "ann")
        assert made.ask(Question(runs=RUNS), "ann") is own[0], "what is asked already is nothing more"
        assert made.ask(Question(runs=RUNS + 99), "bob") is not own[0]
        own[0].over.set()
        assert made.ask(Question(runs=RUNS + 98), "ann")


async def test_an_answer_that_is_too_long_for_a_frame_is_an_answer_too(monkeypatch):
    reads, writes = os.pipe()
    monkeypatch.setattr("controller.forecasting.frames.MAX_FRAME_BYTES", 300)
    Worker(reads, writes)._say(Failed("forecast.failed", "x" * 300))
    os.close(writes)
    (body,) = FrameReader().receive(os.read(reads, READ_BYTES))
    os.close(reads)
    assert ForecastTooLarge.code.encode() in body


async def test_a_worker_that_is_killed_is_told_and_the_next_question_starts_another(tmp_path):
    floor = floor_at_work(1, trouble=0.0)
    async with forecasting(tmp_path, floor) as (forecasts, _):
        asked = forecasts.ask(Question(runs=2_000))
        await until(lambda: forecasts.worker_pid)
        first = forecasts.worker_pid
        os.kill(first, signal.SIGKILL)
        assert await over(asked) is None
        assert isinstance(asked.failure, WorkerLost)
        assert await over(forecasts.ask(Question(runs=RUNS)))
        assert forecasts.worker_pid not in (0, first)


async def test_cancelled_in_the_middle_no_process_is_left(tmp_path):
    floor = floor_at_work(1, trouble=0.0)
    async with forecasting(tmp_path, floor) as (forecasts, _):
        asked = forecasts.ask(Question(runs=2_000))
        await until(lambda: asked.done)
        worker = forecasts.worker_pid
        children = children_of(worker)
        assert len(children) == QUICK.processes
    assert not is_there(worker)
    await until(lambda: not any(map(is_there, children)))  # the kernel kills them when the worker is gone


async def test_a_forecast_is_made_without_anybody_asking_when_there_is_something_to_say(tmp_path):
    floor = floor_at_work(1, trouble=0.0)
    settings = ForecastConfig(every_s=10.0, priority="normal", within_s=WITHIN_S, runs=RUNS)
    async with forecasting(tmp_path, floor, settings) as (forecasts, _):
        await until(lambda: forecasts.latest is not None)
        assert forecasts.latest.made.asked_runs == RUNS


async def test_a_worker_of_another_program_than_the_service_refuses_and_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr("controller.forecasting.worker_process.this_worker", lambda: "0" * 64)
    async with WorkerProcess(tmp_path, Config(forecast=QUICK)) as worker:
        with trio.fail_after(WITHIN_S), pytest.raises(OtherProgram, match="start the service again"):
            await worker.ask(Question(runs=RUNS), 0.0, lambda done, runs: None)
        assert worker.pid == 0


def test_the_digest_of_a_program_is_of_each_of_its_files(tmp_path, monkeypatch):
    package = tmp_path / "milled"
    package.mkdir()
    for name in ("__init__.py", "one.py", "two.py"):
        (package / name).write_text("A = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = digest_of_source({"milled": ()}), digest_of_source({"milled": ("one.py",)})
    (package / "two.py").write_text("A = 2\n")
    after = digest_of_source({"milled": ()}), digest_of_source({"milled": ("one.py",)})
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert len(this_worker()) == 64
