"""Alarms of cards, blanks and batches: what is late, and what waits too long for its closing event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile

from controller.core.andon.alarm import Found, Look
from controller.core.andon.rules import LISTED_MAX, REST
from controller.core.calendar import calendar_of
from controller.core.cards import FINAL
from controller.core.open_ends import MISSING, OpenEnd, open_blanks, open_work, uncounted
from controller.core.remakes import Clock
from controller.core.settings import AndonConfig
from controller.core.supply import forecast
from controller.core.why.sentences import Facts

_BLANK = "blank.missing"
AGEING: Mapping[str, tuple[str, str]] = {  # kind of open end -> code, and the setting of how long it may wait
    "suspect": ("suspect.open", "suspect_s"),
    "pile": ("pile.stopped", "pile_s"),
    "stopped": ("card.stopped", "stopped_s"),
    "held": ("card.held", "held_s"),
    "card_hold": ("card.on_hold", "held_s"),
    "batch_hold": ("batch.on_hold", "held_s"),
    "spoiled": ("reject.open", "destroy_s"),
    "returned": ("return.open", "destroy_s"),
    "consignment": ("consignment.open", "consignment_s"),
}


@dataclass(slots=True)
class _Old:
    count: int = 0
    oldest: OpenEnd | None = None

    def take(self, end: OpenEnd) -> None:
        self.count += 1
        if self.oldest is None or end < self.oldest:
            self.oldest = end


def of_cards(look: Look) -> Iterator[Found]:
    """Give what is wrong with cards and blanks."""
    yield from _blanks(look)
    yield from _open_work(look)
    yield from _uncounted(look)
    yield from _late_batches(look)
    remakes = look.tally.remakes
    yield from _late_clocks("remake.late", remakes.remakes, look.now_floor_s)
    yield from _late_clocks("return.late", remakes.returns, look.now_floor_s)
    yield from _ending_inputs(look)
    yield from _open_shift(look)


def _blanks(look: Look) -> Iterator[Found]:
    """Give each missing blank, and one alarm for all of a kind that have waited too long."""
    for kind, serials in open_blanks(look.state.stock).items():
        if kind == MISSING:
            yield from _missing(look, serials)
            continue
        count = _by(serials, look.now_floor_s - limit_s(look.config.andon, kind))
        if count:
            oldest = next(iter(serials.values()))
            yield Found(AGEING[kind][0], "", oldest, {"count": count, "oldest_floor_s": oldest})


def _by(serials: dict[int, float], latest_floor_s: float) -> int:
    """Give how many blanks began to wait by a time; they stand in the order of the record, so only later ones are read.

    A year's 200,000 spoiled blanks are not all looked at each second (12.7 ms).
    """
    return len(serials) - sum(1 for _ in takewhile(lambda at: at > latest_floor_s, reversed(serials.values())))


def _missing(look: Look, serials: Mapping[int, float]) -> Iterator[Found]:
    """Give the missing blanks that are listed, and the others as one: a whole pallet may be lost."""
    named = (key.removeprefix(f"{_BLANK} ") for key in look.state.alarm_owners)
    owned = [int(one) for one in named if one.isascii() and one.isdecimal()]
    oldest = islice(serials, LISTED_MAX + len(owned))  # they were lost in this order
    listed = dict.fromkeys(serial for serial in (*owned, *oldest) if serial in serials)
    for serial in listed:
        yield Found(_BLANK, str(serial), serials[serial], {"blank": str(serial)})
    if len(serials) > len(listed):
        first = next(serial for serial in serials if serial not in listed)
        yield Found(_BLANK, REST, serials[first], {"count": len(serials) - len(listed)})


def _open_work(look: Look) -> Iterator[Found]:
    """Give one alarm for all work of a kind that has waited too long."""
    old = {kind: _Old() for kind in AGEING}
    latest = {kind: look.now_floor_s - limit_s(look.config.andon, kind) for kind in AGEING}
    for end in open_work(look.state, look.tally.since):
        if end.since_floor_s <= latest[end.kind]:
            old[end.kind].take(end)
    for kind, found in old.items():
        if found.oldest is not None:
            since = found.oldest.since_floor_s
            yield Found(AGEING[kind][0], "", since, _counted(found.count, found.oldest.name, since))


def _uncounted(look: Look) -> Iterator[Found]:
    """Give one alarm for all that was sent too long ago; it stands in the order of sending, so none later is read.

    Where no police station ever counts, a year's are many: they are not made open ends one by one.
    """
    latest = look.now_floor_s - limit_s(look.config.andon, "consignment")
    sent = takewhile(lambda one: one[1][0] <= latest, look.tally.since.uncounted.items())
    first = next(sent, None)
    if first is not None:
        number, (at, units) = first
        count = len(units) + sum(len(later) for _, (_, later) in sent)
        yield Found(AGEING["consignment"][0], "", at, _counted(count, uncounted(number, at, min(units)).name, at))


def limit_s(config: AndonConfig, kind: str) -> float:
    """Give how long an open end of a kind may wait, in floor seconds."""
    return float(getattr(config, AGEING[kind][1]))


def _counted(count: int, first: str, oldest_floor_s: float) -> Facts:
    return {"count": count, "first": first, "oldest_floor_s": oldest_floor_s}


def _late_batches(look: Look) -> Iterator[Found]:
    for batch in look.state.batches.values():
        if batch.due_floor_s < look.now_floor_s and batch.has_open():
            cards = sum(count for state, count in batch.states.items() if state not in FINAL)
            facts: Facts = {"batch_number": batch.batch_number, "cards": cards, "due_floor_s": batch.due_floor_s}
            yield Found("batch.late", str(batch.batch_id), batch.due_floor_s, facts)


def _late_clocks(code: str, clocks: Mapping[int, Clock], now_floor_s: float) -> Iterator[Found]:
    late = [(clock.due_floor_s, card) for card, clock in clocks.items() if clock.late_s(now_floor_s) > 0]
    if late:
        due, card = min(late)
        yield Found(code, "", due, _counted(len(late), f"card {card}", due))


def _ending_inputs(look: Look) -> Iterator[Found]:
    """Give what will run out; what has run out is an alarm of its own, and a floor without data is only done."""
    latest = look.now_floor_s + look.config.andon.ahead_s
    for one in forecast(look.state, look.tally.inputs, look.now_floor_s).inputs:
        if one.name == "data" or not one.left or one.ends_floor_s is None or one.ends_floor_s > latest:
            continue
        if not one.station or not look.is_gone(one.station):
            subject = f"{one.name} {one.station}".rstrip()
            facts: Facts = {
                "input": one.name,
                "station": one.station,
                "sheets": one.left,
                "ends_floor_s": one.ends_floor_s,
            }
            yield Found("input.ends", subject, None, facts)


def _open_shift(look: Look) -> Iterator[Found]:
    """Give a shift that was still open at the end of the working day after the one it began on."""
    stock = look.state.stock
    began = stock.shift_floor_s or look.tally.first_floor_s
    if began and stock.received and look.now_floor_s > calendar_of(look.config.calendar).end_of_working_day(began, 1):
        yield Found("shift.open", "", began, {"began_floor_s": began})
