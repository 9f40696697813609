"""Verbs of the review desk: what waits for a person and why, and a look at one application, which is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

import trio

from controller.application import Application, batch_of, card_id, index_of
from controller.checks.codes import CODES
from controller.core.cards import State
from controller.core.events import ApplicationLooked
from controller.core.review_folds import SHARED_NUMBER
from controller.core.turn import Refused
from controller.desk.desk import MAX_REASON, Args, BadArgument, Desk, Verb, number, text
from controller.encoding import made_cards, open_application
from controller.intake.receipts import sentence_of
from controller.intake.revision import revision_of
from controller.ledger.reader import Reader, WaitingCard
from controller.vault.errors import VaultError
from encoders.envelope import EnvelopeError

PAGE = 1_000
WALK = 200  # rows of one read
MAX_CODE = 64
RIVALS = 20  # of one card, that are shown and whose names no reason may have
NAMES = tuple(name for name in Application.__struct_fields__ if name != "portrait")
UNKNOWN = Refused("trace.unknown", "no card has this number: say a card's number, or an application's 22 digits")
NOT_READ = Refused("review.unreadable", "this application cannot be read from the vault: restore it, or refuse")


async def _review(desk: Desk, user: str, args: Args) -> Any:
    if not args:
        return await trio.to_thread.run_sync(_queue, desk)
    after = number(args, "after") if "after" in args else 0
    limit = number(args, "limit") if "limit" in args else PAGE
    if not 1 <= limit <= PAGE:
        raise BadArgument("limit", f"1 to {PAGE}")
    code = text(args, "code", MAX_CODE) if "code" in args else ""
    return await trio.to_thread.run_sync(_page, desk, after, limit, code)


def _queue(desk: Desk) -> list[dict[str, Any]]:
    """Give the held cards, and those that stopped because two people share their number."""
    waiting = desk.ledger.reader.waiting(State.HELD.value, limit=PAGE)
    waiting += [row for row in desk.ledger.reader.waiting(State.STOPPED.value, limit=PAGE) if _is_contested(row)]
    return _rows(desk, waiting)


def _page(desk: Desk, after: int, limit: int, code: str) -> list[dict[str, Any]]:
    """Give the same by pages, in order of their numbers, of one code when it is named."""
    held = _walk(desk.ledger.reader, State.HELD, after)
    contested = filter(_is_contested, _walk(desk.ledger.reader, State.STOPPED, after))
    both = merge(held, contested, key=lambda row: row.card_id)
    fitting = (row for row in both if not code or code in desk.state.holds.get(row.card_id, row.codes))
    return _rows(desk, list(islice(fitting, limit)))


def _walk(reader: Reader, state: State, after: int) -> Iterator[WaitingCard]:
    """Give all cards that wait in a state, page by page, so that no read is long."""
    while page := reader.waiting(state.value, after, WALK):
        yield from page
        after = page[-1].card_id


def _is_contested(row: WaitingCard) -> bool:
    return row.codes == [SHARED_NUMBER]


def _rows(desk: Desk, waiting: Sequence[WaitingCard]) -> list[dict[str, Any]]:
    """Give what the desk shows of cards that wait: no personal field."""
    reader, now = desk.ledger.reader, desk.clock.now_floor_s()
    proposals = {act.args.get("card"): act for act in list(desk.state.acts.values()) if act.verb == "override"}
    batches = {batch_of(row.card_id): reader.batch(batch_of(row.card_id)) for row in waiting}
    found = []
    for row in waiting:
        batch, proposal = batches[batch_of(row.card_id)], proposals.get(row.card_id)
        codes = desk.state.holds.get(row.card_id, row.codes)  # with what came to be known since it was held
        found.append(
            {
                "card": row.card_id,
                "acceptance_number": row.acceptance_number,
                "batch_number": batch.batch_number if batch else "",
                "index": index_of(row.card_id),
                "codes": list(codes),
                "fields": [*row.fields, *(_field_of(code) for code in codes[len(row.fields) :])],
                "state": row.state,
                "upstream": batch.upstream if batch else "",
                "unit": row.unit,
                "revision": revision_of(batch.batch_number) if batch else 0,
                "since_floor_s": row.since_floor_s,
                "age_s": max(0.0, now - row.since_floor_s),
                "people": 2 if SHARED_NUMBER in codes else 1,
                "act_id": proposal.act_id if proposal else 0,
                "proposed_by": proposal.by if proposal else "",
                "texts": [sentence_of(code) for code in codes],
            }
        )
    return found


def _field_of(code: str) -> str:
    """Give the field that a code speaks of; of one that no check found, none."""
    return CODES[code].field if code in CODES else ""


async def _look(desk: Desk, user: str, args: Args) -> Any:
    card, reason = number(args, "card"), text(args, "reason", MAX_REASON)
    wanted = _wanted_fields(args)
    row = await trio.to_thread.run_sync(_one, desk, card)
    if not row:
        return UNKNOWN
    fields = wanted or list(dict.fromkeys(name for name in row["fields"] if name))
    if args.get("portrait") is True and "portrait" not in fields:
        fields.append("portrait")
    turn = await desk.post(ApplicationLooked(card, fields, user, reason)).wait()
    if turn.refused:
        return turn.refused
    application = await trio.to_thread.run_sync(_open, desk, card)
    if isinstance(application, Refused):
        return application
    shown = {name: getattr(application, name) for name in fields if name != "portrait"}
    portrait = application.portrait if "portrait" in fields else b""
    rivals = await trio.to_thread.run_sync(rivals_of, desk, card)
    chip = await trio.to_thread.run_sync(_chip, desk, card) if portrait and args.get("chip") is True else None
    told = {} if chip is None else {"chip": chip}
    return row | {"shown": shown, "portrait": portrait, "rivals": [rival._asdict() for rival in rivals], **told}


def _wanted_fields(args: Args) -> list[str]:
    """Give the fields a person asks for by name; none: those that are doubtful."""
    wanted = args.get("fields", [])
    known = (*NAMES, "portrait")
    if not isinstance(wanted, list) or any(name not in known for name in wanted):
        raise BadArgument("fields", f"a list of {', '.join(known)}; left out: what is doubtful")
    return list(dict.fromkeys(wanted))


def _one(desk: Desk, card: int) -> dict[str, Any]:
    """Give what the queue would show of a card, whatever its state: also what was made is looked at, when it is bad."""
    row = desk.ledger.reader.card_as_waiting(card)
    return _rows(desk, [row])[0] if row else {}


def _chip(desk: Desk, card: int) -> bytes:
    """Give the portrait as the chip has it or will have it, empty as long as nothing is encoded; for worker threads."""
    assert desk.vault is not None, "the service gives every desk its vault"
    try:
        return made_cards(desk.vault, [card])[0].portrait
    except (VaultError, EnvelopeError):
        return b""


def _open(desk: Desk, card: int) -> Application | Refused:
    assert desk.vault is not None, "the service gives every desk its vault"
    try:
        return open_application(desk.vault.application(batch_of(card), index_of(card)))
    except (VaultError, EnvelopeError):
        return NOT_READ


class Rival(NamedTuple):
    """Another application with the identity number of one."""

    card: int
    acceptance_number: str
    standing: str
    same_person: bool


def rivals_of(desk: Desk, card: int) -> list[Rival]:
    """Give other applications with a card's identity number that are open or made, at most 20; for worker threads."""
    reader = desk.ledger.reader
    mine = reader.row(batch_of(card), index_of(card))
    if mine is None or not mine.identity:  # purged: then nobody has its number
        return []
    others = [one for one in reader.known_people([mine.identity]) if card_id(one.batch_id, one.index) != card]
    found = []
    for other in others[:RIVALS]:
        row = reader.row(other.batch_id, other.index)
        if row is not None:
            number_of_card = card_id(other.batch_id, other.index)
            found.append(Rival(number_of_card, row.acceptance_number, other.standing, other.person == mine.person))
    return found


VERBS: dict[str, Verb] = {
    "review": _review,
    "look": _look,
}
