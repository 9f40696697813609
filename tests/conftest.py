"""What tests of several rooms share: their order, a real PostgreSQL server, and a database on it for each test."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from sims.postgres_server import PostgresServer

_numbers = count(1)
_WHOLE = Path(__file__).parent / "whole"


def pytest_collection_modifyitems(items):
    """Put whole centres first: where files of tests are shared out to processes, the longest must not come last."""
    items.sort(key=lambda item: _WHOLE not in item.path.parents)


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
