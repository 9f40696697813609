"""The worker's loop: it reads the ledger, and answers one question about the floor after the other."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from controller.config import Config
from controller.core.errors import CoreError
from controller.forecasting.answering import answer
from controller.forecasting.errors import ForecastError, ForecastFailed, ForecastTooLarge, OtherProgram
from controller.forecasting.floor_copy import FloorCopy
from controller.forecasting.frames import READ_BYTES, FrameReader, FrameTooLong, frame_of, write_all
from controller.forecasting.idle_process import limit_memory
from controller.forecasting.messages import Ask, Failed, Heard, Open, Progress, Said
from controller.forecasting.program import this_worker
from controller.ledger.errors import LedgerError
from controller.logs import configure_logs
from encoders.envelope import Opener

MIB = 1 << 20
TOO_LARGE = "the floor takes more memory than forecast.memory_mib: raise it"
OTHER = "the program's files were exchanged since the service started: start the service again, it forecasts then"
TOO_LONG = "more police stations wait for their cards than one answer holds: ask again when batches are finished"

_heard: Opener[Heard] = Opener(Heard, max_bytes=1 << 30)  # the frames have their own bound


class Worker:
    """Answers one question after the other, until nobody asks any more; it keeps its copy of the floor in between."""

    def __init__(self, hears: int, says: int) -> None:
        self._hears, self._says = hears, says
        self._folder, self._config = Path(), Config()
        self._copy: FloorCopy | None = None

    def run(self) -> None:
        """Work until the pipe is closed.  Raises: OSError: nobody reads the answers."""
        reader = FrameReader()
        while received := os.read(self._hears, READ_BYTES):
            for body in reader.receive(received):
                heard = _heard.unpack(body)
                if isinstance(heard, Open):
                    self._folder, self._config = Path(heard.folder), heard.config
                    limit_memory(heard.config.forecast.memory_mib * MIB)
                else:
                    self._say(self._answer(heard))

    def _answer(self, ask: Ask) -> Said:
        try:
            if self._copy is None:
                self._copy = FloorCopy(self._folder, self._config)
            return answer(self._copy, ask, self._config.core(), self._tell)
        except ForecastError as error:
            return Failed(error.code, error.text)
        except MemoryError:
            self._copy = None
            return Failed(ForecastTooLarge.code, TOO_LARGE)
        except (LedgerError, CoreError, DBAPIError) as error:
            self._copy = None  # it may be half folded
            code = getattr(error, "code", "") or type(error).__name__
            return Failed(
                ForecastFailed.code, f"the ledger could not be read or folded ({code}): run `cardmill doctor`"
            )

    def _tell(self, done: int, runs: int) -> None:
        self._say(Progress(done, runs))

    def _say(self, said: Said) -> None:
        try:
            frame = frame_of(said)
        except FrameTooLong:
            frame = frame_of(Failed(ForecastTooLarge.code, TOO_LONG))
        write_all(self._says, frame)


def refuse(hears: int, says: int) -> None:
    """Answer that this is another program than the service's, and listen to nothing: it may speak otherwise."""
    write_all(says, frame_of(Failed(OtherProgram.code, OTHER)))
    while os.read(hears, READ_BYTES):
        pass


def work(program: str) -> None:
    """Answer on standard output until nobody asks any more; `program` is the service's."""
    says = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not speak to the service
    configure_logs()
    if program == this_worker():
        Worker(sys.stdin.fileno(), says).run()
    else:
        refuse(sys.stdin.fileno(), says)
