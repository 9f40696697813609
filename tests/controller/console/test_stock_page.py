"""Stock in the browser: sums for who may see them, counts without being told, two people with two browsers."""

from __future__ import annotations

import html
import re
from contextlib import asynccontextmanager

import pytest

from controller.console.words import catalogue
from controller.core import events as e
from controller.core.stock import Account
from tests.controller.console.floor_console import open_floor_console
from tests.controller.core.keepers_floor import KeepersFloor

ACTIONS_MAX = 5  # from the page somebody begins with
HOSTILE = "<img src=x onerror=alert(1)>"


def worked_floor():
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    floor.both("receive", first_body=90_000, sheets=50, lot="B")
    return floor


@asynccontextmanager
async def keepers(tmp_path, *names):
    floor = worked_floor()
    async with open_floor_console(tmp_path, floor) as console:
        yield floor, [await console.visitor(name) for name in names]


def texts(page):
    """What a reader sees: no markup, numbers without the blanks between their thousands."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text)).replace("\u202f", "")


# ---- what is shown ------------------------------------------------------------------------------------------------


async def test_the_sums_are_those_of_the_books_and_the_identity_is_shown_closed(tmp_path):
    async with keepers(tmp_path, "stock-keeper") as (floor, [keeper]):
        page, stock = await keeper.get("/stock"), floor.state.stock
        for account in Account:
            words = catalogue("en")[f"account.{account}"]
            assert re.search(rf'value="{stock.blanks[account]}" aria-label="{words}"', page.text), account
        assert f"✓ Closed: {stock.received} blanks received, {stock.received} in the accounts." in texts(page)
        for one in [*stock.vault, *(one for ranges in stock.magazines.values() for one in ranges)]:
            assert f"<code>{one.first}</code></td><td><code>{one.first + one.sheets - 1}</code>" in page.text
        assert f"spoiled, to be destroyed</a> <b>{len(stock.spoiled)}</b>" in page.text
        only = await keeper.get("/stock?kind=consignment")
        rows = re.findall(
            r'<th scope="row">consignment not counted</th><td>consignment <code>\d+ \d+</code>', only.text
        )
        chip = re.search(r"consignment not counted</a> <b>(\d+)</b>", page.text)
        assert len(rows) == int(chip[1]) > 0
        assert '<th scope="row">spoiled' not in only.text


async def test_books_that_do_not_close_are_an_alarm_in_words(tmp_path):
    async with keepers(tmp_path, "stock-keeper") as (floor, [keeper]):
        floor.state.stock.received += 8
        assert "✗ NOT closed" in texts(await keeper.get("/stock"))


async def test_who_counts_at_a_station_is_shown_no_sum_and_no_serial(tmp_path):
    async with keepers(tmp_path, "operator") as (_, [operator]):
        for path in ("/stock", "/stock/shift"):
            page = await operator.get(path)
            assert page.status == 200
            assert "<meter" not in page.text
            assert "90000" not in texts(page), "the serials of the vault"
            assert "Closed:" not in texts(page)
            assert "spoiled, to be destroyed" not in texts(page)


async def test_the_page_of_the_shift_tells_nobody_what_the_books_have_before_or_after_a_count(tmp_path):
    async with keepers(tmp_path, "all") as (floor, [person]):
        expected = {str(sum(one.sheets for one in floor.state.stock.vault)), str(len(floor.state.stock.spoiled))}
        before = await person.get("/stock/shift")
        await person.start()
        await person.follow("/stock")
        await person.follow("/stock/shift")
        await person.send(**{"at.vault": "777"})
        after = await person.send()
        for page in (before, after):
            numbers = set(re.findall(r"\d+", texts(page).partition("Count and close the shift")[2]))
            assert not numbers & expected, numbers & expected


async def test_a_lot_with_markup_in_its_name_is_shown_as_text(tmp_path):
    async with keepers(tmp_path, "stock-keeper") as (floor, [keeper]):
        floor.say(e.SupplyEntered("p1", "film", HOSTILE, 40, "cat"))
        page = await keeper.get("/stock")
        assert HOSTILE not in page.text
        assert html.escape(HOSTILE) in page.text


# ---- what is done -------------------------------------------------------------------------------------------------


async def test_a_preview_says_what_the_accounts_will_be_and_then_they_are(tmp_path):
    async with keepers(tmp_path, "stock-keeper", "supervisor") as (floor, [keeper, supervisor]):
        before = dict(floor.state.stock.blanks)
        await keeper.start()
        await keeper.follow("/do/act-issue?first_body=90000")
        assert 'aria-invalid="true"' not in keeper.page.text, "what a link leaves out is not wrong"
        await keeper.send(station="l1", first_body="90000", sheets="10")
        vault, magazine = before[Account.VAULT] - 80, before[Account.MAGAZINE] + 80
        assert f"Vault {before[Account.VAULT]} −80 {vault}" in " ".join(texts(keeper.page).split())
        assert f"Magazines {before[Account.MAGAZINE]} +80 {magazine}" in " ".join(texts(keeper.page).split())
        await keeper.send()
        assert floor.state.stock.blanks == before, "nothing is done by one person"
        await supervisor.start()
        await supervisor.follow("/acts")
        await supervisor.follow("/do/second?act_id=")
        assert f"Vault {before[Account.VAULT]} −80 {vault}" in " ".join(texts(supervisor.page).split())
        await supervisor.send()
        assert (floor.state.stock.blanks[Account.VAULT], floor.state.stock.blanks[Account.MAGAZINE]) == (
            vault,
            magazine,
        )


async def test_a_keeper_closes_a_shift_with_a_supervisor_in_at_most_five_actions_each(tmp_path):
    async with keepers(tmp_path, "stock-keeper", "supervisor") as (floor, [keeper, supervisor]):
        stock = floor.state.stock
        await keeper.start()
        await keeper.follow("/stock/shift")
        counts = {"at.vault": sum(one.sheets for one in stock.vault), "at.spoiled": len(stock.spoiled)}
        counts |= {f"at.{press}": stock.in_magazine(press) for press in stock.magazines if stock.in_magazine(press)}
        await keeper.send(**{name: str(number) for name, number in counts.items()})
        await keeper.send()
        assert "closing the shift is proposed" in texts(keeper.page)
        start = await supervisor.start()
        assert 'class="badge">1<' in start.text
        await supervisor.follow("/acts")
        await supervisor.follow("/do/second?act_id=")
        await supervisor.send()
        assert "Done." in texts(supervisor.page)
        assert floor.state.last_id["shift"] == 1
        assert (keeper.actions, supervisor.actions) == (3, 3)
        assert max(keeper.actions, supervisor.actions) <= ACTIONS_MAX


async def test_two_people_destroy_spoiled_blanks_in_at_most_five_actions_each(tmp_path):
    async with keepers(tmp_path, "stock-keeper", "supervisor") as (floor, [keeper, supervisor]):
        spoiled = len(floor.state.stock.spoiled)
        destroyed = floor.state.stock.blanks[Account.DESTROYED]
        assert spoiled
        await keeper.start()
        await keeper.follow("/do/act-destroy")
        await keeper.send(count=str(spoiled))
        assert f"Destroyed – +{spoiled} –" in " ".join(texts(keeper.page).split()), (
            "counted blind: the books are not told"
        )
        await keeper.send()
        await supervisor.start()
        await supervisor.follow("/acts")
        await supervisor.follow("/do/second?act_id=")
        await supervisor.send()
        assert floor.state.stock.blanks[Account.DESTROYED] == destroyed + spoiled
        assert not floor.state.stock.spoiled
        assert (keeper.actions, supervisor.actions) == (3, 3)
        assert max(keeper.actions, supervisor.actions) <= ACTIONS_MAX


async def test_a_shift_whose_counts_differ_stays_open_and_the_second_person_is_told_where(tmp_path):
    async with keepers(tmp_path, "stock-keeper", "supervisor") as (floor, [keeper, supervisor]):
        floor.count_all()
        vault = sum(one.sheets for one in floor.state.stock.vault)
        await keeper.start()
        await keeper.follow("/stock/shift")
        await keeper.send(**{"at.vault": str(vault - 1)})
        await keeper.send()
        await supervisor.start()
        await supervisor.follow("/acts")
        await supervisor.follow("/do/second")
        page = await supervisor.send()
        assert page.status == 409
        assert f"Vault was counted {vault - 1} and should be {vault}" in texts(page)
        assert floor.state.last_id["shift"] == 0


async def test_a_count_that_is_no_number_is_shown_again_and_nothing_is_recorded(tmp_path):
    async with keepers(tmp_path, "stock-keeper") as (floor, [keeper]):
        moves = len(floor.log)
        await keeper.start()
        await keeper.follow("/stock/shift")
        page = await keeper.send(**{"at.vault": HOSTILE[:12], "at.spoiled": "3"})
        assert page.status == 400
        assert 'aria-invalid="true"' in page.text
        assert HOSTILE[:12] not in page.text
        assert len(floor.log) == moves


async def test_counts_that_are_confirmed_twice_are_recorded_once(tmp_path):
    async with keepers(tmp_path, "stock-keeper") as (floor, [keeper]):
        await keeper.start()
        await keeper.follow("/stock/shift")
        shown = await keeper.send(**{"at.vault": "5"})
        await keeper.send()
        moves = len(floor.log)
        keeper.page = shown
        again = await keeper.send()
        assert again.status == 409
        assert len(floor.log) == moves


@pytest.mark.parametrize("place", ["w1", "attic"])
async def test_a_place_that_nobody_has_to_count_is_not_asked_for_and_not_taken(tmp_path, place):
    async with keepers(tmp_path, "stock-keeper") as (_, [keeper]):
        page = await keeper.get("/stock/shift")
        assert f'name="at.{place}"' not in page.text
        shown = await keeper.browser.post("/stock/shift", {"csrf": page.csrf, f"at.{place}": "7"})
        assert f"at.{place}" not in shown.text
