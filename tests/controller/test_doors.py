"""The door of one kind of peer: answers go to who asked, and nobody keeps the others out."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import msgspec
import trio

from controller.doors import USER_AT_ONCE, serve_door, upstream_requests
from controller.wire import Done
from devices.keys import LinkError
from devices.zlink import Delivery
from encoders.envelope import pack


class Router:
    """A router in memory that carries at most 1,000 bytes."""

    endpoint = "memory"

    def __init__(self, *frames: bytes) -> None:
        self._frames, self.sent = list(frames), []

    heard: ClassVar = set()

    def drop_revoked(self):
        return 0

    def rest(self, user):
        raise AssertionError(f"{user} has few requests, and rests")

    def wake(self, user):
        pass

    async def recv(self):
        if not self._frames:
            await trio.sleep_forever()
        return Delivery(b"peer", "ann", self._frames.pop(0))

    async def recv_many(self, limit):
        return [await self.recv()]

    def send(self, peer, body):
        if len(body) > 1_000:
            raise LinkError("link.too_long", len(body))
        self.sent.append(msgspec.msgpack.decode(body))


async def test_an_answer_no_message_can_hold_is_told_as_such_and_the_door_stays_open(autojump_clock, nursery):
    async def answer(user, request):
        return Done(request=request.request, result="x" * (5_000 if request.request == 1 else 5))

    router = Router(*(pack({"type": "hello", "version": 1, "request": each}) for each in (1, 2)))
    nursery.start_soon(partial(serve_door, router, upstream_requests, answer))
    await trio.sleep(1)
    assert {one["request"]: (one["type"], one.get("code")) for one in router.sent} == {
        1: ("error", "link.too_long"),
        2: ("done", None),
    }
    nursery.cancel_scope.cancel()


class Crowd(Router):
    """A router on which one user has a thousand requests waiting before another's only one."""

    def __init__(self):
        super().__init__()
        self.resting, self._left = False, 1_000
        self._send_bob, self._receive_bob = trio.open_memory_channel(1)

    def rest(self, user):
        assert user == "ann"
        self.resting = True

    def wake(self, user):
        self.resting = self.resting and user != "ann"

    async def recv(self):
        hello = pack({"type": "hello", "version": 1, "request": 1})
        if not self.resting and self._left:
            self._left -= 1
            return Delivery(b"peer", "ann", hello)
        return Delivery(b"bob", await self._receive_bob.receive(), hello)


async def test_one_peer_has_no_more_than_its_share_of_the_door_in_work(autojump_clock, nursery):
    in_work, most, answered = 0, 0, []

    async def answer(user, request):
        nonlocal in_work, most
        if user == "ann":
            in_work += 1
            most = max(most, in_work)
            await trio.sleep(3_600)
            in_work -= 1
        answered.append(user)
        return Done(request=request.request, result="")

    router = Crowd()
    nursery.start_soon(partial(serve_door, router, upstream_requests, answer))
    await trio.sleep(1)
    router._send_bob.send_nowait("bob")
    await trio.sleep(1)
    assert answered == ["bob"]
    assert most == in_work == USER_AT_ONCE
    nursery.cancel_scope.cancel()
