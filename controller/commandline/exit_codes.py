"""What a command ends with, and what it says then besides the error itself: one code and one hint for each kind."""

from __future__ import annotations

from collections.abc import Mapping

DONE, REFUSED, USAGE, NO_ANSWER, INTERRUPTED = 0, 1, 2, 3, 130
MEANINGS: Mapping[int, str] = {
    DONE: "done; `watch` and `top`: ended by whoever looked",
    REFUSED: "the service said no, or had to stop; or what was looked at is not as it should be (`doctor`, `proof`,"
    " `submit`, `correct`, `stock-list`, `audit verify`, `receipts verify`, `manifest --check`, `replay`)",
    USAGE: "wrong use, settings, keys or files: nothing was asked or done",
    NO_ANSWER: "the service gave no answer in time: what changes something may have been done or not",
    INTERRUPTED: "interrupted by Ctrl-C",
}
_NOT_THERE = "does it run? `cardmill doctor` looks at everything a start needs, `cardmill serve` starts it"
HINTS: Mapping[str, str] = {  # code of an error -> the command that helps, where its own sentence names none
    "client.no_answer": _NOT_THERE,
    "link.unreachable": _NOT_THERE,
    "link.timeout": "it is busy or stands still: `cardmill doctor` looks at disk and files, its log says the rest",
    "client.outcome_unknown": "`cardmill acts` and `cardmill audit show` tell what was done",
    "command.argument": "`cardmill COMMAND --help` names the arguments",
    "command.unknown": "the service is of another version than this command: compare both installations",
    "act.not_open": "`cardmill acts` lists those that are open",
    "why.unknown": "`cardmill stations` lists the stations; `cardmill audit show --batch NUMBER` tells of a batch",
    "trace.unknown": "`cardmill audit show --card NUMBER` looks into the ledger itself",
}


def hint_for(error: object) -> str:
    """Give the line to stand below an error, empty where its own sentence says what to do."""
    return HINTS.get(str(getattr(error, "code", "")), "")
