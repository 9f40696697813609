"""The whole demo, with the real processes: a small one with a kill, and what it says when it cannot run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from PIL import Image

from controller.packing.manifest import digest_of, read_manifest
from sims.batches import BatchPlan, Shares
from sims.demo import folder as demo_folder
from sims.demo.folder import EPOCH
from sims.demo.options import DemoOptions
from sims.demo.whole import BROKEN, DONE, RESULTS, UNUSABLE, run_demo
from tests.sims.test_people_batches import OneFace

CARDS = 120
RUN_WITHIN_S = 600.0
COUNTS = (
    *("submitted", "accepted", "refused", "planted_bad", "planted_bad_caught", "good_refused", "made", "cancelled"),
    *("refused_late", "dispatched", "open", "remade", "yearly_capacity", "kills", "held_released", "held_refused"),
)
NUMBERS = ("rty", "cards_per_hour", "wall_s")
BY_NAME = ("refused_by_code", "spoiled_by_step", "fpy_by_step", "oee_by_station")
NESTED = {
    "lead_time_s": ("p50", "p95"),
    "blanks": ("opening", "received", "good", "spoiled", "suspect", "remaining", "difference"),
    "receipts": ("final", "missing", "double"),
}


def demo_process(*options, **how):
    command = [sys.executable, "-m", "sims.cli", "demo", *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One small demo with a kill: its exit code, its folder, what it wrote to standard output and error."""
    out = tmp_path_factory.mktemp("demo") / "deep" / "out"
    options = ("--cards", CARDS, "--kill", 1, "--scale", 400, "--bad-share", 0.1, "--hold-share", 0.1)
    process = demo_process(*options, "--seed", 3, "--out", out, "--json", "-")
    said, told = process.communicate(timeout=RUN_WITHIN_S)
    assert process.returncode == DONE, told
    return out, said, told


@pytest.fixture(scope="module")
def report(ran):
    return json.loads((ran[0] / "report.json").read_text("utf-8"))


@pytest.mark.whole
def test_the_report_has_every_key_of_the_main_job_as_a_number(report):
    for name in COUNTS:
        assert type(report[name]) is int, name
    for name in NUMBERS:
        assert isinstance(report[name], int | float), name
    for name in BY_NAME:
        assert all(isinstance(value, int | float) for value in report[name].values()), name
    for name, parts in NESTED.items():
        assert set(parts) <= set(report[name])
        assert all(isinstance(report[name][part], int | float) for part in parts)
    assert report["limiting_step"] in report["fpy_by_step"]
    assert len(report["oee_by_station"]) == 23


@pytest.mark.whole
def test_the_sums_hold_through_a_kill(report):
    assert report["broken"] == []
    assert report["kills"] == 1
    assert report["submitted"] == CARDS == report["accepted"] + report["refused"]
    ends = report["dispatched"] + report["cancelled"] + report["refused_late"]
    assert (report["open"], report["accepted"]) == (0, ends)
    assert report["planted_bad"] == report["planted_bad_caught"] == CARDS // 10
    assert report["held_released"] + report["held_refused"] == CARDS // 10
    assert report["refused"] == report["planted_bad"] + report["held_refused"]
    blanks = report["blanks"]
    accounts = blanks["good"] + blanks["spoiled"] + blanks["suspect"] + blanks["remaining"]
    assert blanks["opening"] + blanks["received"] == accounts
    assert blanks["good"] == report["made"]
    assert report["receipts"]["final"] == report["accepted"]
    assert report["receipts"]["missing"] == report["receipts"]["double"] == 0


@pytest.mark.whole
def test_standard_output_is_the_report_and_nothing_else_and_people_read_standard_error(ran, report):
    _, said, told = ran
    assert json.loads(said) == report
    for word in ("made", "first-pass yield", "yearly capacity", "report.html", "kills 1/1"):
        assert word in told
    assert "Traceback" not in told


@pytest.mark.whole
def test_page_and_portraits_lie_beside_the_report_and_no_log(ran):
    out = ran[0]
    assert sorted(path.name for path in out.iterdir()) == sorted(RESULTS)
    assert "Every sum holds" in (out / "report.html").read_text("utf-8")
    with Image.open(out / "portraits.png") as sheet:
        assert sheet.width > 2_000


@pytest.mark.whole
def test_the_last_manifest_is_written_and_names_its_digest_on_paper_and_screen_and_nobody_at_all(ran):
    out, _, told = ran
    file, page = (out / "manifest.csv").read_bytes(), (out / "manifest.html").read_text("utf-8")
    manifest, digest = read_manifest(file), digest_of(file)
    shown = file.decode("utf-8") + page
    assert digest in page
    assert f"{len(manifest.cards)} cards, sha256 {digest}" in told
    sent = {card.acceptance_number for card in manifest.cards}
    plan = BatchPlan(3, CARDS, EPOCH[:10].replace("-", ""), Shares(0.1, 0.1, 0.01), faces=OneFace())
    people = [person for draft in plan for person in draft.applications()]
    assert sent
    assert sent <= {person.acceptance_number for person in people}
    for person in people:
        for personal in filter(None, (person.name, person.identity_number, person.address)):
            assert personal not in shown


@pytest.mark.whole
def test_ctrl_c_ends_the_demo_and_everything_it_started(tmp_path):
    process = demo_process("--cards", CARDS, "--out", tmp_path, "--json", "-", start_new_session=True)
    try:
        children = _children_of(process, 3)
        os.kill(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=RUN_WITHIN_S)
    finally:
        process.kill()
    assert process.returncode == 128 + signal.SIGINT
    assert "ended by SIGINT" in told
    assert "Traceback" not in told
    assert not any(child.is_running() for child in children)


def _children_of(process, count):
    """Give a process's children once there are so many."""
    until_s = time.monotonic() + RUN_WITHIN_S
    while time.monotonic() < until_s:
        children = psutil.Process(process.pid).children()
        if len(children) >= count:
            return children
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError(f"there never were {count} children")


# ---- what cannot be run ---------------------------------------------------------------------------------------


@pytest.fixture
def nothing_left():
    """See to it that no process a test started outlives it; a server of the whole session is another's."""
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (DemoOptions(cards=0), "--cards 0"),
        (DemoOptions(kills=-1), "--kill -1"),
        (DemoOptions(scale=float("nan")), "--scale nan"),
        (DemoOptions(bad_share=2.0), "--bad-share 2"),
    ],
)
def test_an_unusable_option_is_a_sentence_and_exit_code_2(options, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_demo(options) == UNUSABLE
    said = capsys.readouterr().out
    assert told in said
    assert not (tmp_path / "out").exists()


def test_a_folder_or_file_that_cannot_be_written_is_named_before_anything_starts(capsys, tmp_path):
    (tmp_path / "file").write_text("x")
    assert run_demo(DemoOptions(out=tmp_path / "file" / "out")) == UNUSABLE
    assert "file" in capsys.readouterr().out
    assert run_demo(DemoOptions(out=tmp_path / "out", json_path=str(tmp_path / "nowhere" / "r.json"))) == UNUSABLE
    assert "nowhere" in capsys.readouterr().out


@pytest.mark.whole
@pytest.mark.usefixtures("nothing_left")
def test_a_port_that_somebody_else_took_is_trouble_of_the_set_up_with_the_service_s_own_sentence(
    capsys, tmp_path, monkeypatch
):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        free = demo_folder.free_ports
        monkeypatch.setattr(demo_folder, "free_ports", lambda count: [taken, *free(count - 1)])
        assert run_demo(DemoOptions(cards=8, out=tmp_path)) == UNUSABLE
    said = capsys.readouterr().out
    assert "cannot be set up" in said
    assert str(taken) in said
    assert "Traceback" not in said
    assert (tmp_path / "service.log").exists()


@pytest.mark.whole
@pytest.mark.usefixtures("nothing_left")
def test_stations_that_crash_end_the_demo_with_exit_code_1_and_the_end_of_their_log(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(
        demo_folder.DemoFolder,
        "stations_command",
        lambda folder, seed: [sys.executable, "-c", "raise SystemExit('out of oil')"],
    )
    assert run_demo(DemoOptions(cards=8, out=tmp_path)) == BROKEN
    said = capsys.readouterr().out
    assert "the stations process ended with exit code 1 before all was dispatched" in said
    assert "out of oil" in said
