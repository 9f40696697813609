"""What tests of several rooms share: their order, a real PostgreSQL server, and a database on it for each test."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from sims.postgres_server import PostgresServer

_numbers = count(1)
_BROWSER = "tests/browser"  # as node ids begin
_HERE = Path(__file__).parent
_SLOW = (_HERE / "browser", _HERE / "whole")


def pytest_collection_modifyitems(items):
    """Put the browser and whole centres first: of tests shared out to processes the longest must not come last."""
    items.sort(key=lambda item: next((at for at, one in enumerate(_SLOW) if one in item.path.parents), len(_SLOW)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share out files as `--dist loadfile` does, but all of the browser to one process: its demo starts once."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return _BROWSER if nodeid.startswith(f"{_BROWSER}/") else super()._split_scope(nodeid)

    return OneBrowser(config, log)


@pytest.fixture(scope="session")
def postgres_server():
    """A server that runs until the session ends.  Where none can be had, the tests that ask for it fail."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server):
    """An empty database."""
    name = f"test{next(_numbers)}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request):
    """The two engines: a test that takes this runs on both.  The address of a database, or nothing for SQLite."""
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
