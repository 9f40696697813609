"""What follows from a station's last word on a job: yields by position, blanks bound, suspects, remakes."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter

from controller.core import events as e
from controller.core.cards import Card
from controller.core.moves import (
    BundleMade,
    BundleStopped,
    JobEnded,
    Mark,
    SheetBound,
    SheetEnd,
    StationLied,
    positions_in,
)
from controller.core.quarantine import quarantine_doubtful
from controller.core.state import Job, Sheet
from controller.core.turn import Turn
from devices.defects import FATE_UNKNOWN, GOOD, Step
from devices.messages import POSITIONS, SINGLE, Fate, blank_serial

# asked for each sheet: as a class's attribute, a member of an enum costs ten times as much (measured)
_LAMINATE, _WRITE, _INSPECT = Step.LAMINATE, Step.WRITE, Step.INSPECT
_DONE, _SPOILED, _UNTOUCHED = Fate.DONE, Fate.SPOILED, Fate.UNTOUCHED
_PASSED, _MARK_SPOILED, _MARK_FILM = Mark.PASSED, Mark.SPOILED, Mark.FILM_SPOILED
_SHEET_ID = attrgetter("sheet_id")
ALL_LIVE = (1 << POSITIONS) - 1
ALL_GOOD = [GOOD] * POSITIONS
WRONG_BLANK = "W9"
COUNT_DIFFERS = "K2"


def step_done(turn: Turn, event: e.StepDone) -> None:
    """Take a station's result for a load of sheets."""
    job = _job_of(turn, event.station, event.job_id)
    if job is None:
        return
    told = list(map(_SHEET_ID, event.sheets))
    if told != job.sheets and sorted(told) != sorted(job.sheets):
        turn.record(StationLied(event.station, "station.other_sheets", event.job_id))
        return
    ends = []
    for outcome in event.sheets:  # most often one: a list made at once costs more
        ends.append(_sheet_done(turn, job, outcome))  # noqa: PERF401
    turn.record(JobEnded(job.job_id, job.station, job.step, "done", event.started_floor_s, event.ended_floor_s, ends))
    turn.act(e.ReleaseJob(job.job_id, job.station))


def bundle_packed(turn: Turn, event: e.BundlePacked) -> None:
    """Take a packer's result: the scanned set must be the expected set, nothing missing, twice or foreign."""
    job = _job_of(turn, event.station, event.job_id)
    if job is None:
        return
    cards = turn.state.cards_of(job.cards)
    blanks = [card.blank for card in cards]
    if blanks == event.blanks or sorted(blanks) == sorted(event.blanks):
        first = cards[0]
        turn.record(BundleMade(job.bundle_id, first.batch_id, first.unit, list(job.cards), job.station))
    else:
        expected, scanned = Counter(blanks), Counter(event.blanks)
        turn.record(_wrong_scan(job, cards, expected - scanned, scanned - expected))
    turn.record(
        JobEnded(
            job.job_id, job.station, job.step, "done", event.started_floor_s, event.ended_floor_s, [], len(job.cards)
        )
    )
    quarantine_doubtful(turn)  # before anybody sends the bundle off
    turn.act(e.ReleaseJob(job.job_id, job.station))


def _wrong_scan(job: Job, cards: list[Card], missing: Counter[int], foreign: Counter[int]) -> BundleStopped:
    """Give the end of a bundle that did not scan whole: its pile waits, or it would be packed for ever."""
    return BundleStopped(
        job.bundle_id,
        list(job.cards),
        COUNT_DIFFERS,
        missing.total(),
        foreign.total(),
        job.station,
        [card.card for card in cards if card.blank in missing],
        sorted(foreign),
        waits=True,
    )


def job_never_seen(turn: Turn, event: e.JobNeverSeen) -> None:
    """Give the same job again, by the same number: the station never had it."""
    if turn.state.reconciling:
        job_forgotten(turn, e.JobForgotten(event.station, event.job_id))
        return
    job = _job_of(turn, event.station, event.job_id)
    if job is not None:
        turn.act(start_action(turn, job))


def job_forgotten(turn: Turn, event: e.JobForgotten) -> None:
    """Nobody can say what happened: films are void, bound blanks become suspect, a bundle is packed anew."""
    job = _job_of(turn, event.station, event.job_id)
    if job is None:
        return
    ends = []
    for sheet_id in job.sheets:
        sheet = turn.state.sheet(sheet_id)
        ends.append(SheetEnd(sheet_id, "unknown", FATE_UNKNOWN, sheet.live))
        # a film without a body is void; once a press had it, a body may be under it
        is_film = job.step is Step.PRINT and not turn.state.reconciling
        mark = Mark.FILM_SPOILED if is_film else Mark.SUSPECTED
        turn.mark(sheet, sheet.live, mark, FATE_UNKNOWN, job.station, job.step)
    if job.cards:
        turn.record(BundleStopped(job.bundle_id, list(job.cards), FATE_UNKNOWN, len(job.cards), 0, job.station))
    now = turn.now_floor_s
    turn.record(JobEnded(job.job_id, job.station, job.step, "unknown", job.started_floor_s, now, ends, len(job.cards)))
    turn.act(e.ReleaseJob(job.job_id, job.station))


def start_action(turn: Turn, job: Job) -> e.StartJob:
    """Give the action that hands a job's load to its station: live cards by position, 0 where none is."""
    state, sheets, singles = turn.state, [], []
    for sheet_id in job.sheets:
        sheet = state.sheet(sheet_id)
        if sheet.places == SINGLE:
            singles.append(sheet_id)
        live = sheet.cards[:]
        if sheet.live != ALL_LIVE:
            live = [card if sheet.live >> place & 1 else 0 for place, card in enumerate(live)]
        sheets.append((sheet_id, live))
    if not job.cards:
        return e.StartJob(job.job_id, job.station, job.step, sheets, job.bundle_id, singles=singles)
    cards = state.cards_of(job.cards)
    blanks = [card.blank for card in cards]
    return e.StartJob(job.job_id, job.station, job.step, sheets, job.bundle_id, cards[0].unit, blanks, singles)


def _job_of(turn: Turn, station: str, job_id: int) -> Job | None:
    """Give an open job of a station; one that ended before may be forgotten by the station, too."""
    job = turn.state.jobs.get(job_id)
    if job is None:
        turn.act(e.ReleaseJob(job_id, station))
    elif job.station != station:
        turn.record(StationLied(station, "station.other_job", job_id))
        return None
    return job


def _sheet_done(turn: Turn, job: Job, outcome: e.SheetOutcome) -> SheetEnd:
    """Take one sheet's outcome, and give its row of the job's end."""
    sheet = turn.state.sheet(outcome.sheet_id)
    worked, fate, step = sheet.live, outcome.fate, job.step
    if step is _LAMINATE and (outcome.body or fate == _DONE) and not _bind(turn, job, sheet, outcome.body):
        fate = "unknown"
    elif fate == _DONE:
        if (step is _WRITE or step is _INSPECT) and _has_wrong_blank(job, sheet, outcome):
            # person and body no longer agree: nobody may guess which of them moved
            turn.mark(sheet, sheet.live, Mark.SUSPECTED, WRONG_BLANK, job.station, step)
        elif step is _INSPECT or outcome.codes != ALL_GOOD:
            _mark_positions(turn, job, sheet, outcome.codes)
    elif fate == _SPOILED:
        mark = Mark.SPOILED if sheet.body else Mark.FILM_SPOILED
        turn.mark(sheet, sheet.live, mark, outcome.code, job.station, step)
    return SheetEnd(outcome.sheet_id, fate, outcome.code, 0 if fate == _UNTOUCHED else worked)


def _bind(turn: Turn, job: Job, sheet: Sheet, body: int) -> bool:
    """Bind a film to its body sheet; False, and suspect, when that body cannot be in this magazine."""
    if not turn.state.stock.magazine_holds(job.station, body, sheet.places):
        turn.record(StationLied(job.station, "station.foreign_body", job.job_id))
        turn.mark(sheet, sheet.live, Mark.SUSPECTED, FATE_UNKNOWN, job.station, job.step)
        return False
    turn.record(SheetBound(sheet.sheet_id, body, job.station))
    unused = sheet.all_places() & ~sheet.live
    if unused:
        turn.mark(sheet, unused, Mark.UNUSED, GOOD, job.station, job.step)
    return True


def _has_wrong_blank(job: Job, sheet: Sheet, outcome: e.SheetOutcome) -> bool:
    """Say whether a chip answered with a number that is not the serial bound to its position."""
    if not sheet.body:
        return False
    first = blank_serial(sheet.body, 0)
    if outcome.blanks == list(range(first, first + POSITIONS)):  # by far the most
        return False
    for position in positions_in(sheet.live):
        blank, good = outcome.blanks[position], outcome.codes[position] == GOOD
        if blank != blank_serial(sheet.body, position) and (blank or (good and _reads_chip(job, sheet))):
            return True
    return False


def _reads_chip(job: Job, sheet: Sheet) -> bool:
    """Say whether a good position must have answered with its chip's number (a card without a chip cannot)."""
    return sheet.kind != "first"


def _mark_positions(turn: Turn, job: Job, sheet: Sheet, codes: list[str]) -> None:
    """Mark what went wrong at each live position, and at inspection what passed."""
    if codes == ALL_GOOD:  # by far the most
        if job.step is _INSPECT:
            turn.mark(sheet, sheet.live, _PASSED, GOOD, job.station, job.step)
        return
    bad: dict[str, int] = {}
    for position in positions_in(sheet.live):
        if codes[position] != GOOD:
            bad[codes[position]] = bad.get(codes[position], 0) | 1 << position
    mark = _MARK_SPOILED if sheet.body else _MARK_FILM
    passed = sheet.live & ~sum(bad.values())
    for code, mask in sorted(bad.items()):
        turn.mark(sheet, mask, mark, code, job.station, job.step)
    if job.step is _INSPECT:
        turn.mark(sheet, passed, _PASSED, GOOD, job.station, job.step)
    elif job.step is Step.PRINT and sum(bad.values()).bit_count() >= turn.config.remake.discard_film_at:
        worst = max(sorted(bad), key=lambda code: bad[code].bit_count())
        turn.mark(sheet, passed, Mark.FILM_SPOILED, worst, job.station, job.step)
