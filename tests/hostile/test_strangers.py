"""Who has no key, another key, or another"s name: never answered, counted, and the good peer is."""

from __future__ import annotations

import pytest

from bench.hostile_attacks import ATTACKS
from tests.hostile.good_peer import GoodPeer


@pytest.mark.parametrize("name", ["unlisted key", "wrong server key", "no CURVE", "stolen routing id"])
def test_a_stranger_is_kept_out_and_counted_while_the_good_peer_is_answered(centre, place, name):
    with GoodPeer(centre):
        ATTACKS[name].round(place)
