"""One real service that every file of attacks shares, and its place as an attacker sees it."""

from __future__ import annotations

from itertools import count

import pytest

from bench.hostile_place import Place
from tests.whole.centre import Centre

_numbers = count(1)


@pytest.fixture(scope="package")
def centre(tmp_path_factory):
    """A service that is ready; nobody ends it or starts it again, which `one_life` looks after."""
    made = Centre(tmp_path_factory.mktemp("hostile"), scale=1.0)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def place(centre):
    """Where the service listens, with fresh keys: of two upstreams, a station and an operator."""
    number = next(_numbers)
    secrets = [
        str(centre.secret(role, f"{name}-{number}"))
        for role, name in (("upstream", "owner"), ("upstream", "mallory"), ("station", "liar"), ("operator", "oscar"))
    ]
    return Place({**centre.doors, "metrics": centre.metrics}, str(centre.server_public), *secrets)


@pytest.fixture(autouse=True)
def one_life(request):
    """The process of the service is the same after a test as before, if the test uses it."""
    if "centre" not in request.fixturenames:
        yield
        return
    centre = request.getfixturevalue("centre")
    pid = centre.process.pid
    yield
    assert centre.process.poll() is None, centre.log.read_text("utf-8")[-2_000:]
    assert centre.process.pid == pid
