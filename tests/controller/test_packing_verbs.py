"""What operators ask about packing: piles that wait, what was sent, what arrived."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import structlog

from controller import commands
from controller.core import events as e
from controller.ledger.journal import Recorded
from controller.ledger.reader import Reader
from controller.wire import Command, Done, Refusal
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.core.test_packing import stopped_floor
from tests.controller.core.test_packing_exit import door_floor
from tests.controller.evidence.samples import SIGNER
from tests.controller.ledger.desk import Desk


class Counter:
    """An operator's counter on a floor of its own; what the floor records comes into a ledger."""

    def __init__(self, floor: RoughFloor) -> None:
        self.floor, self.desk, self._kept = floor, Desk(), 0
        ledger = SimpleNamespace(reader=Reader(self.desk.engine), write=self.write)
        clock = SimpleNamespace(now_floor_s=lambda: floor.host.now_floor_s)
        self._asked = SimpleNamespace(
            ledger=ledger, state=floor.state, post=self.post, clock=clock, vault=None, signer=SIGNER
        )
        self.keep()

    def keep(self) -> None:
        fresh = self.floor.log[self._kept :]
        self._kept = len(self.floor.log)
        self.desk.keep([Recorded(at, e.TimerFired(), [move]) for at, move in fresh])

    async def write(self, change: object) -> None:
        self.keep()

    def post(self, event: e.AnyEvent) -> SimpleNamespace:
        turn = self.floor.host.handle(event, self.floor.host.now_floor_s)
        self.keep()

        async def wait():
            return turn

        return SimpleNamespace(wait=wait)

    async def ask(self, verb: str, **args: object) -> Done | Refusal:
        return await commands.answer(self._asked, "ann", Command(request=1, verb=verb, args=args))


def sent_counter() -> Counter:
    """Give a counter after nine cards left, three for each of three police stations."""
    floor = RoughFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=9)
    floor.run()
    return Counter(floor)


async def test_a_stopped_pile_is_shown_with_the_cards_that_lack_and_the_serials_that_were_foreign():
    floor, job, _ = stopped_floor(foreign=[77_777])
    answer = await Counter(floor).ask("piles")
    [pile] = answer.result
    assert (pile["cards"], pile["missing"], pile["foreign"]) == (job.cards, job.cards[:1], [77_777])
    assert pile["stations"] == [job.station]


async def test_a_count_is_answered_with_its_difference_and_stands_among_the_consignments():
    counter = sent_counter()
    before = (await counter.ask("consignments")).result
    assert [(row["sent"], row["arrived"], row["difference"]) for row in before] == [(3, -1, 0)] * 3
    answer = await counter.ask("arrived", consignment_id=1, unit="520102001", cards=2)
    assert (answer.result["sent"], answer.result["difference"]) == (3, -1)
    after = (await counter.ask("consignments")).result
    assert [row["difference"] for row in after] == [0, -1, 0]


async def test_what_no_station_counted_is_open_and_ages_until_a_count_closes_it():
    counter = sent_counter()
    now = counter.floor.host.now_floor_s
    for row in (await counter.ask("consignments")).result:
        assert row["open_s"] == pytest.approx(now - row["sent_floor_s"])
    counter.floor.host.now_floor_s += 86_400.0
    await counter.ask("arrived", consignment_id=1, unit="520102001", cards=3)
    rows = (await counter.ask("consignments")).result
    assert [row["open_s"] > 86_000 for row in rows] == [True, False, True]
    open_ones = (await counter.ask("consignments", uncounted=True)).result
    assert open_ones == [row for row in rows if row["arrived"] < 0]
    assert (await counter.ask("consignments", uncounted="yes")).field == "uncounted"


async def test_the_oldest_uncounted_come_first_and_not_only_those_of_the_newest_hundred():
    floor = RoughFloor(1, trouble=0.0)
    for batch in range(1, 105):
        floor.submit(10.0 * batch, batch, cards=1)
    floor.run()
    counter = Counter(floor)
    newest = {row["consignment_id"] for row in (await counter.ask("consignments")).result}
    oldest = [row["consignment_id"] for row in (await counter.ask("consignments", uncounted=True)).result]
    assert oldest == list(range(1, 101))
    assert newest == set(range(5, 105))


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"consignment_id": 9, "unit": "520102001", "cards": 2}, "unit"),
        ({"consignment_id": 1, "unit": "999999999", "cards": 2}, "unit"),
        ({"consignment_id": 1, "unit": "520102001", "cards": -1}, "cards"),
        ({"consignment_id": "1", "unit": "520102001", "cards": 1}, "consignment_id"),
    ],
)
async def test_a_count_of_what_was_never_sent_is_refused(args, field):
    answer = await sent_counter().ask("arrived", **args)
    assert (answer.code, answer.field) == ("command.argument", field)


async def test_a_blank_that_is_missing_is_an_alarm_in_the_log():
    floor, job, _ = stopped_floor()
    blank = floor.state.cards[job.cards[0]].blank
    act = floor.host.handle(e.ActAsked("missing", {"card": job.cards[0]}, "bob"), floor.host.now_floor_s)
    with structlog.testing.capture_logs() as lines:
        await Counter(floor).ask("second", act_id=act.answer)
    assert [(line["event"], line["log_level"], line["blank"]) for line in lines] == [("blank.missing", "error", blank)]


# ---- the exit check ----------------------------------------------------------------------------------------------


def door_counter() -> Counter:
    """Give a counter on a floor where six bundles of batch 1 wait at the door."""
    return Counter(door_floor())


async def test_a_dispatch_with_a_whole_scan_leaves_and_is_shown_as_scanned_in_its_boxes():
    counter = door_counter()
    answer = await counter.ask("dispatch", batch_number=f"{1:025d}", scanned=[6, 5, 4, 3, 2, 1])
    assert answer.result == {}
    rows = (await counter.ask("consignments")).result
    assert [row["boxes"] for row in rows] == [(1,), (1, 2), (2,)]
    assert {(row["scanned"], row["bundles"]) for row in rows} == {(True, 2)}
    assert (await counter.ask("manifest", consignment_id=1)).result["scanned"]


async def test_a_dispatch_whose_scan_differs_is_refused_by_name_and_nothing_leaves():
    counter = door_counter()
    answer = await counter.ask("dispatch", batch_number=f"{1:025d}", scanned=[1, 2, 2, 4, 5, 6, 7])
    assert answer.code == "dispatch.exit_check"
    assert "missing 3; twice 2; foreign 7" in answer.text
    assert (await counter.ask("consignments")).result == []
    assert (await counter.ask("dispatch", batch_number=f"{1:025d}")).result == {}


@pytest.mark.parametrize("scanned", [[], None, "1", [1, "2"], [True], [-1], [2**53], {"1": 1}, [1] * 10_001])
async def test_a_scan_that_is_no_list_of_bundles_is_refused_and_never_taken_for_none(scanned):
    counter = door_counter()
    answer = await counter.ask("dispatch", batch_number=f"{1:025d}", scanned=scanned)
    assert (answer.code, answer.field) == ("command.argument", "scanned")
    assert (await counter.ask("consignments")).result == []


@pytest.mark.parametrize("consignment_id", [0, 4, -1, "1", None])
async def test_a_manifest_of_what_was_never_sent_is_refused(consignment_id):
    answer = await sent_counter().ask("manifest", consignment_id=consignment_id)
    assert (answer.code, answer.field) == ("command.argument", "consignment_id")
