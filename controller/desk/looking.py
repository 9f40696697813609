"""Verbs that only look: where everything is, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

import trio

from controller.application import ACCEPTANCE_DIGITS
from controller.clock import floor_text
from controller.core.cards import State
from controller.core.peer_keys import PeerKeys
from controller.core.starving import standing as standing_of
from controller.core.starving import wants
from controller.core.state import Station
from controller.core.stock import VAULT
from controller.core.tally import Tally
from controller.core.turn import Refused
from controller.core.why.why import why
from controller.desk import andon
from controller.desk.desk import Args, Desk, Verb, text
from controller.desk.quality import standing
from controller.desk.report import report
from controller.desk.rights import glass_rows
from controller.trace.past import why_past, with_imposition
from controller.trace.station import lost_at
from devices.defects import Step
from devices.messages import SINGLE, StationState
from devices.peers import fingerprint

PAGE = 1_000
RANGES_MAX = 200  # of the vault, and of one magazine


async def _status(desk: Desk, user: str, args: Args) -> Any:
    state, tally, now = desk.state, desk.tally, desk.clock.now_floor_s()
    return {
        "floor_s": now,
        "floor_time": floor_text(now),
        "scale": desk.clock.scale,
        "simulated": desk.simulated,
        "run": state.run,
        "reconciling": state.reconciling,
        "disk": desk.disk.line() if desk.disk else {},
        "altered": state.altered,
        "insecure": desk.insecure,
        "keys": _keys(state.peer_keys),
        "glass": glass_rows(state, now),
        "denied": tally.denied,
        "refusals": desk.refusals.counts() if desk.refusals else {},
        "standing": standing_of(state, tally.window.sums(now)["made"]),
        "alarms": andon.counts(desk),
        "wants": [asdict(one) for one in wants(state)],
        "last_hour": last_hour(tally, now),
        "tally": counts_of(tally),
        "steps": {step.value: step_row(desk, step) for step in Step},
        "ready": sum(map(len, state.ready.values())),
        "unencoded": len(state.unencoded) + sum(map(len, state.encode_jobs.values())),
        "stopped": sum(card.state is State.STOPPED for card in desk.state.cards.values()),
        "suspects": sum(bool(sheet.suspect) for sheet in desk.state.sheets.values()),
        "stations": station_rows(desk),
        "stock": await _stock(desk, user, args),
    }


def _keys(keys: PeerKeys) -> dict[str, int | float]:
    """Give what was changed past the service, and how many approved changes the folder lacks."""
    return {"outside": keys.outside, "outside_floor_s": keys.outside_floor_s, "pending": len(keys.pending)}


def last_hour(tally: Tally, now_floor_s: float) -> dict[str, int]:
    """Give what the last floor hour brought: applications, positions worked on by step, remakes, cards made, sent.

    What was taken back in it (a bundle opened again, a remake spared) is taken off, but nothing goes below 0.
    """
    sums = tally.window.sums(now_floor_s)
    return {name: max(0, sums[name]) for name in ("received", *Step, "remade", "made", "dispatched")}


def counts_of(tally: Tally) -> dict[str, int]:
    """Give the counts of law 4 and how far the floor is."""
    return {
        "received": tally.received,
        "refused": tally.refused,
        "accepted": tally.accepted,
        "held": len(tally.held),
        "cancelled": tally.cancelled,
        "refused_late": tally.refused_late,
        "made": tally.made,
        "dispatched": tally.dispatched,
        "open": tally.open(),
        "remade": tally.remade,
        "encoded": tally.encoded,
        "sheets": tally.sheets,
        "batches": tally.batches,
        "batches_closed": tally.batches_closed,
    }


def step_row(desk: Desk, step: Step) -> dict[str, int]:
    """Give what waits before a step and is worked on in it, sheets (pack: piles and cards), and what it has worked."""
    jobs = [job for job in desk.state.jobs.values() if job.step is step]
    return {
        "waiting": len(desk.state.piles) if step is Step.PACK else len(desk.state.waiting[step]),
        "working": sum(len(job.sheets) or bool(job.cards) for job in jobs),
        "worked": desk.tally.worked[step],
    }


async def _stations(desk: Desk, user: str, args: Args) -> Any:
    return station_rows(desk)


def station_rows(desk: Desk) -> list[dict[str, Any]]:
    """Give every station with its state, its age in floor seconds (of its load, if it has one), and why it stands."""
    return [_station_row(desk, one) for _, one in sorted(desk.state.stations.items())]


def _station_row(desk: Desk, one: Station) -> dict[str, Any]:
    tally, job = desk.tally.stations.get(one.station), desk.state.jobs.get(one.job_id)
    state, since_floor_s = one.state, one.since_floor_s
    if one.job_id and state == StationState.IDLE:
        state, since_floor_s = StationState.EXECUTE, job.started_floor_s if job else since_floor_s
    return {
        "station": one.station,
        "step": one.step.value,
        "state": str(state),
        "since_floor_s": since_floor_s,
        "age_s": max(0.0, desk.clock.now_floor_s() - since_floor_s),
        "job_id": one.job_id,
        "worked": tally.worked if tally else 0,
        **standing(desk.state, one),
    }


async def _stock(desk: Desk, user: str, args: Args) -> Any:
    return _accounts(desk)


def _accounts(desk: Desk) -> dict[str, Any]:
    stock = desk.state.stock
    return {
        "accounts": {account.value: blanks for account, blanks in stock.blanks.items()},
        "vault": [[one.first, one.sheets] for one in stock.vault],
        "magazines": {station: stock.in_magazine(station) for station in sorted(stock.magazines)},
        "singles": {
            "received": sum(lot.sheets for lot in stock.lots if lot.places == SINGLE),
            "vault": [[one.first, one.sheets] for one in stock.vault if one.places == SINGLE],
            "magazines": {station: stock.in_magazine(station, SINGLE) for station in sorted(stock.magazines)},
        },
    }


async def _stock_and_ranges(desk: Desk, user: str, args: Args) -> Any:
    return stock_books(desk)


def stock_books(desk: Desk) -> dict[str, Any]:
    """Give what every account has, and which serials lie where."""
    stock = desk.state.stock
    return _accounts(desk) | {
        "received": stock.received,
        "balanced": stock.balanced(),
        "ranges": [
            {"place": place, "first_body": one.first, "sheets": one.sheets, "places": one.places}
            for place, ranges in ((VAULT, stock.vault), *sorted(stock.magazines.items()))
            for one in islice(sorted(ranges, key=lambda one: one.first), RANGES_MAX)
        ],
    }


async def _stopped(desk: Desk, user: str, args: Args) -> Any:
    rows = await trio.to_thread.run_sync(_waiting, desk, State.STOPPED)
    return [row | {"code": (row["codes"] or [""])[0]} for row in rows]


def _waiting(desk: Desk, state: State) -> list[dict[str, Any]]:
    numbers: dict[int, str] = {}
    found = []
    for row in desk.ledger.reader.waiting(state.value, limit=PAGE):
        batch_id, index = divmod(row.card_id, 10_000)
        if batch_id not in numbers:
            batch = desk.ledger.reader.batch(batch_id)
            numbers[batch_id] = batch.batch_number if batch else ""
        found.append(
            {
                "card": row.card_id,
                "acceptance_number": row.acceptance_number,
                "batch_number": numbers[batch_id],
                "index": index,
                "codes": row.codes,
                "fields": row.fields,
            }
        )
    return found


async def _suspects(desk: Desk, user: str, args: Args) -> Any:
    sheets = [one for one in desk.state.sheets.values() if one.suspect]
    wanted = {one.sheet_id for one in sheets}
    lost = await trio.to_thread.run_sync(lost_at, desk.ledger.reading, wanted) if wanted else {}
    unbound = Counter(lost.get(one.sheet_id, "") for one in sheets if not one.body)
    return [
        {
            "sheet_id": one.sheet_id,
            "mask": one.suspect,
            "step": one.step.value,
            "body": one.body,
            "station": lost.get(one.sheet_id, ""),
            "bodies": [] if one.body else _next_bodies(desk, lost.get(one.sheet_id, ""), unbound),
        }
        for one in sheets
    ]


def _next_bodies(desk: Desk, station: str, unbound: Counter[str]) -> list[int]:
    """Give the bodies a press could have drawn for its lost films: as many as it has lost, the next of its magazine."""
    magazine = desk.state.stock.magazines.get(station, ())
    bodies = (body for one in magazine for body in range(one.first, one.first + one.sheets))
    return list(islice(bodies, unbound[station]))


async def _acts(desk: Desk, user: str, args: Args) -> Any:
    return act_rows(desk)


def act_rows(desk: Desk) -> list[dict[str, Any]]:
    """Give the acts that wait for a second person."""
    now = desk.clock.now_floor_s()
    return [
        {
            "act_id": act.act_id,
            "verb": act.verb,
            "args": _with_fingerprint(act.args),
            "by": act.by,
            "left_s": max(0.0, act.until_floor_s - now),
        }
        for act in desk.state.acts.values()
    ]


def _with_fingerprint(args: Mapping[str, int | str]) -> dict[str, int | str]:
    """Give an act's arguments, with what people compare of a key."""
    return {**args, **({"fingerprint": fingerprint(str(args["public"]))} if "public" in args else {})}


async def _why(desk: Desk, user: str, args: Args) -> Any:
    thing, stopped_for = text(args, "thing", 64), ""
    if len(thing) == ACCEPTANCE_DIGITS and thing.isascii() and thing.isdigit():
        rows = await trio.to_thread.run_sync(desk.ledger.reader.cards_of, thing)
        thing = f"card {rows[0].card_id}" if rows else thing
    noun, _, digits = thing.partition(" ")
    card = desk.state.cards.get(int(digits)) if noun == "card" and digits.isascii() and digits.isdigit() else None
    if card is not None and card.state is State.STOPPED:
        row = await trio.to_thread.run_sync(desk.ledger.reader.card, card.card)
        stopped_for = row.stopped_for if row else ""
    now = desk.clock.now_floor_s()
    reason = why(desk.state, desk.core, now, thing, stopped_for)
    if isinstance(reason, Refused):  # it may be over: the ledger knows
        over = await trio.to_thread.run_sync(why_past, desk.ledger.reading, thing, now)
        return asdict(over) if over else reason
    if reason.facts.get("sheet_id"):
        reason = await trio.to_thread.run_sync(with_imposition, desk.ledger.reading, reason, now)
    return asdict(reason)


VERBS: dict[str, Verb] = {
    "status": _status,
    "stations": _stations,
    "stock": _stock_and_ranges,
    "stopped": _stopped,
    "suspects": _suspects,
    "acts": _acts,
    "report": report,
    "why": _why,
}
