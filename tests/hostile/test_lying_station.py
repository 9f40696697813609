"""A station that lies to a real service: another's job, sheets it was not given, serials of no magazine."""

from __future__ import annotations

import time
from contextlib import ExitStack

import msgspec
import pytest

from bench.hostile_place import dealers, key_of
from controller.asking.submission import encode_application
from devices.messages import Hello, JobDone, PositionResult, SheetResult, StationState, Status
from encoders.envelope import pack
from sims.demo.staff import StockKeepers
from sims.faces import FaceSource
from sims.people import Population
from tests.hostile.good_peer import GoodPeer
from tests.whole.centre import Centre

WITHIN_S, CARDS = 300.0, 8
FOREIGN_BODY = 77_777_777


class Station:
    """A station spoken by hand over a bare socket."""

    def __init__(self, raw, step: str) -> None:
        self.raw, self.issue_id = raw, 0
        self.raw.send(pack(Hello(version=1, step=step, model="liar", load_max=1, state=StationState.IDLE)))
        self.hear("welcome")

    def hear(self, kind: str, meanwhile=lambda: None) -> dict:
        """Give the next message of a kind; until it comes say that nothing is wrong here."""
        until_s = time.monotonic() + WITHIN_S
        while time.monotonic() < until_s:
            if self.raw.poll(500):
                heard = msgspec.msgpack.decode(self.raw.recv())
                self.issue_id = max(self.issue_id, heard.get("issue_id", 0))
                if heard["type"] == kind:
                    return heard
            meanwhile()
            self.raw.send(pack(Status(state=StationState.IDLE, issue_id=self.issue_id)))
        raise AssertionError(f"no {kind} came")

    def done(self, job_id: int, *sheet_ids: int, body: int = 0) -> None:
        """Say that a job is done."""
        sheets = [SheetResult(one, body=body, positions=[PositionResult()] * CARDS) for one in sheet_ids]
        self.raw.send(pack(JobDone(job_id=job_id, started_floor_s=1.0, ended_floor_s=2.0, sheets=sheets)))


class Floor:
    """A centre with one batch of eight cards, a printer, another printer and a press, all of them spoken by hand."""

    def __init__(self, centre: Centre, stack: ExitStack) -> None:
        self.centre = centre
        self.people = [stack.enter_context(centre.operator(name)) for name in ("keeper-1", "keeper-2")]
        self.keepers = StockKeepers(*self.people, CARDS)
        self._stack = stack
        with centre.upstream("north") as north:
            today, population = north.hello().floor_date, Population(31, faces=FaceSource(31))
            people = [encode_application(population.application(index, today)) for index in range(CARDS)]
            north.submit_batch(f"520000000000{today}00001", today, people)

    def station(self, name: str, step: str) -> Station:
        key = key_of(str(self.centre.secret("station", name)))
        place = _Doors(self.centre)
        [raw] = self._stack.enter_context(dealers(place, door="stations", secret=key))
        return Station(raw, step)

    def lies(self, station: str, code: str) -> bool:
        """Say whether a lie was counted, exactly once."""
        row = f'cardmill_station_lies_total{{outcome="{code}",station="{station}"}} 1.0'
        return row in self.centre.metrics_page()

    def until(self, is_so, what: str) -> None:
        until_s = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < until_s, what
            self.centre.rest(0.05)


class _Doors:
    """What `dealers` needs to know of a centre."""

    def __init__(self, centre: Centre) -> None:
        self.endpoints, self.server_key = centre.doors, key_of(str(centre.server_public))


@pytest.fixture
def own_centre(tmp_path):
    """A service with a fast floor clock, for this file alone."""
    made = Centre(tmp_path)
    made.start()
    yield made
    made.close()


def test_lies_of_a_station_are_counted_and_change_nothing_but_what_becomes_suspect(own_centre):
    with ExitStack() as stack:
        stack.enter_context(GoodPeer(own_centre))
        floor = Floor(own_centre, stack)
        printer = floor.station("p1", "print")
        job = printer.hear("start")
        [(sheet_id, *_)] = job["sheets"]
        other = floor.station("p2", "print")

        other.done(job["job_id"], sheet_id)
        floor.until(lambda: floor.lies("p2", "station.job_not_given"), "another's job was believed")
        printer.done(job["job_id"], sheet_id + 1)
        floor.until(lambda: floor.lies("p1", "station.bad_sheets"), "another sheet was believed")
        assert floor.people[0].command("status")["steps"]["print"]["working"] == 1

        printer.done(job["job_id"], sheet_id)
        press = floor.station("l1", "laminate")
        job = press.hear("start", floor.keepers.look)
        before = floor.people[0].command("stock")["accounts"]
        press.done(job["job_id"], sheet_id, body=FOREIGN_BODY)
        floor.until(lambda: floor.lies("l1", "station.foreign_body"), "a serial of no magazine was believed")

        [suspect] = floor.people[0].command("suspects")
        assert suspect["sheet_id"] == sheet_id
        status = floor.people[0].command("status")
        assert (status["tally"]["made"], status["tally"]["dispatched"]) == (0, 0)
        after = floor.people[0].command("stock")["accounts"]
        assert sum(after.values()) == sum(before.values())
        assert after["good"] == 0
