"""PostgreSQL: only a safe server is used, no password is shown, and what it cannot store is its sender's affair."""

import subprocess
import sys
import traceback
from itertools import islice
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
import trio
from sqlalchemy import make_url

from controller.config import Config, ServiceConfig, StorageConfig
from controller.doctor.databases import look_at_databases
from controller.ledger import postgresql, writer
from controller.ledger.chain import head_of
from controller.ledger.engine import reason_of
from controller.ledger.errors import ChangeRefused, LedgerStopped, LedgerUnfit, LedgerUnreadable
from controller.ledger.inbox import AnnounceBatch, InboxRow, StoreChunk
from controller.ledger.store import SCHEMA_NAME, ledger_place, open_ledger
from controller.service import run_service
from sims.postgres_server import PostgresServer
from tests.controller.ledger.desk import open_raw
from tests.controller.ledger.floor import SmallFloor

ROOT = Path(__file__).resolve().parents[3]
SEED = 41
SECRET = "S3cr:et/P@ss"


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
async def test_a_server_that_could_lose_what_it_acknowledged_is_refused(tmp_path, setting):
    with PostgresServer({setting: "off"}) as server:
        with pytest.raises(LedgerUnfit, match=f"has {setting} = off, it must be on") as refusal:
            async with open_ledger(tmp_path, url=server.url()):
                pass
        assert refusal.value.code == "ledger.unfit"


def test_a_commit_waits_for_the_disk_whatever_the_database_says(tmp_path, postgres_url):
    raw = open_raw(tmp_path, postgres_url)
    [name] = raw.execute("SELECT current_database()").fetchone()
    raw.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    raw.close()
    engine = ledger_place(tmp_path, postgres_url).writer()
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    engine.dispose()


async def test_tables_stand_in_a_schema_of_their_own(tmp_path, postgres_url):
    async with open_ledger(tmp_path, url=postgres_url):
        pass
    raw = open_raw(tmp_path, postgres_url)
    query = "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
    assert raw.execute(query).fetchall() == [(SCHEMA_NAME,)]
    raw.close()
    assert [path.name for path in tmp_path.iterdir()] == ["cardmill.lock"]


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@host/x",
        f"postgresql://ann:{SECRET}@127.0.0.1:port/x",
        "postgresql://ann:S3cr%zz@127.0.0.1:1/x",
        "postgresql://ann:S3cret@127.0.0.1:1/x",
        "postgresql://ann:S3cret@127.0.0.1:1/",
        "postgresql://ann:S3cret@127.0.0.1:1/x?nonsense=1",
        "postgresql://ann:S3cret@/x?host=/nonexistent",
        "mysql://ann:S3cret@127.0.0.1/x",
        "S3cret",
    ],
)
async def test_an_address_that_does_not_work_ends_with_a_sentence_that_shows_no_password(tmp_path, url):
    with pytest.raises((LedgerUnfit, LedgerUnreadable)) as refusal:
        async with open_ledger(tmp_path, url=url):
            pass
    told = "".join(traceback.format_exception(refusal.value)) + repr(ledger_place(tmp_path, url))
    assert "S3cr" not in told
    assert "P@ss" not in told


async def test_a_wrong_password_is_not_repeated(tmp_path, postgres_server):
    rules = postgres_server.folder / "cluster" / "pg_hba.conf"
    before = rules.read_text()
    with psycopg.connect(postgres_server.url(), autocommit=True) as admin:
        admin.execute("CREATE ROLE ann LOGIN PASSWORD 'right'")
        rules.write_text("local all ann scram-sha-256\n" + before)
        admin.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(LedgerUnreadable, match="password authentication failed") as refusal:
                async with open_ledger(
                    tmp_path, url=postgres_server.url(password="S3cret").replace("cardmill:", "ann:", 1)
                ):
                    pass
            assert "S3cret" not in "".join(traceback.format_exception(refusal.value))
        finally:
            rules.write_text(before)
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("DROP ROLE ann")


async def test_a_database_of_another_encoding_is_refused_by_its_name_and_can_be_asked_for_it(tmp_path, postgres_server):
    with psycopg.connect(postgres_server.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    url = make_url(postgres_server.url()).set(database="ascii").render_as_string(hide_password=False)
    with pytest.raises(LedgerUnfit, match="has server_encoding = SQL_ASCII, it must be UTF8: make the database anew"):
        async with open_ledger(tmp_path, url=url):
            pass
    reader = ledger_place(tmp_path, url).reader()
    with reader.connect() as connection:
        assert connection.exec_driver_sql("SHOW server_encoding").scalar_one() == "SQL_ASCII"
    reader.dispose()
    [said] = look_at_databases(tmp_path, Config(storage=StorageConfig(url=url))).findings
    assert "server_encoding = SQL_ASCII: make the database anew" in said.text


async def test_a_session_that_is_lost_while_idle_is_noticed_with_its_cause(tmp_path, postgres_url, monkeypatch):
    monkeypatch.setattr(writer, "PING_S", 0.05)
    async with open_ledger(tmp_path, url=postgres_url) as ledger:
        raw = open_raw(tmp_path, postgres_url)
        raw.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        raw.close()
        with trio.fail_after(60):
            failure = await ledger.wait_failed()
        assert "the ledger's connection was lost: terminating connection" in str(failure)
        with pytest.raises(LedgerStopped, match="takes no more: the ledger's connection was lost"):
            await ledger.record(SmallFloor(SEED).begin())


async def test_a_service_whose_server_is_not_there_ends_with_code_2_and_what_to_do(tmp_path):
    gone = StorageConfig(url="postgresql://nobody@127.0.0.1:1/none", free_min_mib=1, reserve_mib=0)
    code, said = await run_service(Config(service=ServiceConfig(centre="test"), storage=gone), tmp_path / "new")
    assert code == 2
    assert said.endswith("; correct storage.url, or start the server")


async def test_readers_cannot_write_and_see_one_moment(tmp_path, postgres_url):
    async with open_ledger(tmp_path, url=postgres_url) as ledger:
        with ledger.reading.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM move").scalar_one() == 0
            await ledger.record(SmallFloor(SEED).begin())
            assert connection.exec_driver_sql("SELECT count(*) FROM move").scalar_one() == 0
            with pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only transaction"):
                connection.exec_driver_sql("DELETE FROM meta")
        assert ledger.reader.receipt_numbers("city") == (0, 0)


async def test_a_text_that_no_row_can_hold_is_asked_for_in_vain(tmp_path, postgres_url):
    async with open_ledger(tmp_path, url=postgres_url) as ledger:
        assert ledger.reader.announced("1\0" * 12) is None
        assert ledger.reader.cards_of("\0") == []
        assert ledger.reader.receipts("\0", 0) == []


async def test_what_the_database_cannot_store_is_refused_to_its_sender_alone_and_not_repeated(tmp_path, postgres_url):
    async with open_ledger(tmp_path, url=postgres_url) as ledger:
        huge = InboxRow(2**40 + 12345, "1" * 22, b"d", b"i", b"p", "110101001", False, "11")
        with pytest.raises(ChangeRefused) as refusal:
            await ledger.write(StoreChunk(1, [huge]))
        assert "12345" not in str(refusal.value)
        batch = AnnounceBatch("1" * 25, "city", "20260101", 1, "d", "second", "20251201", 0.0)
        assert (await ledger.write(batch)).batch_number == "1" * 25
        assert ledger.failed is None


def test_the_reason_of_a_data_error_repeats_no_value(postgres_url):
    raw = open_raw(Path(), postgres_url)
    with pytest.raises(psycopg.DataError, match="canary") as error:
        raw.execute("SELECT 'canary'::integer")
    raw.close()
    assert reason_of(error.value) == "InvalidTextRepresentation 22P02"


def test_locks_of_two_schemas_are_two_and_always_the_same():
    assert postgresql.lock_key("cardmill") == postgresql.lock_key("cardmill") != postgresql.lock_key("cardmill_vault")
    assert -(2**63) <= postgresql.lock_key("cardmill") < 2**63


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed_under_load(tmp_path):
    acknowledged = last = 0
    with PostgresServer() as server:
        for _ in range(3):
            moves = _record_until_the_server_is_killed(tmp_path, server)
            assert moves > acknowledged
            acknowledged = moves
            server.start()
            async with open_ledger(tmp_path, url=server.url()) as ledger:
                assert ledger.head.seq >= acknowledged
                last = sum(1 for _ in ledger.events())
                assert ledger.verify().faults == []
        records = list(islice(SmallFloor(SEED, rows_max=6).run(last), last))
        expected = [(recorded.at_floor_s, move) for recorded in records for move in recorded.moves]
        async with open_ledger(tmp_path, url=server.url()) as ledger:
            assert list(ledger.replay()) == expected
            assert ledger.head == head_of(expected)


def _record_until_the_server_is_killed(folder, server):
    """Let a process record, kill the server, see the process end by itself; give the moves it acknowledged."""
    command = [sys.executable, "-m", "tests.controller.ledger.appender", str(folder), str(SEED), server.url()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        lines = [process.stdout.readline() for _ in range(200)]
        server.kill()
        rest, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert LedgerStopped.code in errors.decode()
    lines += rest.splitlines(keepends=True)
    return int([line for line in lines if line.endswith(b"\n")][-1].split()[1])
