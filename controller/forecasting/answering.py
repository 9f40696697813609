"""How a question becomes an answer: the floor is forked, run many times in forked processes, and added up."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from math import inf

import msgspec
from msgspec.structs import replace

from controller.core.line.change import NOTHING, Change
from controller.core.line.figures import Estimates
from controller.core.line.finishes import Finishes
from controller.core.line.fork import Fork
from controller.core.line.observed import people
from controller.core.line.outcome import Finish, LineRun
from controller.core.line.run import run_line
from controller.core.line.summary import compare, quantile, sensitivity, summarise
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.forecasting.errors import ForecastTooLong
from controller.forecasting.floor_copy import FloorCopy
from controller.forecasting.forked import run_forked
from controller.forecasting.messages import (
    Answered,
    Ask,
    DifferenceMade,
    FinishOf,
    ForecastMade,
    Made,
    Question,
    SensitivityMade,
)
from controller.hosts.heap import HeapHost
from devices.defects import Step

RUNS_LEAST = 20  # of which something can be said, when the time is over
SEEDS = 1 << 16  # seeds of one state of the ledger: the next one has others

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[LineRun]).decode


def answer(copy: FloorCopy, ask: Ask, config: CoreConfig, told: Callable[[int, int], None]) -> Answered:
    """Give the answer to a question about the floor as it stands in the ledger; `told` hears how far it is.

    Raises: ForecastError.  LedgerDamaged, CoreError, DBAPIError: the copy is of no more use then.
    """
    started_s, question = time.monotonic(), ask.question
    told(0, question.runs)
    state, estimates = copy.catch_up().state, copy.estimator.estimates()
    now_floor_s = max(ask.now_floor_s, copy.last_floor_s)
    runs = _runs_of(Fork.of(state), copy.seq * SEEDS, estimates, ask, config, now_floor_s, told)
    made = Made(
        at_floor_s=now_floor_s,
        seq=copy.seq,
        runs=len(runs),
        asked_runs=question.runs,
        took_s=round(time.monotonic() - started_s, 3),
    )
    base = [of_seed[0] for of_seed in runs]
    if question.sensitivity:
        more = {step: [of_seed[place] for of_seed in runs] for place, step in enumerate(Step, 1)}
        return SensitivityMade(made=made, steps=sensitivity(base, more))
    if question.is_whatif:
        numbers = {one.batch_id: one.batch_number for one in state.batches.values()}
        changed = [of_seed[1] for of_seed in runs]
        return DifferenceMade(made=made, difference=compare(base, changed), batch_numbers=numbers)
    return _forecast(made, state, base, estimates)


def changes_of(question: Question) -> list[Change]:
    """Give the kinds of runs that each seed takes: the floor as it is first."""
    if question.sensitivity:
        return [NOTHING, *(Change(added=((step, 1),)) for step in Step)]
    return [NOTHING, question.change] if question.is_whatif else [NOTHING]


def _runs_of(
    fork: Fork,
    first_seed: int,
    estimates: Estimates,
    ask: Ask,
    config: CoreConfig,
    now_floor_s: float,
    told: Callable[[int, int], None],
) -> list[list[LineRun]]:
    """Give the runs of each seed that was done in time, in the order of the seeds.  Raises: ForecastError."""
    question, changes = ask.question, changes_of(ask.question)

    def work(number: int) -> bytes:
        seed = first_seed + number
        runs = [run_line(fork, config, estimates, now_floor_s, seed, change, make_host=HeapHost) for change in changes]
        return _encode(runs)

    gc.freeze()  # what is here is shared with the processes of the runs, until somebody writes to it
    found = run_forked(work, question.runs, ask.processes, ask.within_s, lambda done: told(done, question.runs))
    if len(found) < min(RUNS_LEAST, question.runs):
        raise ForecastTooLong(
            f"{len(found)} of {question.runs} runs were done in {ask.within_s:g} s: raise forecast.within_s"
        )
    return [_decode(found[number]) for number in sorted(found)]


def _forecast(made: Made, state: FloorState, runs: Sequence[LineRun], estimates: Estimates) -> ForecastMade:
    found, waiting = summarise(runs), Finishes(state).waiting
    of_batch = {batch_id: [run.batches[batch_id] for run in runs] for batch_id in runs[0].batches}
    of_unit: dict[tuple[int, str], list[float | None]] = {}
    for run in runs:
        for batch_id, unit, at_floor_s in run.bundles:
            of_unit.setdefault((batch_id, unit), []).append(at_floor_s)
    return ForecastMade(
        made=made,
        batches=[_with_people(_finish(one, state, of_batch[one.batch_id]), waiting, runs) for one in found.batches],
        units=[_finish(one, state, of_unit[one.batch_id, one.unit]) for one in found.bundles],
        starving=found.starving,
        cards_per_day=found.cards_per_day,
        cards_per_day_low=found.cards_per_day_low,
        cards_per_day_high=found.cards_per_day_high,
        busy_share=found.busy_share,
        people=people(estimates, state, _by_word(waiting)),
    )


def _by_word(waiting: Counter[tuple[int, str]]) -> Counter[str]:
    words: Counter[str] = Counter()
    for (_, word), cards in waiting.items():
        words[word] += cards
    return words


def _with_people(one: FinishOf, waiting: Counter[tuple[int, str]], runs: Sequence[LineRun]) -> FinishOf:
    """Say of a batch what of it waits for people, and when the rest of it will be finished."""
    words = {word: cards for (batch_id, word), cards in sorted(waiting.items()) if batch_id == one.batch_id}
    if not words or one.batch_id not in runs[0].others:
        return replace(one, waiting=words)
    ends = [inf if run.others[one.batch_id] is None else float(run.others[one.batch_id] or 0.0) for run in runs]
    p50, p90 = (None if (end := quantile(ends, share)) == inf else end for share in (0.5, 0.9))
    return replace(one, waiting=words, others_p50_floor_s=p50, others_p90_floor_s=p90)


def _finish(one: Finish, state: FloorState, ends: Sequence[float | None]) -> FinishOf:
    batch = state.batch(one.batch_id)
    late = sum(at_floor_s is None or at_floor_s > batch.due_floor_s for at_floor_s in ends)
    return FinishOf(
        batch_id=one.batch_id,
        batch_number=batch.batch_number,
        unit=one.unit,
        due_floor_s=batch.due_floor_s,
        p50_floor_s=one.p50_floor_s,
        p90_floor_s=one.p90_floor_s,
        late_percent=round(100.0 * late / len(ends), 1),
        finished_percent=round(100.0 * one.finished_share, 1),
    )
