"""A whole small centre: real service, stations and upstream, killed on the way; then its ledger is read again."""

from __future__ import annotations

import json

import pytest

from controller.config import load_config
from controller.core.foreman import Foreman
from controller.hosts.heap import replay
from controller.ledger.chain import GENESIS, link
from controller.ledger.store import open_ledger
from encoders.envelope import pack
from tests.whole.centre import Centre, run_cli
from tests.whole.worked import run_centre

CARDS, KILLS = 200, 2


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    centre = Centre(tmp_path_factory.mktemp("centre"), scale=600.0)
    try:
        yield centre, run_centre(centre, CARDS, KILLS)
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


def test_the_command_replays_the_run_through_its_kills_under_the_settings_each_run_recorded(finished, tmp_path):
    centre, _ = finished
    other = tmp_path / "other.toml"  # whoever replays a folder need not have its settings
    other.write_text("[plan]\nencode_load = 3\n", "utf-8")
    code, out, err = run_cli("replay", str(centre.data), "--config", str(other), "--json", "-")
    told = json.loads(out)
    assert (code, told["equal"], told["runs"]) == (0, True, KILLS + 1), err
    assert told["notes"] == []
    assert run_cli("audit", "head", "--data", str(centre.data))[1].split()[0] == f"{told['moves']}:{told['digest']}"
    assert told["state"]["batches_open"] == 0


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
