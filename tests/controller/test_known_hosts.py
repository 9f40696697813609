"""A page on loopback is given to who asks by a name of loopback, and to no stranger's page whose name points there."""

from __future__ import annotations

import http.client
from functools import partial

import pytest
import trio

from controller.console.app import console_app
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.known_hosts import MISDIRECTED, is_loopback
from controller.metrics import Metrics
from controller.readiness import Readiness
from controller.web import serve_web, web_app
from tests.controller.accounts.hall import open_hall

PATIENCE_S = 60.0


async def asked(app, *hosts):
    """Give the status with which an application answers a request that carries these Host headers."""
    told = []

    async def send(message):
        told.append(message.get("status"))

    async def receive():
        await trio.sleep_forever()

    headers = [(b"host", host.encode()) for host in hosts]
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/login", "raw_path": b"/login",
             "query_string": b"", "headers": headers, "scheme": "http", "server": ("127.0.0.1", 80),
             "client": ("127.0.0.1", 9)}  # fmt: skip
    await app(scope, receive, send)
    return told[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9443", "localhost:1", "LOCALHOST", "[::1]", "[::1]:80"])
async def test_the_console_without_tls_answers_by_the_names_of_loopback(tmp_path, host):
    app = console_app(open_hall(tmp_path).entrance, lambda name: (), tls=False)
    assert await asked(app, host) == 200


@pytest.mark.parametrize(
    "hosts",
    [
        *(["evil.example"], ["evil.example:9443"], ["127.0.0.1.evil.example"], ["localhost.evil.example:9443"]),
        *([], [""], ["127.0.0.1", "evil.example"], ["[::1]x"], ["127.0.0.1:x"]),
    ],
)
async def test_it_gives_a_page_of_a_stranger_nothing_and_counts_the_attempt(tmp_path, hosts):
    refused = []
    app = console_app(open_hall(tmp_path).entrance, lambda name: (), tls=False, refused=refused.append)
    assert await asked(app, *hosts) == MISDIRECTED
    assert refused == ["console.421"]


async def test_with_tls_the_certificate_says_by_which_name_it_is_asked(tmp_path):
    app = console_app(open_hall(tmp_path).entrance, lambda name: (), tls=True)
    assert await asked(app, "cards.example") == 200


async def test_so_are_the_metrics_on_loopback(nursery):
    async def settled():
        await trio.lowlevel.checkpoint()

    app = web_app(Metrics(Tally(), FloorState()), Readiness(bool, bool, bool), settled)
    [address] = await nursery.start(serve_web, app, "127.0.0.1:0")
    port = int(address.rpartition(":")[2])

    def status(host):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            line.request("GET", "/metrics", headers={"Host": host})
            return line.getresponse().status
        finally:
            line.close()

    found = [await trio.to_thread.run_sync(partial(status, host)) for host in (f"127.0.0.1:{port}", "evil.example")]
    assert found == [200, MISDIRECTED]
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("listen", "is_so"), [("127.0.0.1:9", True), ("[::1]:9", True), ("0.0.0.0:9", False), ("192.0.2.7:9", False)]
)
def test_an_address_that_others_reach_has_names_that_nobody_here_knows(listen, is_so):
    assert is_loopback(listen) == is_so
