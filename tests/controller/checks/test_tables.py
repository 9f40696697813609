"""The tables: what is shipped is what was built, and a table of a wrong shape is refused with its line."""

from __future__ import annotations

import pytest

from controller.checks.codes import read_codes
from controller.checks.errors import CheckError, TableError
from controller.checks.ethnic import ALIASES
from controller.checks.named_codes import read_authorities, read_ethnic
from controller.checks.regions import ALWAYS, CITIES_WITHOUT_COUNTIES, PERMIT_CODES, STILL, Regions
from controller.checks.shipped import load_tables

HEAD = "code,level,name,other_names,first_rev,last_rev,start_year,end_year,status,src\n"


def region(row):
    regions = Regions.from_csv(HEAD + row)
    return next(iter(regions.by_code.values()))


def test_the_shipped_tables_have_the_rows_that_were_built():
    tables = load_tables()
    levels = [region.level for region in tables.regions.by_code.values()]
    assert len(levels) == 7_260
    assert levels.count("county") == 2_968 + 3_434
    assert len(tables.ethnic) == 58
    assert tables.ethnic["05"] == "维吾尔"
    assert len(tables.authorities) == 60
    assert load_tables() is tables


def test_the_codes_the_rules_single_out_stand_in_the_table_as_the_rules_say():
    by_code = load_tables().regions.by_code
    assert all(by_code[code].level == "prefecture" for code in CITIES_WITHOUT_COUNTIES)
    assert all(by_code[code].level == "province" for code in PERMIT_CODES)
    assert not ALIASES.keys() & load_tables().ethnic.keys()
    assert set(ALIASES.values()) <= load_tables().ethnic.keys()


@pytest.mark.parametrize(
    ("years", "first", "last"),
    [
        ("198012,201904,,,current,ABC", ALWAYS, STILL),
        ("201112,201904,2012,,current,ABC", 2011, STILL),
        ("198012,201904,1982,,current,ABC", ALWAYS, STILL),
        ("198312,199212,1983,1992,abolished,AB", 1983, 1992),
        ("199212,201904,1992,2017,abolished,AB", 1992, 2019),
        ("198012,200912,,2010,abolished,AB", ALWAYS, 2010),
        (",,1991,1994,abolished,B", 1991, 1994),
        (",,,,current,D", ALWAYS, STILL),
        (",,,,abolished,A", ALWAYS, STILL),
    ],
)
def test_the_wider_span_of_two_sources_counts(years, first, last):
    found = region(f"520102,county,南明区,,{years}\n")
    assert (found.first_year, found.last_year) == (first, last)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        (HEAD, 1),
        ("code,name\n520102,南明区\n", 2),
        (HEAD + "520102,county,南明区,,198012,201904,,,current,A\n52010,county,南,,,,,,current,A\n", 3),
        (HEAD + "520102,village,南明区,,198012,201904,,,current,A\n", 2),
        (HEAD + "520102,county,南明区,,then,201904,,,current,A\n", 2),
        (HEAD + "520102,county\n", 2),
    ],
)
def test_a_region_table_of_a_wrong_shape_is_refused_with_its_line(text, line):
    with pytest.raises(TableError) as caught:
        Regions.from_csv(text)
    assert (caught.value.table, caught.value.line) == ("regions", line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("code,name\n", 1),
        ("county,bureau\n520102,某局\n", 2),
        ("code,name\n520102,某局\n52010,某局\n", 3),
        ("code,name\n520102,某局\n520102,某局\n", 3),
        ("code,name\n520102," + "样" * 101 + "\n", 2),
        ("code,name\n520102,\n", 1),
        ("code,name\n520102\n", 2),
        ('code,name\n520102,"' + "样" * 140_000 + '"\n', 2),
    ],
)
def test_an_authorities_table_of_a_wrong_shape_is_refused_with_its_line(text, line):
    with pytest.raises(CheckError) as caught:
        read_authorities(text)
    assert caught.value.code == "checks.table_malformed"
    assert caught.value.line == line
    assert f"line {line}" in str(caught.value)


def test_one_county_with_an_empty_or_long_name_does_not_cost_the_others_their_table():
    rows = f"520102,某局\n520103,\n520111,{'样' * 15}\n520112,{'样' * 16}\n"
    found = {"520102": "某局", "520111": "样" * 15, "520112": "样" * 16}
    assert read_authorities(f"code,name\n{rows}") == found


def test_a_printed_name_of_an_ethnic_group_is_never_empty():
    with pytest.raises(TableError):
        read_ethnic("code,card_name\n01,汉\n02,\n")


def test_a_byte_order_mark_from_a_spreadsheet_is_no_fault():
    assert read_authorities("\ufeffcode,name\r\n520102,某局\r\n") == {"520102": "某局"}
    assert read_ethnic("\ufeffcode,card_name\n01,汉\n") == {"01": "汉"}


def test_an_unknown_severity_in_the_table_of_codes_is_an_error():
    with pytest.raises(KeyError):
        read_codes("code,group,severity,field,zh,en\nx.y,number,maybe,name,a,b\n")
