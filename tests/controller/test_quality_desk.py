"""What operators ask about stations: hold, release, what holds them, who works there, and what the metrics show."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from controller import commands
from controller.cli import app
from controller.commandline import quality as cli_quality
from controller.core import events as e
from controller.core.settings import CoreConfig
from controller.core.tally import Tally
from controller.desk.quality import CERTIFICATE_ENDED
from controller.metrics import Metrics
from controller.posts import Posts
from controller.wire import Command, Done, Refusal
from devices.messages import StationState
from tests.controller.core.drifting_floor import DRIFTS, DriftingFloor


class Office:
    """Operators of a floor of its own."""

    def __init__(self, floor: DriftingFloor | None = None) -> None:
        self.floor, self.tally = floor or DriftingFloor(), Tally()
        for at, move in self.floor.log:
            self.tally.fold(at, move)
        self._asked = SimpleNamespace(
            ledger=SimpleNamespace(write=self._write),
            state=self.floor.state,
            tally=self.tally,
            core=CoreConfig(),
            posts=Posts(),
            clock=SimpleNamespace(now_floor_s=lambda: self.floor.host.now_floor_s),
            post=self._post,
        )

    async def _write(self, change: object) -> None:
        """Keep nothing: these floors have no ledger."""

    def _post(self, event: e.AnyEvent) -> SimpleNamespace:
        turn = self.floor.host.handle(event, self.floor.host.now_floor_s)

        async def wait():
            return turn

        return SimpleNamespace(wait=wait)

    async def ask(self, verb: str, user: str = "ann", **args: object) -> Done | Refusal:
        return await commands.answer(self._asked, user, Command(request=1, verb=verb, args=args))

    async def station(self, name: str) -> dict:
        return next(row for row in (await self.ask("stations")).result if row["station"] == name)


async def test_a_person_holds_a_station_sees_it_among_the_holds_and_releases_it():
    office = Office()
    assert (await office.ask("hold", station="p1", code="belt-worn")).result == {}
    office.floor.host.now_floor_s += 90.0
    [hold] = (await office.ask("holds")).result
    assert (hold["station"], hold["step"], hold["code"], hold["by"]) == ("p1", "print", "belt-worn", "ann")
    assert hold["age_s"] == 90.0
    assert "cardmill release p1" in hold["to_do"]
    assert (await office.station("p1"))["hold"] == "belt-worn"
    assert (await office.ask("release", user="bob", station="p1")).result == {}
    assert (await office.ask("holds")).result == []
    assert (await office.station("p1"))["hold"] == ""


async def test_a_hold_for_drift_says_what_has_to_be_done_and_what_is_in_flight_and_warnings_stand_at_the_station():
    floor = DriftingFloor(from_sheet=3)
    floor.submit(1.0, 1, cards=160)
    floor.until(lambda: DRIFTS in floor.state.station_holds)
    office = Office(floor)
    [hold] = (await office.ask("holds")).result
    assert (hold["code"], hold["by"]) == ("drift", "")
    assert hold["sheets"] == len(floor.state.drifted[DRIFTS].sheets) > 0
    flying = set(floor.state.drifted[DRIFTS].in_flight)
    assert {row["sheet_id"] for row in hold["in_flight"]} == flying & set(floor.state.sheets)
    assert "P1" in hold["to_do"]
    assert (await office.station(DRIFTS))["warnings"] == ["P1"]
    await office.ask("release", station=DRIFTS)
    assert (await office.station(DRIFTS))["warnings"] == []


@pytest.mark.parametrize(
    ("verb", "args", "code"),
    [
        ("hold", {"station": "p1"}, "command.argument"),
        ("hold", {"station": "p1", "code": "because Li Hua said so"}, "command.argument"),
        ("hold", {"station": "p1", "code": ""}, "command.argument"),
        ("hold", {"station": "nosuch", "code": "x"}, "station.unknown"),
        ("release", {"station": "p1"}, "station.not_held"),
        ("release", {}, "command.argument"),
        ("sign_on", {"station": "nosuch"}, "station.unknown"),
        ("sign_on", {"station": "i1", "operator": "bob"}, "command.argument"),
        ("sign_on", {"station": "i1", "operator": 7}, "command.argument"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_code(verb, args, code):
    office = Office()
    moves = len(office.floor.log)
    assert (await office.ask(verb, **args)).code == code
    assert len(office.floor.log) == moves


async def test_who_asks_signs_on_as_himself_and_an_empty_name_signs_off():
    office = Office()
    assert (await office.ask("sign_on", user="mei", station="i1")).result == {}
    assert (await office.station("i1"))["operator"] == "mei"
    await office.ask("sign_on", user="mei", station="i1", operator="")
    assert (await office.station("i1"))["operator"] == ""


async def test_an_inspection_station_says_why_its_inspector_is_gone():
    office = Office()
    office.floor.host.handle(e.SignedOn("i1", "mei", 100.0), 1.0)
    office.floor.host.handle(e.SignedOn("p1", "lin", 100.0), 1.0)
    assert (await office.station("i1"))["reason"] == ""
    office.floor.host.run(200.0)
    assert (await office.station("i1"))["reason"] == CERTIFICATE_ENDED
    assert (await office.station("p1"))["reason"] == "", "a printer needs no judge"
    await office.ask("sign_on", user="mei", station="i1", operator="")
    assert (await office.station("i1"))["reason"] == ""


async def test_an_inspection_station_at_work_says_too_that_its_inspectors_certificate_ended():
    office = Office()
    office.floor.host.handle(e.SignedOn("i1", "mei", 100.0), 1.0)
    office.floor.host.run(99.0)
    office.floor.host.handle(e.StationReported("i1", StationState.EXECUTE, "", 99.0), 99.0)
    assert (await office.station("i1"))["reason"] == ""
    office.floor.host.run(100.0)
    seen = await office.station("i1")
    assert (seen["state"], seen["operator"], seen["reason"]) == ("execute", "", CERTIFICATE_ENDED)


async def test_a_stations_age_grows_with_the_floors_time():
    office = Office()
    office.floor.host.handle(e.StationReported("w1", StationState.ABORTED, "breakdown", 40.0), 50.0)
    office.floor.host.now_floor_s = 140.0
    seen = await office.station("w1")
    assert (seen["state"], seen["reason"], seen["since_floor_s"], seen["age_s"]) == (
        "aborted",
        "breakdown",
        40.0,
        100.0,
    )


def test_the_metrics_show_a_held_station_and_no_other():
    office = Office()
    office.floor.host.handle(e.HoldAsked("p1", "cleaning", "ann"), 1.0)
    page = Metrics(office.tally, office.floor.state).text().decode()
    held = [line for line in page.splitlines() if line.startswith("cardmill_station_held{")]
    assert 'cardmill_station_held{station="p1"} 1.0' in held
    assert sum(line.endswith(" 1.0") for line in held) == 1
    assert len(held) == len(office.floor.state.stations)


@pytest.mark.parametrize(
    ("station", "told"), [("i1", "signed off"), ("i2", "nobody was signed on at i2"), ("i9", "signed off")]
)
def test_signing_off_where_nobody_is_says_so(monkeypatch, station, told):
    rows = [{"station": "i1", "operator": "cay"}, {"station": "i2", "operator": ""}]
    monkeypatch.setattr(cli_quality, "ask", lambda verb, *_: rows if verb == "stations" else {})
    done = CliRunner().invoke(app, ["sign-on", station, "--off", "--as", "ann"])
    assert (done.exit_code, done.stdout.strip()) == (0, told)


@pytest.mark.parametrize(
    ("line", "verb", "args"),
    [
        (["hold", "p1", "belt-worn"], "hold", {"station": "p1", "code": "belt-worn"}),
        (["release", "p1"], "release", {"station": "p1"}),
        (["sign-on", "i1"], "sign_on", {"station": "i1"}),
        (["sign-on", "i1", "--off"], "sign_on", {"station": "i1", "operator": ""}),
    ],
)
def test_each_command_asks_its_verb_as_who_typed_it_and_writes_json_when_asked(monkeypatch, line, verb, args):
    asked = []
    monkeypatch.setattr(cli_quality, "ask", lambda *what: asked.append(what) or {})
    done = CliRunner().invoke(app, [*line, "--as", "ann", "--json", "-"])
    assert (done.exit_code, done.stdout.strip()) == (0, "{}")
    assert asked == [(verb, args, "ann", None, None)]
