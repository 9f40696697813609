"""A floor that hypothesis plays: any order of batches, results, losses, people and restarts; the laws at every step."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controller.core import events as e
from controller.core.cards import FINAL, IN_MAKING, State
from controller.core.foreman import Foreman
from controller.core.hold_events import BatchHoldAsked, BatchReleaseAsked, CardHoldAsked, CardReleaseAsked
from controller.core.moves import (
    CardDecided,
    ConsignmentSent,
    RowVerdict,
    Verdict,
)
from controller.core.settings import ROUTES
from controller.core.state import RIPE_CARDS, FloorState
from controller.core.stock import Account
from devices.defects import Step
from devices.messages import Fate
from tests.controller.core.played_floor import CODES, CONFIG, ENOUGH_TURNS, ON_A_BLANK, STATIONS, PlayedFloor

masks = st.integers(0, 255)


class FloorMachine(PlayedFloor, RuleBasedStateMachine):
    """Every rule is something that may happen on a floor, at any time."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        PlayedFloor.__init__(self)

    # ---- what may happen -----------------------------------------------------------------------------------------

    @initialize()
    def open(self) -> None:
        self.tell(e.ServiceBegan())
        self.see_stations()
        self.fill()

    @precondition(lambda self: "k2" not in self.given)
    @rule(load_max=st.integers(1, 12))
    def a_small_packer_joins(self, load_max: int) -> None:
        """What it takes at once decides of which piles every packer looks at."""
        self.stations["k2"] = (Step.PACK, load_max)
        self.see_stations("k2")

    @rule()
    def fill(self) -> None:
        for each, places in ((20, 8), (3, 1)):
            lot = {"first_body": self.next_body, "sheets": 2 * each, "lot": "A", "places": places}
            assert self.two_people("receive", lot)
            for place, station in enumerate(("l1", "l2")):
                first = self.next_body + each * place
                assert self.two_people("issue", {"station": station, "first_body": first, "sheets": each})
            self.next_body += 2 * each

    @rule(cards=st.integers(1, 30), held=st.integers(0, 3), kind=st.sampled_from(sorted(ROUTES)), express=st.booleans())
    def submit(self, cards: int, held: int, kind: str, express: bool) -> None:
        self.batches += 1
        rows = [
            RowVerdict(
                index,
                f"{self.batches:011d}{index:011d}",
                f"5201020{index % 3:02d}",
                Verdict.HOLD if index < held else Verdict.REFUSE if index == cards - 1 else Verdict.OK,
                ["x"] if index < held or index == cards - 1 else [],
                express=express,
            )
            for index in range(cards)
        ]
        due = self.now_floor_s + 86_400 * (1 + self.batches % 3)
        number = f"{self.batches:025d}"
        self.tell(e.BatchChecked(self.batches, number, "north", kind, self.now_floor_s, due, rows))

    @precondition(lambda self: self.encodes)
    @rule(fails=st.integers(0, 20))
    def encoded(self, fails: int) -> None:
        job_id, cards = next(iter(self.encodes.items()))
        del self.encodes[job_id]
        self.tell(e.CardsEncoded(job_id, [(cards[0], "face.no_glyph")] if fails == 0 else []))

    @precondition(lambda self: self.given)
    @rule(
        data=st.data(), bad=masks | st.just(0), fate=st.sampled_from([Fate.DONE] * 8 + [Fate.SPOILED, Fate.UNTOUCHED])
    )
    def finish(self, data: st.DataObject, bad: int, fate: str) -> None:
        job = self.given.pop(data.draw(st.sampled_from(sorted(self.given))))
        self.told.append(self.tell(self.result(job, bad if data.draw(st.integers(0, 5)) == 0 else 0, fate)))

    @rule(jobs=st.integers(5, 40), bad=st.sampled_from([0, 0, 1, 4, 128]), at=st.sampled_from([*CODES, None]))
    def let_it_run(self, jobs: int, bad: int, at: Step | None) -> None:
        """The floor works for a while; one step may spoil the same position of every sheet."""
        for _ in range(jobs):
            if self.encodes:
                job_id, _ = self.encodes.popitem()
                self.tell(e.CardsEncoded(job_id))
            if self.given:
                job = self.given.pop(next(iter(self.given)))
                self.now_floor_s += 10
                self.tell(self.result(job, bad if job.step == at else 0, Fate.DONE))

    @precondition(lambda self: self.given)
    @rule(data=st.data(), forgotten=st.booleans())
    def lose_a_job(self, data: st.DataObject, forgotten: bool) -> None:
        job = self.given.pop(data.draw(st.sampled_from(sorted(self.given))))
        event = e.JobForgotten if forgotten else e.JobNeverSeen
        self.tell(event(job.station, job.job_id))

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        before = len(self.log)
        self.tell(data.draw(st.sampled_from(self.told[-20:])))
        assert not any(type(move).__name__ in ("PositionsMarked", "BundleMade") for _, move in self.log[before:])

    @rule(
        name=st.sampled_from(sorted(STATIONS)), state=st.sampled_from(["idle", "stopped", "aborted", "silent", "idle"])
    )
    def change_a_station(self, name: str, state: str) -> None:
        self.tell(e.StationReported(name, state, "", self.now_floor_s))

    @rule(name=st.sampled_from(sorted(STATIONS)), hold=st.booleans())
    def hold_or_release(self, name: str, hold: bool) -> None:
        self.tell(e.HoldAsked(name, "check", "ann") if hold else e.ReleaseAsked(name, "ann"))

    @precondition(lambda self: self.state.cards)
    @rule(data=st.data(), hold=st.booleans(), whole=st.booleans())
    def hold_or_release_cards(self, data: st.DataObject, hold: bool, whole: bool) -> None:
        state = self.state
        holds = state.batch_holds if whole else state.card_holds
        one = data.draw(
            st.sampled_from(sorted(state.batches if whole else state.cards if hold or not holds else holds))
        )
        asked = (BatchHoldAsked if whole else CardHoldAsked)(one, "check", "ann")
        before, is_over = dict(holds), not whole and state.cards[one].state in FINAL
        self.tell(asked if hold else (BatchReleaseAsked if whole else CardReleaseAsked)(one, "ann"))
        assert bool(self.answer.refused) is (one in before or is_over if hold else one not in before)

    @rule(seconds=st.sampled_from([1.0, 60.0, 700.0, 30_000.0]))
    def wait(self, seconds: float) -> None:
        self.now_floor_s += seconds
        self.tell(e.TimerFired())

    @precondition(lambda self: self.state.cards)
    @rule(data=st.data(), decision=st.sampled_from(["release", "refuse", "cancel", "resume", "refuse_late"]))
    def decide(self, data: st.DataObject, decision: str) -> None:
        card = data.draw(st.sampled_from(sorted(self.state.cards)))
        self.tell(e.DecisionMade(card, decision, "ann", "looked"))

    @precondition(lambda self: self.state.cards)
    @rule(data=st.data(), verb=st.sampled_from(["set_good", "set_good", "missing", "destroy", "give_up"]))
    def act(self, data: st.DataObject, verb: str) -> None:
        rejected = [number for number, card in self.state.cards.items() if card.rejected_blank]
        wanted = rejected if verb == "set_good" and rejected else sorted(self.state.cards)
        card = data.draw(st.sampled_from(wanted))
        jobs = [job.job_id for job in self.state.jobs.values()] or [0]
        args: dict[str, int | str] = {
            "card": card,
            "code": "false_reject",
            "count": len(self.state.stock.spoiled),
            "job_id": data.draw(st.sampled_from(jobs)),
        }
        given = {job.job_id: station for station, job in self.given.items()}
        if self.two_people(verb, args) and verb == "give_up":
            station = given[int(args["job_id"])]
            if self.given[station].job_id == args["job_id"]:  # else it has the next one already
                del self.given[station]

    @rule(wrong=st.integers(0, 9))
    def close_a_shift(self, wrong: int) -> None:
        """Every place is counted, one perhaps wrongly: then the shift must not close; a working press waits."""
        stock = self.state.stock
        places = {"vault": stock.blanks[Account.VAULT] // 8, "spoiled": len(stock.spoiled)}
        places |= {press: stock.in_magazine(press) for press in sorted(stock.magazines)}
        miscounted = list(places)[wrong] if wrong < len(places) else ""
        for place, sheets in places.items():
            self.tell(e.CountTaken(place, sheets + (place == miscounted), "ann"))
            if self.answer.refused:
                assert self.state.stations[place].job_id
            else:
                self.agrees[place] = place != miscounted
        needed = {place for place in places if place in ("vault", "spoiled") or stock.in_magazine(place)}
        closes = needed <= self.agrees.keys() and all(self.agrees.values())
        assert self.two_people("close_shift", {}) is closes
        if closes:
            self.agrees.clear()

    @precondition(lambda self: self.dispatched)
    @rule(data=st.data())
    def bring_a_card_back(self, data: st.DataObject) -> None:
        """A card that was sent comes back: its next case is a batch of one."""
        card, blank, unit, kind = self.dispatched.pop(data.draw(st.integers(0, len(self.dispatched) - 1)))
        self.batches += 1
        number, now = f"{self.batches:025d}", self.now_floor_s
        row = RowVerdict(0, f"{self.batches:022d}", unit, Verdict.OK, express=True, case_no=1)
        opened = e.BatchChecked(self.batches, number, "north", kind, now, now + 432_000, [row])
        returned = self.state.stock.blanks[Account.RETURNED]
        self.tell(e.CardCameBack(card, blank, "chip_dead", "ann", opened))
        assert self.state.stock.blanks[Account.RETURNED] == returned + 1
        self.tell(e.CardCameBack(card, blank, "chip_dead", "bob", opened))
        assert self.state.stock.blanks[Account.RETURNED] == returned + 1, "one card came back twice"

    @rule()
    def look_after_people(self) -> None:
        """Two people settle suspects and stopped piles."""
        for sheet in [sheet for sheet in self.state.sheets.values() if sheet.suspect]:
            args: dict[str, int | str] = {"sheet_id": sheet.sheet_id, "mask": sheet.suspect, "finding": "spoiled"}
            if not sheet.body and sheet.sheet_id in self.drawn:
                args["body"] = self.drawn[sheet.sheet_id]
            self.two_people("settle", args)
        for batch_id, unit in list(self.state.stopped_piles):
            self.two_people("repack", {"batch_id": batch_id, "unit": unit})

    @rule()
    def start_the_service_again(self) -> None:
        """Killed between two turns: the new foreman knows what the ledger knows, and asks for the rest."""
        self.foreman = Foreman(CONFIG)
        for at, move in self.log:
            self.foreman.replay(at, move)
        open_jobs, self.encodes = dict(self.given), {}
        self.tell(e.ServiceBegan())
        self.see_stations()
        assert open_jobs.keys() <= self.given.keys()

    # ---- what is true after every step ---------------------------------------------------------------------------

    @invariant()
    def blanks_are_conserved_and_never_negative(self) -> None:
        stock = self.state.stock
        assert stock.balanced()
        assert min(stock.blanks.values()) >= 0
        states = Counter(card.state for card in self.state.cards.values())
        assert stock.blanks[Account.GOOD] == states[State.GOOD]
        assert stock.blanks[Account.BUNDLE] == states[State.MADE]
        assert stock.blanks[Account.QUARANTINED] == states[State.QUARANTINED]

    @invariant()
    def no_card_has_two_blanks_and_no_blank_two_cards(self) -> None:
        blanks = [card.blank for card in self.state.cards.values() if card.blank]
        assert len(blanks) == len(set(blanks))
        assert not set(blanks) & self.state.stock.spoiled.keys()
        for card in self.state.cards.values():
            assert bool(card.blank) or card.state not in ON_A_BLANK

    @invariant()
    def every_card_is_in_one_place(self) -> None:
        state, ready = self.state, [rank[-1] for ranks in self.state.ready.values() for rank in ranks]
        free = [card for card in state.cards.values() if not state.is_held(card)]
        assert sorted(ready) == sorted(card.card for card in free if card.state is State.READY)
        piled = {card for pile in state.piles.values() for card in pile}
        assert not any(state.is_held(state.cards[number]) for number in piled | {rank[-1] for rank in state.unencoded})
        lying = [
            number
            for sheet in state.sheets.values()
            for place, number in enumerate(sheet.cards)
            if (sheet.live | sheet.suspect) >> place & 1
        ]
        on_sheets = (State.IMPOSED, State.QUARANTINED, State.SUSPECT)
        assert sorted(lying) == sorted(card.card for card in state.cards.values() if card.state in on_sheets)

    @invariant()
    def no_packer_overlooks_a_pile(self) -> None:
        state = self.state
        may_join = Counter(
            (card.batch_id, card.unit)
            for card in state.cards.values()
            if card.state in IN_MAKING and card.card not in state.card_holds
        )
        assert state.making == may_join
        assert state.ripe_cards == min([RIPE_CARDS, *(load for step, load in self.seen_loads if step is Step.PACK)])
        full = {pile for pile, cards in state.piles.items() if len(cards) >= state.ripe_cards}
        assert state.ripe == full | (state.piles.keys() - may_join.keys())

    @invariant()
    def replay_gives_the_same_state(self) -> None:
        if len(self.log) % 7:  # the whole fold each time would be quadratic
            return
        self.check_replay()

    def check_replay(self) -> None:
        again = Foreman(CONFIG)
        for at, move in self.log:
            again.replay(at, move)
        for one in fields(FloorState):
            assert getattr(again.state, one.name) == getattr(self.state, one.name), one.name

    # ---- a tail without faults ----------------------------------------------------------------------------------

    def teardown(self) -> None:
        """Every accepted case reaches exactly one end when nothing goes wrong any more."""
        if not self.state.stations:
            return
        for name in self.stations:
            self.tell(e.StationReported(name, "idle", "", self.now_floor_s))
        for _ in range(ENOUGH_TURNS):
            if not self.state.batches:
                break
            self.go_on()
        assert not self.state.batches, "a batch never closed"
        self.blanks_are_conserved_and_never_negative()
        self.check_replay()
        ends: Counter[int] = Counter()
        made: dict[int, list[int]] = {}
        for _, move in self.log:
            if isinstance(move, ConsignmentSent):
                ends.update(card for bundle in move.bundles for card in made[bundle])
            elif isinstance(move, CardDecided) and move.decision in ("refuse", "cancel", "refuse_late"):
                ends[move.card] += 1
            elif type(move).__name__ == "BundleMade":
                made[move.bundle_id] = move.cards  # type: ignore[union-attr]
        assert set(ends.values()) <= {1}

    def go_on(self) -> None:
        """Let everything that is under way end well, and people do what waits for them."""
        if self.encodes:
            job_id, _ = self.encodes.popitem()
            self.tell(e.CardsEncoded(job_id))
            return
        if self.given:
            _, job = self.given.popitem()
            self.tell(self.result(job, 0, Fate.DONE))
            return
        if any(
            self.state.stock.in_magazine(press, 8) < 5 or not self.state.stock.in_magazine(press, 1)
            for press in ("l1", "l2")
        ):
            self.fill()
        for station in list(self.state.station_holds):
            self.tell(e.ReleaseAsked(station, "ann"))
        for number in list(self.state.card_holds):
            self.tell(CardReleaseAsked(number, "bob"))
        for number in list(self.state.batch_holds):
            self.tell(BatchReleaseAsked(number, "bob"))
        self.look_after_people()
        for card in list(self.state.cards.values()):
            if card.state is State.HELD:
                self.tell(e.DecisionMade(card.card, "release", "ann", "looked"))
            elif card.state is State.STOPPED:
                self.tell(e.DecisionMade(card.card, "refuse_late", "ann", "enough"))
        self.now_floor_s += 700
        self.tell(e.TimerFired())


FloorMachine.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
test_no_law_bends_whatever_the_order_of_things = FloorMachine.TestCase
