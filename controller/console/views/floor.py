"""The floor: its line as a drawing, with what every station does, now and at any past moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.clock import FloorClock, floor_text
from controller.console.console import Console
from controller.console.live import View
from controller.console.pages import Pages
from controller.console.past_folds import PastFolds
from controller.console.views import alarms
from controller.core.starving import standing, wants
from controller.desk.desk import Desk
from controller.desk.looking import counts_of, last_hour, station_rows, step_row
from controller.report.figures import first_pass_yield
from controller.upkeep.books import Books
from devices.defects import Step
from devices.messages import POSITIONS

MINUTE_S = 60
ALARMS_SHOWN = 4


def view(pages: Pages, desk: Desk) -> View:
    """Give the floor as everybody sees it."""

    def make(language: str) -> str:
        return pages.fragment("floor_now.html", language, **scene(desk, language))

    return View("stations", make)


def scene(desk: Desk, language: str) -> dict[str, object]:
    """Give what the drawing shows, at one moment: all floors are drawn from a desk, those of the past too."""
    now = desk.clock.now_floor_s()
    hour = last_hour(desk.tally, now)
    wrong = alarms.rows(desk, language)
    stations = [station_facts(desk, row) for row in station_rows(desk)]
    return {
        "floor_time": floor_text(now),
        "standing": standing(desk.state, desk.tally.window.sums(now)["made"]),
        "wants": [one.zh if language == "zh" else one.en for one in wants(desk.state)],
        "last_hour": hour,
        "counts": counts_of(desk.tally),
        "alarms": wrong[:ALARMS_SHOWN],
        "alarms_in_all": len(wrong),
        "steps": [
            {
                "step": step.value,
                **step_row(desk, step),
                "last_hour": hour[step],
                "yield_percent": 100 * first_pass_yield(desk.tally, step),
                "stations": [one for one in stations if one["step"] == step],
            }
            for step in Step
        ],
    }


def station_facts(desk: Desk, row: dict[str, object]) -> dict[str, object]:
    """Add a station's load, its settled pace in cards an hour, and its yield."""
    name = str(row["station"])
    station, tally = desk.state.stations[name], desk.tally.stations.get(name)
    job = desk.state.jobs.get(station.job_id)
    load = len(job.sheets) or len(job.cards) if job else 0
    unit = 1 if station.step is Step.PACK else POSITIONS
    pace_s = tally.line.load_s(station.load_max) if tally else 0.0
    return {
        **row,
        "load": load,
        "load_max": station.load_max,
        "cards_per_hour": round(station.load_max * unit * 3_600 / pace_s) if pace_s else None,
        "yield_percent": 100 * (1 - min(1.0, tally.bad / tally.worked)) if tally and tally.worked else None,
    }


def past_desk(desk: Desk, books: Books, at_floor_s: float) -> Desk:
    """Give a desk that looks at the books of a past moment, whose clock stands still."""
    clock = FloorClock(at_floor_s, 0.0, 0.0)
    state, tally = books.foreman.state, books.tally
    return replace(desk, state=state, tally=tally, campaign=books.campaign, clock=clock, andon=None)


def routes(console: Console) -> list[Route]:
    """Give `/floor` and `/floor/past`."""
    folds = PastFolds(console.desk.ledger, console.config, console.nursery)

    async def page(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "stations")  # the right, and that what is shown is durable
        now = console.live.markup("floor", console.pages.language_of(request))
        return console.page(request, "floor.html", person, now=now, times=await _times(), at_floor_s=None, failure="")

    async def past(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "stations")
        times, language = await _times(), console.pages.language_of(request)
        at_floor_s = min(times["last"], max(times["first"], _asked(request, times["last"])))
        fold = await folds.at(at_floor_s, person.name)
        values: dict[str, Any] = {"times": times, "at_floor_s": at_floor_s, "failure": fold.failure}
        values |= {"done": fold.done, "total": fold.total}
        if fold.books is None:
            return console.page(request, "floor.html", person, now=None, **values)
        shown = scene(past_desk(console.desk, fold.books, at_floor_s), language)
        now = console.pages.fragment("floor_now.html", language, **shown)
        return console.page(request, "floor.html", person, now=now, **values)

    async def _times() -> dict[str, float]:
        """Give from when to when there is a past, in whole floor minutes."""
        first, now = await folds.first_floor_s(), console.desk.clock.now_floor_s()
        return {"first": first // MINUTE_S * MINUTE_S + MINUTE_S, "last": now // MINUTE_S * MINUTE_S}

    return [Route("/floor", page), Route("/floor/past", past)]


def _asked(request: Request, otherwise: float) -> float:
    """Give the moment that is asked for: `at`, floor seconds, or `time`, floor time like 2026-03-02T08:00."""
    at, text = request.query_params.get("at", ""), request.query_params.get("time", "")
    try:
        if text:
            return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp()
        return float(int(at[:12]))
    except ValueError:
        return otherwise
