"""Acts that take two people: the first proposes, another one agrees in time, and only then it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from controller.core import events as e
from controller.core.cards import State
from controller.core.cases import CASE_ACTS
from controller.core.key_acts import KEY_ACTS, KEY_OPTIONAL
from controller.core.moves import (
    ActEnded,
    ActProposed,
    AnyMove,
    CardMissing,
    Mark,
    PileRepacked,
    PositionsMarked,
    SheetBound,
)
from controller.core.quality_moves import CardSetGood
from controller.core.record_keeping import RECORD_ACTS
from controller.core.restored import RESTORE_ACTS
from controller.core.results import COUNT_DIFFERS, job_forgotten
from controller.core.review import REVIEW_ACTS
from controller.core.separation import barred
from controller.core.stock import ENTRY_OF_MARK, Account
from controller.core.stock_acts import STOCK_ACTS
from controller.core.stock_moves import BlanksDestroyed, BlanksLost
from controller.core.turn import Turn
from devices.defects import FATE_UNKNOWN, GOOD, Step

Args = Mapping[str, int | str]
FINDINGS = {"good": Mark.FOUND_GOOD, "spoiled": Mark.FOUND_SPOILED, "missing": Mark.FOUND_MISSING}
OPTIONAL: Mapping[str, Mapping[str, type]] = {
    "settle": {"body": int},  # where the sheet was not bound yet
    "receive": {"places": int},  # 1 for single bodies
    **KEY_OPTIONAL,
}
OPEN_MAX = 100  # proposals of one person that nobody agreed to yet: a sheet each after the worst crash
CHANGE_SPOILED = (BlanksDestroyed, BlanksLost, CardSetGood)


def act_asked(turn: Turn, event: e.ActAsked) -> None:
    """Take a proposal, when it could be done now."""
    if not _can(turn, event.verb, event.args, event.by):
        return
    if sum(act.by == event.by for act in turn.state.acts.values()) >= OPEN_MAX:
        turn.refuse("act.too_many", f"{OPEN_MAX} proposals of yours are open: let others agree, or withdraw some")
        return
    turn.answer = turn.state.next_id("act")
    until = turn.now_floor_s + turn.config.acts.second_within_s
    named = arguments_of(event.verb)  # whatever else was said stays out of the ledger
    args = {name: value for name, value in event.args.items() if name in named}
    turn.record(ActProposed(turn.answer, event.verb, args, event.by, until))


def act_seconded(turn: Turn, event: e.ActSeconded) -> None:
    """Do a proposed act, when another person agrees and it still can be done."""
    act = turn.state.acts.get(event.act_id)
    if act is None:
        turn.refuse(*not_open(event.act_id))
    elif act.by == event.by:
        turn.refuse("act.same_person", "the second person must be another one than the first")
    elif _can(turn, act.verb, act.args, act.by, event.by):
        ACTS[act.verb][1](turn, act.args, act.by, event.by)
        if turn.refused is None:  # a shift that does not balance stays open, and its act: they look, and agree again
            turn.record(ActEnded(act.act_id, event.by, True))


def act_withdrawn(turn: Turn, event: e.ActWithdrawn) -> None:
    """End a proposal that somebody takes back; one about keys only who made it: else whom it shuts out could."""
    act = turn.state.acts.get(event.act_id)
    if act is None:
        turn.refuse(*not_open(event.act_id))
    elif act.verb in KEY_ACTS and act.by != event.by:
        turn.refuse("act.not_yours", "only who proposed a change of keys may withdraw it")
    else:
        turn.record(ActEnded(event.act_id, event.by, False))


def not_open(act_id: int) -> tuple[str, str]:
    """Give why nobody can agree to an act or take it back, a code and a sentence."""
    return ("act.not_open", f"act {act_id} is not open: it is done, or its time has passed; ask again")


def _changes_spoiled(move: AnyMove) -> bool:
    if isinstance(move, PositionsMarked):
        return ENTRY_OF_MARK.get(move.mark) is Account.SPOILED
    return isinstance(move, CHANGE_SPOILED)


def _end_counts(turn: Turn) -> None:
    """End proposals to destroy: what is spoiled now, even if as many, is not what was counted."""
    for act in [act for act in turn.state.acts.values() if act.verb == "destroy"]:
        turn.record(ActEnded(act.act_id, "", False))


def end_overdue_acts(turn: Turn) -> None:
    """End proposals nobody agreed to in time, and counts of spoiled blanks that are others now."""
    if any(_changes_spoiled(move) for move in turn.moves):
        _end_counts(turn)
    for act in [act for act in turn.state.acts.values() if act.until_floor_s <= turn.now_floor_s]:
        turn.record(ActEnded(act.act_id, "", False))
    for act in turn.state.acts.values():
        turn.wake_at(act.until_floor_s)


def arguments_of(verb: str) -> dict[str, type]:
    """Give the arguments an act may have, by name; those of `OPTIONAL` may be left out."""
    return {**ACTS[verb][0], **OPTIONAL.get(verb, {})}


def malformed(verb: str, args: Args) -> tuple[str, str] | None:
    """Give why no floor could take this proposal, a code and a sentence; None when it is well formed."""
    if verb not in ACTS:
        return ("act.unknown", f"there is no act of this name; there are {', '.join(sorted(ACTS))}")
    for name, kind in arguments_of(verb).items():
        value = args.get(name)
        if name in OPTIONAL.get(verb, {}) and name not in args:
            continue
        if (
            not isinstance(value, kind)
            or isinstance(value, bool)
            or (isinstance(value, int) and not 0 <= value < 2**53)
            or (isinstance(value, str) and "\0" in value)
        ):
            return ("act.argument", f"{verb} needs {name}, {'a whole number' if kind is int else 'a text'}")
    return None


def _can(turn: Turn, verb: str, args: Args, *people: str) -> bool:
    why = malformed(verb, args) or barred(turn.state, verb, *people) or ACTS[verb][2](turn, args)
    if why:
        turn.refuse(*why)
    return not why


# ---- suspects -------------------------------------------------------------------------------------------------


def _settle_why(turn: Turn, args: Args) -> tuple[str, str] | None:
    sheet = turn.state.sheets.get(int(args["sheet_id"]))
    mask, finding = int(args["mask"]), str(args["finding"])
    if sheet is None or not mask or mask & ~sheet.suspect:
        return ("suspect.none", "these positions of this sheet are not suspect")
    if finding not in FINDINGS:
        return ("suspect.finding", f"a finding is one of {', '.join(FINDINGS)}")
    if finding == "good" and not (sheet.body and sheet.step is Step.INSPECT):
        return ("suspect.not_made", "only a card that was written can be found good; settle it as spoiled or missing")
    if sheet.body:
        return None
    body = int(args.get("body", 0))
    stock = turn.state.stock
    if body and not any(stock.magazine_holds(one, body, sheet.places) for one in stock.magazines):
        return ("suspect.body", "this body sheet lies in no magazine, or is of another size than the sheet")
    return None


def _settle(turn: Turn, args: Args, by: str, second: str) -> None:
    sheet, mask = turn.state.sheet(int(args["sheet_id"])), int(args["mask"])
    body = int(args.get("body", 0))
    if body and not sheet.body:
        stations = turn.state.stock.magazines
        station = next(one for one in stations if turn.state.stock.magazine_holds(one, body, sheet.places))
        turn.record(SheetBound(sheet.sheet_id, body, station))
        turn.mark(sheet, sheet.all_places() & ~sheet.suspect, Mark.UNUSED, GOOD, station, sheet.step)
    mark = FINDINGS[str(args["finding"])]
    turn.mark(sheet, mask, mark, FATE_UNKNOWN, "", sheet.step, (by, second))


# ---- a job nobody will ever answer for --------------------------------------------------------------------------


def _give_up_why(turn: Turn, args: Args) -> tuple[str, str] | None:
    if int(args["job_id"]) not in turn.state.jobs:
        return ("act.no_job", "no open job has this number: see `cardmill stations`")
    return None


def _give_up(turn: Turn, args: Args, by: str, second: str) -> None:
    job = turn.state.jobs[int(args["job_id"])]
    job_forgotten(turn, e.JobForgotten(job.station, job.job_id))


# ---- bundles that did not scan whole ---------------------------------------------------------------------------


def _repack_why(turn: Turn, args: Args) -> tuple[str, str] | None:
    if (int(args["batch_id"]), str(args["unit"])) not in turn.state.stopped_piles:
        return ("pack.not_stopped", "no pile of this batch and police station waits for a person: see `cardmill piles`")
    return None


def _repack(turn: Turn, args: Args, by: str, second: str) -> None:
    turn.record(PileRepacked(int(args["batch_id"]), str(args["unit"]), by, second))


def _missing_why(turn: Turn, args: Args) -> tuple[str, str] | None:
    card = turn.state.cards.get(int(args["card"]))
    if card is None or card.state is not State.GOOD:
        return ("pack.not_good", "this is not a good card that waits to be packed")
    for job in turn.state.jobs.values():
        if card.card in job.cards:
            return ("pack.under_way", f"{job.station} is packing this card: wait for what it scans")
    return None


def _missing(turn: Turn, args: Args, by: str, second: str) -> None:
    card = turn.state.card(int(args["card"]))
    turn.record(CardMissing(card.card, card.blank, COUNT_DIFFERS, by, second))
    turn.stop_when_used_up(card.card)


Check = Callable[[Turn, Args], tuple[str, str] | None]
Do = Callable[[Turn, Args, str, str], None]
ACTS: Mapping[str, tuple[Mapping[str, type], Do, Check]] = {
    **STOCK_ACTS,
    "settle": ({"sheet_id": int, "mask": int, "finding": str}, _settle, _settle_why),
    "give_up": ({"job_id": int}, _give_up, _give_up_why),
    "repack": ({"batch_id": int, "unit": str}, _repack, _repack_why),
    "missing": ({"card": int}, _missing, _missing_why),
    **REVIEW_ACTS,
    **CASE_ACTS,
    **RECORD_ACTS,
    **RESTORE_ACTS,
    **KEY_ACTS,
}
