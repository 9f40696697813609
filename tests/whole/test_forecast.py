"""Forecasts of a real service over its socket: made beside it, shown everywhere, and gone with it at kill -9."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import trio

from controller.config import load_config
from controller.floor_time import open_clock
from controller.ledger.store import open_ledger
from controller.vault.store import open_vault
from tests.controller.forecasting.floor_ledger import Kept, floor_at_work
from tests.controller.forecasting.test_worker import children_of, is_there
from tests.whole.centre import Centre, run_cli

pytestmark = pytest.mark.whole

NATURE = {"centre": "cardmill", "simulated": "true"}
# as the tests themselves: at idle priority a machine that tests keep busy would never come to it
SETTINGS = '[forecast]\nevery_s = 0.0\npriority = "normal"\nwithin_s = 900.0\n'
WITHIN_S, MANY = 900.0, 2_000


@pytest.fixture(scope="module")
def working(tmp_path_factory):
    """A service whose ledger holds a floor in the middle of its work; its stations are silent."""
    centre = Centre(tmp_path_factory.mktemp("forecast"), scale=1.0, extra=SETTINGS)
    secret = centre.secret("operator", "ann")
    (centre.data / "peers").mkdir()
    shutil.copy(secret, centre.data / "peers")
    (centre.data / "peers" / secret.name).chmod(0o600)
    trio.run(write_floor, centre)
    try:
        centre.start()
        yield centre
    finally:
        centre.close()


async def write_floor(centre):
    async with open_ledger(centre.data, nature=NATURE) as ledger, open_vault(centre.data):
        open_clock(centre.data, load_config(centre.config).clock, None)
        await Kept(ledger, floor_at_work(1, trouble=0.0)).keep()


def asked_to_the_end(ann, verb, **args):
    deadline, found = time.monotonic() + WITHIN_S, ann.command(verb, **args)
    while found["running"]:
        assert time.monotonic() < deadline
        found = ann.command(verb, ticket=found["ticket"])
    return found


def state_of(ann):
    """What the floor is: all of its status but clocks, and what waits in it."""
    status = ann.command("status")
    return {name: status[name] for name in ("tally", "steps", "ready", "unencoded", "suspects", "run")}


def moves_of(ann):
    """How many moves there are, without folds of days that are over: the service makes one when it finds time."""
    found = ann.command("audit", group="everything", limit=100)
    return found["head"]["seq"] - sum(row["tag"] == "tables_folded" for row in found["rows"])


def test_a_forecast_is_made_beside_the_service_and_changes_nothing_on_its_floor(working):
    with working.operator() as ann:
        before, moves = state_of(ann), moves_of(ann)
        made = asked_to_the_end(ann, "forecast", runs=50)
        assert made["made"]["runs"] == made["made"]["asked_runs"] == 50
        assert {one["batch_id"] for one in made["batches"]} == {1}
        for one in made["batches"] + made["units"]:
            p50, p90 = one["p50_floor_s"], one["p90_floor_s"]
            assert p90 is None or p50 <= p90
        assert state_of(ann) == before
        assert moves_of(ann) == moves
        told = ann.command("forecast")
        assert (told["made"], told["ticket"], told["running"]) == (made["made"], 0, False)
    assert "cardmill_forecast_batches_total" in working.metrics_page()


def test_the_command_shows_the_newest_and_a_what_if_that_cannot_be_is_told(working):
    reach = ("--as", "ann", "--config", str(working.config), "--data", str(working.data), "--json", "-")
    code, shown, errors = run_cli("forecast", "--latest", *reach)
    assert code == 0, errors
    assert json.loads(shown)["made"]["runs"] == 50
    code, _, errors = run_cli("whatif", "--station", "p99=down", *reach)
    assert code == 1
    assert "whatif.station" in errors


def test_killed_with_its_service_no_process_of_a_forecast_is_left_and_the_next_start_begins_another(working):
    with working.operator() as ann:
        ticket = ann.command("forecast", runs=MANY)["ticket"]
        worker = worker_of(ann, ticket, working.process.pid)
        runs = [int(pid) for pid in children_of(worker)]
        assert len(runs) == 2
        assert all(parent_of(pid) == worker for pid in runs)
        working.kill()
    deadline = time.monotonic() + WITHIN_S
    while any(map(is_there, [worker, *runs])):
        assert time.monotonic() < deadline, "a process outlived its service"
        os.sched_yield()
    working.start()
    with working.operator() as ann:
        assert ann.command("forecast")["made"] is None, "what was made is not kept, what was said is"
        ticket = ann.command("forecast", runs=MANY)["ticket"]
        assert worker_of(ann, ticket, working.process.pid) != worker


def test_stopped_in_an_orderly_way_the_service_ends_its_worker_too(working):
    with working.operator() as ann:
        ticket = ann.command("forecast", runs=MANY)["ticket"]
        worker = worker_of(ann, ticket, working.process.pid)
    working.process.send_signal(signal.SIGTERM)
    assert working.process.wait(WITHIN_S) == 0
    assert not is_there(worker)
    working.start()


def worker_of(ann, ticket, service):
    """Wait until runs are done, and give the process that does them."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := ann.command("forecast", ticket=ticket))["done_runs"]:
        assert found["running"]
        assert time.monotonic() < deadline
    (worker,) = [int(pid) for pid in children_of(service) if "forecasting" in command_of(pid)]
    return worker


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
