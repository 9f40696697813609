"""What operators can ask: one verb, one meaning; every answer is durable before it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
import trio

from controller.clock import FloorClock, floor_date, floor_text
from controller.core.cards import State
from controller.core.events import ActAsked, ActSeconded, AnyEvent, ArrivalReported, DecisionMade, DispatchAsked
from controller.core.moves import CardMissing
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.core.turn import Refused, Turn
from controller.core.why import why
from controller.hosts.live import Ticket
from controller.ledger.store import Ledger
from controller.report import build_report
from controller.wire import VERSION, Answer, Done, Hello, Limits, OperatorRequest, Refusal, Welcome
from devices.defects import Step

PAGE = 1_000
MAX_REASON = 200

log = structlog.get_logger()
ACCEPTANCE_DIGITS = 22


class BadArgument(Exception):
    """A command's argument is missing or of the wrong kind; `name` and `wanted` say which and what."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"{name}: {wanted}")
        self.name, self.wanted = name, wanted


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands look at and act through."""

    ledger: Ledger
    state: FloorState
    tally: Tally
    clock: FloorClock
    simulated: bool
    yearly_hours: float
    post: Callable[[AnyEvent], Ticket]
    core: CoreConfig = field(default_factory=CoreConfig)


async def answer(desk: Desk, user: str, request: OperatorRequest) -> Answer:
    """Do what an operator asks.  `user` is the name of the key, and of whoever acts."""
    if isinstance(request, Hello):
        return _welcome(desk, user, request)
    verb = VERBS.get(request.verb)
    if verb is None:
        text = f"there is no such verb; there are {', '.join(sorted(VERBS))}"
        return Refusal(request=request.request, code="command.unknown", text=text, field="verb")
    try:
        result = await verb(desk, user, request.args)
    except BadArgument as error:
        text = f"{request.verb} needs {error.name}: {error.wanted}"
        return Refusal(request=request.request, code="command.argument", text=text, field=error.name)
    if isinstance(result, Turn):
        result = result.refused or ({"act_id": result.answer} if result.answer else {})
    else:
        await desk.ledger.write(AllBefore())  # the foreman, who was looked at, may run ahead of the disk
    if isinstance(result, Refused):
        return Refusal(request=request.request, code=result.code, text=result.text)
    return Done(request=request.request, result=result)


class AllBefore:
    """A change of nothing: when it is durable, so is every turn that was taken before."""

    def apply(self, connection: object) -> None:
        """Write nothing."""


def _welcome(desk: Desk, user: str, request: Hello) -> Answer:
    now = desk.clock.now_floor_s()
    return Welcome(
        request=request.request,
        version=VERSION,
        you=user,
        limits=Limits(),
        floor_date=floor_date(now),
        floor_s=now,
        scale=desk.clock.scale,
        simulated=desk.simulated,
    )


# ---- looking --------------------------------------------------------------------------------------------------


async def _status(desk: Desk, user: str, args: Args) -> Any:
    state, tally, now = desk.state, desk.tally, desk.clock.now_floor_s()
    return {
        "floor_s": now,
        "floor_time": floor_text(now),
        "scale": desk.clock.scale,
        "simulated": desk.simulated,
        "run": state.run,
        "tally": counts_of(tally),
        "steps": {step.value: _step(desk, step) for step in Step},
        "ready": sum(map(len, state.ready.values())),
        "unencoded": len(state.unencoded) + sum(map(len, state.encode_jobs.values())),
        "stations": await _stations(desk, user, args),
        "stock": await _stock(desk, user, args),
    }


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


def _step(desk: Desk, step: Step) -> dict[str, int]:
    jobs = [job for job in desk.state.jobs.values() if job.step is step]
    return {
        "waiting": len(desk.state.piles) if step is Step.PACK else len(desk.state.waiting[step]),
        "working": sum(len(job.sheets) or bool(job.cards) for job in jobs),
        "worked": desk.tally.worked[step],
    }


async def _stations(desk: Desk, user: str, args: Args) -> Any:
    tallies = desk.tally.stations
    return [
        {
            "station": name,
            "step": one.step.value,
            "state": "execute" if one.job_id and one.state == "idle" else one.state,
            "reason": one.reason,
            "since_floor_s": one.since_floor_s,
            "job_id": one.job_id,
            "worked": tallies[name].worked if name in tallies else 0,
        }
        for name, one in sorted(desk.state.stations.items())
    ]


async def _stock(desk: Desk, user: str, args: Args) -> Any:
    stock = desk.state.stock
    return {
        "accounts": {account.value: blanks for account, blanks in stock.blanks.items()},
        "vault": [[one.first, one.sheets] for one in stock.vault],
        "magazines": {station: stock.in_magazine(station) for station in sorted(stock.magazines)},
    }


async def _review(desk: Desk, user: str, args: Args) -> Any:
    return await trio.to_thread.run_sync(_waiting, desk, State.HELD)


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
    return [
        {"sheet_id": one.sheet_id, "mask": one.suspect, "step": one.step.value, "body": one.body}
        for one in desk.state.sheets.values()
        if one.suspect
    ]


async def _piles(desk: Desk, user: str, args: Args) -> Any:
    return [
        {
            "batch_id": batch_id,
            "unit": unit,
            "stations": list(pile.stations),
            "cards": list(pile.cards),
            "missing": list(pile.missing),
            "foreign": list(pile.foreign),
        }
        for (batch_id, unit), pile in sorted(desk.state.stopped_piles.items())
    ]


async def _consignments(desk: Desk, user: str, args: Args) -> Any:
    rows = await trio.to_thread.run_sync(desk.ledger.reader.sent)
    return [asdict(row) | {"difference": row.difference()} for row in rows]


async def _acts(desk: Desk, user: str, args: Args) -> Any:
    return [
        {"act_id": act.act_id, "verb": act.verb, "args": act.args, "by": act.by} for act in desk.state.acts.values()
    ]


async def _report(desk: Desk, user: str, args: Args) -> Any:
    return await trio.to_thread.run_sync(build_report, desk.ledger.replay(), desk.yearly_hours)


async def _why(desk: Desk, user: str, args: Args) -> Any:
    thing, stopped_for = _text(args, "thing", 64), ""
    if len(thing) == ACCEPTANCE_DIGITS and thing.isascii() and thing.isdigit():
        rows = await trio.to_thread.run_sync(desk.ledger.reader.cards_of, thing)
        thing = f"card {rows[0].card_id}" if rows else thing
    noun, _, digits = thing.partition(" ")
    card = desk.state.cards.get(int(digits)) if noun == "card" and digits.isascii() and digits.isdigit() else None
    if card is not None and card.state is State.STOPPED:
        row = await trio.to_thread.run_sync(desk.ledger.reader.card, card.card)
        stopped_for = row.stopped_for if row else ""
    reason = why(desk.state, desk.core, desk.clock.now_floor_s(), thing, stopped_for)
    return reason if isinstance(reason, Refused) else asdict(reason)


# ---- deciding -------------------------------------------------------------------------------------------------


async def _decide(desk: Desk, user: str, args: Args) -> Any:
    reason = _text(args, "reason", MAX_REASON)
    event = DecisionMade(_number(args, "card"), _text(args, "decision", 32), user, reason)
    return await desk.post(event).wait()


async def _act(desk: Desk, user: str, args: Args) -> Any:
    wanted = args.get("args")
    if not isinstance(wanted, dict) or len(wanted) > 16:
        raise BadArgument("args", "the act's own arguments, by name")
    for name, value in wanted.items():
        if not isinstance(name, str) or type(value) not in (int, str) or len(str(value)) > MAX_REASON:
            raise BadArgument(f"args.{str(name)[:32]}", f"a whole number, or a text of at most {MAX_REASON} characters")
    return await desk.post(ActAsked(_text(args, "verb", 32), wanted, user)).wait()


async def _second(desk: Desk, user: str, args: Args) -> Any:
    turn = await desk.post(ActSeconded(_number(args, "act_id"), user)).wait()
    for move in turn.moves:
        if isinstance(move, CardMissing):
            log.error("blank.missing", card=move.card, blank=move.blank)
    return turn


async def _dispatch(desk: Desk, user: str, args: Args) -> Any:
    number = _text(args, "batch_number", 25)
    batch = next((one for one in desk.state.batches.values() if one.batch_number == number), None)
    if batch is None:
        await desk.ledger.write(AllBefore())
        raise BadArgument("batch_number", "the number of an open batch")
    return await desk.post(DispatchAsked(batch.batch_id, user)).wait()


async def _arrived(desk: Desk, user: str, args: Args) -> Any:
    consignment, unit, cards = _number(args, "consignment_id"), _text(args, "unit", 32), _number(args, "cards")
    rows = await trio.to_thread.run_sync(desk.ledger.reader.sent, consignment)
    row = next((one for one in rows if one.unit == unit), None)
    if row is None:
        await desk.ledger.write(AllBefore())
        raise BadArgument("unit", "a police station that a consignment of this number was for")
    turn = await desk.post(ArrivalReported(consignment, unit, row.sent, cards, user)).wait()
    difference = cards - row.sent
    counted = {"consignment_id": consignment, "unit": unit, "sent": row.sent, "arrived": cards}
    return turn if turn.refused else counted | {"difference": difference}


Args = Mapping[str, Any]


def _number(args: Args, name: str) -> int:
    value = args.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise BadArgument(name, "a whole number")
    return value


def _text(args: Args, name: str, longest: int) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise BadArgument(name, f"a text of 1 to {longest} characters")
    return value


VERBS: dict[str, Callable[[Desk, str, Args], Awaitable[Any]]] = {
    "status": _status,
    "stations": _stations,
    "stock": _stock,
    "review": _review,
    "stopped": _stopped,
    "suspects": _suspects,
    "piles": _piles,
    "consignments": _consignments,
    "acts": _acts,
    "report": _report,
    "why": _why,
    "decide": _decide,
    "act": _act,
    "second": _second,
    "dispatch": _dispatch,
    "arrived": _arrived,
}
