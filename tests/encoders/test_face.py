"""The print job: what the face says and where, what cannot be printed, and the word every job carries."""

import re
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from encoders.face import (
    ADDRESS_LINES,
    ADDRESS_PLACES,
    CARD_HEIGHT_MM,
    CARD_WIDTH_MM,
    PORTRAIT_BOX,
    PORTRAIT_DPI,
    PORTRAIT_HEIGHT_PX,
    PORTRAIT_WIDTH_PX,
    SMALLEST_MM,
    SPECIMEN,
    FaceError,
    FaceJob,
    break_lines,
    ethnic_names,
    lay_out,
)
from encoders.fonts.coverage import FontCoverage, bundled_coverage
from encoders.text_layout import TextFields

PERSON = TextFields(
    name="样例甲",
    sex="1",
    ethnic="01",
    birth="19900307",
    address="北京市东城区样例胡同1号院2号楼3单元401室",
    identity_number="11010119900307125X",
    authority="北京市公安局东城分局",
    valid_from="20040327",
    valid_until="20140327",
)
LONGEST = TextFields(
    name="样" * 15,
    sex="2",
    ethnic="98",
    birth="19901231",
    address="样" * 35,
    identity_number="110101199012311255",
    authority="样" * 15,
    valid_from="20100307",
    valid_until="长期",
)


def job_of(person=PERSON, **options):
    return lay_out(person, bundled_coverage(), **({"control_mark": "S000123-P4-G1"} | options))


def shown(side, field):
    return [placed.text for placed in side if placed.field == field]


def refusal(person=PERSON, glyphs=None, **options):
    with pytest.raises(FaceError) as caught:
        lay_out(person, glyphs or bundled_coverage(), **({"control_mark": "S1"} | options))
    assert caught.value.__context__ is None
    return caught.value.code, caught.value.field, caught.value.count


def test_the_front_shows_authority_and_validity_with_dots():
    front = job_of().front
    assert shown(front, "authority") == ["北京市公安局东城分局"]
    assert shown(front, "validity") == ["2004.03.27-2014.03.27"]


def test_a_card_without_end_says_so():
    assert shown(job_of(LONGEST).front, "validity") == ["2010.03.07-长期"]


def test_the_back_shows_words_for_codes_and_a_birth_without_leading_zeros():
    back = job_of().back
    said = {placed.field: placed.text for placed in back if placed.field != "address"}
    assert said == {
        "name": "样例甲",
        "sex": "男",
        "ethnic": "汉",
        "birth_year": "1990",
        "birth_month": "3",
        "birth_day": "7",
        "identity_number": "11010119900307125X",
        "control_mark": "S000123-P4-G1",
    }
    assert shown(job_of(LONGEST).back, "sex") == ["女"]


def test_the_address_is_broken_after_eleven_full_width_places_of_which_ascii_takes_half():
    assert shown(job_of().back, "address") == ["北京市东城区样例胡同1", "号院2号楼3单元401室"]


def test_both_sides_carry_the_control_mark_that_pairs_them():
    job = job_of()
    assert job.control_mark == "S000123-P4-G1"
    assert shown(job.front, "control_mark") == shown(job.back, "control_mark") == [job.control_mark]


def test_the_portrait_box_is_the_pixels_of_the_standard_at_its_resolution():
    assert round(PORTRAIT_BOX.width_mm / 25.4 * PORTRAIT_DPI) == PORTRAIT_WIDTH_PX
    assert round(PORTRAIT_BOX.height_mm / 25.4 * PORTRAIT_DPI) == PORTRAIT_HEIGHT_PX


@pytest.mark.parametrize("person", [PERSON, LONGEST], ids=["usual", "longest"])
def test_every_text_lies_on_the_card_and_none_on_another_or_on_the_portrait(person):
    job = job_of(person, control_mark="M" * 40)
    for side in (job.front, job.back):
        boxes = [(placed.x_mm, placed.y_mm, width_mm(placed), placed.size_mm) for placed in side]
        assert all(x >= 0 and y >= 0 and x + w <= CARD_WIDTH_MM and y + h <= CARD_HEIGHT_MM for x, y, w, h in boxes)
        assert all(placed.size_mm >= SMALLEST_MM for placed in side)
        if side is job.back:
            boxes.append((PORTRAIT_BOX.x_mm, PORTRAIT_BOX.y_mm, PORTRAIT_BOX.width_mm, PORTRAIT_BOX.height_mm))
        for number, box in enumerate(boxes):
            assert not any(overlap(box, other) for other in boxes[:number])


def width_mm(placed):
    return sum(0.5 if character.isascii() else 1 for character in placed.text) * placed.size_mm


def overlap(one, other):
    return all(
        one[axis] + 1e-6 < other[axis] + other[axis + 2] and other[axis] + 1e-6 < one[axis] + one[axis + 2]
        for axis in (0, 1)
    )


@given(st.text(st.sampled_from("样例乙·1A-# \U00020000"), max_size=60), st.integers(1, 12))
def test_lines_join_to_the_text_and_none_is_too_wide_or_broken_too_early(text, places):
    def halves(line):
        return sum(1 if character.isascii() else 2 for character in line)

    lines = break_lines(text, places)
    assert "".join(lines) == text
    assert all(halves(line) <= 2 * places for line in lines)
    assert all(halves(line + following[0]) > 2 * places for line, following in pairwise(lines))


@given(st.text(st.sampled_from("样例乙1A-#"), min_size=1, max_size=35))
def test_every_address_the_chip_can_hold_fits_the_face(address):
    lines = shown(job_of(replace(PERSON, address=address)).back, "address")
    assert "".join(lines) == address
    assert len(lines) <= ADDRESS_LINES


def test_ethnic_names_are_the_standards_without_their_last_character_and_the_reader_codes_too():
    names = ethnic_names()
    assert set(names) == {f"{code:02}" for code in range(1, 57)} | {"57", "58", "97", "98"}
    assert (names["02"], names["05"], names["56"]) == ("蒙古", "维吾尔", "基诺")
    assert (names["57"], names["58"]) == (names["97"], names["98"]) == ("其他", "外国血统中国籍人士")
    assert not any(name.endswith("族") for name in names.values())


@pytest.mark.parametrize(
    ("field", "text", "code", "named", "count"),
    [
        ("name", "", "face.empty", "name", 0),
        ("address", " ", "face.empty", "address", 0),
        ("name", "样\U00020000例\ue000", "face.no_glyph", "name", 2),
        ("authority", "样\u202e例", "face.no_glyph", "authority", 1),
        ("name", "样" * 20, "face.too_long", "name", 20),
        ("authority", "样" * 25, "face.too_long", "authority", 25),
        ("identity_number", "1" * 41, "face.too_long", "identity_number", 21),
        ("address", "样" * (ADDRESS_PLACES * ADDRESS_LINES + 1), "face.too_long", "address", 45),
        ("sex", "9", "face.unknown_code", "sex", 0),
        ("ethnic", "99", "face.unknown_code", "ethnic", 0),
        ("ethnic", "", "face.unknown_code", "ethnic", 0),
        ("birth", "19900230", "face.bad_date", "birth", 0),
        ("birth", "1990030７", "face.bad_date", "birth", 0),
        ("valid_from", "2004-3-7", "face.bad_date", "valid_from", 0),
        ("valid_until", "", "face.bad_date", "valid_until", 0),
        ("valid_until", "长期长期长期长期", "face.bad_date", "valid_until", 0),
    ],
)
def test_what_cannot_be_printed_is_refused_by_code_field_and_count(field, text, code, named, count):
    assert refusal(replace(PERSON, **{field: text})) == (code, named, count)


@pytest.mark.parametrize("mark", ["", "S 1", "样", "S1\n", "M" * 41])
def test_a_control_mark_no_camera_could_read_is_refused(mark):
    assert refusal(control_mark=mark) == ("face.control_mark", "control_mark", 0)


def test_words_made_from_codes_need_glyphs_too():
    without = FontCoverage(map(ord, bundled_coverage().characters - {"男"}))
    assert refusal(glyphs=without) == ("face.no_glyph", "sex", 1)


def test_the_job_packs_to_msgpack_and_back_with_its_portrait():
    job = job_of(portrait=b"\xff\xd8 not looked into here", mirrored=False)
    packed = msgspec.msgpack.encode(job)
    assert msgspec.msgpack.decode(packed, type=FaceJob) == job
    assert msgspec.msgpack.decode(packed)["specimen"] == SPECIMEN


def test_film_is_mirrored_unless_said_otherwise():
    assert job_of().mirrored
    assert not job_of(mirrored=False).mirrored


@pytest.mark.parametrize("word", ["", "specimen", "ORIGINAL"])
def test_no_job_can_be_made_or_received_with_another_word_than_specimen(word):
    job = job_of()
    with pytest.raises(FaceError, match=r"face\.specimen"):
        replace(job, specimen=word)
    forged = msgspec.msgpack.decode(msgspec.msgpack.encode(job)) | {"specimen": word}
    with pytest.raises(msgspec.ValidationError, match="specimen"):
        msgspec.msgpack.decode(msgspec.msgpack.encode(forged), type=FaceJob)


def test_a_received_job_without_the_word_is_refused():
    bare = msgspec.msgpack.decode(msgspec.msgpack.encode(job_of()))
    del bare["specimen"]
    with pytest.raises(msgspec.ValidationError, match="specimen"):
        msgspec.msgpack.decode(msgspec.msgpack.encode(bare), type=FaceJob)


def test_neither_repr_nor_error_tells_a_text():
    job = job_of()
    for said in (repr(job), str(job.back), f"{job.__rich_repr__()}{job.back[0].__rich_repr__()}"):
        assert not re.search("样例|北京|1990|1101", said)
    with pytest.raises(FaceError) as caught:
        job_of(replace(PERSON, address="样例" * 40))
    assert "样例" not in str(caught.value)
