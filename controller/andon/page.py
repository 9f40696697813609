"""The page of all alarms for people: `python -m controller.andon.page > docs/alarms.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from controller.andon.words import MEANINGS, SEVERITIES, TO_DO
from controller.core.andon.of_cards import AGEING
from controller.core.andon.rules import LISTED_MAX, RULES, Severity
from controller.core.settings import AndonConfig
from controller.markdown import table

HEAD = """\
# Alarms

Printed by `python -m controller.andon.page` from `controller/core/andon/rules.py` and `controller/andon/words.py`; do
not edit.

What is wrong now is one list, the same everywhere: `cardmill alarms`, the verb `alarms`, the counts in
`cardmill status`, and the metric `cardmill_alarms` by severity and code. Each alarm has a key that stays as long as it
stands, like `station.silent p1`, a cause, an age, what to do, and who takes care of it. The gravest come first, of
those the oldest. Of one code {listed} are listed that nobody owns; the rest are one alarm, with `+` after the code.

`cardmill acknowledge KEY` says that you take care of one. It stands in the record (`alarm_taken`), so a start of the
service does not forget it; whoever does it later takes it over. It ends nothing: an alarm goes when its cause goes, and
its acknowledgement with it (`alarm_over`). When it comes again it is a new alarm, and nobody's. What comes and goes
within five seconds is not told apart from what stayed. No alarm names a person of an application.

An alarm is as old as its cause where the record dates that; else it is as old as when the service saw it first.
The log has a line when one begins (`alarm`) and one when it ends (`alarm over`).
"""


def page() -> str:
    """Give the page as Markdown."""
    return HEAD.format(listed=LISTED_MAX) + "\n".join((*_severities(), *_codes(), *_limits())) + "\n"


def _severities() -> Iterator[str]:
    yield "\n## Severities\n"
    rows = ((f"`{severity.value}`", *SEVERITIES[severity.value]) for severity in Severity)
    yield from table(("severity", "处理时限", "what it means"), rows)


def _codes() -> Iterator[str]:
    yield "\n## Codes\n"
    rows = ((f"`{code}`", one.severity.value, *MEANINGS[code], *TO_DO[one.to_do]) for code, one in RULES.items())
    yield from table(("code", "severity", "含义", "what it means", "处理", "what to do"), rows)


def _limits() -> Iterator[str]:
    yield "\n## Limits\n"
    yield "Section `[andon]` of `config.toml`; in floor seconds, unless it says otherwise.\n"
    default = AndonConfig()
    codes = {"silent_s": ["station.silent"], "ahead_s": ["input.ends"], "frames_min": ["frames.refused"]}
    for code, setting in AGEING.values():
        codes.setdefault(setting, []).append(code)
    rows = (
        (f"`{name}`", f"{getattr(default, name):g}", ", ".join(f"`{code}`" for code in codes[name]))
        for name in AndonConfig.__dataclass_fields__
    )
    yield from table(("setting", "default", "of"), rows)


if __name__ == "__main__":
    sys.stdout.write(page())
