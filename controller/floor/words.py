"""What the foreman and the stations say to each other, each put in the other's words: plain code for every shell."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from controller.core import events as e
from controller.core.settings import ROUTES
from controller.core.state import SILENT, FloorState
from controller.floor.readback import NO_CHIP, Sent, outcome_of
from devices import protocol as p
from devices.defects import Step
from devices.lies import Load
from devices.messages import BundleWork, JobDone, Magazine, PositionWork, SheetResult, SheetWork, Start, StationState

LIE_AGAIN_S = 60.0  # real seconds in which the same lie of a station is recorded once
LIES_MAX = 1_000  # of which the time is kept; beyond it the old ones are let go of
WORDS_BURST = 60.0  # changes of a station that may come at once; a real one says a few an hour
WORDS_PER_S = 0.5  # and so many in a second of a floor at its own pace, for ever
TOO_MANY_WORDS = "station.too_many_words"

Positions = Callable[[Step, list[int]], list[PositionWork]]  # the cards of a sheet -> what its positions need
TOLD_PER_POSITION = (Step.PRINT, Step.WRITE)


# ---- towards the stations ---------------------------------------------------------------------------------------


def start_of(action: e.StartJob, positions: Positions) -> Start:
    """Give the message that hands a load to its station; `positions` is asked for sheets to be printed or written."""
    step = Step(action.step)
    bundle = BundleWork(action.bundle_id, action.unit, action.blanks) if action.bundle_id else None
    sheets = [
        SheetWork(sheet_id, positions(step, cards) if step in TOLD_PER_POSITION else [], sheet_id in action.singles)
        for sheet_id, cards in action.sheets
    ]
    return Start(job_id=action.job_id, step=action.step, sheets=sheets, bundle=bundle)


def cards_of(action: e.StartJob) -> list[int]:
    """Give the cards on the sheets of a load."""
    return [card for _, cards in action.sheets for card in cards if card]


def magazine_of(action: e.FillMagazine) -> Magazine:
    """Give the message that tells a press what was issued to its magazine, or taken out."""
    return Magazine(
        issue_id=action.issue_id,
        first_body=action.first_body,
        sheets=action.sheets,
        out=action.out,
        places=action.places,
    )


def load_of(state: FloorState, job_id: int) -> Load | None:
    """Give what an open job was given, so that its result can be checked; None when no such job is open."""
    job = state.jobs.get(job_id)
    return None if job is None else Load(job.step, tuple(job.sheets))


# ---- from the stations ------------------------------------------------------------------------------------------


def event_of(state: FloorState, station: str, event: p.Event) -> e.AnyEvent | None:
    """Give what the foreman hears of what the link noticed; results and lies are not among these.

    A report of the state that the foreman knows already is none: whether a station executes, it knows from its jobs,
    and two more rows for each load would say nothing.
    """
    if isinstance(event, p.Joined):
        hello = event.hello
        return e.StationSeen(station, hello.step, hello.model, hello.load_max, _told(hello.state), hello.reason)
    if isinstance(event, p.StateSeen):
        told, known = _told(event.state), state.stations.get(station)
        reason = "" if told == StationState.IDLE else event.reason
        if known is not None and (known.state, known.reason) == (told, reason):
            return None
        since_floor_s = event.since_floor_s if math.isfinite(event.since_floor_s) else 0.0
        return e.StationReported(station, told, reason, since_floor_s)
    if isinstance(event, p.Silent):
        return e.StationReported(station, SILENT, "", 0.0)
    if isinstance(event, p.NeverSeen):
        return e.JobNeverSeen(station, event.job_id)
    if isinstance(event, p.Unknown):
        return e.JobForgotten(station, event.job_id)
    return None  # taken, or back: the state that follows says more


def cards_to_compare(state: FloorState, done: JobDone) -> list[int]:
    """Give the cards whose record and portrait must be at hand to judge a result: those that inspection read."""
    job = state.jobs.get(done.job_id)
    if job is None or job.step is not Step.INSPECT:
        return []
    return [card for sheet_id in job.sheets for card in live_cards(state, sheet_id) if card]


def result_of(state: FloorState, station: str, done: JobDone, sent: Mapping[int, Sent]) -> e.AnyEvent:
    """Give a station's last word on a job, read-back compared with what was `sent` for `cards_to_compare`."""
    job = state.jobs.get(done.job_id)
    times = (done.started_floor_s, done.ended_floor_s)
    if job is not None and job.bundle_id:
        return e.BundlePacked(station, done.job_id, *times, done.packed)
    outcomes = [] if job is None else [_outcome(state, job.step, sheet, sent) for sheet in done.sheets]
    return e.StepDone(station, done.job_id, *times, outcomes)


def _outcome(state: FloorState, step: Step, sheet: SheetResult, sent: Mapping[int, Sent]) -> e.SheetOutcome:
    cards = live_cards(state, sheet.sheet_id)
    if Step.WRITE not in ROUTES[state.sheets[sheet.sheet_id].kind]:  # no writer ever had them: nothing can be read
        sent = dict.fromkeys(cards, NO_CHIP)
    return outcome_of(step, sheet, cards, sent)


def live_cards(state: FloorState, sheet_id: int) -> list[int]:
    """Give the cards of a sheet that can still become good, by position, 0 where there is none."""
    sheet = state.sheets[sheet_id]
    return [card if sheet.live >> place & 1 else 0 for place, card in enumerate(sheet.cards)]


class Lies:
    """Which lies were recorded lately: said again every two seconds, or in a flood, they would fill the ledger."""

    def __init__(self) -> None:
        self._told_s: dict[tuple[str, str, int], float] = {}  # station, code, its open job -> when

    def event_of(self, state: FloorState, station: str, lied: p.Lied, now_s: float) -> e.AnyEvent | None:
        """Give the event of a lie, None when the same one was recorded less than `LIE_AGAIN_S` ago."""
        lie = (station, lied.code, lied.job_id if lied.job_id in state.jobs else 0)
        if now_s - self._told_s.get(lie, -math.inf) < LIE_AGAIN_S:
            return None
        if len(self._told_s) >= LIES_MAX:
            self._told_s = {one: at for one, at in self._told_s.items() if now_s - at < LIE_AGAIN_S}
        self._told_s[lie] = now_s
        return e.StationSpokeNonsense(station, lied.code, lied.job_id)


class Patience:
    """How many changes each station may still say: each of them is a row of the ledger, and a liar has no end.

    What is said beyond it waits, the last word of each kind, until there is room again.
    """

    def __init__(self, scale: float) -> None:
        self._per_s = WORDS_PER_S * max(1.0, scale)  # a simulated floor lives faster
        self.rest_s = 1.0 / self._per_s  # until there is room for one more
        self._left: dict[str, tuple[float, float]] = {}  # station -> words left, when that was

    def lasts(self, station: str, now_s: float) -> bool:
        """Take one word; say whether it may be listened to."""
        left, at_s = self._left.get(station, (WORDS_BURST, now_s))
        left = min(WORDS_BURST, left + (now_s - at_s) * self._per_s)
        self._left[station] = (left - 1.0 if left >= 1.0 else left, now_s)
        return left >= 1.0


def _told(state: str) -> str:
    """Give the state the foreman hears."""
    return StationState.IDLE if state == StationState.EXECUTE else state
