"""People who do not exist: every field right, nobody twice."""

import csv
from collections import Counter
from datetime import date, timedelta
from math import sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims.names import HUNDRED_PERCENT, SURNAMES, draw_name, surname_percent
from sims.numbers import check_character, compose_number
from sims.people import BIRTH_STEPS, LAST_SEQUENCE, Population, age_on, parse_day, valid_until
from sims.places import TABLES, load_counties

TODAY = "20260312"
INDICES = st.integers(0, 19_000_000)
DAYS = st.dates(date(2025, 1, 1), date(2040, 12, 31))


def text(day):
    return day.strftime("%Y%m%d")


@pytest.fixture(scope="module")
def population():
    return Population(7)


@pytest.fixture(scope="module")
def people(population):
    return [population.application(i, TODAY) for i in range(5_000)]


@pytest.fixture(scope="module")
def regions():
    with (TABLES / "regions.csv").open(encoding="utf-8", newline="") as table:
        return {row["code"]: row for row in csv.DictReader(table)}


def weighted_check(digits):
    """Give the check character by the weights of GB 11643, not by the recursion the generator uses."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", "11010119900307125X"])
def test_the_printed_examples_of_the_standard_are_composed(number):
    assert compose_number(number[:6], number[6:14], int(number[14:17])) == number


@given(st.from_regex(r"\A[0-9]{17}\Z"))
def test_the_recursive_check_character_is_the_weighted_one(digits):
    assert check_character(digits) == weighted_check(digits)


@pytest.mark.parametrize(
    ("birth", "signed", "until"),
    [
        ("19931212", "20040327", "20090327"),
        ("19811212", "20040327", "20140327"),
        ("19731212", "20040327", "20240327"),
        ("19531212", "20040327", "长期"),
        ("20100501", "20040229", "20090301"),
        ("19850501", "20040229", "20140301"),
        ("19750501", "20040229", "20240229"),
        ("19920229", "20180228", "20280228"),  # 26 only tomorrow
        ("19920229", "20180301", "20380301"),
        ("19800312", "20260311", "20460311"),
        ("19800312", "20260312", "长期"),
    ],
)
def test_the_end_of_validity_is_that_of_the_standard(birth, signed, until):
    assert valid_until(parse_day(birth), parse_day(signed)) == until


@settings(max_examples=300)
@given(INDICES, DAYS)
def test_whoever_is_asked_for_on_whatever_day_gets_a_consistent_application(population, i, today):
    person = population.application(i, text(today))
    birth, signed, taken = (parse_day(t) for t in (person.birth, person.valid_from, person.acceptance_number[9:17]))
    assert today - timedelta(days=30) <= signed <= today
    assert birth < taken <= signed
    assert 0 <= age_on(birth, today) <= 96 + today.year - 2025
    assert person.identity_number[6:14] == person.birth
    assert person.identity_number[17] == weighted_check(person.identity_number[:17])
    assert int(person.identity_number[16]) % 2 == int(person.sex) % 2
    assert person.identity_number[14:17] != "000"
    assert person.valid_until == valid_until(birth, signed)
    assert len(person.acceptance_number) == 22
    assert person.acceptance_number[:9] == person.unit
    assert person.unit[:6] == person.address_county
    assert 1 <= int(person.acceptance_number[17:]) <= 99_999
    assert 2 <= len(person.name) <= 15
    assert 8 <= len(person.address) <= 35


def test_the_same_person_on_the_same_day_is_the_same_in_any_order(population, people):
    again = Population(7)
    for i in (4_999, 17, 0, 2_500):
        assert again.application(i, TODAY) == people[i]
    assert Population(8).application(17, TODAY) != people[17]


def test_a_person_keeps_number_name_and_birth_from_day_to_day(population):
    for i in range(200):
        one, other = population.application(i, TODAY), population.application(i, "20261120")
        assert (one.identity_number, one.name, one.birth) == (other.identity_number, other.name, other.birth)


def test_no_two_people_share_an_identity_number_or_an_acceptance_number(people):
    assert len({p.identity_number for p in people}) == len(people)
    assert len({p.acceptance_number for p in people}) == len(people)


def test_numbers_are_unlike_by_construction_over_the_whole_population(population):
    # what tells two people of a county apart: the pair of sequences, and the birth day modulo BIRTH_STEPS
    seen = set()
    for row in range(20_000):
        person = population.application(row * len(population.counties) + 5, TODAY)
        pair = (int(person.identity_number[14:17]) - 1) // 2
        seen.add((pair, parse_day(person.birth).toordinal() % BIRTH_STEPS))
    assert len(seen) == 20_000
    assert population.size == len(population.counties) * BIRTH_STEPS * LAST_SEQUENCE // 2
    assert population.size > 18_000_000  # the province of the design


def test_no_region_code_serves_two_counties():
    codes = [region.code for county in load_counties() for region in county.regions]
    assert len(codes) == len(set(codes))


def test_the_region_of_a_number_was_a_county_of_its_time(people, regions):
    for person in people:
        row = regions[person.identity_number[:6]]
        year = int(person.birth[:4])
        assert row["level"] == "county"
        first = max(int(row["start_year"] or 0), int(row["first_rev"][:4] or 0))
        if first > 1980:  # the table begins there
            assert first - year <= 40
        if row["status"] != "current":
            assert year <= max(int(row["end_year"] or 0), int(row["last_rev"][:4] or 0))


def test_some_people_moved_here_with_the_number_of_another_county(people):
    moved = sum(p.identity_number[:6] != p.address_county for p in people) / len(people)
    assert 0.15 <= moved <= 0.6  # a quarter, and all who are too old for the code of a young county


def test_authority_and_address_are_those_of_the_county(people, regions):
    with (TABLES / "authorities.csv").open(encoding="utf-8", newline="") as table:
        authorities = {row["code"]: row["name"] for row in csv.DictReader(table)}
    for person in people:
        assert person.authority == authorities[person.address_county]
        assert regions[person.address_county]["name"] in person.address
    assert {p.address_county for p in people} == set(authorities)


def test_the_reason_fits_the_age_and_the_fee_fits_the_reason(people):
    for person in people:
        age = age_on(parse_day(person.birth), parse_day(person.valid_from))
        assert person.reason in {"11", "12", "13", "14", "21", "22", "31", "41"}
        assert person.reason != "11" or age < 16
        assert person.reason != "12" or age >= 16
        fitting = {"1": {"free_first"}, "2": {"standard", "reduced", "exempt"}, "3": {"loss"}, "4": {"loss"}}
        assert person.fee_class in fitting[person.reason[0]]
    assert {p.reason for p in people} >= {"11", "12", "21", "22", "31", "41"}
    assert {p.production_type for p in people} == {"1", "2"}
    assert {p.card_kind for p in people} == {"second"}


def test_before_april_2018_a_first_card_cost_the_standard_fee():
    early = Population(7, "20170101")
    fees = {p.fee_class for i in range(300) if (p := early.application(i, "20171231")).reason in ("11", "12")}
    assert fees == {"standard"}


def test_all_ages_of_a_life_occur_and_the_young_and_grown_prevail(people):
    ages = Counter(age_on(parse_day(p.birth), parse_day(TODAY)) // 10 for p in people)
    assert set(ages) == set(range(10))
    assert ages[1] > ages[6] > ages[9]
    assert min(ages.values()) > 20


def test_the_hundred_surnames_add_up_to_what_the_ministry_counted():
    assert len(SURNAMES) == len(set(SURNAMES)) == 100
    shares = [surname_percent(rank) for rank in range(1, 101)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(HUNDRED_PERCENT, abs=0.1)
    assert all(share > 1.56 for share in shares[:10])
    assert all(0.78 < share < 1.56 for share in shares[10:22])
    assert all(share < 0.78 for share in shares[22:])
    with pytest.raises(ValueError, match="rank 101"):
        surname_percent(101)


def test_surnames_come_at_their_shares():
    rng, draws = Random(1), 20_000
    found = Counter(draw_name(rng, "1", "01")[0] for _ in range(draws))
    for rank in (1, 2, 3, 10, 50):
        share = surname_percent(rank) / HUNDRED_PERCENT
        assert abs(found[SURNAMES[rank - 1]] / draws - share) < 5 * sqrt(share / draws)


def test_names_hold_ideographs_of_gb_13000_and_the_dot_between_parts(people):
    for person in people:
        for part in person.name.split("·"):
            assert part
            assert all("\u4e00" <= unit <= "\u9fa5" for unit in part)
        assert person.name.count("·") <= 4
    dotted = [p for p in people if "·" in p.name]
    assert dotted
    assert {p.ethnic for p in dotted} <= {"05", "17"}


def test_who_does_not_exist_or_is_asked_for_too_early_is_said_so(population):
    for i, today in ((-1, TODAY), (population.size, TODAY), (0, "20241231")):
        with pytest.raises(ValueError, match=f"person {i} on {today}"):
            population.application(i, today)
    with pytest.raises(ValueError, match="YYYYMMDD"):
        population.application(0, "2026-3-12")
    with pytest.raises(ValueError, match="sequence 1000"):
        compose_number("520102", "19900307", 1000)
