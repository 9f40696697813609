"""What the service refused at any of its doors: one count by door and code, which metrics and `status` show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

CONSOLE = "console"  # a door beside those of `devices.peers`
SEVERAL_FRAMES = "link.several_frames"  # such a message is dropped without an answer
ENDED = "link.ended"
OF_FRAMES = ("link.", "envelope.")  # how the codes of frames and connections begin
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
    "disconnected": ENDED,  # cut, or left: libzmq does not say which, nor why
}
OF_CONNECTIONS = {"accepted": "accepted", "handshake": "let_in"}

Note = Callable[[str], None]
"""Called with the code of one refusal."""


def not_counted(code: str) -> None:
    """Count nothing: for parts that stand alone."""


class Refusals:
    """Counts each refusal once, where it was made; it begins at nothing with each start of the service.

    What is refused: connections, frames that are no message, requests answered with no or later, applications with a
    fault, what stations say that cannot be, and pages of the console.
    """

    def __init__(self) -> None:
        self._noted: Counter[tuple[str, str]] = Counter()
        self._sockets: dict[str, Mapping[str, int]] = {}

    def at(self, door: str) -> Note:
        """Give what is called with the code of each refusal at a door."""

        def note(code: str) -> None:
            self._noted[door, code] += 1

        return note

    def watch(self, door: str, counters: Mapping[str, int]) -> None:
        """Count too what a door's socket refuses, drops or sees ending before anybody can answer it."""
        self._sockets[door] = counters

    def connections(self) -> dict[tuple[str, str], int]:
        """Give how many connections came and were let in, by door and OF_CONNECTIONS."""
        return {
            (door, outcome): counters.get(name, 0)
            for door, counters in self._sockets.items()
            for name, outcome in OF_CONNECTIONS.items()
        }

    def counts(self) -> dict[str, dict[str, int]]:
        """Give what was refused so far, by door and code; codes that never came are left out."""
        found = Counter(self._noted)
        for door, counters in self._sockets.items():
            found.update({(door, code): counters.get(name, 0) for name, code in OF_SOCKET.items()})
        doors: dict[str, dict[str, int]] = {}
        for (door, code), count in sorted(found.items()):
            if count:
                doors.setdefault(door, {})[code] = count
        return doors

    @property
    def frames(self) -> int:
        """Give how many frames and connections were refused: not requests or pages, nor connections that ended."""
        found = [(code, count) for codes in self.counts().values() for code, count in codes.items()]
        return sum(count for code, count in found if code.startswith(OF_FRAMES) and code != ENDED)
