"""Ways to spoil the texts of a good application, each in one respect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from msgspec.structs import replace

from controller.application import Application
from sims.names import draw_name
from sims.numbers import check_character, compose_number
from sims.people import BIRTH_STEPS, LAST_SEQUENCE, LONG_TERM, age_on, day_text, parse_day, valid_until
from sims.places import MAX_ADDRESS_UNITS, load_counties

Spoil = Callable[[Application, Application, Random], Application]
"""(the good application, an earlier good one of its batch, a random source) -> the spoiled one."""

NAME_PLACES = 15


def with_text(field: str, *values: str) -> Spoil:
    """Give a spoil that sets `field` to one of `values`."""
    return lambda good, _, rng: replace(good, **{field: rng.choice(values)})


def with_inner(field: str, *pieces: str) -> Spoil:
    """Give a spoil that puts one of `pieces` behind the first unit of `field`, which stays within its length."""

    def spoil(good: Application, _: Application, rng: Random) -> Application:
        text = getattr(good, field)
        piece = rng.choice(pieces)
        places = NAME_PLACES if field == "name" else MAX_ADDRESS_UNITS
        places -= sum(character > "\uffff" for character in piece)
        return replace(good, **{field: (text[0] + piece + text[1:])[:places]})

    return spoil


def with_region(*regions: str) -> Spoil:
    """Give a spoil that sets the region code of the number, check character and all."""
    return lambda good, _, rng: renumber(good, rng.choice(regions) + good.identity_number[6:17])


def renumber(good: Application, seventeen: str) -> Application:
    """Give the application with a number of these seventeen digits and the right check character."""
    return replace(good, identity_number=seventeen + check_character(seventeen))


def reborn(good: Application, first: date) -> Application:
    """Give the application with a birth of `first` or up to two years later, in field, number and validity.

    The steps are those that leave the number unlike that of anybody else (`Population`).
    """
    birth, number = parse_day(good.birth), good.identity_number
    birth = date.fromordinal(first.toordinal() + (birth.toordinal() - first.toordinal()) % BIRTH_STEPS)
    until = valid_until(birth, parse_day(good.valid_from))
    moved = replace(good, birth=day_text(birth), valid_until=until)
    return renumber(moved, number[:6] + day_text(birth) + number[14:17])


def wrong_check(good: Application, _: Application, rng: Random) -> Application:
    """Set another check character."""
    number = good.identity_number
    return replace(good, identity_number=number[:17] + rng.choice("0123456789X".replace(number[17], "")))


def fifteen_digits(good: Application, _: Application, rng: Random) -> Application:
    """Set the number of the old form: no century, no check character."""
    number = good.identity_number
    return replace(good, identity_number=number[:6] + number[8:17])


def seventeen_digits(good: Application, _: Application, rng: Random) -> Application:
    """Leave the check character off."""
    return replace(good, identity_number=good.identity_number[:17])


def impossible_date(good: Application, _: Application, rng: Random) -> Application:
    """Set a day in the number that no calendar has."""
    number = good.identity_number
    return renumber(good, number[:10] + rng.choice(("0230", "0431", "1301", "0010", "0500")) + number[14:17])


def full_width_number(good: Application, _: Application, rng: Random) -> Application:
    """Write one digit of the number in full width."""
    number, at = good.identity_number, rng.randrange(17)
    return replace(good, identity_number=number[:at] + chr(ord(number[at]) + 0xFEE0) + number[at + 1 :])


def other_sex(good: Application, _: Application, rng: Random) -> Application:
    """Say the other sex than the number does."""
    return replace(good, sex="2" if good.sex == "1" else "1")


def other_birth(good: Application, _: Application, rng: Random) -> Application:
    """Say a birth some days before that of the number."""
    return replace(good, birth=day_text(parse_day(good.birth) - timedelta(days=rng.randint(1, 400))))


def born_after_receipt(good: Application, _: Application, rng: Random) -> Application:
    """Move the birth behind any day of receipt."""
    return reborn(good, parse_day(good.valid_from) + timedelta(days=60))


def born_too_long_ago(good: Application, _: Application, rng: Random) -> Application:
    """Move the birth more than 130 years back."""
    return reborn(good, parse_day(good.valid_from) - timedelta(days=134 * 366))


def very_old(good: Application, _: Application, rng: Random) -> Application:
    """Move the birth 111 to 129 years back; such a holder lost an earlier card."""
    return _of_a_loss(reborn(good, parse_day(good.valid_from) - timedelta(days=rng.randint(114, 129) * 365)))


def no_sequence(good: Application, _: Application, rng: Random) -> Application:
    """Give a woman the sequence 000, which no register counts from."""
    woman = replace(good, sex="2", name=draw_name(rng, "2", good.ethnic))
    return renumber(woman, good.identity_number[:14] + "000")


def region_gone(good: Application, _: Application, rng: Random) -> Application:
    """Give the number of a child a region that was abolished years before."""
    child = _of_a_loss(reborn(good, date(2013, 1, 1)))
    return with_region("110103", "110104", "310103", "310119")(child, child, rng)


def region_to_come(good: Application, _: Application, rng: Random) -> Application:
    """Give the number of somebody old a region that began more than forty years after the birth."""
    elder = _of_a_loss(reborn(good, date(1940, 1, 1)))
    return with_region("110117", "310151", "440118", "320213")(elder, elder, rng)


def lower_case_x(good: Application, _: Application, rng: Random) -> Application:
    """Give a number that ends in `X`, from the sequences no good person has, and write it `x`."""
    region, odd = good.identity_number[:6], int(good.sex)
    sequences = [s for s in range(LAST_SEQUENCE + 1, 1000) if s % 2 == odd % 2]
    number = next(n for s in sequences if (n := compose_number(region, good.birth, s)).endswith("X"))
    return replace(good, identity_number=number.lower())


def one_unit(good: Application, _: Application, rng: Random) -> Application:
    """Leave but the first unit of the name."""
    return replace(good, name=good.name[0])


def dot_at_end(good: Application, _: Application, rng: Random) -> Application:
    """Set the dot of some names where no other character follows or leads."""
    return replace(good, name=good.name + "·" if rng.random() < 0.5 else "·" + good.name)


def long_address(good: Application, _: Application, rng: Random) -> Application:
    """Write one unit or some more than an address has places."""
    room = MAX_ADDRESS_UNITS + rng.randint(1, 6)
    return replace(good, address=(good.address + "样例大院北门东侧第二排住宅区" * 3)[:room])


def spaced_address(good: Application, _: Application, rng: Random) -> Application:
    """Write spaces where an address has none: before it, behind it, two inside."""
    address = good.address[: MAX_ADDRESS_UNITS - 2]
    return replace(good, address=rng.choice((" " + address, address + " ", address[:3] + "  " + address[3:])))


def acceptance_without_date(good: Application, _: Application, rng: Random) -> Application:
    """Set a day in the acceptance number that no calendar has."""
    number = good.acceptance_number
    return replace(good, acceptance_number=number[:13] + rng.choice(("0230", "1301", "0631", "0100")) + number[17:])


def acceptance_without_sequence(good: Application, _: Application, rng: Random) -> Application:
    """Count the acceptance numbers of a day from zero."""
    return replace(good, acceptance_number=good.acceptance_number[:17] + "00000")


def acceptance_of_nowhere(good: Application, _: Application, rng: Random) -> Application:
    """Take the application in a region that never was."""
    unit = rng.choice(("999999", "169901", "000000")) + good.unit[6:]
    return replace(good, acceptance_number=unit + good.acceptance_number[9:], unit=unit)


def bad_acceptance(good: Application, _: Application, rng: Random) -> Application:
    """Set an acceptance number that is not 22 digits."""
    number = good.acceptance_number
    return replace(good, acceptance_number=rng.choice((number[:21], number + "0", number[:9] + "A" + number[10:])))


def bad_unit(good: Application, _: Application, rng: Random) -> Application:
    """Set a delivery unit that is not nine digits."""
    return replace(good, unit=rng.choice((good.unit[:8], good.unit + "1", good.unit[:8] + "x")))


def wrong_end(good: Application, _: Application, rng: Random) -> Application:
    """Set an end of validity that does not follow from birth and start."""
    signed = parse_day(good.valid_from)
    if good.valid_until == LONG_TERM:
        return replace(good, valid_until=day_text(signed.replace(year=signed.year + 20, day=1)))
    return replace(good, valid_until=rng.choice((LONG_TERM, f"{int(good.valid_until[:4]) + 1}0101")))


def end_one_day_off(good: Application, _: Application, rng: Random) -> Application:
    """Let the card of a grown person end one day early or late."""
    adult = _of_a_loss(reborn(good, parse_day(good.valid_from) - timedelta(days=32 * 365)))
    end = parse_day(adult.valid_until) + timedelta(days=rng.choice((-1, 1)))
    return replace(adult, valid_until=day_text(end))


def start_in_future(good: Application, _: Application, rng: Random) -> Application:
    """Sign the card after any day of receipt; the end follows."""
    return _sign(good, parse_day(good.valid_from) + timedelta(days=rng.randint(60, 90)))


def start_before_birth(good: Application, _: Application, rng: Random) -> Application:
    """Sign the card before its holder was born; the end is that of a child."""
    start = (parse_day(good.birth) - timedelta(days=rng.randint(100, 200))).replace(day=1)
    return replace(good, valid_from=day_text(start), valid_until=day_text(start.replace(year=start.year + 5)))


def start_long_ago(good: Application, _: Application, rng: Random) -> Application:
    """Sign the card more than a year back, of a grown person."""
    start = parse_day(good.valid_from) - timedelta(days=rng.randint(400, 500))
    return _of_a_loss(_sign(reborn(good, start - timedelta(days=60 * 365)), start))


def other_authority(good: Application, _: Application, rng: Random) -> Application:
    """Name the authority of another county."""
    others = [c.authority for c in load_counties() if c.authority != good.authority]
    return replace(good, authority=rng.choice(others))


def unit_elsewhere(good: Application, _: Application, rng: Random) -> Application:
    """Have the card delivered to a station that did not take the application."""
    other = int(good.unit[6:]) % 900 + rng.randint(1, 90)
    return replace(good, unit=f"{good.unit[:6]}{other:03d}")


def first_at_wrong_age(good: Application, _: Application, rng: Random) -> Application:
    """Give the reason of a first card for the other side of sixteen."""
    child = age_on(parse_day(good.birth), parse_day(good.valid_from)) < 16
    return replace(good, reason="12" if child else "11", fee_class="free_first")


def unfit_fee(good: Application, _: Application, rng: Random) -> Application:
    """Charge as for a lost card what is none."""
    return replace(good, reason="21", fee_class="loss")


def doubled_acceptance(good: Application, earlier: Application, rng: Random) -> Application:
    """Carry the acceptance number of an earlier application of the batch."""
    return replace(good, acceptance_number=earlier.acceptance_number, unit=earlier.unit)


def same_person_again(good: Application, earlier: Application, rng: Random) -> Application:
    """Apply a second time for the person of an earlier application."""
    return replace(earlier, acceptance_number=good.acceptance_number, unit=good.unit, portrait=good.portrait)


def shared_number(good: Application, earlier: Application, rng: Random) -> Application:
    """Be another person with the number of an earlier application."""
    name = earlier.name
    while name == earlier.name:
        name = draw_name(rng, earlier.sex, "01")
    return replace(same_person_again(good, earlier, rng), name=name, ethnic="01", address=good.address)


def _of_a_loss(good: Application) -> Application:
    """Give the application with a reason that fits any age."""
    return replace(good, reason="41", fee_class="loss")


def _sign(good: Application, start: date) -> Application:
    """Give the application with another start, and the end that follows."""
    return replace(good, valid_from=day_text(start), valid_until=valid_until(parse_day(good.birth), start))
