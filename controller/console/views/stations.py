"""The stations: every one in a table, and one on a page of its own, with its day and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import trio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from controller.clock import floor_text
from controller.console.actions import HOLD_REASONS
from controller.console.console import Console
from controller.console.guard import Person
from controller.console.live import View
from controller.console.long_looks import LongLooks
from controller.console.pages import Pages
from controller.console.views.floor import station_facts
from controller.console.words import said_or, say_in
from controller.core.calendar import DAY_S, calendar_of
from controller.core.settings import read_maintenance
from controller.core.yields import planned_busy_s, station_effect
from controller.desk.desk import Desk
from controller.desk.looking import station_rows
from controller.report.span_words import defect_word
from controller.report.strips import strip
from controller.trace.states import station_states
from devices.messages import StationState

WINDOWS_SHOWN = 8  # planned maintenance of one station
STRIP_FRESH_S = 20.0


def view(pages: Pages, desk: Desk) -> View:
    """Give the table as everybody sees it."""

    def make(language: str) -> str:
        found = [station_facts(desk, row) for row in station_rows(desk)]
        return pages.fragment("stations_now.html", language, stations=[_worded(row, language) for row in found])

    return View("stations", make)


def _worded(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Add what warnings mean, and that a station is not heard: what is said of it is old."""
    warned = [{"code": code, "words": defect_word(code, language)} for code in row["warnings"]]
    return {**row, "warned": warned, "is_silent": row["state"] == StationState.STOPPED or row["state"] == "silent"}


def routes(console: Console) -> list[Route]:
    """Give `/stations`, `/stations/<name>` and the strip of its last day."""
    looks = LongLooks(console.nursery)

    async def all_of_them(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "stations")
        now = console.live.markup("stations", console.pages.language_of(request))
        return console.page(request, "stations.html", person, now=now)

    async def one(request: Request) -> Response:
        person = await console.person(request)
        name, language = request.path_params["station"], console.pages.language_of(request)
        found = [row for row in await console.ask(person, "stations") if row["station"] == name]
        if not found:
            raise HTTPException(404)
        station = _worded(station_facts(console.desk, found[0]), language)
        values: dict[str, Any] = {
            "station": station,
            "effect": effect_of(console.desk, name),
            "job": job_of(console.desk, station["job_id"]),
            "windows": maintenance_of(console.desk, name),
            "hold": await _hold(console, person, name),
            "supplies": await _supplies(console, person, name),
            "magazine": await _magazine(console, person, name),
            "reasons": HOLD_REASONS,
        }
        return console.page(request, "station.html", person, **values)

    async def day(request: Request) -> Response:
        person = await console.person(request)
        name, language = request.path_params["station"], console.pages.language_of(request)
        await console.ask(person, "stations")
        desk = console.desk
        if name not in desk.state.stations:
            raise HTTPException(404)
        end = desk.clock.now_floor_s()
        look = partial(station_states, desk.ledger.reading, name, end - DAY_S, end)
        found = await looks.at(name, partial(trio.to_thread.run_sync, look), STRIP_FRESH_S)
        drawn = "" if found is None else _strip(found, name, language)
        again = found is None
        return HTMLResponse(console.pages.fragment("station_day.html", language, drawn=drawn, again=again, name=name))

    return [
        Route("/stations", all_of_them),
        Route("/stations/{station:str}/day", day),
        Route("/stations/{station:str}", one),
    ]


def _strip(found: list[Any], name: str, language: str) -> str:
    say = say_in(language)

    def word(state: str) -> str:
        return said_or(say, f"state.{state}", state) if state else say("stations.unknown")

    return strip(found, say("stations.day_of", name), word, lambda at: floor_text(at)[11:16])


async def _hold(console: Console, person: Person, name: str) -> dict[str, Any] | None:
    """Give who holds it and why, as the verb tells it."""
    return next((row for row in await console.ask(person, "holds") if row["station"] == name), None)


async def _supplies(console: Console, person: Person, name: str) -> list[dict[str, Any]]:
    if not console.may(person, "supplies"):
        return []
    return [row for row in await console.ask(person, "supplies") if row["station"] == name]


async def _magazine(console: Console, person: Person, name: str) -> int | None:
    """Give the body sheets in its magazine to those who may see stock; who counts at a station counts blind."""
    if not console.may(person, "stock"):
        return None
    magazines: dict[str, int] = (await console.ask(person, "stock"))["magazines"]
    return magazines.get(name)


def effect_of(desk: Desk, name: str) -> dict[str, float] | None:
    """Give the OEE of a station and its factors since it joined, None before its first load."""
    tally, now = desk.tally.stations.get(name), desk.clock.now_floor_s()
    if tally is None or not tally.jobs:
        return None
    planned_s = planned_busy_s(name, tally.joined_floor_s, now, calendar_of(desk.core.calendar))
    effect = station_effect(tally, now, planned_s)
    return {
        "oee": effect.oee,
        "availability": effect.availability,
        "effectiveness": effect.effectiveness,
        "quality": effect.quality,
        "jobs": tally.jobs,
        "worked": tally.worked,
        "bad": tally.bad,
        "reworked": tally.reworked,
    }


def job_of(desk: Desk, job_id: int) -> dict[str, Any] | None:
    """Give the load that a station has."""
    job = desk.state.jobs.get(job_id)
    if job is None:
        return None
    return {"job_id": job_id, "sheets": len(job.sheets), "cards": len(job.cards), "since_floor_s": job.started_floor_s}


def maintenance_of(desk: Desk, name: str) -> list[dict[str, Any]]:
    """Give the planned maintenance of a station that is not over, the next one first."""
    now = desk.clock.now_floor_s()
    windows = [one for one in read_maintenance(desk.core.calendar.maintenance) if one[0] == name and one[2] > now]
    ordered = sorted(windows, key=lambda one: one[1])[:WINDOWS_SHOWN]
    return [{"begin_floor_s": begin, "end_floor_s": end, "is_now": begin <= now} for _, begin, end in ordered]
