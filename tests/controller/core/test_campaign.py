"""The campaign's fold: whatever happens in whatever order, each fee class adds up, and nobody is kept."""

from __future__ import annotations

import pickle
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.checks.reason import FEE_CLASSES
from controller.core import moves as m
from controller.core.campaign import ALWAYS, FEE_GROUPS, RETURNED, Campaign, month_before, month_of
from controller.core.cards import Decision
from controller.core.moves import RowVerdict, Verdict
from controller.core.quality_moves import BundleOpened
from controller.core.tally import Tally
from tests.controller.core.rough_floor import RoughFloor

FAULTS = {"portrait.blank": "photo", "name.latin": "data"}
UNITS = ("520102001", "520102002", "520121001")
FEES = sorted(FEE_CLASSES)
DAY_S = 86_400.0
START_S = datetime(2026, 1, 20, tzinfo=UTC).timestamp()

rows = st.builds(
    RowVerdict,
    index=st.just(0),
    acceptance_number=st.just("5201020012026010100001"),
    unit=st.sampled_from(UNITS),
    verdict=st.sampled_from(Verdict),
    codes=st.lists(st.sampled_from(["portrait.blank", "name.latin", "duplicate.application"]), max_size=3),
    case_no=st.sampled_from([0, 0, 0, 1]),
    fee_class=st.sampled_from(FEES),
    in_scope=st.booleans(),
)


class Counting(RuleBasedStateMachine):
    """A ledger in any order; beside the fold under test a list of every case, counted the long way."""

    def __init__(self) -> None:
        super().__init__()
        self.campaign, self.tally = Campaign(FAULTS), Tally()
        self.at, self.batch, self.bundle = START_S, 0, 0
        self.cases: dict[int, RowVerdict] = {}
        self.ends: dict[int, str] = {}  # card -> held, open, bundled, or its end
        self.bundles: dict[int, list[int]] = {}

    def tell(self, move: m.AnyMove) -> None:
        self.campaign.fold(self.at, move)
        self.tally.fold(self.at, move)

    def cards(self, *ends: str) -> list[int]:
        return [card for card, end in self.ends.items() if end in ends]

    @rule(days=st.integers(0, 20))
    def time_goes_on(self, days):
        self.at += days * DAY_S

    @rule(found=st.lists(rows, min_size=1, max_size=6))
    def a_batch_is_judged(self, found):
        self.batch += 1
        told = [
            RowVerdict(at, row.acceptance_number, row.unit, row.verdict, row.codes, [], False, *row_rest(row))
            for at, row in enumerate(found)
        ]
        self.tell(m.BatchOpened(self.batch, "1" * 25, "north", "second", self.at, self.at + DAY_S, told))
        ends = {Verdict.REFUSE: "refused", Verdict.HOLD: "held"}
        for row in told:
            card = self.batch * 10_000 + row.index
            self.cases[card], self.ends[card] = row, ends.get(row.verdict, "open")

    @precondition(lambda self: self.cards("held"))
    @rule(pick=st.integers(0), is_released=st.booleans())
    def a_person_decides_about_a_held_one(self, pick, is_released):
        held = self.cards("held")
        card = held[pick % len(held)]
        self.tell(m.CardDecided(card, Decision.RELEASE if is_released else Decision.REFUSE, "ann", "looked"))
        self.ends[card] = "open" if is_released else "refused"

    @precondition(lambda self: self.cards("open"))
    @rule(pick=st.integers(0), decision=st.sampled_from([Decision.CANCEL, Decision.REFUSE_LATE, Decision.RESUME]))
    def a_person_decides_about_an_accepted_one(self, pick, decision):
        accepted = self.cards("open")
        card = accepted[pick % len(accepted)]
        self.tell(m.CardDecided(card, decision, "ann", "looked"))
        if decision is not Decision.RESUME:
            self.ends[card] = "cancelled" if decision is Decision.CANCEL else "refused_late"

    @precondition(lambda self: self.cards("open"))
    @rule(count=st.integers(1, 4))
    def a_bundle_is_made(self, count):
        # of one batch, as the floor makes them
        first = self.cards("open")[0]
        cards = [card for card in self.cards("open") if card // 10_000 == first // 10_000][:count]
        self.bundle += 1
        self.bundles[self.bundle] = cards
        self.tell(m.BundleMade(self.bundle, first // 10_000, "", cards, "k1"))
        self.ends |= dict.fromkeys(cards, "bundled")

    @precondition(lambda self: self.bundles)
    @rule(pick=st.integers(0), is_opened=st.booleans())
    def a_bundle_leaves_or_is_opened_again(self, pick, is_opened):
        bundle = sorted(self.bundles)[pick % len(self.bundles)]
        cards = self.bundles.pop(bundle)
        if is_opened:
            self.tell(BundleOpened(bundle, "drift"))
        else:
            self.tell(m.ConsignmentSent(bundle, cards[0] // 10_000, [bundle], "ann"))
        self.ends |= dict.fromkeys(cards, "open" if is_opened else "dispatched")

    @invariant()
    def each_fee_class_adds_up_and_is_what_was_counted_the_long_way(self):
        sums = self.campaign.between(*ALWAYS)
        classes = {card: RETURNED if row.case_no else row.fee_class for card, row in self.cases.items()}
        for fee_class in FEE_GROUPS:
            mine = Counter(self.ends[card] for card, one in classes.items() if one == fee_class)
            ended = mine["dispatched"] + mine["cancelled"] + mine["refused_late"]
            assert sums.dispatched[fee_class] == mine["dispatched"]
            assert sums.cancelled[fee_class] == mine["cancelled"]
            assert sums.refused_late[fee_class] == mine["refused_late"]
            assert sums.accepted[fee_class] == ended + mine["open"] + mine["bundled"]
            assert (
                sums.open(fee_class) == self.campaign.open_by_fee_class()[fee_class] == mine["open"] + mine["bundled"]
            )

    @invariant()
    def all_fee_classes_together_are_law_4(self):
        sums, tally = self.campaign.between(*ALWAYS), self.tally
        for name in ("accepted", "dispatched", "cancelled", "refused_late"):
            assert getattr(sums, name).total() == getattr(tally, name)
        ended = sums.dispatched.total() + sums.cancelled.total() + sums.refused_late.total()
        assert sums.accepted.total() == ended + self.campaign.open_by_fee_class().total()

    @invariant()
    def what_is_complete_and_what_was_captured_badly_is_counted_once(self):
        sums = self.campaign.between(*ALWAYS)
        firsts = {card: row for card, row in self.cases.items() if not row.case_no}
        sent = [row for card, row in firsts.items() if self.ends[card] == "dispatched"]
        assert sums.completed == sum(row.in_scope for row in sent)
        refused = [set(row.codes) for card, row in firsts.items() if self.ends[card] == "refused"]
        assert (sums.received, sums.refused) == (len(firsts), len(refused))
        assert sums.photo_faults == sum("portrait.blank" in codes for codes in refused)
        assert sums.data_faults == sum("name.latin" in codes for codes in refused)
        assert sums.capture_faults == sum(bool(codes & FAULTS.keys()) for codes in refused)

    @invariant()
    def months_and_stations_are_parts_of_the_whole(self):
        whole, parts = self.campaign.between(*ALWAYS), Counter()
        for unit in UNITS:
            for month in ("2026", "2027", "2028", "2029"):
                counts = self.campaign.between(f"{month}-01", f"{month}-12", unit)
                assert 0.0 <= counts.capture_accuracy() <= 1.0
                assert counts.completed == self.campaign.completed(f"{month}-01", f"{month}-12", unit)
                parts.update(received=counts.received, completed=counts.completed, sent=counts.dispatched.total())
        assert parts == Counter(received=whole.received, completed=whole.completed, sent=whole.dispatched.total())


def row_rest(row: RowVerdict) -> tuple[int, str, bool]:
    return row.case_no, row.fee_class, row.in_scope


TestCounting = Counting.TestCase
TestCounting.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_on_a_rough_floor_the_campaign_counts_what_the_tally_counts(seed):
    floor = RoughFloor(seed)
    floor.submit(1.0, 1, cards=40, holds=4, refused=5)
    floor.submit(900.0, 2, cards=25)
    floor.run()
    campaign = Campaign(FAULTS)
    for at, move in floor.log:
        campaign.fold(at, move)
    sums, tally = campaign.between(*ALWAYS), floor.report.tally
    for name in ("accepted", "dispatched", "cancelled", "refused_late"):
        assert getattr(sums, name).total() == getattr(tally, name)
    assert campaign.open_by_fee_class() == Counter()
    assert sums.dispatched.total() > 0


# ---- single things ---------------------------------------------------------------------------------------------


def row(index=0, **changes):
    fields = {"unit": UNITS[0], "verdict": Verdict.OK, "fee_class": "standard", "in_scope": True} | changes
    return RowVerdict(index, "5201020012026010100001", **fields)


def told(campaign, at, *rows_told, batch=1):
    campaign.fold(at, m.BatchOpened(batch, "1" * 25, "north", "second", at, at, list(rows_told)))


def send(campaign, at, cards, bundle=1):
    campaign.fold(at, m.BundleMade(bundle, 1, UNITS[0], cards, "k1"))
    campaign.fold(at, m.ConsignmentSent(bundle, 1, [bundle], "ann"))


def test_a_card_that_came_back_and_is_sent_again_completes_nobody_twice_and_costs_no_second_fee():
    campaign = Campaign()
    told(campaign, START_S, row())
    send(campaign, START_S, [10_000])
    told(campaign, START_S, row(case_no=1), batch=2)
    send(campaign, START_S, [20_000], bundle=2)
    sums = campaign.between(*ALWAYS)
    assert (sums.completed, sums.received) == (1, 1)
    assert sums.dispatched == Counter({"standard": 1, RETURNED: 1})


@pytest.mark.parametrize(("changes", "completed"), [({}, 1), ({"in_scope": False}, 0)])
def test_only_dispatched_people_in_scope_are_complete(changes, completed):
    campaign = Campaign()
    told(campaign, START_S, row(**changes), row(1))
    assert campaign.completed(*ALWAYS) == 0
    send(campaign, START_S, [10_000])
    assert campaign.completed(*ALWAYS) == completed


def test_the_last_second_of_a_month_and_the_first_of_the_next_are_two_months():
    midnight = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
    assert (month_of(midnight - 0.001), month_of(midnight)) == ("2026-01", "2026-02")
    campaign = Campaign()
    told(campaign, midnight - 0.001, row(), row(1))
    send(campaign, midnight - 0.001, [10_000])
    send(campaign, midnight, [10_001], bundle=2)
    assert campaign.between("2026-01", "2026-01").completed == 1
    assert campaign.between("2026-02", "2026-02").completed == 1
    assert campaign.between("2026-01", "2026-02", "520102").completed == 2
    assert campaign.between("2026-01", "2026-02", "520121").completed == 0


@pytest.mark.parametrize(("month", "before"), [("2026-01", "2025-12"), ("2026-10", "2026-09"), ("2026-03", "2026-02")])
def test_the_month_before_january_is_december(month, before):
    assert month_before(month) == before


def test_a_held_one_that_is_refused_counts_in_the_month_it_came():
    campaign = Campaign(FAULTS)
    told(campaign, START_S, row(verdict=Verdict.HOLD, codes=["portrait.blank"]))
    campaign.fold(START_S + 40 * DAY_S, m.CardDecided(10_000, Decision.REFUSE, "ann", "no"))
    january = campaign.between("2026-01", "2026-01")
    assert (january.refused, january.photo_faults, january.capture_accuracy()) == (1, 1, 0.0)
    assert campaign.between("2026-02", "2026-03").refused == 0


def test_a_duplicate_says_nothing_of_the_capture():
    campaign = Campaign(FAULTS)
    told(campaign, START_S, row(verdict=Verdict.REFUSE, codes=["duplicate.application"]), row(1))
    assert campaign.between(*ALWAYS).capture_accuracy() == 1.0


def test_nothing_is_kept_of_anybody_whose_card_is_sent():
    def size(cards: int) -> int:
        campaign = Campaign(FAULTS)
        told(campaign, START_S, *(row(index) for index in range(cards)))
        send(campaign, START_S, [10_000 + index for index in range(cards)])
        kept = pickle.dumps(campaign)
        assert b"52010200120260101" not in kept
        return len(kept)

    assert size(2_000) - size(20) < 32  # a wider number or two, no entries


def test_every_fee_class_of_the_checks_has_its_group():
    assert set(FEE_GROUPS) == FEE_CLASSES | {RETURNED}
    assert set(FEE_GROUPS.values()) == {"full", "half", "exempt", "none"}
