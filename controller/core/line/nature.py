"""One run's nature: the figures of every station and person, drawn once from what the ledger leaves likely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import exp, sqrt

from controller.core.line import guesses
from controller.core.line.bins import Bins
from controller.core.line.draws import Draws
from controller.core.line.figures import Estimates, StationFigures, StepFigures
from controller.core.line.spread import Guess, Spread
from devices.defects import DEFECTS, GOOD, Step
from devices.messages import POSITIONS

_NONE = StepFigures()


@dataclass(frozen=True, slots=True)
class DefectKind:
    """A way a defect shows: its code, the step that finds it, how many positions it strikes."""

    code: str
    found_at: str
    positions: int


@dataclass(frozen=True, slots=True)
class StepNature:
    """What the stations of a step have in common in this run."""

    ratio: Spread
    down_s: Spread
    off_s: Spread
    clear_s: Spread
    jam_spoiled: float  # share of loads
    jam_returned: float
    stop_returned: float  # share of stopped loads
    stop_spoiled: float
    unknown: float  # share of loads
    suspect: float  # share of sheets
    kinds: tuple[DefectKind, ...]
    kinds_below: tuple[float, ...]  # cumulated shares of the kinds


@dataclass(frozen=True, slots=True)
class StationNature:
    """What one station is like in this run."""

    begin_s: float  # of a load, and
    unit_s: float  # of each of its sheets (packing: cards)
    stop_rate: float  # per busy second
    off_rate: float
    defect_rate: float  # per sheet

    def load_s(self, units: int) -> float:
        """Give the mean floor seconds of a clean load."""
        return self.begin_s + self.unit_s * units


class Nature:
    """Draws the natures of one run as they are asked for: whatever else is asked for, each is the same."""

    def __init__(self, estimates: Estimates, draws: Draws) -> None:
        self.draws = draws
        self._estimates = estimates
        self._pools = {step: _pool(estimates, step) for step in Step}
        self._waits: dict[str, Spread] = {}
        self._together: dict[str, float] = {}
        self.steps = {step: self._step(step) for step in Step}
        self.encode_card_s = self.spread(estimates.encode_card_s, guesses.ENCODE_CARD_S, "encode")
        self.return_s = self.spread(estimates.return_s, guesses.RETURN_S, "return")
        self.empty_s = self.spread(estimates.magazines.empty_s, guesses.EMPTY_S, "magazine")

    def spread(self, bins: Bins, guess: Guess, about: str) -> Spread:
        """Give how a value is spread in this run."""
        return Spread(bins, guess, self.draws, about)

    def wait(self, word: str) -> Spread:
        """Give how long people take for what a word of `Estimates.waits` names."""
        if word not in self._waits:
            self._waits[word] = self.spread(self._estimates.waits.get(word, Bins()), guesses.WAITS[word], word)
        return self._waits[word]

    def together(self, word: str) -> float:
        """Give how often a batch's next card is decided about in the same visit."""
        if word not in self._together:
            seen = self._estimates.together.get(word, 0), self._estimates.apart.get(word, 0)
            together, apart = (guess + count for guess, count in zip(guesses.TOGETHER, seen, strict=True))
            self._together[word] = self.draws.share(together, apart, f"{word} together")
        return self._together[word]

    def finding(self, word: str, about: str, allowed: Mapping[str, bool] | None = None) -> str:
        """Give what people decide, of what is allowed."""
        weights = dict(guesses.FINDINGS[word])
        for finding, count in sorted(self._estimates.findings.get(word, {}).items()):
            weights[finding] = weights.get(finding, 0.0) + count
        if allowed is not None:
            weights = {finding: weight for finding, weight in weights.items() if allowed.get(finding, True)}
        return self.draws.pick(weights, about)

    def station(self, name: str, step: Step) -> StationNature:
        """Give what a station is like; one the ledger does not know is like the others of its step."""
        pool, own = self._pools[step], self._estimates.stations.get(name)
        if own is None or own.step != step:
            own = StationFigures(step)
        begin_s, unit_s = self._pace(name, own, pool, step)
        draws = self.draws
        stops = draws.rate(guesses.STOPS[0] + pool.stops, guesses.STOPS[1] + pool.busy_s, f"{step} stops")
        offs = draws.rate(guesses.OFFS[0] + pool.offs, guesses.OFFS[1] + pool.busy_s, f"{step} offs")
        struck = draws.rate(guesses.DEFECTS[0] + pool.struck, guesses.DEFECTS[1] + pool.sheets, f"{step} defects")
        alike = guesses.ALIKE
        return StationNature(
            begin_s,
            unit_s,
            draws.rate(alike + own.stops, alike / stops + own.busy_s, f"{name} stops"),
            draws.rate(alike + own.offs, alike / offs + own.busy_s, f"{name} offs"),
            draws.rate(alike + own.struck, alike / struck + own.sheets, f"{name} defects"),
        )

    # ---- inside ------------------------------------------------------------------------------------------------

    def _pace(self, name: str, own: StationFigures, pool: StationFigures, step: Step) -> tuple[float, float]:
        """Give a pace as (begin, each unit), with the doubt that few loads leave."""
        spread = 0.1
        if own.loads >= guesses.SEEN_LOADS:
            source, doubt = own, spread / sqrt(own.loads)
        elif pool.loads:
            source, doubt = pool, sqrt(guesses.OWN_DOUBT**2 + spread**2 / pool.loads)
        else:
            begin_s, unit_s = guesses.PACES[step]
            factor = exp(guesses.PACE_DOUBT * self.draws.normal(f"{name} pace"))
            return begin_s * factor, unit_s * factor
        one, many = source.load_s(1), source.load_s(1 + POSITIONS)
        unit_s = max(0.0, (many - one) / POSITIONS)
        factor = exp(doubt * self.draws.normal(f"{name} pace"))
        return max(0.0, one - unit_s) * factor, unit_s * factor

    def _step(self, step: Step) -> StepNature:
        seen = self._estimates.steps.get(step, _NONE)
        share = self._share_of(step)
        fates = guesses.STOP_FATES
        went_on = fates[0] + max(0, seen.stopped_loads - seen.stops_spoiled - seen.stops_returned)
        spoiled = self.draws.gamma(fates[2] + seen.stops_spoiled, f"{step} stop spoiled")
        returned = self.draws.gamma(fates[1] + seen.stops_returned, f"{step} stop returned")
        of = spoiled + returned + self.draws.gamma(went_on, f"{step} stop went on")
        kinds, weights = self._kinds(step, seen)
        return StepNature(
            self.spread(seen.ratios, guesses.RATIO, f"{step} ratio"),
            self.spread(seen.down_s, guesses.DOWN_S, f"{step} down"),
            self.spread(seen.off_s, guesses.OFF_S, f"{step} off"),
            self.spread(seen.clear_s, guesses.CLEAR_S, f"{step} clear"),
            share(seen.jams_spoiled, seen.loads, guesses.JAMS_SPOILED, "jam spoiled"),
            share(seen.jams_returned, seen.loads, guesses.JAMS_RETURNED, "jam returned"),
            returned / of,
            spoiled / of,
            share(seen.unknown, seen.loads, guesses.UNKNOWN, "unknown"),
            share(seen.suspects, seen.worked, guesses.SUSPECTS, "suspect"),
            kinds,
            tuple(accumulate(weights)),
        )

    def _share_of(self, step: Step) -> _Share:
        return _Share(self.draws, step)

    def _kinds(self, step: Step, seen: StepFigures) -> tuple[tuple[DefectKind, ...], list[float]]:
        """Give the ways a step's defects show, weighted; while none is known, a first code of its own."""
        counts: dict[str, float] = {key: float(count) for key, count in sorted(seen.defects.items())}
        if not counts:
            code = next((one.code for one in DEFECTS.values() if one.step is step), GOOD)
            counts[f"{code} {step} 1"] = 1.0
        weights = [self.draws.gamma(count, f"{step} kind {key}") for key, count in counts.items()]
        kinds = []
        for key in counts:
            code, found_at, positions = key.rsplit(" ", 2)
            kinds.append(DefectKind(code, found_at, int(positions)))
        return tuple(kinds), [weight / max(sum(weights), 1e-300) for weight in weights]


@dataclass(frozen=True, slots=True)
class _Share:
    """Draws shares of one step."""

    draws: Draws
    step: Step

    def __call__(self, count: int, of: int, guess: tuple[float, float], about: str) -> float:
        """Give a share that `count` of so many, and a guess beside, leave likely."""
        return self.draws.share(guess[0] + count, guess[1] + max(0, of - count), f"{self.step} {about}")


def _pool(estimates: Estimates, step: Step) -> StationFigures:
    """Give all stations of a step as one."""
    pool = StationFigures(step)
    for name in sorted(estimates.stations):
        one = estimates.stations[name]
        if one.step == step:
            pool.add_pace(one)
            pool.busy_s, pool.stops, pool.offs = pool.busy_s + one.busy_s, pool.stops + one.stops, pool.offs + one.offs
            pool.sheets, pool.struck = pool.sheets + one.sheets, pool.struck + one.struck
    return pool
