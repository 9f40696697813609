"""What operators can ask: one verb, one meaning; every answer is durable before it is told."""

from __future__ import annotations

import trio

from controller.clock import floor_date
from controller.core.turn import Refused, Turn
from controller.desk import campaign, cases, deciding, looking, packing, purge, quality, review, stock, trace
from controller.desk.desk import AllBefore, BadArgument, Desk, Verb
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
    **quality.VERBS,
    **cases.VERBS,
    **campaign.VERBS,
    **trace.VERBS,
    **purge.VERBS,
}

# verbs that change nothing; every other one needs a certificate for the office
AT_A_STATION = frozenset({"sign_on"})  # these need the one of the station's step, and look themselves


async def answer_certified(desk: Desk, user: str, request: OperatorRequest) -> Answer:
    """Do what an operator asks, unless it decides something and the operator has no valid certificate for that."""
    if not isinstance(request, Hello) and request.verb in VERBS and request.verb not in READING | AT_A_STATION:
        refused = desk.posts.refusal(user, OFFICE, floor_date(desk.clock.now_floor_s()))
        if refused:
            return Refusal(request=request.request, code=refused.code, text=refused.text)
    return await answer(desk, user, request)


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
    outer, inner = dict(request.args), request.args.get("args")
    outer.pop("args", None)  # which one act alone looks into: elsewhere it must not stand before the real ones
    named = inner if request.verb == "act" and isinstance(inner, dict) else outer
    texts, card = typed(named)
    if not card or not texts:
        return await refuse_personal(None, texts, [])
    rivals = await trio.to_thread.run_sync(review.rivals_of, desk, card)
    return await refuse_personal(desk.vault, texts, [card, *(rival.card for rival in rivals)])
