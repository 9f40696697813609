"""Batches as a province sends them."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims.batches import BatchPlan, Shares, decode_planted, encode_planted
from sims.faces import HEIGHT_PX, WIDTH_PX, encode
from sims.people import parse_day
from sims.planted import FAULTS, HELD, NOTED, REFUSED

TODAY = "20260312"


class OneFace:
    """Draws the same picture for everybody: these tests are not about pictures."""

    jpeg = encode(np.random.default_rng(1).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), np.uint8), 60)

    def portrait(self, i, sex=""):
        return self.jpeg


def plan_of(seed=5, cards=2_000, **options):
    return BatchPlan(seed, cards, TODAY, faces=OneFace(), **options)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 9_000), st.sampled_from([(50, 1_200), (1, 2), (100, 400)]))
def test_a_plan_holds_just_the_cards_asked_for_in_batches_of_the_sizes_asked_for(seed, cards, sizes):
    plan = plan_of(seed, cards, sizes=sizes, shares=Shares(0, 0, 0))
    counts = [draft.count for draft in plan]
    assert sum(counts) == cards
    assert all(sizes[0] <= count <= sizes[1] for count in counts) or len(counts) == 1
    assert all(len(draft) == draft.count for draft in plan)


def test_batch_numbers_are_25_digits_of_county_day_and_sequence_and_none_is_used_twice():
    plan = plan_of(cards=20_000)
    numbers = [draft.batch_number for draft in plan]
    assert len(set(numbers)) == len(numbers) == len(plan)
    sequences = Counter()
    for draft in plan:
        number = draft.batch_number
        assert len(number) == 25
        assert number.isdigit()
        assert number[12:20] == TODAY
        sequences[number[:12]] += 1
        assert int(number[20:]) == sequences[number[:12]]
        assert draft.application(0).address_county == number[:6]
        assert 2 <= (parse_day(draft.due) - parse_day(TODAY)).days <= 30
    assert len({number[:6] for number in numbers}) > 10


def test_nobody_good_is_in_two_places_of_a_plan():
    plan = plan_of(cards=6_000, shares=Shares(0, 0, 0))
    people = [application for draft in plan for application in draft.applications()]
    assert len(people) == 6_000
    assert len({p.identity_number for p in people}) == 6_000
    assert len({p.acceptance_number for p in people}) == 6_000


def test_a_plan_of_5000_cards_plants_every_kind_and_no_kind_twice_more_than_another():
    plan = plan_of(cards=5_000)
    kinds = Counter(planted.fault for rows in plan.planted.values() for planted in rows)
    assert set(kinds) == {fault.name for fault in FAULTS}
    for faults, share in ((REFUSED, 0.03), (HELD, 0.01), (NOTED, 0.01)):
        counts = [kinds[fault.name] for fault in faults]
        assert sum(counts) == 5_000 * share
        assert max(counts) - min(counts) <= 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 0.3), st.floats(0, 0.1), st.floats(0, 0.1))
def test_shares_are_kept_whatever_they_are(seed, refuse, hold, note):
    plan = plan_of(seed, 700, shares=Shares(refuse, hold, note))
    weights = Counter(planted.expected for rows in plan.planted.values() for planted in rows)
    assert (weights["refuse"], weights["hold"], weights["note"]) == tuple(round(700 * s) for s in (refuse, hold, note))


def test_planted_places_differ_and_the_first_of_a_batch_is_good():
    for draft in plan_of(cards=4_000, shares=Shares(0.2, 0.1, 0.1)):
        places = [planted.index for planted in draft.planted]
        assert places == sorted(set(places))
        assert 0 not in places
        assert all(place < draft.count for place in places)


def test_an_application_is_the_same_however_it_is_reached():
    plan, again = plan_of(), plan_of()
    for draft, other in zip(plan, again, strict=True):
        whole = list(draft.applications())
        assert len(whole) == draft.count
        assert list(other.applications(draft.count - 30)) == whole[-30:]
        for planted in draft.planted:
            assert other.application(planted.index) == whole[planted.index]
    assert plan_of(seed=6)[0].application(0) != plan[0].application(0)


def test_the_first_batch_can_be_due_on_the_day_it_is_sent_and_nothing_else_changes():
    plan, urgent = plan_of(cards=3_000), plan_of(cards=3_000, first_due_today=True)
    assert urgent[0].due == TODAY < plan[0].due
    assert [one.due for one in urgent][1:] == [one.due for one in plan][1:]
    assert urgent[0].application(0) == plan[0].application(0)


def test_a_seed_gives_the_same_bytes_in_every_process():
    code = (
        "from controller.asking.submission import batch_digest, encode_application as e\n"
        "from sims.batches import BatchPlan, encode_planted\n"
        f"plan = BatchPlan(5, 120, {TODAY!r})\n"
        "print(batch_digest(e(a) for d in plan for a in d.applications()), encode_planted(plan.planted))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(said) == 1
    assert said.pop().strip()


def test_everything_not_planted_is_left_alone():
    plan = plan_of()
    bare = plan_of(shares=Shares(0, 0, 0))
    for draft, good in zip(plan, bare, strict=True):
        places = {planted.index for planted in draft.planted}
        for index, (sent, meant) in enumerate(zip(draft.applications(), good.applications(), strict=True)):
            assert (sent != meant) == (index in places)


def test_what_was_planted_survives_its_file_and_names_no_person():
    planted = plan_of().planted
    text = encode_planted(planted)
    assert decode_planted(text) == planted
    rows = [row for batch in msgspec.json.decode(text).values() for row in batch]
    assert {key for row in rows for key in row} == {"index", "fault", "expected", "code", "field", "group"}


@pytest.mark.parametrize(
    ("cards", "options"),
    [(0, {}), (10, {"sizes": (0, 100)}), (10, {"sizes": (60, 100)}), (10, {"sizes": (50, 10_001)})],
)
def test_a_plan_outside_its_ranges_is_refused_with_a_sentence(cards, options):
    with pytest.raises(ValueError, match="a plan has 1 card or more"):
        plan_of(cards=cards, **options)


def test_shares_outside_their_range_and_more_faults_than_places_are_refused():
    for shares in ((-0.1, 0, 0), (0.3, 0.2, 0.1)):
        with pytest.raises(ValueError, match=r"at most 0\.5"):
            Shares(*shares)
    with pytest.raises(ValueError, match="do not fit"):
        plan_of(cards=3, sizes=(1, 2), shares=Shares(0.5, 0, 0))  # two batches, so one place behind a first


def test_a_batch_has_no_application_outside_its_count():
    draft = plan_of()[0]
    for index in (-1, draft.count):
        with pytest.raises(IndexError, match=f"application {index}"):
            draft.application(index)
