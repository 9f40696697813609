"""All that happened to one card, with stations, loads, marks, lots and people: its history, from the ledger alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from heapq import merge
from typing import Any

from sqlalchemy import Engine, select

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core.cards import State
from controller.core.moves import AnyMove
from controller.core.why.sentences import Facts, Reason, rule_key, tell
from controller.ledger import tables
from controller.trace.loaded import AT_STATIONS, Loaded, loaded_before
from controller.trace.mentions import moves_about
from controller.trace.moves import WALK_MOVES, MoveReader, Told
from devices.messages import blank_serial, body_of, position_of


@dataclass(slots=True)
class Happened:
    """One thing that happened to a card; what does not apply is 0 or empty."""

    at_floor_s: float
    what: str  # the move's tag, a mark, or the person's decision
    step: str = ""
    station: str = ""
    job_id: int = 0
    sheet_id: int = 0
    position: int = -1
    blank: int = 0
    because: str = ""  # the plan's rule, or a code
    beaten: list[str] = field(default_factory=list)
    ended_floor_s: float = 0.0
    lots: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    bundle_id: int = 0
    consignment_id: int = 0
    caused_at: str = ""
    found_at: str = ""


@dataclass(slots=True)
class CardHistory:
    """A card as it stands, and what happened to it, in order."""

    card: int
    acceptance_number: str
    case_no: int
    batch_number: str
    unit: str
    state: str
    generation: int
    blank: int
    bundle_id: int
    consignment_id: int
    happened: list[Happened]
    complete: bool  # whether all of it was looked at: see `trace_card`

    def as_json(self) -> dict[str, Any]:
        """Give it as plain maps and lists."""
        return asdict(self)


def trace_card(engine: Engine, card: int, walk_moves: int = WALK_MOVES) -> CardHistory | None:
    """Give the history of a card; None when no card has this number.

    The moves between its batch's verdicts and the end of the batch, or of its own way, are looked at, before them what
    was loaded at the stations, and after them whether it came back; never more than `walk_moves` moves each, or
    `complete` is False.
    Cost: some 30 ms, for a worker thread.  Raises: LedgerDamaged.
    """
    with engine.connect() as connection:
        row = connection.execute(select(tables.card).where(tables.card.c.card_id == card)).first()
        if row is None:
            return None
        batch = connection.execute(select(tables.batch).where(tables.batch.c.batch_id == row.batch_id)).one()
        bundle = connection.execute(select(tables.bundle).where(tables.bundle.c.bundle_id == row.bundle_id)).first()
    reader = MoveReader(engine)
    first = reader.first_at(batch.decided_floor_s)
    last = reader.first_at(math.nextafter(batch.closed_floor_s, math.inf)) if batch.closed_floor_s else 0
    end = last or reader.last() + 1
    if row.state == State.DISPATCHED:  # its batch may stay open for long; but for a return nothing happens to it now
        end = min(end, reader.turn_end(row.move_seq))
    loaded = loaded_before(reader, first, walk_moves)
    follower, looked = _Follower(card, loaded), min(end, first + walk_moves)
    about = moves_about(engine, reader, row, first, looked)
    for told in merge(about, reader.forward(first, looked, AT_STATIONS), key=lambda one: one.seq):
        follower.take(told)
    came_back = reader.forward(looked, min(reader.last() + 1, looked + walk_moves), (q.CardReturned,))
    for told in came_back:  # long after its batch's end, so nothing else is looked for there
        follower.take(told)
    complete = loaded.complete and end - first <= walk_moves
    sent = bundle.consignment_id if bundle is not None else 0
    stands = (row.unit, row.state, row.generation, row.blank, row.bundle_id, sent)
    numbers = (row.acceptance_number, row.case_no, batch.batch_number)
    return CardHistory(card, *numbers, *stands, follower.happened, complete)


class _Follower:
    """Follows one card through the moves: the sheet, place, body, load and bundle it is in."""

    def __init__(self, card: int, loaded: Loaded) -> None:
        self.card, self.loaded = card, loaded
        self.happened: list[Happened] = []
        self._sheet_id, self._place, self._body, self._bundle_id = 0, -1, 0, 0
        self._encode_job = 0
        self._jobs: dict[int, Happened] = {}  # open loads it is in
        self._takes: dict[type, Callable[[float, Any], None]] = {
            m.CardDecided: self._decided,
            m.CardStopped: self._stopped,
            m.EncodeStarted: self._encode,
            m.EncodeEnded: self._encoded,
            m.SheetImposed: self._imposed,
            m.JobStarted: self._job,
            m.JobEnded: self._job_ended,
            m.SheetBound: self._bound,
            m.PositionsMarked: self._marked,
            m.BundleMade: self._bundle,
            m.BundleStopped: self._bundle_stopped,
            m.CardMissing: self._missing,
            m.ConsignmentSent: self._sent,
            q.CardsQuarantined: self._quarantined,
            q.BundleOpened: self._opened,
            q.CardSetGood: self._set_good,
            q.CardReturned: self._returned,
        }

    def take(self, told: Told) -> None:
        """Take one move of any card."""
        take = self._takes.get(type(told.move))
        if take:
            take(told.at_floor_s, told.move)
        else:
            self._supply(told.move)

    def _tell(self, at: float, what: str, **rest: Any) -> Happened:
        blank = blank_serial(self._body, self._place) if self._body and self._place >= 0 else 0
        where = {"sheet_id": self._sheet_id, "position": self._place, "blank": blank}
        one = Happened(at, what, **(where | rest))
        self.happened.append(one)
        return one

    def _supply(self, move: AnyMove) -> None:
        self.loaded.fold(move)
        for one in self._jobs.values():
            if one.station == getattr(move, "station", ""):
                one.lots += [lot for lot in self.loaded.lots(one.station) if lot not in one.lots]

    def _decided(self, at: float, move: m.CardDecided) -> None:
        if move.card == self.card:
            self._tell(at, move.decision, because=move.reason, people=[one for one in (move.by, move.second) if one])

    def _stopped(self, at: float, move: m.CardStopped) -> None:
        if move.card == self.card:
            self._tell(at, "stopped", because=move.code)

    def _encode(self, at: float, move: m.EncodeStarted) -> None:
        if self.card in move.cards:
            self._encode_job = move.job_id
            self._jobs[move.job_id] = self._tell(at, "encode", job_id=move.job_id)

    def _encoded(self, at: float, move: m.EncodeEnded) -> None:
        started = self._jobs.pop(move.job_id, None)
        if started:
            started.ended_floor_s = at
            started.because = next((code for card, code in move.failed if card == self.card), "")

    def _imposed(self, at: float, move: m.SheetImposed) -> None:
        if self.card in move.cards:
            self._sheet_id, self._place, self._body = move.sheet_id, move.cards.index(self.card), 0
            self._tell(at, "sheet", because=move.because)

    def _job(self, at: float, move: m.JobStarted) -> None:
        if self._sheet_id in move.sheets or self.card in move.cards:
            person = self.loaded.operators.get(move.station, "")
            rest = {"step": move.step, "station": move.station, "because": move.because, "beaten": list(move.beaten)}
            job = self._tell(at, "job", job_id=move.job_id, bundle_id=move.bundle_id, **rest)
            job.lots, job.people = self.loaded.lots(move.station), [person] if person else []
            self._jobs[move.job_id] = job

    def _job_ended(self, at: float, move: m.JobEnded) -> None:
        started = self._jobs.pop(move.job_id, None)
        if started:
            started.ended_floor_s = move.ended_floor_s

    def _bound(self, at: float, move: m.SheetBound) -> None:
        if move.sheet_id == self._sheet_id:
            self._body = move.body
            lot = self.loaded.lot_of(move.body)
            self._tell(at, "bound", station=move.station, lots=[f"body {lot}"] if lot else [])

    def _marked(self, at: float, move: m.PositionsMarked) -> None:
        if move.sheet_id != self._sheet_id or not move.mask >> self._place & 1:
            return
        people = [one for one in (move.by, move.second) if one]
        rest = {"caused_at": move.caused_at, "found_at": move.found_at, "step": move.found_at, "people": people}
        self._tell(at, move.mark.value, station=move.station, because=move.code, **rest)
        if move.mark in (m.Mark.FILM_SPOILED, m.Mark.SPOILED, m.Mark.FOUND_SPOILED, m.Mark.FOUND_MISSING):
            self._nowhere()

    def _nowhere(self) -> None:
        self._sheet_id, self._place, self._body = 0, -1, 0

    def _bundle(self, at: float, move: m.BundleMade) -> None:
        if self.card in move.cards:
            self._bundle_id = move.bundle_id
            self._tell(at, "bundle", bundle_id=move.bundle_id, station=move.station, step="pack")

    def _bundle_stopped(self, at: float, move: m.BundleStopped) -> None:
        if self.card in move.cards:
            rest = {"because": move.code, "station": move.station, "step": "pack"}
            self._tell(at, "bundle_stopped", bundle_id=move.bundle_id, **rest)

    def _missing(self, at: float, move: m.CardMissing) -> None:
        if move.card == self.card:
            self._tell(at, "missing", because=move.code, people=[move.by, move.second])
            self._nowhere()

    def _sent(self, at: float, move: m.ConsignmentSent) -> None:
        if self._bundle_id in move.bundles:
            rest = {"bundle_id": self._bundle_id, "people": [move.by]}
            self._tell(at, "sent", consignment_id=move.consignment_id, **rest)

    def _quarantined(self, at: float, move: q.CardsQuarantined) -> None:
        if self.card in move.cards:
            self._sheet_id, self._place, self._body = move.sheet_id, move.cards.index(self.card), move.body
            self._tell(at, "quarantined", station=move.station, because="drift")

    def _opened(self, at: float, move: q.BundleOpened) -> None:
        if move.bundle_id == self._bundle_id and self._bundle_id:
            self._tell(at, "bundle_opened", bundle_id=self._bundle_id, because=move.code)
            self._bundle_id = 0

    def _returned(self, at: float, move: q.CardReturned) -> None:
        if move.card == self.card:
            self._tell(at, "came_back", because=move.code, people=[move.by])

    def _set_good(self, at: float, move: q.CardSetGood) -> None:
        if move.card == self.card:
            self._sheet_id, self._place, self._body = move.sheet_id, position_of(move.blank), body_of(move.blank)
            self._tell(at, "set_good", because=move.code, people=[move.by, move.second])


# ---- the sentence of a card whose batch is over ------------------------------------------------------------------


def past(history: CardHistory, now_floor_s: float) -> Reason:
    """Say in one sentence how a card came to its end: where and by which rule it was packed, who sent or decided."""
    what = (f"Card {history.card}", f"卡 {history.card} ")
    packed = [one for one in history.happened if one.what == "bundle"]
    jobs = [one for one in history.happened if one.what == "job" and one.step == "pack"]
    sent = [one for one in history.happened if one.what == "sent"]
    facts: Facts = {"state": history.state, "generation": history.generation, "batch_number": history.batch_number}
    if packed and jobs:
        facts |= {"bundle_id": packed[-1].bundle_id, "station": packed[-1].station, "blank": history.blank}
        facts |= {"made_floor_s": packed[-1].at_floor_s, "rule": jobs[-1].because, "job_id": jobs[-1].job_id}
        keys = ["was_made", rule_key(jobs[-1].because), "was_sent" if sent else "was_not_sent"]
        if sent:
            facts |= {"consignment_id": sent[-1].consignment_id, "sent_floor_s": sent[-1].at_floor_s}
            facts["sent_by"] = ", ".join(sent[-1].people)
        return Reason(*tell(what, keys, facts, now_floor_s), {"because": "was_made", **facts}, jobs[-1].beaten[:3])
    decided = [one for one in history.happened if one.what in ("refuse", "correct", "cancel", "refuse_late")]
    if decided:
        facts |= {"decided_floor_s": decided[-1].at_floor_s, "decision": decided[-1].what}
        facts |= {"by": ", ".join(decided[-1].people)}
        return Reason(*tell(what, ["was_decided"], facts, now_floor_s), {"because": "was_decided", **facts}, [])
    return Reason(*tell(what, ["final"], facts, now_floor_s), {"because": "final", **facts}, [])
