"""Verbs of the forecast: when batches will be finished, what runs out first, what a change would bring."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
import trio

from controller.core.line.change import ChangeError, parse_change
from controller.core.supply import forecast
from controller.core.turn import Refused
from controller.desk.desk import Args, BadArgument, Desk, Verb, number
from controller.desk.rights import sees_stock
from controller.forecasting.errors import ForecastBusy
from controller.forecasting.forecasts import Asked, Forecasts, has_work
from controller.forecasting.messages import DifferenceMade, FinishOf, ForecastMade, Question, SensitivityMade
from controller.forecasting.record import Scored
from controller.forecasting.settings import RUNS_MAX, RUNS_MIN

PATIENCE_S = 1.0  # real seconds an answer waits for what is under way; then it says how far it is, to be asked again
MAX_WORDS, MAX_WORD, MAX_TIME, MAX_SHIFTS = 20, 64, 16, 3
MAX_BATCH_NUMBER = 32
BATCHES, UNITS, SCORED = 1_000, 2_000, 50  # rows of one answer
MINUTE_S = 60.0
OF_STOCK = frozenset({"blanks", "magazine"})  # what gives away how many blanks there are
NO_FORECASTS = Refused("forecast.off", "this service makes no forecasts")
FORGOTTEN = Refused("forecast.forgotten", "this forecast is not known any more: ask for it again")
NOTHING_OPEN = Refused("forecast.nothing", "no card is to be made: there is nothing to forecast")


# ---- the floor as it is ------------------------------------------------------------------------------------------


async def _forecast(desk: Desk, user: str, args: Args) -> Any:
    """Give what the last days say of inputs, and the newest forecast; with `runs` or `ticket`, of one that is made."""
    sees, now_floor_s = sees_stock(desk, user), desk.clock.now_floor_s()
    batch = _batch_of(args)
    shown: dict[str, Any] = asdict(forecast(desk.state, desk.tally.inputs, now_floor_s, sees))
    forecasts = desk.forecasts
    if forecasts is None:
        return NO_FORECASTS if "runs" in args or "ticket" in args else shown | _nothing_ever()
    asked: Asked | None = None
    if "runs" in args and "ticket" not in args and not has_work(desk.state):
        shown["nothing_open"] = True
    elif "runs" in args or "ticket" in args:
        said = await _asked(forecasts, user, args, lambda: Question(runs=_runs(desk, args)))
        if isinstance(said, Refused):
            return said
        asked = said
    answer = asked.answer if asked and asked.answer else forecasts.latest
    found = answer if isinstance(answer, ForecastMade) else None
    calibration = msgspec.to_builtins(forecasts.calibration())
    return (
        shown | progress_of(asked) | {"off": False, "calibration": calibration} | _shown(forecasts, found, batch, sees)
    )


def _nothing_ever() -> dict[str, Any]:
    return progress_of(None) | {"off": True, "calibration": None, "scored": []} | _of_made(None)


def progress_of(asked: Asked | None) -> dict[str, Any]:
    """Give how far a question is; without one, that nothing is under way."""
    if asked is None:
        return {"ticket": 0, "running": False, "done_runs": 0, "of_runs": 0}
    return {
        "ticket": asked.number,
        "running": not asked.over.is_set(),
        "done_runs": asked.done,
        "of_runs": asked.question.runs,
    }


def _of_made(found: ForecastMade | None) -> dict[str, Any]:
    if found is None:
        none: dict[str, Any] = {name: [] for name in ("batches", "units", "starving", "people", "said")}
        return {"made": None, **none, "pace": None, "busy_share": {}}
    return {
        "made": msgspec.to_builtins(found.made),
        "batches": [],
        "units": [],
        "starving": [],
        "pace": {"per_day": found.cards_per_day, "low": found.cards_per_day_low, "high": found.cards_per_day_high},
        "busy_share": found.busy_share,
        "people": msgspec.to_builtins(found.people),
        "said": [],
    }


def _shown(forecasts: Forecasts, found: ForecastMade | None, batch: str, sees: bool) -> dict[str, Any]:
    shown = _of_made(found) | {"scored": [_scored(one) for one in forecasts.record.scored[: -SCORED - 1 : -1]]}
    if found is None:
        return shown
    batches = [one for one in found.batches if batch in ("", one.batch_number)]
    units = [one for one in found.units if batch in ("", one.batch_number)]
    starving = [one for one in found.starving if sees or one.what not in OF_STOCK]
    shown |= {
        "batches": [msgspec.to_builtins(one) for one in sorted(batches, key=_urgency)[:BATCHES]],
        "units": [msgspec.to_builtins(one) for one in sorted(units, key=_urgency)[:UNITS]],
        "starving": [msgspec.to_builtins(one) for one in starving],
    }
    if batch and batches:
        kept = forecasts.record.open.get(batches[0].batch_id)
        shown["said"] = [msgspec.to_builtins(one) for one in kept.said] if kept else []
    return shown


def _urgency(one: FinishOf) -> tuple[float, float, int, str]:
    return -one.late_percent, one.due_floor_s, one.batch_id, one.unit


def _scored(one: Scored) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(one)
    return row | {"outcome": one.outcome}


# ---- a floor that is not -----------------------------------------------------------------------------------------


async def _whatif(desk: Desk, user: str, args: Args) -> Any:
    forecasts = desk.forecasts
    if forecasts is None:
        return NO_FORECASTS
    if "ticket" not in args and not has_work(desk.state):
        return NOTHING_OPEN
    try:
        asked = await _asked(forecasts, user, args, lambda: _question(desk, args))
    except ChangeError as error:
        return Refused(error.code, error.text)
    if isinstance(asked, Refused):
        return asked
    shown: dict[str, Any] = progress_of(asked) | {"made": None, "difference": None, "sensitivity": []}
    answer = asked.answer
    if isinstance(answer, DifferenceMade):
        difference = msgspec.to_builtins(answer.difference)
        for one in difference["batches"]:
            one["batch_number"] = answer.batch_numbers.get(one["batch_id"], "")
        shown |= {"made": msgspec.to_builtins(answer.made), "difference": difference}
    elif isinstance(answer, SensitivityMade):
        shown |= {"made": msgspec.to_builtins(answer.made), "sensitivity": msgspec.to_builtins(answer.steps)}
    return shown


def _question(desk: Desk, args: Args) -> Question:
    """Give the question of a what-if.  Raises: BadArgument, ChangeError."""
    is_sensitivity, shifts = args.get("sensitivity", False), args.get("shifts", 0)
    if not isinstance(is_sensitivity, bool):
        raise BadArgument("sensitivity", "true or false")
    if type(shifts) is not int or not 0 <= shifts <= MAX_SHIFTS:
        raise BadArgument("shifts", f"shifts of a working day, 1 to {MAX_SHIFTS}")
    change = parse_change(
        _words(args, "stations"),
        _words(args, "added"),
        shifts,
        _time(args, "from"),
        _time(args, "until"),
        desk.state.stations.keys(),
        # the same question within a minute is one question
        desk.clock.now_floor_s() // MINUTE_S * MINUTE_S,
    )
    if is_sensitivity and not change.is_nothing():
        raise BadArgument("sensitivity", "by itself: it is of the floor as it is")
    if not is_sensitivity and change.is_nothing():
        raise BadArgument("stations", "a change: stations, added, shifts, or sensitivity")
    return Question(runs=_runs(desk, args), change=change, sensitivity=is_sensitivity)


def _words(args: Args, name: str) -> list[str]:
    words = args.get(name, [])
    is_list = isinstance(words, list) and len(words) <= MAX_WORDS
    if not is_list or not all(isinstance(one, str) and 1 <= len(one) <= MAX_WORD for one in words):
        raise BadArgument(name, f"a list of at most {MAX_WORDS} texts like NAME=VALUE")
    return list(words)


def _time(args: Args, name: str) -> str:
    said = args.get(name, "")
    if not isinstance(said, str) or len(said) > MAX_TIME:
        raise BadArgument(name, "a floor time like 08:00 or 2026-03-02T08:00")
    return said


# ---- both --------------------------------------------------------------------------------------------------------


def _runs(desk: Desk, args: Args) -> int:
    runs = args.get("runs", desk.config.forecast.runs)
    if type(runs) is not int or not RUNS_MIN <= runs <= RUNS_MAX:
        raise BadArgument("runs", f"{RUNS_MIN} to {RUNS_MAX}")
    return runs


def _batch_of(args: Args) -> str:
    batch = args.get("batch", "")
    if not isinstance(batch, str) or len(batch) > MAX_BATCH_NUMBER:
        raise BadArgument("batch", "a batch's 25 digits")
    return batch


async def _asked(forecasts: Forecasts, user: str, args: Args, question: Any) -> Asked | Refused:
    """Give what a ticket stands for, or a question that is asked now, when it is answered or after some patience."""
    if "ticket" in args:
        asked = forecasts.asked(number(args, "ticket"))
        if asked is None:
            return FORGOTTEN
    else:
        try:
            asked = forecasts.ask(question(), user)
        except ForecastBusy as error:
            return Refused(error.code, error.text)
    if not args.get("at_once"):
        with trio.move_on_after(PATIENCE_S):
            await asked.over.wait()
    return Refused(asked.failure.code, asked.failure.text) if asked.failure else asked


VERBS: dict[str, Verb] = {"forecast": _forecast, "whatif": _whatif}
