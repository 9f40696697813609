"""The page of all rights for people: `python -m controller.rights_page > docs/rights.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from controller import rights
from controller.core.break_glass import REASONS
from controller.markdown import table
from controller.wire import READING

HEAD = """\
# Who may do what

Printed by `python -m controller.rights_page` from `controller/rights.py`; do not edit. Why the rows are as they are:
[decision 0029](decisions/0029-roles-and-rights.md).

An operator's key has roles: the words in `keys/allowed/operator/NAME.roles` of the data folder. Whoever has none of the
roles of a row is refused with `right.missing`; who has no role at all greets, asks for the `status` without the sums of
stock, and for the `rights`. `cardmill rights` shows this table, and who you are.

Three things come on top of it. Who decides needs a certificate that holds, where the settings name a table of posts. An
act always takes two people: nobody agrees to what one proposed oneself, whatever the roles of both, nor to what
somebody proposed who may do so no more. And neither of the two who destroy blanks may be somebody who worked at a
station where one of them was spoiled (`act.station_operator`); where nobody had signed on, nobody who has the role
operator.

A refused attempt at anything that decides leaves a row in the audit (`denied`): who, what, why, how often; of many
alike there is one row a minute. No other word of the request is kept.

The roles: {roles}.
"""
_DUTIES = {
    rights.OPERATOR: "works at a station",
    rights.SUPERVISOR: "in charge of a shift, decides about cards",
    rights.STOCK_KEEPER: "keeps the blanks",
    rights.QUALITY: "judges what was made, and what it was made with",
    rights.AUDITOR: "reads everything but personal data, and is the second person at a purge or a destruction",
    rights.ADMINISTRATOR: "keys, purge, restore; nothing of the daily work",
}


def page() -> str:
    """Give the page as Markdown."""
    duties = ", ".join(f"`{role}` ({duty})" for role, duty in _DUTIES.items())
    tables = (*_verbs("Looking", True), *_verbs("What one person does", False), *_acts(), *_glass())
    return HEAD.format(roles=duties) + "\n".join(tables) + "\n"


def _verbs(title: str, reading: bool) -> Iterator[str]:
    yield f"\n## {title}\n"
    rows = (
        (
            f"`{verb}`{' (no role needed)' if '' in roles else ''}",
            *("yes" if one in roles else "" for one in rights.ROLES),
        )
        for verb, roles in rights.VERB_RIGHTS.items()
        if (verb in READING) is reading
    )
    yield from table(("verb", *rights.ROLES), rows)


def _acts() -> Iterator[str]:
    yield "\n## Acts of two people\n"
    yield (
        "`1`: may propose it (`act`); `2`: may agree to it (`second`). Each of them may take it back (`withdraw`),\n"
        "a change of keys its proposer alone.\n"
    )
    yield from table(("act", *rights.ROLES), (_act(act, right) for act, right in rights.ACT_RIGHTS.items()))


def _act(act: str, right: rights.ActRight) -> tuple[str, ...]:
    ways = (("1", right.propose), ("2", right.second))
    return f"`{act}`", *(" ".join(way for way, roles in ways if role in roles) for role in rights.ROLES)


def _glass() -> Iterator[str]:
    yield "\n## Breaking the glass\n"
    yield (
        "Where nobody who has a role can be had, an administrator alone takes it for one hour of the floor:"
        " `cardmill break-glass ROLE REASON`. It is an alarm: a move (`glass_broken`), an error in the log"
        " (`rights.glass_broken`), the metrics `cardmill_glass` and `cardmill_glass_broken_total`, and a line in"
        " everybody's `cardmill status` until it is over. What takes two people still takes two.\n"
    )
    rows = ((f"`{reason}`", zh, en) for reason, (zh, en) in REASONS.items())
    yield from table(("reason", "理由", "what it means"), rows)


if __name__ == "__main__":
    sys.stdout.write(page())
