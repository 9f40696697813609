"""Every answer fits 80 columns, loses nothing a person types next, and reads as people say it."""

from __future__ import annotations

import pytest

from controller.commandline import show, tables
from controller.report.text import columns_of

NUMBER = "5204250032026020700001"
ANSWERS = {
    "stations": [
        {
            "station": "l12",
            "step": "laminate",
            "state": "suspended",
            "since_floor_s": 1_772_440_000.0,
            "age_s": 39_480.5,
            "job_id": 1_234,
            "worked": 1_234_567,
            "reason": "no_supply film",
            "hold": "worn_plate",
            "warnings": ["P1", "P3"],
            "operator": "supervisor-1",
        }
    ],
    "review": [
        {
            "card": 123_450_001,
            "acceptance_number": NUMBER,
            "batch_number": "5204250000002026030200001",
            "index": 1,
            "codes": ["number.region_group", "name.private_use_moved"],
            "fields": ["identity_number", "name"],
            "state": "held",
            "age_s": 187_200.0,
            "people": 1,
            "act_id": 0,
            "proposed_by": "",
        }
    ],
    "rivals": [{"card": 10_001, "acceptance_number": NUMBER, "standing": "open", "same_person": False}],
    "stopped": [{"card": 10_001, "acceptance_number": NUMBER, "code": "face.no_glyph", "codes": [], "fields": []}],
    "suspects": [
        {
            "sheet_id": 1_234,
            "mask": 0b10000101,
            "step": "write",
            "body": 500_000_017,
            "station": "w1",
            "bodies": [],
        },
        *(
            {
                "sheet_id": sheet_id,
                "mask": 255,
                "step": "laminate",
                "body": 0,
                "station": "laminator-12",
                "bodies": [500_000_020, 500_000_021],
            }
            for sheet_id in (1_235, 1_236)
        ),
    ],
    "acts": [
        {
            "act_id": 12_345,
            "verb": "receive",
            "args": {"first_body": 500_000_017, "sheets": 20_000, "lot": "LOT-OF-THE-MAKER-2026-03"},
            "by": "supervisor-1",
            "left_s": 28_000.0,
        }
    ],
    "holds": [
        {
            "station": "laminator-12",
            "step": "laminate",
            "code": "drift",
            "since_floor_s": 1_772_440_000.0,
            "age_s": 59.0,
            "by": "",
            "to_do": "too many defects (codes: P1; 40 cards are inspected again): find the cause, then release it",
            "sheets": 5,
            "in_flight": [{"sheet_id": 7, "step": "punch", "cards": 8}],
        }
    ],
    "piles": [
        {
            "batch_id": 12,
            "unit": "520425001",
            "stations": ["k1", "k2"],
            "cards": [1, 2, 3],
            "missing": [120_001, 120_002],
            "foreign": [11_353],
        }
    ],
    "consignments": [
        {
            "consignment_id": 123,
            "batch_number": "5204250000002026030200001",
            "unit": "520425001",
            "sent_floor_s": 1_772_450_488.0,
            "bundles": 100,
            "sent": 9_999,
            "arrived": arrived,
            "boxes": [1, 2],
            "scanned": True,
            "difference": arrived - 9_999 if arrived >= 0 else 0,
            "open_s": 190_800.0 if arrived < 0 else 0.0,
            "sha256": "ab" * 32,
        }
        for arrived in (-1, 9_990)
    ],
}


def shown(monkeypatch, capsys, title, answer):
    monkeypatch.setenv("COLUMNS", "80")
    show.answer(title, answer, "")
    return capsys.readouterr().out


@pytest.mark.parametrize("title", ANSWERS)
def test_a_table_fits_a_narrow_terminal_and_cuts_nothing_off(monkeypatch, capsys, title):
    text = shown(monkeypatch, capsys, title, ANSWERS[title])
    assert max(map(columns_of, text.splitlines())) <= 80
    assert "…" not in text


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("stations", ["10 h 58 min", "1,234,567", "worn_plate"]),
        ("review", ["123450001", NUMBER, "number.region_group", "2 d 4 h", "one"]),
        ("stopped", ["10001", NUMBER, "face.no_glyph"]),
        ("suspects", ["1 3 8", "133", "500000017", "laminator-12", "500000020, 500000021", "sheet 1235, 1236"]),
        ("acts", ["12345", "first_body=500000017", "7 h 46 min"]),
        ("holds", ["the controller", "59 s", "laminator-12: too many defects"]),
        ("piles", ["120001, 120002", "11353"]),
        ("consignments", ["03-02 11:21", "9,990", "-9", "2 d 5 h", "520425001", "yes"]),
    ],
)
def test_a_table_shows_what_is_asked_for_next(monkeypatch, capsys, title, words):
    text = shown(monkeypatch, capsys, title, ANSWERS[title])
    assert [word for word in words if word not in text] == []


def test_suspects_show_the_command_that_settles_the_first_of_them(monkeypatch, capsys):
    bound, unbound, _ = ANSWERS["suspects"]
    text = shown(monkeypatch, capsys, "suspects", [bound])
    assert "\ncardmill act settle sheet_id=1234 mask=133 finding=spoiled\n" in text
    assert "could have drawn" not in text
    text = shown(monkeypatch, capsys, "suspects", [unbound])
    assert "\ncardmill act settle sheet_id=1235 mask=255 finding=spoiled body=500000020\n" in text


def test_held_cards_the_font_cannot_draw_are_named_below_the_others(monkeypatch, capsys):
    [held] = ANSWERS["review"]
    assert "stop at once" not in shown(monkeypatch, capsys, "review", [held])
    rows = [held, held | {"card": 77, "codes": ["name.no_glyph"]}, held | {"card": 78, "codes": ["address.no_glyph"]}]
    told = " ".join(shown(monkeypatch, capsys, "review", rows).split())
    assert told.endswith("released, these stop at once, for the font cannot draw them (no_glyph): 77, 78")


def test_below_the_held_stands_how_they_end_and_what_two_people_must_say(monkeypatch, capsys):
    [held] = ANSWERS["review"]
    told = shown(monkeypatch, capsys, "review", [held])
    assert "cardmill look 123450001 --reason TEXT" in " ".join(told.split())
    assert "override" not in told
    shared = held | {"card": 77, "people": 2}
    told = shown(monkeypatch, capsys, "review", [held, shared, shared | {"card": 78, "act_id": 12}])
    assert "cardmill act override card=77 reason=TEXT" in " ".join(told.split())
    assert [word for word in ("one", "two", "act 12") if f" {word} " not in told] == []


def test_a_card_is_never_told_a_command_that_the_service_would_refuse(monkeypatch, capsys):
    [held] = ANSWERS["review"]
    told = shown(monkeypatch, capsys, "review", [held | {"people": 2}])
    assert "\n`cardmill act override card=123450001 reason=TEXT`, by two; or `decide refuse`\n" in told
    assert "release|refuse" not in told
    told = shown(monkeypatch, capsys, "review", [held | {"people": 2}, held | {"card": 77}])
    assert "\n`cardmill decide release|refuse 77 --reason TEXT` ends it\n" in told


@pytest.mark.parametrize(
    ("row", "command"),
    [
        ({}, "`cardmill decide release|refuse 123450001 --reason TEXT`"),
        ({"state": "stopped"}, "`cardmill decide resume|cancel|refuse_late 123450001 --reason TEXT`"),
        ({"people": 2, "state": "stopped"}, "`cardmill act override card=123450001 reason=TEXT`, by two"),
        ({"people": 2, "act_id": 12, "proposed_by": "ann"}, "`cardmill second 12`, by another than ann"),
    ],
)
def test_what_waits_for_a_person_has_its_way_out_in_a_line(row, command):
    told = tables.way_out(ANSWERS["review"][0] | row)
    assert told.startswith(command)
    assert len(told) <= 80


def test_below_the_stopped_stands_which_decisions_end_it(monkeypatch, capsys):
    text = shown(monkeypatch, capsys, "stopped", ANSWERS["stopped"])
    assert [one for one in ("cardmill decide", "resume", "cancel", "refuse_late") if one not in text] == []


def test_stock_shows_accounts_that_hold_blanks_and_ranges_of_serials(monkeypatch, capsys):
    stock = {"accounts": {"vault": 1_192, "sheet": 0}, "vault": [[1_000, 10], [1_160, 139]], "magazines": {"l1": 0}}
    stock["singles"] = {"received": 0, "vault": [], "magazines": {"l1": 0}}
    lines = [line.split() for line in shown(monkeypatch, capsys, "stock", stock).splitlines()]
    assert ["vault", "1,192"] in lines
    assert ["1160", "1298", "139", "1,112"] in lines
    assert ["l1", "0"] in lines
    assert not any(line[:1] == ["sheet"] for line in lines)


def test_a_digest_is_whole_even_where_it_does_not_fit_a_line(monkeypatch, capsys):
    text = shown(monkeypatch, capsys, "manifest", {"sha256": "0123456789abcdef" * 5, "scanned": False})
    assert "0123456789abcdef" * 5 in "".join(text.split()).replace("scannedno", "")
    assert "scanned  no" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (59.9, "59 s"),
        (60.0, "1 min"),
        (3_599.0, "59 min"),
        (11_520.0, "3 h 12 min"),
        (190_800.0, "2 d 5 h"),
    ],
)
def test_an_age_is_said_in_its_two_largest_units(seconds, words):
    assert tables.age(seconds) == words


def test_a_value_reads_by_the_unit_at_the_end_of_its_name():
    assert tables.reading("due_floor_s", 1_772_450_488.0) == "2026-03-02 11:21:28"
    assert tables.reading("completed_percent", 12.345) == "12.35 %"
    assert tables.reading("late_s", 3_600.0) == "1 h 00 min"
    assert tables.reading("units", 1_234_567) == "1,234,567"
    assert tables.reading("card", 1_234_567) == "1234567"
    assert tables.reading("scanned", True) == "yes"


def test_what_was_done_is_said_with_readable_times(capsys):
    show.done("taken back", {"case": 1, "card": 20_000, "due_floor_s": 1_772_450_488.0}, "")
    assert capsys.readouterr().out == "taken back: case 1, card 20000, due 2026-03-02 11:21:28\n"


def test_a_single_body_is_one_blank_in_the_vault_and_no_sheet_in_a_magazine(monkeypatch, capsys):
    singles = {"received": 30, "vault": [[900, 12]], "magazines": {"L1": 8}}
    answer = {"accounts": {"vault": 812}, "vault": [[1, 100], [900, 12]], "magazines": {"L1": 50}, "singles": singles}
    text = shown(monkeypatch, capsys, "stock", answer)
    rows = [line.replace(",", "").split() for line in text.splitlines()]
    cells = [[cell for cell in row if cell not in "│┃"] for row in rows]
    assert ["1", "100", "100", "800"] in cells  # first body, last body, sheets, blanks
    assert ["900", "911", "12", "12"] in cells
    assert ["L1", "42", "8"] in cells
