"""The forecasts of a service: questions one at a time, the newest answer, and the record of how often it held."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import trio
from sqlalchemy.exc import DBAPIError

from controller.config import Config
from controller.core.cards import FINAL, State
from controller.core.state import FloorState
from controller.forecasting.errors import ForecastBusy, ForecastError
from controller.forecasting.messages import Answered, ForecastMade, Question
from controller.forecasting.record import Calibration, Record, Said, SaidLast
from controller.forecasting.record_file import read_record, write_record
from controller.forecasting.worker_process import WorkerProcess
from controller.ledger.errors import LedgerError
from controller.ledger.finishes import finished_batches
from controller.ledger.store import Ledger

log = structlog.get_logger()
WAITING_MAX = 4  # questions besides the one that is worked on
OWN_MAX = 2  # of one person among all of them: nobody keeps the others from theirs
KEPT = 16  # answers, for those who come back for theirs


@dataclass(eq=False, slots=True)
class Asked:
    """One question: how far it is, and then its answer or why there is none."""

    number: int
    question: Question
    by: str = ""  # empty: the service itself
    done: int = 0
    runs: int = 0
    answer: Answered | None = None
    failure: ForecastError | None = None
    over: trio.Event = field(default_factory=trio.Event)


def has_work(state: FloorState) -> bool:
    """Say whether a card is to be made yet, those that wait for a person among them."""
    over = FINAL | {State.MADE}
    return any(cards and one not in over for batch in state.batches.values() for one, cards in batch.states.items())


class Forecasts:
    """Lets a worker answer questions about the floor; whoever asks what is asked already gets the same answer.

    `now_floor_s` is the floor clock.  Nothing here is on the way of a card: whatever fails is told to who asked.
    """

    def __init__(
        self, folder: Path, config: Config, ledger: Ledger, state: FloorState, now_floor_s: Callable[[], float]
    ) -> None:
        self._folder, self._config, self._ledger, self._state = folder, config, ledger, state
        self._now_floor_s = now_floor_s
        self._asked: OrderedDict[int, Asked] = OrderedDict()
        self._last_number = 0
        self._wake = trio.Event()
        self._record = Record()
        self._worker = WorkerProcess(folder, config)
        self._newest: dict[int, SaidLast] = {}  # by batch, of the newest forecast
        self.latest: ForecastMade | None = None  # of the floor as it is, not of a what-if

    # ---- asking --------------------------------------------------------------------------------------------------

    def ask(self, question: Question, by: str = "") -> Asked:
        """Begin to answer a person's question, or give the same one that is not answered yet.  Raises: ForecastBusy."""
        going = [one for one in self._asked.values() if not one.over.is_set()]
        for one in going:
            if one.question == question:
                return one
        if len(going) > WAITING_MAX:
            raise ForecastBusy("other forecasts are asked for already: ask again when they are made")
        if by and sum(one.by == by for one in going) >= OWN_MAX:
            raise ForecastBusy("you asked for others already: ask again when one of them is made")
        self._last_number += 1
        asked = self._asked[self._last_number] = Asked(self._last_number, question, by, runs=question.runs)
        over = [number for number, one in self._asked.items() if one.over.is_set()]
        for number in over[: max(0, len(self._asked) - KEPT)]:
            del self._asked[number]
        self._wake.set()
        return asked

    def asked(self, number: int) -> Asked | None:
        """Give a question by its number, None when it is forgotten."""
        return self._asked.get(number)

    def under_way(self) -> Asked | None:
        """Give the question that is worked on."""
        return next((one for one in self._asked.values() if not one.over.is_set()), None)

    @property
    def worker_pid(self) -> int:
        """Give the worker process, 0 while there is none."""
        return self._worker.pid

    # ---- the record ----------------------------------------------------------------------------------------------

    def calibration(self) -> Calibration:
        """Give how often forecasts held."""
        return self._record.calibration()

    def made_floor_s(self) -> float:
        """Give the floor time of the newest forecast, 0 while there is none."""
        return self.latest.made.at_floor_s if self.latest else 0.0

    @property
    def record(self) -> Record:
        """What was said of batches, and what came."""
        return self._record

    def said_of(self, batch_id: int) -> Said | SaidLast | None:
        """Give what was said of an open batch last, None where nothing was."""
        kept = self._record.open.get(batch_id)
        return self._newest.get(batch_id) or (kept.said[-1] if kept else None)

    # ---- working -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Answer questions, and ask one now and then, until cancelled; then no process is left."""
        self._record = await trio.to_thread.run_sync(read_record, self._folder)
        due_s = trio.current_time() + (self._config.forecast.every_s or float("inf"))
        async with self._worker:
            while True:
                await self._score()
                asked = self.under_way()
                if asked is None and trio.current_time() >= due_s:
                    due_s = trio.current_time() + self._config.forecast.every_s
                    asked = self._own_question()
                if asked is not None:
                    await self._answer(asked)
                    continue
                self._wake = trio.Event()
                with trio.move_on_at(due_s):
                    await self._wake.wait()

    def _own_question(self) -> Asked | None:
        """Ask for a forecast that nobody asked for, if there is anything to say."""
        if not has_work(self._state):
            return None
        return self.ask(Question(runs=self._config.forecast.runs))

    async def _answer(self, asked: Asked) -> None:
        def told(done: int, runs: int) -> None:
            asked.done, asked.runs = done, runs

        try:
            asked.answer = await self._worker.ask(asked.question, self._now_floor_s(), told)
            if isinstance(asked.answer, ForecastMade):
                self.latest = asked.answer
                await self._note(asked.answer)
        except ForecastError as error:
            log.error("no forecast", code=error.code, why=error.text)
            asked.failure = error
        finally:
            asked.over.set()

    async def _note(self, found: ForecastMade) -> None:
        self._newest = {}
        for batch in found.batches:
            at_floor_s, p50, p90 = found.made.at_floor_s, batch.p50_floor_s, batch.p90_floor_s
            self._newest[batch.batch_id] = SaidLast(
                made_floor_s=at_floor_s, p50_floor_s=p50, p90_floor_s=p90, late_percent=batch.late_percent
            )
            if p50 is not None and p90 is not None:  # only what names a time can fail
                said = Said(made_floor_s=at_floor_s, p50_floor_s=p50, p90_floor_s=p90, late_percent=batch.late_percent)
                self._record.note(batch.batch_id, batch.batch_number, said)
        await self._keep()

    async def _score(self) -> None:
        """Score what is finished; what cannot be looked up now is scored the next time."""
        gone = [batch_id for batch_id in self._record.open if batch_id not in self._state.batches]
        if not gone:
            return
        try:
            finished = await trio.to_thread.run_sync(finished_batches, self._ledger.reading, gone)
        except (LedgerError, DBAPIError) as error:
            log.error("forecasts not scored", why=type(error).__name__)
            return
        made = {batch_id: at_floor_s for batch_id, at_floor_s in finished.items() if at_floor_s is not None}
        self._record.score(made)
        self._record.forget(finished.keys() - made.keys())  # nothing of them was made
        if finished:
            await self._keep()

    async def _keep(self) -> None:
        try:
            await trio.to_thread.run_sync(write_record, self._folder, self._record)
        except OSError as error:
            log.error("the record of forecasts is not kept", why=error.strerror or type(error).__name__)
