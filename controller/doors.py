"""The doors: one router for each kind of peer, and one task that answers what comes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
import trio
from sqlalchemy.exc import SQLAlchemyError

from controller.clock import FloorClock, floor_date
from controller.refusals import Note, not_counted
from controller.wire import VERSION, Answer, Busy, Hello, Limits, OperatorRequest, Refusal, UpstreamRequest, Welcome
from devices.keys import LinkError, PeerGone
from devices.zap import RouterSocket
from devices.zlink import Delivery
from encoders.envelope import EnvelopeError, Opener, pack

log = structlog.get_logger()
BUSY = "busy"  # the code under which such answers are counted
REQUESTS_AT_ONCE = 64  # per door; what comes beyond waits in the socket
USER_AT_ONCE = 8  # requests of one peer: the rest of them wait, and the other peers' do not

upstream_requests: Opener[UpstreamRequest] = Opener(UpstreamRequest)
operator_requests: Opener[OperatorRequest] = Opener(OperatorRequest, max_bytes=1 << 20)


def welcome(user: str, request: Hello, clock: FloorClock, simulated: bool) -> Welcome:
    """Give the answer to a greeting: who asks, the limits, and the floor's time."""
    now = clock.now_floor_s()
    return Welcome(
        request=request.request,
        version=VERSION,
        you=user,
        limits=Limits(),
        floor_date=floor_date(now),
        floor_s=now,
        scale=clock.scale,
        simulated=simulated,
    )


async def serve_door(
    router: RouterSocket,
    opener: Opener[Any],
    answer: Callable[[str, Any], Awaitable[Answer]],
    refused: Note = not_counted,
) -> None:
    """Answer the requests of one kind of peer until cancelled, many at once; an answer goes to who asked.

    `refused` is called with the code of each frame that is no request, and of each answer that is a refusal or `busy`.
    """
    room, in_work = trio.Semaphore(REQUESTS_AT_ONCE), Counter[str]()

    async def reply(delivery: Delivery) -> None:
        try:
            said = await _answer_one(delivery, opener, answer, refused)
            _send(router, delivery, said)
        except PeerGone:
            log.info("peer left before its answer", user=delivery.user)
        finally:
            room.release()
            in_work[delivery.user] -= 1
            router.wake(delivery.user)

    async with trio.open_nursery() as nursery:
        while True:
            await room.acquire()
            delivery = await router.recv()
            in_work[delivery.user] += 1
            if in_work[delivery.user] == USER_AT_ONCE:
                router.rest(delivery.user)
            nursery.start_soon(reply, delivery)


def _send(router: RouterSocket, delivery: Delivery, said: Answer) -> None:
    """Send an answer; of one that no message can hold, the peer learns that.  Raises: PeerGone, LinkError."""
    try:
        router.send(delivery.peer, pack(said))
    except LinkError as error:
        if error.code != "link.too_long":
            raise
        log.warning("answer too long for a message", user=delivery.user)
        refusal = Refusal(request=said.request, code=error.code, text=error.sentence)
        router.send(delivery.peer, pack(refusal))


async def _answer_one(
    delivery: Delivery,
    opener: Opener[Any],
    answer: Callable[[str, Any], Awaitable[Answer]],
    refused: Note,
) -> Answer:
    try:
        request = opener.unpack(delivery.body)
    except EnvelopeError as error:
        refused(error.code)
        log.warning("message not understood", user=delivery.user, code=error.code)
        return Refusal(code=error.code, text=error.text, field=error.path)
    try:
        said = await answer(delivery.user, request)
        if isinstance(said, Refusal | Busy):
            refused(BUSY if isinstance(said, Busy) else said.code)
        return said
    except SQLAlchemyError as error:  # of a reader: a failed commit ends the service by another way
        log.error("the ledger could not be read", user=delivery.user, kind=type(error).__name__)
        text = "the ledger could not be read: look into the log of the service"
        return Refusal(request=request.request, code="ledger.unread", text=text)
