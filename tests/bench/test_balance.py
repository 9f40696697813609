"""`python -m bench balance`: its table and JSON, its bound, and that its peer is the same line and no weaker one."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace

import numpy as np
import pytest
import simpy

from bench import balance, balance_runs
from bench.__main__ import main
from bench.balance_bound import LINE, Flow, _through, bound, capacities, lying_before, up_s
from bench.balance_peer import PeerLine, Rule
from bench.balance_runs import FAR_S, FIRST_COME, FLOORS, Hours, NoWatch, Scene, allowances, disagreement_percent
from controller.core.settings import CoreConfig
from devices.defects import Step
from sims.faults import NO_FAULTS, USUAL_FAULTS
from sims.floor import DEFAULT_FLOOR
from sims.heap_batches import Batches, steady
from sims.heap_floor import HeapFloor
from sims.heap_machine import Down, HeapMachine
from sims.heap_matter import Matter

KEYS = {
    "saturated": {"throughput_over_bound"},
    "load85": {
        "lead_p95_over_best_remakes_last",
        "lead_p50_over_best_remakes_first",
        "lead_p95_over_best_remakes_first",
        "tardiness_over_best_remakes_first",
        "throughput_over_best_remakes_first",
    },
    "imposition": {"empty_positions_percent", "sort_moves_over_fcfs"},
}
HOURS = Hours(warm_up=1.0, horizon=2.0, tail=1.0)


def scene_at(cards_per_hour: float, seed: int = 3, name: str = "default") -> Scene:
    until_s = HOURS.window_s[1] + HOURS.tail * 3_600.0
    arrivals = tuple(replace(one, due_floor_s=FAR_S) for one in steady(seed, cards_per_hour, until_s))
    return Scene(seed=seed, floor=FLOORS[name], hours=HOURS, config=CoreConfig(), arrivals=arrivals)


@pytest.fixture(scope="module")
def scene():
    return scene_at(2_700.0)


@pytest.fixture(scope="module")
def peers(scene):
    rules = [Rule(shortest_queue=queue, remakes_first=first) for first in (True, False) for queue in (False, True)]
    return {rule: balance_runs.peer(scene, rule) for rule in rules}


# ---- the figures ----------------------------------------------------------------------------------------------


def figures_of(seed: int, late_percent: float = 15.0) -> dict[str, float]:
    return {
        **{f"{top}.{key}": 1.0 + seed / 100 for top, keys in KEYS.items() for key in keys},
        "agreement_fcfs_percent": 0.5,
        "decision_us": 20.0,
        "load85.best_peer_tardiness_h": 0.1,
        "load85.best_peer_late_percent": late_percent,
    }


def test_the_json_has_every_key_its_spread_and_what_the_runs_were_taken_under(tmp_path, monkeypatch):
    monkeypatch.setattr(balance, "study", lambda name, seed, hours: figures_of(seed))
    monkeypatch.setattr(balance, "packed_at_h", lambda seed: 15.0 + seed)
    path = tmp_path / "balance.json"
    assert main(["balance", "--seeds", "3", "--days", "2", "--processes", "1", "--json", str(path)]) == 0
    written = json.loads(path.read_text(encoding="utf-8"))
    for tree in (written, written["spread"]):
        assert {"agreement_fcfs_percent", "decision_us"} < set(tree)
        for top, keys in KEYS.items():
            assert keys <= set(tree[top])
    assert written["saturated"]["throughput_over_bound"] == pytest.approx(1.02)
    assert written["spread"]["imposition"]["sort_moves_over_fcfs"] == pytest.approx(0.01)
    assert (written["seeds"], written["warm_up_h"], written["horizon_h"]) == (3, 6.0, 30.0)
    assert written["wip_limit"] == {"films": CoreConfig().plan.films_max, "sheets": CoreConfig().plan.sheets_max}
    assert (written["floor_day"]["in_time"], written["floor_day"]["days"]) == (1, 2)
    assert set(written["by_floor"]) == {"default", "early", "late"}


@pytest.mark.parametrize("late_percent", [3.0, 27.0])
def test_a_run_whose_peer_is_late_too_seldom_or_too_often_says_nothing(monkeypatch, capsys, late_percent):
    monkeypatch.setattr(balance, "study", lambda name, seed, hours: figures_of(seed, late_percent))
    assert main(["balance", "--seeds", "2", "--days", "0", "--processes", "1"]) == 1
    assert "runs whose best peer was not late as it should be: 6" in capsys.readouterr().out


def test_the_worst_floor_counts_whichever_way_a_figure_is_better():
    runs = {name: [figures_of(seed), figures_of(seed)] for name, seed in (("default", 1), ("early", 9), ("late", 5))}
    result = balance.result_of(runs, HOURS, [])
    assert result["saturated"]["throughput_over_bound"] == pytest.approx(1.01)
    assert result["load85"]["throughput_over_best_remakes_first"] == pytest.approx(1.01)
    assert result["load85"]["lead_p95_over_best_remakes_first"] == pytest.approx(1.09)
    assert result["imposition"]["empty_positions_percent"] == pytest.approx(1.09)


@pytest.mark.parametrize(("name", "steps"), [("early", "print laminate write"), ("late", "write inspect pack")])
def test_on_two_floors_the_three_steps_with_the_least_capacity_lie_within_five_percent(name, steps):
    cards_per_hour = dict.fromkeys(LINE, 0.0)
    for spec in FLOORS[name]:
        cards = 1 if spec.step is Step.PACK else 8
        cards_per_hour[spec.step] += cards * spec.load_max / spec.cycle_s(spec.load_max) * 3_600.0
    least = sorted(LINE, key=lambda step: cards_per_hour[step])[:3]
    assert {step.value for step in least} <= set(steps.split()) | {"laminate"}
    assert cards_per_hour[least[2]] <= 1.05 * cards_per_hour[least[0]]


# ---- the bound ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(FLOORS))
def test_nothing_is_packed_that_the_bound_forbids_and_little_that_it_allows_is_left(name):
    filled = Hours(warm_up=3.0, horizon=3.0, tail=0.0)  # an empty line packs little in its first hours
    packed, most = balance_runs.saturated(Scene(seed=4, floor=FLOORS[name], hours=filled, config=CoreConfig()))
    assert 0.85 * most < packed <= most


def test_the_bound_is_the_answer_of_the_program_worked_out_minute_by_minute():
    random = np.random.default_rng(1)
    gained, come = random.integers(0, 9, 200), np.cumsum(random.integers(0, 9, 200))
    passed, expected = 0.0, []
    for minute in range(200):
        passed = min(passed + gained[minute], float(come[minute]))
        expected.append(passed)
    # the closed form begins at nothing passed, before the first minute
    closed = _through(np.concatenate([[0.0], np.cumsum(gained)]), np.concatenate([[0.0], come]))
    assert closed[1:] == pytest.approx(expected)


def test_only_the_times_a_machine_was_down_are_an_excuse():
    machine = HeapMachine(DEFAULT_FLOOR[0], Matter(1, NO_FAULTS))
    machine.downs = [Down(50.0, 150.0), Down(300.0, 310.0), Down(590.0, 700.0)]
    assert up_s(machine, 100.0, np.array([100.0, 120.0, 400.0, 600.0])) == pytest.approx([0.0, 0.0, 240.0, 430.0])


def test_a_line_that_gets_no_work_has_the_same_capacity_and_a_part_of_the_throughput():
    flow = Flow(3_600.0, 3 * 3_600.0)
    line = HeapFloor(3, watch=[flow.saw])
    batches = Batches(3)
    for hour in range(4):
        line.submit(batches.next(hour * 3_600.0, FAR_S, 800))
    line.run(3_600.0)
    lying = lying_before(line.foreman.state)
    line.run(5 * 3_600.0)
    most = bound(line.machines.values(), flow, lying)
    assert flow.packed < 0.6 * most
    assert most <= min(capacities(line.machines.values(), flow).values()) + sum(lying.values())


# ---- the peer -------------------------------------------------------------------------------------------------


def test_our_own_first_come_first_served_agrees_with_the_peers(scene, peers):
    mine, _ = balance_runs.ours(scene, NoWatch())
    assert disagreement_percent(mine, peers[FIRST_COME]) <= 2.0
    assert len(mine.lead_h()) >= 4


def test_the_peer_packs_every_card_that_came_whatever_its_rule(scene, peers):
    for rule, outcome in peers.items():
        assert set(outcome.finished_s) == set(range(1, len(scene.arrivals) + 1)), rule


def test_remakes_first_is_the_better_peer_and_first_come_no_worse_than_the_shortest_queue(peers):
    p95 = {rule: outcome.lead_quantile_h(0.95) for rule, outcome in peers.items()}
    for queue in (False, True):
        assert p95[Rule(shortest_queue=queue)] < p95[Rule(shortest_queue=queue, remakes_first=False)]
    assert p95[FIRST_COME] <= p95[Rule(shortest_queue=True)]


@pytest.mark.parametrize("shortest_queue", [False, True])
def test_no_machine_of_the_peer_rests_while_work_waits_for_it(shortest_queue):
    arrivals = scene_at(3_000.0, seed=6).arrivals[:12]
    line = PeerLine(6, DEFAULT_FLOOR, USUAL_FAULTS, CoreConfig(), Rule(shortest_queue=shortest_queue))
    line.run(arrivals)
    instants = 0
    while line.env.peek() != simpy.core.Infinity:
        if line.env.peek() > line.env.now:  # all that happens at this instant has happened
            instants += 1
            for step in (Step.PUNCH, Step.WRITE, Step.INSPECT):
                assert not any(one.idle and one.queue for one in line._machines[step]), step
            assert not (line._closed and any(one.idle for one in line._machines[Step.PACK]))
            presses = [one for one in line._machines[Step.LAMINATE] if one.idle]
            assert not any(len(one.queue) >= one.spec.load_max for one in presses)
        line.env.step()
    assert instants > 3_000


def test_due_dates_are_drawn_so_that_one_batch_in_seven_of_the_best_peer_is_late(scene, peers):
    first = [outcome for rule, outcome in peers.items() if rule.remakes_first]
    allowed_h = allowances(first)
    tardy_h = balance_runs.best_of(first, allowed_h).tardy_h(allowed_h)
    assert 0.05 <= statistics.fmean(one > 0 for one in tardy_h) <= 0.25
    assert statistics.fmean(tardy_h) > 0


def test_a_floor_that_is_not_known_is_one_sentence(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["balance", "--floors", "attic"])
    assert ended.value.code == 2
    assert "attic" in capsys.readouterr().err
