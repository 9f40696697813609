"""What upstream was told of one card: its receipts, found by the times at which something happened to it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select

from controller.ledger import tables
from controller.ledger.columns import words_in
from controller.ledger.prepared import Prepared

_receipt = tables.receipt
_mine = _receipt.c.upstream == bindparam("upstream")
_LAST = Prepared(select(func.max(_receipt.c.number)).where(_mine))
_NEXT = Prepared(
    select(_receipt.c.number, _receipt.c.at_floor_s)
    .where(_mine, _receipt.c.number >= bindparam("least"))
    .order_by(_receipt.c.number)
    .limit(1)
)
_ABOUT = Prepared(
    select(_receipt.c.number, _receipt.c.kind, _receipt.c.at_floor_s, _receipt.c.case_no, _receipt.c.codes)
    .where(_mine, _receipt.c.number >= bindparam("least"), _receipt.c.number < bindparam("end"))
    .where(_receipt.c.card_id == bindparam("card"))
    .order_by(_receipt.c.number)
)


def receipts_about(engine: Engine, upstream: str, card: int, times: Iterable[float]) -> list[dict[str, Any]]:
    """Give the receipts about a card that were given at some floor times, in order.

    Along an upstream's numbers the time never falls, so each time is found by bisection: there is no index by card.
    Cost: some 1 ms for each time, and what a batch's verdicts bring at once is walked over.
    """
    found: list[dict[str, Any]] = []
    with engine.connect() as connection:
        last = _LAST.answer(connection, upstream=upstream)[0][0] or 0
        for at in sorted(set(times)):
            least = _first_at(connection, upstream, at, last)
            end = _first_at(connection, upstream, math.nextafter(at, math.inf), last)
            for row in _ABOUT.answer(connection, upstream=upstream, least=least, end=end, card=card):
                number, kind, at_floor_s, case_no, codes = row
                about = {"number": number, "kind": kind, "at_floor_s": at_floor_s}
                found.append(about | {"case_no": case_no, "codes": words_in(codes)})
    return found


def _first_at(connection: Connection, upstream: str, at_floor_s: float, last: int) -> int:
    """Give the number of the first receipt that was not before a time; one after the last when there is none."""
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        number, at = _NEXT.answer(connection, upstream=upstream, least=middle)[0]
        if at < at_floor_s:
            low = number + 1
        else:
            high = middle
    return low
