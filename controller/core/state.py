"""The state of the floor: a fold of moves, and nothing but `apply` changes it (law 7)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass, field

from controller.core.cards import FINAL, IN_MAKING, Card, State
from controller.core.drift import DriftWatch
from controller.core.errors import UnknownThing
from controller.core.moves import ActProposed
from controller.core.peer_keys import PeerKeys
from controller.core.stock import Stock
from devices.defects import Step
from devices.messages import POSITIONS, StationState

# asked for each card of each move: as a class's attribute, a member of an enum costs ten times as much (measured)
_HELD, _ACCEPTED, _READY, _GOOD, _MADE = State.HELD, State.ACCEPTED, State.READY, State.GOOD, State.MADE
_STOPPED = State.STOPPED

MOVING = IN_MAKING | {State.GOOD}  # comes to a bundle if nobody does anything, unless a person holds it

SILENT = "silent"  # the controller's own word for the state of a station it does not hear

Rank = tuple[int, int, float, int, str, int]
Pile = tuple[int, str]  # batch and police station: what is packed together


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


@dataclass(slots=True)
class Sheet:
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


@dataclass(slots=True)
class Glass:
    """A role that somebody took in an emergency, alone."""

    reason: str
    since_floor_s: float
    until_floor_s: float


@dataclass(slots=True)
class AlarmOwner:
    """Who took care of an alarm, when, and since when the alarm stood then."""

    by: str
    owned_floor_s: float
    since_floor_s: float


@dataclass(slots=True)
class Hold:
    """Why the controller gives a station no work."""

    code: str
    since_floor_s: float
    by: str = ""  # empty: the foreman
    off_line: bool = False  # its operator has it off line since: when it is back, it was looked after


@dataclass(slots=True)
class CardHold:
    """Why a person holds a card or a whole batch; a hold is no state, and stands beside whatever state a card has."""

    code: str
    since_floor_s: float
    by: str


@dataclass(slots=True)
class Drifted:
    """What the last deciding signal of a station's chart said; it is forgotten when the station is released."""

    at_floor_s: float
    cards_since_zero: int
    sheets: list[int]  # counted since the chart's last zero: dispatched cards among them are for a recall
    in_flight: list[int]  # sheets it worked on that were not inspected yet


@dataclass(slots=True)
class Job:
    """A load that a station has, or may have."""

    job_id: int
    station: str
    step: Step
    sheets: list[int]
    started_floor_s: float
    bundle_id: int = 0
    cards: list[int] = field(default_factory=list)
    because: str = ""
    beaten: list[str] = field(default_factory=list)


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
    sheets: dict[int, Sheet] = field(default_factory=dict)
    waiting: dict[Step, list[tuple[Rank, int]]] = field(default_factory=lambda: {step: [] for step in Step})
    bundles: dict[int, tuple[int, list[int]]] = field(default_factory=dict)  # bundle -> batch, cards; until sent
    stations: dict[str, Station] = field(default_factory=dict)
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
        if batch_id not in self.batches:
            raise UnknownThing(f"batch {batch_id}")
        return self.batches[batch_id]

    def card(self, card: int) -> Card:
        """Give a card that is on the floor.  Raises: UnknownThing."""
        if card not in self.cards:
            raise UnknownThing(f"card {card}")
        return self.cards[card]

    def sheet(self, sheet_id: int) -> Sheet:
        """Give a sheet that is on the floor.  Raises: UnknownThing."""
        if sheet_id not in self.sheets:
            raise UnknownThing(f"sheet {sheet_id}")
        return self.sheets[sheet_id]

    def next_id(self, noun: str) -> int:
        """Give the number the next job, sheet, bundle, consignment, issue or act will have."""
        return self.last_id[noun] + 1

    def used_id(self, noun: str, number: int) -> None:
        """Remember that a number is taken."""
        self.last_id[noun] = max(self.last_id[noun], number)

    # ---- how a card changes: the counts and queues that follow ---------------------------------------------

    def set_card(self, card: Card, state: State, at_floor_s: float) -> None:
        """Bring a card to a state, with its batch's counts, its pile and its queue."""
        batch, before = self.batch(card.batch_id), card.state
        self._leave(card, batch)
        states = batch.states
        states[before] -= 1
        states[state] += 1
        card.state = state
        if self.doubtful and state not in (_GOOD, _MADE):
            self.doubtful.pop(card.card, None)
        if card.card in self.card_holds:
            batch.held += (state in MOVING) - (before in MOVING)
            if state in FINAL:
                del self.card_holds[card.card]
        else:
            self._count_making(card, before in IN_MAKING, state in IN_MAKING)
        if state is _ACCEPTED:
            if not self.is_held(card):
                insort(self.unencoded, card.rank)
        elif state is _READY:
            card.ready_floor_s = at_floor_s
            if not self.is_held(card):
                insort(self.ready.setdefault(batch.card_kind, []), card.rank)
        elif state is _GOOD:
            self.put_on_pile(card)

    def is_held(self, card: Card) -> bool:
        """Say whether a person holds a card, or its whole batch."""
        return card.card in self.card_holds or card.batch_id in self.batch_holds

    def count_making(self, card: Card, held: int) -> None:
        """Take a card that is held now (1) off those that may yet join its pile, or count it again (-1)."""
        is_making = card.state in IN_MAKING
        self._count_making(card, is_making and held > 0, is_making and held < 0)

    def _count_making(self, card: Card, was: bool, now: bool) -> None:
        if was == now:
            return
        pile = (card.batch_id, card.unit)
        if now:
            self.making[pile] += 1
            return
        self.making[pile] -= 1
        if not self.making[pile]:
            del self.making[pile]

    def _leave(self, card: Card, batch: Batch) -> None:
        if card.state is _READY:
            self.take_ready(card)
        elif card.state is _GOOD:
            self.take_from_pile(card)
        elif card.state is _ACCEPTED:
            self.take_unencoded(card)
        elif card.state is _HELD:
            self.holds.pop(card.card, None)
        elif card.state is _STOPPED:
            self.contested.pop(card.card, None)

    def take_unencoded(self, card: Card) -> None:
        """Take a card out of those that wait for an encoder; one that an encoder has is not there."""
        place = bisect_left(self.unencoded, card.rank)
        if place < len(self.unencoded) and self.unencoded[place] == card.rank:
            del self.unencoded[place]

    def take_ready(self, card: Card) -> None:
        """Take a card out of those that wait for a place on a sheet; one that is held is not there."""
        ready = self.ready.get(self.batch(card.batch_id).card_kind, [])
        place = bisect_left(ready, card.rank)
        if place < len(ready) and ready[place] == card.rank:
            del ready[place]

    def rank_anew(self, card: Card, rank: Rank) -> None:
        """Give a card that is on no sheet another place in the order of taking."""
        queue: list[Rank] = []
        if card.state is _ACCEPTED:
            queue = self.unencoded
        elif card.state is _READY:
            queue = self.ready.get(self.batch(card.batch_id).card_kind, [])
        place = bisect_left(queue, card.rank)
        if place < len(queue) and queue[place] == card.rank:  # else an encoder has it, or a person holds it
            del queue[place]
            insort(queue, rank)
        card.rank = rank

    def put_on_pile(self, card: Card) -> None:
        """Lay a good card on its pile; on a stopped one it waits with the others, and a held one lies apart."""
        pile = (card.batch_id, card.unit)
        stopped = self.stopped_piles.get(pile)
        if stopped:
            insort(stopped.cards, card.card)
        elif not self.is_held(card):
            insort(self.piles.setdefault(pile, []), card.card)

    def take_from_pile(self, card: Card) -> None:
        """Take a good card off its pile; one that a packer has is on none."""
        pile = (card.batch_id, card.unit)
        stopped = self.stopped_piles.get(pile)
        cards = stopped.cards if stopped else self.piles.get(pile, [])
        if card.card not in cards:
            return
        cards.remove(card.card)
        if not cards and stopped:
            del self.stopped_piles[pile]
        elif not cards:
            del self.piles[pile]

    def stop_pile(self, pile: Pile, at_floor_s: float) -> StoppedPile:
        """Keep a pile from the packers, all that lies on it and all that will join it."""
        if pile not in self.stopped_piles:
            cards = self.piles.pop(pile, [])
            self.stopped_piles[pile] = StoppedPile(cards=cards, since_floor_s=at_floor_s)
        return self.stopped_piles[pile]

    def release_pile(self, pile: Pile) -> None:
        """Let a stopped pile be packed again.  Raises: UnknownThing."""
        if pile not in self.stopped_piles:
            raise UnknownThing(f"no stopped pile of batch {pile[0]} for {pile[1]}")
        cards = [one for one in self.stopped_piles.pop(pile).cards if not self.is_held(self.cards[one])]
        if cards:
            self.piles[pile] = cards

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
        insort(self.waiting[step], (sheet.rank, sheet.sheet_id))

    def take_sheet(self, sheet: Sheet, job_id: int) -> None:
        """Give a waiting sheet to a job."""
        queue = self.waiting[sheet.step]
        place = bisect_left(queue, (sheet.rank, sheet.sheet_id))
        if place == len(queue) or queue[place][1] != sheet.sheet_id:
            raise UnknownThing(f"sheet {sheet.sheet_id} does not wait for {sheet.step}")
        del queue[place]
        sheet.job_id = job_id

    def drop_sheet_if_over(self, sheet: Sheet) -> None:
        """Forget a sheet in a job, or a suspect one, that carries neither a live nor a suspect position."""
        if not sheet.live and not sheet.suspect:
            del self.sheets[sheet.sheet_id]
