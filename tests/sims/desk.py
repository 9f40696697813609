"""An operators' desk over a real foreman, in memory: the verbs and shapes of the operator socket, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.asking.conversation import ClientError, Refused
from controller.core import events as e
from controller.core.cards import State
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove, CardStopped
from controller.core.settings import CoreConfig
from controller.core.turn import Turn
from controller.wire import Refusal


class Desk:
    """The service as its operators see it; `lose` names verbs whose next answer is lost after the deed."""

    def __init__(self) -> None:
        self.foreman = Foreman(CoreConfig())
        self.now_floor_s = 0.0
        self.moves: list[AnyMove] = []
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.lose: list[str] = []
        self.handle(e.ServiceBegan())

    def handle(self, event: e.AnyEvent) -> Turn:
        self.now_floor_s += 1.0
        turn = self.foreman.handle(event, self.now_floor_s)
        self.moves += turn.moves
        return turn

    def of(self, name: str) -> Person:
        return Person(self, name)

    def kinds(self, kind: type) -> list[Any]:
        return [move for move in self.moves if isinstance(move, kind)]

    def answer(self, name: str, verb: str, args: dict[str, Any]) -> Any:
        self.asked.append((name, verb, args))
        result = VERBS[verb](self, name, args)
        if isinstance(result, Turn):
            if result.refused:
                raise Refused(Refusal(code=result.refused.code, text=result.refused.text))
            result = {"act_id": result.answer} if result.answer else {}
        if verb in self.lose:
            self.lose.remove(verb)
            raise ClientError("client.outcome_unknown", "the answer was lost")
        return result


class Person:
    """One operator's line to the desk."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk, self.name = desk, name

    def command(self, verb: str, /, **args: Any) -> Any:
        return self._desk.answer(self.name, verb, args)


def _stations(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return [
        {"station": one.station, "step": one.step.value, "state": one.state, "operator": one.operator}
        for one in desk.foreman.state.stations.values()
    ]


def _stock(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    stock = desk.foreman.state.stock
    return {
        "accounts": {account.value: blanks for account, blanks in stock.blanks.items()},
        "vault": [[one.first, one.sheets] for one in stock.vault],
        "magazines": {station: stock.in_magazine(station) for station in stock.magazines},
        "singles": {
            "received": sum(one.sheets for one in stock.lots if one.places == 1),
            "vault": [[one.first, one.sheets] for one in stock.vault if one.places == 1],
            "magazines": {station: stock.in_magazine(station, 1) for station in stock.magazines},
        },
    }


def _review(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return [{"card": card, "codes": list(codes)} for card, codes in desk.foreman.state.holds.items()]


def _suspects(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return [
        {"sheet_id": one.sheet_id, "mask": one.suspect, "step": one.step.value, "body": one.body}
        for one in desk.foreman.state.sheets.values()
        if one.suspect
    ]


def _stopped(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    codes = {move.card: move.code for move in desk.kinds(CardStopped)}
    cards = [one.card for one in desk.foreman.state.cards.values() if one.state is State.STOPPED]
    return [{"card": card, "acceptance_number": "", "code": codes[card]} for card in cards]


def _acts(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    acts = desk.foreman.state.acts.values()
    return [{"act_id": act.act_id, "verb": act.verb, "args": act.args, "by": act.by} for act in acts]


def _decide(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return desk.handle(e.DecisionMade(args["card"], args["decision"], name, args["reason"]))


def _act(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return desk.handle(e.ActAsked(args["verb"], args["args"], name))


def _second(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return desk.handle(e.ActSeconded(args["act_id"], name))


def _holds(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    holds = desk.foreman.state.station_holds
    return [{"station": one, "age_s": desk.now_floor_s - hold.since_floor_s} for one, hold in holds.items()]


def _release(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return desk.handle(e.ReleaseAsked(args["station"], name))


def _sign_on(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return desk.handle(e.SignedOn(args["station"], name, 0.0))


def _count(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return desk.handle(e.CountTaken(args["place"], args["counted"], name))


def _shift(desk: Desk, name: str, args: dict[str, Any]) -> Any:
    return {"closed": desk.foreman.state.last_id["shift"]}


VERBS: dict[str, Callable[[Desk, str, dict[str, Any]], Any]] = {
    "stations": _stations,
    "stock": _stock,
    "review": _review,
    "suspects": _suspects,
    "stopped": _stopped,
    "acts": _acts,
    "decide": _decide,
    "act": _act,
    "second": _second,
    "holds": _holds,
    "release": _release,
    "sign_on": _sign_on,
    "count": _count,
    "shift": _shift,
}
