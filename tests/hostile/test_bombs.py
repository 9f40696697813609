"""What is small on the wire and huge when opened, and chunks said again: refused before it is opened."""

from __future__ import annotations

import pytest

from bench.hostile_attacks import ATTACKS
from tests.hostile.good_peer import GoodPeer


@pytest.mark.parametrize("name", ["msgpack bombs", "JPEG bombs", "replayed chunks"])
def test_a_bomb_or_a_replay_is_refused_with_its_code_and_the_good_peer_is_answered(centre, place, name):
    with GoodPeer(centre):
        ATTACKS[name].round(place)
