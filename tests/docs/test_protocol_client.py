"""The client that stands in `docs/protocol.md`, taken from the page and run."""

from __future__ import annotations

import ast
from itertools import takewhile

import msgpack
import pytest

from controller.asking.submission import batch_digest
from controller.wire import Chunk, Limits
from devices.keys import curve_keypair
from tests.controller.pretend_centre import ANSWER, BUSY, PretendCentre, PretendRouter
from tests.docs.protocol_page import client_source
from tests.docs.wire_examples import APPLICATION


@pytest.fixture(scope="module")
def stranger():
    """Give the page's code as it would run from a file of its own."""
    names = {"__name__": "stranger"}
    exec(compile(client_source(), "docs/protocol.md", "exec"), names)
    return names


def client_of(stranger, router):
    mine = curve_keypair()
    return stranger["Cardmill"](router.endpoint, router.keys.public, mine.public, mine.secret)


def people(count):
    one = msgpack.unpackb(APPLICATION)
    return [{**one, "acceptance_number": f"{index:022d}"} for index in range(count)]


def test_it_is_short_and_needs_pyzmq_and_msgpack_only():
    tree = ast.parse(client_source())
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported == {"hashlib", "itertools", "time", "msgpack", "zmq"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert len(client_source().splitlines()) <= 70


def test_it_brings_a_batch_and_reads_its_receipts(stranger):
    centre = PretendCentre()
    with PretendRouter(centre) as router:
        client = client_of(stranger, router)
        assert client.submit("1", "20260401", people(450))["state"] == "open"
        said = list(takewhile(lambda receipt: receipt["kind"] != "batch_closed", client.receipts()))
        client.socket.close(0)
    assert [len(chunk.applications) for chunk in centre.asked_of(Chunk)] == [200, 200, 50]
    assert [receipt["number"] for receipt in said] == list(range(1, 1_351))
    assert centre.acknowledged == 1_000  # the last page is not finished


def test_it_keeps_to_the_bytes_of_a_chunk_waits_when_told_to_and_sends_only_what_is_missing(stranger):
    centre, left = PretendCentre(), [ANSWER, BUSY, BUSY]
    centre.limits = Limits(chunk_bytes=3_000)
    patchy = PretendRouter(centre, lambda request: left.pop(0) if left and isinstance(request, Chunk) else ANSWER)
    with patchy as router:
        first = client_of(stranger, router)
        header = {"batch_number": "1", "due": "20260401", "count": 20}
        encoded = [msgpack.packb(one) for one in people(20)]
        first.ask("batch", **header, digest=batch_digest(encoded))
        first.ask("chunk", batch_number="1", first=4, applications=people(20)[4:8])
        second = client_of(stranger, router)
        assert second.submit("1", "20260401", people(20))["state"] == "open"
        first.socket.close(0)
        second.socket.close(0)
    indexes = [chunk.first + at for chunk in centre.asked_of(Chunk) for at in range(len(chunk.applications))]
    assert sorted(indexes) == list(range(20))
    assert left == []


def test_it_tells_a_refusal(stranger):
    with PretendRouter(PretendCentre()) as router:
        client = client_of(stranger, router)
        with pytest.raises(RuntimeError, match=r"^batch\.unknown: "):
            client.ask("status", batch_number="7")
        client.socket.close(0)
