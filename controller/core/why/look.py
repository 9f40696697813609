"""What a question `why` looks at, and the parts of an answer that several answers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from controller.core.settings import CoreConfig
from controller.core.state import FloorState, Job, Station
from controller.core.why.sentences import Facts, Reason, rule_key, tell
from devices.defects import Step
from devices.messages import StationState

Tail = tuple[str, Facts]  # the key of the deciding half of a sentence, and its facts

BEATEN_MAX = 3
NAMES_SHOWN = 4
RUNNING = (StationState.IDLE, StationState.EXECUTE)


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at, at what time, under which settings."""

    state: FloorState
    config: CoreConfig
    now_floor_s: float
    stopped_for: str

    def say(
        self, what: tuple[str, str], keys: Sequence[str], facts: Facts, beaten: Sequence[str] = (), because: str = ""
    ) -> Reason:
        """Give the reason that the sentences of `keys`, joined, tell about a thing."""
        texts = tell(what, keys, facts, self.now_floor_s)
        return Reason(*texts, {"because": because or keys[-1], **facts}, list(beaten)[:BEATEN_MAX])


def works(look: Look, job: Job, what: tuple[str, str], facts: Facts, is_station: bool = False) -> Reason:
    """Say in which station a load is (or what that station works on), by which rule it was started, before what."""
    station = look.state.stations[job.station]
    facts |= {"step": job.step.value, "station": job.station, "job_id": job.job_id}
    facts |= {"started_floor_s": job.started_floor_s, "load": len(job.sheets) or len(job.cards)}
    facts |= {"rule": job.because, "chosen_before": ", ".join(job.beaten[:BEATEN_MAX])}
    key = "works" if station.state in RUNNING else "works_not"
    if key == "works_not":
        facts |= condition(station)
    keys = [f"station_{key}" if is_station else key, rule_key(job.because), "chosen" if job.beaten else "full_stop"]
    return look.say(what, keys, facts, job.beaten, because=key)


def for_two(look: Look, what: tuple[str, str], facts: Facts, name: str, number: int, key: str) -> Reason:
    """Say that people decide, and whether one of two has begun."""
    for act in look.state.acts.values():
        if act.args.get(name) == number and act.verb in ("override", "settle"):
            facts |= {"act_id": act.act_id, "verb": act.verb, "until_floor_s": act.until_floor_s}
            return look.say(what, ["proposed"], facts)
    return look.say(what, [key], facts)


def stations_of(state: FloorState, step: Step) -> list[Station]:
    """Give the stations of a step, by name."""
    return [station for _, station in sorted(state.stations.items()) if station.step is step]


def condition(station: Station) -> Facts:
    """Give what a station last said of itself."""
    since = station.since_floor_s
    return {"station": station.station, "state": station.state, "since_floor_s": since, "reason": station.reason}


def names_of(stations: Sequence[Station]) -> str:
    """Give the names of a few stations; of many, how many more there are."""
    shown = ", ".join(station.station for station in stations[:NAMES_SHOWN])
    return shown if len(stations) <= NAMES_SHOWN else f"{shown} + {len(stations) - NAMES_SHOWN}"


def neighbours(place: int, length: int) -> list[int]:
    """Give the places of the two before and the one after."""
    return [other for other in (place - 1, place - 2, place + 1) if 0 <= other < length]
