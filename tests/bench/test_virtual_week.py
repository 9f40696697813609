"""`python -m bench virtual-week`: what it says, in a short form, and when it fails."""

import json
from dataclasses import replace

from bench import virtual_week
from bench.__main__ import main
from controller.core.settings import CoreConfig
from controller.ledger.chain import GENESIS
from sims.virtual_week import Sample, on_heap


def test_the_short_form_finds_one_digest_and_writes_its_figures(tmp_path):
    path = tmp_path / "week.json"
    assert main(["virtual-week", "--cards-per-hour", "20", "--days", "1", "--json", str(path)]) == 0
    found = json.loads(path.read_text("utf-8"))
    [week] = found["weeks"]
    assert found["is_equal"] is True
    assert (len(week["digest"]), week["violations"]) == (64, 0)
    assert week["moves"] > 100
    assert week["wake_ups"] > 100


def test_another_digest_or_an_impossible_load_is_no_equal_week():
    sample = Sample(seed=1, cards_per_hour=900.0, until_floor_s=6_000.0, config=CoreConfig())
    one, same = on_heap(sample), on_heap(sample)
    assert virtual_week.week_of(1, one, same)["is_equal"]
    assert not virtual_week.week_of(1, one, on_heap(replace(sample, seed=2)))["is_equal"]
    one.violations["printed_again"] += 1
    found = virtual_week.week_of(1, one, same)
    assert not found["is_equal"]
    assert virtual_week.row_of(found)[-1] == "DIFFERS"
    assert one.head != GENESIS
