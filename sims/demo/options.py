"""What `cardmill-sim demo` is told, with its ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

CARDS_MAX, KILLS_MAX, SCALE_MAX = 200_000, 100, 2_000.0


class DemoOptionError(Exception):
    """An option of the demo that cannot be used; the sentence says which, and what it may be."""

    code = "demo.option"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """One demo."""

    cards: int = 6_000
    seed: int = 1
    out: Path = field(default_factory=lambda: Path("out/demo"))
    json_path: str = ""  # the report once more: a file, or `-` for standard output
    kills: int = 0  # times the service is killed and started again
    scale: float = 120.0  # floor seconds per real second: 6,000 cards in about 100 s on two cores
    bad_share: float = 0.03  # of the applications: faults whose verdict is refuse
    hold_share: float = 0.01  # of the applications: faults a person decides about
    console: bool = False  # people may log in with a browser, and it all goes on until somebody ends it

    def check(self) -> None:
        """Raises: DemoOptionError."""
        for name, value, least, most in (
            ("cards", self.cards, 1, CARDS_MAX),
            ("seed", self.seed, 0, 2**53),
            ("kill", self.kills, 0, KILLS_MAX),
            ("scale", self.scale, 1, SCALE_MAX),
            ("bad-share", self.bad_share, 0, 0.4),
            ("hold-share", self.hold_share, 0, 0.4),
        ):
            if not (math.isfinite(value) and least <= value <= most):
                raise DemoOptionError(f"--{name} {value:g}: it is a number from {least:,} to {most:,}")
        if self.console and (self.kills or self.json_path):
            raise DemoOptionError("--console goes on until it is ended: it takes neither --kill nor --json")
        if self.bad_share + self.hold_share > 0.45:
            raise DemoOptionError("--bad-share and --hold-share are at most 0.45 together")
