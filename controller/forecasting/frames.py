"""Frames over pipes between the service and its worker: a length of four bytes, then msgpack of one message."""

from __future__ import annotations

import os
from typing import Any

from encoders.envelope import pack

LENGTH_BYTES = 4
MAX_FRAME_BYTES = 16 * 1024 * 1024
READ_BYTES = 1 << 16


class FrameTooLong(Exception):
    """A frame is longer than any message between these two can be."""

    code = "forecast.frame_too_long"

    def __init__(self, size: int) -> None:
        super().__init__(f"{self.code}: {size} bytes")
        self.size = size


class FrameReader:
    """Cuts received bytes into the bodies of frames.  No I/O."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, received: bytes) -> list[bytes]:
        """Take bytes, give the bodies they complete.  Raises: FrameTooLong; then nothing more can be read."""
        self._buffer += received
        bodies = []
        while len(self._buffer) >= LENGTH_BYTES:
            size = int.from_bytes(self._buffer[:LENGTH_BYTES])
            if size > MAX_FRAME_BYTES:
                raise FrameTooLong(size)
            if len(self._buffer) < LENGTH_BYTES + size:
                break
            bodies.append(bytes(self._buffer[LENGTH_BYTES : LENGTH_BYTES + size]))
            del self._buffer[: LENGTH_BYTES + size]
        return bodies


def frame_of(message: Any) -> bytes:
    """Give a message as one frame.  Raises: FrameTooLong."""
    body = pack(message)
    if len(body) > MAX_FRAME_BYTES:
        raise FrameTooLong(len(body))
    return len(body).to_bytes(LENGTH_BYTES) + body


def write_all(descriptor: int, whole: bytes) -> None:
    """Write bytes to a pipe, waiting for its reader.  Raises: OSError: nobody reads any more."""
    left = memoryview(whole)
    while left:
        left = left[os.write(descriptor, left) :]
