"""What the doors refused, frames and connections: one count by door and code, which metrics and `status` show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

SEVERAL_FRAMES = "link.several_frames"  # such a message is dropped without an answer
OF_SOCKET = {  # counter of a door's socket (`devices.zlink.COUNTERS`) -> the code it is shown under
    "malformed": SEVERAL_FRAMES,
    "flooded": "link.flooded",  # more than one peer may have waiting: dropped unread
    "revoked": "link.revoked",  # of a peer whose key was taken away: dropped unread
    "shed": "link.peer_shed",  # answers dropped for a peer that does not read them
    "unlisted_key": "link.key_refused",
    "wrong_server_key": "link.wrong_server_key",
    "no_curve": "link.no_curve",
    "bad_protocol": "link.bad_protocol",
    "no_handshake": "link.no_handshake",  # hung up, or silent beyond `handshake_s`
}
OF_CONNECTIONS = {"accepted": "accepted", "handshake": "let_in", "disconnected": "ended"}


class RefusedFrames:
    """Counts each refusal once, where it was made; it begins at nothing with each start of the service."""

    def __init__(self) -> None:
        self._noted: Counter[tuple[str, str]] = Counter()
        self._dropped: dict[str, Mapping[str, int]] = {}
        self._answered: Counter[tuple[str, str]] = Counter()

    def at(self, door: str) -> Callable[[str], None]:
        """Give what a door calls with the code of each frame it refuses."""

        def note(code: str) -> None:
            self._noted[door, code] += 1

        return note

    def answered_at(self, door: str) -> Callable[[str], None]:
        """Give what a door calls with the code of each request that it understood and answered with no."""

        def note(code: str) -> None:
            self._answered[door, code] += 1

        return note

    def answered(self) -> dict[tuple[str, str], int]:
        """Give the requests answered with no, by door and code: a bad request is no bad frame."""
        return dict(sorted(self._answered.items()))

    def connections(self) -> dict[tuple[str, str], int]:
        """Give what became of connections, by door and OF_CONNECTIONS.

        Whoever is not let in shows as `accepted` that is no `let_in`: libzmq names no reason for those that speak
        another protocol, nor for those it ends because a frame was too long, which show as `ended` only.
        """
        return {
            (door, outcome): counters.get(name, 0)
            for door, counters in self._dropped.items()
            for name, outcome in OF_CONNECTIONS.items()
        }

    def watch(self, door: str, counters: Mapping[str, int]) -> None:
        """Count too what a door's socket refuses or drops before anybody can answer it."""
        self._dropped[door] = counters

    def counts(self) -> dict[str, dict[str, int]]:
        """Give what was refused so far, by door and code; codes that never came are left out."""
        found = Counter(self._noted)
        for door, counters in self._dropped.items():
            found.update({(door, code): counters.get(name, 0) for name, code in OF_SOCKET.items()})
        doors: dict[str, dict[str, int]] = {}
        for (door, code), count in sorted(found.items()):
            if count:
                doors.setdefault(door, {})[code] = count
        return doors

    @property
    def total(self) -> int:
        """Give all of them."""
        return sum(count for codes in self.counts().values() for count in codes.values())
