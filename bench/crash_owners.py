"""Who has what is in progress, read from the floor's state: after a restart nothing may belong to nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from controller.core.cards import State
from controller.core.state import FloorState, Job, Sheet


def orphans(state: FloorState) -> Iterator[str]:
    """Name every job, sheet and card that is in progress and has no owner, or two."""
    for job in state.jobs.values():
        yield from _of_job(state, job)
    for name, station in state.stations.items():
        if station.job_id and station.job_id not in state.jobs:
            yield f"{name} has job {station.job_id}, which is none"
    on_sheets: Counter[int] = Counter()
    for sheet in state.sheets.values():
        yield from _of_sheet(state, sheet)
        on_sheets.update(card for place, card in enumerate(sheet.cards) if (sheet.live | sheet.suspect) >> place & 1)
    yield from _of_cards(state, on_sheets)


def _of_job(state: FloorState, job: Job) -> Iterator[str]:
    station = state.stations.get(job.station)
    if station is None or station.job_id != job.job_id:
        yield f"job {job.job_id} is not the one {job.station} has"
    if not (job.sheets or job.cards):
        yield f"job {job.job_id} is about nothing"
    for sheet_id in job.sheets:
        if sheet_id not in state.sheets or state.sheets[sheet_id].job_id != job.job_id:
            yield f"job {job.job_id} has sheet {sheet_id}, which does not know it"
    for card in job.cards:
        if state.cards[card].state is not State.GOOD:
            yield f"job {job.job_id} packs card {card}, which is {state.cards[card].state}"


def _of_sheet(state: FloorState, sheet: Sheet) -> Iterator[str]:
    waits = sheet.place() in state.waiting[sheet.step]
    if sheet.job_id:
        if sheet.job_id not in state.jobs or waits:
            yield f"sheet {sheet.sheet_id} is in job {sheet.job_id} that is none, or waits besides"
    elif not waits and sheet.live:
        yield f"sheet {sheet.sheet_id} is in no job and waits for none"


def _of_cards(state: FloorState, on_sheets: Counter[int]) -> Iterator[str]:
    encoding = Counter(card for cards in state.encode_jobs.values() for card in cards)
    waiting = {rank[-1] for rank in state.unencoded}
    for number, times in (on_sheets + encoding).items():
        if times > 1:
            yield f"card {number} is in two places"
    for card in state.cards.values():
        number = card.card
        if card.state in (State.IMPOSED, State.QUARANTINED, State.SUSPECT):
            if not on_sheets[number]:
                yield f"card {number} is {card.state} and on no sheet"
        elif card.state is State.ACCEPTED and number not in encoding and number not in waiting:
            yield f"card {number} waits for no encoder and is in none"
