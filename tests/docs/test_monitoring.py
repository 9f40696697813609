"""The shipped rules and dashboard read metrics that exist, with labels they have, and promtool takes all of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import typer
import yaml

from controller import cli
from controller.metrics import LABELS
from tests.controller.measured import large_floor, series
from tests.docs.promql import Selector, grouped_labels, selectors

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus"
RULE_FILES = ("recording.yml", "alerts.yml")
RULE_TESTS = sorted(one.name for one in (RULES / "tests").glob("*_test.yml"))
DASHBOARD = DEPLOY / "grafana" / "cardmill.json"
OF_PROMETHEUS = {"up": ("instance", "job"), "ALERTS": ("alertname", "alertstate", "severity", "instance", "job")}
TARGET = {"instance", "job"}  # labels that Prometheus gives every series
GRAFANA_S = {"$__rate_interval": "5m", "$instance": "127.0.0.1:9464", "$step": ".*"}
TOPICS = ("Floor", "Yield", "OEE", "Stock", "Latency", "Alarms")
NO_PROMTOOL = (
    "PROMTOOL IS MISSING: the rules were not checked by Prometheus itself (`make promtool`, or Debian's `prometheus`)"
)


def rules(name: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((RULES / name).read_text("utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return json.loads(DASHBOARD.read_text("utf-8"))["panels"]


def interpolated(expression: str) -> str:
    for name, value in GRAFANA_S.items():
        expression = expression.replace(name, value)
    return expression


def expressions() -> Iterator[tuple[str, str]]:
    """Everything that is asked of Prometheus, with where it stands."""
    for name in RULE_FILES:
        yield from ((f"{name} {rule.get('record') or rule['alert']}", rule["expr"]) for rule in rules(name))
    for panel in panels():
        yield from ((f"panel {panel['title']}", interpolated(one["expr"])) for one in panel.get("targets", ()))


def labels_of(name: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', name))


@pytest.fixture(scope="module")
def shown() -> dict[str, list[dict[str, str]]]:
    """The labels of every series of a whole page, by name."""
    found: dict[str, list[dict[str, str]]] = {}
    for name in series(large_floor().text().decode()):
        found.setdefault(name.partition("{")[0], []).append(labels_of(name))
    return found


@pytest.fixture(scope="module")
def promtool() -> str:
    path = which("promtool") or which("promtool", path=str(Path(sys.executable).parent))
    if path is None:
        sys.stderr.write(f"\n{NO_PROMTOOL}\n")
        pytest.skip(NO_PROMTOOL)
    return path


RECORDED = {rule["record"]: rule["expr"] for rule in rules("recording.yml")}


# ---- our own reader -----------------------------------------------------------------------------------------------


def test_an_expression_is_read_to_the_metrics_it_names():
    text = 'clamp_max(1 - rate(a_total{x="1",y=~"b|c"}[8h]) / on (x) group_left () (b:c:d1h > 1e-9), 1)'
    text += " and ignoring (z) up"
    assert list(selectors(text)) == [
        Selector("a_total", (("x", "=", "1"), ("y", "=~", "b|c"))),
        Selector("b:c:d1h", ()),
        Selector("up", ()),
    ]
    assert grouped_labels(text) == {"x", "z"}


@pytest.mark.parametrize("wrong", ["ratte(a_total[5m])", "a_total{x=1}", "sum by (x) (increese(a[1h]))"])
def test_a_slip_in_an_expression_is_seen(wrong):
    with pytest.raises(ValueError, match=r"."):
        list(selectors(wrong))


# ---- names --------------------------------------------------------------------------------------------------------


def test_every_metric_that_is_asked_for_is_on_the_page_recorded_or_prometheus_own(shown):
    known = {*shown, *RECORDED, *OF_PROMETHEUS}
    asked = {(where, one.name) for where, text in expressions() for one in selectors(text)}
    assert len(asked) > 60
    assert {(where, name) for where, name in asked if name not in known} == set()


def test_every_selector_fits_a_series_of_the_page_and_every_value_it_names_is_there(shown):
    wrong = []
    for where, text in expressions():
        for one in selectors(text):
            if one.name not in shown:
                continue
            own = tuple(row for row in one.matchers if row[0] not in TARGET)
            if not any(Selector(one.name, own).fits(labels) for labels in shown[one.name]):
                wrong.append((where, one))
            for label, _, value in own:
                there = {row.get(label) for row in shown[one.name]}
                wrong += [(where, part) for part in value.split("|") if value != ".*" and part not in there]
    assert wrong == []


def test_labels_by_which_expressions_group_are_ours_or_a_target_s():
    assert {label for _, text in expressions() for label in grouped_labels(text)} <= {*LABELS, *TARGET}


def test_recorded_names_say_metric_and_range_and_alarms_stand_under_one_prefix():
    assert all(re.fullmatch(r"cardmill:[a-z_]+:[a-z0-9_]+", name) for name in RECORDED)
    assert {"first_pass_yield", "rolled_throughput_yield", "station_oee", "made_cards_per_hour"} <= {
        name.split(":")[1] for name in RECORDED
    }
    names = [rule["alert"] for rule in rules("alerts.yml")]
    assert len(set(names)) == len(names) > 15
    assert all(re.fullmatch(r"Cardmill([A-Z][a-z]+)+", name) for name in names)


# ---- alarms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", rules("alerts.yml"), ids=lambda rule: rule["alert"])
def test_an_alarm_says_how_urgent_it_is_what_it_means_and_what_to_do(rule):
    assert rule["labels"]["severity"] in ("page", "ticket")
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description"}
    assert len(notes["description"]) > 40
    assert not notes["summary"].endswith(".")
    named = set(re.findall(r"\$labels\.(\w+)", notes["summary"] + notes["description"]))
    assert named <= {*LABELS, *TARGET}
    command = typer.main.get_command(cli.app)
    verbs = re.findall(r"`cardmill ([\w-]+)", notes["description"])
    assert [verb for verb in verbs if verb not in command.commands] == []


def test_every_alarm_is_played_or_is_a_plain_threshold():
    played = (RULES / "tests" / "alerts_test.yml").read_text("utf-8")
    unplayed = {rule["alert"] for rule in rules("alerts.yml") if rule["alert"] not in played}
    assert unplayed <= {
        *("CardmillDiskFilling", "CardmillStationStopped", "CardmillYieldLow", "CardmillSuspectBlanks"),
        *("CardmillDenied", "CardmillInsecure", "CardmillDoorFlooded"),
    }


# ---- the dashboard ------------------------------------------------------------------------------------------------


def test_the_dashboard_has_a_version_a_variable_for_its_source_and_a_part_for_each_topic():
    board = json.loads(DASHBOARD.read_text("utf-8"))
    assert board["schemaVersion"] >= 36
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert [one["title"] for one in board["panels"] if one["type"] == "row"][: len(TOPICS)] == list(TOPICS)
    assert len({one["id"] for one in board["panels"]}) == len(board["panels"])
    sources = {json.dumps(one["datasource"]) for one in board["panels"] if "datasource" in one}
    assert [json.loads(one)["uid"] for one in sources] == ["${datasource}"]


def test_panels_lie_beside_and_below_each_other_and_never_over_one_another():
    taken: dict[tuple[int, int], str] = {}
    for panel in panels():
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, (panel["title"], taken.get((x, y)))
                taken[x, y] = panel["title"]


def test_complaint_13_what_is_there_now_and_what_the_last_hour_brought_stand_in_one_panel():
    asked = [{one.name for target in panel.get("targets", ()) for one in selectors(interpolated(target["expr"]))}
             for panel in panels()]  # fmt: skip
    assert any({"cardmill_open_cards", "cardmill_last_hour_cards"} <= names for names in asked)


# ---- promtool -----------------------------------------------------------------------------------------------------


def run(*command: str, folder: Path = RULES) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_takes_the_example_of_settings_and_the_rules_that_it_names(promtool):
    said = run(promtool, "check", "config", "prometheus.yml")
    assert "2 rule files found" in said
    assert len(rules("recording.yml")) + len(rules("alerts.yml")) == sum(
        map(int, re.findall(r"(\d+) rules found", said))
    )


@pytest.mark.parametrize("name", RULE_TESTS)
def test_promtool_plays_the_rules_as_wanted(promtool, name):
    assert "SUCCESS" in run(promtool, "test", "rules", name, folder=RULES / "tests")


def test_promtool_finds_a_rule_that_is_played_and_wrong(promtool, tmp_path):
    (tmp_path / "tests").mkdir()
    recording = (RULES / "recording.yml").read_text("utf-8")
    (tmp_path / "recording.yml").write_text(recording.replace("3600 * sum", "60 * sum"), "utf-8")
    (tmp_path / "tests" / "t.yml").write_text((RULES / "tests" / "recording_test.yml").read_text("utf-8"), "utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", "t.yml"], cwd=tmp_path / "tests", capture_output=True, timeout=300
    )
    assert done.returncode != 0


def test_promtool_takes_every_expression_of_the_dashboard(promtool, tmp_path):
    found = [interpolated(one["expr"]) for panel in panels() for one in panel.get("targets", ())]
    rows = [{"record": f"panel:number:{number}", "expr": text} for number, text in enumerate(found)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rows}]}), "utf-8")
    assert f"{len(found)} rules found" in run(promtool, "check", "rules", "panels.yml", folder=tmp_path)


def test_promtool_has_nothing_to_say_against_the_page(promtool):
    page = large_floor().text()
    done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, timeout=300)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
