"""The state of the floor: a fold of moves, and nothing but `apply` changes it (law 7)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

import msgspec

from controller.core.cards import FINAL, IN_MAKING, Card, Runs, State, batches_of, runs_of
from controller.core.drift import DriftWatch
from controller.core.errors import UnknownThing
from controller.core.holds import CardHold, Drifted, Hold
from controller.core.moves import ActProposed
from controller.core.peer_keys import PeerKeys
from controller.core.queue import enter, take
from controller.core.stock import Stock
from controller.core.taken import AlarmOwner, Glass
from devices.defects import Step
from devices.messages import POSITIONS, StationState

# asked for each card of each move: as a class's attribute, a member of an enum costs ten times as much (measured)
_HELD, _ACCEPTED, _READY, _GOOD, _MADE = State.HELD, State.ACCEPTED, State.READY, State.GOOD, State.MADE
_STOPPED, _IMPOSED = State.STOPPED, State.IMPOSED

MOVING = IN_MAKING | {State.GOOD}  # comes to a bundle if nobody does anything, unless a person holds it

_BATCH = attrgetter("batch_id")

SILENT = "silent"  # the controller's own word for the state of a station it does not hear

Rank = tuple[int, int, float, int, str, int]
NOT_URGENT: Rank = (1, 1, float("-inf"), 0, "", 0)  # less than this are remakes and express
Pile = tuple[int, str]  # batch and police station: what is packed together
RIPE_CARDS = 100  # a pile of so many may fill a bundle, whatever can join it yet


@dataclass(slots=True)
class Batch:
    """A batch whose verdicts are out.  `states` counts its cards by state; refused rows have no card."""

    batch_id: int
    batch_number: str
    upstream: str
    card_kind: str
    received_floor_s: float
    due_floor_s: float
    received: int
    refused_rows: int
    states: Counter[State] = field(default_factory=Counter)
    cards: list[int] = field(default_factory=list)
    bundles: list[int] = field(default_factory=list)  # made and not yet sent
    express: int = 0  # cards that go before the others
    held: int = 0  # cards of `MOVING` states with a hold of their own

    def has_open(self) -> bool:
        """Say whether a card of this batch is not at its end."""
        return any(count and state not in FINAL for state, count in self.states.items())

    def in_making(self) -> int:
        """Give the cards that will come off the floor if nobody does anything, the good ones too."""
        return sum(self.states[state] for state in MOVING) - self.held


class Sheet(msgspec.Struct, array_like=True, gc=False):
    """Eight positions that travel together.  `live` marks those that still carry a card that can become good."""

    sheet_id: int
    kind: str
    cards: list[int]
    rank: Rank
    step: Step  # the next one, or the one it is in
    live: int
    suspect: int = 0
    body: int = 0
    job_id: int = 0  # 0: it waits
    waiting_floor_s: float = 0.0
    quarantined: bool = False  # a tray that is inspected again: its blanks lie in that account
    places: int = POSITIONS  # 1: it is for a single body, and has position 0 alone
    suspect_with: str = ""  # who worked at the station that lost it

    def place(self) -> tuple[Rank, int]:
        """Give its place in a queue: remakes and express by rank, then as they were imposed."""
        return (self.rank if self.rank < NOT_URGENT else NOT_URGENT, self.sheet_id)

    def all_places(self) -> int:
        """Give the mask of the positions a body under this sheet has."""
        return (1 << self.places) - 1


@dataclass(slots=True)
class Station:
    """One machine, as it last said of itself."""

    station: str
    step: Step
    load_max: int
    model: str
    state: str = StationState.STOPPED
    reason: str = ""
    since_floor_s: float = 0.0
    job_id: int = 0
    kind: str = ""  # the card kind it worked on last: another one costs a setup
    load_s: float = 0.0  # floor seconds of its loads, smoothed; 0 before the first ended
    operator: str = ""  # who signed on
    operator_until_floor_s: float = 0.0  # end of that person's certificate for this post; 0: none


class Job(msgspec.Struct, array_like=True, gc=False):
    """A load that a station has, or may have."""

    job_id: int
    station: str
    step: Step
    sheets: list[int]
    started_floor_s: float
    bundle_id: int = 0
    cards: list[int] = []  # msgspec copies empty defaults
    because: str = ""
    beaten: list[str] = []


@dataclass(slots=True)
class StoppedPile:
    """Good cards that no packer gets before two people said so, and what the scans that stopped them found."""

    stations: list[str] = field(default_factory=list)
    cards: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)  # cards expected and not scanned
    foreign: list[int] = field(default_factory=list)  # serials scanned and not expected
    since_floor_s: float = 0.0


@dataclass(slots=True)
class FloorState:
    """All that the foreman knows.  Two folds of the same moves are equal, field by field."""

    run: int = 0
    batches: dict[int, Batch] = field(default_factory=dict)
    cards: dict[int, Card] = field(default_factory=dict)
    holds: dict[int, list[str]] = field(default_factory=dict)  # held card -> the codes it is held for
    card_holds: dict[int, CardHold] = field(default_factory=dict)  # by people
    batch_holds: dict[int, CardHold] = field(default_factory=dict)
    unencoded: list[Rank] = field(default_factory=list)  # here, in `ready` and in `piles` is nothing that is held
    encode_jobs: dict[int, list[int]] = field(default_factory=dict)
    ready: dict[str, list[Rank]] = field(default_factory=dict)  # card kind -> ranks, in order
    piles: dict[Pile, list[int]] = field(default_factory=dict)  # good cards that wait to be packed
    stopped_piles: dict[Pile, StoppedPile] = field(default_factory=dict)  # good cards that wait for two people
    making: Counter[Pile] = field(default_factory=Counter)  # cards that may yet join a pile
    ripe: set[Pile] = field(default_factory=set)  # of `piles`: those no card can join, and those of `ripe_cards`
    ripe_cards: int = RIPE_CARDS  # or what the smallest packer takes at once
    sheets: dict[int, Sheet] = field(default_factory=dict)
    # by step: the places of sheets and the sheets, in order
    waiting: dict[Step, list[tuple[Rank, int]]] = field(default_factory=lambda: {step: [] for step in Step})
    bundles: dict[int, tuple[int, list[int]]] = field(default_factory=dict)  # bundle -> batch, cards; until sent
    stations: dict[str, Station] = field(default_factory=dict)
    sign_on_ends: dict[str, float] = field(default_factory=dict)  # station -> end of its operator's certificate
    jobs: dict[int, Job] = field(default_factory=dict)
    station_holds: dict[str, Hold] = field(default_factory=dict)
    station_warnings: dict[str, dict[str, float]] = field(default_factory=dict)  # station -> defect code -> when last
    drifted: dict[str, Drifted] = field(default_factory=dict)  # stations that drifted and were not released since
    doubtful: dict[int, str] = field(default_factory=dict)  # good card or made one to be quarantined -> who drifts
    drift: DriftWatch = field(default_factory=DriftWatch)
    stock: Stock = field(default_factory=Stock)
    acts: dict[int, ActProposed] = field(default_factory=dict)
    purges: dict[int, float] = field(default_factory=dict)  # approved, not ended -> of batches closed before
    altered: list[int] = field(default_factory=list)  # batches that purges left, because their rows were changed
    folded_day: str = ""  # the last one with a daily head, YYYYMMDD
    restored_step: int = 0  # of the last restore out of a backup, 0 for none
    contested: dict[int, int] = field(default_factory=dict)  # stopped card that two people must resume -> its rival
    glass: dict[str, dict[str, Glass]] = field(default_factory=dict)  # person -> role taken in an emergency -> how
    alarm_owners: dict[str, AlarmOwner] = field(default_factory=dict)  # key of an alarm that was acknowledged
    peer_keys: PeerKeys = field(default_factory=PeerKeys)
    reconciling: bool = False  # restored, and two people did not yet compare the floor with the ledger
    last_id: Counter[str] = field(default_factory=Counter)  # job, sheet, bundle, consignment, issue, act, count …

    def batch(self, batch_id: int) -> Batch:
        """Give a batch that is on the floor.  Raises: UnknownThing."""
        try:
            return self.batches[batch_id]
        except KeyError:
            raise UnknownThing(f"batch {batch_id}") from None

    def card(self, card: int) -> Card:
        """Give a card that is on the floor.  Raises: UnknownThing."""
        try:
            return self.cards[card]
        except KeyError:
            raise UnknownThing(f"card {card}") from None

    def sheet(self, sheet_id: int) -> Sheet:
        """Give a sheet that is on the floor.  Raises: UnknownThing."""
        try:
            return self.sheets[sheet_id]
        except KeyError:
            raise UnknownThing(f"sheet {sheet_id}") from None

    def next_id(self, noun: str) -> int:
        """Give the number the next job, sheet, bundle, consignment, issue or act will have."""
        return self.last_id[noun] + 1

    def used_id(self, noun: str, number: int) -> None:
        """Remember that a number is taken."""
        if number > self.last_id[noun]:
            self.last_id[noun] = number

    # ---- how cards change: the counts and queues that follow -----------------------------------------------

    def cards_of(self, numbers: Iterable[int]) -> list[Card]:
        """Give cards that are on the floor; 0 stands for none.  Raises: UnknownThing."""
        cards = self.cards
        try:
            return [cards[number] for number in numbers if number]
        except KeyError as error:
            raise UnknownThing(f"card {error.args[0]}") from None

    def set_card(self, card: Card, state: State, at_floor_s: float) -> None:
        """Bring a card to a state, with its batch's counts, its pile and its queue."""
        self.set_cards([card], state, at_floor_s)

    def set_cards(self, cards: list[Card], state: State, at_floor_s: float) -> None:
        """Bring cards that are all in one state to another: as one after the other, at a fraction of the cost."""
        before = cards[0].state
        making = (state in IN_MAKING) - (before in IN_MAKING)
        # who changes neither piles nor what may join them is counted by batch alone
        runs = runs_of(cards) if making or state is _GOOD or before is _GOOD or self.card_holds else batches_of(cards)
        if before is not _IMPOSED:
            self._leave(cards, runs, before)
        for card in cards:
            card.state = state
        self._count(runs, before, state, making)
        if self.doubtful and state is not _GOOD and state is not _MADE:
            for card in cards:
                self.doubtful.pop(card.card, None)
        if state is _ACCEPTED:
            enter(self.unencoded, [card.rank for card in self._not_held(cards)])
        elif state is _READY:
            for card in cards:
                card.ready_floor_s = at_floor_s
            for batch_id, alike in groupby(self._not_held(cards), _BATCH):
                ready = self.ready.setdefault(self.batches[batch_id].card_kind, [])
                enter(ready, [card.rank for card in alike])
        elif state is _GOOD:
            self._lay_down(runs)

    def is_held(self, card: Card) -> bool:
        """Say whether a person holds a card, or its whole batch."""
        return card.card in self.card_holds or card.batch_id in self.batch_holds

    def _not_held(self, cards: list[Card]) -> list[Card]:
        if not self.card_holds and not self.batch_holds:
            return cards
        return [card for card in cards if not self.is_held(card)]

    def _leave(self, cards: list[Card], runs: Runs, before: State) -> None:
        if before is _READY:
            self.take_ready(cards)
        elif before is _GOOD:
            self._take_from_piles(runs)
        elif before is _ACCEPTED:
            self.take_unencoded(cards)
        elif before is _HELD and self.holds:
            for card in cards:
                self.holds.pop(card.card, None)
        elif before is _STOPPED:
            for card in cards:
                self.contested.pop(card.card, None)

    def _count(self, runs: Runs, before: State, state: State, making: int) -> None:
        """Count cards that changed: by state for their batches, those with a hold, those that may yet join a pile."""
        for pile, cards in runs:
            states, count = self.batch(pile[0]).states, len(cards)
            states[before] -= count
            states[state] += count
            if self.card_holds:
                count = len(self._count_held(cards, before, state))
            if making and count:
                self._count_making(pile, making * count)

    def _count_held(self, cards: list[Card], before: State, state: State) -> list[Card]:
        """Count those that a person holds, and end the holds of those that are at their end; give the others."""
        held = [card for card in cards if card.card in self.card_holds]
        others = [card for card in cards if card.card not in self.card_holds]
        for card in held:
            self.batch(card.batch_id).held += (state in MOVING) - (before in MOVING)
            if state in FINAL:
                del self.card_holds[card.card]
        return others

    def count_making(self, card: Card, held: int) -> None:
        """Take a card that is held now (1) off those that may yet join its pile, or count it again (-1)."""
        if card.state in IN_MAKING:
            self._count_making((card.batch_id, card.unit), -held)

    def _count_making(self, pile: Pile, change: int) -> None:
        before = self.making[pile]
        if before + change:
            self.making[pile] = before + change
        else:
            del self.making[pile]
        if not before or pile not in self.making:
            self.ripen(pile)

    def ripen(self, pile: Pile) -> None:
        """Note whether a pile that changed may have to be packed: a plan looks at no others."""
        cards = self.piles.get(pile)
        if cards and (len(cards) >= self.ripe_cards or pile not in self.making):
            self.ripe.add(pile)
        else:
            self.ripe.discard(pile)

    def take_unencoded(self, cards: list[Card]) -> None:
        """Take cards out of those that wait for an encoder; one that an encoder has is not there."""
        take(self.unencoded, [card.rank for card in cards])

    def take_ready(self, cards: list[Card]) -> None:
        """Take cards out of those that wait for a place on a sheet; one that is held is not there."""
        ranks = [card.rank for card in cards]
        for ready in self.ready.values():
            take(ready, ranks)

    def put_on_piles(self, cards: list[Card]) -> None:
        """Lay good cards on their piles; on a stopped one they wait with the others, and held ones lie apart."""
        self._lay_down(runs_of(cards))

    def _lay_down(self, runs: Runs) -> None:
        for pile, cards in runs:
            stopped = self.stopped_piles.get(pile) if self.stopped_piles else None
            lying = [card.card for card in (cards if stopped else self._not_held(cards))]
            if stopped:
                enter(stopped.cards, lying)
            elif lying:
                enter(self.piles.setdefault(pile, []), lying)
                self.ripen(pile)

    def take_from_piles(self, cards: list[Card]) -> None:
        """Take good cards off their piles; one that a packer has is on none."""
        self._take_from_piles(runs_of(cards))

    def _take_from_piles(self, runs: Runs) -> None:
        for pile, alike in runs:
            stopped = self.stopped_piles.get(pile)
            lying = stopped.cards if stopped else self.piles.get(pile)
            if not lying:
                continue
            take(lying, [card.card for card in alike])
            if not lying and stopped:
                del self.stopped_piles[pile]
            elif not lying:
                del self.piles[pile]
            self.ripen(pile)

    def leaving(self, batch: Batch) -> list[int]:
        """Give the bundles of a batch that may be sent: those in which nothing is held."""
        if batch.batch_id in self.batch_holds:
            return []
        if not self.card_holds:
            return list(batch.bundles)
        return [one for one in batch.bundles if self.card_holds.keys().isdisjoint(self.bundles[one][1])]

    # ---- how a sheet changes -------------------------------------------------------------------------------

    def put_sheet(self, sheet: Sheet, step: Step, at_floor_s: float) -> None:
        """Let a sheet wait for a step."""
        sheet.step, sheet.job_id, sheet.waiting_floor_s = step, 0, at_floor_s
        queue, place = self.waiting[step], sheet.place()
        if queue and place < queue[-1]:
            insort(queue, place)
        else:
            queue.append(place)  # by far the most

    def take_sheet(self, sheet: Sheet, job_id: int) -> None:
        """Give a waiting sheet to a job."""
        queue = self.waiting[sheet.step]
        place = 0 if queue and queue[0][1] == sheet.sheet_id else bisect_left(queue, sheet.place())
        if place == len(queue) or queue[place][1] != sheet.sheet_id:
            raise UnknownThing(f"sheet {sheet.sheet_id} does not wait for {sheet.step}")
        del queue[place]
        sheet.job_id = job_id

    def drop_sheet_if_over(self, sheet: Sheet) -> None:
        """Forget a sheet in a job, or a suspect one, that carries neither a live nor a suspect position."""
        if not sheet.live and not sheet.suspect:
            del self.sheets[sheet.sheet_id]
