"""The foreman, the one judge: events and their times go in, moves and actions come out; it never asks for "now"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core import events as e
from controller.core import moves as m
from controller.core.acts import act_asked, act_seconded, act_withdrawn, end_overdue_acts
from controller.core.andon_owning import ANDON_HANDLERS
from controller.core.break_glass import RIGHTS_HANDLERS, mend_glass
from controller.core.cards import MOVES, Decision, State
from controller.core.cases import CASE_HANDLERS, batch_opened
from controller.core.drift import DriftWatch
from controller.core.exit_check import EXIT_CHECK, exit_difference
from controller.core.express import EXPRESS_HANDLERS
from controller.core.fold import apply
from controller.core.hold_moves import BatchReleased, CardHeld, CardReleased
from controller.core.holding import HOLD_HANDLERS
from controller.core.key_acts import KEY_HANDLERS, keep_keys
from controller.core.plan import plan
from controller.core.quarantine import take_signals
from controller.core.record_keeping import RECORD_HANDLERS, ask_for_purges
from controller.core.restored import RESTORE_HANDLERS
from controller.core.results import bundle_packed, job_forgotten, job_never_seen, step_done
from controller.core.review import REVIEW_HANDLERS, contest, needs_two
from controller.core.review_moves import CardContested
from controller.core.settings import CoreConfig
from controller.core.state import Batch, FloorState
from controller.core.stations import STATION_HANDLERS, end_sign_ons, silence
from controller.core.stocktaking import STOCK_HANDLERS
from controller.core.turn import Turn


class Foreman:
    """Decides everything that is decided on the floor.

    Feed it events in the order of their stamps.  The moves of a turn are already folded into `state` when `handle`
    returns; release its actions and its answer only after the moves are durable.
    """

    def __init__(self, config: CoreConfig, state: FloorState | None = None) -> None:
        self.config = config
        self.state = state or FloorState(drift=DriftWatch(config.drift))

    def handle(self, event: e.AnyEvent, now_floor_s: float) -> Turn:
        """Take one event at its time.  Raises: CoreError when a law would break; then the service must end."""
        state = self.state
        turn = Turn(state, self.config, now_floor_s)
        HANDLERS[type(event)](turn, event)
        if state.drift.signals or state.doubtful:
            take_signals(turn)
        if state.sign_on_ends:
            end_sign_ons(turn)
        if not STOPPING.isdisjoint(map(type, turn.moves)):
            _finish_stopped(turn)
        if state.acts:
            end_overdue_acts(turn)
        if state.glass:
            mend_glass(turn)
        plan(turn)
        return turn

    def replay(self, at_floor_s: float, move: m.AnyMove) -> None:
        """Fold one move of the ledger, at start."""
        apply(self.state, at_floor_s, move)


# ---- start, batches -------------------------------------------------------------------------------------------


def _began(turn: Turn, event: e.ServiceBegan) -> None:
    """Ask for everything that was under way when the last run ended."""
    state = turn.state
    turn.record(m.ServiceStarted(state.run + 1))
    for job_id, cards in state.encode_jobs.items():
        turn.act(e.Encode(job_id, cards))
    for job in state.jobs.values():
        turn.act(e.AskJob(job.job_id, job.station))
    ask_for_purges(turn)
    keep_keys(turn)
    for station in sorted(state.stations):
        silence(turn, station)


def _timer(turn: Turn, event: e.TimerFired) -> None:
    """Do nothing: every turn ends with the plan."""


def _batch_checked(turn: Turn, event: e.BatchChecked) -> None:
    if event.codes:
        turn.record(m.BatchRefused(event.batch_id, event.batch_number, event.upstream, event.codes))
        return
    for earlier, rival in event.contests:
        contest(turn, earlier, rival)
    turn.record(batch_opened(event, turn.config.calendar))
    finish_batch(turn, event.batch_id)


def finish_batch(turn: Turn, batch_id: int) -> None:
    """Send off what is bundled when nothing more will come, and close the batch when nothing is open."""
    batch = turn.state.batches.get(batch_id)
    if batch is None:
        return
    if not turn.state.reconciling and turn.config.plan.auto_dispatch and batch.bundles and not batch.in_making():
        _send(turn, batch, "dispatch")  # without what is held
    if not batch.has_open():
        turn.record(_closing(batch))


def _finish_stopped(turn: Turn) -> None:
    """Look at the batches of cards that stopped or were held in this turn: the rest of one may be ready to go.

    So may be what was released.
    """
    stopping = (m.CardStopped, CardContested, CardHeld, CardReleased)
    stopped = [turn.state.cards[move.card].batch_id for move in turn.moves if isinstance(move, stopping)]
    stopped += [move.batch_id for move in turn.moves if isinstance(move, BatchReleased)]
    for batch_id in dict.fromkeys(stopped):
        finish_batch(turn, batch_id)


def _closing(batch: Batch) -> m.BatchClosed:
    return m.BatchClosed(
        batch.batch_id,
        batch.received,
        batch.refused_rows + batch.states[State.REFUSED],
        batch.states[State.CANCELLED],
        batch.states[State.REFUSED_LATE],
        batch.states[State.DISPATCHED],
    )


def _send(turn: Turn, batch: Batch, by: str, scanned: bool = False) -> None:
    bundles = turn.state.leaving(batch)
    if not bundles:
        return
    consignment, box_max = turn.state.next_id("consignment"), turn.config.plan.box_max
    turn.record(m.ConsignmentSent(consignment, batch.batch_id, bundles, by, scanned, box_max))


def _dispatch_asked(turn: Turn, event: e.DispatchAsked) -> None:
    batch = turn.state.batches.get(event.batch_id)
    if batch is None or not batch.bundles:
        turn.refuse("dispatch.nothing", "this batch has no bundle that waits to be sent")
        return
    leaving = turn.state.leaving(batch)
    if not leaving:
        turn.refuse("dispatch.held", "a person holds this batch, or a card in each of its bundles: release it first")
        return
    if turn.config.plan.exit_scan and not event.scanned:
        turn.refuse("dispatch.not_scanned", "here nothing leaves unscanned: name every bundle that leaves")
        return
    differs = exit_difference(leaving, event.scanned) if event.scanned else ""
    if differs:
        turn.refuse(EXIT_CHECK, f"nothing left: {differs}; find out why, then scan every bundle that leaves anew")
        return
    _send(turn, batch, event.by, bool(event.scanned))
    finish_batch(turn, event.batch_id)


def _arrived(turn: Turn, event: e.ArrivalReported) -> None:
    if not 1 <= event.consignment_id <= turn.state.last_id["consignment"]:
        turn.refuse("arrival.no_consignment", "no consignment of this number was sent: see `cardmill consignments`")
        return
    arrival_id = turn.state.next_id("arrival")
    turn.record(m.ArrivalCounted(arrival_id, event.consignment_id, event.unit, event.sent, event.cards, event.by))


# ---- cards ----------------------------------------------------------------------------------------------------


def _cards_encoded(turn: Turn, event: e.CardsEncoded) -> None:
    if event.job_id not in turn.state.encode_jobs:
        return  # told twice: the first time counts
    turn.record(m.EncodeEnded(event.job_id, event.failed))
    for number, code in event.failed:
        card = turn.state.cards.get(number)
        if card is not None and card.state is State.ACCEPTED:
            turn.record(m.CardStopped(number, code))


def _decision_made(turn: Turn, event: e.DecisionMade) -> None:
    card = turn.state.cards.get(event.card)
    if card is None or event.decision not in list(Decision):
        turn.refuse("decision.no_card", "no open card has this number, or there is no such decision")
        return
    decision = event.decision
    if card.state is State.HELD and decision == Decision.CANCEL:
        decision = Decision.REFUSE  # it was never accepted, so it cannot be cancelled
    if (card.state, decision) not in MOVES:
        turn.refuse("decision.too_late", f"the card is {card.state}: {decision} is not possible then")
        return
    if decision in (Decision.RELEASE, Decision.RESUME) and needs_two(turn, card):
        turn.refuse("decision.second_person", "two people share this number: use the act `override`, by two people")
        return
    turn.record(m.CardDecided(event.card, decision, event.by, event.reason))
    finish_batch(turn, card.batch_id)


# ---- packing -----------------------------------------------------------------------------------------------------


def _packed(turn: Turn, event: e.BundlePacked) -> None:
    job = turn.state.jobs.get(event.job_id)
    bundle_packed(turn, event)
    if job is not None and job.cards:
        finish_batch(turn, turn.state.cards[job.cards[0]].batch_id)


def _seconded(turn: Turn, event: e.ActSeconded) -> None:
    act = turn.state.acts.get(event.act_id)
    act_seconded(turn, event)
    if act is not None and act.verb == "reconciled" and turn.refused is None:
        for batch_id in list(turn.state.batches):
            finish_batch(turn, batch_id)
    if act is not None and act.verb in ("override", "set_good") and turn.refused is None:
        finish_batch(turn, turn.state.cards[int(act.args["card"])].batch_id)


STOPPING = frozenset({m.CardStopped, CardContested, CardHeld, CardReleased, BatchReleased})  # see `_finish_stopped`
HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.ServiceBegan: _began,
    e.TimerFired: _timer,
    e.BatchChecked: _batch_checked,
    e.CardsEncoded: _cards_encoded,
    e.StepDone: step_done,
    e.BundlePacked: _packed,
    e.JobNeverSeen: job_never_seen,
    e.JobForgotten: job_forgotten,
    e.DecisionMade: _decision_made,
    e.ActAsked: act_asked,
    e.ActSeconded: _seconded,
    e.ActWithdrawn: act_withdrawn,
    e.DispatchAsked: _dispatch_asked,
    e.ArrivalReported: _arrived,
    **STATION_HANDLERS,
    **STOCK_HANDLERS,
    **CASE_HANDLERS,
    **RECORD_HANDLERS,
    **REVIEW_HANDLERS,
    **EXPRESS_HANDLERS,
    **HOLD_HANDLERS,
    **RESTORE_HANDLERS,
    **RIGHTS_HANDLERS,
    **KEY_HANDLERS,
    **ANDON_HANDLERS,
}
