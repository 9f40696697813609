"""The lines: which connection of a router belongs to whom, so that one can be hung up on."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from devices.zlink import Delivery

StillLetIn = Callable[[str, str], bool]  # a user's name and the fingerprint of its key -> whether it may be heard


@dataclass(slots=True)
class Line:
    """One connection, as its last message showed it."""

    user: str
    mark: str  # fingerprint of the key that let it in
    descriptor: int
    inode: int  # of the connection's socket: another one may have the descriptor by now


class Lines:
    """The connections that were heard, by routing id; of one user no more than `most`.

    libzmq 4.3.5 has no call by which a ROUTER leaves one peer.  It does say by which descriptor a message came
    (ZMQ_SRCFD), and a socket that is shut down there ends the connection as if the peer had hung up (measured): the
    routing id is unknown at once, and the peer has to pass ZAP to come back.
    """

    def __init__(self, endpoint: str, most: int) -> None:
        self._endpoint, self._most = endpoint, most
        self._lines: dict[bytes, Line] = {}
        self._of_user: dict[str, dict[bytes, None]] = {}  # the one heard last is last

    def may_hear(self, peer: bytes, still: StillLetIn) -> bool:
        """Whether a peer was heard and would still be let in."""
        line = self._lines.get(peer)
        return line is not None and still(line.user, line.mark)

    def heard(self, delivery: Delivery) -> bytes | None:
        """Note by which connection a message came; gives a peer that is now one too many, and no longer noted."""
        line = self._lines.get(delivery.peer)
        if line is None or (line.user, line.mark, line.descriptor) != (
            delivery.user,
            delivery.mark,
            delivery.descriptor,
        ):
            self.forget(delivery.peer)
            self._lines[delivery.peer] = _line_of(delivery)
        peers = self._of_user.setdefault(delivery.user, {})
        peers.pop(delivery.peer, None)
        peers[delivery.peer] = None
        return next(iter(peers)) if len(peers) > self._most else None

    def of_strangers(self, still: StillLetIn) -> list[bytes]:
        """The peers that would not be let in any more."""
        return [peer for peer, line in self._lines.items() if not still(line.user, line.mark)]

    def forget(self, peer: bytes) -> Line | None:
        """Let a connection go that has ended."""
        line = self._lines.pop(peer, None)
        if line is not None:
            peers = self._of_user[line.user]
            del peers[peer]
            if not peers:
                del self._of_user[line.user]
        return line

    def hang_up(self, peer: bytes) -> bool:
        """Whether a connection was ended: it was still the one that was heard.  It is let go in any case."""
        line = self.forget(peer)
        return line is not None and hang_up(line, self._endpoint)


def hang_up(line: Line, endpoint: str) -> bool:
    """Whether a connection of a router at `endpoint` was ended; nothing else is ever touched."""
    try:
        copy = os.dup(line.descriptor)  # from here on the number cannot come to mean another file
    except OSError:
        return False
    try:
        if os.fstat(copy).st_ino != line.inode:
            os.close(copy)
            return False
        opened = socket.socket(fileno=copy)
    except OSError:  # no socket
        os.close(copy)
        return False
    with closing(opened):
        try:
            if not _is_of(opened.getsockname(), endpoint):
                return False
            opened.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has ended by itself
            return False
    return True


def _line_of(delivery: Delivery) -> Line:
    try:
        inode = os.fstat(delivery.descriptor).st_ino
    except OSError:  # it has ended since
        inode = 0
    return Line(delivery.user, delivery.mark, delivery.descriptor, inode)


def _is_of(name: object, endpoint: str) -> bool:
    """Say whether a socket's own name is that of an endpoint."""
    transport, _, address = endpoint.partition("://")
    if transport == "tcp":
        return isinstance(name, tuple) and str(name[1]) == address.rpartition(":")[2]
    return name == address
