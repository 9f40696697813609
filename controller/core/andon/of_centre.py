"""Alarms of the centre itself: its disk, its record, its doors and keys, and who takes or tries what is not theirs."""

from __future__ import annotations

from collections.abc import Iterator

from controller.core.andon.alarm import Found, Look
from controller.core.break_glass import REASONS
from controller.core.rates import DENIED
from controller.core.why.sentences import Facts

KEYS_STAND_S = 604_800.0  # floor seconds: a change of keys past the service stays on the list for a week
BATCHES_NAMED = 5
MIB = 1 << 20
DISKS = {"low": "disk.low", "reserve_given_up": "disk.reserve_spent"}


def of_centre(look: Look) -> Iterator[Found]:
    """Give what is wrong with the centre."""
    yield from _record(look)
    yield from _doors(look)
    yield from _people(look)


def _record(look: Look) -> Iterator[Found]:
    state, disk = look.state, look.conditions.disk
    if disk in DISKS:
        yield Found(DISKS[disk], "", None, {"free_mib": look.conditions.free_bytes // MIB})
    if state.reconciling:
        yield Found("ledger.reconciling", "", None, {})
    if state.altered:
        named = ", ".join(map(str, state.altered[:BATCHES_NAMED]))
        yield Found("ledger.altered", "", None, {"count": len(state.altered), "batches": named})
    for purge_id in sorted(state.purges):
        yield Found("purge.open", str(purge_id), None, {"purge_id": purge_id})


def _doors(look: Look) -> Iterator[Found]:
    keys, refused = look.state.peer_keys, look.conditions.refused_frames
    if keys.outside and look.now_floor_s - keys.outside_floor_s < KEYS_STAND_S:
        yield Found("keys.outside", "", keys.outside_floor_s, {"count": keys.outside})
    if keys.pending:
        yield Found("keys.pending", "", None, {"count": len(keys.pending)})
    if look.conditions.is_insecure:
        yield Found("sockets.insecure", "", None, {})
    if refused >= look.config.andon.frames_min:
        yield Found("frames.refused", "", None, {"count": refused})


def _people(look: Look) -> Iterator[Found]:
    now, window = look.now_floor_s, look.tally.window
    for name, taken in sorted(look.state.glass.items()):
        for role, glass in sorted(taken.items()):
            if glass.until_floor_s > now:
                why = REASONS[glass.reason][1]
                facts: Facts = {"by": name, "role": role, "why": why, "until_floor_s": glass.until_floor_s}
                yield Found("glass.broken", f"{name} {role}", glass.since_floor_s, facts)
    denied = window.sums(now)[DENIED]
    if denied > 0:
        yield Found("attempt.denied", "", window.first_floor_s(DENIED, now), {"count": denied})
