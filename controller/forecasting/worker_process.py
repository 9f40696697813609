"""The worker process as the service holds it: started when it is first needed, and killed with the service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

import structlog
import trio

from controller.config import Config
from controller.forecasting.errors import ERRORS, ForecastError, OtherProgram, WorkerLost
from controller.forecasting.frames import READ_BYTES, FrameReader, FrameTooLong, frame_of
from controller.forecasting.messages import Answered, Ask, Failed, Open, Question, Said
from controller.forecasting.program import this_worker
from encoders.envelope import EnvelopeError, Opener

log = structlog.get_logger()
MODULE = "controller.forecasting.worker"  # never another: a service may outlive an exchange of its files
GRACE_S = 60.0  # real seconds beyond the time of the runs, for the reading of the ledger
AGAIN = "the process of forecasts ended: ask again; the log says more"

_said: Opener[Said] = Opener(Said, max_bytes=1 << 30)  # the frames have their own bound


class WorkerProcess:
    """One process that forecasts, or none: it is started when something is asked, and again after it was lost.

    To be used in an `async with` by one task; at its end the process is gone.
    """

    def __init__(self, folder: Path, config: Config) -> None:
        self._folder, self._config = folder, config
        self._program = this_worker()  # at the service's start: later its files may be another program's
        self._process: subprocess.Popen[bytes] | None = None
        self._sends: trio.lowlevel.FdStream | None = None
        self._hears: trio.lowlevel.FdStream | None = None
        self._reader = FrameReader()

    @property
    def pid(self) -> int:
        """Give the process, 0 while there is none."""
        return self._process.pid if self._process else 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def ask(self, question: Question, now_floor_s: float, told: Callable[[int, int], None]) -> Answered:
        """Give the answer to a question; `told` hears how many of how many runs are done.

        Cancelled, or failed in a way that leaves the process in doubt, the process is ended.  Raises: ForecastError.
        """
        settings = self._config.forecast
        ask = Ask(question, now_floor_s, settings.processes, settings.within_s)
        is_sound = False
        try:
            with trio.fail_after(settings.within_s + GRACE_S):
                answered = await self._ask(ask, told)
            is_sound = True
            return answered
        except trio.TooSlowError:
            raise WorkerLost("the process of forecasts did not answer in time, and was ended: ask again") from None
        except ForecastError as error:
            is_sound = not isinstance(error, WorkerLost | OtherProgram)
            raise
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError, EnvelopeError, FrameTooLong) as error:
            raise WorkerLost(f"{AGAIN} ({type(error).__name__})") from error
        finally:
            if not is_sound:
                await self.end()

    async def _ask(self, ask: Ask, told: Callable[[int, int], None]) -> Answered:
        if self._process is None:
            self._start()
            await self._send(frame_of(Open(str(self._folder), self._config)))
        await self._send(frame_of(ask))
        assert self._hears is not None
        while True:
            received = await self._hears.receive_some(READ_BYTES)
            if not received:
                raise WorkerLost(AGAIN)
            for body in self._reader.receive(received):
                said = _said.unpack(body)
                if isinstance(said, Answered):
                    return said
                if isinstance(said, Failed):
                    raise ERRORS.get(said.code, WorkerLost)(said.text)
                told(said.done, said.runs)

    async def _send(self, frame: bytes) -> None:
        assert self._sends is not None
        await self._sends.send_all(frame)

    def _start(self) -> None:
        """Start the process, here and in no thread: it is killed when the thread that made it ends."""
        command = [sys.executable, "-m", MODULE, str(os.getpid()), self._config.forecast.priority, self._program]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._reader = process, FrameReader()
        # the streams get descriptors of their own: each side closes what is its own, once
        self._sends = trio.lowlevel.FdStream(os.dup(process.stdin.fileno()))
        self._hears = trio.lowlevel.FdStream(os.dup(process.stdout.fileno()))
        process.stdin.close()
        process.stdout.close()
        log.info("forecast worker started", worker=process.pid)

    async def end(self) -> None:
        """Kill the process, if there is one: it holds nothing that is not in the ledger."""
        process, self._process = self._process, None
        for stream in (self._sends, self._hears):
            if stream is not None:
                stream.close()
        self._sends = self._hears = None
        if process is None:
            return
        process.kill()  # and with it the processes of its runs
        with trio.CancelScope(shield=True):  # what gives its memory back at idle priority takes its time
            await trio.to_thread.run_sync(process.wait)
