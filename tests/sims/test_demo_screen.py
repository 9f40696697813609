"""What the demo shows while it runs."""

from __future__ import annotations

import io

import pytest
import trio
from rich.console import Console

from devices.defects import Step
from sims.demo.screen import LINE_EVERY_S, DemoView, picture, plain_line, show


def status(**counts):
    """A service's word in the shape of its `status` verb."""
    tally = dict.fromkeys(
        [
            "received", "refused", "accepted", "held", "cancelled", "refused_late", "made", "dispatched", "open",
            "remade", "encoded", "sheets", "batches", "batches_closed",
        ],
        0,
    )  # fmt: skip
    accounts = dict.fromkeys(["vault", "magazine", "sheet", "good", "spoiled", "suspect", "missing"], 0)
    return {
        "floor_s": 1_000.0,
        "floor_time": "2026-03-02 08:16:40",
        "scale": 150.0,
        "simulated": True,
        "run": 1,
        "tally": tally | counts,
        "steps": {step.value: {"waiting": 3, "working": 1, "worked": counts.get("made", 0)} for step in Step},
        "ready": 0,
        "unencoded": 12,
        "stations": [
            {"station": "p1", "step": "print", "state": "execute", "reason": "", "since_floor_s": 0.0, "job_id": 4},
            {"station": "l1", "step": "laminate", "state": "aborted", "reason": "broken", "since_floor_s": 0.0},
        ],
        "stock": {"accounts": accounts | {"good": 77}, "vault": [], "magazines": {}},
    }


def drawn(view):
    console = Console(file=io.StringIO(), width=150, record=True)
    console.print(picture(view))
    return console.export_text()


def test_before_the_service_speaks_the_screen_says_what_is_under_way():
    view = DemoView(cards=100, kills_wanted=0, phase="starting the service")
    assert "starting the service" in drawn(view)
    assert "starting the service" in plain_line(view)
    assert view.progress() == view.cards_per_hour() == 0


def test_the_screen_shows_cards_steps_stations_blanks_and_kills():
    view = DemoView(cards=100, kills_wanted=5, kills=2)
    view.take_status(status(received=100, accepted=95, made=40, dispatched=10, batches=3, batches_closed=1))
    view.decided["release"] += 4
    shown = drawn(view)
    for told in ("10 of 95", "100 of 100", "1 of 3", "kills 2/5", "p1 execute", "l1 aborted broken", "77", "release"):
        assert told in shown
    assert all(step.value in shown for step in Step)


def test_progress_goes_from_0_to_1_over_intake_encoding_and_every_step():
    view = DemoView(cards=100, kills_wanted=0)
    view.take_status(status())
    assert view.progress() == 0
    view.take_status(status(received=100, refused=10))
    assert view.progress() == pytest.approx(1 / 8)
    view.take_status(status(received=100, refused=10, encoded=90, made=45))
    assert view.progress() == pytest.approx(2 / 8 + 6 / 8 / 2)
    view.take_status(status(received=100, refused=10, encoded=95, made=90))
    assert view.progress() == 1


def test_speed_counts_from_the_first_application_in_floor_hours():
    view = DemoView(cards=100, kills_wanted=0)
    view.take_status(status() | {"floor_s": 500.0})
    view.take_status(status(received=1) | {"floor_s": 1_000.0})
    view.take_status(status(received=100, made=60) | {"floor_s": 2_800.0})
    assert view.cards_per_hour() == 120


async def test_where_nobody_watches_a_line_comes_now_and_then(autojump_clock):
    view = DemoView(cards=6_000, kills_wanted=0)
    view.take_status(status(received=6_000, made=1_234))
    out = io.StringIO()
    with trio.move_on_after(3.5 * LINE_EVERY_S):
        await show(view, Console(file=out, width=80))
    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert all("made 1,234" in line for line in lines)
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("phase", ["making cards", "service killed, starting again", "closing the shift"])
def test_a_line_says_the_most_telling_first_in_at_most_100_columns(phase):
    view = DemoView(cards=20_000, kills_wanted=5, kills=5, phase=phase, elapsed_s=1_234.5)
    counts = dict.fromkeys(("received", "encoded", "made", "dispatched", "held", "remade"), 20_000)
    view.take_status(status(**counts) | {"floor_s": 500.0})
    view.take_status(status(**counts) | {"floor_s": 100_000.0})
    line = plain_line(view)
    assert len(line) <= 100
    assert all(told in line for told in (phase, "in 20,000/20,000", "made 20,000", "sent 20,000"))


async def test_at_a_terminal_the_picture_is_drawn_anew(autojump_clock):
    view = DemoView(cards=100, kills_wanted=0)
    view.take_status(status(received=100, made=7))
    out = io.StringIO()
    with trio.move_on_after(2.0):
        await show(view, Console(file=out, width=150, force_terminal=True))
    assert out.getvalue().count("Cardmill demo") >= 3
