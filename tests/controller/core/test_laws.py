"""Attempts to break the laws in the core: whatever stations, people and restarts say, in any order, late and twice."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from controller.core import events as e
from controller.core.cards import Decision
from controller.core.foreman import Foreman
from controller.core.moves import CardMissing, Mark, PositionsMarked, SheetBound, SheetImposed, positions_in
from controller.core.quality_moves import CardReturned, CardSetGood
from controller.core.settings import CoreConfig
from controller.hosts.heap import replay
from controller.ledger.journal import Recorded
from controller.ledger.receipts import FINAL_KINDS
from controller.ledger.verify.whole import verify
from devices.defects import GOOD, Step
from devices.lies import MAX_SERIAL
from devices.messages import Fate, blank_serial, position_of
from tests.controller.core.rough_floor import STATIONS, RoughFloor
from tests.controller.ledger.desk import Desk

ALIVE = (Mark.PASSED, Mark.QUARANTINED, Mark.SUSPECTED, Mark.FOUND_GOOD)
DEAD = (Mark.FILM_SPOILED, Mark.SPOILED, Mark.FOUND_SPOILED, Mark.FOUND_MISSING)
CODES = (GOOD, GOOD, GOOD, "P1", "W9", "X1", "zz", "")


class WildFloor(RoughFloor):
    """A rough floor on which anything may be said at any time: old results, by other stations, with wrong bodies."""

    def __init__(self, seed: int) -> None:
        self.given: list[e.StartJob] = []
        self.places: dict[int, list[int]] = {}
        self.alive: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)  # card -> places that may be good
        self.turns: list[Recorded] = []
        self.taken: set[int] = set()
        self.bound: list[tuple[int, int]] = []
        super().__init__(seed, trouble=0.3)

    # ---- law 1, at every turn ------------------------------------------------------------------------------

    def keep(self, at, event, moves):
        super().keep(at, event, moves)
        self.turns.append(Recorded(at, event, list(moves)))
        for move in moves:
            self.seen[f"{type(event).__name__} {type(move).__name__}"] += 1
            if isinstance(move, SheetImposed):
                self.places[move.sheet_id] = move.cards
                assert not any(self.alive[card] for card in move.cards if card), (
                    "a remake beside a card that may be good"
                )
            elif isinstance(move, SheetBound):
                assert move.body not in self.taken, "a body drawn twice"
                self.taken.add(move.body)
                self.bound.append((move.sheet_id, move.body))
            elif isinstance(move, PositionsMarked):
                self.mark(move)
            elif isinstance(move, CardSetGood):
                self.alive[move.card].add((move.sheet_id, position_of(move.blank)))
                assert len(self.alive[move.card]) == 1, "a reject set good beside a remake that may be good"
            elif isinstance(move, CardMissing | CardReturned):
                [place] = self.alive.pop(move.card)
                bound = next(sheet for sheet in reversed(self.bound) if sheet[0] == place[0])
                assert move.blank == blank_serial(bound[1], place[1]), "another blank than the good one"

    def mark(self, move: PositionsMarked) -> None:
        for position in positions_in(move.mask):
            card, place = self.places[move.sheet_id][position], (move.sheet_id, position)
            if move.mark in ALIVE:
                self.alive[card].add(place)
                assert len(self.alive[card]) == 1, "two blanks of one card that may both be good"
            elif move.mark in DEAD:
                self.alive[card].discard(place)

    # ---- what is said --------------------------------------------------------------------------------------

    def start(self, at, job):
        self.given.append(job)
        super().start(at, job)

    def perform(self, at, action):
        if isinstance(action, e.AskJob):
            self.host.push(at + self.random.uniform(0, 30), self.word_on(action.station, action.job_id))
        else:
            super().perform(at, action)

    def word_on(self, station: str, job_id: int) -> e.AnyEvent:
        """Give some last word on a job that was asked for."""
        known = [job for job in self.given if job.job_id == job_id and not job.bundle_id]
        kind = self.random.choice([e.JobNeverSeen, e.JobForgotten, None if known else e.JobForgotten])
        return kind(station, job_id) if kind else self.result(known[-1])

    def result(self, job: e.StartJob) -> e.StepDone:
        """Give a result as a lying station could send it, and as the link would let it through."""
        step, dice, bodies, sheets = Step(job.step), self.random, set(), []
        for sheet_id, _ in job.sheets:
            fate = dice.choice([Fate.DONE, Fate.DONE, Fate.DONE, Fate.UNTOUCHED, Fate.SPOILED])
            body, codes, blanks = 0, [], []
            if step is Step.LAMINATE and (fate is Fate.DONE or (fate is Fate.SPOILED and dice.random() < 0.5)):
                body = dice.choice([dice.randrange(900, 1_400), self.next_body - 1, 2**50, 1])
                body = next(one for one in range(body, body + 100) if one not in bodies)
                bodies.add(body)
            if fate is Fate.DONE:
                bound = self.state.sheets[sheet_id].body if sheet_id in self.state.sheets else 0
                codes = [dice.choice(CODES) for _ in range(8)]
                serials = [[blank_serial(bound, place), blank_serial(bound, place), 0, 77] for place in range(8)]
                blanks = [dice.choice(one) if step in (Step.WRITE, Step.INSPECT) and bound else 0 for one in serials]
            code = dice.choice(["P1", "L1"]) if fate is Fate.SPOILED else GOOD
            sheets.append(e.SheetOutcome(sheet_id, fate, code, body, codes, blanks))
        dice.shuffle(sheets)
        return e.StepDone(job.station, job.job_id, 1.0, 2.0, sheets)

    def late_result(self) -> e.AnyEvent:
        job = self.random.choice(self.given[-30:])
        station = self.random.choice([job.station, job.station, "p1", "w2"])
        if job.bundle_id:
            blanks = self.random.choice([list(job.blanks), list(job.blanks)[1:], [], [5]])
            return e.BundlePacked(station, job.job_id, 1.0, 2.0, blanks)
        done = self.result(job)
        return e.StepDone(station, done.job_id, done.started_floor_s, done.ended_floor_s, done.sheets)

    def act(self) -> e.AnyEvent:
        """Give an act, sensible or not, or somebody's agreement to one."""
        dice, sheets = self.random, [sheet for sheet in self.state.sheets.values() if sheet.suspect]
        if dice.random() < 0.4:
            event = dice.choice([e.ActSeconded] * 9 + [e.ActWithdrawn])
            return event(dice.choice([*self.state.acts, 1]), dice.choice(["bob", "ann"]))
        if sheets and dice.random() < 0.7:
            sheet = dice.choice(sheets)
            mask = dice.choice([sheet.suspect, 1, dice.randrange(256)])
            args = {"sheet_id": sheet.sheet_id, "mask": mask, "finding": dice.choice(["good", "spoiled", "missing"])}
            return e.ActAsked("settle", args | dice.choice([{}, {"body": dice.randrange(1_000, 1_300)}]), "ann")
        if dice.random() < 0.4:
            card = dice.choice([*self.state.cards, 1])
            pile = dice.choice([*self.state.stopped_piles, (1, "520102000")])
            acts = [("missing", {"card": card}), ("repack", {"batch_id": pile[0], "unit": pile[1]})]
            return e.ActAsked(*dice.choice(acts), "ann")
        first = dice.choice([self.next_body, 1_000, dice.randrange(900, 1_500)])
        args = {"station": dice.choice(["l1", "l2"]), "first_body": first, "sheets": dice.randrange(30), "lot": "q"}
        return e.ActAsked(dice.choice(["receive", "issue", "override"]), args, "ann")

    def word(self) -> e.AnyEvent:
        """Give one thing that anybody may say now."""
        dice = self.random
        station, step, _ = dice.choice(STATIONS)
        job_id = dice.choice([*self.state.jobs, *(job.job_id for job in self.given[-20:]), 1])
        own = self.state.jobs[job_id].station if job_id in self.state.jobs else station
        card = dice.choice([*self.state.cards, 0])
        said = [
            e.JobForgotten(dice.choice([own, own, station]), job_id),
            e.JobNeverSeen(dice.choice([own, own, station]), job_id),
            e.DecisionMade(card, dice.choice([*Decision, "burn"]), "ann", "looked"),
            e.StationSeen(station, dice.choice([step, *Step, "none"]), "m", dice.choice([1, 30, 1_000]), "idle", ""),
            e.StationReported(dice.choice([station, "never"]), dice.choice(["silent", "held", "aborted"]), "", 0.0),
            e.DispatchAsked(dice.choice([*self.state.batches, 1]), "ann"),
            e.CardsEncoded(dice.choice([*self.state.encode_jobs, 1]), dice.choice([[], [], [(card, "c")]])),
            e.ServiceBegan(),
            self.act(),
            self.act(),
            self.late_result() if self.given else e.TimerFired(),
            dice.choice([e.HoldAsked(station, "looked", "ann"), e.ReleaseAsked(station, "ann")]),
            e.SignedOn(station, dice.choice(["mei", ""]), self.host.now_floor_s + dice.choice([-5.0, 60.0])),
        ]
        return dice.choice(said)

    def go_wild(self, words: int) -> None:
        for _ in range(words):
            until = self.host.now_floor_s + self.random.uniform(0, 60)
            self.host.run(until)
            self.host.now_floor_s = until
            for name, station in sorted(self.state.stations.items()):
                if station.state != "idle" and self.random.random() < 0.7:
                    self.host.handle(e.StationReported(name, "idle", "", 0.0), until)
            self.host.handle(self.word(), until)

    def come_to_rest(self) -> None:
        """Let every station be itself again and answer for its job; then go on to the end of every batch."""
        self.trouble = 0.02
        for name, step, load_max in STATIONS:
            job_step = self.state.stations[name].step
            for said in (job_step, step):  # one that has a job must answer for it in the step it was given in
                self.host.handle(e.StationSeen(name, said, "rough", load_max, "idle", ""), self.host.now_floor_s)
        for _ in range(20):
            self.host.run(self.host.now_floor_s + 600)
            for name, step, load_max in STATIONS:
                self.host.handle(e.StationSeen(name, step, "rough", load_max, "idle", ""), self.host.now_floor_s)
        self.run()

    def outcome(self, job, sheet, cards):
        if job.step == Step.LAMINATE:  # the press draws what lies in its magazine by the foreman's own books
            ranges = self.state.stock.magazines[job.station]
            for places, stacks in ((8, self.bodies), (1, self.singles)):
                held = [
                    body for one in ranges if one.places == places for body in range(one.first, one.first + one.sheets)
                ]
                stacks[job.station] = [body for body in held if body not in self.drawn.values()]
        self.drawn.update((one.sheet_id, one.body) for one in self.state.sheets.values() if one.body)
        return super().outcome(job, sheet, cards)

    def settle_suspects(self):
        for sheet in [sheet for sheet in self.state.sheets.values() if sheet.suspect]:
            args = {"sheet_id": sheet.sheet_id, "mask": sheet.suspect, "finding": "spoiled"}
            turn = self.host.handle(e.ActAsked("settle", args, "ann"), self.host.now_floor_s)
            assert self.host.handle(e.ActSeconded(turn.answer, "bob"), self.host.now_floor_s).refused is None
        return 0


def wild(seed: int) -> WildFloor:
    floor = WildFloor(seed)
    for batch in range(1, 4):
        floor.submit(100.0 * batch, batch, cards=30, holds=4, refused=2)
    floor.go_wild(250)
    floor.come_to_rest()
    return floor


# ---- whatever is said ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_no_order_of_words_breaks_a_law_and_every_card_comes_to_one_end(seed):
    floor = wild(seed)
    assert set(floor.ends().values()) == {1}
    assert len(floor.ends()) == floor.received()
    assert floor.refolded() == floor.state
    again = []
    events = [(turn.at_floor_s, turn.event) for turn in floor.turns]
    replay(Foreman(CoreConfig()), events, lambda at, _, moves: again.extend((at, move) for move in moves))
    assert again == floor.log


@pytest.mark.parametrize("seed", [20, 21])
def test_the_ledger_takes_every_order_of_words_in_groups_of_any_size_and_through_restarts(seed):
    floor, desk = wild(seed), Desk()
    turns = list(floor.turns)
    while turns:
        size = floor.random.choice([1, 3, 50, 400])
        desk.keep(turns[:size])
        del turns[:size]
        if floor.random.random() < 0.3:
            desk = Desk(desk.engine)
    assert verify(desk.engine).faults == []
    finals = Counter(row[4] for row in desk.rows("receipt") if row[2] in FINAL_KINDS)
    assert set(finals.values()) == {1}


def test_the_wild_floors_hear_of_everything_they_promise():
    promised = {
        *("JobForgotten PositionsMarked", "StationSeen StationLied", "ActSeconded PositionsMarked"),
        *("ServiceBegan ServiceStarted", "StepDone StationLied", "BundlePacked BundleStopped"),
        *("StepDone CardsQuarantined", "StepDone DriftSignalled"),
    }
    for seed in range(3, 60):
        promised -= {words for words, times in wild(seed).seen.items() if times}
        if not promised:
            return
    raise AssertionError(promised)


# ---- what people ask for ---------------------------------------------------------------------------------------


def floor_with_a_suspect() -> RoughFloor:
    """Give a floor on which a press forgot a film: nobody knows whether a body lies under it."""
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=8)
    while not any(job.step is Step.LAMINATE for job in floor.state.jobs.values()):
        floor.host.run(floor.host.now_floor_s + 1.0)
        floor.host.now_floor_s += 1.0
    [job] = floor.state.jobs.values()
    floor.host.handle(e.JobForgotten(job.station, job.job_id), floor.host.now_floor_s)
    return floor


@pytest.mark.parametrize("body", ["1000", "x", True, -1, 2**60])
def test_a_body_that_is_no_number_is_refused_and_nobody_dies_of_it(body):
    floor = floor_with_a_suspect()
    [sheet] = floor.state.sheets.values()
    args = {"sheet_id": sheet.sheet_id, "mask": sheet.suspect, "finding": "spoiled", "body": body}
    turn = floor.host.handle(e.ActAsked("settle", args, "ann"), floor.host.now_floor_s)
    assert turn.refused.code == "act.argument"
    assert turn.moves == []


def test_what_an_act_did_not_ask_for_does_not_come_into_the_ledger():
    floor = RoughFloor(1, trouble=0.0)
    args = {"first_body": 90_000, "sheets": 5, "lot": "B", "for": "张三丰", "110101199003071234": 1}
    [move] = floor.host.handle(e.ActAsked("receive", args, "ann"), 0.0).moves
    assert move.args == {"first_body": 90_000, "sheets": 5, "lot": "B"}


def test_body_sheets_whose_blanks_no_station_could_name_are_not_received():
    floor = RoughFloor(1, trouble=0.0)
    last = MAX_SERIAL // 10 - 1
    for first, code in [(last, "stock.count"), (last - 5, None)]:
        turn = floor.host.handle(e.ActAsked("receive", {"first_body": first, "sheets": 5, "lot": "B"}, "ann"), 0.0)
        assert (turn.refused and turn.refused.code) == code
    assert blank_serial(last - 1, 7) <= MAX_SERIAL


# ---- what a station is told ------------------------------------------------------------------------------------


def test_a_press_that_lost_its_memory_is_told_only_of_bodies_that_were_not_drawn():
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=40)
    floor.run()
    drawn = {floor.drawn[sheet] for sheet in floor.drawn}
    assert drawn
    for press in ("l1", "l2"):
        load_max = floor.state.stations[press].load_max
        turn = floor.host.handle(e.StationSeen(press, "laminate", "rough", load_max, "idle", ""), 1e6)
        told = [one for one in turn.actions if isinstance(one, e.FillMagazine)]
        bodies = {body for one in told for body in range(one.first_body, one.first_body + one.sheets)}
        assert len(bodies) == floor.state.stock.in_magazine(press)
        assert not bodies & drawn
