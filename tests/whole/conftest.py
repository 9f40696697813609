"""Fixtures of the tests that start real processes."""

from __future__ import annotations

import pytest

from tests.whole.centre import Centre


@pytest.fixture
def centre(tmp_path):
    """A service that is not started yet."""
    made = Centre(tmp_path)
    yield made
    made.close()


@pytest.fixture
def running(centre):
    """A service that is ready."""
    centre.start()
    return centre


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A service that is ready, for all tests of a file that neither end it nor bring it cards."""
    made = Centre(tmp_path_factory.mktemp("shared"))
    try:
        made.start()
        yield made
    finally:
        made.close()
