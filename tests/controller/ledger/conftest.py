"""Fixtures of the ledger's tests: desks stand in the engine of their test."""

from __future__ import annotations

import pytest

from tests.controller.ledger import desk


@pytest.fixture
def engine_url(engine_url, monkeypatch):
    """The two engines, for desks too."""
    monkeypatch.setattr(desk, "desk_url", engine_url)
    yield engine_url
    desk.close_desks()
