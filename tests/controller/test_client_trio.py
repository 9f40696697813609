"""The trio client: the same exchanges for many tasks at once, over real CURVE sockets."""

from __future__ import annotations

import pytest
import trio
import zmq

from controller.asking.conversation import ClientError, Patience, Refused
from controller.asking.submission import batch_digest
from controller.client import TrioUpstreamClient
from controller.wire import Chunk, Done, OpenBatch
from devices.keys import curve_keypair
from tests.controller.pretend_centre import (
    ANSWER,
    BUSY,
    DIE,
    DIE_BEFORE,
    DROP_ANSWER,
    DROP_REQUEST,
    PretendCentre,
    PretendRouter,
    people,
)

HASTY = Patience(answer_within_s=0.3, give_up_s=20.0)
DUE = "20260401"


def client_of(router, patience=HASTY):
    return TrioUpstreamClient.connect(router.endpoint, router.keys.public, curve_keypair(), patience=patience)


async def test_every_question_of_the_client_finds_its_answer():
    centre, applications = PretendCentre(), people(4)
    with PretendRouter(centre) as router:
        async with client_of(router) as client:
            assert (await client.hello()).floor_date == "20260312"
            state = await client.open_batch("1", DUE, 4, batch_digest(applications))
            assert state.missing == [(0, 4)]
            assert (await client.send_chunk("1", 0, applications)).count == 4
            assert (await client.submit_batch("1", DUE, applications)).state == "open"
            assert (await client.status("1")).state == "open"
            assert [receipt.number for receipt in (await client.receipts(2, limit=2)).items] == [3, 4]
            assert (await client.acknowledge(4)).upto == 4
            assert isinstance(await client.cancel("5201020012026031200001", "withdrawn"), Done)
    assert centre.acknowledged == 4


async def test_many_batches_go_at_once_while_receipts_are_followed():
    centre = PretendCentre()
    heard, closed = [], set()
    with PretendRouter(centre) as router:
        async with client_of(router) as client, trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(client.submit_batch, str(number), DUE, people(150 + number, 2_000))
            async for page in client.follow_receipts(rest_s=0.02):
                heard += [receipt.number for receipt in page]
                closed |= {receipt.batch_number for receipt in page if receipt.kind == "batch_closed"}
                if len(closed) == 8:
                    break
    assert heard == list(range(1, len(centre.issued) + 1))
    assert all(len(centre.batches[str(number)].applications) == 150 + number for number in range(8))


@pytest.mark.parametrize("mishap", [DROP_ANSWER, DROP_REQUEST, BUSY, DIE, DIE_BEFORE])
@pytest.mark.parametrize("kind", [OpenBatch, Chunk])
async def test_whatever_happens_to_a_request_the_batch_arrives_whole(kind, mishap):
    centre, applications, left = PretendCentre(), people(700), [ANSWER, mishap]
    mishaps = PretendRouter(centre, lambda request: left.pop(0) if left and isinstance(request, kind) else ANSWER)
    with mishaps as router:
        async with client_of(router) as client:
            assert (await client.submit_batch("1", DUE, applications)).state == "open"
    batch = centre.batches["1"]
    assert [batch.applications[index] for index in range(700)] == applications
    assert left == []


async def test_a_call_that_is_cancelled_is_forgotten_and_leaves_the_others_alone():
    with PretendRouter(
        PretendCentre(), lambda request: DROP_REQUEST if isinstance(request, Chunk) else ANSWER
    ) as router:
        async with client_of(router) as client:
            with trio.move_on_after(0.1) as scope:
                await client.submit_batch("1", DUE, people(5))
            assert scope.cancelled_caught
            assert (await client.hello()).version == 1


async def test_a_refusal_is_raised_where_the_call_stands():
    with PretendRouter(PretendCentre()) as router:
        async with client_of(router) as client:
            with pytest.raises(Refused, match=r"^batch\.unknown: "):
                await client.status("7")


async def test_an_error_of_the_body_leaves_as_it_is():
    async def fail_with(router):
        async with client_of(router) as client:
            await client.hello()
            raise KeyError("mine")

    with PretendRouter(PretendCentre()) as router, pytest.raises(KeyError, match="mine"):
        await fail_with(router)


async def test_a_service_that_is_not_there_is_given_up_with_a_sentence():
    patience = Patience(answer_within_s=0.1, give_up_s=0.4)
    keys = curve_keypair()
    async with TrioUpstreamClient.connect("tcp://127.0.0.1:9", keys.public, keys, patience=patience) as client:
        with pytest.raises(ClientError) as failed:
            await client.hello()
    assert failed.value.code == "client.no_answer"
    assert "tcp://127.0.0.1:9" in failed.value.text


async def test_what_is_no_cardmill_service_ends_this_call_and_every_later_one():
    context = zmq.Context()
    stranger = context.socket(zmq.ROUTER)  # speaks ZeroMQ, but no CURVE
    port = stranger.bind_to_random_port("tcp://127.0.0.1")
    keys = curve_keypair()
    try:
        async with TrioUpstreamClient.connect(f"tcp://127.0.0.1:{port}", keys.public, keys, patience=HASTY) as client:
            for _ in range(2):
                with pytest.raises(ClientError) as failed:
                    await client.hello()
                assert failed.value.code == "link.not_cardmill"
    finally:
        context.destroy(0)


async def test_an_endpoint_that_is_none_is_a_sentence():
    keys = curve_keypair()
    with pytest.raises(ClientError, match=r"^link\.bad_endpoint: "):
        async with TrioUpstreamClient.connect("nowhere", keys.public, keys):
            raise AssertionError("nobody is there")
