"""Frames that no door can read are counted once each, by door and code, and the count is shown."""

from __future__ import annotations

from functools import partial

import trio

from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.doors import serve_door, upstream_requests
from controller.metrics import Metrics
from controller.refusals import Refusals
from controller.wire import Done
from devices.driver import StationDriver
from devices.memlink import MemoryAddress
from encoders.envelope import pack
from tests.controller.test_doors import Router

GOOD = pack({"type": "hello", "version": 1, "request": 1})
MISTYPED = pack({"type": "hello", "version": "1"})
BROKEN = GOOD[:-3]


async def answer(user, request):
    return Done(request=request.request)


async def test_a_door_counts_each_frame_that_is_no_request_and_no_other(autojump_clock, nursery):
    refused, router = Refusals(), Router(GOOD, BROKEN, MISTYPED, BROKEN, GOOD, b"")
    nursery.start_soon(partial(serve_door, router, upstream_requests, answer, refused.at("upstream")))
    await trio.sleep(1)
    assert refused.counts() == {"upstream": {"envelope.malformed": 3, "envelope.type": 1}}
    assert sorted(one["type"] for one in router.sent) == ["done"] * 2 + ["error"] * 4
    nursery.cancel_scope.cancel()


async def test_so_does_the_stations_door(autojump_clock, nursery):
    refused, address, lies = Refusals(), MemoryAddress(), []
    driver = StationDriver("C", lambda: 0.0, 1.0, refused=refused.at("station"))
    with address.serve() as router:
        await nursery.start(driver.run, router, lambda station, event: lies.append(event))
        dealer = address.connect("press-1")
        for frame in (BROKEN, b"\xc1", pack({"type": "dance"})):
            await dealer.send(frame)
        await trio.sleep(1)
        assert refused.counts() == {"station": {"envelope.malformed": 2, "envelope.type": 1}}
        assert len(lies) == 3
        nursery.cancel_scope.cancel()


def test_what_a_socket_drops_unanswered_is_counted_beside_it():
    refused, counters = Refusals(), {"malformed": 0}
    refused.watch("operator", counters)
    assert refused.counts() == {}
    counters["malformed"] = 2
    refused.at("operator")("envelope.type")
    assert refused.counts() == {"operator": {"envelope.type": 1, "link.several_frames": 2}}


def test_metrics_show_the_count_by_door_and_code():
    refused = Refusals()
    metrics = Metrics(Tally(), FloorState())
    metrics.watch_refusals(refused)
    for _ in range(2):
        refused.at("upstream")("envelope.malformed")
    assert 'cardmill_refusals_total{code="envelope.malformed",door="upstream"} 2.0' in metrics.text().decode()
