"""What a PromQL expression names: metrics, and for each the labels that it must have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTIONS = {
    *("avg_over_time", "clamp_max", "clamp_min", "delta", "exp", "histogram_quantile", "increase", "ln"),
    *("predict_linear", "rate", "round", "sort", "avg", "count", "max", "min", "sum", "topk"),
}
WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset"}
LISTS = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)\s*(?:\{(?P<matchers>[^}]*)\})?")
MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
RANGE = re.compile(r"\[[^\]]*\]")
NUMBER = re.compile(r'("(?:[^"\\]|\\.)*")|(?<![\w:])\d[\d.]*(?:e[+-]?\d+)?\b')  # or a text, in which digits stay


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric, and what its labels must be: label, operator, value."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]

    def fits(self, labels: dict[str, str]) -> bool:
        """Say whether a series with these labels is meant."""
        tests = {
            "=": lambda value, wanted: value == wanted,
            "!=": lambda value, wanted: value != wanted,
            "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
            "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
        }
        return all(tests[operator](labels.get(label, ""), value) for label, operator, value in self.matchers)


def grouped_labels(expression: str) -> set[str]:
    """Give the labels by which an expression groups or matches."""
    return {label for _, names in LISTS.findall(expression) for label in re.findall(r"\w+", names)}


def selectors(expression: str) -> Iterator[Selector]:
    """Give each metric an expression reads.  Raises: ValueError: a word is none of those known here."""
    bare = NUMBER.sub(lambda found: found[1] or "0", RANGE.sub("", LISTS.sub(" ", expression)))
    for found in SELECTOR.finditer(bare):
        name, matchers, rest = found["name"], found["matchers"], bare[found.end() :].lstrip()
        if matchers is None and rest.startswith("("):
            if name not in FUNCTIONS:
                raise ValueError(f"{name} is no function known here")
            continue
        if name in WORDS:
            continue
        parsed = tuple(MATCHER.findall(matchers or ""))
        if matchers and MATCHER.sub("", matchers).strip():
            raise ValueError(f"{{{matchers}}} cannot be read")
        yield Selector(name, parsed)
