"""Mutants: each planted bug breaks a law within a few seeds, and is gone afterwards."""

from __future__ import annotations

import pytest

from controller.core.cards import MOVES
from controller.core.foreman import HANDLERS
from controller.ledger.inbox import StoreChunk
from controller.ledger.ways import WAYS
from sims.storm.mutants import MUTANTS, hunt, planted
from sims.storm.seed import run_seed

SEEDS = 60  # the command's table allows a thousand
FROM = {"dispatched_twice": 45, "forgotten_given_again": 11, "purge_keeps_a_key": 8}  # where one is killed soon


def test_there_are_at_least_twenty_mutants():
    assert len(MUTANTS) >= 20
    assert all(mutant.what and mutant.patches for mutant in MUTANTS.values())


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_mutant_is_killed(name):
    first = FROM.get(name, 0)
    killed = hunt(name, range(first, first + SEEDS))
    assert killed.law, f"{name} lives: {MUTANTS[name].what}"


def test_a_mutant_is_gone_when_its_hunt_is_over():
    handlers, moves, ways, apply = dict(HANDLERS), dict(MOVES), dict(WAYS), StoreChunk.apply
    before = run_seed(2)
    for name in MUTANTS:
        with planted(name):
            pass
    assert (handlers, moves, ways) == (HANDLERS, MOVES, WAYS)
    assert StoreChunk.apply is apply
    assert run_seed(2).head == before.head
    assert before.law == ""


def test_a_hunt_without_a_kill_says_so():
    killed = hunt("forgotten_given_again", range(0))
    assert (killed.law, killed.seed) == ("", -1)
