"""How the moves of quality change the state tables; `projection` calls these with itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import quality_moves as q
from controller.core.cards import Cause
from controller.ledger.columns import list_text, numbers_in
from controller.ledger.open_rows import OpenRows
from controller.ledger.receipts import Stamp
from devices.messages import position_of


def _quarantined(rows: OpenRows, stamp: Stamp, move: q.CardsQuarantined) -> None:
    sheet = rows.sheets.get(move.sheet_id)  # its cards are those of its positions still, suspect ones among them
    for position, number in enumerate(move.cards):
        if number:
            sheet.live |= 1 << position
    rows.bring(stamp, rows.cards.get_all([number for number in move.cards if number]), Cause.QUARANTINE)
    rows.changed_sheet(stamp, sheet)


def _opened(rows: OpenRows, stamp: Stamp, move: q.BundleOpened) -> None:
    bundle = rows.bundles.get(move.bundle_id)
    cards = rows.cards.get_all(numbers_in(bundle.cards))
    for card in cards:
        card.bundle_id = 0
    rows.bring(stamp, cards, Cause.OPEN)
    bundle.cards = list_text([])
    rows.bundles.changed(bundle)
    rows.over.append((rows.bundles, [move.bundle_id]))


def _set_good(rows: OpenRows, stamp: Stamp, move: q.CardSetGood) -> None:
    card = rows.cards.get(move.card)
    card.generation -= 1
    card.blank, card.sheet_id, card.position = move.blank, move.sheet_id, position_of(move.blank)
    rows.bring(stamp, [card], Cause.SET_GOOD)


QUALITY_ROWS: dict[type, Callable[[OpenRows, Stamp, Any], None]] = {
    q.CardsQuarantined: _quarantined,
    q.BundleOpened: _opened,
    q.CardSetGood: _set_good,
}
