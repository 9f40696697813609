"""A whole small centre on PostgreSQL: its controller is killed, a second one takes over, nothing is lost or double."""

from __future__ import annotations

import json
import shutil

import psycopg
import pytest
import trio

from controller.asking.conversation import ClientError
from controller.audit.verification import verify_folder
from controller.config import load_config
from controller.ledger.store import open_ledger
from controller.vault.store import open_vault
from sims.people import Population
from tests.whole.centre import Centre, run_cli
from tests.whole.worked import run_centre, start_again

CARDS = 40


@pytest.fixture
def two(tmp_path, postgres_url):
    """Two controllers of one centre: the same doors and the same database, each with a data folder of its own."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = Centre(tmp_path / "first", scale=300.0, extra=f'[storage]\nurl = "{postgres_url}"')
    second = Centre(tmp_path / "second")
    second.doors, second.metrics = first.doors, first.metrics
    second.config.write_text(first.config.read_text("utf-8").replace(str(first.data), str(second.data)), "utf-8")
    yield first, second
    first.close()
    second.close()


def test_a_second_controller_takes_over_when_the_first_is_killed_and_no_card_is_lost_or_double(
    two, postgres_server, postgres_url
):
    first, second = two

    kills = iter([start_again])

    def interrupt(running):
        """Kill the first and start it again; then let the second try beside it, and once more when it is dead."""
        if kill := next(kills, None):
            return kill(running)
        code, _, errors = run_cli("serve", "--config", str(second.config))
        assert code == 2
        assert "ledger.in_use" in errors
        running.kill()
        shutil.copytree(first.data, second.data, dirs_exist_ok=True)  # keys and clock, as on a shared disk
        second.start()
        return second

    told = run_centre(first, CARDS, 2, interrupt, counted="encoded")
    assert told["submitted"] == told["accepted"] + told["refused"] == CARDS
    assert told["accepted"] == told["dispatched"] + told["cancelled"] + told["refused_late"]
    receipts = told["receipts"]
    assert (receipts["final"], receipts["missing"], receipts["double"], receipts["gaps"]) == (told["accepted"], 0, 0, 0)
    trio.run(_check, second, postgres_url, told)
    report = verify_folder(second.data, postgres_url, config=load_config(second.config))
    assert (report.faults, report.moves > CARDS) == ([], True)
    assert [path for data in (first.data, second.data) for path in data.glob("*.db")] == []
    today = json.loads((first.folder / "upstream" / "run.json").read_text("utf-8"))["today"]
    _search_for_people(postgres_server, postgres_url, [Population(1).application(index, today) for index in range(20)])


def test_a_service_that_lost_its_session_ends_with_a_sentence_and_leaves_the_work_to_the_next(two, postgres_url):
    first, second = two
    first.start()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        holders = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
        assert connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({holders}) AS held").fetchall() == [(True,)]
    with first.operator() as ann, pytest.raises(ClientError):
        ann.command("act", verb="receive", args={"first_body": 100, "sheets": 10, "lot": "A"})
    assert first.process.wait(120) == 1
    last = first.log.read_text("utf-8").splitlines()[-1]
    assert "ledger.stopped" in last
    assert "Traceback" not in first.log.read_text("utf-8")
    shutil.copytree(first.data, second.data, dirs_exist_ok=True)
    second.start()
    with first.operator() as ann:  # the same address and the same keys
        assert ann.command("status")["run"] == 2
        assert ann.command("stock")["accounts"]["vault"] == 0
    assert second.stop() == 0


async def _check(centre, url, told):
    """See that the batch is closed, and that what is sealed opens with the keys that went over."""
    async with open_ledger(centre.data, url=url) as ledger, open_vault(centre.data, url=url) as vault:
        [batch] = ledger.reader.batches()
        assert (batch.state, batch.dispatched) == ("closed", told["dispatched"])
        assert len(vault.applications(batch.batch_id, range(CARDS))) == CARDS


def _search_for_people(server, url, people):
    """See that nothing personal lies in the open in the database's files, the server's log of writes and its log."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        [number] = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    cluster = server.folder / "cluster"
    files = [
        *(cluster / "base" / str(number)).iterdir(),
        *(cluster / "pg_wal").glob("0*"),
        server.folder / "server.log",
    ]
    assert len(files) > 100
    for path in files:
        content = path.read_bytes()
        for person in people:
            for secret in (person.name, person.identity_number, person.address):
                assert secret.encode() not in content, path.name
