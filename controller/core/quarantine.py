"""What follows from a drift signal: a held station, and another inspection for what it made since the last zero."""

from __future__ import annotations

from controller.core.cards import Card, State
from controller.core.quality_moves import BundleOpened, CardsQuarantined, DriftSignalled, StationHeld
from controller.core.turn import Turn
from devices.messages import POSITIONS, body_of, position_of

DRIFT = "drift"


def take_signals(turn: Turn) -> None:
    """Act on every signal of this turn, and quarantine what could not be reached before."""
    while turn.state.drift.signals:
        signal = turn.state.drift.signals[0]
        turn.record(
            DriftSignalled(
                signal.station,
                signal.code,
                signal.cards_since_zero,
                signal.first_job_id,
                signal.first_job_floor_s,
                list(signal.sheets_since_zero),
                list(signal.in_flight),
            )
        )
        if signal.deciding and signal.station not in turn.state.station_holds:
            turn.record(StationHeld(signal.station, DRIFT))
    quarantine_doubtful(turn)


def quarantine_doubtful(turn: Turn) -> None:
    """Send the doubtful cards back to inspection, as far as they can be reached now.

    A bundle with a doubtful card goes back whole: it is opened, and each of its cards is inspected again, from
    whatever tray it came.  A card that a packer has is left to it until the bundle is made or stopped, and one whose
    tray lies at an inspection station until the tray is back; a bundle made of such a card is opened at once, so none
    ever leaves.  A card that two people set good is doubtful like any other: they looked before the drift was known.
    """
    state = turn.state
    if not state.doubtful:
        return
    made = {number for number in state.doubtful if state.cards[number].state is State.MADE}
    if made:
        for bundle_id in [one for one, (_, cards) in state.bundles.items() if not made.isdisjoint(cards)]:
            turn.record(BundleOpened(bundle_id, DRIFT))
    for sheet_id, cards in _trays(turn).items():
        places = [0] * POSITIONS
        for card in cards:
            places[position_of(card.blank)] = card.card
        drifting = state.doubtful[cards[0].card]
        turn.record(CardsQuarantined(sheet_id, body_of(cards[0].blank), places, drifting))


def _trays(turn: Turn) -> dict[int, list[Card]]:
    """Give the doubtful cards that nobody has in hand, by the sheet whose tray they came from."""
    state = turn.state
    packing = {number for job in state.jobs.values() for number in job.cards}
    trays: dict[int, list[Card]] = {}
    for number in state.doubtful:
        card = state.cards[number]
        tray = state.sheets.get(card.sheet_id)
        if number not in packing and not (tray and tray.job_id):
            trays.setdefault(card.sheet_id, []).append(card)
    return trays
