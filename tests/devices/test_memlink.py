"""The in-memory link: the manners of the real one, without its bytes leaving the process."""

from __future__ import annotations

import pytest
import trio

from devices.keys import LinkError, PeerGone
from devices.memlink import MemoryAddress


async def test_messages_arrive_in_order_and_answers_go_to_who_spoke(autojump_clock):
    address = MemoryAddress()
    with address.serve() as router:
        first, second = address.connect("p1"), address.connect("p2")
        for body in (b"1", b"2"):
            await first.send(body)
        await second.send(b"3")
        heard = [await router.recv() for _ in range(3)]
        assert [(one.user, one.body) for one in heard] == [("p1", b"1"), ("p1", b"2"), ("p2", b"3")]
        router.send(heard[0].peer, b"to p1")
        router.send(heard[2].peer, b"to p2")
        assert (await first.recv(), await second.recv()) == (b"to p1", b"to p2")


async def test_a_dealer_waits_for_a_router_and_finds_the_next_one(autojump_clock):
    address = MemoryAddress()
    dealer = address.connect("p1")
    with trio.move_on_after(1) as waited:
        await dealer.send(b"too early")
    assert waited.cancelled_caught
    with address.serve() as router:
        await dealer.send(b"lost")
        old = (await router.recv()).peer
        await dealer.send(b"lost with the router")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dealer.send, b"again")
        await trio.testing.wait_all_tasks_blocked()
        with address.serve() as router:
            heard = await router.recv()
            assert heard.body == b"again"
            assert heard.peer != old
            with pytest.raises(PeerGone):
                router.send(old, b"x")


async def test_a_router_never_waits_for_a_slow_peer_and_a_dealer_waits_for_a_slow_router(autojump_clock):
    address = MemoryAddress(queue_messages=2)
    with address.serve() as router:
        dealer = address.connect("p1")
        await dealer.send(b"1")
        peer = (await router.recv()).peer
        router.send(peer, b"a")
        router.send(peer, b"b")
        with pytest.raises(PeerGone) as shed:
            router.send(peer, b"c")
        assert shed.value.code == "link.peer_shed"
        for body in (b"2", b"3"):
            await dealer.send(body)
        with trio.move_on_after(1) as waited:
            await dealer.send(b"4")
        assert waited.cancelled_caught
        assert [(await router.recv()).body for _ in range(2)] == [b"2", b"3"]


async def test_a_router_that_closes_lets_go_of_a_dealer_that_waits_for_room(autojump_clock):
    address = MemoryAddress(queue_messages=1)
    dealer = address.connect("p1")
    async with trio.open_nursery() as nursery:
        with address.serve():
            await dealer.send(b"1")
            nursery.start_soon(dealer.send, b"2")
            await trio.testing.wait_all_tasks_blocked()


async def test_a_peer_that_left_is_gone_and_an_address_serves_one_router():
    address = MemoryAddress()
    with address.serve() as router:
        dealer = address.connect("p1")
        await dealer.send(b"1")
        peer = (await router.recv()).peer
        dealer.close()
        with pytest.raises(PeerGone):
            router.send(peer, b"x")
        with pytest.raises(LinkError), address.serve():
            pass
