"""What the doors refuse is counted once each, where people look for it, and core dumps are told about."""

from __future__ import annotations

import subprocess
import sys

import pytest
import trio

from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.doctor import surroundings
from controller.doctor.finding import Verdict
from controller.doors import serve_door, upstream_requests
from controller.metrics import Metrics
from controller.refusals import OF_CONNECTIONS, OF_SOCKET, Refusals
from controller.wire import Busy, Done, Refusal
from devices.zlink import COUNTERS
from encoders.envelope import pack
from tests.controller.test_doors import Router

HELLO = pack({"type": "hello", "version": 1, "request": 1})


def test_every_counter_of_a_socket_that_means_a_refusal_has_a_code_of_its_own():
    assert set(OF_SOCKET) | set(OF_CONNECTIONS) == set(COUNTERS) - {"retried", "gone"}
    assert len(set(OF_SOCKET.values())) == len(OF_SOCKET)
    refused, counters = Refusals(), {name: number for number, name in enumerate(OF_SOCKET, 1)}
    refused.watch("station", counters)
    assert refused.counts() == {"station": dict(sorted((OF_SOCKET[name], count) for name, count in counters.items()))}


def test_frames_and_connections_are_told_apart_from_what_good_peers_are_answered():
    refused = Refusals()
    refused.watch("upstream", {"flooded": 3, "disconnected": 500})
    for code in ("envelope.type", "busy", "portrait.truncated", "console.404", "station.bad_times"):
        refused.at("upstream")(code)
    assert refused.frames == 4


def test_connections_are_shown_by_what_became_of_them():
    refused, metrics = Refusals(), Metrics(Tally(), FloorState())
    refused.watch("upstream", {"accepted": 9, "handshake": 4, "disconnected": 7})
    metrics.watch_refusals(refused)
    page = metrics.text().decode()
    assert 'cardmill_refusals_total{code="link.ended",door="upstream"} 7.0' in page
    for outcome, count in (("accepted", 9), ("let_in", 4)):
        assert f'cardmill_connections_total{{door="upstream",outcome="{outcome}"}} {count}.0' in page


async def test_a_door_counts_what_it_answers_with_no_and_only_that(autojump_clock, nursery):
    answers = iter([Done(request=1), Busy(request=1, retry_after_s=1.0), Refusal(request=1, code="batch.x", text="no")])

    async def answer(user, request):
        return next(answers)

    refused, metrics = Refusals(), Metrics(Tally(), FloorState())
    metrics.watch_refusals(refused)
    nursery.start_soon(
        serve_door, Router(HELLO, HELLO, HELLO, b"junk"), upstream_requests, answer, refused.at("upstream")
    )
    await trio.sleep(1)
    assert refused.counts() == {"upstream": {"batch.x": 1, "busy": 1, "envelope.type": 1}}
    assert 'cardmill_refusals_total{code="busy",door="upstream"} 1.0' in metrics.text().decode()
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("can", "verdict"), [(True, Verdict.WRONG), (False, Verdict.OK), (None, Verdict.WARNING)], ids=str
)
def test_the_doctor_says_whether_a_crash_would_leave_an_image_of_memory(can, verdict, monkeypatch):
    monkeypatch.setattr(surroundings, "may_dump", lambda pid: can)
    [finding] = surroundings.look_at_core_dumps(7)
    assert (finding.about, finding.verdict) == ("core dumps", verdict)


def test_a_process_that_forbade_them_is_found_to_leave_none():
    program = (
        "from controller.upkeep.core_dumps import forbid_core_dumps\n"
        "forbid_core_dumps()\nprint('ready', flush=True)\ninput()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        [finding] = surroundings.look_at_core_dumps(process.pid)
        process.communicate(b"\n", timeout=60)
    assert finding.verdict == Verdict.OK


def test_without_a_running_service_the_doctor_says_what_a_start_does():
    assert [one.verdict for one in surroundings.look_at_core_dumps(None)] == [Verdict.OK]
    assert [one.verdict for one in surroundings.look_at_core_dumps(2**22 + 1)] == [Verdict.WARNING]
