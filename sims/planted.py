"""Faults that are planted on purpose, and what the centre must say of each."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import msgspec

from controller.application import Application
from sims import spoiled_portraits as portraits
from sims import spoiled_text as texts
from sims.spoiled_portraits import with_portrait
from sims.spoiled_text import Spoil, with_inner, with_region, with_text

REFUSE, HOLD, NOTE = "refuse", "hold", "note"


class Fault(NamedTuple):
    """One kind of fault.

    `code`, `field` and `group`: the finding that must be among the centre's findings; `expected`: its weight, which
    must be the verdict of the whole application.  Source of the weights: domain rules 1.4, 6 and 11.
    """

    name: str
    expected: str
    code: str
    field: str
    group: str
    spoil: Spoil


class Planted(msgspec.Struct, frozen=True):
    """What was planted where: `index` is the place in the batch.  Kept by the generator, never sent."""

    index: int
    fault: str
    expected: str
    code: str
    field: str
    group: str


def plant(fault: Fault, good: Application, earlier: Application, rng: Random) -> Application:
    """Give the good application with the fault; `earlier` is a good one that comes before it in the batch."""
    return fault.spoil(good, earlier, rng)


def _faults(expected: str, group: str, *rows: tuple[str, str, str, Spoil]) -> tuple[Fault, ...]:
    """Give faults of one weight and group from rows of name, code, field and spoil."""
    return tuple(Fault(name, expected, code, field, group, spoil) for name, code, field, spoil in rows)


_NUMBER = "identity_number"
MOVED_PRIVATE_USE = (0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864)  # domain rule 6

_REFUSED_NUMBERS = _faults(
    REFUSE,
    "number",
    ("number_wrong_check", "number.check_character", _NUMBER, texts.wrong_check),
    ("number_of_15", "number.short_form", _NUMBER, texts.fifteen_digits),
    ("number_of_17", "number.length", _NUMBER, texts.seventeen_digits),
    ("number_full_width", "number.alphabet", _NUMBER, texts.full_width_number),
    ("number_impossible_date", "number.date", _NUMBER, texts.impossible_date),
    ("number_of_the_future", "number.future", _NUMBER, texts.born_after_receipt),
    ("number_over_130_years", "number.too_old", _NUMBER, texts.born_too_long_ago),
    ("number_unknown_region", "number.region_unknown", _NUMBER, with_region("169901", "520199", "990101")),
    ("number_province_region", "number.region_province", _NUMBER, with_region("520000", "410000")),
    ("number_permit_region", "number.region_permit", _NUMBER, with_region("810000", "820000", "830000")),
    ("number_other_sex", "number.sex", "sex", texts.other_sex),
    ("number_other_birth", "number.birth", "birth", texts.other_birth),
)

_REFUSED_NAMES = _faults(
    REFUSE,
    "names",
    ("name_latin", "name.latin", "name", with_inner("name", "A", "li", "Ｘ")),
    ("name_digit", "name.latin", "name", with_inner("name", "1", "88")),
    ("name_space", "name.space", "name", with_inner("name", " ", "\u3000")),
    ("name_zero_width", "name.control", "name", with_inner("name", "\u200b", "\u200d", "\ufeff", "\u202e")),
    *(
        (f"name_dot_{ord(dot):04x}", "name.dot_lookalike", "name", with_inner("name", dot))
        for dot in "\u2022\u2027\u2e31\u30fb\uff0e\uff65."
    ),
    ("name_dot_doubled", "name.dot_place", "name", with_inner("name", "··")),
    ("name_unassigned", "name.control", "name", with_inner("name", "\u0378", "\ufada", "\U0001ffff", "\ufffd")),
    ("name_other_script", "name.character", "name", with_inner("name", "한", "Ж", "é", "ا", "①", "〡")),
    ("name_compatibility_and_latin", "name.latin", "name", with_inner("name", "\uf900b")),
    ("name_dot_at_end", "name.dot_place", "name", texts.dot_at_end),
    ("name_five_dots", "name.dot_many", "name", with_text("name", "阿·卜·杜·热·合·曼")),
    ("name_radical", "name.component", "name", with_inner("name", "\u2f08", "\u2e97", "\u31c0", "カ")),
    ("name_variant", "name.variation_selector", "name", with_inner("name", "\ufe00", "\U000e0100")),
    ("name_punctuation", "name.character", "name", with_inner("name", "'", "々", "?")),
    ("name_of_16", "name.too_long", "name", with_text("name", "王" + "小明" * 7 + "华")),
    ("address_dot_look_alike", "address.dot_lookalike", "address", with_inner("address", "\u2022", "．", "・")),
    ("address_dots_doubled", "address.dot_place", "address", with_inner("address", "··")),
    ("address_space_before", "address.space", "address", texts.spaced_address),
    ("address_variant", "address.variation_selector", "address", with_inner("address", "\ufe0f", "\U000e01ef")),
    ("address_other_script", "address.character", "address", with_inner("address", "동", "ул", "℃")),
    ("address_control", "address.control", "address", with_inner("address", "\t", "\x00", "\u200b", "\x85")),
    ("address_kana", "address.component", "address", with_inner("address", "の", "\u2ff0")),
    ("address_punctuation", "address.character", "address", with_inner("address", "。", "?", "“")),
    ("address_of_36", "address.too_long", "address", texts.long_address),
)

_REFUSED_FORMS = _faults(
    REFUSE,
    "structure",
    ("name_missing", "missing.name", "name", with_text("name", "")),
    ("address_missing", "missing.address", "address", with_text("address", "")),
    ("authority_missing", "missing.authority", "authority", with_text("authority", "")),
    ("sex_unknown", "sex.unknown", "sex", with_text("sex", "0", "9", "男")),
    ("ethnic_unknown", "ethnic.unknown", "ethnic", with_text("ethnic", "00", "59", "99", "1")),
    ("acceptance_malformed", "acceptance.form", "acceptance_number", texts.bad_acceptance),
    ("acceptance_no_date", "acceptance.date", "acceptance_number", texts.acceptance_without_date),
    ("acceptance_sequence_zero", "acceptance.sequence", "acceptance_number", texts.acceptance_without_sequence),
    ("acceptance_region", "acceptance.region", "acceptance_number", texts.acceptance_of_nowhere),
    ("birth_no_date", "birth.date", "birth", with_text("birth", "19900231", "1990-3-7", "900307")),
    *(
        (f"{field}_missing", f"missing.{field}", field, with_text(field, ""))
        for field in ("identity_number", "sex", "ethnic", "birth", "address_county", "valid_from", "valid_until")
    ),
    *(
        (f"{field}_missing", f"missing.{field}", field, with_text(field, ""))
        for field in ("acceptance_number", "card_kind", "reason", "production_type", "fee_class", "unit")
    ),
    ("card_kind_unknown", "card_kind.unknown", "card_kind", with_text("card_kind", "third", "2")),
    ("unit_malformed", "unit.form", "unit", texts.bad_unit),
)

_REFUSED_REASONS = _faults(
    REFUSE,
    "reason",
    ("reason_unknown", "reason.unknown", "reason", with_text("reason", "10", "17", "99")),
    ("production_type_unknown", "reason.production_type", "production_type", with_text("production_type", "0", "7")),
    ("fee_class_unknown", "reason.fee_class", "fee_class", with_text("fee_class", "gift", "40")),
)

_REFUSED_VALIDITY = _faults(
    REFUSE,
    "validity",
    ("county_unknown", "authority.county_unknown", "address_county", with_text("address_county", "110101", "529999")),
    (
        "authority_of_16",
        "authority.too_long",
        "authority",
        with_text("authority", "样例省样例市样例新区公安局样例分局"),
    ),
    ("start_in_future", "validity.from_future", "valid_from", texts.start_in_future),
    ("start_before_birth", "validity.from_before_birth", "valid_from", texts.start_before_birth),
    ("start_no_date", "validity.from_date", "valid_from", with_text("valid_from", "20250230", "2025-01-02", "2025")),
    (
        "end_no_date",
        "validity.until_date",
        "valid_until",
        with_text("valid_until", "永久", "20300230", "长期 ", "2030"),
    ),
    ("end_one_day_off", "validity.until", "valid_until", texts.end_one_day_off),
    ("end_wrong", "validity.until", "valid_until", texts.wrong_end),
)

_REFUSED_PORTRAITS = _faults(
    REFUSE,
    "portrait",
    ("portrait_missing", "portrait.missing", "portrait", with_portrait(portraits.missing)),
    ("portrait_png", "portrait.not_jpeg", "portrait", with_portrait(portraits.not_jpeg)),
    ("portrait_wrong_size", "portrait.dimensions", "portrait", with_portrait(portraits.wrong_size)),
    ("portrait_grey", "portrait.components", "portrait", with_portrait(portraits.grey)),
    ("portrait_cmyk", "portrait.components", "portrait", with_portrait(portraits.four_colours)),
    ("portrait_progressive", "portrait.not_baseline", "portrait", with_portrait(portraits.progressive)),
    ("portrait_truncated", "portrait.truncated", "portrait", with_portrait(portraits.truncated)),
    ("portrait_no_end", "portrait.truncated", "portrait", with_portrait(portraits.no_end_marker)),
    ("portrait_over_100_kb", "portrait.too_large", "portrait", with_portrait(portraits.too_long)),
    ("portrait_no_picture", "portrait.not_jpeg", "portrait", with_portrait(portraits.no_picture)),
    ("portrait_extended", "portrait.not_baseline", "portrait", with_portrait(portraits.extended)),
    ("portrait_12_bits", "portrait.sample_depth", "portrait", with_portrait(portraits.twelve_bits)),
    ("portrait_huge_claim", "portrait.dimensions", "portrait", with_portrait(portraits.huge_claim)),
    ("portrait_all_dark", "portrait.blank", "portrait", with_portrait(portraits.all_dark)),
    ("portrait_blank", "portrait.blank", "portrait", with_portrait(portraits.blank)),
)

_REFUSED_DOUBLES = _faults(
    REFUSE,
    "duplicate",
    ("acceptance_doubled", "duplicate.acceptance_in_batch", "acceptance_number", texts.doubled_acceptance),
    ("same_person_again", "duplicate.application", _NUMBER, texts.same_person_again),
)

_HELD = (
    *_faults(
        HOLD,
        "number",
        ("number_group_region", "number.region_group", _NUMBER, with_region("110100", "520101", "130101")),
        ("number_prefecture_region", "number.region_group", _NUMBER, with_region("520100", "130100")),
    ),
    *_faults(
        HOLD,
        "names",
        ("name_of_one", "name.single", "name", texts.one_unit),
        ("name_private_use", "name.private_use", "name", with_inner("name", "\ue000", "\ue5a1", "\uf8ff")),
        ("name_moved_character", "name.private_use_moved", "name", with_inner("name", "\ue81e", "\ue843")),
        ("name_beyond_bmp", "name.beyond_bmp", "name", with_inner("name", "\U00020021", "\U0002a6b2")),
        ("name_long_dotted", "name.long_dotted", "name", with_text("name", "阿卜杜热合曼江·麦麦提图尔荪尼亚孜")),
        ("name_long_rare", "name.long_rare", "name", with_text("name", "王" + "小明" * 6 + "华\U00020021")),
        ("name_no_glyph", "name.no_glyph", "name", with_inner("name", "\u9fa6", "\u9fd0")),
        ("name_all_moved", "name.private_use_moved", "name", with_inner("name", *map(chr, MOVED_PRIVATE_USE))),
        ("address_private_use", "address.private_use", "address", with_inner("address", "\ue123")),
        ("address_beyond_bmp", "address.beyond_bmp", "address", with_inner("address", "\U00020bb7", "\U0002f800")),
    ),
    *_faults(HOLD, "validity", ("authority_of_others", "authority.other_name", "authority", texts.other_authority)),
    *_faults(HOLD, "reason", ("first_at_wrong_age", "reason.age", "reason", texts.first_at_wrong_age)),
    *_faults(
        HOLD,
        "portrait",
        ("portrait_dark_wall", "portrait.background", "portrait", with_portrait(portraits.dark_background)),
        ("portrait_uneven_wall", "portrait.background", "portrait", with_portrait(portraits.uneven_background)),
    ),
    *_faults(HOLD, "duplicate", ("shared_number", "duplicate.shared_number", _NUMBER, texts.shared_number)),
)

_NOTED = (
    *_faults(
        NOTE,
        "number",
        ("number_lower_x", "number.lower_x", _NUMBER, texts.lower_case_x),
        ("number_very_old", "number.very_old", _NUMBER, texts.very_old),
        ("number_sequence_zero", "number.sequence_zero", _NUMBER, texts.no_sequence),
        ("number_region_gone", "number.region_early", _NUMBER, texts.region_gone),
        ("number_region_to_come", "number.region_late", _NUMBER, texts.region_to_come),
    ),
    *_faults(
        NOTE,
        "names",
        ("address_full_width", "address.full_width", "address", with_inner("address", "（", "＃", "７")),
        ("name_compatibility", "name.compatibility", "name", with_inner("name", "\uf900", "\ufa18")),
        ("address_compatibility", "address.compatibility", "address", with_inner("address", "\uf92c")),
        ("address_dot", "address.dot", "address", with_inner("address", "·")),
        ("address_pause_mark", "address.pause_mark", "address", with_inner("address", "、")),
    ),
    *_faults(
        NOTE,
        "structure",
        ("unit_elsewhere", "unit.other_place", "unit", texts.unit_elsewhere),
        ("ethnic_alias", "ethnic.alias", "ethnic", with_text("ethnic", "57", "58")),
    ),
    *_faults(NOTE, "reason", ("fee_unfit", "reason.fee_mismatch", "fee_class", texts.unfit_fee)),
    *_faults(NOTE, "validity", ("start_long_ago", "validity.from_old", "valid_from", texts.start_long_ago)),
    *_faults(
        NOTE,
        "portrait",
        ("portrait_no_density", "portrait.density", "portrait", with_portrait(portraits.no_density)),
        ("portrait_under_10_kb", "portrait.small_file", "portrait", with_portrait(portraits.too_small)),
        ("portrait_over_40_kb", "portrait.large_file", "portrait", with_portrait(portraits.large)),
        ("portrait_too_fine", "portrait.quality", "portrait", with_portrait(portraits.too_fine)),
        ("portrait_too_coarse", "portrait.quality", "portrait", with_portrait(portraits.too_coarse)),
        ("portrait_border", "portrait.border", "portrait", with_portrait(portraits.bordered)),
        ("portrait_blurred", "portrait.sharpness", "portrait", with_portrait(portraits.blurred)),
        ("portrait_far_away", "portrait.position", "portrait", with_portrait(portraits.far_away)),
    ),
)

REFUSED = (
    _REFUSED_NUMBERS
    + _REFUSED_NAMES
    + _REFUSED_FORMS
    + _REFUSED_REASONS
    + _REFUSED_VALIDITY
    + _REFUSED_PORTRAITS
    + _REFUSED_DOUBLES
)
HELD: tuple[Fault, ...] = _HELD
NOTED: tuple[Fault, ...] = _NOTED
FAULTS = REFUSED + HELD + NOTED
# An escape in a JSON file can carry half a character; the wire cannot, so no upstream sends these.
WRITTEN_ONLY = (
    *_faults(
        REFUSE,
        "names",
        ("name_lone_surrogate", "name.control", "name", with_inner("name", "\ud800", "\udfff")),
        ("address_lone_surrogate", "address.control", "address", with_inner("address", "\udc00")),
    ),
    *_faults(
        REFUSE,
        "validity",
        ("authority_lone_surrogate", "authority.character", "authority", with_inner("authority", "\udc00")),
    ),
)
