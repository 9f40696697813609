"""Who connects and says nothing, or asks and does not read: hung up on or shed, within bounded memory."""

from __future__ import annotations

import pytest

from bench.hostile_attacks import ATTACKS
from tests.hostile.good_peer import GoodPeer


@pytest.mark.parametrize("name", ["200 silent strangers", "200 silent insiders", "slow reader"])
def test_silence_costs_the_silent_alone(centre, place, name):
    with GoodPeer(centre):
        ATTACKS[name].round(place)
