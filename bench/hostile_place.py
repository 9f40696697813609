"""The doors of a service as an attacker sees them: addresses, keys it may have got hold of, and bare sockets."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import msgspec
import zmq

Raw = zmq.Socket[bytes]

WITHIN_S = 120.0  # what is waited for at most, on a machine that has other work too
POLL_S, AGAIN_S, ENDED_WITHIN_S = 0.02, 5.0, 5.0
_requests = count(1)
DOORS = ("upstreams", "stations", "operators")


class NotStopped(Exception):
    """What an attack waits for did not come: the service let it go on, or answered no more."""

    code = "hostile.not_stopped"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service listens, and the key files of two listed upstreams, a listed station and a listed operator."""

    endpoints: dict[str, str]  # by door; `metrics` is host:port
    server_public: str
    owner_secret: str  # of an upstream
    insider_secret: str  # of another upstream, who attacks
    station_secret: str
    operator_secret: str

    def to_json(self) -> str:
        """Give it as text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Place:
        """Give what `to_json` wrote."""
        return cls(**json.loads(text))

    def address(self, door: str) -> tuple[str, int]:
        """Give host and port of a door, or of the metrics."""
        host, _, port = self.endpoints[door].rpartition("/")[2].rpartition(":")
        return host, int(port)

    def counted(self, family: str, *labels: str) -> float:
        """Give the sum of a metric family's samples that have these labels, written like `code="busy"`."""
        host, port = self.address("metrics")
        with urlopen(f"http://{host}:{port}/metrics", timeout=WITHIN_S) as page:
            lines = page.read().decode().splitlines()
        rows = [line for line in lines if line.startswith((f"{family}{{", f"{family} "))]
        return sum(float(row.rpartition(" ")[2]) for row in rows if all(label in row for label in labels))

    @property
    def server_key(self) -> bytes:
        """Give the service's public key."""
        return key_of(self.server_public)


def key_of(file: str) -> bytes:
    """Give the key in a file: 40 characters of Z85."""
    return Path(file).read_text("ascii").strip().encode()


@contextmanager
def dealers(
    place: Place,
    count: int = 1,
    *,
    door: str = "upstreams",
    secret: bytes | None = None,
    server: bytes | None = None,
    routing_id: bytes = b"",
    **options: int,
) -> Iterator[list[Raw]]:
    """Give sockets on their way to a door, with a fresh key each unless `secret` is one; `options` are ZeroMQ's."""
    context = zmq.Context()
    context.max_sockets = max(count + 8, 1_023)
    made: list[Raw] = []
    try:
        for _ in range(count):
            raw = context.socket(zmq.DEALER)
            made.append(raw)
            key = secret or zmq.curve_keypair()[1]
            raw.curve_secretkey, raw.curve_publickey = key, zmq.curve_public(key)
            raw.curve_serverkey = server or place.server_key
            raw.linger = 0
            if routing_id:
                raw.routing_id = routing_id
            for name, value in options.items():
                setattr(raw, name, value)
            raw.connect(place.endpoints[door])
        yield made
    finally:
        # libzmq may wait for ever for a socket whose handshake was refused, without linger too (its issue 2586)
        ending = Thread(target=context.destroy, args=(0,), daemon=True)
        ending.start()
        ending.join(ENDED_WITHIN_S)


def asked(raw: Raw, message: dict[str, Any]) -> dict[str, Any]:
    """Give the answer to a message, which is sent again when none comes.  Raises: NotStopped: none came at all."""
    number = next(_requests)
    until_s = time.monotonic() + WITHIN_S
    while time.monotonic() < until_s:
        raw.send(msgspec.msgpack.encode(message | {"request": number}))
        while raw.poll(round(AGAIN_S * 1_000)):
            found: dict[str, Any] = msgspec.msgpack.decode(raw.recv())
            if found.get("request") == number:
                return found
    raise NotStopped("the service gave a listed peer no answer")


def answer_of(raw: Raw, within_s: float = WITHIN_S) -> dict[str, Any]:
    """Give the next answer.  Raises: NotStopped: none came."""
    if not raw.poll(round(within_s * 1_000)):
        raise NotStopped("the service gave a listed peer no answer")
    found: dict[str, Any] = msgspec.msgpack.decode(raw.recv())
    return found


def connect(place: Place, door: str) -> socket.socket:
    """Give a bare connection to a door."""
    return socket.create_connection(place.address(door), timeout=WITHIN_S)


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other end hangs up, whatever it says before; False when it does not."""
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def within(is_so: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Wait until something is so.  Raises: NotStopped."""
    until_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > until_s:
            raise NotStopped(what)
        time.sleep(POLL_S)
