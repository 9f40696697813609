"""Typed messages to bounded msgpack and back: the one way a message becomes bytes anywhere in Cardmill.

A message is a `msgspec.Struct`.  Decoding is typed, so a message of the wrong shape is refused at its first wrong
byte, before anything large is built; what a peer may send at most is the socket's limit (see `devices.zlink`).
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

Message = TypeVar("Message")

_encoder = msgspec.msgpack.Encoder()


class EnvelopeError(Exception):
    """The bytes are not the message that was expected.

    Attributes:
        code: `envelope.too_long`, `envelope.malformed` or `envelope.type`.
        path: where in the message, like `$.applications[3].name`; empty when unknown.
    """

    def __init__(self, code: str, text: str, path: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.path = code, text, path


def pack(message: Any) -> bytes:
    """Give the msgpack bytes of one message."""
    return _encoder.encode(message)


class Opener(Generic[Message]):
    """Decode bytes as one type (or a union of tagged types), with a bound on their length."""

    def __init__(self, kind: Any, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._max_bytes = max_bytes

    def unpack(self, body: bytes | memoryview) -> Message:
        """Give the message in `body`.  Raises: EnvelopeError; its text repeats no value of the message."""
        if len(body) > self._max_bytes:
            raise EnvelopeError("envelope.too_long", f"{len(body)} bytes, at most {self._max_bytes} are read")
        try:
            message: Message = self._decoder.decode(body)
        except msgspec.ValidationError as error:
            # msgspec's sentence may quote a wrong tag, which is the peer's text: only the path is kept
            raise EnvelopeError("envelope.type", "a field has the wrong type or is missing", _path(error)) from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError):
            raise EnvelopeError("envelope.malformed", "this is not msgpack, or it is cut or nested too deep") from None
        return message


def _path(error: msgspec.ValidationError) -> str:
    """Give the `$.a.b` part of msgspec's sentence, or nothing."""
    _, found, path = str(error).rpartition(" - at `")
    return path.rstrip("`") if found else ""
