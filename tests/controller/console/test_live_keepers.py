"""Acts and stock live: one rendering for all who look, of which each is given what the roles allow, and no form."""

from __future__ import annotations

import re

import trio

from controller.console.guard import Cookies
from controller.console.live import PERIOD_S, Live
from controller.console.pages import Pages
from controller.console.slots import filled
from controller.console.views import acts, stock
from controller.core import events as e
from tests.controller.console.floor_console import FloorDesk, open_floor_console
from tests.controller.core.keepers_floor import KeepersFloor

COOKIES = Cookies("s", "f", "l", is_secure=True)
NOW = re.compile(r'<div id="now"[^>]*>(.*?)\n</div>\n</div>', re.S)
VIEWS = {"acts": acts.view, "stock": stock.view, "stock-blind": stock.blind_view}


def worked_floor():
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    floor.both("receive", first_body=90_000, sheets=50, lot="B")
    floor.say(e.ActAsked("sample", {"first_body": 90_001, "sheets": 2}, "stock-keeper"))
    return floor


class Renderings:
    """The live views over a floor, and how often each was rendered."""

    def __init__(self, floor):
        self.behind, self.made = FloorDesk(floor), []
        pages = Pages(COOKIES)
        self.views = {name: make(pages, self.behind.desk) for name, make in VIEWS.items()}
        counted = {name: view._replace(make=self.counting(name, view.make)) for name, view in self.views.items()}
        self.live = Live(counted, trio.lowlevel.checkpoint)

    def counting(self, name, make):
        def counted(language):
            self.made.append(name)
            return make(language)

        return counted

    async def heard(self, name, readers):
        """Give what each of some people at one view was told first, and how often it was rendered for that."""
        self.made.clear()
        told = {reader: [] for reader in readers}

        async def listen(reader):
            async for event in self.live.listen(name, "en", lambda: True, reader):
                told[reader].append(event.decode())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.live.run)
            for reader in readers:
                nursery.start_soon(listen, reader)
            await trio.sleep(PERIOD_S / 2)
            nursery.cancel_scope.cancel()
        return {reader: events[0] for reader, events in told.items()}


async def test_one_rendering_of_the_acts_gives_each_reader_the_buttons_of_the_own_roles(autojump_clock):
    floor = Renderings(worked_floor())
    told = await floor.heard("acts", ("supervisor", "quality", "stock-keeper"))
    assert floor.made.count("acts") <= 2, "for all three"
    assert "/do/second?act_id=" in told["supervisor"]
    assert "/do/second?act_id=" not in told["quality"]
    assert "Your roles may not agree" in told["quality"]
    assert "You proposed it" in told["stock-keeper"]
    assert "/do/second?act_id=" not in told["stock-keeper"]
    assert "/do/withdraw?act_id=" in told["stock-keeper"]
    for event in told.values():
        assert "<!--" not in event
        assert "leave the vault as samples" in event


async def test_an_act_that_ended_while_it_was_rendered_has_no_button(autojump_clock):
    floor = worked_floor()
    view = acts.view(Pages(COOKIES), FloorDesk(floor).desk)
    markup = view.make("en")
    assert "/do/second" in view.of(markup, "supervisor")
    floor.state.acts.clear()
    assert "/do/" not in view.of(markup, "supervisor")


async def test_who_counts_blind_hears_no_sum_and_no_serial_and_who_may_load_is_offered_it(autojump_clock):
    floor = Renderings(worked_floor())
    floor.behind.floor.say(e.SupplyEntered("p1", "film", "F7", 40, "cat"))
    sees = await floor.heard("stock", ("stock-keeper", "supervisor", "auditor"))
    blind = await floor.heard("stock-blind", ("operator",))
    assert "90000" in sees["stock-keeper"]
    assert "<meter" in sees["supervisor"]
    assert "/do/act-issue" in sees["stock-keeper"]
    assert "/do/" not in sees["auditor"]
    for trace in ("<meter", "90000", "/do/act-"):
        assert trace not in blind["operator"]
    assert "F7" in blind["operator"]
    assert "/do/load?" in blind["operator"]


async def test_a_balance_that_moves_is_heard_within_a_period(autojump_clock):
    floor, told = Renderings(worked_floor()), []
    before = floor.behind.desk.state.stock.received

    async def listen():
        async for event in floor.live.listen("stock", "en", lambda: True, "supervisor"):
            told.append(event.decode())  # noqa: PERF401  one at a time, as they come

    async with trio.open_nursery() as nursery:
        nursery.start_soon(floor.live.run)
        nursery.start_soon(listen)
        await trio.sleep(PERIOD_S / 2)
        floor.behind.floor.both("receive", first_body=95_000, sheets=50, lot="C")
        await trio.sleep(PERIOD_S)
        nursery.cancel_scope.cancel()
    assert len(told) == 2
    assert floor.behind.desk.state.stock.received > before
    assert "95000" not in told[0]
    assert "95000" in told[1]


async def test_the_pages_listen_to_what_their_reader_may_hear_and_nothing_one_types_into_is_swapped(tmp_path):
    async with open_floor_console(tmp_path, worked_floor()) as console:
        for name, path, listens in (
            ("stock-keeper", "/stock", "stock"),
            ("operator", "/stock", "stock-blind"),
            ("supervisor", "/acts", "acts"),
        ):
            page = await (await console.visitor(name)).get(path)
            assert f'sse-connect="/events/{listens}"' in page.text
            [now] = NOW.findall(page.text)
            assert len(now) > 100
            assert not re.search(r"<(form|input|select|textarea|button|details)\b", now)
        operator = await console.visitor("operator")
        assert (await operator.get("/events/stock")).status == 403


def test_a_slot_s_edges_cannot_come_from_a_value_and_slots_keep_what_stands_between_them():
    markup = "a<!--if load-->b<!--end-->c&lt;!--if act issue--&gt;d<!--if act issue-->e<!--end-->f"
    assert filled(markup, lambda slot: slot == "load") == "abc&lt;!--if act issue--&gt;df"
    assert filled(markup, lambda slot: slot == "act issue") == "ac&lt;!--if act issue--&gt;def"
