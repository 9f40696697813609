"""Who brings more than anybody may: dropped or put off, and only their own is late."""

from __future__ import annotations

import pytest

from bench.hostile_attacks import ATTACKS
from tests.hostile.good_peer import GoodPeer


@pytest.mark.parametrize("name", ["oversize frame", "frame flood", "batch flood"])
def test_a_flood_is_dropped_or_put_off_and_the_good_peer_is_answered(centre, place, name):
    with GoodPeer(centre):
        ATTACKS[name].round(place)
