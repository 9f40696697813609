"""What was promised, what was answered and whether it held: collected, shown to people, given to programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: the page's words, what follows from them for what was sent, what came, and whether it fits."""

    scenario: str
    promise: str
    expected: str
    answered: str
    held: bool


@dataclass(slots=True)
class Report:
    """All expectations of a run, in order.  `untried`: scenario -> why it could not be tried."""

    endpoint: str
    seed: int
    expectations: list[Expectation] = field(default_factory=list)
    untried: dict[str, str] = field(default_factory=dict)
    scenario: str = ""

    def expect(self, promise: str, expected: str, answered: object, *, held: bool) -> bool:
        """Note one expectation of the scenario under way; give whether it held."""
        shown = str(answered)[:SHOWN_CHARACTERS]
        self.expectations.append(Expectation(self.scenario, promise, expected, shown, held))
        return held

    def expect_equal(self, promise: str, expected: object, answered: object, about: str = "") -> bool:
        """Note that two things should be the same."""
        wanted = f"{about}: {expected}" if about else str(expected)
        return self.expect(promise, wanted[:SHOWN_CHARACTERS], answered, held=expected == answered)

    @property
    def failed(self) -> list[Expectation]:
        """Give the expectations that did not hold."""
        return [one for one in self.expectations if not one.held]

    def as_json(self) -> dict[str, Any]:
        """Give the whole as an object for JSON."""
        return {
            "endpoint": self.endpoint,
            "seed": self.seed,
            "scenarios": len({one.scenario for one in self.expectations}),
            "expectations": len(self.expectations),
            "passed": len(self.expectations) - len(self.failed),
            "failed": len(self.failed),
            "untried": self.untried,
            "items": [asdict(one) for one in self.expectations],
        }


def show(report: Report, console: Console) -> None:
    """Print each expectation under its scenario, then the sums."""
    scenario = ""
    for one in report.expectations:
        if one.scenario != scenario:
            scenario = one.scenario
            console.print(Text(scenario, "bold"))
        mark, colour = ("pass", "green") if one.held else ("FAIL", "red")
        console.print(Text.assemble("  ", (mark, colour), "  ", one.promise), soft_wrap=True)
        console.print(Text(f"        expected  {one.expected}"), soft_wrap=True)
        console.print(Text(f"        answered  {one.answered}"), soft_wrap=True)
    for name, why in report.untried.items():
        console.print(Text(f"{name}: not tried: {why}", "yellow"), soft_wrap=True)
    sums = report.as_json()
    console.print(f"{sums['expectations']} expectations of {sums['scenarios']} scenarios: {sums['failed']} failed")
    if report.failed:
        console.print(f"Repeat with --seed {report.seed}.")


def brief(answer: Mapping[str, Any]) -> str:
    """Say an answer in a few words: its type and what tells it apart; no field of an application."""
    told = ("code", "field", "state", "first", "count", "upto", "retry_after_s")
    words = [str(answer.get("type", "nothing"))]
    words += [f"{name} {answer[name]}" for name in told if answer.get(name) not in (None, "")]
    if answer.get("missing"):
        words.append(f"missing {answer['missing']}")
    if answer.get("codes"):
        words.append(f"codes {answer['codes']}")
    if answer.get("index", -1) != -1:
        words.append(f"index {answer['index']}")
    if "items" in answer:
        words.append(f"{len(answer['items'])} items")
    return " ".join(words)
