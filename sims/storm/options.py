"""What one seed does to the floor: every rate is drawn for itself, many are zero and some are high (swarm testing)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random

CARDS_MIN = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The rates of one seed: shares from 0 to 1, times in link seconds (one is `SCALE` floor seconds)."""

    cards: int
    # disk
    sync_s: float
    sync_slow: float  # share of syncs that take five times as long
    sync_fails: float
    # the service
    crash_first_s: float  # the first crash comes before this
    crash_every_s: float  # then again within this; 0: never
    crash_again: float  # share of recoveries that crash too
    zombie: float  # share of crashes after which the dead one goes on for a moment, beside the next
    # lines
    lost: float
    repeated: float
    late: float
    late_s: float
    down_every_s: float  # of one line; 0: never
    gone: float  # share of those downs that last long
    # stations
    jam: float
    returned: float
    position: float
    unreported: float  # share of flaws that only inspection sees
    false_reject: float
    film_shifted: float
    tray_shifted: float
    short_scan: float
    power_every_s: float  # of one station; 0: never
    memory_lost: float  # share of those cuts
    off_line_every_s: float
    # upstream
    resent: float
    conflicting: float
    cancelled: float
    bad_rows: float
    # people
    missing: float  # share of what they look at and cannot find
    found_good: float
    decides_s: float

    def told(self) -> str:
        """Give the options in one line, those that are zero left out."""
        named = [(one.name, getattr(self, one.name)) for one in fields(self)]
        return " ".join(f"{name}={value:g}" for name, value in named if value)


def draw_options(seed: int) -> Options:
    """Give the options of a seed."""
    luck = Random(f"storm options {seed}")

    def some(*rates: float) -> float:
        return luck.choice((0.0, *rates))

    return Options(
        cards=CARDS_MIN + luck.randrange(0, 24),
        sync_s=luck.choice((0.1, 0.5, 1.0)),
        sync_slow=some(0.01, 0.04),
        sync_fails=some(0.0, 0.0005, 0.003),
        crash_first_s=luck.choice((8.0, 20.0, 40.0)),
        crash_every_s=some(80.0, 30.0),
        crash_again=some(0.15, 0.3),
        zombie=some(0.1, 0.3),
        lost=some(0.01, 0.1),
        repeated=some(0.02, 0.2),
        late=some(0.02, 0.2),
        late_s=luck.choice((0.5, 4.0)),
        down_every_s=some(30.0, 80.0),
        gone=some(0.2, 0.5),
        jam=some(0.01, 0.05),
        returned=some(0.02, 0.05),
        position=some(0.005, 0.02, 0.06),
        unreported=luck.choice((0.0, 0.3, 0.9)),
        false_reject=some(0.005, 0.03),
        film_shifted=some(0.01, 0.05),
        tray_shifted=some(0.01, 0.05),
        short_scan=some(0.05, 0.2),
        power_every_s=some(40.0, 100.0),
        memory_lost=luck.choice((0.0, 0.5, 1.0)),
        off_line_every_s=some(40.0, 100.0),
        resent=some(0.1, 0.4),
        conflicting=some(0.1, 0.4),
        cancelled=some(0.02, 0.08),
        bad_rows=some(0.02, 0.06),
        missing=some(0.1, 0.4),
        found_good=some(0.5, 1.0),
        decides_s=luck.choice((2.0, 5.0, 10.0)),
    )
