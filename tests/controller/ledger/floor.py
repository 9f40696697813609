"""A small floor that goes any of its legal ways, by luck from a seed: what it records is fed to the ledger."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from controller.application import batch_of, card_id
from controller.core import events as e
from controller.core import moves as m
from controller.core import stock_moves as sm
from controller.core.cards import MOVES, Decision, State
from controller.core.moves import Mark, Verdict
from controller.ledger.journal import Recorded
from devices.defects import Step

ROUTE = (Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.WRITE, Step.INSPECT)
UPSTREAMS = ("province", "city")
UNIT = "110101001"
FIRST_BODY = 1_000
BODIES = 100_000


class SmallFloor:
    """Keeps just enough to know what may come next; `step` gives what is recorded then.

    `cards` has each card's state as this floor understands it: an independent second opinion on the projection.
    """

    def __init__(self, seed: int, rows_max: int = 24) -> None:
        self._luck, self._rows_max = random.Random(seed), rows_max
        self.at_floor_s = 1_000.0
        self.cards: dict[int, str] = {}
        self.final: dict[int, list[int]] = {}  # batch -> refused, cancelled, refused_late, dispatched
        self.received: dict[int, int] = {}
        self.sheets: dict[int, list[int]] = {}  # cards still on it by position, 0 for none
        self.at_step: dict[int, int] = {}
        self.suspects: list[tuple[int, int]] = []
        self._suspect_cards: dict[tuple[int, int], int] = {}
        self.bundles: dict[int, list[int]] = {}
        self._encoding: dict[int, list[int]] = {}
        self._last: dict[str, int] = {}
        self._ways: tuple[Callable[[], list[m.AnyMove]], ...] = (
            self._open_batch,
            self._refuse_batch,
            self._decide,
            self._encode,
            self._encode,
            self._impose,
            self._impose,
            *(self._work,) * 8,
            self._settle,
            self._pack,
            self._pack,
            self._lose,
            self._send,
            self._arrive,
            self._close,
        )

    def begin(self) -> Recorded:
        """Record a first start: stations and stock."""
        moves: list[m.AnyMove] = [m.ServiceStarted(1)]
        moves += [m.StationJoined(f"{step.value}1", step.value, "simulated", 24) for step in Step]
        moves.append(m.StationChanged("print1", "idle", "", 5.0))
        moves.append(sm.StockReceived(FIRST_BODY, BODIES, "lot", "anna", "bert"))
        moves.append(sm.MagazineIssued(1, "laminate1", FIRST_BODY, BODIES, "anna", "bert"))
        return Recorded(self.at_floor_s, e.ServiceBegan(), moves)

    def step(self) -> Recorded:
        """Record one thing that happens; some take time, some do not."""
        self.at_floor_s += self._luck.choice((0.0, 0.25, 17.3))
        moves: list[m.AnyMove] = []
        while not moves:
            moves = self._luck.choice(self._ways)()
        return Recorded(self.at_floor_s, e.TimerFired(), moves)

    def run(self, steps: int) -> Iterator[Recorded]:
        """Give the begin and so many steps."""
        yield self.begin()
        for _ in range(steps):
            yield self.step()

    # ---- batches and cards -------------------------------------------------------------------------------------

    def _next(self, noun: str) -> int:
        self._last[noun] = self._last.get(noun, 0) + 1
        return self._last[noun]

    def _open_batch(self) -> list[m.AnyMove]:
        batch_id, count = self._next("batch"), self._luck.randint(1, self._rows_max)
        weights = (10, 2, 2, 1)
        rows = []
        for index in range(count):
            verdict = self._luck.choices(list(Verdict), weights)[0]
            codes = [] if verdict is Verdict.OK else [f"code.{verdict.name.lower()}"]
            fields = ["name"] * len(codes)
            number = f"{batch_id:011d}{index:011d}"
            rows.append(m.RowVerdict(index, number, UNIT, verdict, codes, fields, self._luck.random() < 0.1))
            if verdict is not Verdict.REFUSE:
                self.cards[card_id(batch_id, index)] = "held" if verdict is Verdict.HOLD else "accepted"
        self.received[batch_id] = count
        self.final[batch_id] = [sum(row.verdict is Verdict.REFUSE for row in rows), 0, 0, 0]
        upstream = self._luck.choice(UPSTREAMS)
        return [m.BatchOpened(batch_id, f"{batch_id:025d}", upstream, "second", 1.0, 9_000.0, rows)]

    def _refuse_batch(self) -> list[m.AnyMove]:
        if self._luck.random() < 0.8:
            return []
        batch_id = self._next("batch")
        return [m.BatchRefused(batch_id, f"{batch_id:025d}", self._luck.choice(UPSTREAMS), ["batch.count"])]

    def _in(self, *states: str) -> list[int]:
        return [card for card, state in self.cards.items() if state in states]

    def _decide(self) -> list[m.AnyMove]:
        cards = self._in("held", "accepted", "ready", "stopped")
        if not cards:
            return []
        card = self._luck.choice(cards)
        before = State(self.cards[card])
        if before in (State.ACCEPTED, State.READY) and self._luck.random() < 0.8:
            return []  # most go on
        decision = self._luck.choice([way for way in Decision if (before, way) in MOVES])
        self._end(card, MOVES[before, decision].value)
        return [m.CardDecided(card, decision.value, "anna", "seen")]

    def _end(self, card: int, state: str) -> None:
        self.cards[card] = state
        places = ("refused", "cancelled", "refused_late", "dispatched")
        if state in places:
            self.final[batch_of(card)][places.index(state)] += 1

    def _encode(self) -> list[m.AnyMove]:
        if self._encoding:
            job_id, cards = self._encoding.popitem()
            failed = [card for card in cards if self._luck.random() < 0.05]
            moves: list[m.AnyMove] = [m.EncodeEnded(job_id, [(card, "portrait.size") for card in failed])]
            for card in cards:
                if self.cards.get(card) != "accepted":
                    continue
                if card in failed:
                    moves.append(m.CardStopped(card, "portrait.size"))
                self.cards[card] = "stopped" if card in failed else "ready"
            return moves
        cards = self._in("accepted")[:16]
        if not cards:
            return []
        job_id = self._next("job")
        self._encoding[job_id] = cards
        return [m.EncodeStarted(job_id, cards)]

    # ---- sheets ------------------------------------------------------------------------------------------------

    def _impose(self) -> list[m.AnyMove]:
        cards = self._in("ready")[:8]
        if not cards:
            return []
        places = cards + [0] * (8 - len(cards))
        self._luck.shuffle(places)
        sheet_id = self._next("sheet")
        self.sheets[sheet_id], self.at_step[sheet_id] = list(places), 0
        for card in cards:
            self.cards[card] = "imposed"
        return [m.SheetImposed(sheet_id, places)]

    def _work(self) -> list[m.AnyMove]:
        """Bring one sheet through its next step."""
        if not self.sheets:
            return []
        sheet_id = self._luck.choice(list(self.sheets))
        number = self.at_step[sheet_id]
        step = ROUTE[number]
        job_id, station = self._next("job"), f"{step.value}1"
        has_film = any(self.sheets[sheet_id])
        marks = self._marks(sheet_id, step)
        self.at_step[sheet_id] = number + 1
        moves: list[m.AnyMove] = [m.JobStarted(job_id, station, step.value, [sheet_id])]
        if step is Step.LAMINATE and has_film:
            moves.append(m.SheetBound(sheet_id, FIRST_BODY + self._next("body") - 1, station))
        end = m.SheetEnd(sheet_id, "done", "00", 255)
        ended = m.JobEnded(job_id, station, step.value, "done", self.at_floor_s, self.at_floor_s + 1, [end])
        moves += [ended, *marks] if self._luck.random() < 0.5 else [*marks, ended]
        if not any(self.sheets[sheet_id]):
            del self.sheets[sheet_id]
        return moves

    def _marks(self, sheet_id: int, step: Step) -> list[m.AnyMove]:
        masks: dict[Mark, int] = {}
        for position, card in enumerate(self.sheets[sheet_id]):
            if not card:
                continue
            mark = self._mark(step)
            if mark is not None:
                masks[mark] = masks.get(mark, 0) | 1 << position
                self.sheets[sheet_id][position] = 0
                self.cards[card] = {Mark.PASSED: "good", Mark.SUSPECTED: "suspect"}.get(mark, "ready")
                if mark is Mark.SUSPECTED:
                    self.suspects.append((sheet_id, position))
                    self._suspect_cards[(sheet_id, position)] = card
        return [
            m.PositionsMarked(sheet_id, mask, mark, "21", f"{step.value}1", "print", step.value)
            for mark, mask in masks.items()
        ]

    def _mark(self, step: Step) -> Mark | None:
        luck = self._luck.random()
        if step is Step.PRINT:
            return Mark.FILM_SPOILED if luck < 0.05 else None
        if luck < 0.05:
            return Mark.SPOILED
        if luck < 0.08:
            return Mark.SUSPECTED
        return Mark.PASSED if step is Step.INSPECT else None

    def _settle(self) -> list[m.AnyMove]:
        if not self.suspects:
            return []
        sheet_id, position = self.suspects.pop()
        mark = self._luck.choice((Mark.FOUND_GOOD, Mark.FOUND_SPOILED, Mark.FOUND_MISSING))
        card = self._suspect_cards.pop((sheet_id, position))
        self.cards[card] = "good" if mark is Mark.FOUND_GOOD else "ready"
        return [m.PositionsMarked(sheet_id, 1 << position, mark, "90", "", "write", "audit", "anna", "bert")]

    # ---- packing -----------------------------------------------------------------------------------------------

    def _pack(self) -> list[m.AnyMove]:
        good = self._in("good")
        cards = sorted(card for card in good if batch_of(card) == batch_of(good[0]))[:10] if good else []
        if not cards:
            return []
        job_id, bundle_id, batch_id = self._next("job"), self._next("bundle"), batch_of(cards[0])
        self.bundles[bundle_id] = cards
        for card in cards:
            self.cards[card] = "made"
        times = (self.at_floor_s, self.at_floor_s)
        return [
            m.JobStarted(job_id, "pack1", "pack", [], bundle_id, cards),
            m.JobEnded(job_id, "pack1", "pack", "done", *times, [], len(cards)),
            m.BundleMade(bundle_id, batch_id, UNIT, cards, "pack1"),
        ]

    def _lose(self) -> list[m.AnyMove]:
        """Let two people miss a good card, now and then."""
        good = self._in("good")
        if not good or self._luck.random() < 0.7:
            return []
        self.cards[good[0]] = "ready"
        return [m.CardMissing(good[0], self.blank_of(good[0]), "K2", "anna", "bert")]

    def blank_of(self, card: int) -> int:
        """Give any serial: no fold reads the blank of a card that is missing."""
        return FIRST_BODY * 10 + card

    def _arrive(self) -> list[m.AnyMove]:
        sent = self._last.get("consignment", 0)
        if not sent:
            return []
        counted = self._luck.randint(0, 9)
        return [m.ArrivalCounted(self._next("arrival"), self._luck.randint(1, sent), UNIT, 9, counted, "carl")]

    def _send(self) -> list[m.AnyMove]:
        if not self.bundles:
            return []
        batch_id = batch_of(next(iter(self.bundles.values()))[0])
        sent = [bundle for bundle, cards in self.bundles.items() if batch_of(cards[0]) == batch_id]
        for bundle in sent:
            for card in self.bundles.pop(bundle):
                self._end(card, "dispatched")
        return [m.ConsignmentSent(self._next("consignment"), batch_id, sent, "anna")]

    def _close(self) -> list[m.AnyMove]:
        for batch_id, ends in self.final.items():
            if sum(ends) == self.received[batch_id]:
                del self.final[batch_id]
                for card in [card for card in self.cards if batch_of(card) == batch_id]:
                    del self.cards[card]
                return [m.BatchClosed(batch_id, self.received[batch_id], *ends)]
        return []
