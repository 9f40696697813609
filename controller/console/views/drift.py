"""One station's chart of defects over the last day, with its limit, signals and releases."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.clock import floor_text
from controller.console.console import Console
from controller.console.long_looks import LongLooks
from controller.console.views.quality import RIGHT
from controller.console.words import say_in
from controller.core.calendar import DAY_S
from controller.report.drift_chart import drift_chart
from controller.report.span_words import defect_word
from controller.trace.drift import drift_curve


def routes(console: Console) -> list[Route]:
    """Give `/quality/drift/<station>`."""
    looks, desk = LongLooks(console.nursery), console.desk

    async def page(request: Request) -> Response:
        person = await console.person(request)
        await console.ask(person, "holds")
        if not console.may(person, RIGHT):
            raise HTTPException(403)
        name, language = request.path_params["station"], console.pages.language_of(request)
        if name not in desk.state.stations:
            raise HTTPException(404)
        config, end = desk.core.drift, desk.clock.now_floor_s()
        look = partial(drift_curve, desk.ledger.reading, name, config, end - DAY_S, end)
        curve = await looks.at(name, partial(desk.flights.share, ("drift", name), look))
        say, warn, values = (
            say_in(language),
            config.points(config.warn_threshold),
            codes_of(desk.state.drift, name, language),
        )
        drawn = ""
        if curve is not None:
            words = (say("quality.chart_of", name), say("quality.limit"), say("quality.warn"))
            drawn = drift_chart(curve, warn, *words, lambda at: floor_text(at)[11:16])
        return console.page(
            request, "drift.html", person, station=name, curve=curve, drawn=drawn, config=config, codes=values,
            score=desk.state.drift.charts[name].score if name in desk.state.drift.charts else 0,
        )  # fmt: skip

    return [Route("/quality/drift/{station:str}", page)]


def codes_of(watch: Any, name: str, language: str) -> list[dict[str, Any]]:
    """Give the kinds of defects whose own charts stand above zero."""
    return [
        {"code": code, "words": defect_word(code, language), "score": one.score}
        for code, one in sorted(watch.warnings.get(name, {}).items(), key=lambda one: -one[1].score)
    ]
