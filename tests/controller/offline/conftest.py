"""A real service that the tests of sending share, started when the first of them asks."""

from __future__ import annotations

import pytest

from tests.controller.offline.upstream import Upstream
from tests.whole.centre import Centre


@pytest.fixture(scope="package")
def upstream(tmp_path_factory):
    """An upstream of a service that runs."""
    centre = Centre(tmp_path_factory.mktemp("centre"), scale=1.0)
    try:
        centre.start()
        yield Upstream(centre)
    finally:
        centre.close()
