"""The run of kills: a service under load ended with SIGKILL at random moments, started again, and looked at."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import trio

from bench.crash_audit import Auditor
from bench.crash_centre import Centre, CentreFailed
from bench.crash_load import Load
from bench.crash_matter import bound_blanks, lost_in_vault, not_in_bundles, open_batches, second_cards

WORKING, STARTING, RECOVERING = "working", "starting", "recovering"
PHASES = {WORKING: 7, STARTING: 2, RECOVERING: 1}  # when the kill comes, by weight
WORK_S = (0.05, 1.8)  # real seconds after the look until the kill
START_SHARES = (0.01, 1.1)  # of the last whole start, after the process began
RECOVERY_S = (0.0, 0.15)  # after it serves: stations are asked what became of their jobs
FORGET_SHARE = 0.08  # of the kills come with a power cut at some stations
WHOLE_EVERY = 20  # kills, after which all is looked at, and the ledger audits itself
FINISH_WITHIN_S = 240.0

Tell = Callable[[int], None]


@dataclass(slots=True)
class Killed:
    """What a run showed; times in real seconds."""

    kills: int = 0
    by_phase: dict[str, int] = field(default_factory=dict)
    power_cuts_of_stations: int = 0
    acknowledged: int = 0
    cards: int = 0
    dispatched: int = 0
    moves: int = 0
    audits: int = 0
    restarts_s: list[float] = field(default_factory=list)
    kills_s: float = 0.0  # from the first start to the last kill
    wall_s: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)  # lost, duplicates, faults
    found: dict[str, list[str]] = field(default_factory=dict)  # examples of them
    violations: dict[str, int] = field(default_factory=dict)  # what no floor can do and was asked for


def kill_often(seed: int, kills: int, tell: Tell = lambda done: None) -> Killed:
    """Kill the service `kills` times under load and look after each.  Raises: CentreFailed, OSError, LinkError."""
    with TemporaryDirectory(prefix="cardmill-crash-") as root, Centre(Path(root), seed) as centre:
        return _Run(centre, seed, kills, tell).run()


class _Run:
    def __init__(self, centre: Centre, seed: int, kills: int, tell: Tell) -> None:
        self._centre, self._kills, self._tell = centre, kills, tell
        self._luck = Random(f"kills {seed}")
        self._load = Load(centre.folder, seed)
        self._auditor = Auditor(centre.folder.data, self._load.diary)
        self._killed = Killed(by_phase=dict.fromkeys(PHASES, 0))

    def run(self) -> Killed:
        """Do it all."""
        began_s = time.perf_counter()
        self._centre.start_stations()
        self._load.start()
        try:
            while self._killed.kills < self._kills:
                self._live_and_die()
                self._require_load()
            self._killed.kills_s = time.perf_counter() - began_s
            self._centre.start()
            self._killed.restarts_s.append(self._centre.wait_ready())
            if not self._load.finish(FINISH_WITHIN_S):
                self._require_load()
                self._auditor.note("faults", f"some batch had no end {FINISH_WITHIN_S:g} s after the last kill")
            self._auditor.look(whole=True)
        finally:
            self._load.stop()
        self._centre.stop()
        self._look_at_the_end()
        self._killed.wall_s = time.perf_counter() - began_s
        return self._summed_up()

    def _live_and_die(self) -> None:
        """Start the service, let it come as far as luck has it, look at it, and kill it."""
        luck, killed = self._luck, self._killed
        phase = luck.choices(list(PHASES), list(PHASES.values()))[0] if killed.kills else WORKING
        self._centre.start()
        if luck.random() < FORGET_SHARE and killed.kills:
            self._centre.cut_stations_memory()
            killed.power_cuts_of_stations += 1
        if phase == STARTING:
            time.sleep(killed.restarts_s[-1] * luck.uniform(*START_SHARES))
        else:
            killed.restarts_s.append(self._centre.wait_ready())
            if phase == RECOVERING:
                time.sleep(luck.uniform(*RECOVERY_S))
            else:
                self._auditor.look(whole=killed.kills // WHOLE_EVERY > self._auditor.audits)
                time.sleep(luck.uniform(*WORK_S))
        self._centre.kill()
        killed.kills += 1
        killed.by_phase[phase] += 1
        self._tell(killed.kills)

    def _require_load(self) -> None:
        if self._load.failure is not None:
            raise CentreFailed(f"the load came to its end: {self._load.failure!r}") from self._load.failure

    def _look_at_the_end(self) -> None:
        """Compare ledger, vault and matter when nothing moves any more."""
        auditor, data = self._auditor, self._centre.folder.data
        made: dict[str, Any] = self._centre.stop_stations()
        auditor.look(whole=True)
        for sentence in trio.run(lost_in_vault, data, self._load.diary):
            auditor.note("lost", sentence)
        cards = trio.run(bound_blanks, data)
        for sentence in second_cards(made["cards"], cards, auditor.state):
            auditor.note("duplicates", sentence)
        for sentence in (*not_in_bundles(made["cards"], cards), *open_batches(auditor.state)):
            auditor.note("faults", sentence)
        self._killed.violations = made["violations"]
        for name, count in made["violations"].items():
            auditor.note("duplicates", f"the floor was asked for what cannot be: {name}, {count} times")

    def _summed_up(self) -> Killed:
        killed, auditor = self._killed, self._auditor
        killed.acknowledged = self._load.diary.total()
        killed.cards, killed.dispatched = auditor.tally.received, auditor.tally.dispatched
        killed.moves, killed.audits = auditor.head.seq, auditor.audits
        killed.counts = {kind: auditor.counts[kind] for kind in auditor.found}
        killed.found = auditor.found
        return killed


def print_progress(wanted: int) -> Tell:
    """Give a teller that shows on standard error how far a run is."""

    def tell(done: int) -> None:
        print(f"\r{done} of {wanted} kills", end="\n" if done == wanted else "", file=sys.stderr, flush=True)

    return tell
