"""What keeps a step: the plan itself is asked what a station would do now, so that no rule is told twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from controller.core.calendar import calendar_of
from controller.core.holds import Hold
from controller.core.moves import AnyMove, JobStarted, SheetImposed
from controller.core.plan import films_may_come, free_stations, is_paused, plan
from controller.core.state import FloorState, Pile, Station
from controller.core.turn import Turn
from controller.core.why.look import RUNNING, Look, Tail, condition, names_of, stations_of
from controller.core.why.sentences import Facts, rule_key
from devices.defects import Step
from devices.messages import POSITIONS

IN_MAGAZINE = "in_magazine"  # a fact that is a sum of stock: not everybody is told it


class _WouldMove(Exception):
    """The plan would make this move now."""

    def __init__(self, move: AnyMove) -> None:
        super().__init__(type(move).__name__)
        self.move = move


class _Probe(Turn):
    """A turn that changes nothing: the first move the plan would record ends it."""

    def record(self, move: AnyMove) -> None:
        """Raises: _WouldMove."""
        raise _WouldMove(move)


@dataclass(frozen=True, slots=True)
class Next:
    """What the plan would do with one free station now, or when it wants to look again."""

    started: JobStarted | SheetImposed | None = None
    until_floor_s: float | None = None

    def has(self, noun: str, number: int) -> bool:
        """Say whether a sheet or card would be in what is started."""
        if self.started is None:
            return False
        if isinstance(self.started, SheetImposed):
            return noun == "card" and number in self.started.cards
        return number in (self.started.sheets if noun == "sheet" else self.started.cards)

    def rule(self) -> str:
        """Give the rule by which it would start, empty when it would not."""
        return self.started.because if self.started else ""


def next_of(look: Look, station: Station) -> Next:
    """Ask the plan what it would do now if this station alone were free.  Nothing is changed.

    Cost: that of one plan of one station.
    """
    others = {name: Hold("", 0.0) for name in look.state.stations if name != station.station}
    probe = _Probe(replace(look.state, station_holds=look.state.station_holds | others), look.config, look.now_floor_s)
    try:
        plan(probe)
    except _WouldMove as would:
        if isinstance(would.move, JobStarted | SheetImposed):
            return Next(would.move)
        return Next()
    return Next(None, probe.wake_floor_s)


# ---- stations that get nothing, whatever waits -------------------------------------------------------------------


def closing(look: Look, station: Station) -> Tail | None:
    """Say why the calendar lets a station start no load now; None when it does."""
    calendar, now = calendar_of(look.config.calendar), look.now_floor_s
    opens = calendar.starts_at(station.station, now, station.load_s)
    if calendar.always or opens <= now:
        return None
    closes = calendar.closes_at(station.station, now)
    facts: Facts = {"station": station.station, "load_min": round(station.load_s / 60)}
    facts["why_closed"] = "the end of the shift" if closes == calendar.closes_at("", now) else "planned maintenance"
    if closes > now:
        facts["closes_floor_s"] = closes
    if opens == float("inf"):
        return ("closed_for_good", facts)
    return ("closes" if closes > now else "closed", facts | {"opens_floor_s": opens})


def kept(look: Look, station: Station) -> Tail | None:
    """Say that the controller gives a station no work, or that it has nothing to work with; None when neither."""
    hold = look.state.station_holds.get(station.station)
    if hold:
        facts: Facts = {"station": station.station, "code": hold.code, "hold_by": hold.by or "the foreman"}
        return ("kept_by", facts | {"hold_floor_s": hold.since_floor_s})
    empty = [
        f"{kind} {supply.lot}"
        for kind, supply in sorted(look.state.stock.supplies.get(station.station, {}).items())
        if supply.units <= 0
    ]
    if empty and station not in free_stations(look.state):
        return ("no_supply", {"station": station.station, "supplies": ", ".join(empty)})
    return None


def open_stations(look: Look, stations: Sequence[Station]) -> list[Station]:
    """Give those of some stations that can take a load now, the calendar asked too."""
    return [one for one in free_stations(look.state) if one in stations and closing(look, one) is None]


def station_tail(look: Look, step: Step) -> Tail | None:
    """Say why no station of a step is free; None when one is."""
    mine = stations_of(look.state, step)
    if not mine:
        return ("none", {"step": step.value})
    if open_stations(look, mine):
        return None
    words: Facts = {"step": step.value}
    busy = [station for station in mine if station.state in RUNNING and station.job_id]
    if busy:
        return ("busy", words | {"busy": len(busy), "down": len(mine) - len(busy), "names": names_of(busy)})
    free = [station for station in free_stations(look.state) if station in mine]
    closed = [tail for station in free for tail in [closing(look, station)] if tail]
    if closed:
        key, facts = min(closed, key=lambda tail: float(tail[1].get("opens_floor_s", 1e18)))
        return (f"all_{key}", words | facts)
    idle = [station for station in mine if station.state in RUNNING]
    for key, facts in [tail for station in idle for tail in [kept(look, station)] if tail]:
        return (f"all_{key}", words | facts)
    down = [station for station in mine if station not in idle] or mine
    return ("down", words | {"down": len(mine), **condition(down[0])})


# ---- what a free station waits for --------------------------------------------------------------------------------


def print_tail(look: Look, kinds: Sequence[str], card: int = 0, printers: Sequence[Station] = ()) -> Tail:
    """Say what keeps the next sheet of some card kinds from being imposed."""
    state, config = look.state, look.config.plan
    gone = station_tail(look, Step.PRINT)
    if gone and gone[0] != "busy":
        return gone
    waiting = [state.ready[kind] for kind in kinds if state.ready[kind]]
    if waiting and is_paused(_Probe(state, look.config, look.now_floor_s)):
        films, sheets = len(state.waiting[Step.LAMINATE]), len(state.sheets)
        if sheets >= config.sheets_max:
            return ("paused_sheets", {"sheets": sheets, "sheets_max": config.sheets_max})
        return ("paused", {"films": films, "films_max": config.films_max})
    if gone:
        return gone
    ahead = [next_of(look, one) for one in open_stations(look, printers or stations_of(state, Step.PRINT))]
    started = starts(ahead, "card", card)
    if started:
        return started
    if not waiting:
        return ("nothing", {"step": Step.PRINT.value, "unencoded": len(state.unencoded)})
    filled = max(map(len, waiting))
    coming = len(state.unencoded) + sum(map(len, state.encode_jobs.values()))
    untils = [one.until_floor_s for one in ahead if one.until_floor_s is not None]
    if untils:
        oldest = min(waiting, key=lambda ready: min(state.cards[rank[-1]].ready_floor_s for rank in ready[:POSITIONS]))
        return ("sheet_until", {"filled": len(oldest), "until_floor_s": min(untils)})
    if coming and filled < POSITIONS:
        return ("coming", {"filled": filled, "coming": coming})
    return ("left", {"step": Step.PRINT.value})


def press_tail(look: Look, presses: Sequence[Station], sheet_id: int = 0) -> Tail:
    """Say what keeps the films before some presses."""
    state, films = look.state, look.state.waiting[Step.LAMINATE]
    free = open_stations(look, presses)
    if not free:
        return station_tail(look, Step.LAMINATE) or ("left", {"step": Step.LAMINATE.value})
    if not films:
        facts: Facts = {"step": Step.LAMINATE.value, IN_MAGAZINE: state.stock.in_magazine(free[0].station)}
        empty = [one for one in free if not state.stock.in_magazine(one.station)]
        return ("nothing_empty", facts | {"names": names_of(empty)}) if empty else ("nothing", facts)
    ahead = [(one, next_of(look, one)) for one in free]
    started = starts([one for _, one in ahead], "sheet", sheet_id)
    if started:
        return started
    sizes = {state.sheets[film].places for _, film in films if sheet_id in (0, film)}
    if not any(state.stock.in_magazine(one.station, places) for one in free for places in sizes):
        busy = sum(station.state in RUNNING for station in stations_of(state, Step.LAMINATE) if station not in free)
        return ("empty", {"names": names_of(free), "busy": busy})
    waits = [(one.until_floor_s, press) for press, one in ahead if one.until_floor_s is not None]
    if not waits:
        key = "left_for_films" if films_may_come(state) else "left"
        return (key, {"step": Step.LAMINATE.value, "films": len(films)})
    until, press = min(waits, key=lambda one: (one[0], one[1].station))
    load = _films_for(state, press)
    return ("press_until", {"station": press.station, "load": load, "load_max": press.load_max, "until_floor_s": until})


def _films_for(state: FloorState, press: Station) -> int:
    """Give how many films a press would load: of one card kind, its own if any of that waits."""
    kinds = [state.sheets[sheet_id].kind for _, sheet_id in state.waiting[Step.LAMINATE]]
    return min(press.load_max, kinds.count(press.kind) or kinds.count(kinds[0]))


def sheet_tail(look: Look, step: Step, sheet_id: int) -> Tail:
    """Say what keeps one sheet before a step that takes what is there."""
    state, sheet = look.state, look.state.sheets[sheet_id]
    gone = station_tail(look, step)
    mine = [one for one in stations_of(state, step) if one.state in RUNNING]
    kinds = {one.kind for one in mine if one.kind}
    if gone is None:
        started = starts([next_of(look, one) for one in open_stations(look, mine)], "sheet", sheet_id)
        return started or ("left", {"step": step.value})
    is_urgent = sheet.rank[0] == 0 or sheet.rank[1] == 0  # a remake or express: it does not wait for its kind
    if gone[0] == "busy" and kinds and sheet.kind not in kinds and not is_urgent:
        facts: Facts = {"kind": ", ".join(sorted(kinds)), "mine": sheet.kind}
        facts["first_from_floor_s"] = sheet.waiting_floor_s + look.config.plan.kind_wait_s
        return ("other_kind", {**gone[1], **facts})
    return gone


def pack_tail(look: Look, piles: Sequence[Pile], packers: Sequence[Station], card: int = 0) -> Tail:
    """Say what keeps some piles from being packed."""
    state = look.state
    free = open_stations(look, packers)
    gone = None if free else station_tail(look, Step.PACK)
    if gone and gone[0] != "busy":
        return gone
    if not piles:
        return ("nothing", {"step": Step.PACK.value})
    started = starts([next_of(look, one) for one in free], "card", card)
    if started:
        return started
    pile = max(piles, key=lambda one: len(state.piles.get(one, ())))
    cards, making = len(state.piles.get(pile, ())), state.making[pile]
    limit = min(look.config.plan.bundle_max, *(station.load_max for station in free or packers))
    if cards < limit and making:
        return ("more", {"pile": cards, "bundle_max": limit, "making": making, "unit": pile[1]})
    return gone or ("left", {"step": Step.PACK.value})


def starts(ahead: Sequence[Next], noun: str, number: int) -> Tail | None:
    """Say that the next turn starts a thing (0: whatever it is), or that it starts others first; None: neither."""
    for one in ahead:
        if one.started and (not number or one.has(noun, number)):
            return ("now", {"rule": one.rule(), "rule_key": rule_key(one.rule())})
    return ("others_now", {}) if any(one.started for one in ahead) else None


def idle_tail(look: Look, station: Station) -> Tail:
    """Say why an idle station has no load."""
    state, step = look.state, station.step
    gone = kept(look, station) or closing(look, station)
    if gone:
        return gone
    if step is Step.PRINT:
        return print_tail(look, list(state.ready), printers=[station])
    if step is Step.LAMINATE:
        return press_tail(look, [station])
    if step is Step.PACK:
        return pack_tail(look, list(state.piles), [station])
    if not state.waiting[step]:
        return ("nothing", {"step": step.value})
    return starts([next_of(look, station)], "sheet", 0) or ("left", {"step": step.value})
