"""Good applications of every sort that the rules allow, among them those a hasty check would refuse."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

from msgspec.structs import replace

import controller.checks
from controller.application import Application
from encoders.fonts.coverage import bundled_coverage
from sims.numbers import compose_number
from sims.people import age_on, day_text, parse_day, valid_until
from sims.places import MAX_ADDRESS_UNITS

Vary = Callable[[Application, Random], Application]

_TABLES = Path(controller.checks.__file__).parent / "tables"
_GLYPHS = bundled_coverage().characters
_ETHNIC = [f"{code:02d}" for code in range(1, 57)] + ["97", "98"]
_COMMON = [chr(point) for point in range(0x4E00, 0x9FA6)]
_RARE = [chr(point) for point in range(0x3400, 0x4DC0) if chr(point) in _GLYPHS]
_RARE += [chr(point) for point in (0xFA0E, 0xFA11, 0xFA13, 0xFA1F, 0xFA29, 0x3007)]
_CITIES = ("441900", "442000", "460400", "620200")
_LEAP_DAYS = [date(year, 2, 29) for year in range(1936, 2017, 4)]
NAME_PLACES = 15


def vary(good: Application, rng: Random) -> Application:
    """Give somebody as good with one respect out of the common; half of the people stay as they are."""
    return rng.choice(_WAYS)(good, rng) if rng.random() < 0.5 else good


def _ethnic(good: Application, rng: Random) -> Application:
    return replace(good, ethnic=rng.choice(_ETHNIC))


def _dotted(good: Application, rng: Random) -> Application:
    """A name of two to five parts with dots, at most 15 units long."""
    parts = rng.randint(2, 5)
    units = [1] * parts
    for _ in range(rng.randint(0, NAME_PLACES - 2 * parts + 1)):
        units[rng.randrange(parts)] += 1
    return replace(good, name="·".join("".join(rng.choices(_COMMON, k=count)) for count in units), ethnic="05")


def _long_name(good: Application, rng: Random) -> Application:
    return replace(good, name="".join(rng.choices(_COMMON, k=rng.randint(5, NAME_PLACES))))


def _rare_name(good: Application, rng: Random) -> Application:
    return replace(good, name=good.name[0] + rng.choice(_RARE) + good.name[2:])


def _rare_address(good: Application, rng: Random) -> Application:
    piece = rng.choice([*_RARE[:50], "A-3#", "(B)", "7/8", "a1"])
    return replace(good, address=(good.address[:6] + piece + good.address[6:])[:MAX_ADDRESS_UNITS])


def _spaced_address(good: Application, rng: Random) -> Application:
    address = good.address[: MAX_ADDRESS_UNITS - 1]
    return replace(good, address=f"{address[:5]} {address[5:]}")


def _long_address(good: Application, rng: Random) -> Application:
    return replace(good, address=(good.address + "".join(rng.choices(_COMMON, k=35)))[:MAX_ADDRESS_UNITS])


def _on_leap_day(good: Application, rng: Random) -> Application:
    signed = parse_day(good.valid_from)
    return _reborn(good, rng.choice([day for day in _LEAP_DAYS if day < signed]), rng)


def _on_birthday(good: Application, rng: Random) -> Application:
    """Somebody who reaches an age of the validity table on the signing day, or on the day after."""
    signed = parse_day(good.valid_from)
    birth = date(signed.year - rng.choice((5, 16, 26, 46, 100)), signed.month, min(signed.day, 28))
    return _reborn(good, birth, rng)


def _of_a_hundred(good: Application, rng: Random) -> Application:
    signed = parse_day(good.valid_from)
    return _reborn(good, date(signed.year - rng.randint(96, 109), rng.randint(1, 12), rng.randint(1, 28)), rng)


def _of_a_city(good: Application, rng: Random) -> Application:
    return _renumber(good, rng.choice(_CITIES), rng)


def _of_an_abolished_county(good: Application, rng: Random) -> Application:
    birth_year = int(good.birth[:4])
    codes = [code for code, first, last in _GONE if first <= birth_year <= last]
    return _renumber(good, rng.choice(codes), rng) if codes else good


def _long_signed(good: Application, rng: Random) -> Application:
    """Signed up to eleven months before the receipt, on any day, 29 February among them."""
    today = parse_day(good.valid_from)
    signed = date.fromordinal(today.toordinal() - rng.randint(31, 300))
    if signed < parse_day(good.birth):
        return good
    return _signed(good, signed)


def _other_reason(good: Application, rng: Random) -> Application:
    reason = rng.choice(("13", "14", "15", "16", "21", "22"))
    free = reason < "20" and good.valid_from >= "20180401"
    return replace(
        good, reason=reason, fee_class=rng.choice(("free_first" if free else "standard", "reduced", "exempt"))
    )


def _express(good: Application, rng: Random) -> Application:
    return replace(good, production_type="2")


def _reborn(good: Application, birth: date, rng: Random) -> Application:
    """Give the application with another birth, and a number and a validity that fit; the reason fits any age."""
    until = valid_until(birth, parse_day(good.valid_from))
    moved = replace(good, birth=day_text(birth), valid_until=until, reason="41", fee_class="loss")
    codes = [code for code, first, last in _LASTING if first <= birth.year <= last]
    return _renumber(moved, rng.choice(codes), rng)


def _signed(good: Application, signed: date) -> Application:
    birth = parse_day(good.birth)
    moved = replace(good, valid_from=day_text(signed), valid_until=valid_until(birth, signed))
    if good.reason in ("11", "12"):
        return replace(moved, reason="12" if age_on(birth, signed) >= 16 else "11", fee_class=_first_fee(signed))
    return moved if good.reason in ("21", "22", "31", "41") else replace(moved, fee_class=_first_fee(signed))


def _first_fee(signed: date) -> str:
    return "free_first" if signed >= date(2018, 4, 1) else "standard"


def _renumber(good: Application, region: str, rng: Random) -> Application:
    sequence = 2 * rng.randint(1, 499) - int(good.sex) % 2
    return replace(good, identity_number=compose_number(region, good.birth, sequence))


def _years() -> list[tuple[str, int, int, bool]]:
    """Give county codes with the birth years for which both sources agree that nothing is to be noted."""
    found = []
    with (_TABLES / "regions.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if row["level"] != "county":
                continue
            starts = [int(year) for year in (row["start_year"], row["first_rev"][:4]) if year]
            ends = [int(year) for year in (row["end_year"], row["last_rev"][:4]) if year]
            first = max(starts, default=1980)
            is_gone = row["status"] != "current"
            found.append((row["code"], 0 if first <= 1980 else first - 40, min(ends) if is_gone else 9_999, is_gone))
    return found


_ALL_YEARS = _years()
_GONE = [(code, first, last) for code, first, last, is_gone in _ALL_YEARS if is_gone]
_LASTING = [(code, first, last) for code, first, last, is_gone in _ALL_YEARS if not is_gone]


_WAYS: tuple[Vary, ...] = (
    *(_ethnic, _dotted, _long_name, _rare_name, _rare_address, _spaced_address, _long_address, _on_leap_day),
    *(_on_birthday, _of_a_hundred, _of_a_city, _of_an_abolished_county, _long_signed, _other_reason, _express),
)
