"""`cardmill forecast` and `cardmill whatif`: what they ask, and what people read, line by line."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from controller import cli
from controller.commandline import options
from controller.commandline.whatif import gain_text

DAY_S = 86_400.0
MADE = {"at_floor_s": 1_000 * DAY_S, "seq": 12_345, "runs": 200, "asked_runs": 200, "took_s": 3.21}
FINISH = {
    "batch_id": 1,
    "batch_number": "5201020012026030200000001",
    "unit": "",
    "due_floor_s": 1_001 * DAY_S,
    "p50_floor_s": 1_000.25 * DAY_S,
    "p90_floor_s": None,
    "late_percent": 12.5,
    "finished_percent": 88.0,
    "waiting": {"held": 3, "override": 1},
    "others_p50_floor_s": 1_000.1 * DAY_S,
    "others_p90_floor_s": 1_000.2 * DAY_S,
}
FORECAST = {
    "sentence_en": "Film of p1 runs out first, on 1972-10-01: 5 sheets are left, 100.0 a day are used up.",
    "sentence_zh": "p1 的印刷膜将最先于 1972-10-01 用完。",
    "inputs": [{"name": "film", "station": "p1", "unit": "sheets", "left": 5, "per_day": 100.0, "ends_floor_s": 1.0}],
    "ticket": 3,
    "running": False,
    "done_runs": 200,
    "of_runs": 200,
    "made": MADE,
    "batches": [FINISH],
    "units": [FINISH | {"unit": "520102001", "p90_floor_s": 1_000.5 * DAY_S}],
    "starving": [
        {
            "what": "film",
            "where": "p1",
            "first_share": 0.9,
            "ran_out_share": 1.0,
            "p10_floor_s": 0.0,
            "p50_floor_s": 6e4,
        }
    ],
    "people": [
        {
            "what": "held",
            "waiting": 3,
            "seen": 9,
            "p50_s": 7_200.0,
            "p90_s": 3e4,
            "findings": {"refuse": 2, "release": 7},
        },
        {"what": "override", "waiting": 1, "seen": 0, "p50_s": 7_200.0, "p90_s": 3e4, "findings": {}},
    ],
    "pace": {"per_day": 17_500.4, "low": 16_900.0, "high": 18_200.0},
    "calibration": {"scored": 12, "p50_held_percent": 50.0, "p90_held_percent": 91.7, "waiting": 3},
}
FORECAST_READ = """\
Film of p1 runs out first, on 1972-10-01: 5 sheets are left, 100.0 a day are used up.
p1 的印刷膜将最先于 1972-10-01 用完。

Inputs
 input  station  left      a day  until        days
────────────────────────────────────────────────────
 film   p1       5 sheets  100.0  01-01 00:00  0.1

forecast of 1972-09-27 00:00:00
200 runs of the floor after move 12,345, made in 3.2 s
pace: 17,500 cards a day, 16,900 to 18,200 in 8 of 10 runs

Batches
 batch                      due          P50          P90     late %
─────────────────────────────────────────────────────────────────────
 5201020012026030200000001  09-28 00:00  09-27 06:00  beyond  12

Cards that wait for people
 batch                      cards               others P50   others P90
────────────────────────────────────────────────────────────────────────
 5201020012026030200000001  3 held, 1 override  09-27 02:24  09-27 04:48

How long people take
 what      waiting  P50    P90    rests on            decided
───────────────────────────────────────────────────────────────────────────
 held      3        2.0 h  8.3 h  9 seen              release 7, refuse 2
 override  1        2.0 h  8.3 h  a guess: none seen

Police stations
 police station  due          P50          P90          late %
───────────────────────────────────────────────────────────────
 520102001       09-28 00:00  09-27 06:00  09-27 12:00  12

Runs out in the runs
 input  where  first %  runs out %  P50
─────────────────────────────────────────────────
 film   p1     90       100         01-01 16:40

record: of 12 finished batches P90 held for 91.7 %, P50 for 50.0 %
"""


class Office:
    """Answers a verb with some answers in turn, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def command(self, verb, /, **args):
        self.asked.append((verb, args))
        return self.answers.pop(0)


def run(monkeypatch, office, *words, columns=100):
    @contextmanager
    def line(*_):
        yield office

    monkeypatch.setattr(options, "line", line)
    monkeypatch.setenv("COLUMNS", str(columns))
    done = CliRunner().invoke(cli.app, [*map(str, words), "--as", "ann"])
    assert done.exit_code == 0, done.output
    return done


def read(text):
    """What people read: rules of tables may be of any length."""
    return [line.strip().strip("─") for line in text.strip().splitlines()]


def test_a_forecast_of_a_batch_is_read_line_by_line(monkeypatch):
    office = Office(FORECAST)
    done = run(monkeypatch, office, "forecast", FINISH["batch_number"])
    assert read(done.stdout) == read(FORECAST_READ)
    assert office.asked == [("forecast", {"batch": FINISH["batch_number"], "runs": 200})]


def test_it_fits_a_narrow_terminal(monkeypatch):
    narrow = FORECAST | {"sentence_en": "Film runs out first.", "starving": FORECAST["starving"] * 3}
    shown = run(monkeypatch, Office(narrow), "forecast", columns=80).stdout
    assert "520102001" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_while_it_runs_it_is_asked_for_by_its_ticket_and_for_the_same_batch(monkeypatch):
    running = FORECAST | {"running": True, "done_runs": 10}
    office = Office(running, running, FORECAST)
    run(monkeypatch, office, "forecast", "52", "--runs", 300)
    again = ("forecast", {"ticket": 3, "batch": "52"})
    assert office.asked == [("forecast", {"batch": "52", "runs": 300}), again, again]


def test_the_latest_one_is_shown_without_making_another(monkeypatch):
    office = Office(FORECAST)
    run(monkeypatch, office, "forecast", "--latest")
    assert office.asked == [("forecast", {})]


@pytest.mark.parametrize(
    ("more", "said"), [({}, "no forecast was made yet"), ({"nothing_open": True}, "no card is to be made")]
)
def test_without_a_forecast_the_inputs_and_the_record_are_shown_all_the_same(monkeypatch, more, said):
    held = {"scored": 0, "p50_held_percent": None, "p90_held_percent": None, "waiting": 4}
    none = FORECAST | {"made": None, "batches": [], "units": [], "calibration": held} | more
    shown = run(monkeypatch, Office(none), "forecast").stdout
    assert said in shown
    assert "film" in shown
    assert "no batch with a forecast is finished yet; 4 are open" in shown


def test_all_of_it_is_there_for_programs(monkeypatch):
    assert json.loads(run(monkeypatch, Office(FORECAST), "forecast", "--json", "-").stdout) == FORECAST


def test_what_is_shown_of_many_batches_has_a_bound_and_says_so(monkeypatch):
    many = FORECAST | {"batches": [FINISH] * 45, "units": [FORECAST["units"][0]] * 23}
    shown = run(monkeypatch, Office(many), "forecast").stdout
    assert "and 5 more: they are in --json" in shown
    assert "and 3 more: they are in --json" in shown


# ---- what if ------------------------------------------------------------------------------------------------------


def gain(mean, error):
    return {"mean": mean, "error": error, "pairs": 200}


WHATIF = {
    "ticket": 4,
    "running": False,
    "done_runs": 200,
    "of_runs": 200,
    "made": MADE | {"runs": 150},
    "difference": {
        "cards": gain(120.4, 15.2),
        "cards_per_day": gain(960.0, 120.0),
        "hours": gain(-0.2, 0.5),
        "last_hours": gain(-1.5, 0.4),
        "horizon_floor_s": 1_000.5 * DAY_S,
        "batches": [{"batch_id": 1, "batch_number": FINISH["batch_number"], "hours": gain(-1.5, 0.4)}],
    },
    "sensitivity": [],
}


def test_a_what_if_says_what_was_typed_and_shows_each_difference_with_its_error(monkeypatch):
    office = Office(WHATIF)
    words = ("--station", "p1=down", "--from", "08:00", "--add", "printer=1", "--add", "press=2", "--shift", 3)
    shown = run(monkeypatch, office, "whatif", *words).stdout
    args = {"runs": 200, "stations": ["p1=down"], "added": ["printer=1", "press=2"], "shifts": 3}
    assert office.asked == [("whatif", args | {"from": "08:00", "until": "", "sensitivity": False})]
    for told in (
        "what if, at 1972-09-27 00:00:00\n150 of 200 runs of the floor after move 12,345",
        "The change brings, until 1972-09-27 12:00",
        "+120 ± 15",
        "-0.2 ± 0.5 h (not told from none)",
        "-1.5 ± 0.4 h",
        FINISH["batch_number"],
    ):
        assert told in shown


def test_a_difference_that_rounds_to_nothing_has_no_minus():
    assert gain_text(gain(-0.04, 0.01), "h") == "+0.0 ± 0.0 h"
    assert gain_text(gain(-0.4, 0.6), "", 0) == "+0 ± 1 (not told from none)"


def test_the_sensitivity_is_a_row_for_each_step_in_the_order_it_came(monkeypatch):
    rows = [
        {"step": step, "cards_per_day": gain(mean, 10.0), "hours": gain(-0.5, 0.1), "busy_share": 0.93}
        for step, mean in (("print", 900.0), ("punch", 0.0))
    ]
    office = Office(WHATIF | {"difference": None, "sensitivity": rows})
    shown = run(monkeypatch, office, "whatif", "--sensitivity").stdout
    assert office.asked[0][1]["sensitivity"] is True
    assert shown.index("print") < shown.index("punch")
    assert "+900 ± 10" in shown
    assert "93" in shown


@pytest.mark.parametrize("words", [("--runs", "10"), ("--runs", "5000")])
def test_a_number_of_runs_that_says_nothing_is_refused_before_it_is_asked(words):
    done = CliRunner().invoke(cli.app, ["forecast", *words, "--as", "ann"])
    assert done.exit_code == 2
