"""Quality: what each step spoils and why, which stations drift, what has an unknown fate, and what is made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.console import Console
from controller.console.guard import Person
from controller.console.live import View
from controller.console.pages import Pages
from controller.console.words import Say, say_in
from controller.core.moves import positions_in
from controller.core.quarantine import DRIFT
from controller.core.state import FloorState
from controller.core.yields import pareto, rolled_throughput_yield, step_quality
from controller.desk.desk import Desk
from controller.report.charts import Bar, bars, dots
from controller.report.span_words import defect_word, step_word
from devices.defects import Step

CAUSES_SHOWN = 20
SUSPECTS_SHOWN = 50
ROWS_SHOWN = 200
RIGHT = "report"  # yields and causes are of those in charge
ACTS = ("settle", "set_good", "give_up")


def view(pages: Pages, desk: Desk) -> View:
    """Give yields, causes and charts as everybody in charge sees them."""
    return View(RIGHT, lambda language: pages.fragment("quality_now.html", language, **scene(desk, language)))


def scene(desk: Desk, language: str) -> dict[str, object]:
    """Give what is counted, at one moment."""
    tally, say = desk.tally, say_in(language)
    found = {step.value: step_quality(tally, step) for step in Step}
    shown = [Bar(step_word(step, language), of.fpy, f"{of.fpy:.2%}") for step, of in found.items()]
    return {
        "steps": [{"step": step, "of": of} for step, of in found.items()],
        "rty": rolled_throughput_yield(tally),
        "yields": dots(shown, say("quality.yields")),
        "pareto": _pareto(desk, say, language),
        "drift": _charts(desk, say),
        "held": held_rows(desk),
        "config": desk.core.drift,
    }


def _pareto(desk: Desk, say: Say, language: str) -> str:
    rows = []
    for one in pareto(desk.tally)[:CAUSES_SHOWN]:
        named = f"{step_word(one.caused_at, language)} {one.code} {defect_word(one.code, language)}".rstrip()
        rows.append(Bar(named, one.count, f"{one.count} · {one.share:.0%} · {one.cumulated:.0%}", tone="c"))
    return bars(rows, say("quality.pareto"), desc="; ".join(f"{row.label} {row.text}" for row in rows)) if rows else ""


def _charts(desk: Desk, say: Say) -> list[dict[str, Any]]:
    """Give each station's points of its limit, those nearest to it first."""
    config, found = desk.core.drift, []
    limit, warn = config.points(config.threshold), config.points(config.warn_threshold)
    watch = desk.state.drift
    for name, chart in watch.charts.items():
        codes = watch.warnings.get(name, {})
        words = say("quality.points", str(chart.score).rjust(len(str(limit)), "\u2007"), limit)  # limits stand in line
        bar = bars([Bar("", min(chart.score, limit), words, mark=limit)], f"{name} {words}", most=limit * 1.02)
        above = [
            {"code": code, "score": one.score, "is_over": one.score >= warn} for code, one in sorted(codes.items())
        ]
        row = {"station": name, "score": chart.score, "limit": limit, "cards": chart.cards, "bar": bar, "codes": above}
        found.append({**row, "warned": sorted(desk.state.station_warnings.get(name, {}))})
    return sorted(found, key=lambda row: (-row["score"], row["station"]))


def held_rows(desk: Desk) -> list[dict[str, Any]]:
    """Give the stations that are held for drift, with what is concerned."""
    state, now = desk.state, desk.clock.now_floor_s()
    return [
        {
            "station": name,
            "age_s": max(0.0, now - hold.since_floor_s),
            "since_floor_s": hold.since_floor_s,
            "sheets": len(state.drifted[name].sheets) if name in state.drifted else 0,
            "in_flight": _in_flight(state, name),
        }
        for name, hold in sorted(state.station_holds.items())
        if hold.code == DRIFT
    ]


def _in_flight(state: FloorState, name: str) -> int:
    """Count the sheets it worked on that nobody has inspected yet."""
    if name not in state.drifted:
        return 0
    sheets = (state.sheets.get(one) for one in state.drifted[name].in_flight)
    return sum(one is not None and not one.quarantined for one in sheets)


def routes(console: Console) -> list[Route]:
    """Give `/quality` and `/quality/remakes`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        suspects = await console.ask(person, "suspects")
        if not console.may(person, RIGHT):
            raise HTTPException(403)
        clocks = await console.ask(person, "remakes")
        values = {
            "now": console.live.markup("quality", console.pages.language_of(request)),
            "suspects": [_suspect(row) for row in suspects[:SUSPECTS_SHOWN]],
            "suspects_in_all": len(suspects),
            "acts": await _acts(console, person),
            "clocks": clocks,
        }
        return console.page(request, "quality.html", person, **values)

    async def remakes(request: Request) -> Response:
        person = await console.person(request)
        clocks = await console.ask(person, "remakes")
        return console.page(request, "remakes.html", person, clocks=clocks, most=ROWS_SHOWN)

    return [Route("/quality", page), Route("/quality/remakes", remakes)]


def _suspect(row: Mapping[str, Any]) -> dict[str, Any]:
    """Add the positions, each with its mask, and whether a position can be found good: only what was written can."""
    places = [{"place": place + 1, "mask": 1 << place} for place in positions_in(row["mask"])]
    return {**row, "places": places, "can_be_good": bool(row["body"]) and row["step"] == Step.INSPECT}


async def _acts(console: Console, person: Person) -> list[dict[str, Any]]:
    """Give what waits for a second person and is about cards and sheets."""
    acts = [row for row in await console.ask(person, "acts") if row["verb"] in ACTS]
    return [
        {**row, "may_agree": row["by"] != person.name and console.may(person, "second", row["verb"])} for row in acts
    ]
