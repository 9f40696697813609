"""The frames that no door could read: one count by door and code, which metrics and `status` show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

SEVERAL_FRAMES = "link.several_frames"  # such a message is dropped without an answer


class RefusedFrames:
    """Counts each frame once, where it was refused; it begins at nothing with each start of the service."""

    def __init__(self) -> None:
        self._noted: Counter[tuple[str, str]] = Counter()
        self._dropped: dict[str, Mapping[str, int]] = {}

    def at(self, door: str) -> Callable[[str], None]:
        """Give what a door calls with the code of each frame it refuses."""

        def note(code: str) -> None:
            self._noted[door, code] += 1

        return note

    def watch(self, door: str, counters: Mapping[str, int]) -> None:
        """Count too what a door's socket drops before anybody can answer it (`devices.zlink.COUNTERS`)."""
        self._dropped[door] = counters

    def doors(self) -> dict[str, Mapping[str, int]]:
        """Give what the sockets themselves count, by door."""
        return self._dropped

    def counts(self) -> dict[str, dict[str, int]]:
        """Give the frames refused so far, by door and code; codes that never came are left out."""
        found = dict(self._noted)
        found |= {(door, SEVERAL_FRAMES): counters["malformed"] for door, counters in self._dropped.items()}
        doors: dict[str, dict[str, int]] = {}
        for (door, code), count in sorted(found.items()):
            if count:
                doors.setdefault(door, {})[code] = count
        return doors

    @property
    def total(self) -> int:
        """Give all of them."""
        return sum(count for codes in self.counts().values() for count in codes.values())
