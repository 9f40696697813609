"""How the demo's supervisors decide about a held application: by the finding's code alone, from one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controller.core.cards import Decision


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is decided for one code, and the reason that is written down; `by_two` takes two people."""

    decision: Decision
    reason: str
    by_two: bool = False


RELEASE, REFUSE = Decision.RELEASE, Decision.REFUSE
_DESK = "the rare-character desk asks for the standard character"
_LONG = "a shorter form must be agreed with the holder"

VERDICTS: Mapping[str, Ruling] = {
    "number.region_group": Ruling(RELEASE, "the register confirms the number"),
    "name.single": Ruling(RELEASE, "the register confirms a name of one character"),
    "name.private_use": Ruling(REFUSE, _DESK),
    "name.private_use_moved": Ruling(REFUSE, _DESK),
    "name.beyond_bmp": Ruling(REFUSE, _DESK),
    "name.no_glyph": Ruling(REFUSE, _DESK),
    "name.long_dotted": Ruling(REFUSE, _LONG),
    "name.long_rare": Ruling(REFUSE, _LONG),
    "address.private_use": Ruling(REFUSE, _DESK),
    "address.private_use_moved": Ruling(REFUSE, _DESK),
    "address.beyond_bmp": Ruling(REFUSE, _DESK),
    "address.no_glyph": Ruling(REFUSE, _DESK),
    "authority.other_name": Ruling(RELEASE, "the authority signs for this county too"),
    "reason.age": Ruling(RELEASE, "the application shows the right age"),
    "portrait.background": Ruling(REFUSE, "a picture on an even white wall is needed"),
    "duplicate.first_again": Ruling(REFUSE, "the reason must say why there is a second card"),
    "duplicate.shared_number": Ruling(RELEASE, "two people looked: the register lists both holders", by_two=True),
}
UNKNOWN = Ruling(REFUSE, "no rule for this finding")


def rule(codes: Iterable[str]) -> Ruling:
    """Give the ruling for a held application's codes: one refusal refuses, one release by two needs two.

    Codes that hold nothing (notes) do not count; without any that does, nobody knows why it is held: refused.
    """
    rulings = [VERDICTS[code] for code in codes if code in VERDICTS]
    rulings.sort(key=lambda one: (one.decision is RELEASE, not one.by_two))
    return rulings[0] if rulings else UNKNOWN
