"""The web side of the service: both formats by what is asked for, life and readiness, and why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio

from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.ledger.errors import LedgerStopped
from controller.metrics import Metrics
from controller.readiness import DISK_LOW, LEDGER_SLOW, LEDGER_STOPPED, REASONS, RECONCILING, Readiness
from controller.web import SETTLED_WITHIN_S, wants_openmetrics, web_app
from tests.controller.measured import series

OF_PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"


class Place:
    """A service that can be full, restored, stopped or slow."""

    def __init__(self) -> None:
        self.full = self.restored = self.stopped = False
        self.slow_s = 0.0
        self.settled = 0
        self.metrics = Metrics(Tally(), FloorState())
        readiness = Readiness(lambda: self.full, lambda: self.restored, lambda: self.stopped)
        self.metrics.watch_readiness(readiness)
        self.app = web_app(self.metrics, readiness, self._settle)

    async def _settle(self) -> None:
        await trio.sleep(self.slow_s)
        if self.stopped:
            raise LedgerStopped("the disk is full")
        self.settled += 1

    async def ask(self, path: str, accept: str = "") -> tuple[int, dict[str, str], str]:
        """Give status, headers and text of a page."""
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"headers": [(b"accept", accept.encode())] if accept else []}
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        await self.app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return said[0]["status"], headers, b"".join(one.get("body", b"") for one in said[1:]).decode()


@pytest.fixture
def place():
    return Place()


# ---- formats ------------------------------------------------------------------------------------------------------


async def test_prometheus_gets_openmetrics_and_a_plain_asker_the_plain_format(place):
    _, headers, text = await place.ask("/metrics", OF_PROMETHEUS)
    assert headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    for accept in ("", "*/*", "text/plain;version=0.0.4"):
        _, headers, text = await place.ask("/metrics", accept)
        assert headers["content-type"].startswith("text/plain")
        assert "# EOF" not in text
        assert "cardmill_open_cards 0.0" in text


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (["application/openmetrics-text"], True),
        (["text/html, Application/OpenMetrics-Text; version=1.0.0"], True),
        (["text/plain", "application/openmetrics-text"], True),
        (["application/openmetrics-text;q=0"], False),
        (["application/openmetrics-text; version=x.y; escaping=\t"], True),
        (["application/openmetrics-textual"], False),
        (["," * 4_000], False),
        ([], False),
    ],
)
def test_what_an_asker_accepts_is_read_whatever_it_writes(accept, wanted):
    assert wants_openmetrics(accept) is wanted


async def test_a_page_of_metrics_waits_for_the_ledger(place, autojump_clock):
    place.slow_s = 3.0
    began_s = trio.current_time()
    await place.ask("/metrics")
    assert (place.settled, trio.current_time() - began_s) == (1, 3.0)


# ---- life and readiness -------------------------------------------------------------------------------------------


async def test_a_service_that_can_take_work_in_is_alive_and_ready(place):
    status, _, text = await place.ask("/healthz")
    assert (status, text) == (200, "ok\n")
    status, headers, text = await place.ask("/readyz")
    assert (status, json.loads(text)) == (200, {"ready": True, "reasons": []})
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("what", "code"), [("full", DISK_LOW), ("restored", RECONCILING), ("stopped", LEDGER_STOPPED)])
async def test_one_that_cannot_is_alive_and_says_why_with_a_code_a_sentence_and_503(place, what, code):
    setattr(place, what, True)
    assert (await place.ask("/healthz"))[0] == 200
    status, _, text = await place.ask("/readyz")
    assert status == 503
    assert json.loads(text) == {"ready": False, "reasons": [{"code": code, "sentence": REASONS[code]}]}
    page = series(place.metrics.text().decode())
    closed = {name: value for name, value in page.items() if name.startswith("cardmill_intake_closed")}
    assert [name for name, value in closed.items() if value] == [f'cardmill_intake_closed{{code="{code}"}}']


async def test_a_ledger_that_does_not_come_to_an_end_is_why_not_and_the_answer_does_not_wait_for_it(
    place, autojump_clock
):
    place.slow_s, place.full = 1e6, True
    began_s = trio.current_time()
    status, _, text = await place.ask("/readyz")
    assert status == 503
    assert [one["code"] for one in json.loads(text)["reasons"]] == [DISK_LOW, LEDGER_SLOW]
    assert trio.current_time() - began_s == SETTLED_WITHIN_S
    assert (await place.ask("/healthz"))[0] == 200


async def test_what_is_no_page_is_not_found(place):
    assert (await place.ask("/readyz/x"))[0] == 404
