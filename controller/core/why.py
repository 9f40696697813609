"""Why a card, a sheet, a batch or a station is where it is: one sentence from the state, and nothing is changed.

The rules are those of `core.plan`; the state is looked at between two turns, so whatever could start has started.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from controller.core.cards import FINAL, Card, State
from controller.core.foreman import SHARED_NUMBER
from controller.core.plan import films_may_come, free_stations, pile_rank
from controller.core.sentences import MEANINGS, Facts, Reason, tell
from controller.core.settings import CoreConfig
from controller.core.state import SILENT, Batch, FloorState, Job, Pile, Rank, Sheet, Station
from controller.core.turn import Refused
from devices.defects import Step
from devices.messages import POSITIONS, StationState

Tail = tuple[str, Facts]  # the key of the deciding half of a sentence, and its facts

BEATEN_MAX = 3
RUNNING = (StationState.IDLE, StationState.EXECUTE)
RANK_WORDS = ("remake", "express", "due earlier", "older batch", "police station", "place in its batch")

WAIT_FOR = (  # what holds a batch, worst first: people, then the way a card goes
    *(State.HELD, State.STOPPED, State.SUSPECT),
    *(State.ACCEPTED, State.READY, State.IMPOSED, State.QUARANTINED, State.GOOD, State.MADE),
)


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at, at what time, under which settings."""

    state: FloorState
    config: CoreConfig
    now_floor_s: float
    stopped_for: str

    def say(self, what: tuple[str, str], keys: Sequence[str], facts: Facts, beaten: Sequence[str] = ()) -> Reason:
        """Give the reason that the sentences of `keys`, joined, tell about a thing."""
        texts = tell(what, keys, facts, self.now_floor_s)
        return Reason(*texts, {"because": keys[-1], **facts}, list(beaten)[:BEATEN_MAX])


def why(
    state: FloorState, config: CoreConfig, now_floor_s: float, thing: str, stopped_for: str = ""
) -> Reason | Refused:
    """Give the one sentence that says why a thing is where it is.

    `thing` is a station's name, a batch's 25 digits, `sheet N` or `card N`; `stopped_for` is the ledger's code of a
    stopped card, which the state does not keep.  Refused, `why.unknown`: no such thing is on the floor.
    Cost: far below a millisecond; a batch of 10,000 cards takes some.
    """
    look = Look(state, config, now_floor_s, stopped_for)
    noun, _, digits = thing.strip().partition(" ")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else -1
    if thing in state.stations:
        return _station(look, state.stations[thing])
    if noun == "card" and number in state.cards:
        return _card(look, state.cards[number])
    if noun == "sheet" and number in state.sheets:
        sheet = state.sheets[number]
        return _sheet(look, sheet, (f"Sheet {number}", f"联 {number} "))
    for batch in state.batches.values():
        if batch.batch_number == noun and not digits:
            return _batch(look, batch)
    text = (
        "nothing of this name is on the floor: say a station, a batch's 25 digits, `sheet N`, `card N` or the 22 digits"
    )
    return Refused("why.unknown", f"{text} of an application; what is closed or never came is not on the floor")


# ---- cards ----------------------------------------------------------------------------------------------------


def _card(look: Look, card: Card) -> Reason:
    """Say what a card waits for, by its state."""
    what = (f"Card {card.card}", f"卡 {card.card} ")
    facts: Facts = {"state": card.state.value, "generation": card.generation}
    if card.state in FINAL:
        return look.say(what, ["final"], facts)
    if card.state is State.HELD:
        codes = look.state.holds.get(card.card, [])
        facts["codes"] = ", ".join(codes)
        return _for_two(look, what, facts, "card", card.card, "held_two" if SHARED_NUMBER in codes else "held")
    if card.state is State.STOPPED:
        used_up = card.generation > look.config.remake.attempts_max
        codes_text = look.stopped_for or ("remake.attempts" if used_up else "encode")
        attempts = {"attempts": card.generation - 1, "attempts_max": look.config.remake.attempts_max}
        return look.say(what, ["stopped"], {**facts, "codes": codes_text, **attempts})
    if card.state is State.ACCEPTED:
        return _accepted(look, card, what, facts)
    if card.state is State.READY:
        return _ready(look, card, what, facts)
    if card.state is State.QUARANTINED:
        return look.say(what, ["quarantined"], facts)
    if card.state is State.GOOD:
        return _good(look, card, what, facts)
    if card.state is State.MADE:
        return _made(look, card, what, facts)
    sheet = look.state.sheets[card.sheet_id]
    on = (f"Card {card.card} on sheet {card.sheet_id}", f"卡 {card.card}（联 {card.sheet_id}）")
    if card.state is State.SUSPECT:
        return _suspect(look, sheet, on)
    return _sheet(look, sheet, on)


def _for_two(look: Look, what: tuple[str, str], facts: Facts, name: str, number: int, key: str) -> Reason:
    """Say that people decide, and whether one of two has begun."""
    for act in look.state.acts.values():
        if act.args.get(name) == number and act.verb in ("override", "settle"):
            facts |= {"act_id": act.act_id, "verb": act.verb, "until_floor_s": act.until_floor_s}
            return look.say(what, ["proposed"], facts)
    return look.say(what, [key], facts)


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
    ready, rank = look.state.ready[kind], card.rank
    place = bisect_left(ready, rank)
    starts = (_start(rank[0], 0, 0.0), _start(rank[0], rank[1], 0.0), _start(*rank[:3]))
    remakes, express, due = (bisect_left(ready, start) for start in starts)
    facts |= {"ahead": place, "remakes": remakes, "express": express - remakes, "due_earlier": due - express}
    key, more = _print_tail(look, [kind])
    return look.say(what, ["ready", key], {**facts, "ready": len(ready), **more}, _beside(ready, place))


def _start(remake: int, express: int, due_floor_s: float) -> Rank:
    """Give the lowest rank of all that share a rank's first words."""
    return (remake, express, due_floor_s, -1, "", -1)


def _beside(ranks: Sequence[Rank], place: int) -> list[str]:
    """Give the two cards that go right before a card, and the one after, with the word that decided it."""
    found = []
    for other in _neighbours(place, len(ranks)):
        if place < len(ranks):
            pairs = zip(RANK_WORDS, ranks[place], ranks[other], strict=True)
            word = next(word for word, mine, theirs in pairs if mine != theirs)
            found.append(f"card {ranks[other][-1]} {'after' if other > place else 'before'} it: {word}")
    return found


def _good(look: Look, card: Card, what: tuple[str, str], facts: Facts) -> Reason:
    state, pile = look.state, (card.batch_id, card.unit)
    for job in state.jobs.values():
        if card.card in job.cards:
            return _works(look, job, what, facts)
    stopped = state.stopped_piles.get(pile)
    if stopped:
        facts |= {"unit": card.unit, "missing": len(stopped.missing), "foreign": len(stopped.foreign)}
        return look.say(what, ["pile_stopped"], {**facts, "stations": ", ".join(stopped.stations)})
    before = sorted((pile_rank(state, other), len(state.piles[other])) for other in state.piles)
    mine = (pile_rank(state, pile), len(state.piles[pile]))
    facts["ahead"] = before.index(mine)
    beaten = [f"batch {rank[1]} {rank[2]}: {cards} cards" for rank, cards in before if (rank, cards) != mine]
    key, more = _pack_tail(look, [pile], _stations_of(state, Step.PACK))
    return look.say(what, ["pile", key], {**facts, **more}, beaten)


def _made(look: Look, card: Card, what: tuple[str, str], facts: Facts) -> Reason:
    batch = look.state.batch(card.batch_id)
    facts["bundle_id"] = next((one for one in batch.bundles if card.card in look.state.bundles[one][1]), 0)
    facts |= {"in_making": batch.in_making(), "people": batch.states[State.STOPPED] + batch.states[State.HELD]}
    if not look.config.plan.auto_dispatch:
        return look.say(what, ["made_asked"], facts)
    return look.say(what, ["made" if batch.in_making() else "made_stopped"], facts)


# ---- sheets ---------------------------------------------------------------------------------------------------


def _sheet(look: Look, sheet: Sheet, what: tuple[str, str]) -> Reason:
    """Say where a sheet is worked on, or what it waits for."""
    state = look.state
    if sheet.job_id:
        return _works(look, state.jobs[sheet.job_id], what, {"sheet_id": sheet.sheet_id})
    queue = state.waiting[sheet.step]
    place = bisect_left(queue, (sheet.rank, sheet.sheet_id))
    if place == len(queue) or queue[place][1] != sheet.sheet_id:
        return _suspect(look, sheet, what)
    facts: Facts = {"sheet_id": sheet.sheet_id, "ahead": place, "step": sheet.step.value}
    facts["waiting_floor_s"] = sheet.waiting_floor_s
    presses = _stations_of(state, Step.LAMINATE)
    press = sheet.step is Step.LAMINATE
    key, more = _press_tail(look, presses) if press else _station_tail(state, sheet.step) or ("now", {})
    others = _neighbours(place, len(queue))
    beaten = [f"sheet {queue[other][1]} {'after' if other > place else 'before'} it" for other in others]
    return look.say(what, ["waits", key], {**facts, **more}, beaten)


def _suspect(look: Look, sheet: Sheet, what: tuple[str, str]) -> Reason:
    facts: Facts = {"sheet_id": sheet.sheet_id, "step": sheet.step.value, "mask": sheet.suspect, "body": sheet.body}
    return _for_two(look, what, facts, "sheet_id", sheet.sheet_id, "suspect")


def _works(look: Look, job: Job, what: tuple[str, str], facts: Facts) -> Reason:
    """Say in which station a load is; a station that does not run keeps it."""
    station = look.state.stations[job.station]
    facts |= {"step": job.step.value, "station": job.station, "job_id": job.job_id}
    facts |= {"started_floor_s": job.started_floor_s, "load": len(job.sheets) or len(job.cards)}
    if station.state in RUNNING:
        return look.say(what, ["works"], facts)
    return look.say(what, ["works_not"], facts | _condition(station))


# ---- stations and batches ---------------------------------------------------------------------------------------


def _station(look: Look, station: Station) -> Reason:
    """Say what a station works on, who or what holds it, or why it has no load."""
    state, what = look.state, (f"Station {station.station}", f"设备 {station.station} ")
    facts: Facts = {"step": station.step.value}
    others = [one for one in _stations_of(state, station.step) if one is not station]
    beaten = [f"{one.station}: {f'job {one.job_id}' if one.job_id else one.state}" for one in others]
    if station.job_id:
        reason = _works(look, state.jobs[station.job_id], what, facts)
        return Reason(reason.sentence_en, reason.sentence_zh, reason.facts, beaten[:BEATEN_MAX])
    if station.state != StationState.IDLE:
        meaning = MEANINGS.get(station.state, MEANINGS[SILENT])
        return look.say(what, ["away"], {**facts, **_condition(station), "meaning": meaning}, beaten)
    if station.step is Step.PRINT:
        key, more = _print_tail(look, list(state.ready))
    elif station.step is Step.LAMINATE:
        key, more = _press_tail(look, [station])
    elif station.step is Step.PACK:
        key, more = _pack_tail(look, list(state.piles), [station])
    else:
        key, more = ("now" if state.waiting[station.step] else "nothing", {})
    return look.say(what, ["idle", key], {**facts, **more}, beaten)


def _batch(look: Look, batch: Batch) -> Reason:
    """Say how far a batch is, and what holds the card that will be its last."""
    state = look.state
    facts: Facts = {"cards": len(batch.cards), "due_floor_s": batch.due_floor_s}
    facts["late_s"] = max(0.0, look.now_floor_s - batch.due_floor_s)
    facts["open"] = sum(count for one, count in batch.states.items() if one not in FINAL)
    facts |= {f"count_{one.value}": batch.states[one] for one in State if batch.states[one]}
    worst = next((one for one in WAIT_FOR if batch.states[one]), None)
    cards = [state.cards[number] for number in batch.cards]
    left = [card for card in cards if card.state is worst] or cards
    if worst is State.IMPOSED:
        steps = {sheet: list(Step).index(state.sheets[sheet].step) for sheet in {card.sheet_id for card in left}}
        left = [card for card in left if steps[card.sheet_id] == min(steps.values())]
    last = _card(look, max(left, key=lambda card: card.rank))
    head = look.say((f"Batch {batch.batch_number}", f"批次 {batch.batch_number} "), ["batch"], facts)
    texts = (head.sentence_en + last.sentence_en, head.sentence_zh + last.sentence_zh)
    return Reason(*texts, {**last.facts, **facts}, last.beaten)


# ---- what keeps a step: the rules of `core.plan`, told instead of done -------------------------------------------


def _station_tail(state: FloorState, step: Step) -> Tail | None:
    """Say why no station of a step is free; None when one is."""
    mine = _stations_of(state, step)
    if not mine:
        return ("none", {"step": step.value})
    if any(station.step is step for station in free_stations(state)):
        return None
    running = [station for station in mine if station.state in RUNNING]
    if not running:
        return ("down", {"step": step.value, "down": len(mine), "station": mine[0].station, **_condition(mine[0])})
    down = len(mine) - len(running)
    return ("busy", {"step": step.value, "busy": len(running), "down": down, "names": _names(running)})


def _print_tail(look: Look, kinds: list[str]) -> Tail:
    """Say what keeps the next sheet of some card kinds from being imposed."""
    state, config = look.state, look.config.plan
    gone, films = _station_tail(state, Step.PRINT), len(state.waiting[Step.LAMINATE])
    if gone and gone[0] != "busy":
        return gone
    waiting = [state.ready[kind] for kind in kinds if state.ready[kind]]
    if films >= config.films_max and waiting:
        return ("paused", {"films": films, "films_max": config.films_max})
    if gone:
        return gone
    if not waiting:
        return ("nothing", {"step": Step.PRINT.value, "unencoded": len(state.unencoded)})
    filled = max(map(len, waiting))
    coming = len(state.unencoded) + sum(map(len, state.encode_jobs.values()))
    if filled >= POSITIONS:
        return ("now", {})
    if state.unencoded or state.encode_jobs:
        return ("coming", {"filled": filled, "coming": coming})
    until, filled = min(
        (min(state.cards[rank[-1]].ready_floor_s for rank in ready) + config.sheet_wait_s, len(ready))
        for ready in waiting
    )
    if not state.sheets or look.now_floor_s >= until:
        return ("now", {})
    return ("sheet_until", {"filled": filled, "until_floor_s": until})


def _press_tail(look: Look, presses: list[Station]) -> Tail:
    """Say what keeps the films before some presses."""
    state, films = look.state, look.state.waiting[Step.LAMINATE]
    free = [station for station in free_stations(state) if station in presses]
    if not free:
        return _station_tail(state, Step.LAMINATE) or ("now", {})
    if not films:
        return ("nothing", {"step": Step.LAMINATE.value, "in_magazine": state.stock.in_magazine(free[0].station)})
    rooms = [(station, min(station.load_max, state.stock.in_magazine(station.station))) for station in free]
    stocked = [(station, room) for station, room in rooms if room]
    if not stocked:
        busy = sum(station.state in RUNNING for station in _stations_of(state, Step.LAMINATE) if station not in free)
        return ("empty", {"names": _names(free), "busy": busy})
    until = min(state.sheets[sheet_id].waiting_floor_s for _, sheet_id in films) + look.config.plan.press_wait_s
    all_wait = all(len(films) <= room and len(films) < station.load_max for station, room in stocked)
    if not (all_wait and films_may_come(state)) or look.now_floor_s >= until:
        return ("now", {})
    station = stocked[0][0]
    facts: Facts = {"station": station.station, "load": len(films), "load_max": station.load_max}
    return ("press_until", {**facts, "until_floor_s": until})


def _pack_tail(look: Look, piles: list[Pile], packers: list[Station]) -> Tail:
    """Say what keeps some piles from being packed."""
    state = look.state
    free = [station for station in free_stations(state) if station in packers]
    gone = None if free else _station_tail(state, Step.PACK)
    if gone and gone[0] != "busy":
        return gone
    if not piles:
        return ("nothing", {"step": Step.PACK.value})
    pile = max(piles, key=lambda one: len(state.piles.get(one, ())))
    cards, making = len(state.piles.get(pile, ())), state.making[pile]
    limit = min(look.config.plan.bundle_max, *(station.load_max for station in free or packers))
    if cards < limit and making:
        return ("more", {"pile": cards, "bundle_max": limit, "making": making, "unit": pile[1]})
    return gone or ("now", {})


def _stations_of(state: FloorState, step: Step) -> list[Station]:
    return [station for _, station in sorted(state.stations.items()) if station.step is step]


def _condition(station: Station) -> Facts:
    since = station.since_floor_s
    return {"station": station.station, "state": station.state, "since_floor_s": since, "reason": station.reason}


def _names(stations: Sequence[Station]) -> str:
    shown = ", ".join(station.station for station in stations[:4])
    return shown if len(stations) <= 4 else f"{shown} + {len(stations) - 4}"


def _neighbours(place: int, length: int) -> list[int]:
    """Give the places of the two before and the one after."""
    return [other for other in (place - 1, place - 2, place + 1) if 0 <= other < length]
