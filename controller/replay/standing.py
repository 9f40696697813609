"""How the floor stands after a replay, in numbers: cards by state, batches, stations, blanks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from controller.core.state import FloorState

BATCHES_MAX = 100  # of the open ones, the oldest first


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch with a card that is not at its end."""

    batch_id: int
    batch_number: str
    received_floor_s: float
    due_floor_s: float
    cards: dict[str, int]  # by state


@dataclass(frozen=True, slots=True)
class StandingStation:
    """A station as the foreman knows it."""

    station: str
    step: str
    state: str
    reason: str
    job_id: int
    held_for: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The floor at one moment."""

    run: int
    cards: dict[str, int]  # open ones, by state
    batches_open: int
    batches: list[OpenBatch]
    stations: list[StandingStation]
    jobs: int
    sheets: int
    acts: int  # that wait for a second person
    accounts: dict[str, int]  # of blanks
    balanced: bool


def standing_of(state: FloorState) -> Standing:
    """Give how a floor stands."""
    cards = Counter(card.state.value for card in state.cards.values())
    oldest = sorted(state.batches.values(), key=lambda one: (one.received_floor_s, one.batch_id))[:BATCHES_MAX]
    return Standing(
        run=state.run,
        cards=dict(sorted(cards.items())),
        batches_open=len(state.batches),
        batches=[
            OpenBatch(
                one.batch_id,
                one.batch_number,
                one.received_floor_s,
                one.due_floor_s,
                {kind.value: count for kind, count in sorted(one.states.items()) if count},
            )
            for one in oldest
        ],
        stations=[
            StandingStation(
                name,
                one.step.value,
                one.state,
                one.reason,
                one.job_id,
                state.station_holds[name].code if name in state.station_holds else "",
            )
            for name, one in sorted(state.stations.items())
        ],
        jobs=len(state.jobs),
        sheets=len(state.sheets),
        acts=len(state.acts),
        accounts={account.value: blanks for account, blanks in state.stock.blanks.items() if blanks},
        balanced=state.stock.balanced(),
    )
