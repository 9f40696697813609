"""A whole small centre: real service, stations and upstream, killed on the way; then its ledger is read again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import pytest

from controller.config import load_config
from controller.conversation import ClientError
from controller.core.foreman import Foreman
from controller.hosts.heap import replay
from controller.ledger.chain import GENESIS, link
from controller.ledger.store import open_ledger
from encoders.envelope import pack
from sims.demo.staff import StockKeepers, Supervisors
from sims.floor import DEFAULT_FLOOR
from tests.whole.centre import Centre

CARDS, KILLS, WITHIN_S = 200, 2, 240.0


def start(*args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "sims.cli", *args], stdout=subprocess.DEVNULL)


def run_centre(centre: Centre) -> dict[str, object]:
    """Run stations, upstream and staff until every batch is closed, with kills in between; give upstream's report."""
    for station in DEFAULT_FLOOR:
        centre.secret("station", station.name)
    secret, out = centre.secret("upstream", "north"), centre.folder / "upstream"
    server = ("--server-key", str(centre.server_public))
    centre.start()
    with ExitStack() as stack:
        floor = start("stations", "--endpoint", centre.doors["stations"], *server, "--secrets", str(secret.parent))
        stack.callback(floor.wait, 30)
        stack.callback(floor.terminate)
        north = start(
            *("upstream", "--endpoint", centre.doors["upstreams"], *server, "--secret", str(secret)),
            *("--out", str(out), "--cards", str(CARDS), "--bad-share", "0.1", "--hold-share", "0.05"),
        )
        stack.callback(north.wait, 30)
        stack.callback(north.terminate)
        people = [
            stack.enter_context(centre.operator(name))
            for name in ("keeper-1", "keeper-2", "supervisor-1", "supervisor-2")
        ]
        keepers = StockKeepers(people[0], people[1], CARDS)
        supervisors = Supervisors(people[2], people[3])
        kills, deadline = KILLS, time.monotonic() + WITHIN_S
        while north.poll() is None:
            assert time.monotonic() < deadline, "the centre did not finish"
            with suppress(ClientError):
                keepers.look()
                supervisors.look()
                made = people[0].command("status")["tally"]["made"]
                if kills and made >= CARDS // 4 * (KILLS - kills):
                    kills -= 1
                    centre.kill()
                    centre.start()
            with suppress(subprocess.TimeoutExpired):
                north.wait(0.5)
        assert (north.returncode, kills) == (0, 0)
    assert centre.stop() == 0
    return json.loads((out / "upstream.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    centre = Centre(tmp_path_factory.mktemp("centre"), scale=600.0)
    try:
        yield centre, run_centre(centre)
    finally:
        centre.close()


def test_every_accepted_application_has_one_final_receipt_though_the_service_was_killed(finished):
    _, told = finished
    assert told["accepted"] == told["dispatched"] + told["cancelled"] + told["refused_late"]
    assert told["submitted"] == told["accepted"] + told["refused"] == CARDS
    receipts = told["receipts"]
    assert receipts["final"] == told["accepted"]
    assert (receipts["missing"], receipts["double"], receipts["gaps"]) == (0, 0, 0)


def test_every_planted_fault_was_found_and_no_good_application_refused(finished):
    _, told = finished
    planted = told["planted"]
    assert planted["planted_bad"] == planted["planted_bad_caught"] > 0
    assert planted["planted_hold"] == planted["planted_hold_caught"] > 0
    assert planted["good_refused"] == 0
    assert planted["wrong_code"] == []


async def test_the_recorded_run_replayed_on_the_heap_host_gives_the_same_ledger_digest(finished):
    centre, _ = finished
    config = load_config(centre.config)
    async with open_ledger(centre.data) as ledger:
        head, moves = GENESIS.hash, 0

        def keep(at_floor_s, event, made):
            nonlocal head, moves
            for move in made:
                head, moves = link(head, at_floor_s, pack(move)), moves + 1

        again = Foreman(config.core())
        replay(again, ledger.events(), keep)
        assert (head, moves) == (ledger.head.hash, ledger.head.seq)
        folded = Foreman(config.core())
        for at_floor_s, move in ledger.replay():
            folded.replay(at_floor_s, move)
        assert folded.state == again.state
        assert ledger.verify().sound


def test_no_log_holds_a_name_or_a_number_of_a_person(finished):
    centre, _ = finished
    from sims.people import Population

    today = json.loads((centre.folder / "upstream" / "run.json").read_text("utf-8"))["today"]
    people = [Population(1).application(index, today) for index in range(40)]
    outside = [path for path in centre.folder.rglob("*") if path.is_file() and "vault" not in path.name]
    assert centre.data / "ledger.db" in outside
    for path in outside:
        content = path.read_bytes()
        for person in people:
            for secret in (person.name, person.identity_number, person.address):
                assert secret.encode() not in content, path.name
