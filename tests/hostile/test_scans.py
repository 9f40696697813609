"""Complaint 16: random bytes and port scans on every socket, no restart, one counter."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.hostile_attacks import ATTACKS
from tests.hostile.good_peer import GoodPeer


@pytest.mark.parametrize("name", ["scans and random bytes", "lying station"])
def test_a_scan_of_every_socket_restarts_nothing_and_is_counted(centre, place, name):
    with GoodPeer(centre):
        ATTACKS[name].round(place)


def test_every_attack_of_the_bench_is_a_row_of_some_file():
    text = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in ATTACKS if f'"{name}"' not in text] == []
