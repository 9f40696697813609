"""What operators can ask: one verb, one meaning; every answer is durable before it is told."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import trio

from controller import rights
from controller.clock import floor_date
from controller.core.acts import ACTS, arguments_of, not_open
from controller.core.moves import ActProposed
from controller.core.separation import BARRED
from controller.core.turn import Refused, Turn
from controller.core.why.step import IN_MAGAZINE
from controller.denials import Attempt
from controller.desk import (
    andon,
    audit,
    batches,
    campaign,
    cases,
    deciding,
    forecast,
    holding,
    looking,
    packing,
    purge,
    quality,
    review,
    settings,
    stock,
    trace,
)
from controller.desk import rights as desk_rights
from controller.desk.desk import MAX_REASON, AllBefore, BadArgument, Desk, Verb
from controller.doors import welcome
from controller.personal_text import refuse_personal, typed
from controller.posts import OFFICE
from controller.wire import READING, Answer, Command, Done, Hello, OperatorRequest, Refusal

VERBS: dict[str, Verb] = {
    **looking.VERBS,
    **review.VERBS,
    **deciding.VERBS,
    **packing.VERBS,
    **stock.VERBS,
    **forecast.VERBS,
    **quality.VERBS,
    **holding.VERBS,
    **batches.VERBS,
    **cases.VERBS,
    **campaign.VERBS,
    **trace.VERBS,
    **purge.VERBS,
    **desk_rights.VERBS,
    **andon.VERBS,
    **audit.VERBS,
    **settings.VERBS,
}

ABOUT_AN_ACT = frozenset({"second", "withdraw"})
OF_OURS = frozenset({"acknowledge"})  # what is typed there is taken only if the controller itself wrote it
MAX_TEXTS = 8  # that one command brings along for the record
AT_A_STATION = frozenset({"sign_on"})  # these need the certificate of the station's step, and look themselves


async def answer_certified(desk: Desk, user: str, request: OperatorRequest) -> Answer:
    """Do what an operator asks, if a role of the operator's may; what decides needs a valid certificate too.

    An attempt at what decides, by somebody who may not, is recorded before it is answered.
    """
    if isinstance(request, Hello) or request.verb not in VERBS:
        return await answer(desk, user, request)
    act, roles = _act_of(desk, request), desk_rights.roles_of(desk, user)
    refused = rights.refusal(roles, request.verb, act) or _uncertified(desk, user, request.verb)
    refused = refused or _not_open(desk, request) or _orphaned(desk, request) or _unsigned(desk, request, act, roles)
    if refused:
        said: Answer = Refusal(request=request.request, code=refused.code, text=refused.text)
    else:
        said = _for_roles(roles, request.verb, await answer(desk, user, request))
    if isinstance(said, Refusal) and said.code in rights.AUDITED and request.verb not in READING:
        assert desk.denials is not None, "the service gives every desk its denials"
        await desk.denials.note(Attempt(user, request.verb, act, said.code))
    return said


def _proposed(desk: Desk, request: Command) -> ActProposed | None:
    """Give the open act that a request agrees to or takes back."""
    act_id = request.args.get("act_id")
    return desk.state.acts.get(act_id) if request.verb in rights.ACT_VERBS and type(act_id) is int else None


def _act_of(desk: Desk, request: Command) -> str:
    """Give the act a request is about, empty for none that exists."""
    if request.verb == "act":
        named = request.args.get("verb")
    else:
        proposed = _proposed(desk, request)
        named = proposed.verb if proposed else ""
    return named if isinstance(named, str) and named in ACTS else ""


def _uncertified(desk: Desk, user: str, verb: str) -> Refused | None:
    """Give why somebody has no certificate for a verb that needs the office's, None when it has or needs none."""
    if verb in READING | AT_A_STATION:
        return None
    return desk.posts.refusal(user, OFFICE, floor_date(desk.clock.now_floor_s()))


def _not_open(desk: Desk, request: Command) -> Refused | None:
    """Give why an act cannot be agreed to or taken back: it is not proposed yet, and who may is known only then."""
    act_id = request.args.get("act_id")
    if request.verb not in ABOUT_AN_ACT or type(act_id) is not int or _proposed(desk, request):
        return None
    return Refused(*not_open(act_id))


def _orphaned(desk: Desk, request: Command) -> Refused | None:
    """Give why nobody may agree to an act: who proposed it may do so no more."""
    proposed = _proposed(desk, request) if request.verb == "second" else None
    if proposed is None or rights.may(desk_rights.roles_of(desk, proposed.by), "act", proposed.verb):
        return None
    return rights.ORPHANED


def _unsigned(desk: Desk, request: Command, act: str, roles: Set[str]) -> Refused | None:
    """Give why somebody who works at stations takes no part in a destruction: it is not known who spoiled all of it."""
    if act != "destroy" or request.verb == "withdraw" or rights.OPERATOR not in roles or not desk.state.stock.unsigned:
        return None
    what_to_do = "ask two people who do not, and sign on from now on"
    text = (
        f"some of these blanks were spoiled while nobody had signed on: who works at stations is barred; {what_to_do}"
    )
    return Refused(BARRED, text)


def _for_roles(roles: Set[str], verb: str, said: Answer) -> Answer:
    """Leave the sums of stock out of an answer for those who may not see them: they count blind.

    Open ends and the forecast are made without them, see `desk.stock` and `desk.forecast`.
    """
    if not isinstance(said, Done) or rights.may(roles, "stock"):
        return said
    if verb == "status":
        return Done(request=said.request, result=said.result | {"stock": {}})
    if verb == "why":
        facts = {name: fact for name, fact in said.result["facts"].items() if name != IN_MAGAZINE}
        return Done(request=said.request, result=said.result | {"facts": facts})
    return said


async def answer(desk: Desk, user: str, request: OperatorRequest) -> Answer:
    """Do what an operator asks.  `user` is the name of the key, and of whoever acts."""
    if isinstance(request, Hello):
        return welcome(user, request, desk.clock, desk.simulated)
    verb = VERBS.get(request.verb)
    if verb is None:
        text = f"there is no such verb; there are {', '.join(sorted(VERBS))}"
        return Refusal(request=request.request, code="command.unknown", text=text, field="verb")
    try:
        result = await _personal(desk, request) or await verb(desk, user, request.args)
    except BadArgument as error:
        text = f"{request.verb} needs {error.name}: {error.wanted}"
        return Refusal(request=request.request, code="command.argument", text=text, field=error.name)
    if isinstance(result, Turn):
        result = result.refused or ({"act_id": result.answer} if result.answer else {})
    else:
        await desk.ledger.write(AllBefore())  # the foreman, who was looked at, may run ahead of the disk
    if isinstance(result, Refused):
        return Refusal(request=request.request, code=result.code, text=result.text)
    return Done(request=request.request, result=result)


async def _personal(desk: Desk, request: Command) -> Refused | None:
    """Refuse texts that would put a person's data into the record: whoever decides types them."""
    if request.verb in READING:
        return None
    texts, card = typed(_for_the_record(request))
    texts = {name: one for name, one in texts.items() if len(one) <= MAX_REASON}  # a longer one no verb takes
    if len(texts) > MAX_TEXTS:
        raise BadArgument("args", f"at most {MAX_TEXTS} texts")
    if not card or not texts:
        return await refuse_personal(None, texts, [])
    rivals = await trio.to_thread.run_sync(review.rivals_of, desk, card)
    return await refuse_personal(desk.vault, texts, [card, *(rival.card for rival in rivals)])


def _for_the_record(request: Command) -> dict[str, Any]:
    """Give the arguments that may come to stand in the record: who types others learns nothing by them."""
    if request.verb in ABOUT_AN_ACT | OF_OURS:
        return {}
    if request.verb != "act":
        return {name: value for name, value in request.args.items() if name != "args"}
    act, inner = request.args.get("verb"), request.args.get("args")
    known = arguments_of(act) if isinstance(act, str) and act in ACTS else {}
    return {name: value for name, value in inner.items() if name in known} if isinstance(inner, dict) else {}
