"""A storm's record, through all its crashes, decided anew: the same moves and the same digest."""

from __future__ import annotations

import pytest

from controller.replay.replay import replay_ledger
from sims.storm.life import CONFIG
from sims.storm.purge import PURGED_AT
from sims.storm.seed import outcome_of
from sims.storm.storm import Storm

SEEDS = (3, PURGED_AT, 10)  # each crashes; one ends with a purge


@pytest.mark.parametrize("seed", SEEDS)
def test_the_record_of_a_storm_replayed_has_its_digest(seed):
    storm = Storm(seed)
    outcome = outcome_of(storm)
    found = replay_ledger(storm.engine, CONFIG)
    storm.close()
    assert outcome.law == ""
    assert outcome.crashes > 0
    assert found.is_equal, found.difference
    assert (found.head.hash.hex(), found.moves) == (outcome.head, found.head.seq)
    assert found.runs > 1
    assert (found.purged > 0) == (seed == PURGED_AT)
