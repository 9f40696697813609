"""Recall: which cards went through a station between two times, page by page, and all of them for a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from controller.clock import floor_text
from controller.console.console import Console, VerbRefused
from controller.console.guard import Person
from controller.console.long_looks import LongLooks
from controller.console.words import Say, say_in
from controller.core.calendar import DAY_S
from controller.report.spreadsheet import lines_of, sheet

ROWS_SHOWN = 200  # of a page; a load is shown whole, so that a press may have more
CSV_ROWS = 5_000  # asked for at once
CSV_PAGES_MAX = 2_000
FIELDS = ("at", "job", "sheet", "card", "acceptance", "batch", "blank", "lot", "state", "unit", "bundle", "here")
JOB_FIELDS = ("operator", "lots")


class Asked(NamedTuple):
    """A station, and from when to when, in floor seconds; what was typed wrongly is 0."""

    station: str
    from_floor_s: float
    to_floor_s: float

    def is_whole(self) -> bool:
        """Say whether it can be looked for."""
        return bool(self.station) and 0 < self.from_floor_s < self.to_floor_s

    def args(self) -> dict[str, Any]:
        """Give the arguments of the verb."""
        return {"station": self.station, "from_floor_s": self.from_floor_s, "to_floor_s": self.to_floor_s}


def routes(console: Console) -> list[Route]:
    """Give `/quality/recall` and its CSV."""
    looks = LongLooks(console.nursery)

    async def page(request: Request) -> Response:
        person = await console.person(request)
        rows = await console.ask(person, "stations")
        _allow(console, person)
        asked, sent = _asked(request), "from" in request.query_params
        after = _whole(request.query_params.get("after", ""))
        values: dict[str, Any] = {"found": None, "is_wrong": sent and not asked.is_whole(), "is_looking": False}
        if sent and asked.is_whole():
            ask = partial(console.ask, person, "trace", **asked.args(), after=after, rows=ROWS_SHOWN)
            told = await looks.at((asked, after), ask)
            values |= {"found": told and _shown(told), "is_looking": told is None}
        now = console.desk.clock.now_floor_s()
        begin, end = asked.from_floor_s or now - DAY_S, asked.to_floor_s or now
        return console.page(
            request, "recall.html", person, stations=[row["station"] for row in rows], station=asked.station,
            begin=_typed(begin), end=_typed(end), after=after, **values,
        )  # fmt: skip

    async def as_csv(request: Request) -> Response:
        person = await console.person(request)
        _allow(console, person)
        asked = _asked(request)
        if not asked.is_whole():
            raise HTTPException(400)
        say = say_in(console.pages.language_of(request))
        first = await console.ask(person, "trace", **asked.args(), rows=CSV_ROWS)
        name = "recall.csv"  # the station's name may hold anything
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(_pieces(console, person, asked, first, say), media_type="text/csv", headers=headers)

    return [Route("/quality/recall", page), Route("/quality/recall.csv", as_csv)]


def _allow(console: Console, person: Person) -> None:
    if not console.may(person, "trace"):
        raise HTTPException(403)


async def _pieces(
    console: Console, person: Person, asked: Asked, first: Mapping[str, Any], say: Say
) -> AsyncIterator[bytes]:
    """Give the sheet piece by piece; its last line says that it is whole, or that reading broke off."""
    title = f"{say('recall.title')}: {asked.station} {floor_text(asked.from_floor_s)} – {floor_text(asked.to_floor_s)}"
    heads = [say(f"recall.{name}") for name in (*FIELDS, *JOB_FIELDS)]
    yield sheet([(title, heads, _cells(first, say))])
    told, ended = first, "recall.ended"
    for _ in range(CSV_PAGES_MAX):
        if not told["after"]:
            break
        try:
            told = await console.ask(person, "trace", **asked.args(), rows=CSV_ROWS, after=told["after"])
        except VerbRefused:
            ended = "recall.broke_off"
            break
        yield lines_of(_cells(told, say))
    if ended == "recall.ended" and told["after"]:
        ended = "recall.broke_off"
    yield lines_of([[say(ended)]])


def _cells(told: Mapping[str, Any], say: Say) -> list[list[Any]]:
    """Give rows for a spreadsheet: numbers that are names are texts there."""
    return [
        [
            floor_text(row["job"]["started_floor_s"]),
            str(row["job_id"]),
            f"{row['sheet_id']} / {row['position'] + 1}" if row["sheet_id"] else "",
            str(row["card"]),
            row["acceptance_number"],
            row["batch_number"],
            str(row["blank"] or ""),
            row["body_lot"],
            row["state"],
            row["unit"],
            str(row["bundle_id"] or ""),
            say("recall.yes") if row["here"] else say("recall.no"),
            row["job"]["operator"],
            ", ".join(row["job"]["lots"]),
        ]
        for row in _rows(told)
    ]


def _rows(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the cards by column, each with its load."""
    jobs = {job["job_id"]: job for job in told["jobs"]}
    rows = [dict(zip(told["columns"], row, strict=True)) for row in told["cards"]]
    return [{**row, "job": jobs[row["job_id"]]} for row in rows]


def _shown(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"rows": _rows(told), "jobs": len(told["jobs"]), "after": told["after"], "is_complete": told["complete"]}


def _asked(request: Request) -> Asked:
    query = request.query_params
    return Asked(query.get("station", "")[:64], _time(query.get("from", "")), _time(query.get("to", "")))


def _time(text: str) -> float:
    """Give floor seconds of a floor time like 2026-03-02T08:00; 0: it is none."""
    try:
        return max(0.0, datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def _typed(at_floor_s: float) -> str:
    """Give a floor time as a browser's field wants it."""
    return floor_text(at_floor_s).replace(" ", "T")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
