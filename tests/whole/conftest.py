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
