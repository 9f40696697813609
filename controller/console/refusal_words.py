"""What a refusal says to a reader: the sentence of its code in their language, with the facts of this one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from controller.console.words import Say


class _Fact(NamedTuple):
    """A part of the service's sentence that changes, and the words for it; its groups fill them."""

    pattern: re.Pattern[str]
    key: str


NUMBER = r"([0-9,]+)"
# numbers, names and choices stand in the service's sentence alone, so they are read there; each kind one after another
FACTS: Mapping[str, tuple[_Fact, ...]] = {
    "shift.differs": (
        _Fact(
            re.compile(rf"(\S+) was counted {NUMBER} and should be {NUMBER}(?: \(([0-9, -]+)[^)]*\))?"),
            "refusal_fact.differs",
        ),
    ),
    "shift.not_counted": (_Fact(re.compile(r"began: ([^;]+);"), "refusal_fact.as_named"),),
    "dispatch.exit_check": (
        _Fact(re.compile(r"missing ([0-9, ]+)"), "refusal_fact.missing"),
        _Fact(re.compile(r"twice ([0-9, ]+)"), "refusal_fact.twice"),
        _Fact(re.compile(r"foreign ([0-9, ]+)"), "refusal_fact.foreign"),
    ),
    "purge.too_early": (_Fact(re.compile(r"days=([0-9]+)"), "refusal_fact.as_named"),),
    "restored.suspects": (_Fact(re.compile(r"([0-9]+) sheets"), "refusal_fact.as_named"),),
    "restored.open_jobs": (_Fact(re.compile(r"([0-9]+) jobs"), "refusal_fact.as_named"),),
}
PLACES = ("vault", "spoiled")  # those of stock that are no station's


def refused_in(say: Say, code: str, text: str) -> str:
    """Give why something was refused; the service's own sentence where the code has no words or the facts are not read.

    A code without facts has one fixed sentence.
    """
    try:
        if code not in FACTS:
            return say(f"refusal.{code}")
        found = [
            say(fact.key, *(_named(say, one or "–") for one in match.groups()))
            for fact in FACTS[code]
            for match in fact.pattern.finditer(text)
        ]
        return say(f"refusal.{code}", say("refusal_fact.between").join(found)) if found else text
    except KeyError:
        return text


def _named(say: Say, fact: str) -> str:
    """Give a fact with the names of places in the reader's words."""
    parts = [part.strip() for part in fact.split(", ")]
    return ", ".join(say(f"place.{part}") if part in PLACES else part for part in parts if part)
