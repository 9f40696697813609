"""Why a card or a sheet is where it is: what it waits for, or where it is worked on and by which rule."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from controller.core.cards import FINAL, Card, State
from controller.core.holds import CardHold
from controller.core.plan import pile_rank
from controller.core.review_folds import SHARED_NUMBER
from controller.core.sheets import foremost, in_order
from controller.core.state import FloorState, Rank, Sheet
from controller.core.why.look import Look, for_two, neighbours, stations_of, works
from controller.core.why.sentences import Facts, Reason, counted
from controller.core.why.step import pack_tail, press_tail, print_tail, sheet_tail
from devices.defects import Step

SHEETS_AHEAD = 16  # imposed in thought, to tell what goes before a card: it bounds the cost
BESIDE_A_HOLD = frozenset(  # states in which more than the hold must end, or goes on meanwhile
    {State.HELD, State.STOPPED, State.IMPOSED, State.QUARANTINED, State.SUSPECT}
)
RANK_WORDS = ("remake", "express", "due earlier", "older batch", "police station", "place in its batch")
BY_BATCH = ("remake", "express", "its batch's turn", "its batch's turn", "police station", "place in its batch")


def why_card(look: Look, card: Card) -> Reason:
    """Say what a card waits for: a person's hold, and what its state tells besides."""
    hold, own = look.state.batch_holds.get(card.batch_id), look.state.card_holds.get(card.card)
    if own is None and hold is None:
        return _why_state(look, card)
    key, by = ("held_by", own) if own else ("batch_held_by", hold)
    facts: Facts = {"state": card.state.value, "generation": card.generation, "due_floor_s": card.due_floor_s}
    facts["late_s"] = max(0.0, look.now_floor_s - card.due_floor_s)
    head = look.say((f"Card {card.card}", f"卡 {card.card} "), [key], facts | hold_facts(by))
    if card.state not in BESIDE_A_HOLD:
        return Reason(head.sentence_en.rstrip(), head.sentence_zh, head.facts, [])
    rest = _why_state(look, card)
    texts = (head.sentence_en + rest.sentence_en, head.sentence_zh + rest.sentence_zh)
    return Reason(*texts, rest.facts | head.facts, rest.beaten)


def hold_facts(hold: CardHold | None) -> Facts:
    """Give who holds something, since when and why."""
    return {"hold": hold.code, "hold_by": hold.by, "hold_floor_s": hold.since_floor_s} if hold else {}


def _why_state(look: Look, card: Card) -> Reason:
    """Say what a card waits for, by its state."""
    what = (f"Card {card.card}", f"卡 {card.card} ")
    facts: Facts = {"state": card.state.value, "generation": card.generation, "due_floor_s": card.due_floor_s}
    facts["late_s"] = max(0.0, look.now_floor_s - card.due_floor_s)
    if card.state in FINAL:
        return look.say(what, ["final"], facts)
    if card.state is State.HELD:
        codes = look.state.holds.get(card.card, [])
        facts["codes"] = ", ".join(codes)
        return for_two(look, what, facts, "card", card.card, "held_two" if SHARED_NUMBER in codes else "held")
    if card.card in look.state.contested:
        return for_two(look, what, facts | {"codes": SHARED_NUMBER}, "card", card.card, "held_two")
    if card.state is State.STOPPED:
        return _stopped(look, card, what, facts)
    if card.state is State.ACCEPTED:
        return _accepted(look, card, what, facts)
    if card.state is State.READY:
        return _ready(look, card, what, facts)
    if card.state is State.GOOD:
        return _good(look, card, what, facts)
    if card.state is State.MADE:
        return _made(look, card, what, facts)
    sheet = look.state.sheets[card.sheet_id]
    on = (f"Card {card.card} on sheet {card.sheet_id}", f"卡 {card.card}（联 {card.sheet_id}）")
    if card.state is State.SUSPECT:
        return _suspect(look, sheet, on)
    reason = why_sheet(look, sheet, on)
    if card.state is State.QUARANTINED:
        head = look.say(what, ["quarantined"], facts)
        texts = (head.sentence_en + reason.sentence_en, head.sentence_zh + reason.sentence_zh)
        return Reason(*texts, reason.facts | facts, reason.beaten)
    return reason


def why_sheet(look: Look, sheet: Sheet, what: tuple[str, str]) -> Reason:
    """Say where a sheet is worked on, or what it waits for."""
    state = look.state
    if sheet.job_id:
        return works(look, state.jobs[sheet.job_id], what, {"sheet_id": sheet.sheet_id})
    queue = state.waiting[sheet.step]
    place = bisect_left(queue, sheet.place())
    if place == len(queue) or queue[place][1] != sheet.sheet_id:
        return _suspect(look, sheet, what)
    order = in_order(queue, len(queue))
    place = order.index(sheet.sheet_id)
    facts: Facts = {"sheet_id": sheet.sheet_id, "ahead": place, "step": sheet.step.value}
    facts["waiting_floor_s"] = sheet.waiting_floor_s
    if sheet.step is Step.LAMINATE:
        key, more = press_tail(look, stations_of(state, Step.LAMINATE), sheet.sheet_id)
    else:
        key, more = sheet_tail(look, sheet.step, sheet.sheet_id)
    others = neighbours(place, len(queue))
    beaten = [f"sheet {order[other]} {'after' if other > place else 'before'} it" for other in others]
    return look.say(what, ["waits", key], {**facts, **more}, beaten)


def _suspect(look: Look, sheet: Sheet, what: tuple[str, str]) -> Reason:
    facts: Facts = {"sheet_id": sheet.sheet_id, "step": sheet.step.value, "mask": sheet.suspect, "body": sheet.body}
    return for_two(look, what, facts, "sheet_id", sheet.sheet_id, "suspect")


def _stopped(look: Look, card: Card, what: tuple[str, str], facts: Facts) -> Reason:
    most = look.config.remake.attempts_max
    codes = look.stopped_for or ("remake.attempts" if card.generation > most else "encode")
    attempts: Facts = {"attempts": card.generation - 1, "attempts_max": most}
    return look.say(what, ["stopped"], {**facts, "codes": codes, **attempts})


def _accepted(look: Look, card: Card, what: tuple[str, str], facts: Facts) -> Reason:
    jobs, unencoded = look.state.encode_jobs, look.state.unencoded
    for job_id, cards in jobs.items():
        if card.card in cards:
            return look.say(what, ["encoding"], {**facts, "job_id": job_id})
    place = bisect_left(unencoded, card.rank)
    facts |= {"busy": len(jobs), "encode_jobs": look.config.plan.encode_jobs, "ahead": place}
    return look.say(what, ["unencoded"], facts, _beside(unencoded, place))


def _ready(look: Look, card: Card, what: tuple[str, str], facts: Facts) -> Reason:
    """Say how many cards go first and by which rule, and what keeps the next sheet."""
    kind = look.state.batch(card.batch_id).card_kind
    ready = look.state.ready[kind]
    order = _imposed_next(look.state, kind, card.rank)
    if card.rank not in order:
        key, more = print_tail(look, [kind], card.card)
        return look.say(what, ["ready_far", key], {**facts, "ahead": len(order), "ready": len(ready), **more})
    place = order.index(card.rank)
    remakes = sum(rank[0] == 0 for rank in order[:place])
    express = sum(rank[:2] == (1, 0) for rank in order[:place])
    earlier = sum(rank[:2] == (1, 1) and rank[3] != card.batch_id for rank in order[:place])
    facts |= {"ahead": place, "remakes": remakes, "express": express, "earlier": earlier}
    key, more = print_tail(look, [kind], card.card)
    return look.say(what, ["ready", key], {**facts, "ready": len(ready), **more}, _beside(order, place, BY_BATCH))


def _imposed_next(state: FloorState, kind: str, wanted: Rank) -> list[Rank]:
    """Give the ready cards of a kind in the order of imposition, a sheet beyond a wanted one; not all of a long queue.

    `core.sheets` itself is asked for sheet after sheet, so that its rule is told nowhere else.
    """
    order, rest = list[Rank](), list(state.ready[kind])
    for _ in range(SHEETS_AHEAD):
        chosen = foremost(replace(state, ready={kind: rest}), kind)
        if not chosen:
            break
        is_found = wanted in order
        order += chosen
        if is_found:
            break
        for rank in chosen:
            del rest[bisect_left(rest, rank)]
    return order


def _beside(ranks: Sequence[Rank], place: int, words: Sequence[str] = RANK_WORDS) -> list[str]:
    """Give the two cards that go right before a card, and the one after, with the word that decided it."""
    if place >= len(ranks):
        return []
    found = []
    for other in neighbours(place, len(ranks)):
        pairs = zip(words, ranks[place], ranks[other], strict=True)
        word = next(word for word, mine, theirs in pairs if mine != theirs)
        found.append(f"card {ranks[other][-1]} {'after' if other > place else 'before'} it: {word}")
    return found


def _good(look: Look, card: Card, what: tuple[str, str], facts: Facts) -> Reason:
    state, pile = look.state, (card.batch_id, card.unit)
    for job in state.jobs.values():
        if card.card in job.cards:
            return works(look, job, what, facts)
    stopped = state.stopped_piles.get(pile)
    if stopped:
        facts |= {"unit": card.unit, "missing": len(stopped.missing), "foreign": len(stopped.foreign)}
        return look.say(what, ["pile_stopped"], {**facts, "stations": ", ".join(stopped.stations)})
    before = sorted((pile_rank(state, other), len(state.piles[other])) for other in state.piles)
    mine = (pile_rank(state, pile), len(state.piles[pile]))
    facts["ahead"] = before.index(mine)
    beaten = [
        f"batch {rank[1]} {rank[2]}: {counted(cards, 'card|cards')}" for rank, cards in before if (rank, cards) != mine
    ]
    key, more = pack_tail(look, [pile], stations_of(state, Step.PACK), card.card)
    return look.say(what, ["pile", key], {**facts, **more}, beaten)


def _made(look: Look, card: Card, what: tuple[str, str], facts: Facts) -> Reason:
    batch = look.state.batch(card.batch_id)
    facts["bundle_id"] = next((one for one in batch.bundles if card.card in look.state.bundles[one][1]), 0)
    facts |= {"in_making": batch.in_making(), "people": batch.states[State.STOPPED] + batch.states[State.HELD]}
    if not look.config.plan.auto_dispatch:
        return look.say(what, ["made_asked"], facts)
    return look.say(what, ["made" if batch.in_making() else "made_stopped"], facts)
