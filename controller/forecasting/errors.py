"""What can go wrong with a forecast: coded, told to whoever asked, and never the end of the service."""

from __future__ import annotations


class ForecastError(Exception):
    """A forecast was not made; the sentence says why and what to do."""

    code = "forecast"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")
        self.text = text


class ForecastBusy(ForecastError):
    """Enough questions wait already."""

    code = "forecast.busy"


class ForecastTooLong(ForecastError):
    """The time was over before enough runs were done."""

    code = "forecast.too_long"


class ForecastTooLarge(ForecastError):
    """The memory a worker may take was not enough."""

    code = "forecast.too_large"


class WorkerLost(ForecastError):
    """The worker process ended, or said what cannot be."""

    code = "forecast.worker_lost"


class OtherProgram(ForecastError):
    """The program's files were exchanged under the running service: what the worker runs is not what the service is."""

    code = "forecast.other_program"


class ForecastFailed(ForecastError):
    """The runs themselves failed."""

    code = "forecast.failed"


ERRORS = {
    kind.code: kind
    for kind in (ForecastBusy, ForecastTooLong, ForecastTooLarge, WorkerLost, OtherProgram, ForecastFailed)
}  # by the code that a worker says
