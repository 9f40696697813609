"""Mutants of the floor: stations, jobs, blanks, bundles and what people may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import events as e
from controller.core import moves as m
from controller.core import plan, results
from controller.core import stock_moves as sm
from controller.core.acts import ACTS
from controller.core.cards import MOVES, Decision, State
from controller.core.fold import FOLDS
from controller.core.foreman import HANDLERS
from controller.core.moves import Mark
from controller.core.state import FloorState
from controller.core.stock import Account, Stock
from controller.core.turn import Turn
from controller.floor import readback
from controller.ledger.receipts import kind_of
from controller.ledger.ways import WAYS, Way
from devices.defects import GOOD, Step
from devices.messages import Release
from devices.protocol import ControllerSide
from devices.recent import RecentIds
from sims.storm.planting import Mutant, Patch, always

Handler = Callable[[Turn, Any], None]
Fold = Callable[[Any, float, Any], None]


def _way(cause: str, after: State, *befores: State) -> tuple[Patch, ...]:
    """Open a way to a state of a card, in the core's table and in the ledger's."""

    def widened(right: Way) -> Way:
        names = {before.value for before in befores}
        return Way(right.before | names, after.value, kind_of(befores[0], after))

    core: list[Patch] = [(MOVES, (before, cause), always(after)) for before in befores]
    return (*core, (WAYS, cause, widened))


def _given_again(right: Handler) -> Handler:
    """Put every open load back into its queue at a start, so that it is given under another number."""

    def began(turn: Turn, event: e.ServiceBegan) -> None:
        for job in list(turn.state.jobs.values()):
            if not job.bundle_id:
                ends = [m.SheetEnd(sheet_id, "untouched", GOOD, 0) for sheet_id in job.sheets]
                now = turn.now_floor_s
                turn.record(m.JobEnded(job.job_id, job.station, job.step, "unknown", now, now, ends))
        right(turn, event)

    return began


def _never_taken_off(right: Fold) -> Fold:
    def ended(state: Any, at: float, move: m.JobEnded) -> None:
        job = state.jobs[move.job_id]
        right(state, at, move)
        state.jobs[move.job_id] = job

    return ended


def _released_at_once(right: Callable[..., None]) -> Callable[..., None]:
    def done(self: ControllerSide, message: Any, heard: Any) -> None:
        right(self, message, heard)
        heard.messages.append(Release(job_ids=[message.job_id]))

    return done


def _film_not_blank(right: Callable[..., None]) -> Callable[..., None]:
    """Have a spoiled card made again, and its blank never recorded as spoiled."""

    def mark(self: Turn, sheet: Any, mask: int, mark: Mark, *rest: Any) -> None:
        right(self, sheet, mask, Mark.FILM_SPOILED if mark is Mark.SPOILED else mark, *rest)

    return mark


def _issued_twice(right: Fold) -> Fold:
    def issued(state: Any, at: float, move: sm.MagazineIssued) -> None:
        right(state, at, move)
        state.stock.blanks[Account.MAGAZINE] += move.sheets * move.places

    return issued


def _left_in_magazine(right: Callable[..., None]) -> Callable[..., None]:
    def draw(self: Stock, station: str, body: int) -> None:
        self.enter(Account.MAGAZINE, Account.SHEET, self.places_of(body))

    return draw


def _made_when_given(right: Handler) -> Handler:
    def pack(turn: Turn, station: Any) -> None:
        right(turn, station)
        job = turn.state.jobs.get(station.job_id)
        if job is not None and job.bundle_id and isinstance(turn.moves[-1], m.JobStarted):
            first = turn.state.card(job.cards[0])
            turn.record(m.BundleMade(job.bundle_id, first.batch_id, first.unit, list(job.cards), job.station))

    return pack


def _kept_after_sending(right: Fold) -> Fold:
    def sent(state: Any, at: float, move: m.ConsignmentSent) -> None:
        bundles = {bundle: state.bundles[bundle] for bundle in move.bundles}
        right(state, at, move)
        state.bundles.update(bundles)
        state.batch(move.batch_id).bundles += move.bundles

    return sent


def _done_by_one(right: Handler) -> Handler:
    def asked(turn: Turn, event: e.ActAsked) -> None:
        right(turn, event)
        if turn.refused is None:
            ACTS[event.verb][1](turn, event.args, event.by, event.by)
            turn.record(m.ActEnded(turn.answer, event.by, True))

    return asked


MUTANTS = (
    Mutant(
        "given_again_unasked",
        "a start gives open loads again without asking",
        ((HANDLERS, e.ServiceBegan, _given_again),),
    ),
    Mutant("result_taken_twice", "an ended job stays open", ((FOLDS, m.JobEnded, _never_taken_off),)),
    Mutant(
        "released_too_early",
        "a station may forget a result before it is durable",
        ((ControllerSide, "_done", _released_at_once),),
    ),
    Mutant(
        "settled_forgotten",
        "released jobs are not remembered",
        ((RecentIds, "add", always(lambda self, number: None)),),
    ),
    Mutant(
        "forgotten_given_again",
        "a load that a station cannot answer for is given again",
        ((HANDLERS, e.JobForgotten, always(results.job_never_seen)),),
    ),
    Mutant(
        "remake_before_spoil", "a card is made again before its blank is spoiled", ((Turn, "mark", _film_not_blank),)
    ),
    Mutant(
        "suspect_assumed_blank",
        "a suspect is made again",
        _way(Mark.SUSPECTED, State.READY, State.IMPOSED, State.QUARANTINED),
    ),
    Mutant(
        "suspect_assumed_good",
        "a suspect is packed",
        _way(Mark.SUSPECTED, State.GOOD, State.IMPOSED, State.QUARANTINED),
    ),
    Mutant(
        "cancel_after_print",
        "a card on a sheet may be cancelled",
        _way(Decision.CANCEL, State.CANCELLED, State.IMPOSED),
    ),
    Mutant(
        "issue_counted_twice", "an issue to a magazine is counted twice", ((FOLDS, sm.MagazineIssued, _issued_twice),)
    ),
    Mutant("blank_drawn_twice", "a drawn body stays in the magazine", ((Stock, "draw", _left_in_magazine),)),
    Mutant(
        "shift_unseen",
        "what inspection read is not compared",
        (
            (readback, "_compare", always(lambda seen, card, sent: GOOD)),
            (results, "_has_wrong_blank", always(lambda job, sheet, outcome: False)),
        ),
    ),
    Mutant(
        "made_before_bundle", "cards are made when the packer gets them", ((plan.RULES, Step.PACK, _made_when_given),)
    ),
    Mutant(
        "dispatched_twice", "a sent bundle stays with its batch", ((FOLDS, m.ConsignmentSent, _kept_after_sending),)
    ),
    Mutant(
        "held_goes_on",
        "what a person holds is planned and packed as before",
        ((FloorState, "is_held", always(lambda self, card: False)),),
    ),
    Mutant("one_person_enough", "an act of two is done when one asks", ((HANDLERS, e.ActAsked, _done_by_one),)),
)
