"""`python -m bench year`: the plain model packs every card, and the short form writes every figure."""

from __future__ import annotations

import json

from bench.__main__ import main
from bench.year_line import PlainLine
from sims.faults import NO_FAULTS, USUAL_FAULTS
from sims.floor import DEFAULT_FLOOR


def test_the_plain_model_packs_every_card_in_whole_sheets_and_spoils_what_is_to_be_spoiled():
    flawless = PlainLine(1, DEFAULT_FLOOR, NO_FAULTS)
    flawless.run([(0.0, 200), (3_600.0, 44)])
    assert flawless.packed == 244
    assert flawless.sheets == 25 + 6
    usual = PlainLine(1, DEFAULT_FLOOR, USUAL_FAULTS)
    usual.run([(0.0, 4_000)])
    assert usual.packed == 4_000
    assert usual.sheets > 500


def test_the_plain_models_presses_take_full_loads_and_do_not_wait_for_ever():
    line = PlainLine(1, DEFAULT_FLOOR, NO_FAULTS)
    line.run([(0.0, 8)])
    assert line.packed == 8
    assert line.env.now < 2 * 3_600.0


def test_the_short_form_writes_every_figure(tmp_path):
    path = tmp_path / "year.json"
    assert main(["year", "--cards", "150", "--json", str(path), "--folder", str(tmp_path)]) == 0
    found = json.loads(path.read_text("utf-8"))
    assert found["cards"] >= 150
    assert found["violations"] == 0
    assert found["core_sheets_per_s"] > 0
    assert found["simpy_sheets_per_s"] > 0
    assert found["simpy_wall_s"] > 0
    assert {"made", "remade", "spoiled", "lead_p95_days", "rss_peak_mib", "digest", "moves", "wall_s"} <= set(found)
