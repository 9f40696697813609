"""The demo's people: two stock keepers and two supervisors, who look, then act, over the operator socket.

They keep nothing in mind but what cannot be done: each look starts from what the service says, so that a killed
service, or an answer that never came, costs them a look and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any, Protocol

from controller.asking.conversation import Refused
from controller.core.cards import Decision
from controller.core.stock import Account
from devices.defects import Step
from devices.messages import POSITIONS, SINGLE
from sims.demo.folder import VISITORS
from sims.demo.verdicts import rule

FIRST_BODY = 50_000_001  # serial of the first body sheet that the maker delivers
FIRST_SINGLE = 90_000_001  # serial of the first single body
SINGLES = 24  # single bodies that each press gets, for remakes
SPARE_SHEETS = 200
TOP_UP_SHEETS = 200
SERVICE_S = 900.0  # floor seconds to look after a held station
REFILL_SHEETS = (8, 48)  # least and most that go into a magazine at once: two loads of a press


class Office(Protocol):
    """One person's line to the service: `controller.client.OperatorClient`."""

    def command(self, verb: str, /, **args: Any) -> Any:
        """Ask for a verb, give its result.  Raises: ClientError; of it Refused, where the service says no."""


class TwoPeople:
    """What every pair does alike: the first proposes, the second agrees; what is refused is not tried again."""

    verbs: frozenset[str]  # of the acts this pair looks after

    def __init__(self, first: Office, second: Office) -> None:
        self._first, self._second = first, second
        self._hopeless: set[int] = set()  # acts that could not be done
        self.refusals: Counter[str] = Counter()  # what the service said no to, by code

    def _open_acts(self) -> list[Mapping[str, Any]]:
        """Give the acts of this pair, not of visitors, that wait for a second person and may be done yet."""
        acts = [act for act in self._first.command("acts") if act["by"] not in VISITORS]
        return [act for act in acts if act["verb"] in self.verbs and act["act_id"] not in self._hopeless]

    def _agree(self, acts: Iterable[Mapping[str, Any]]) -> None:
        for act in acts:
            if self._try(self._second, "second", act_id=act["act_id"]) is None:
                self._hopeless.add(act["act_id"])

    def _both(self, verb: str, args: Mapping[str, int | str]) -> bool:
        """Propose an act and agree to it; give whether it is done."""
        act = self._try(self._first, "act", verb=verb, args=dict(args))
        if act is None:
            return False
        self._agree([act])
        return act["act_id"] not in self._hopeless

    def _try(self, who: Office, verb: str, /, **args: Any) -> Any:
        """Ask; give None where the service says no, because somebody else was faster."""
        try:
            return who.command(verb, **args)
        except Refused as refused:
            self.refusals[refused.code] += 1
            return None


class StockKeepers(TwoPeople):
    """Receive body sheets by their serials, fill the presses' magazines when they run low, close the shift."""

    verbs = frozenset({"receive", "issue", "destroy", "close_shift"})

    def __init__(self, first: Office, second: Office, cards: int) -> None:
        """Take how many cards are expected: half as many sheets again, and some spare, are ordered for them."""
        super().__init__(first, second)
        self.ordered_sheets = ceil(cards / POSITIONS * 1.5) + SPARE_SHEETS
        least, most = REFILL_SHEETS
        self.refill_sheets = min(most, max(least, self.ordered_sheets // 12))

    def look(self) -> None:
        """Finish what is proposed, then receive and issue what is missing.  Raises: ClientError."""
        self._agree(self._open_acts())
        stock = self._first.command("stock")
        singles = stock["singles"]
        received = (sum(stock["accounts"].values()) - singles["received"]) // POSITIONS
        vault = [one for one in stock["vault"] if one not in singles["vault"]]
        presses = self._presses()
        low = self._low_presses(presses, stock["magazines"], singles["magazines"])
        if not received:
            self._receive(FIRST_BODY, self.ordered_sheets)
        elif low and sum(sheets for _, sheets in vault) < self.refill_sheets:
            self._receive(FIRST_BODY + received, TOP_UP_SHEETS)
        for station, (first, sheets) in zip(low, self._packs(vault), strict=False):
            self._both("issue", {"station": station, "first_body": first, "sheets": sheets})
        self._give_singles(presses, singles)

    def _give_singles(self, presses: Sequence[str], singles: Mapping[str, Any]) -> None:
        """Receive some single bodies once, and issue them: each press has its own serials among them."""
        if not presses:
            return
        if not singles["received"]:
            args = {"first_body": FIRST_SINGLE, "sheets": SINGLES * len(presses), "places": SINGLE}
            self._both("receive", {**args, "lot": "lot-single"})
        for first, sheets in singles["vault"]:
            for start in range(first, first + sheets, SINGLES):
                station = presses[(start - FIRST_SINGLE) // SINGLES % len(presses)]
                self._both("issue", {"station": station, "first_body": start, "sheets": SINGLES})

    def close_shift(self) -> bool:
        """Count every place, destroy what is spoiled and close the shift; give whether it is closed.

        Pretend sheets can only be counted in the books: what people miscount is for the tests of the core.  Begun
        again after an answer that never came, it goes on where it was.  Raises: ClientError.
        """
        if self._first.command("shift")["closed"]:
            return True
        stock = self._first.command("stock")
        spoiled = stock["accounts"][Account.SPOILED]
        vault = sum(sheets for _, sheets in stock["vault"])
        for place, counted in {"vault": vault, "spoiled": spoiled, **stock["magazines"]}.items():
            self._try(self._first, "count", place=place, counted=counted)
        if spoiled:
            self._both("destroy", {"count": spoiled})
        return self._both("close_shift", {})

    def _receive(self, first_body: int, sheets: int) -> None:
        self._both("receive", {"first_body": first_body, "sheets": sheets, "lot": f"lot-{first_body}"})

    def _presses(self) -> list[str]:
        """Give the laminate stations, by name."""
        stations = self._first.command("stations")
        return sorted(one["station"] for one in stations if one["step"] == Step.LAMINATE)

    def _low_presses(
        self, presses: Sequence[str], magazines: Mapping[str, int], singles: Mapping[str, int]
    ) -> list[str]:
        """Give the presses whose magazine holds less than one refill, single bodies aside, the emptiest first."""
        left = {press: magazines.get(press, 0) - singles.get(press, 0) for press in presses}
        return sorted((one for one in presses if left[one] < self.refill_sheets), key=lambda one: (left[one], one))

    def _packs(self, vault: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Give the vault cut into refills, as (first serial, sheets)."""
        return [
            (start, min(self.refill_sheets, first + sheets - start))
            for first, sheets in vault
            for start in range(first, first + sheets, self.refill_sheets)
        ]


class Supervisors(TwoPeople):
    """Decide about what is held, settle what is suspect, end what cannot be made, look after stations and inspect."""

    verbs = frozenset({"override", "settle"})

    def __init__(
        self,
        first: Office,
        second: Office,
        decided: Callable[[str], None] = lambda what: None,
        *,
        leaves_cards: bool = False,
    ) -> None:
        """`decided` hears a word for each thing that was decided; `leaves_cards`: what waits for a person waits."""
        super().__init__(first, second)
        self._decided, self._leaves_cards = decided, leaves_cards

    def look(self) -> None:
        """Go through the held, the suspect and the stopped once.  Raises: ClientError."""
        self._sign_on()
        if self._leaves_cards:
            return
        self._agree(self._open_acts())
        for held in self._first.command("review"):
            self._decide_held(held["card"], held["codes"])
        for suspect in self._first.command("suspects"):
            args = {"sheet_id": suspect["sheet_id"], "mask": suspect["mask"], "finding": "spoiled"}
            if self._both("settle", args):
                self._decided("settled")
        for stopped in self._first.command("stopped"):
            self._decide(stopped["card"], Decision.REFUSE_LATE, "it cannot be made")
        for hold in self._first.command("holds"):
            if hold["age_s"] >= SERVICE_S and self._try(self._second, "release", station=hold["station"]) is not None:
                self._decided("released")

    def _sign_on(self) -> None:
        """Let the inspection stations have somebody: the two take them by turns."""
        inspected = [one for one in self._first.command("stations") if one["step"] == Step.INSPECT]
        for place, station in enumerate(inspected):
            if not station["operator"]:
                self._try((self._first, self._second)[place % 2], "sign_on", station=station["station"])

    def _decide_held(self, card: int, codes: list[str]) -> None:
        ruling = rule(codes)
        if ruling.by_two:
            if self._both("override", {"card": card, "reason": ruling.reason}):
                self._decided("overridden")
        else:
            self._decide(card, ruling.decision, ruling.reason)

    def _decide(self, card: int, decision: Decision, reason: str) -> None:
        if self._try(self._first, "decide", card=card, decision=decision.value, reason=reason) is not None:
            self._decided(decision.value)
