"""The floor that `test_floor_machine` plays: the foreman, what each station has in work, and where the bodies are."""

from __future__ import annotations

from controller.core import events as e
from controller.core.cards import State
from controller.core.foreman import Foreman
from controller.core.moves import (
    AnyMove,
    BatchOpened,
    BundleMade,
    CardDecided,
    ConsignmentSent,
    JobStarted,
    Verdict,
)
from controller.core.settings import ROUTES, CoreConfig, DriftConfig, PlanConfig, RemakeConfig
from controller.core.state import FloorState
from devices.defects import GOOD, Step
from devices.messages import POSITIONS, SINGLE, Fate, blank_serial

STATIONS = {
    "p1": (Step.PRINT, 1),
    "l1": (Step.LAMINATE, 2),
    "l2": (Step.LAMINATE, 24),
    "c1": (Step.PUNCH, 2),
    "w1": (Step.WRITE, 1),
    "w2": (Step.WRITE, 1),
    "i1": (Step.INSPECT, 1),
    "k1": (Step.PACK, 30),
}
CODES = {Step.PRINT: "P1", Step.LAMINATE: "L1", Step.PUNCH: "C1", Step.WRITE: "W1", Step.INSPECT: "I1"}
CONFIG = CoreConfig(
    plan=PlanConfig(bundle_max=9),
    remake=RemakeConfig(attempts_max=3),
    drift=DriftConfig(threshold=4.0, warn_threshold=2.0),  # low, so that stations are held and trays come back
)
ON_A_BLANK = frozenset({State.GOOD, State.QUARANTINED, State.MADE})
ENOUGH_TURNS = 3_000


class PlayedFloor:
    """A foreman, and what its floor has in hand; each thing it is told is checked and carried out."""

    def __init__(self) -> None:
        self.foreman = Foreman(CONFIG)
        self.now_floor_s = 0.0
        self.log: list[tuple[float, AnyMove]] = []
        self.given: dict[str, e.StartJob] = {}  # what each station has in work
        self.encodes: dict[int, list[int]] = {}
        self.told: list[e.AnyEvent] = []  # results that were told: they may be told again
        self.bodies: dict[str, list[int]] = {}
        self.singles: dict[str, list[int]] = {}
        self.drawn: dict[int, int] = {}
        self.bundles: dict[int, list[int]] = {}
        self.dispatched: list[tuple[int, int, str, str]] = []  # card, blank, unit, kind
        self.agrees: dict[str, bool] = {}  # place counted in this shift -> whether as the books had it
        self.stations = dict(STATIONS)
        self.seen_loads: list[tuple[Step, int]] = []  # of all that ever joined
        self.next_body, self.batches, self.accepted = 1_000, 0, 0

    def see_stations(self, *names: str) -> None:
        """Let stations join, or all of them."""
        for name in names or list(self.stations):
            step, load_max = self.stations[name]
            self.seen_loads.append((step, load_max))
            self.tell(e.StationSeen(name, step, "rough", load_max, "idle", ""))

    @property
    def state(self) -> FloorState:
        return self.foreman.state

    def tell(self, event: e.AnyEvent) -> e.AnyEvent:
        """Hand an event to the foreman, check each job it starts, and do what it asks of the world."""
        before = {card.card: (card.blank, card.unit, self.kind_of(card.batch_id)) for card in self.state.cards.values()}
        turn = self.foreman.handle(event, self.now_floor_s)
        for move in turn.moves:
            self.log.append((self.now_floor_s, move))
            if isinstance(move, JobStarted):
                self.check_job(move)
            elif isinstance(move, BatchOpened):
                self.accepted += sum(row.verdict in (Verdict.OK, Verdict.NOTE) for row in move.rows)
            elif isinstance(move, CardDecided) and move.decision == "release":
                self.accepted += 1
            elif isinstance(move, BundleMade):
                self.bundles[move.bundle_id] = move.cards
            elif isinstance(move, ConsignmentSent):
                sent = [card for bundle in move.bundles for card in self.bundles[bundle]]
                self.dispatched += [(card, *before[card]) for card in sent if before[card][0]]
        for action in turn.actions:
            if isinstance(action, e.StartJob):
                self.given[action.station] = action
            elif isinstance(action, e.Encode):
                self.encodes[action.job_id] = action.cards
            elif isinstance(action, e.FillMagazine):
                stacks = self.singles if action.places == SINGLE else self.bodies
                have = stacks.setdefault(action.station, [])
                coming = range(action.first_body, action.first_body + action.sheets)
                have += [body for body in coming if body not in have and body not in self.drawn.values()]
        self.answer = turn
        return event

    def kind_of(self, batch_id: int) -> str:
        return self.state.batches[batch_id].card_kind

    def check_job(self, job: JobStarted) -> None:
        """No station is given work it cannot do."""
        step, load_max = self.stations[job.station]
        assert job.step == step
        assert job.because, "every decision keeps its reason"
        assert job.station not in self.state.station_holds
        assert self.state.stations[job.station].job_id == job.job_id
        if step is Step.PACK:
            assert 1 <= len(job.cards) <= load_max
            assert len({(self.state.cards[card].batch_id, self.state.cards[card].unit) for card in job.cards}) == 1
            return
        assert 1 <= len(job.sheets) <= load_max
        for sheet_id in job.sheets:
            sheet = self.state.sheets[sheet_id]
            assert step in ROUTES[sheet.kind]
            assert sheet.live
        if step is Step.LAMINATE:
            stock, sizes = self.state.stock, [self.state.sheets[sheet_id].places for sheet_id in job.sheets]
            for places in (POSITIONS, SINGLE):
                assert sizes.count(places) <= stock.in_magazine(job.station, places), "a film without a body"

    def two_people(self, verb: str, args: dict[str, int | str]) -> bool:
        """Let ann ask and bob agree; False when it is refused."""
        self.tell(e.ActAsked(verb, args, "ann"))
        if self.answer.refused:
            return False
        act_id = self.answer.answer
        self.tell(e.ActSeconded(act_id, "ann"))
        assert self.answer.refused, "one person is not two"
        self.tell(e.ActSeconded(act_id, "bob"))
        return self.answer.refused is None

    def result(self, job: e.StartJob, bad: int, fate: str) -> e.AnyEvent:
        """Give a station's result: `bad` positions of every sheet, or a bundle that lacks a card."""
        times = (self.now_floor_s, self.now_floor_s + 30)
        if job.bundle_id:
            return e.BundlePacked(job.station, job.job_id, *times, job.blanks[:-1] if bad else list(job.blanks))
        sheets = [self.outcome(job, sheet_id, cards, bad, fate) for sheet_id, cards in job.sheets]
        return e.StepDone(job.station, job.job_id, *times, sheets)

    def outcome(self, job: e.StartJob, sheet_id: int, cards: list[int], bad: int, fate: str) -> e.SheetOutcome:
        step = Step(job.step)
        if fate == Fate.UNTOUCHED:
            return e.SheetOutcome(sheet_id, fate, GOOD)
        if step is Step.LAMINATE:
            stacks = self.singles if sheet_id in job.singles else self.bodies
            self.drawn[sheet_id] = stacks[job.station].pop(0)
        body = self.drawn.get(sheet_id, 0)
        told_body = body if step is Step.LAMINATE else 0
        if fate == Fate.SPOILED:
            return e.SheetOutcome(sheet_id, fate, CODES[step], told_body)
        codes = [CODES[step] if card and bad >> place & 1 else GOOD for place, card in enumerate(cards)]
        blanks = [blank_serial(body, place) if body and card else 0 for place, card in enumerate(cards)]
        return e.SheetOutcome(sheet_id, fate, GOOD, told_body, codes, blanks)
