"""A client that is not ours, cut out of docs/protocol.md (pyzmq and msgpack only), against the real service."""

from __future__ import annotations

import msgpack

from controller.asking.submission import encode_application
from devices.key_files import read_pair, read_public
from sims.batches import BatchPlan, Shares
from sims.faces import FaceSource
from tests.docs.protocol_page import client_source


def test_a_client_written_from_the_page_alone_submits_a_batch_and_reads_its_receipts(running):
    names: dict[str, object] = {"__name__": "stranger"}
    exec(compile(client_source(), "docs/protocol.md", "exec"), names)
    secret = running.secret("upstream", "stranger")
    pair = read_pair(secret.parent, "stranger")
    client = names["Cardmill"](running.doors["upstreams"], read_public(running.server_public), pair.public, pair.secret)
    today = client.ask("hello", version=1)["floor_date"]
    [draft] = BatchPlan(4, 60, today, Shares(0.1, 0.1, 0.0), faces=FaceSource(4))
    maps = [msgpack.unpackb(encode_application(app)) for app in draft.applications()]
    client.submit(draft.batch_number, draft.due, maps)
    told = {}
    for receipt in client.receipts():
        told.setdefault(receipt["index"], (receipt["kind"], receipt["codes"]))
        if len(told) == draft.count:
            break
    kinds = {"refuse": "refused", "hold": "held"}
    assert {one.index for one in draft.planted} == {index for index, (kind, _) in told.items() if kind != "accepted"}
    for one in draft.planted:
        kind, codes = told[one.index]
        assert kind == kinds[one.expected]
        assert one.code in codes
