"""Rights: which role may ask for which verb, propose which act and agree to it; nowhere else does it say so.

Whoever has none of the roles of a row is refused: what stands in no row, nobody may do.  What two people do takes two
whatever their roles, and posts and certificates come on top.  Why the rows are as they are: decision 0029.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NamedTuple

from controller.core.separation import BARRED
from controller.core.turn import Refused
from devices.peers import PERSON_ROLES

ROLES = PERSON_ROLES
OPERATOR, SUPERVISOR, STOCK_KEEPER, QUALITY, AUDITOR, ADMINISTRATOR = ROLES
Roles = frozenset[str]
NOBODY: Roles = frozenset()
STAFF: Roles = frozenset(ROLES)
EVERYBODY: Roles = frozenset({*ROLES, ""})  # with "": who has a key and no role at all, too
MISSING = "right.missing"
ORPHANED = Refused(
    "right.proposer", "who proposed this act has no role for it any more: somebody who has one proposes it anew"
)
# refusals of what is not theirs who tried: at a verb that decides each leaves a row in the audit
AUDITED = frozenset(
    {
        MISSING,
        BARRED,
        ORPHANED.code,
        "act.same_person",
        "decision.second_person",
        "post.none",
        "post.expired",
        "reason.personal",
    },
)


class ActRight(NamedTuple):
    """Who may propose an act, and who may agree to it as the second person."""

    propose: Roles
    second: Roles


def _of(*roles: str) -> Roles:
    return frozenset(roles)


_IN_CHARGE = _of(SUPERVISOR, QUALITY, AUDITOR, ADMINISTRATOR)
_ON_CARDS = _of(SUPERVISOR, QUALITY, AUDITOR)
VERB_RIGHTS: Mapping[str, Roles] = {
    # looking: the auditor at all of it, at nothing personal
    "status": EVERYBODY,  # without the sums of stock for those who may not see them
    "rights": EVERYBODY,
    **dict.fromkeys(("stations", "holds", "acts", "why", "posts"), STAFF),
    **dict.fromkeys(("shift", "supplies", "forecast", "remakes", "open_ends", "suspects"), STAFF),
    "alarms": STAFF,
    **dict.fromkeys(("batches", "batch", "card_holds"), STAFF),
    "stock": STAFF - {OPERATOR},  # who counts at a station counts blind
    "piles": STAFF - {STOCK_KEEPER, ADMINISTRATOR},
    "consignments": STAFF - {STOCK_KEEPER, ADMINISTRATOR},
    "manifest": _of(SUPERVISOR, AUDITOR),
    "review": _ON_CARDS,  # no personal field is in it
    "trace": _ON_CARDS,
    "stopped": _IN_CHARGE,
    "report": _IN_CHARGE,
    "whatif": _IN_CHARGE,
    "campaign": _IN_CHARGE,
    "audit": _of(SUPERVISOR, AUDITOR, ADMINISTRATOR),
    "settings": _of(SUPERVISOR, AUDITOR, ADMINISTRATOR),
    "keys": _of(AUDITOR, ADMINISTRATOR),
    "purge_preview": _of(ADMINISTRATOR, AUDITOR),
    "purges": _of(ADMINISTRATOR, AUDITOR),
    # what one person does
    "look": _of(SUPERVISOR, QUALITY),  # personal data: those who must judge it, and each look is recorded
    "decide": _of(SUPERVISOR),
    "dispatch": _of(SUPERVISOR),
    "arrived": _of(SUPERVISOR),
    "card_back": _of(SUPERVISOR, QUALITY),
    "hold": _of(OPERATOR, SUPERVISOR, QUALITY),  # whoever sees a fault may stop
    "release": _of(SUPERVISOR, QUALITY),
    "hold_card": _of(OPERATOR, SUPERVISOR, QUALITY),  # of cards and batches too
    "hold_batch": _of(OPERATOR, SUPERVISOR, QUALITY),
    "release_card": _of(SUPERVISOR, QUALITY),
    "release_batch": _of(SUPERVISOR, QUALITY),
    "express": _of(SUPERVISOR),
    "sign_on": _of(OPERATOR, SUPERVISOR, QUALITY),
    "load": _of(OPERATOR, STOCK_KEEPER),
    "count": _of(OPERATOR, STOCK_KEEPER, QUALITY),
    "acknowledge": STAFF - {AUDITOR},  # the auditor reads, and takes care of nothing
    "break_glass": _of(ADMINISTRATOR),
}
ACT_RIGHTS: Mapping[str, ActRight] = {
    # stock: the keeper and somebody else; what is missing takes a supervisor
    "receive": ActRight(_of(STOCK_KEEPER), _of(STOCK_KEEPER, SUPERVISOR)),
    "issue": ActRight(_of(STOCK_KEEPER), _of(STOCK_KEEPER, SUPERVISOR, OPERATOR)),  # who takes it over signs for it
    "return": ActRight(_of(STOCK_KEEPER), _of(STOCK_KEEPER, SUPERVISOR, OPERATOR)),
    "sample": ActRight(_of(STOCK_KEEPER, QUALITY), _of(STOCK_KEEPER, SUPERVISOR)),
    "lost": ActRight(_of(STOCK_KEEPER, SUPERVISOR), _of(SUPERVISOR)),
    "lost_blank": ActRight(_of(STOCK_KEEPER, SUPERVISOR), _of(SUPERVISOR)),
    "destroy": ActRight(_of(STOCK_KEEPER), _of(STOCK_KEEPER, SUPERVISOR, QUALITY, AUDITOR)),
    "destroy_returned": ActRight(_of(STOCK_KEEPER), _of(STOCK_KEEPER, SUPERVISOR, QUALITY, AUDITOR)),
    "close_shift": ActRight(_of(STOCK_KEEPER, SUPERVISOR), _of(SUPERVISOR)),
    # cards and sheets
    "settle": ActRight(_of(SUPERVISOR, QUALITY), _of(SUPERVISOR, QUALITY)),
    "give_up": ActRight(_of(SUPERVISOR), _of(SUPERVISOR, QUALITY)),
    "repack": ActRight(_of(SUPERVISOR, QUALITY), _of(SUPERVISOR, QUALITY)),
    "missing": ActRight(_of(SUPERVISOR, QUALITY), _of(SUPERVISOR)),
    "override": ActRight(_of(SUPERVISOR), _of(SUPERVISOR, QUALITY)),
    "set_good": ActRight(_of(QUALITY), _of(QUALITY, SUPERVISOR)),
    # the record, and who gets in
    "purge": ActRight(_of(ADMINISTRATOR), _of(ADMINISTRATOR, AUDITOR)),
    "reconciled": ActRight(_of(SUPERVISOR, ADMINISTRATOR), _of(SUPERVISOR, AUDITOR)),
    "allow_key": ActRight(_of(ADMINISTRATOR), _of(ADMINISTRATOR)),
    "revoke_key": ActRight(_of(ADMINISTRATOR), _of(ADMINISTRATOR)),
    "rotate_key": ActRight(_of(ADMINISTRATOR), _of(ADMINISTRATOR)),
}
ACT_VERBS = ("act", "second", "withdraw")  # how an act is proposed, agreed to, taken back


def allowed(verb: str, act: str = "") -> Roles:
    """Give the roles one of which a verb needs; of `ACT_VERBS` for an act, or for any act where it is none."""
    if verb not in ACT_VERBS:
        return VERB_RIGHTS.get(verb, NOBODY)
    rights = [ACT_RIGHTS[act]] if act in ACT_RIGHTS else list(ACT_RIGHTS.values())
    ways = {
        "act": [one.propose for one in rights],
        "second": [one.second for one in rights],
        "withdraw": [one.propose | one.second for one in rights],
    }
    return NOBODY.union(*ways[verb])


def may(roles: Set[str], verb: str, act: str = "") -> bool:
    """Say whether somebody with these roles may ask for a verb."""
    return not allowed(verb, act).isdisjoint({*roles, ""})


def refusal(roles: Set[str], verb: str, act: str = "") -> Refused | None:
    """Give why somebody with these roles may not ask for a verb, None when it may."""
    if may(roles, verb, act):
        return None
    what = f"{verb} {act}".strip()
    needed = listed(allowed(verb, act)) or "a role that nobody has"
    text = (
        f"{what} needs one of the roles {needed}, and you have {listed(roles) or 'none'}:"
        " ask somebody who has it, or two administrators to give it to your key; see `cardmill rights`"
    )
    return Refused(MISSING, text)


def listed(roles: Set[str]) -> str:
    """Give roles as people list them, in the order of `ROLES`."""
    return ", ".join(role for role in ROLES if role in roles)


def shown(roles: Roles) -> list[str]:
    """Give the roles of a row for programs: `everybody` where no role is needed."""
    return ["everybody"] if "" in roles else [role for role in ROLES if role in roles]
