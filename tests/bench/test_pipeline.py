"""`python -m bench pipeline`: its figures, what it calls good, what a listener reads, and a short run of everything."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager

import pytest

from bench.batches import BATCH_CARDS, Batch
from bench.pipeline import (
    ENCODE,
    HARD_SCRAPE,
    OUTSIDE,
    SHORT_ARGS,
    Moment,
    Window,
    conditions_of,
    figures,
    is_good,
    main,
    rows_of,
    samples,
    window_between,
)
from bench.pipeline_audience import EVENTS, audience
from bench.pipeline_centre import AHEAD_BATCHES, CLOSED, Feed, batches_of, floor
from controller.asking.submission import batch_digest
from devices.defects import Step

PARTS = (
    *("service", "service_loop", "service_sockets", "service_threads", ENCODE, OUTSIDE),
    *("stations", "bench", "watchers"),
)


def moment(at_s: float, cards: float, busy_s: float) -> Moment:
    busy = {step.value: busy_s / number for number, step in enumerate(Step, 1)}
    return Moment(at_s, cards * len(Step), busy, 600.0 * at_s, dict.fromkeys(PARTS, at_s / 2))


def window(rate: float, **said: float) -> Window:
    return Window(rate, 20.0, dict.fromkeys(PARTS, 1.0), said)


def result_of(losses: dict[str, list[float]]) -> dict:
    """A result in which each pair lost so many percent."""
    pairs = {name: [(window(50.0), window(50.0 * (1 - one / 100))) for one in rows] for name, rows in losses.items()}
    return {"pairs": len(next(iter(losses.values()))), **figures(pairs)}


# ---- figures ------------------------------------------------------------------------------------------------------


def test_a_window_is_told_in_cards_of_the_whole_route_and_processor_time_of_one():
    found = window_between(moment(10.0, 100.0, 300.0), moment(14.0, 300.0, 1_500.0))
    assert found.cards_per_s == pytest.approx(50.0)
    assert found.cpu_ms["service"] == pytest.approx(10.0)
    assert found.busy_percent == pytest.approx(50.0)


def test_a_loss_is_that_of_each_pair_and_the_middle_of_all_is_told_with_its_spread():
    result = result_of({"1": [2.0, 1.0, 9.0], "20": [10.0, 12.0, 11.0]})
    assert result["loss_percent"] == pytest.approx({"1": 2.0, "20": 11.0})
    assert result["spread"]["loss_percent"] == pytest.approx({"1": 4.0, "20": 1.0})
    assert result["cards_per_s"]["alone"] == 50.0
    assert set(result["cpu_ms_per_card"]) == set(PARTS)
    assert [row[0] for row in rows_of(result | {"pairs": 3})][:3] == [
        *("none", "1 consoles, scrape 15 s", "20 consoles, scrape 15 s")
    ]


def test_the_loss_in_processor_time_counts_each_process_once_and_the_watchers_too():
    quiet, loud = window(50.0), window(50.0)
    loud.cpu_ms = dict(quiet.cpu_ms, service=1.5, service_loop=1.5, watchers=1.5)
    assert figures({"1": [(quiet, loud)]})["cpu_loss_percent"] == {"1": pytest.approx(20.0)}


@pytest.mark.parametrize(
    ("losses", "good"),
    [
        ({"1": [2.9] * 3, "20": [14.9] * 3}, True),
        ({"1": [3.1] * 3, "20": [14.9] * 3}, False),
        ({"1": [2.9] * 3, "20": [15.1] * 3}, False),
        ({"1": [30.0] * 2}, True),  # too few to be judged
        ({"1": [100.0] * 2}, False),  # nothing went through
    ],
)
def test_each_bound_is_judged_where_there_are_pairs_enough(losses, good):
    assert is_good(result_of(losses)) is good


def test_stations_that_are_the_limit_and_listeners_that_were_hung_up_on_are_no_good_result():
    result = result_of({"1": [0.0] * 3})
    assert is_good(result)
    assert not is_good(result | {"busiest_step_percent": 81.0})
    assert not is_good(result | {"listeners_ended": 1})


def test_all_of_none_one_and_twenty_consoles_and_a_hard_scrape_are_measured_or_the_one_asked_for():
    assert conditions_of(None) == {"0": (0, 15.0), "1": (1, 15.0), "20": (20, 15.0), HARD_SCRAPE: (0, 1.0)}
    assert conditions_of(7) == {"7": (7, 15.0)}


def test_samples_are_read_with_and_without_labels():
    page = 'a_total{station="p1",step="print"} 2.0\na_total{step="pack"} 3.0\na_totals 4.0\nb 5.5\n'
    assert samples(page, "a_total") == [("p1", "print", 2.0), ("", "pack", 3.0)]
    assert samples(page, "b") == [("", "", 5.5)]


# ---- the load -----------------------------------------------------------------------------------------------------


class Upstream:
    """A service that closes batches when told."""

    def __init__(self) -> None:
        self.sent, self.closed = [], set()

    def status(self, number):
        return type("State", (), {"state": CLOSED[0] if number in self.closed else "open"})

    def submit_batch(self, number, due, applications):
        self.sent.append(number)


def test_a_feed_keeps_its_batches_open_and_says_when_it_has_no_more():
    many = [Batch(f"{number:025}", "20260302", "", []) for number in range(AHEAD_BATCHES + 2)]
    service = Upstream()
    feed = Feed(service, many)
    feed.look()
    feed.look()
    assert service.sent == [one.batch_number for one in many[:AHEAD_BATCHES]]
    service.closed |= set(service.sent[3:5])
    feed.look()
    assert len(service.sent) == AHEAD_BATCHES + 2
    assert feed.trouble == ""
    service.closed |= set(service.sent)
    feed.look()
    assert "used up" in feed.trouble


def test_batches_are_real_applications_under_their_digest():
    [batch] = batches_of(1)
    assert len(batch.applications) == BATCH_CARDS
    assert batch.digest == batch_digest(batch.applications)
    assert all(len(one) > 8_000 for one in batch.applications)


def test_no_station_of_its_floor_breaks_down_and_each_step_has_some():
    assert {one.step for one in floor()} == set(Step)
    assert all(one.mtbf_s > 1e8 and not one.roll_sheets for one in floor())


# ---- who watches --------------------------------------------------------------------------------------------------


@contextmanager
def streaming_console():
    """A console that sends each listener three events and goes on; give its address and the requests it got."""
    heads, lines = [], []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            while True:
                try:
                    line, _ = door.accept()
                except OSError:
                    return
                lines.append(line)
                heads.append(line.recv(4_096).decode())
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + b"data: x\n\n" * 3)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}", heads
        door.shutdown(socket.SHUT_RDWR)
    for line in lines:
        line.close()


def test_listeners_read_the_stream_with_their_session_until_they_are_told_to_go():
    with streaming_console() as (address, heads):
        order = {"consoles": 3, "scrape_every_s": 0, "path": EVENTS, "cookie": "a=b", "console": address, "metrics": ""}
        with audience(order) as watchers:
            pass
    assert watchers.said["listening"] >= 3
    assert watchers.said["bytes"] >= 3 * 50
    assert watchers.said["ended"] == 0
    assert len(heads) == 3
    assert all(head.startswith(f"GET {EVENTS} HTTP/1.1\r\n") and "Cookie: a=b\r\n" in head for head in heads)


# ---- all of it ----------------------------------------------------------------------------------------------------


@pytest.mark.whole
def test_a_short_run_makes_cards_with_a_console_and_says_so(tmp_path, capsys):
    file = tmp_path / "result.json"
    assert main([*SHORT_ARGS, "--json", str(file)]) == 0
    result = json.loads(file.read_text("utf-8"))
    assert result["bench"] == "pipeline"
    assert result["cards_per_s"]["alone"] > 0
    assert result["cards_per_s"]["1"] > 0
    assert set(result["loss_percent"]) == {"1"}
    assert set(result["cpu_ms_per_card"]) == set(PARTS)
    assert result["cpu_ms_per_card"]["service"] > result["cpu_ms_per_card"]["service_loop"] > 0
    assert result["listener_bytes"]["1"] > 0
    assert result["scrape_ms"]["1"] > 0
    assert "cards/s" in capsys.readouterr().out
