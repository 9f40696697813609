"""A rough floor whose stock keepers do everything that keepers do, at any time, and some of it wrongly."""

from __future__ import annotations

from collections import Counter

from controller.core import events as e
from controller.core.turn import Turn
from tests.controller.core.rough_floor import RoughFloor

PRESSES = ("l1", "l2")


class KeepersFloor(RoughFloor):
    """Between the loads two people return, sample, lose, destroy, count and close; `said` counts what was answered."""

    def __init__(self, seed: int, trouble: float = 0.05) -> None:
        self.said: Counter[str] = Counter()
        super().__init__(seed, trouble=trouble)

    def both(self, verb: str, **args: int | str) -> Turn:
        """Let ann propose and bob agree; give the turn that was refused, or the last one."""
        turn = self.say(e.ActAsked(verb, args, "ann"))
        if turn.refused is None:
            turn = self.say(e.ActSeconded(turn.answer, "bob"))
        self.said[turn.refused.code if turn.refused else f"{verb} done"] += 1
        return turn

    def say(self, event: e.AnyEvent) -> Turn:
        return self.host.handle(event, self.host.now_floor_s)

    def count(self, place: str, off: int = 0) -> Turn:
        """Count a place rightly, or `off` by so many; who counts cannot see the books, so this looks for them."""
        stock = self.state.stock
        there = {"vault": sum(one.sheets for one in stock.vault), "spoiled": len(stock.spoiled)}
        return self.say(e.CountTaken(place, max(0, there.get(place, stock.in_magazine(place)) + off), "cat"))

    def count_all(self) -> None:
        for place in ("vault", "spoiled", *self.state.stock.magazines):
            assert self.count(place).refused is None

    def off_line(self, press: str, is_off: bool = True) -> None:
        """Let the operator at a press take it off line, or start it again."""
        self.say(e.StationReported(press, "stopped" if is_off else "idle", "", 0.0))

    def errand(self) -> None:
        """Do one thing that keepers do, of serials and places that may be wrong."""
        dice, stock = self.random, self.state.stock
        press = dice.choice(PRESSES)
        ranges = [*stock.vault, *(one for magazine in stock.magazines.values() for one in magazine)]
        one = dice.choice(ranges)
        first, sheets = dice.randint(one.first, one.first + one.sheets - 1), dice.choice([1, 1, 2, 5])
        spoiled = list(stock.spoiled)
        verb = dice.choice(["issue", "return", "sample", "lost", "lost_blank", "destroy", "count", "close", "load"])
        if verb in ("issue", "return", "lost"):
            if verb == "return" and dice.random() < 0.7:
                self.off_line(press)
            place = dice.choice([press, press, "vault", "w1"]) if verb == "lost" else press
            if self.both(verb, station=place, first_body=first, sheets=sheets).refused is None and verb == "lost":
                self.drop(first, sheets)
            self.off_line(press, False)
        elif verb == "sample":
            self.both(verb, first_body=first, sheets=sheets)
        elif verb == "lost_blank":
            self.both(verb, blank=dice.choice([*spoiled, *stock.returned, 1]))
        elif verb == "destroy":
            self.both(verb, count=len(spoiled) + dice.choice([0, 0, 0, 1]))
        elif verb == "count":
            self.count(dice.choice(["vault", "spoiled", *PRESSES, "attic"]), dice.choice([0, 0, 1]))
        elif verb == "load":
            self.say(e.SupplyEntered(dice.choice([press, "p1", "p2"]), "film", "F1", dice.choice([5, 40]), "cat"))
        else:
            for place in ("vault", "spoiled", *PRESSES):
                self.count(place)
            self.both("close_shift")

    def drop(self, first: int, sheets: int) -> None:
        """What is lost no press draws any more."""
        for have in (*self.bodies.values(), *self.singles.values()):
            have[:] = [body for body in have if not first <= body < first + sheets]

    def run_with_keepers(self, errands: int) -> None:
        """Work on, one errand every few minutes; then refill what was used up and come to the end of every batch."""
        for _ in range(errands):
            until = self.host.now_floor_s + self.random.uniform(5, 400)
            self.host.run(until)
            self.host.now_floor_s = until
            self.errand()
        self.load_all()
        self.run()

    def load_all(self) -> None:
        """Load every printer and press with film enough, and let them run."""
        for station in ("p1", "p2", *PRESSES):
            self.say(e.SupplyEntered(station, "film", "F2", 100_000, "cat"))
            self.off_line(station, False)
