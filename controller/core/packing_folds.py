"""How the moves of packing and sending change the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import moves as m
from controller.core.cards import Cause
from controller.core.change import change
from controller.core.errors import UnknownThing
from controller.core.quality_folds import make_again
from controller.core.state import FloorState, Pile, StoppedPile
from controller.core.stock import Account


def _bundle(state: FloorState, at: float, move: m.BundleMade) -> None:
    state.used_id("bundle", move.bundle_id)
    batch = state.batch(move.batch_id)
    change(state, state.cards_of(move.cards), Cause.BUNDLE, at)
    state.stock.enter(Account.GOOD, Account.BUNDLE, len(move.cards))
    state.bundles[move.bundle_id] = (move.batch_id, list(move.cards))
    batch.bundles.append(move.bundle_id)


def _bundle_stopped(state: FloorState, at: float, move: m.BundleStopped) -> None:
    cards = state.cards_of(move.cards)
    if move.waits:
        stopped = _stop_pile(state, (cards[0].batch_id, cards[0].unit), at)
        stopped.stations.append(move.station)
        stopped.missing += move.missing_cards
        stopped.foreign += move.foreign_blanks
    state.put_on_piles(cards)


def _repacked(state: FloorState, at: float, move: m.PileRepacked) -> None:
    _release_pile(state, (move.batch_id, move.unit))


def _missing(state: FloorState, at: float, move: m.CardMissing) -> None:
    card = state.card(move.card)
    after = card.after(Cause.MISSING)
    state.take_from_piles([card])  # before its next generation: law 1 wants the blank accounted for first
    state.stock.enter(Account.GOOD, Account.MISSING, 1)
    state.stock.miss(move.blank, at)
    make_again(state, card, at)
    state.set_card(card, after, at)


def _sent(state: FloorState, at: float, move: m.ConsignmentSent) -> None:
    state.used_id("consignment", move.consignment_id)
    batch = state.batch(move.batch_id)
    for bundle_id in move.bundles:
        _, cards = state.bundles.pop(bundle_id)
        batch.bundles.remove(bundle_id)
        change(state, state.cards_of(cards), Cause.SEND, at)
        state.stock.enter(Account.BUNDLE, Account.DISPATCHED, len(cards))


def _arrived(state: FloorState, at: float, move: m.ArrivalCounted) -> None:
    state.used_id("arrival", move.arrival_id)


def _stop_pile(state: FloorState, pile: Pile, at_floor_s: float) -> StoppedPile:
    """Keep a pile from the packers, all that lies on it and all that will join it."""
    if pile not in state.stopped_piles:
        cards = state.piles.pop(pile, [])
        state.stopped_piles[pile] = StoppedPile(cards=cards, since_floor_s=at_floor_s)
        state.ripen(pile)
    return state.stopped_piles[pile]


def _release_pile(state: FloorState, pile: Pile) -> None:
    """Let a stopped pile be packed again.  Raises: UnknownThing."""
    if pile not in state.stopped_piles:
        raise UnknownThing(f"no stopped pile of batch {pile[0]} for {pile[1]}")
    cards = [one for one in state.stopped_piles.pop(pile).cards if not state.is_held(state.cards[one])]
    if cards:
        state.piles[pile] = cards
        state.ripen(pile)


PACKING_FOLDS: dict[type, Callable[[FloorState, float, Any], None]] = {
    m.BundleMade: _bundle,
    m.BundleStopped: _bundle_stopped,
    m.PileRepacked: _repacked,
    m.CardMissing: _missing,
    m.ConsignmentSent: _sent,
    m.ArrivalCounted: _arrived,
}
