"""The fuzz bench at the doors of a running service: the frames it counts as refused must be those sent badly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from bench import fuzz_seeds as seeds
from bench.fuzz_mutations import mutated
from controller.doors import operator_requests, upstream_requests
from devices.driver import MAX_SAID_BYTES
from devices.key_files import read_pair, read_public
from devices.messages import StationSaid
from devices.peers import OPERATOR, STATION, UPSTREAM
from devices.sync_dealer import SyncDealer
from encoders.envelope import EnvelopeError, Opener, pack
from sims.conformance.service import OwnService, own_service
from sims.demo.folder import KEEPERS, UPSTREAM_NAME

WINDOW = 40  # frames under way: fewer than a door holds for one peer
ANSWER_WITHIN_S = 60.0
NO_MESSAGE = "envelope."  # the codes of frames that are no message; what else is refused was one
STATION_NAME = "printer-1"
COUNTED = re.compile(r'^cardmill_refusals_total\{code="(envelope\.[^"]+)",door="([^"]+)"\} (\S+)$', re.MULTILINE)
HELLO = {"version": 1, "step": "print", "model": "fuzzed", "load_max": 1, "state": "idle"}

DOORS: dict[str, tuple[str, Opener[Any], list[bytes]]] = {  # role -> the peer's name, what the door reads, good frames
    UPSTREAM: (UPSTREAM_NAME, upstream_requests, seeds.upstream_requests()),
    OPERATOR: (KEEPERS[0], operator_requests, seeds.operator_requests()),
    STATION: (STATION_NAME, Opener(StationSaid, MAX_SAID_BYTES), seeds.station_words()),
}
Counts = Counter[tuple[str, str]]
"""Frames by door and code."""


def fuzz_doors(frames: int, seed: int) -> dict[str, Any]:
    """Send mutated frames to the three doors of a service started for it; give what was sent and what it counted.

    Raises: NoAnswer: it did not become ready; LinkError: a door answered no more.
    """
    sent_badly: Counts = Counter()
    with own_service([STATION_NAME]) as service:
        for role in DOORS:
            sent_badly += _at_door(service, role, frames // len(DOORS) + 1, seed)
        counted = counted_on(service.metrics_page())
        with service.home.person(KEEPERS[0]) as keeper:
            shown = keeper.command("status")["refusals"]
    return {
        "sent": (frames // len(DOORS) + 1) * len(DOORS),
        "sent_badly": sent_badly.total(),
        "counted": counted.total(),
        "agree": int(counted == sent_badly == _flat(shown)),
        "codes": {f"{door} {code}": count for (door, code), count in sorted(counted.items())},
    }


def counted_on(page: str) -> Counts:
    """Give the frames that were no message, as a page of metrics counts them."""
    return Counter({(door, code): int(float(count)) for code, door, count in COUNTED.findall(page)})


def _flat(shown: dict[str, dict[str, int]]) -> Counts:
    rows = [(door, code, count) for door, codes in shown.items() for code, count in codes.items()]
    return Counter({(door, code): count for door, code, count in rows if code.startswith(NO_MESSAGE)})


def _at_door(service: OwnService, role: str, frames: int, seed: int) -> Counts:
    """Send frames to one door, window by window; give how many of them are no message, by code."""
    name, opener, good = DOORS[role]
    rng, bad = Random(f"{role} {seed}"), Counter[tuple[str, str]]()
    keys, server = read_pair(service.home.peers / role, name), read_public(service.home.server_public)
    with SyncDealer(service.home.endpoints[f"{role}s"], my_keys=keys, server_public_key=server) as dealer:
        for window in _windows(frames):
            for _ in range(window):
                frame = mutated(good, rng)
                dealer.send(frame, ANSWER_WITHIN_S)
                try:
                    opener.unpack(frame)
                except EnvelopeError as error:
                    bad[role, error.code] += 1
            _until_taken(dealer, role, window)
    return bad


def _windows(frames: int) -> Iterator[int]:
    yield from [WINDOW] * (frames // WINDOW)
    if frames % WINDOW:
        yield frames % WINDOW


def _until_taken(dealer: SyncDealer, role: str, window: int) -> None:
    """Wait until the door has looked at all that was sent: each request is answered, a station's hello is at last."""
    if role != STATION:
        for _ in range(window):
            dealer.recv(ANSWER_WITHIN_S)
        return
    dealer.send(pack({"type": "hello", **HELLO}), ANSWER_WITHIN_S)
    while b"welcome" not in bytes(dealer.recv(ANSWER_WITHIN_S)):
        pass
