"""Alarms for people: who takes care of one, what log, metric and command line say, and that a start keeps it."""

from __future__ import annotations

import json
from collections import Counter as Counts
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio
from structlog.testing import capture_logs
from typer.testing import CliRunner

from controller import cli, rights
from controller.andon.page import page
from controller.andon.standing import FRAMES_WITHIN_S, Andon, Surroundings
from controller.commandline import andon as cli_andon
from controller.commandline import show
from controller.config import Config
from controller.core.andon.rules import RULES
from controller.core.andon_events import AlarmOwned, AlarmsEnded
from controller.core.andon_moves import AlarmOver, AlarmTaken
from controller.core.andon_owning import OWNERS_MAX
from controller.core.foreman import Foreman
from controller.core.settings import CoreConfig
from controller.core.state import SILENT, FloorState
from controller.core.taken import AlarmOwner
from controller.core.tally import Tally
from controller.desk.desk import AllBefore
from controller.ledger.journal import Recorded
from controller.ledger.store import open_ledger
from controller.metrics import Metrics
from controller.posts import Posts
from controller.report.text import status_lines
from controller.upkeep.books import decode_books, empty_books, encode_books, open_books
from controller.wire import Done
from devices.messages import StationState
from tests.controller.test_posts import Counter

ROOT = Path(__file__).resolve().parents[2]
KEY = "station.aborted p1"


class Office(Counter):
    """Operators of a rough floor of their own, its list of alarms, and a clock that stands with the floor."""

    def __init__(self, **roles: set[str]) -> None:
        super().__init__(Posts())
        self.around, self.tally = Surroundings(now_s=lambda: self.real_s), self.floor.report.tally
        self.real_s = 0.0
        self.clock = SimpleNamespace(now_floor_s=lambda: self.floor.host.now_floor_s)
        self.desk.clock = self.clock
        self.desk.andon = self.andon = self.started()
        self.desk.roles = lambda user: frozenset(roles.get(user, rights.STAFF if not roles else ()))
        self.put("p1", StationState.IDLE)

    def started(self) -> Andon:
        """Give the list as a start of the service on this ledger has it."""
        return Andon(self.floor.state, self.tally, CoreConfig(), self.clock, self.around, self._post)

    def put(self, name: str, state: str) -> None:
        station = self.floor.state.stations[name]
        station.state, station.since_floor_s = state, self.floor.host.now_floor_s

    def wait(self, floor_s: float) -> None:
        self.floor.host.now_floor_s += floor_s

    async def rows(self) -> dict[str, dict]:
        return {row["key"]: row for row in (await self.ask("ann", "alarms")).result}


# ---- the foreman and the record ----------------------------------------------------------------------------------


def test_the_foreman_records_who_takes_care_of_an_alarm_and_that_it_is_over():
    foreman, events = Foreman(CoreConfig()), [AlarmOwned(KEY, 40.0, "ann"), AlarmsEnded([KEY, "never.owned", KEY])]
    taken = foreman.handle(events[0], 50.0)
    assert taken.moves == [AlarmTaken(KEY, 40.0, "ann")]
    assert foreman.state.alarm_owners == {KEY: AlarmOwner("ann", 50.0, 40.0)}
    assert foreman.handle(events[0], 51.0).refused.code == "alarm.owned"
    assert foreman.handle(AlarmOwned(KEY, 40.0, "bob"), 52.0).moves == [AlarmTaken(KEY, 40.0, "bob")]
    assert foreman.state.alarm_owners[KEY].by == "bob"
    assert foreman.handle(events[1], 60.0).moves == [AlarmOver(KEY)]
    assert foreman.state.alarm_owners == {}
    assert foreman.handle(events[1], 61.0).moves == []


def test_no_more_alarms_have_an_owner_than_a_list_is_long():
    foreman = Foreman(CoreConfig())
    for number in range(OWNERS_MAX):
        foreman.handle(AlarmOwned(f"blank.missing {number}", 0.0, "ann"), 1.0)
    assert foreman.handle(AlarmOwned("blank.missing x", 0.0, "ann"), 2.0).refused.code == "alarm.too_many"
    assert foreman.handle(AlarmOwned("blank.missing 1", 0.0, "bob"), 2.0).refused is None


async def test_a_start_folds_who_owned_what_from_the_ledger_and_a_snapshot_keeps_it(tmp_path, engine_url):
    foreman = Foreman(CoreConfig())
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        for at, event in ((5.0, AlarmOwned(KEY, 4.0, "ann")), (6.0, AlarmOwned("disk.low", 6.0, "bob"))):
            ledger.put(Recorded(at, event, foreman.handle(event, at).moves))
        over = AlarmsEnded(["disk.low"])
        ledger.put(Recorded(7.0, over, foreman.handle(over, 7.0).moves))
        await ledger.write(AllBefore())
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        books = (await trio.to_thread.run_sync(open_books, ledger, Config())).books
    assert books.foreman.state.alarm_owners == {KEY: AlarmOwner("ann", 5.0, 4.0)} == foreman.state.alarm_owners
    again = decode_books(encode_books(books), Config())
    assert again.foreman.state.alarm_owners == books.foreman.state.alarm_owners
    assert empty_books(Config()).foreman.state.alarm_owners == {}


# ---- at the desk ------------------------------------------------------------------------------------------------


async def test_somebody_takes_care_of_an_alarm_and_another_takes_it_over():
    office = Office()
    office.put("p1", StationState.ABORTED)
    office.wait(90.0)
    assert (await office.ask("ann", "acknowledge", key=KEY)).result == {"key": KEY, "owner": "ann", "before": ""}
    row = (await office.rows())[KEY]
    assert (row["owner"], row["age_s"], row["severity"]) == ("ann", 90.0, "ticket")
    assert (await office.ask("ann", "acknowledge", key=KEY)).code == "alarm.owned"
    assert (await office.ask("bob", "acknowledge", key=KEY)).result["before"] == "ann"


@pytest.mark.parametrize("key", [KEY, "station.silent p1", "nonsense", "station.aborted  p1"])
async def test_what_does_not_stand_nobody_takes_care_of(key):
    office = Office()
    assert (await office.ask("ann", "acknowledge", key=key)).code == "alarm.none"
    assert office.posted == []


async def test_an_alarm_that_comes_again_is_a_new_one_and_nobodys():
    office = Office()
    await office.andon.look()
    office.put("p1", StationState.ABORTED)
    await office.ask("ann", "acknowledge", key=KEY)
    await office.andon.look()
    assert (await office.rows())[KEY]["owner"] == "ann", "it stands"
    office.put("p1", StationState.IDLE)  # complaint 8: cleared at the machine, and nobody came to the console
    await office.andon.look()
    assert KEY not in await office.rows()
    assert office.posted[-1] == AlarmsEnded([KEY])
    office.wait(5.0)
    office.put("p1", StationState.ABORTED)
    row = (await office.rows())[KEY]
    assert (row["owner"], row["age_s"]) == ("", 0.0)


async def test_after_a_start_the_owner_stays_though_the_station_is_silent_at_first():
    office = Office()
    office.put("p1", StationState.ABORTED)
    began = office.floor.host.now_floor_s
    await office.ask("ann", "acknowledge", key=KEY)
    office.wait(30.0)
    office.put("p1", SILENT)
    office.desk.andon = andon = office.started()
    await andon.look()
    assert KEY not in await office.rows()
    office.wait(10.0)
    office.put("p1", StationState.ABORTED)  # it says hello, and what it is
    await andon.look()
    row = (await office.rows())[KEY]
    assert (row["owner"], row["since_floor_s"]) == ("ann", began)


async def test_every_role_sees_the_alarms_and_the_auditor_takes_care_of_none():
    office = Office(**{role.replace("_", "-"): {role} for role in rights.ROLES})
    office.put("p1", StationState.ABORTED)
    for role in rights.ROLES:
        assert isinstance(await office.ask(role.replace("_", "-"), "alarms"), Done)
        answer = await office.ask(role.replace("_", "-"), "acknowledge", key=KEY)
        assert isinstance(answer, Done) is (role != rights.AUDITOR)
    assert (await office.ask("stranger", "alarms")).code == "right.missing"


async def test_who_counts_blind_reads_no_sum_of_stock_among_the_facts_of_an_alarm():
    office = Office(ann=set(rights.STAFF), olga={rights.OPERATOR})
    stock, config = office.floor.state.stock, CoreConfig().andon
    began = office.floor.host.now_floor_s
    stock.spoiled |= dict.fromkeys(range(1, 38), began)
    stock.returned |= dict.fromkeys(range(41, 46), began)
    office.tally.inputs.first_floor_s = began
    office.wait(config.destroy_s + 1.0)
    hour = int(office.floor.host.now_floor_s // 3_600)
    office.tally.inputs.hours[hour] = Counts({"bodies": 500_000})  # so many a day that the vault ends soon
    seen = {by: {row["key"]: row for row in (await office.ask(by, "alarms")).result} for by in ("ann", "olga")}
    sums = {"reject.open": "count", "return.open": "count", "input.ends blanks": "sheets"}
    assert [seen["ann"][key]["facts"][name] for key, name in sums.items()][:2] == [37, 5]
    assert seen["ann"]["input.ends blanks"]["facts"]["sheets"] > 0
    for key, name in sums.items():
        assert name not in seen["olga"][key]["facts"]
        assert seen["olga"][key]["cause_zh"] == seen["ann"][key]["cause_zh"]


async def test_a_blank_whose_serial_is_as_long_as_an_identity_number_has_an_owner_too():
    office, serial = Office(), 520_425_199_001_010_012
    office.floor.state.stock.lost[serial] = 0.0
    answer = await office.ask("ann", "acknowledge", key=f"blank.missing {serial}")
    assert answer.result["owner"] == "ann"
    assert (await office.ask("ann", "acknowledge", key=f"blank.missing {serial + 1}")).code == "alarm.none"


# ---- log and metric ---------------------------------------------------------------------------------------------


async def test_the_log_says_once_that_an_alarm_began_and_once_that_it_is_over():
    office = Office()
    await office.andon.look()
    office.put("p1", StationState.ABORTED)
    with capture_logs() as logs:
        await office.andon.look()
        await office.andon.look()
        office.wait(60.0)
        office.put("p1", StationState.IDLE)
        await office.andon.look()
        await office.andon.look()
    mine = [(one["log_level"], one["event"]) for one in logs if one["key"] == KEY]
    assert mine == [("warning", "alarm"), ("info", "alarm over")]
    assert next(one for one in logs if one["event"] == "alarm over")["stood_s"] == 60.0


async def test_the_task_looks_again_and_again(autojump_clock):
    office = Office()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(office.andon.run)
        office.put("p1", StationState.ABORTED)
        await office.ask("ann", "acknowledge", key=KEY)
        office.put("p1", StationState.IDLE)
        await trio.sleep(10.0)
        nursery.cancel_scope.cancel()
    assert AlarmsEnded([KEY]) in office.posted


def test_the_metric_shows_every_code_by_its_severity_and_names_no_station():
    office = Office()
    office.put("p1", StationState.ABORTED)
    metrics = Metrics(Tally(), FloorState())
    metrics.watch_alarms(office.andon.alarms)
    shown = [line for line in metrics.text().decode().splitlines() if line.startswith("cardmill_alarms{")]
    assert len(shown) == len(RULES)
    assert 'cardmill_alarms{code="station.aborted",severity="ticket"} 1.0' in shown
    assert 'cardmill_alarms{code="disk.low",severity="page"} 0.0' in shown


def test_refused_frames_are_an_alarm_when_many_came_in_five_minutes_and_none_after_that():
    office, refused = Office(), SimpleNamespace(frames=1_000)
    office.around.refusals = refused
    office.around.note()
    assert office.around.conditions().refused_frames == 0, "what came long ago is not counted"
    refused.frames += 100
    assert "frames.refused" in {one.key for one in office.andon.alarms()}
    for _ in range(40):
        office.real_s += 10.0
        office.around.note()
    assert "frames.refused" not in {one.key for one in office.andon.alarms()}
    assert len(office.around.totals) <= FRAMES_WITHIN_S / 10.0 + 1


def test_what_the_disk_says_and_plain_sockets_are_alarms():
    line = {"state": "low", "free_bytes": 7 << 20}
    office = Office()
    office.around.disk, office.around.is_insecure = SimpleNamespace(line=lambda: line), True
    found = {one.key: one for one in office.andon.alarms()}
    assert found["disk.low"].facts == {"free_mib": 7}
    assert "sockets.insecure" in found


# ---- for people -------------------------------------------------------------------------------------------------


def test_the_committed_page_of_alarms_is_current_and_has_a_row_for_each_code():
    assert (ROOT / "docs" / "alarms.md").read_text("utf-8") == page()
    assert [code for code in RULES if page().count(f"\n| `{code}` |") != 1] == []


async def test_the_command_line_shows_what_is_wrong_since_when_whose_it_is_and_what_to_do(monkeypatch):
    office = Office()
    office.put("p1", StationState.ABORTED)
    office.wait(7_200.0)
    await office.ask("ann", "acknowledge", key=KEY)
    rows = (await office.ask("ann", "alarms")).result
    monkeypatch.setattr(cli_andon, "ask", lambda verb, args, *_: rows)
    done = CliRunner().invoke(cli.app, ["alarms", "--as", "ann"], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    for words in ("ticket", "p1", "2 h 00 min", "ann", "broke down", "\u6545\u969c", "mend it", "cardmill acknowledge"):
        assert words in done.stdout
    done = CliRunner().invoke(cli.app, ["alarms", "--as", "ann", "--json", "-"])
    assert json.loads(done.stdout) == json.loads(json.dumps(rows))


def test_no_alarm_is_said_in_a_word(capsys):
    show.answer("alarms", [], "")
    assert capsys.readouterr().out == "alarms: none\n"


@pytest.mark.parametrize(("before", "told"), [("", "is yours \u5df2"), ("bob", "is yours, taken over from bob \u5df2")])
def test_a_key_is_typed_as_it_is_shown(monkeypatch, before, told):
    heard = []
    answer = {"key": KEY, "owner": "ann", "before": before}
    monkeypatch.setattr(cli_andon, "ask", lambda verb, args, *_: heard.append((verb, args)) or answer)
    done = CliRunner().invoke(cli.app, ["acknowledge", "station.aborted", "p1", "--as", "ann"])
    assert (done.exit_code, heard) == (0, [("acknowledge", {"key": KEY})])
    assert told in done.stdout


def test_the_status_counts_the_alarms_and_says_nothing_of_none():
    tally = dict.fromkeys(("received", "made", "dispatched", "remade", "open", "held", "refused", "cancelled"), 0)
    status = {
        "last_hour": tally,
        "tally": tally,
        "simulated": False,
        "floor_time": "2026-03-02 09:00",
        "wants": [],
        "standing": "idle",
        "stations": [],
        "steps": {},
        "unencoded": 0,
        "ready": 0,
        "stopped": 0,
        "suspects": 0,
        "stock": {},
    }
    some = {"page": 0, "ticket": 12, "note": 1}
    assert "12 ticket, 1 note: `cardmill alarms`" in "\n".join(status_lines({**status, "alarms": some}))
    assert "alarms" not in "\n".join(status_lines({**status, "alarms": dict.fromkeys(some, 0)}))
