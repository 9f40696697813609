"""The demo's run with small pretend processes: kills, crashes, stalls and signals, and that nothing is left behind."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys

import psutil
import pytest
import trio
from rich.console import Console

from controller.asking.conversation import ClientError
from devices.defects import Step
from sims.demo import run as demo_run
from sims.demo.options import DemoOptions
from sims.demo.run import KILLS_FROM, KILLS_TO, DemoFailed, DemoRun, Interrupted, kill_moments, progress_in
from sims.demo.screen import DemoView

PATIENCE_S = 60.0
OTHERS: set[psutil.Process] = set()
SERVICE = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path({runs!r}).open("a").write("run\\n")
pathlib.Path({ready!r}).write_text("{{}}")
signal.pause()
"""
STATIONS = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
UPSTREAM = """
import json, pathlib, time
done = pathlib.Path({done!r})
while not done.exists():
    print(json.dumps({{"receipts": 7}}), flush=True)
    time.sleep(0.02)
"""

NO_SINGLES = {"received": 0, "vault": [], "magazines": {}}


class PretendFolder:
    """Stands in for the demo's folder: other programs under the same names, and people who talk to nobody."""

    def __init__(self, root):
        self.root, self.endpoints_file = root, root / "endpoints.json"
        self.done, self.runs = root / "done", root / "runs"
        self.service = SERVICE.format(ready=str(self.endpoints_file), runs=str(self.runs))
        self.stations, self.upstream = STATIONS, UPSTREAM.format(done=str(self.done))
        self.made, self.cards, self.moves = 0, 100, True

    def log(self, name):
        return self.root / f"{name}.log"

    def service_command(self):
        return [sys.executable, "-c", self.service]

    def stations_command(self, seed):
        return [sys.executable, "-c", self.stations]

    def upstream_command(self, options):
        return [sys.executable, "-c", self.upstream]

    @contextlib.contextmanager
    def person(self, name):
        yield self

    def command(self, verb, /, **args):
        """Answer like a service whose floor makes one card between two looks."""
        if not self.endpoints_file.exists():
            raise ClientError("client.no_answer", "nobody there")
        if verb == "stock":
            return {"accounts": {"vault": 8_000}, "vault": [[1, 1_000]], "magazines": {}, "singles": NO_SINGLES}
        if verb == "shift":
            return {"closed": 1}
        if verb != "status":
            return []
        self.made = min(self.cards, self.made + 2 * self.moves)
        if self.made == self.cards:
            self.done.touch()
        tally = dict.fromkeys(["refused", "held", "cancelled", "refused_late", "batches", "batches_closed"], 0)
        tally |= dict.fromkeys(["received", "accepted", "encoded", "made", "dispatched", "remade"], self.made)
        return {
            "floor_s": 1.0,
            "floor_time": "",
            "tally": tally | {"open": 1},
            "steps": {step.value: {"worked": self.made} for step in Step},
        }


@pytest.fixture
def folder(tmp_path):
    return PretendFolder(tmp_path)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(demo_run, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(demo_run, "KILL_DELAY_S", (0.0, 0.02))


def a_run(folder, **options):
    chosen = DemoOptions(cards=folder.cards, scale=2_000.0, **options)
    view = DemoView(cards=folder.cards, kills_wanted=chosen.kills)
    return DemoRun(chosen, folder, view, Console(file=io.StringIO())), view


async def brought_to_its_end(run):
    with trio.fail_after(PATIENCE_S):
        await run.run()


def none_is_left(run):
    started = set(psutil.Process().children(recursive=True)) - OTHERS
    return not started and not any(child.runs for child in (run.service, run.stations, run.upstream))


@pytest.fixture(autouse=True)
def _others():
    """Know the processes that were there before: a server of the whole session is not the demo's."""
    OTHERS.clear()
    OTHERS.update(psutil.Process().children(recursive=True))


async def test_when_upstream_is_done_service_and_stations_are_asked_to_stop(folder, quick):
    run, view = a_run(folder)
    await brought_to_its_end(run)
    assert run.stop_codes == {"service": 0, "stations": 0}
    assert (view.kills, view.receipts, view.count("made")) == (0, 7, 100)
    assert none_is_left(run)


@pytest.mark.parametrize("kills", [1, 5])
async def test_the_service_is_killed_as_often_as_ordered_and_started_again_each_time(folder, quick, kills):
    run, view = a_run(folder, kills=kills)
    await brought_to_its_end(run)
    assert view.kills == kills
    assert folder.runs.read_text().count("run") == kills + 1
    assert run.stop_codes == {"service": 0, "stations": 0}
    assert none_is_left(run)


async def test_a_service_that_ends_by_itself_ends_the_demo_with_the_end_of_its_log(folder, quick):
    folder.moves = False
    folder.service = folder.service.replace("signal.pause()", "print('disk on fire'); sys.exit(1)")
    run, _ = a_run(folder)
    with pytest.raises(DemoFailed) as failed:
        await brought_to_its_end(run)
    assert "service process ended with exit code 1" in str(failed.value)
    assert "disk on fire" in failed.value.tail
    assert failed.value.exit_code in (1, 2)  # 2 where it ended before anybody saw it ready
    assert none_is_left(run)


async def test_a_service_that_never_serves_is_a_fault_of_the_set_up(folder, quick):
    folder.service = "import sys; print('the port is taken'); sys.exit(2)"
    run, _ = a_run(folder)
    with pytest.raises(DemoFailed, match="cannot be set up") as failed:
        await brought_to_its_end(run)
    assert failed.value.exit_code == 2
    assert "the port is taken" in failed.value.tail
    assert none_is_left(run)


async def test_a_service_that_does_not_come_back_after_a_kill_is_no_fault_of_the_set_up(folder, quick):
    guard = f"import os, sys\nif os.path.exists({str(folder.runs)!r}): sys.exit('the ledger is damaged')\n"
    folder.service = guard + folder.service
    run, view = a_run(folder, kills=1)
    with pytest.raises(DemoFailed, match="after a kill") as failed:
        await brought_to_its_end(run)
    assert (failed.value.exit_code, view.kills) == (1, 1)
    assert "the ledger is damaged" in failed.value.tail


@pytest.mark.parametrize(("name", "process"), [("stations", "stations"), ("upstream", "upstream")])
async def test_a_crash_of_the_others_ends_the_demo_and_names_them(folder, quick, name, process):
    folder.moves = False
    setattr(folder, process, "import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    run, _ = a_run(folder)
    with pytest.raises(DemoFailed, match=f"the {name} process was ended by SIGABRT before all was dispatched"):
        await brought_to_its_end(run)
    assert none_is_left(run)


async def test_when_nothing_moves_any_more_the_demo_says_what_is_open(folder, quick, monkeypatch):
    monkeypatch.setattr(demo_run, "STALLED_S", 0.5)
    monkeypatch.setattr(demo_run, "STALLED_FLOOR_S", 0.0)
    folder.moves = False
    run, _ = a_run(folder)
    with pytest.raises(DemoFailed, match=r"nothing moved .* 1 cards are open"):
        await brought_to_its_end(run)
    assert none_is_left(run)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_demo_and_everything_it_started(folder, quick, number):
    folder.moves = False
    run, view = a_run(folder)
    failures = []

    async def watched():
        try:
            await brought_to_its_end(run)
        except Interrupted as interrupted:
            failures.append(interrupted)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watched)
        with trio.fail_after(PATIENCE_S):
            while view.receipts != 7:  # noqa: ASYNC110
                await trio.sleep(0.01)
        os.kill(os.getpid(), number)
    (failure,) = failures
    assert (str(failure), failure.exit_code) == (f"ended by {number.name}", 128 + number)
    assert none_is_left(run)


def test_kills_are_spread_over_the_whole_run_and_the_same_for_a_seed():
    for seed in range(20):
        moments = kill_moments(seed, 5)
        width = (KILLS_TO - KILLS_FROM) / 5
        assert [int((moment - KILLS_FROM) / width) for moment in moments] == [0, 1, 2, 3, 4]
        assert moments == kill_moments(seed, 5)
    assert kill_moments(1, 5) != kill_moments(2, 5)
    assert kill_moments(1, 0) == []


@pytest.mark.parametrize("line", [b"", b"\xff\xfe", b"[1]", b"not json", b'"text"', b"{"])
def test_a_line_that_says_nothing_changes_nothing(line):
    assert progress_in(line) == {}
