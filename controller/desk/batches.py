"""Verbs that show batches: pages of them, which are late and why, and one with its cards; no personal field."""

from __future__ import annotations

from collections import Counter
from typing import Any

import trio

from controller.application import index_of
from controller.core.cards import FINAL, State
from controller.core.state import Batch
from controller.core.turn import Refused
from controller.core.why.why import WAIT_FOR, why
from controller.desk.desk import Args, BadArgument, Desk, Verb, number, text
from controller.desk.holding import BATCH_NUMBER
from controller.forecasting.record import Said, SaidLast
from controller.ledger.batch_pages import batch_of_number, batch_page, card_page, receipts_of, unacknowledged
from controller.ledger.columns import words_in
from controller.ledger.projection import CLOSED
from controller.ledger.rows import BatchRow, CardRow

BATCHES, CARDS = 200, 500  # rows of a page
SENTENCES = 5  # of late batches on a page: each is a look at all cards of its batch, 5 ms of 10,000 (measured)
ONLY = ("", "open", "late", "held", "closed")
MADE = (State.MADE, State.DISPATCHED)


async def _batches(desk: Desk, user: str, args: Args) -> Any:
    after, limit = _page_of(args, BATCHES)
    search, only = _search(args), args.get("only", "")
    if only not in ONLY:
        raise BadArgument("only", f"one of {', '.join(ONLY[1:])}; left out: all")
    held = _held_of(desk)
    if only in ("", CLOSED):
        found = await trio.to_thread.run_sync(batch_page, desk.ledger.reading, after, limit + 1, search, only)
        rows = [_of_ledger(desk, one, held) for one in found]
    else:
        rows = [_of_floor(desk, one, held) for one in _open_ones(desk, only, search, after, held)[: limit + 1]]
    more = rows[limit - 1]["batch_id"] if len(rows) > limit else 0
    del rows[limit:]
    await _tell_why(desk, rows)
    return {"rows": rows, "after": more}


async def _batch(desk: Desk, user: str, args: Args) -> Any:
    wanted, (after, limit) = text(args, "batch_number", BATCH_NUMBER), _page_of(args, CARDS)
    state = args.get("state", "")
    if state and state not in list(State):
        raise BadArgument("state", f"one of {', '.join(State)}; left out: all")
    batch = await trio.to_thread.run_sync(batch_of_number, desk.ledger.reading, wanted)
    if batch is None:
        return Refused("batch.unknown", "no batch of this number has its verdicts: see `cardmill batches`")
    counts = await trio.to_thread.run_sync(desk.ledger.reader.counts, batch.batch_id)
    receipts = await trio.to_thread.run_sync(receipts_of, desk.ledger.reading, batch.batch_id)
    lagging = await trio.to_thread.run_sync(unacknowledged, desk.ledger.reading, batch)
    cards = await trio.to_thread.run_sync(card_page, desk.ledger.reading, batch.batch_id, after, limit + 1, state)
    row = _of_ledger(desk, batch, _held_of(desk))
    await _tell_why(desk, [row])
    shown = [_card(desk, one) for one in cards[:limit]]
    more = cards[limit - 1].card_id if len(cards) > limit else 0
    told = {"outcomes": counts, "receipts": receipts, "unacknowledged": lagging, "codes": words_in(batch.codes)}
    return row | told | {"cards": shown, "after": more}


def _page_of(args: Args, most: int) -> tuple[int, int]:
    after, limit = number(args, "after") if "after" in args else 0, number(args, "limit") if "limit" in args else most
    if not 1 <= limit <= most:
        raise BadArgument("limit", f"1 to {most}")
    return after, limit


def _search(args: Args) -> str:
    search = args.get("search", "")
    is_text = isinstance(search, str) and len(search) <= BATCH_NUMBER and search.isascii()
    if not is_text or not (search.isdigit() or not search):
        raise BadArgument("search", "digits that a batch's number begins with")
    return str(search)


# ---- rows -----------------------------------------------------------------------------------------------------


def _held_of(desk: Desk) -> Counter[int]:
    """Give how many cards of each batch are held by themselves."""
    state = desk.state
    return Counter(state.cards[card].batch_id for card in state.card_holds)


def _open_ones(desk: Desk, only: str, search: str, before: int, held: Counter[int]) -> list[Batch]:
    """Give the open batches that are asked for, newest first."""
    state, now = desk.state, desk.clock.now_floor_s()
    holding = held.keys() | state.batch_holds.keys()
    return [
        state.batches[one]
        for one in sorted(state.batches, reverse=True)
        if (not before or one < before)
        and state.batches[one].batch_number.startswith(search)
        and (only != "late" or now > state.batches[one].due_floor_s)
        and (only != "held" or one in holding)
    ]


def _of_ledger(desk: Desk, row: BatchRow, held: Counter[int]) -> dict[str, Any]:
    batch = desk.state.batches.get(row.batch_id)
    if batch is not None:
        return _of_floor(desk, batch, held)
    ended = {
        State.REFUSED.value: row.refused,
        State.CANCELLED.value: row.cancelled,
        State.REFUSED_LATE.value: row.refused_late,
        State.DISPATCHED.value: row.dispatched,
    }
    until = row.closed_floor_s or row.decided_floor_s
    times = (row.received_floor_s, row.due_floor_s, row.closed_floor_s)
    named = _named(row.batch_id, row.batch_number, row.upstream, row.card_kind, row.state, times)
    counts = {name: count for name, count in ended.items() if count}
    return named | _progress(row.received, row.received, until - row.due_floor_s) | {"counts": counts, **_NO_HOLD}


def _forecast(said: Said | SaidLast | None) -> dict[str, Any]:
    """Give what was forecast of an open batch last."""
    return {
        "p50_floor_s": said.p50_floor_s if said else None,
        "p90_floor_s": said.p90_floor_s if said else None,
        "late_chance_percent": said.late_percent if said else None,
        "forecast_floor_s": said.made_floor_s if said else None,
    }


_NO_HOLD: dict[str, Any] = {
    "express": None,
    "hold": "",
    "hold_by": "",
    "cards_held": 0,
    "because": "",
    **_forecast(None),
}


def _of_floor(desk: Desk, batch: Batch, held: Counter[int]) -> dict[str, Any]:
    """Give an open batch as it is now."""
    hold = desk.state.batch_holds.get(batch.batch_id)
    own = held[batch.batch_id]
    states = {one.value: batch.states[one] for one in State if batch.states[one]}
    refused = batch.refused_rows + batch.states[State.REFUSED]
    states |= {State.REFUSED.value: refused} if refused else {}
    done = batch.refused_rows + sum(batch.states[one] for one in FINAL | {State.MADE})
    times = (batch.received_floor_s, batch.due_floor_s, 0.0)
    late_s = desk.clock.now_floor_s() - batch.due_floor_s
    worst = next((one.value for one in WAIT_FOR if batch.states[one]), "")
    return {
        **_named(batch.batch_id, batch.batch_number, batch.upstream, batch.card_kind, "open", times),
        **_progress(batch.received, done, late_s),
        "counts": states,
        "express": batch.express,
        **_forecast(desk.forecasts.said_of(batch.batch_id) if desk.forecasts else None),
        "hold": hold.code if hold else "",
        "hold_by": hold.by if hold else "",
        "cards_held": own,
        "because": "batch_held" if hold else "card_held" if own else worst,
    }


def _named(
    batch_id: int, batch_number: str, upstream: str, card_kind: str, state: str, times: tuple[float, float, float]
) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "batch_number": batch_number,
        "upstream": upstream,
        "card_kind": card_kind,
        "state": state,
        "received_floor_s": times[0],
        "due_floor_s": times[1],
        "closed_floor_s": times[2],
    }


def _progress(received: int, done: int, late_s: float) -> dict[str, Any]:
    """Give how far a batch is: `done` are made, or at their end."""
    percent = 100.0 * done / received if received else 100.0
    late = late_s > 0
    return {"received": received, "done": done, "done_percent": percent, "late": late, "late_s": max(0.0, late_s)}


async def _tell_why(desk: Desk, rows: list[dict[str, Any]]) -> None:
    """Add to the first late open ones the sentence that says why; what came later on the page is asked for by `why`."""
    told = 0
    for row in rows:
        row["sentence_en"] = row["sentence_zh"] = ""
        if told < SENTENCES and row["late"] and row["state"] == "open":
            await trio.lowlevel.checkpoint()
            reason = why(desk.state, desk.core, desk.clock.now_floor_s(), row["batch_number"])
            if not isinstance(reason, Refused):
                row["sentence_en"], row["sentence_zh"] = reason.sentence_en, reason.sentence_zh
            told += 1


def _card(desk: Desk, row: CardRow) -> dict[str, Any]:
    """Give one card of a batch: what is durable of it, and where its sheet is now."""
    codes = [row.stopped_for] if row.state == State.STOPPED.value else words_in(row.codes)
    hold = desk.state.card_holds.get(row.card_id)
    return {
        "card": row.card_id,
        "acceptance_number": row.acceptance_number,
        "index": index_of(row.card_id),
        "case": row.case_no,
        "unit": row.unit,
        "state": row.state,
        "generation": row.generation,
        "express": bool(row.express),
        "sheet_id": row.sheet_id,
        "bundle_id": row.bundle_id,
        "where": _where(desk, row),
        "codes": codes,
        "since_floor_s": row.since_floor_s,
        "hold": hold.code if hold else "",
        "hold_by": hold.by if hold else "",
    }


def _where(desk: Desk, row: CardRow) -> str:
    """Give the station a card is in, the step its sheet waits for, or the pile it lies on; empty: none of them."""
    card = desk.state.cards.get(row.card_id)
    if card is None or card.state.value != row.state:
        return ""
    if card.state is State.GOOD:
        packs = next((job.station for job in desk.state.jobs.values() if row.card_id in job.cards), "")
        return packs or f"pile {card.unit}"
    sheet = desk.state.sheets.get(card.sheet_id)
    if sheet is None or card.state not in (State.IMPOSED, State.QUARANTINED, State.SUSPECT):
        return ""
    job = desk.state.jobs.get(sheet.job_id)
    return job.station if job else f"before {sheet.step.value}"


VERBS: dict[str, Verb] = {
    "batches": _batches,
    "batch": _batch,
}
