"""Lines that lose, repeat, delay and reorder what is said on them, and go down for a while: both ways, from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from sims.storm.options import Options
from sims.storm.timeline import Timeline

FLIGHT_S = 0.01

Hear = Callable[[bytes], None]


class Lines:
    """All lines of one floor, by the name of the peer whose it is; the service is at the other end of each."""

    def __init__(self, timeline: Timeline, options: Options, seed: int, seen: Counter[str]) -> None:
        self._timeline, self._options, self._seen = timeline, options, seen
        self._luck = Random(f"storm line {seed}")
        self._down_until_s: dict[str, float] = {}
        self._calls: dict[str, int] = {}  # peer -> the number of its connection
        self.is_calm = False

    def is_down(self, peer: str) -> bool:
        """Say whether nothing comes through."""
        return self._down_until_s.get(peer, 0.0) > self._timeline.now_s

    def cut(self, peer: str, lasts_s: float) -> None:
        """Let nothing through for a while."""
        self._down_until_s[peer] = max(self._down_until_s.get(peer, 0.0), self._timeline.now_s + lasts_s)

    def redial(self, peer: str) -> None:
        """Let what is under way to a peer be lost: its end was opened anew."""
        self._calls[peer] = self._calls.get(peer, 0) + 1

    def heal(self) -> None:
        """From now on every message arrives, once and in time."""
        self.is_calm = True
        self._down_until_s.clear()

    def send(self, peer: str, hear: Hear, body: bytes) -> None:
        """Say something on the line of `peer`; `hear` is the end it goes to."""
        call = self._calls.get(peer, 0)
        if self.is_calm:
            self._timeline.after(FLIGHT_S, self._arrive, peer, call, hear, body)
            return
        options, chance = self._options, self._luck.random
        if chance() < options.lost:
            self._seen["message lost"] += 1
            return
        delay_s = FLIGHT_S
        if chance() < options.late:
            self._seen["message late"] += 1
            delay_s += chance() * options.late_s
        self._timeline.after(delay_s, self._arrive, peer, call, hear, body)
        if chance() < options.repeated:
            self._seen["message repeated"] += 1
            self._timeline.after(delay_s + chance() * options.late_s, self._arrive, peer, call, hear, body)

    def _arrive(self, peer: str, call: int, hear: Hear, body: bytes) -> None:
        if call == self._calls.get(peer, 0) and not self.is_down(peer):
            hear(body)
