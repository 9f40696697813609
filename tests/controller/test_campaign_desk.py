"""The campaign as operators see it: the verb's report, the terminal, the page to be printed."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from rich.console import Console

from controller import commands, rights
from controller.campaign.page import campaign_page
from controller.campaign.plan import Plan, Target, capture_faults, load_plan
from controller.checks.validity import birth_of
from controller.commandline import campaign as cli_campaign
from controller.config import CampaignConfig, Config
from controller.core import moves as m
from controller.core.campaign import ALWAYS, Campaign
from controller.core.moves import RowVerdict, Verdict
from controller.intake.examination import examine, in_scope
from controller.posts import Posts
from controller.upkeep.books import empty_books
from controller.wire import Command, Done, Refusal
from encoders.envelope import pack
from tests.controller.checks.samples import born, context, good, number_of
from tests.controller.core.rough_floor import RoughFloor

JANUARY, MARCH = (datetime(2026, month, 10, tzinfo=UTC).timestamp() for month in (1, 3))
TARGETS = (
    Target("520102", "2026", "2026-01", "2026-12", 4),
    Target("520102001", "2026", "2026-01", "2026-12", 2),  # a township of it
    Target("520103", "pilot", "2026-01", "2026-04", 200),
    Target("520111", "2027", "2027-01", "2027-12", 10),
)


class Office:
    """A campaign of three counties: what is told to it, and what the verb answers."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.campaign, self.batch = Campaign(capture_faults()), 0
        clock = SimpleNamespace(now_floor_s=lambda: MARCH, scale=1.0)
        ledger = SimpleNamespace(write=self._write)
        plan = plan or Plan(TARGETS)
        self.desk = SimpleNamespace(
            clock=clock,
            ledger=ledger,
            campaign=self.campaign,
            plan=plan,
            posts=Posts(),
            roles=lambda user: {rights.AUDITOR},
        )

    async def _write(self, change: object) -> None:
        """Everything is durable here."""

    def receive(self, unit: str, at: float = MARCH, sent: int = 0, cards: int = 0, **changes: object) -> None:
        """Let cards of one unit come in, and the first `sent` of them be dispatched."""
        self.batch += 1
        fields = {"verdict": Verdict.OK, "fee_class": "standard", "in_scope": True} | changes
        rows = [RowVerdict(index, "5201020012026010100001", unit, **fields) for index in range(cards or sent)]
        self.campaign.fold(at, m.BatchOpened(self.batch, "1" * 25, "north", "second", at, at, rows))
        if sent:
            self.campaign.fold(at, m.BundleMade(self.batch, self.batch, unit, [*self.cards(sent)], "k1"))
            self.campaign.fold(at, m.ConsignmentSent(self.batch, self.batch, [self.batch], "ann"))

    def cards(self, count: int) -> range:
        return range(self.batch * 10_000, self.batch * 10_000 + count)

    async def ask(self, verb: str = "campaign", **args: object) -> Done | Refusal:
        return await commands.answer_certified(self.desk, "ann", Command(request=1, verb=verb, args=args))


def busy_office() -> Office:
    office = Office()
    office.receive("520102001", JANUARY, sent=2, cards=3)
    office.receive("520102009", MARCH, sent=2, fee_class="reduced")
    office.receive("520103001", MARCH, sent=3, cards=5, fee_class="free_first")
    office.receive("520103001", MARCH, cards=5, verdict=Verdict.REFUSE, codes=["portrait.blank", "name.latin"])
    office.receive("520199001", MARCH, cards=2)
    return office


async def test_units_are_ranked_by_how_far_they_are_with_their_own_months():
    result = (await busy_office().ask()).result
    assert [(one["rank"], one["unit"], one["completed"], one["completed_percent"]) for one in result["units"]] == [
        (1, "520102", 4, 100.0),
        (1, "520102001", 2, 100.0),
        (3, "520103", 3, 1.5),
    ]
    assert [one["complete"] for one in result["units"]] == [True, True, False]
    assert [one["completed_in_period"] for one in result["units"]] == [2, 0, 3]
    assert result["units"][0]["name"] == "南明区"
    assert (result["from"], result["to"]) == ("2026-03", "2026-03")


async def test_a_township_s_target_is_not_added_to_its_county_s():
    total = (await busy_office().ask()).result["total"]
    assert (total["target"], total["completed"], total["units"], total["units_complete"]) == (204, 7, 3, 2)


@pytest.mark.parametrize(("sent", "complete"), [(97, False), (98, True), (99, True)])
async def test_a_unit_is_complete_from_98_percent_of_its_cards_on(sent, complete):
    office = Office(Plan((Target("520103", "2026", "2026-01", "2026-12", 100),)))
    office.receive("520103001", sent=sent, cards=100)
    [unit] = (await office.ask()).result["units"]
    assert unit["complete"] is complete


async def test_a_share_that_only_rounds_to_98_percent_is_not_complete():
    office = Office(Plan((Target("520103", "2026", "2026-01", "2026-12", 250_003),)))
    for _ in range(25):
        office.receive("520103001", sent=9_800)
    [unit] = (await office.ask()).result["units"]
    assert (unit["completed_percent"], unit["complete"]) == (98.0, False)


async def test_capture_accuracy_is_what_was_not_refused_for_photo_or_data():
    result = (await busy_office().ask()).result
    county = result["units"][2]
    assert (county["received"], county["photo_faults"], county["data_faults"]) == (10, 5, 5)
    assert county["capture_accuracy_percent"] == 50.0
    assert result["total"]["refused"] == 5


async def test_a_county_without_a_target_is_shown_beside_the_plan():
    [county] = (await busy_office().ask()).result["unplanned"]
    assert (county["unit"], county["received"], county["completed_in_period"]) == ("520199", 2, 0)


async def test_fee_classes_add_up_over_a_period_with_what_was_open_before_it():
    office = busy_office()
    result = (await office.ask()).result
    assert result["fees_balance"] is True
    groups = {row.pop("group"): row for row in result["fee_groups"]}
    nothing = {"cancelled": 0, "refused_late": 0}
    assert groups["full"] == {"opening": 1, "accepted": 2, "dispatched": 0, "open": 3, **nothing}
    assert groups["half"] == {"opening": 0, "accepted": 2, "dispatched": 2, "open": 0, **nothing}
    assert groups["exempt"] == {"opening": 0, "accepted": 5, "dispatched": 3, "open": 2, **nothing}
    january = (await office.ask(**{"from": "2026-01", "to": "2026-01"})).result
    full = next(row for row in january["fees"] if row["fee_class"] == "standard")
    assert (full["opening"], full["accepted"], full["dispatched"], full["open"]) == (0, 3, 2, 1)
    assert january["fees_balance"] is True


async def test_a_case_that_was_lost_from_the_counts_shows_as_classes_that_do_not_balance():
    office = busy_office()
    del office.campaign._open[10_002]
    assert (await office.ask()).result["fees_balance"] is False


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"from": "2026"}, "from"),
        ({"to": "2026-13"}, "to"),
        ({"from": 202603}, "from"),
        ({"from": "2026-04", "to": "2026-03"}, "from"),
        ({"from": "2026-03\n"}, "from"),
    ],
)
async def test_a_period_that_is_none_is_refused_and_its_argument_named(args, field):
    answer = await Office().ask(**args)
    assert (answer.code, answer.field) == ("command.argument", field)


@pytest.mark.parametrize(
    ("args", "period"),
    [
        ({}, ("2026-03", "2026-03")),
        ({"from": "2026-01"}, ("2026-01", "2026-03")),
        ({"to": "2026-01"}, ("2026-01", "2026-01")),
        ({"from": "2026-05"}, ("2026-05", "2026-05")),
    ],
)
async def test_what_is_left_out_of_a_period_is_this_month(args, period):
    result = (await Office().ask(**args)).result
    assert (result["from"], result["to"]) == period


async def test_an_empty_campaign_on_the_shipped_plan_is_a_report_too():
    result = (await Office(load_plan(CampaignConfig())).ask()).result
    assert result["total"]["completed"] == 0
    assert result["total"]["target"] == 4_500_000 - next(one["target"] for one in _later(result))
    assert {one["rank"] for one in result["units"]} == {1}
    json.dumps(result)


def _later(result: dict) -> list[dict]:
    """The pilot county's own year begins in May, so March has 59 years, one pilot, and one township."""
    assert (result["total"]["units"], sum(one["year"] == "pilot" for one in result["units"])) == (61, 1)
    shipped = load_plan(CampaignConfig())
    return [{"target": one.cards} for one in shipped.targets if one.first_month == "2026-05"]


async def test_cases_of_a_ledger_that_kept_no_fee_class_are_shown_as_a_class_of_their_own():
    office = Office()
    office.receive("520102001", sent=1, cards=3, fee_class="")
    result = (await office.ask()).result
    assert result["fee_groups"][-1] == {
        "group": "unknown",
        "opening": 0,
        "accepted": 3,
        "dispatched": 1,
        "cancelled": 0,
        "refused_late": 0,
        "open": 2,
    }
    assert result["fees_balance"] is True
    assert "未记录" in campaign_page(result)


def test_a_service_that_starts_folds_the_campaign_from_its_moves():
    floor = RoughFloor(3)
    floor.submit(JANUARY, 1, cards=30, refused=2)
    floor.run()
    books = empty_books(Config())
    books.fold(floor.log)
    sums = books.campaign.between(*ALWAYS)
    assert (sums.refused, sums.received) == (2, 30)
    assert sums.dispatched.total() == books.tally.dispatched > 0


# ---- the age that counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "applied", "counted"),
    [
        ("20091220", "20251220", True),  # sixteen on the day
        ("20091221", "20251220", False),
        ("20091219", "20251220", True),
        ("20120229", "20280228", False),
        ("20120229", "20280229", True),
        ("20080229", "20240229", True),
        ("20090301", "20250228", False),
    ],
)
def test_somebody_is_in_scope_from_the_sixteenth_birthday_on_at_the_day_of_application(birth, applied, counted):
    application = born(birth, acceptance_number=f"520102001{applied}00001")
    assert birth_of(application) == birth
    assert in_scope(application, context()) is counted


@pytest.mark.parametrize("number", ["", "520102001202513x100001", "5201020012025023000001"])
def test_the_day_of_receipt_stands_in_for_a_day_that_cannot_be_read(number):
    of_age = in_scope(born("20100101", acceptance_number=number), context())  # received on 2026-01-01
    assert (of_age, in_scope(born("20100102", acceptance_number=number), context())) == (True, False)


def test_the_check_character_decides_which_birth_date_is_believed():
    liar = good(birth="20200101", identity_number=number_of("520102", "19900307", "125"))
    assert in_scope(liar, context()) is True
    assert in_scope(good(birth="x", identity_number="nothing"), context()) is False


def test_examination_keeps_the_fee_class_and_nothing_that_is_none():
    sent = [pack(good()), pack(good(fee_class="张三")), b"\xc1"]
    found = examine(sent, context(), b"k" * 32)
    assert [(one.fee_class, one.in_scope) for one in found] == [("standard", True), ("", True), ("", False)]


# ---- terminal and page -----------------------------------------------------------------------------------------


async def test_the_terminal_shows_each_unit_with_its_bar_in_two_languages():
    out = io.StringIO()
    cli_campaign.print_campaign((await busy_office().ask()).result, Console(file=out, width=160))
    text = out.getvalue()
    for word in ("名次", "rank", "完成率", "of target", "520102", "南明区", "█", "┃", "工本费平衡", "520199"):
        assert word in text
    assert "3 of 3" not in text


async def test_units_without_a_card_are_one_line_unless_all_are_asked_for():
    office = Office(load_plan(CampaignConfig()))
    office.receive("520102001", sent=3)
    result = (await office.ask()).result
    with_card = [row for row in result["units"] if row["completed"] or row["received"]]
    short, whole = io.StringIO(), io.StringIO()
    cli_campaign.print_campaign(result, Console(file=short, width=100))
    cli_campaign.print_campaign(result, Console(file=whole, width=100), whole=True)
    assert 0 < len(with_card) < 5
    assert f"{61 - len(with_card)} more units have no card yet" in short.getvalue()
    rows = [[row["unit"] for row in result["units"] if f" {row['unit']} " in out.getvalue()] for out in (short, whole)]
    assert [len(set(units)) for units in rows] == [len(with_card), 61]
    assert "no card yet" not in whole.getvalue()


@pytest.mark.parametrize(
    ("percent", "cells"),
    [
        (0.0, "░" * 19 + "┃"),
        (0.1, "▏" + "░" * 18 + "┃"),
        (50.0, "█" * 10 + "░" * 9 + "┃"),
        (97.9, "█" * 19 + "┃"),
        (98.0, "█" * 19 + "░"),
        (140.0, "█" * 20),
    ],
)
def test_a_bar_is_twenty_cells_with_a_tick_until_the_line_is_reached(percent, cells):
    assert cli_campaign.bar(percent, 98.0).plain == cells


async def test_a_terminal_of_80_columns_shows_every_code_and_number_whole():
    out = io.StringIO()
    office = Office(load_plan(CampaignConfig()))
    office.receive("520102001", sent=9_999)
    cli_campaign.print_campaign((await office.ask()).result, Console(file=out, width=80))
    lines = out.getvalue().splitlines()
    [county] = [line for line in lines if " 520102 " in line]
    for cell in ("南明区", "170,000", "9,999", "5.88", "100.00", "┃"):
        assert cell in county
    assert not [line for line in lines[1:] if re.search(r"[0-9.,░█]…", line)]  # a long name may be cut


async def test_the_page_has_every_unit_and_needs_nothing_from_outside():
    office = busy_office()
    page = campaign_page((await office.ask()).result)
    assert page.startswith("<!DOCTYPE html>")
    for word in (
        "520102 南明区",
        "520103 云岩区",
        "平衡 balance",
        "采集合格率",
        "Ranking of units",
        "减半 half",
        "520199",
    ):
        assert word in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("<tr>") >= 3


async def test_what_stands_in_a_report_is_text_on_the_page_and_no_markup():
    result = (await busy_office().ask()).result
    result["units"][0]["name"] = "<script>alert(1)</script>"
    assert "<script>" not in campaign_page(result)
