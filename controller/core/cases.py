"""Cards that came back, and rejected cards that two people find good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import events as e
from controller.core.calendar import calendar_of
from controller.core.cards import MOVES, Card, Cause, State
from controller.core.moves import BatchOpened
from controller.core.quality_moves import CardReturned, CardSetGood
from controller.core.remakes import EXPRESS_DAYS
from controller.core.settings import CalendarConfig
from controller.core.stock import Account
from controller.core.stock_moves import BlanksDestroyed
from controller.core.turn import Turn
from devices.defects import Step, cause_of

Args = Mapping[str, int | str]
Refusal = tuple[str, str]
Check = Callable[[Turn, Args], Refusal | None]
Do = Callable[[Turn, Args, str, str], None]

WRONG_BLANK = "W9"  # the chip's own number is not the serial: whose blank it is, no second look can say
SET_GOOD_CODES: Mapping[str, tuple[str, str]] = {  # why a reject is good after all
    "false_reject": ("误判", "nothing is wrong with it"),
    "dirt_removed": ("已清洁", "what was seen could be wiped off"),
    "wrong_reading": ("误读", "the reader was wrong, another one reads it right"),
}
RETURN_CODES: Mapping[str, tuple[str, str]] = {  # what is bad about a card that came back
    "chip_dead": ("芯片不可机读", "the chip does not answer"),
    "wrong_chip": ("机读内容不符", "the chip does not hold what was sent"),
    "print_fault": ("卡面污损", "face stained or badly printed"),
    "film_off": ("覆膜脱落", "the film comes off"),
    "damaged": ("卡体破损", "body broken or bent"),
    "wrong_text": ("卡面文字不符", "a text of the face is not what was sent"),
    "wrong_portrait": ("人像不符", "the portrait is not this person's"),
}


def batch_opened(event: e.BatchChecked, calendar: CalendarConfig) -> BatchOpened:
    """Give the move that opens a checked batch; its express cards are due in three working days, if that is earlier."""
    express_due = 0.0
    if any(row.express and not row.case_no for row in event.rows):  # a card that came back has a clock of its own
        express_due = calendar_of(calendar).end_of_working_day(event.received_floor_s, EXPRESS_DAYS)
    return BatchOpened(
        event.batch_id,
        event.batch_number,
        event.upstream,
        event.card_kind,
        event.received_floor_s,
        event.due_floor_s,
        event.rows,
        express_due if express_due < event.due_floor_s else 0.0,
    )


# ---- a card came back ---------------------------------------------------------------------------------------


def _came_back(turn: Turn, event: e.CardCameBack) -> None:
    """Take the old blank back first (law 1), then open the batch of the next case."""
    card, opened = turn.state.cards.get(event.card), event.opened
    if event.code not in RETURN_CODES:
        turn.refuse("return.code", f"what is bad about it is one of: {', '.join(RETURN_CODES)}")
    elif card is not None and card.state is not State.DISPATCHED:
        turn.refuse("return.not_sent", f"this card is {card.state}: only a card that was dispatched can come back")
    elif event.blank in turn.state.stock.returned:
        turn.refuse("return.open_case", "this card is back already, and its next case is under way")
    elif opened.batch_id in turn.state.batches or not turn.state.stock.blanks[Account.DISPATCHED]:
        turn.refuse("return.unknown", "no card of this number was ever dispatched")
    else:
        case_card = opened.batch_id * 10_000 + opened.rows[0].index
        turn.record(CardReturned(event.card, event.blank, case_card, event.code, event.by))
        turn.record(batch_opened(opened, turn.config.calendar))


# ---- a reject that is good ----------------------------------------------------------------------------------


def _set_good_why(turn: Turn, args: Args) -> Refusal | None:
    card = turn.state.cards.get(int(args["card"]))
    if str(args["code"]) not in SET_GOOD_CODES:
        return ("case.code", f"why it is good is one of: {', '.join(SET_GOOD_CODES)}")
    if card is None or not card.rejected_blank:
        return ("case.not_rejected", _not_rejected(card))
    if (card.state, Cause.SET_GOOD) not in MOVES:
        return ("case.remake_began", f"its remake is {card.state}: two good cards of one case there must never be")
    if card.card in turn.state.contested:
        return ("decision.second_person", "two people share this card's number: `override` it first, by two people")
    if card.rejected_for == WRONG_BLANK:
        return ("case.wrong_blank", "the chip's own number was not the blank's: nobody can say which blank this is")
    if card.rejected_blank not in turn.state.stock.spoiled:
        return ("case.blank_gone", "the rejected blank is no more among the spoiled: it was destroyed or lost")
    return None


def _not_rejected(card: Card | None) -> str:
    if card is None:
        return "no open card has this number"
    return "only a card whose last blank was rejected at inspection can be set good"


def _set_good(turn: Turn, args: Args, by: str, second: str) -> None:
    card = turn.state.card(int(args["card"]))
    caused_at = cause_of(card.rejected_for, Step.INSPECT)
    turn.record(
        CardSetGood(
            card.card,
            card.rejected_blank,
            str(args["code"]),
            by,
            second,
            card.rejected_for,
            caused_at,
            card.rejected_sheet_id,
        )
    )


# ---- blanks that came back ----------------------------------------------------------------------------------


def _destroy_why(turn: Turn, args: Args) -> Refusal | None:
    if int(args["blank"]) not in turn.state.stock.returned:
        return ("return.no_blank", "no blank of this serial came back, or it is destroyed")
    return None


def _destroy(turn: Turn, args: Args, by: str, second: str) -> None:
    turn.record(BlanksDestroyed(turn.state.next_id("destruction"), [int(args["blank"])], by, second))


CASE_ACTS: Mapping[str, tuple[Mapping[str, type], Do, Check]] = {
    "set_good": ({"card": int, "code": str}, _set_good, _set_good_why),
    "destroy_returned": ({"blank": int}, _destroy, _destroy_why),
}
CASE_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.CardCameBack: _came_back,
}
