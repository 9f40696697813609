"""Why a card, a sheet, a batch or a station is where it is: one sentence from the state, and nothing is changed.

The state is looked at between two turns, so whatever could start has started; what it waits for, the plan is asked.
"""

from __future__ import annotations

from controller.core.cards import FINAL, State
from controller.core.settings import CoreConfig
from controller.core.state import SILENT, Batch, FloorState, Station
from controller.core.turn import Refused
from controller.core.why.card import hold_facts, why_card, why_sheet
from controller.core.why.look import BEATEN_MAX, Look, condition, stations_of, works
from controller.core.why.sentences import MEANINGS, Facts, Reason
from controller.core.why.step import idle_tail
from devices.defects import Step
from devices.messages import StationState

WAIT_FOR = (  # what holds a batch, worst first: people, then the way a card goes
    *(State.HELD, State.STOPPED, State.SUSPECT),
    *(State.ACCEPTED, State.READY, State.IMPOSED, State.QUARANTINED, State.GOOD, State.MADE),
)


def why(
    state: FloorState, config: CoreConfig, now_floor_s: float, thing: str, stopped_for: str = ""
) -> Reason | Refused:
    """Give the one sentence that says why a thing is where it is.

    `thing` is a station's name, a batch's 25 digits (of a card that came back with `-R1-2` behind them), `sheet N` or
    `card N`; `stopped_for` is the ledger's code of a stopped card, which the state does not keep.  Refused,
    `why.unknown`: no such thing is on the floor.
    Cost: far below a millisecond; a batch of 10,000 cards takes some.
    """
    look = Look(state, config, now_floor_s, stopped_for)
    noun, _, digits = thing.strip().partition(" ")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else -1
    if thing in state.stations:
        return _station(look, state.stations[thing])
    if noun == "card" and number in state.cards:
        return why_card(look, state.cards[number])
    if noun == "sheet" and number in state.sheets:
        return why_sheet(look, state.sheets[number], (f"Sheet {number}", f"联 {number} "))
    for batch in state.batches.values():
        if batch.batch_number == noun and not digits:
            return _batch(look, batch)
    text = (
        "nothing of this name is on the floor: say a station, a batch's 25 digits, `sheet N`, `card N` or the 22 digits"
    )
    return Refused("why.unknown", f"{text} of an application; what never came is not known")


def _station(look: Look, station: Station) -> Reason:
    """Say what a station works on, who or what holds it, or why it has no load."""
    state, what = look.state, (f"Station {station.station}", f"设备 {station.station} ")
    facts: Facts = {"step": station.step.value}
    others = [one for one in stations_of(state, station.step) if one is not station]
    beaten = [f"{one.station}: {f'job {one.job_id}' if one.job_id else one.state}" for one in others]
    if station.job_id:
        reason = works(look, state.jobs[station.job_id], what, facts, is_station=True)
        return Reason(reason.sentence_en, reason.sentence_zh, reason.facts, (reason.beaten or beaten)[:BEATEN_MAX])
    if station.state != StationState.IDLE:
        meaning = MEANINGS.get(station.state, MEANINGS[SILENT])
        return look.say(what, ["away"], {**facts, **condition(station), "meaning": meaning}, beaten)
    key, more = idle_tail(look, station)
    return look.say(what, ["idle", key], {**facts, **more}, beaten)


def _batch(look: Look, batch: Batch) -> Reason:
    """Say how far a batch is, and what holds the card that will be its last."""
    state = look.state
    facts: Facts = {"cards": len(batch.cards), "due_floor_s": batch.due_floor_s}
    facts["late_s"] = max(0.0, look.now_floor_s - batch.due_floor_s)
    facts["open"] = sum(count for one, count in batch.states.items() if one not in FINAL)
    facts |= {f"count_{one.value}": batch.states[one] for one in State if batch.states[one]}
    what = (f"Batch {batch.batch_number}", f"数据包 {batch.batch_number} ")
    hold = state.batch_holds.get(batch.batch_id)
    worst = next((one for one in WAIT_FOR if batch.states[one]), None)
    cards = [state.cards[number] for number in batch.cards]
    held = [card for card in cards if card.card in state.card_holds] if state.card_holds else []
    left = held or [card for card in cards if card.state is worst] or cards
    if worst is State.IMPOSED and not held:
        steps = {sheet: list(Step).index(state.sheets[sheet].step) for sheet in {card.sheet_id for card in left}}
        left = [card for card in left if steps[card.sheet_id] == min(steps.values())]
    last = why_card(look, max(left, key=lambda card: card.rank))
    if hold:
        head = look.say(what, ["batch_held", "batch"], facts | hold_facts(hold), because="batch_held")
    else:
        head = look.say(what, ["batch"], facts)
    texts = (head.sentence_en + last.sentence_en, head.sentence_zh + last.sentence_zh)
    return Reason(*texts, {**last.facts, **(head.facts if hold else facts)}, last.beaten)
