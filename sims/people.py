"""People who do not exist: one seeded application for each index, every field of it right."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from controller.application import Application
from sims.faces import FaceSource
from sims.names import draw_ethnic, draw_name
from sims.numbers import compose_number
from sims.places import County, draw_address, load_counties

LONG_TERM = "长期"
LAST_SEQUENCE = 900  # 901 to 999 are kept for numbers that `sims.planted` makes up
FREE_FIRST_FROM = date(2018, 4, 1)

BIRTH_STEPS = 732  # a person's place in the county fixes the birth day modulo this: two years
_PAIRS = LAST_SEQUENCE // 2  # sequences 1 and 2, 3 and 4 …: the odd ones are for men
_PLACES = BIRTH_STEPS * _PAIRS  # people of one county who can be told apart by birth and sequence
_STRIDE = 104_729  # coprime to _PLACES, so that neighbours get far places and each place is met once
_YOUNGEST_DAYS, _OLDEST_DAYS = 45, 94 * 365
_SIGNED_WITHIN_DAYS = 30

# Years of age and their weight among people who ask for a card.
_AGES = ((0, 5, 5), (5, 15, 15), (15, 18, 14), (18, 25, 12), (25, 45, 34), (45, 70, 15), (70, 94, 5))
_AGES_UP_TO = list(accumulate(weight for _, _, weight in _AGES))

# Reason codes with weights, by the first age that no longer belongs to the row.
_REASONS: Sequence[tuple[int, dict[str, int]]] = (
    (5, {"11": 97, "41": 3}),
    (16, {"11": 70, "21": 15, "41": 8, "22": 4, "31": 3}),
    (18, {"12": 75, "21": 12, "41": 8, "31": 3, "22": 2}),
    (26, {"12": 8, "21": 45, "41": 32, "31": 9, "22": 5, "13": 1}),
    (200, {"21": 56, "41": 27, "31": 9, "22": 6, "12": 1, "14": 1}),
)
_FIRST = ("11", "12", "13", "14", "15")
_FEES_OF_RENEWAL = {"standard": 95, "reduced": 3, "exempt": 2}


class Population:
    """The people of one province; person `i` is the same for a seed, whatever else was asked before."""

    def __init__(self, seed: int, census_day: str = "20250101", faces: FaceSource | None = None) -> None:
        """Name the seed, the day (`YYYYMMDD`) on which ages are 0 to 95, and who draws the portraits.

        Without `faces` the applications carry no portrait.
        """
        self._seed, self._faces = seed, faces
        self._census_day = parse_day(census_day)
        self.counties = load_counties()
        self._offsets = [Random(f"county {seed} {c.code}").randrange(_PLACES) for c in self.counties]

    @property
    def size(self) -> int:
        """How many people there are."""
        return _PLACES * len(self.counties)

    def county_of(self, i: int) -> County:
        """Give the county where person `i` lives: people are dealt to the counties in turn."""
        return self.counties[i % len(self.counties)]

    def application(self, i: int, today: str) -> Application:
        """Give the application of person `i`, received on `today` (`YYYYMMDD`) and signed in the 30 days before.

        Identity numbers and acceptance numbers differ for all `i` in `range(size)`.  Cost: 50 us, portrait aside.
        Raises: ValueError: no such person, or `today` lies before the census day.
        """
        day = parse_day(today)
        if not 0 <= i < self.size or day < self._census_day:
            raise ValueError(f"person {i} on {today}: 0 to {self.size - 1}, from {day_text(self._census_day)} on")
        rng = Random(f"person {self._seed} {i}")
        county, place = self.county_of(i), i // len(self.counties)
        sex = rng.choice("12")
        birth, number = self._number(county, i, sex, rng)
        ethnic = draw_ethnic(rng)
        signed = day - timedelta(days=rng.randint(0, _SIGNED_WITHIN_DAYS))
        taken = signed - timedelta(days=rng.randint(0, 7))
        unit = county.unit(place)
        reason = _draw(_reasons_at(age_on(birth, signed)), rng)
        return Application(
            acceptance_number=f"{unit}{day_text(taken)}{place // county.stations + 1:05d}",
            card_kind="second",
            identity_number=number,
            name=draw_name(rng, sex, ethnic),
            sex=sex,
            ethnic=ethnic,
            birth=day_text(birth),
            address=draw_address(county, rng),
            address_county=county.code,
            authority=county.authority,
            valid_from=day_text(signed),
            valid_until=valid_until(birth, signed),
            reason=reason,
            production_type="2" if rng.random() < 0.04 else "1",
            fee_class=fee_class_of(reason, signed, rng),
            unit=unit,
            portrait=self._faces.portrait(i, sex) if self._faces else b"",
        )

    def _number(self, county: County, i: int, sex: str, rng: Random) -> tuple[date, str]:
        """Give birth day and identity number.

        No two people share a number: counties never share a region code, and inside a county the place of the
        person fixes the sequence (but for which of a pair, the sex) and the birth day modulo `BIRTH_STEPS`.
        """
        turn, row = i % len(self.counties), i // len(self.counties)
        step, pair = divmod((row * _STRIDE + self._offsets[turn]) % _PLACES, _PAIRS)
        ordinal = self._census_day.toordinal() - _draw_age_days(rng)
        birth = date.fromordinal(ordinal - (ordinal - step) % BIRTH_STEPS)
        region = county.draw_region(birth.year, rng)
        return birth, compose_number(region, day_text(birth), 2 * pair + int(sex))


def valid_until(birth: date, signed: date) -> str:
    """Give the last day of a card signed on `signed`, or 长期.

    Source: law of 2003, article 5; GA 214.8-2004 for 29 February (the end is 1 March where the year has none).
    """
    age = age_on(birth, signed)
    if age >= 46:
        return LONG_TERM
    year = signed.year + (5 if age < 16 else 10 if age < 26 else 20)
    try:
        return day_text(signed.replace(year=year))
    except ValueError:
        return day_text(date(year, 3, 1))


def age_on(birth: date, day: date) -> int:
    """Give the full years of age; who is born on 29 February turns a year older on 1 March of a common year."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def fee_class_of(reason: str, signed: date, rng: Random) -> str:
    """Give a fee class that fits the reason and the signing day."""
    if reason in _FIRST:
        return "free_first" if signed >= FREE_FIRST_FROM else "standard"
    if reason in ("31", "41"):
        return "loss"
    return _draw(_FEES_OF_RENEWAL, rng)


def parse_day(text: str) -> date:
    """Give the date of `YYYYMMDD`.  Raises: ValueError: it is none."""
    if len(text) != 8 or not text.isdigit():
        raise ValueError("a day is written YYYYMMDD")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def day_text(day: date) -> str:
    """Give a date as `YYYYMMDD`."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _draw_age_days(rng: Random) -> int:
    """Give an age on the census day; the birth steps add up to two years to it."""
    low, high, _ = _AGES[bisect(_AGES_UP_TO, rng.random() * _AGES_UP_TO[-1])]
    days = int(rng.uniform(low - 1, high - 1) * 365.25)
    return min(max(days, _YOUNGEST_DAYS), _OLDEST_DAYS)


def _reasons_at(age: int) -> dict[str, int]:
    """Give the reasons somebody of that age has, with weights."""
    return next(reasons for below, reasons in _REASONS if age < below)


def _draw(weights: dict[str, int], rng: Random) -> str:
    """Give one key at its weight."""
    return rng.choices(list(weights), list(weights.values()))[0]
