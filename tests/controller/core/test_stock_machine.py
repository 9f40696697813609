"""Keepers as a machine that hypothesis plays: after every act each body sheet is where a model of one dict says."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from controller.core import events as e
from controller.core.fold import apply
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.core.state import FloorState
from controller.core.stock import Account
from devices.messages import POSITIONS

PRESSES = ("l1", "l2")
FIRST = st.integers(1, 40)
SHEETS = st.integers(0, 6)
ACCOUNTS = {"vault": Account.VAULT, "l1": Account.MAGAZINE, "l2": Account.MAGAZINE}


class Keepers(RuleBasedStateMachine):
    """Two presses, forty serials, and acts that may or may not be possible."""

    def __init__(self) -> None:
        super().__init__()
        self.foreman, self.log, self.now_floor_s = Foreman(CoreConfig()), [], 0.0
        self.place: dict[int, str] = {}  # body sheet -> vault, a press, sample or missing
        self.right: dict[str, bool] = {}  # place counted in this shift -> it agrees, as far as we know
        self.stopped = dict.fromkeys(PRESSES, False)
        self.say(e.ServiceBegan())
        for press in PRESSES:
            self.say(e.StationSeen(press, "laminate", "m", 24, "idle", ""))
        self.receive(1, 30)
        self.issue("l1", 1, 15)

    def say(self, event):
        self.now_floor_s += 1.0
        turn = self.foreman.handle(event, self.now_floor_s)
        self.log += [(self.now_floor_s, move) for move in turn.moves]
        return turn

    def both(self, verb, **args):
        """Give whether two people could do an act; one alone never can."""
        asked = self.say(e.ActAsked(verb, args, "ann"))
        if asked.refused:
            assert not asked.moves
            return False
        assert self.say(e.ActSeconded(asked.answer, "ann")).refused.code == "act.same_person"
        return self.say(e.ActSeconded(asked.answer, "bob")).refused is None

    def lie_together(self, place, first, sheets):
        return sheets >= 1 and all(self.place.get(body) == place for body in range(first, first + sheets))

    def put(self, first, sheets, place):
        self.place |= dict.fromkeys(range(first, first + sheets), place)

    # ---- acts ------------------------------------------------------------------------------------------------------

    @rule(first=FIRST, sheets=SHEETS)
    def receive(self, first, sheets):
        can = sheets >= 1 and not any(body in self.place for body in range(first, first + sheets))
        assert self.both("receive", first_body=first, sheets=sheets, lot="A") == can
        if can:
            self.put(first, sheets, "vault")

    @rule(press=st.sampled_from(PRESSES), first=FIRST, sheets=SHEETS)
    def issue(self, press, first, sheets):
        done = self.both("issue", station=press, first_body=first, sheets=sheets)
        assert not done or self.lie_together("vault", first, sheets)
        if done:
            self.put(first, sheets, press)

    @rule(press=st.sampled_from(PRESSES), first=FIRST, sheets=SHEETS)
    def give_back(self, press, first, sheets):
        done = self.both("return", station=press, first_body=first, sheets=sheets)
        assert not done or (self.stopped[press] and self.lie_together(press, first, sheets))
        if done:
            self.put(first, sheets, "vault")

    @rule(first=FIRST, sheets=SHEETS)
    def sample(self, first, sheets):
        done = self.both("sample", first_body=first, sheets=sheets)
        assert not done or self.lie_together("vault", first, sheets)
        if done:
            self.put(first, sheets, "sample")

    @rule(place=st.sampled_from(["vault", *PRESSES]), first=FIRST, sheets=SHEETS)
    def lose(self, place, first, sheets):
        done = self.both("lost", station=place, first_body=first, sheets=sheets)
        assert not done or self.lie_together(place, first, sheets)
        if done:
            self.put(first, sheets, "missing")
            self.right.pop(place, None)  # it may explain the last count, or make it wrong

    @rule(press=st.sampled_from(PRESSES), is_stopped=st.booleans())
    def switch(self, press, is_stopped):
        self.stopped[press] = is_stopped
        self.say(e.StationReported(press, "stopped" if is_stopped else "idle", "", 0.0))

    @rule(place=st.sampled_from(["vault", "spoiled", "attic", *PRESSES]), off=st.sampled_from([0, 0, 0, 1]))
    def count(self, place, off):
        there = Counter(self.place.values())[place]
        done = self.say(e.CountTaken(place, there + off, "cat")).refused is None
        assert done == (place in ("vault", "spoiled") or place in self.foreman.state.stock.magazines)
        if done:
            self.right[place] = not off

    @rule()
    def close(self):
        needed = {"vault", "spoiled"} | {press for press in PRESSES if press in self.place.values()}
        missing = set(self.foreman.state.stock.lost)
        done = self.both("close_shift")
        if done:
            assert all(self.right.get(place, True) for place in needed)
            assert not self.foreman.state.stock.lost
            assert len(missing) % POSITIONS == 0
            self.right.clear()
        elif needed <= self.right.keys() and all(self.right.values()):
            assert any(place not in self.right for place in self.foreman.state.stock.counts), "it should have closed"

    # ---- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def each_body_sheet_is_where_the_model_says(self):
        stock, found = self.foreman.state.stock, {}
        for place, ranges in {"vault": stock.vault, **stock.magazines}.items():
            for one in ranges:
                bodies = range(one.first, one.first + one.sheets)
                assert not found.keys() & set(bodies)
                found |= dict.fromkeys(bodies, place)
        assert found == {body: place for body, place in self.place.items() if place in ACCOUNTS}

    @invariant()
    def the_accounts_add_up(self):
        stock, places = self.foreman.state.stock, Counter(self.place.values())
        assert stock.balanced()
        assert stock.blanks[Account.VAULT] == places["vault"] * POSITIONS
        assert stock.blanks[Account.MAGAZINE] == (places["l1"] + places["l2"]) * POSITIONS
        assert stock.blanks[Account.SAMPLE] == places["sample"] * POSITIONS
        assert stock.blanks[Account.MISSING] == places["missing"] * POSITIONS
        assert stock.received == len(self.place) * POSITIONS

    def teardown(self):
        state = FloorState()
        for at, move in self.log:
            apply(state, at, move)
        assert state == self.foreman.state


TestKeepers = Keepers.TestCase
TestKeepers.settings = settings(
    max_examples=150, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
