"""Is every planted fault found, is nothing good stopped, and how fast are the checks?

A file of applications with planted faults goes the way of `cardmill check`; what must be said of each line is known
from the planting alone.  Two smaller files go to centres with the other two policies for shared numbers.  Speed is
taken on a file in which every portrait is another one, in processor time of one thread.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from bench.checks_file import FaultyFile
from bench.checks_lines import Truth
from bench.checks_speed import write_speed_file
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json
from controller.config import CheckConfig, Config
from controller.offline.run import check_jsonl

SHORT_ARGS: list[str] = ["--cards", "2000", "--speed-cards", "300"]
LONG_ARGS: list[str] = ["--cards", "100000", "--speed-cards", "4000"]

TODAY = "20260312"
POLICY_CARDS = 2_000
ROUNDS = 3
LEAST_PER_S = {"no_pixels": 2_000, "pixels": 500}
JUDGED_FROM_CARDS = 1_000  # with fewer the speed is too rough to be judged
COLUMNS = ("kind", "expected", "code", "planted", "found", "missed")
STOPPED = ("hold", "refuse")


def main(argv: Sequence[str]) -> int:
    """Run all and print a row for each kind; exit code 1 when a fault was missed or something good was stopped."""
    options = Options("checks", "Precision and recall on N seeded applications with planted faults, and the speed.")
    options.add_argument("--cards", type=whole_number(200, 1_000_000), default=20_000, help="applications (20,000)")
    options.add_argument("--speed-cards", type=whole_number(50, 100_000), default=2_000, help="to be timed (2,000)")
    options.add_argument("--seed", type=whole_number(0, 10**9), default=1, help="(1)")
    chosen = options.parse_args(argv)
    score = Score()
    for policy, cards in {
        "first_only": chosen.cards,
        "neither": min(chosen.cards, POLICY_CARDS),
        "both": min(chosen.cards, POLICY_CARDS),
    }.items():
        with TemporaryDirectory() as folder:
            print(f"{policy}: {cards:,} applications", file=sys.stderr)
            file = FaultyFile(Path(folder), cards, chosen.seed, policy)
            score.applications += file.write()
            score.judge(file, policy)
    result = (
        score.result() | {"seed": chosen.seed, "timed": chosen.speed_cards} | speeds(chosen.speed_cards, chosen.seed)
    )
    show(f"Checks: {score.applications:,} applications", COLUMNS, score.rows(), chosen.json)
    show("Sum", ("figure", "value"), sums(result), chosen.json)
    return write_json(result, chosen.json) or int(not is_good(result))


class Score:
    """What was planted, what of it was found, and what was said of the good ones."""

    def __init__(self) -> None:
        self.applications = 0
        self.planted: Counter[Truth] = Counter()
        self.found: Counter[Truth] = Counter()
        self.wrong: Counter[str] = Counter()  # sentences on what went wrong, without a person's fields
        self.good = self.good_stopped = self.good_noted = self.lines = 0

    def judge(self, file: FaultyFile, policy: str) -> None:
        """Check a file and compare each answer, as it is written, with the truth."""
        settings = Config(checks=CheckConfig(shared_number=policy))
        with file.path.open("rb") as stream:
            answers = check_jsonl(stream, file.path.parent, settings, TODAY)
            for truth, answer in zip(file.truths, answers, strict=True):
                self.lines += 1
                self._compare(truth, json.loads(answer.line()))

    def _compare(self, truth: Truth, answer: dict[str, Any]) -> None:
        number = answer.get("acceptance_number", answer.get("batch_number"))
        codes = sorted({finding["code"] for finding in answer["findings"]})
        kind = truth._replace(number=None)
        is_right = answer["verdict"] == truth.verdict and truth.number in (None, number)
        if truth.code:
            wanted = {"code": truth.code, "group": truth.group, "field": truth.field}
            is_right = is_right and any(wanted.items() <= finding.items() for finding in answer["findings"])
            self.planted[kind] += 1
            self.found[kind] += is_right
        else:
            self.good += 1
            self.good_stopped += answer["verdict"] in STOPPED
            self.good_noted += answer["verdict"] == "note"
        if not is_right:
            self.wrong[f"{truth.kind}: {answer['verdict']} {codes}"] += 1

    def result(self) -> dict[str, Any]:
        """Give all figures; recall counts code, field, group and verdict, precision what is stopped for nothing."""
        planted, found = self.planted.total(), self.found.total()
        stopped = sum(count for truth, count in self.planted.items() if truth.verdict in STOPPED)
        return {
            "bench": "checks",
            "machine": machine(),
            "applications": self.applications,
            "lines": self.lines,
            "kinds": len({truth.kind for truth in self.planted}),
            "planted": planted,
            "found": found,
            "missed": planted - found,
            "recall": found / planted,
            "good": self.good,
            "false": self.good_stopped,
            "false_notes": self.good_noted,
            "precision": stopped / (stopped + self.good_stopped),
            "wrong": dict(self.wrong.most_common(50)),
            "by_kind": {
                f"{truth.kind}": {"planted": count, "found": self.found[truth]}
                for truth, count in sorted(self.planted.items())
            },
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Give the table's rows."""
        return [
            (
                truth.kind,
                truth.verdict,
                truth.code,
                f"{count:,}",
                f"{self.found[truth]:,}",
                f"{count - self.found[truth]:,}",
            )
            for truth, count in sorted(self.planted.items())
        ]


def speeds(cards: int, seed: int) -> dict[str, Any]:
    """Give applications a second of one core, with and without a look at the pixels."""
    taken: dict[str, list[float]] = {name: [] for name in LEAST_PER_S}
    with TemporaryDirectory() as folder:
        path = write_speed_file(Path(folder), cards, seed)
        for _ in range(ROUNDS):
            for name, rates in taken.items():
                with path.open("rb") as stream:
                    begun_s = process_time()
                    for answer in check_jsonl(stream, path.parent, Config(), TODAY, pixels=name == "pixels"):
                        answer.line()
                    rates.append(cards / (process_time() - begun_s))
    medians = {name: median_and_spread(rates) for name, rates in taken.items()}
    return {name: {"applications_per_s": median} for name, (median, _) in medians.items()} | {
        "spread": {name: {"applications_per_s": width} for name, (_, width) in medians.items()}
    }


def is_good(result: dict[str, Any]) -> bool:
    """Say whether nothing was missed, nothing good was stopped or noted, and the speeds are as wanted."""
    is_fast = all(result[name]["applications_per_s"] >= least for name, least in LEAST_PER_S.items())
    return (is_fast or result["timed"] < JUDGED_FROM_CARDS) and not result["wrong"]


def sums(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the rows of the sums, and of what went wrong."""
    whole = ("kinds", "planted", "missed", "good", "false", "false_notes")
    rows = [(name.replace("_", " "), f"{result[name]:,}") for name in whole]
    rows += [(name, f"{result[name]:.6f}") for name in ("recall", "precision")]
    rows += [
        (f"applications/s, {name.replace('_', ' ')}", f"{result[name]['applications_per_s']:,.0f}")
        for name in LEAST_PER_S
    ]
    return rows + [(f"wrong: {sentence}", f"{count:,}") for sentence, count in result["wrong"].items()]
