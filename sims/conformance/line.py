"""One upstream's line to any implementation: a real CURVE socket, msgpack maps as the page shows them, no client."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import msgspec
import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from controller.asking.conversation import UPSTREAM_ANSWERS
from devices.keys import KeyPair, LinkError, LinkTimeout
from devices.limits import SocketLimits
from devices.sync_dealer import SyncDealer
from encoders.envelope import EnvelopeError, pack
from sims.conformance.errors import NoAnswer

ANSWER_WITHIN_S = 5.0  # "5 s is a good time"
TRIES = 4
BUSY_MOST_S = 60.0  # that this kit waits in all for one request
TOO_LONG_BYTES = 16 << 20  # of our own socket: it must be able to send what the other side may not take

Message = dict[str, Any]
NOTHING: Message = {"type": "nothing"}


@dataclass(frozen=True, slots=True)
class Target:
    """What is judged: its upstream door, its public key, and the keys of its receipts by their ids where known."""

    endpoint: str
    server_public: str
    signers: Mapping[str, Ed25519PublicKey] | None = None


class Dealer(SyncDealer):
    """A DEALER that can also send what no well-behaved peer does: a message of several frames."""

    def send_frames(self, frames: Iterable[bytes], timeout_s: float) -> None:
        """Send all of them as one message."""
        trio.run(self._call, timeout_s, self._dealer.send_frames, *frames)

    @property
    def hung_up(self) -> int:
        """Give how often the other side ended the connection."""
        return self._dealer.counters["disconnected"]


class Line(AbstractContextManager["Line"]):
    """Asks, hears and breaks off; every answer is held against the types of the page's tables."""

    def __init__(self, target: Target, keys: KeyPair) -> None:
        self._target, self._keys = target, keys
        self._number = 0
        self.heard = 0
        self.misshapen: list[str] = []
        self.dealer = self._open()

    def _open(self) -> Dealer:
        limits = SocketLimits(linger_s=0.0, max_message_bytes=TOO_LONG_BYTES)  # what is unsent at a cut is lost
        return Dealer(
            self._target.endpoint, my_keys=self._keys, server_public_key=self._target.server_public, limits=limits
        )

    def __exit__(self, *_: object) -> None:
        self.dealer.close()

    def cut(self) -> None:
        """Close the socket with whatever is under way, unread, and come back with another one."""
        self.dealer.close()
        self.dealer = self._open()

    def ask(self, message: Mapping[str, Any]) -> Message:
        """Give the answer; asked again after silence, and after `busy` when its time has passed."""
        numbered = self._numbered(message)
        give_up_s = time.monotonic() + BUSY_MOST_S
        for _ in range(TRIES):
            answer = self._answer_to(numbered)
            while answer["type"] == "busy" and time.monotonic() < give_up_s:
                time.sleep(min(max(float(answer.get("retry_after_s", 0.1)), 0.01), 5.0))
                answer = self._answer_to(numbered)
            if answer is not NOTHING:
                return answer
        return NOTHING

    def ask_once(self, message: Mapping[str, Any]) -> Message:
        """Give the first answer to one sending, `busy` too."""
        return self._answer_to(self._numbered(message))

    def ask_together(self, messages: Iterable[Mapping[str, Any]]) -> list[Message]:
        """Send all before the first answer is read; give the answers in order of the requests."""
        numbered = [self._numbered(message) for message in messages]
        for message in numbered:
            self.say(pack(message))
        answers: dict[int, Message] = {}
        wanted = {message["request"] for message in numbered}
        while wanted - set(answers):
            heard = self.hear(ANSWER_WITHIN_S * 2)
            if heard is NOTHING:
                break
            if heard.get("request") in wanted:
                answers.setdefault(heard["request"], heard)
        return [answers.get(message["request"], NOTHING) for message in numbered]

    def say(self, frame: bytes) -> None:
        """Send one frame as it is."""
        self.dealer.send(frame, ANSWER_WITHIN_S)

    def hear(self, within_s: float = ANSWER_WITHIN_S) -> Message:
        """Give the next answer, `NOTHING` when none comes in time."""
        try:
            body = bytes(self.dealer.recv(within_s))
        except LinkTimeout:
            return NOTHING
        return self._looked_at(body)

    def _answer_to(self, message: Message) -> Message:
        try:
            self.say(pack(message))
        except LinkTimeout:
            return NOTHING
        until_s = time.monotonic() + ANSWER_WITHIN_S
        while (left_s := until_s - time.monotonic()) > 0:
            heard = self.hear(left_s)
            if heard is NOTHING or heard.get("request") == message["request"]:
                return heard
        return NOTHING

    def _numbered(self, message: Mapping[str, Any]) -> Message:
        self._number += 1
        return {**message, "request": message.get("request", self._number)}

    def _looked_at(self, body: bytes) -> Message:
        """Give an answer as a map, and note one that is not as the page's tables say."""
        self.heard += 1
        try:
            UPSTREAM_ANSWERS.unpack(body)
        except EnvelopeError as error:
            self.misshapen.append(f"{error.code} {error.path}".strip())
        try:
            found = msgspec.msgpack.decode(body)
        except msgspec.DecodeError:
            return {"type": "unreadable"}
        return found if isinstance(found, dict) and "type" in found else {"type": "unreadable"}


def is_let_in(target: Target, keys: KeyPair) -> bool:
    """Say whether a key gets through the handshake.  Raises: NoAnswer: nobody serves there."""
    with Line(target, keys) as line:
        try:
            return line.ask_once({"type": "hello", "version": 1}) is not NOTHING
        except LinkError as error:
            if error.code == "link.key_refused":
                return False
            raise NoAnswer(f"{error.code}: {error.sentence}") from None
