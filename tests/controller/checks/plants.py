"""For each code of the table, something planted that must give exactly it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from controller.application import Application
from controller.checks.batch import check_batch
from controller.checks.codes import Severity
from controller.checks.duplicates import Known, Person, Standing, check_duplicates
from controller.checks.finding import Finding
from controller.checks.pixels import check_pixels
from controller.checks.policy import Policy, SharedNumber
from controller.checks.record import type_findings
from controller.checks.rows import check_application
from controller.offline.pictures import Pictures, beside
from tests.controller.checks.pictures import WRONG_FILES, WRONG_PIXELS
from tests.controller.checks.samples import TODAY, born, context, good, number_of, with_x
from tests.controller.offline.files import answers_of

Plant = Callable[[], list[Finding]]


def _row(**changes: object) -> Plant:
    return lambda: check_application(good(**changes), context())


def _line(text: str) -> Plant:
    return lambda: list(answers_of([text])[0].findings)


def _born(birth: str, **changes: object) -> Plant:
    return lambda: check_application(born(birth, **changes), context())


def _number(number: str) -> Plant:
    return _row(identity_number=number)


def _region(code: str) -> Plant:
    return _number(number_of(code, "19900307", "125"))


NUMBER: dict[str, Plant] = {
    "number.length": _number("5201021990030712"),
    "number.short_form": _number("520102900307125"),
    "number.alphabet": _number("52010219900307125*"),
    "number.lower_x": _number(with_x("520102", "19900307").lower()),
    "number.check_character": _number("520102199003071251"),
    "number.date": _number(number_of("520102", "19900231", "125")),
    "number.future": _born("20260102", valid_from="20251220", valid_until="20301220"),
    "number.too_old": _born("18941231", valid_until="长期"),
    "number.very_old": _born("19141231", valid_until="长期"),
    "number.sequence_zero": _row(identity_number=number_of("520102", "19900307", "000"), sex="2"),
    "number.region_unknown": _region("999999"),
    "number.region_province": _region("110000"),
    "number.region_permit": _region("810000"),
    "number.region_group": _region("520100"),
    "number.region_late": _row(
        identity_number=number_of("520115", "19650307", "125"), birth="19650307", valid_until="长期"
    ),
    "number.region_early": _row(
        identity_number=number_of("110103", "20120615", "123"), birth="20120615", valid_until="20301220"
    ),
    "number.sex": _row(sex="2"),
    "number.birth": _row(birth="19900308"),
}


def _texts(field: str) -> dict[str, Plant]:
    wrong = {
        "control": "样例\u200b",
        "variation_selector": "样例\ufe00",
        "component": "样例⼈",
        "dot_lookalike": "样例•样例",
        "private_use": "样例\ue000",
        "private_use_moved": "样例\ue81e",
        "beyond_bmp": "样例\U00020000",
        "no_glyph": "样例\u3401",
        "compatibility": "样例\uf900",
        "character": "样例☆",
    }
    return {f"{field}.{fault}": _row(**{field: text}) for fault, text in wrong.items()}


NAMES: dict[str, Plant] = {
    **_texts("name"),
    **_texts("address"),
    "name.dot_place": _row(name="样例·"),
    "name.latin": _row(name="样例A"),
    "name.space": _row(name="样 例"),
    "name.dot_many": _row(name="样·例·样·例·样·例"),
    "name.single": _row(name="样"),
    "name.too_long": _row(name="样" * 16),
    "name.long_dotted": _row(name="样样样样样样样样·例例例例例例例"),
    "name.long_rare": _row(name="样" * 14 + "\U00020000"),
    "address.dot_place": _row(address="样例··路"),
    "address.space": _row(address="样例路 "),
    "address.too_long": _row(address="样" * 36),
    "address.full_width": _row(address="样例路１号"),
    "address.pause_mark": _row(address="样例路、样例巷"),
    "address.dot": _row(address="样·例路"),
}

VALIDITY: dict[str, Plant] = {
    "authority.county_unknown": _row(address_county="110101"),
    "authority.too_long": _row(authority="样" * 16),
    "authority.character": _row(authority="样例公安局☆"),
    "authority.other_name": _row(authority="贵阳市公安局"),
    "validity.from_date": _row(valid_from="20250229"),
    "validity.from_future": _row(valid_from="20260102", valid_until="20460102"),
    "validity.from_before_birth": _row(valid_from="19900306", reason="21", fee_class="standard"),
    "validity.from_old": _row(valid_from="20241231", valid_until="20441231"),
    "validity.until_date": _row(valid_until="永久"),
    "validity.until": _row(valid_until="20451221"),
}

REASON: dict[str, Plant] = {
    "reason.unknown": _row(reason="99"),
    "reason.age": _row(reason="11", fee_class="free_first"),
    "reason.production_type": _row(production_type="3"),
    "reason.fee_class": _row(fee_class="gift"),
    "reason.fee_mismatch": _row(fee_class="loss"),
}

STRUCTURE: dict[str, Plant] = {
    "acceptance.form": _row(acceptance_number="520102001202512200000"),
    "acceptance.region": _row(acceptance_number="9999990012025122000001", unit="999999001"),
    "acceptance.date": _row(acceptance_number="5201020012025133100001"),
    "acceptance.sequence": _row(acceptance_number="5201020012025122000000"),
    "unit.form": _row(unit="52010200"),
    "unit.other_place": _row(unit="520103001"),
    "sex.unknown": _row(sex="9"),
    "birth.date": _row(birth="1990-3-7"),
    "ethnic.unknown": _row(ethnic="59"),
    "ethnic.alias": _row(ethnic="57"),
    "card_kind.unknown": _row(card_kind="third"),
    "card_kind.other": lambda: check_application(good(card_kind="first"), context().on(TODAY, "second")),
    **{f"missing.{field}": _row(**{field: ""}) for field in Application.__struct_fields__ if field != "portrait"},
    **{
        f"type.{field}": lambda field=field: type_findings(msgspec.structs.asdict(good()) | {field: 7})
        for field in Application.__struct_fields__
    },
    "record.unreadable": lambda: type_findings([1, 2]),
    "record.no_batch": _line('{"application": []}'),
    "batch.unreadable": _line('{"batch": 1}'),
    "batch.received_on": _line('{"batch": {"batch_number": "1234567890122026010100001", "count": 0}}'),
    "batch.number": lambda: check_batch("12345", 1, 1),
    "batch.date": lambda: check_batch("1234567890122026022900001", 1, 1),
    "batch.sequence": lambda: check_batch("1234567890122026010100000", 1, 1),
    "batch.conflict": lambda: check_batch("1234567890122026010100001", 1, 1, seen_other=True),
    "batch.count": lambda: check_batch("1234567890122026010100001", 2, 1),
    "batch.limit": lambda: check_batch("1234567890122026010100001", 10_001, 10_001),
    "batch.digest": lambda: check_batch("1234567890122026010100001", 1, 1, digest_agrees=False),
    "batch.due": lambda: check_batch("1234567890122026010100001", 1, 1, due="tomorrow"),
    "batch.card_kind": lambda: check_batch("1234567890122026010100001", 1, 1, card_kind="third"),
    "batch.kind_dates": lambda: check_batch("1234567890122026010100001", 1, 1, card_kind="first", kind_is_made=False),
}


def _doubled(
    *rows: tuple[str, bytes, bytes],
    known: tuple[Known, ...] = (),
    reason: str = "21",
    shared: SharedNumber = SharedNumber.FIRST_ONLY,
) -> Plant:
    people = [Person(index, *row) for index, row in enumerate(rows)]
    return lambda: [
        finding
        for _, finding in check_duplicates(
            people, [Severity.OK] * len(people), known, [reason] * len(people), Policy(shared_number=shared)
        )
    ]


_MADE = (Known("0", b"i", b"p", Standing.MADE),)
DUPLICATE: dict[str, Plant] = {
    "duplicate.application": _doubled(("1", b"i", b"p"), ("2", b"i", b"p")),
    "duplicate.made_before": _doubled(("1", b"i", b"p"), known=_MADE),
    "duplicate.first_again": _doubled(("1", b"i", b"p"), known=_MADE, reason="12"),
    "duplicate.shared_number": _doubled(("1", b"i", b"p"), ("2", b"i", b"q")),
    "duplicate.shared_tolerated": _doubled(("1", b"i", b"p"), ("2", b"i", b"q"), shared=SharedNumber.BOTH),
    "duplicate.acceptance_in_batch": _doubled(("1", b"i", b"p"), ("1", b"j", b"q")),
    "duplicate.acceptance_before": _doubled(("0", b"j", b"q"), known=_MADE),
}

PORTRAIT: dict[str, Plant] = {
    **{code: lambda pixels=pixels: check_pixels(pixels) for code, pixels in WRONG_PIXELS.items()},
    "portrait.outside": lambda: list(Pictures(beside(Path("folder"))).look("../face.jpg").findings),
    **{code: _row(portrait=picture) for code, picture in WRONG_FILES.items()},
}

PLANTS: dict[str, Plant] = {**NUMBER, **NAMES, **VALIDITY, **PORTRAIT, **DUPLICATE, **REASON, **STRUCTURE}
# Faults that cannot be planted without another one.
COMPANIONS: dict[str, frozenset[str]] = {
    "number.date": frozenset({"number.birth"}),
    "number.future": frozenset({"validity.from_before_birth"}),
    "validity.from_before_birth": frozenset({"validity.from_old"}),
    "name.long_rare": frozenset({"name.beyond_bmp"}),
    "address.dot_place": frozenset({"address.dot"}),
    "birth.date": frozenset({"number.birth"}),
    "record.no_batch": frozenset({"record.unreadable"}),
    "batch.received_on": frozenset({"batch.limit"}),
    "authority.character": frozenset({"authority.other_name"}),
    "authority.too_long": frozenset({"authority.other_name"}),
}
