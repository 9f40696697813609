"""What operators ask about stock, at the desk and on the command line."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import structlog
from typer.testing import CliRunner

from controller import cli, commands, rights
from controller.asking.conversation import Refused
from controller.commandline import stock as cli_stock
from controller.core import events as e
from controller.core.separation import BARRED
from controller.core.tally import Tally
from controller.core.why.step import IN_MAGAZINE
from controller.denials import Denials
from controller.posts import Posts
from controller.wire import Command, Done, Refusal
from tests.controller.core.keepers_floor import KeepersFloor

BLIND = "olga"  # an operator, who counts without being told what should be there


class Counter:
    """An operator's counter on a floor of its own; whatever moves is counted."""

    def __init__(self, floor) -> None:
        self.floor, self.tally = floor, Tally()
        for at, move in floor.log:
            self.tally.fold(at, move)
        clock = SimpleNamespace(now_floor_s=lambda: floor.host.now_floor_s)
        ledger = SimpleNamespace(write=self.write)
        self._desk = SimpleNamespace(
            ledger=ledger,
            state=floor.state,
            tally=self.tally,
            clock=clock,
            post=self.post,
            simulated=True,
            core=floor.foreman.config,
            posts=Posts(),
            vault=None,
            denials=Denials(self.post),
            forecasts=None,
            roles=lambda user: {rights.OPERATOR} if user == BLIND else rights.STAFF,
        )

    async def write(self, change: object) -> None:
        """Nothing is kept on a disk here."""

    def post(self, event: e.AnyEvent) -> SimpleNamespace:
        turn = self.floor.host.handle(event, self.floor.host.now_floor_s)

        async def wait():
            return turn

        return SimpleNamespace(wait=wait)

    async def ask(self, verb: str, /, by: str = "ann", **args: object) -> Done | Refusal:
        return await commands.answer(self._desk, by, Command(request=1, verb=verb, args=args))

    def hold_roles(self, held: dict[str, set[str]]) -> None:
        self._desk.roles = lambda user: held.get(user, frozenset())

    async def ask_by_right(self, verb: str, by: str, /, **args: object) -> Done | Refusal:
        return await commands.answer_certified(self._desk, by, Command(request=1, verb=verb, args=args))


@pytest.fixture
def counter():
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=60)
    floor.run()
    floor.both("receive", first_body=90_000, sheets=50, lot="B")
    return Counter(floor)


async def both(counter, verb, **args):
    act = await counter.ask("act", verb=verb, args=args)
    return await counter.ask("second", by="bob", act_id=act.result["act_id"])


# ---- verbs --------------------------------------------------------------------------------------------------------


async def test_a_count_is_answered_alike_whether_it_agrees_or_not(counter):
    right, wrong = [await counter.ask("count", place="vault", counted=number) for number in (50, 7)]
    assert right.result == wrong.result == {"recorded": "vault"}


async def test_a_shift_says_what_was_counted_and_no_number_of_any_place(counter):
    before = (await counter.ask("shift")).result
    assert before["not_counted"] == ["vault", "spoiled", "l1", "l2"]
    assert (before["began"], before["closed"]) == ("with the ledger", 0)
    await counter.ask("count", place="vault", counted=7)
    after = (await counter.ask("shift")).result
    assert (after["counted"], after["not_counted"]) == (["vault"], ["spoiled", "l1", "l2"])
    assert before.keys() == after.keys() == {"began", "began_floor_s", "closed", "counted", "not_counted"}


async def test_a_count_of_no_place_and_of_no_number_is_refused_with_a_code(counter):
    assert (await counter.ask("count", place="attic", counted=1)).code == "stock.no_place"
    answer = await counter.ask("count", place="vault", counted=-1)
    assert (answer.code, answer.field) == ("command.argument", "counted")


async def test_two_people_close_a_shift_through_the_desk(counter):
    assert (await counter.ask("act", verb="close_shift", args={})).code == "shift.not_counted"
    counter.floor.count_all()
    assert isinstance(await both(counter, "close_shift"), Done)
    assert (await counter.ask("shift")).result["closed"] == 1


async def test_what_a_station_was_loaded_with_is_listed_by_lot(counter):
    await counter.ask("load", station="p1", kind="film", lot="F7", units=400)
    await counter.ask("load", station="p1", kind="film", lot="F8", units=300)
    await counter.ask("load", station="c1", kind="blade", lot="9", units=1_000)
    assert (await counter.ask("supplies")).result == [
        {"station": "c1", "kind": "blade", "lot": "9", "units": 1_000},
        {"station": "p1", "kind": "film", "lot": "F8", "units": 300},
    ]
    refused = await counter.ask("load", station="p1", kind="flim", lot="F9", units=300)
    assert (refused.code, "film, ribbon" in refused.text) == ("stock.kind", True)
    assert len((await counter.ask("supplies")).result) == 2
    assert (await counter.ask("load", station="p9", kind="film", lot="F", units=1)).code == "station.unknown"


async def test_the_forecast_gives_a_sentence_in_two_languages_and_its_facts(counter):
    told = (await counter.ask("forecast")).result
    assert told["input"] == "data"
    assert (told["sentence_en"], told["sentence_zh"]) == ("Data: nothing waits to be made.", "没有待制的数据。")
    assert [one["name"] for one in told["inputs"]] == ["blanks", "data"]


async def test_who_counts_blind_reads_no_sum_of_blanks_between_the_lines(counter):
    seen = {by: await counter.ask_by_right("open_ends", by) for by in ("ann", BLIND)}
    assert seen["ann"].result["counts"]["spoiled"] == len(counter.floor.state.stock.spoiled) > 0
    kinds = {"spoiled", "returned", "missing"}
    assert not kinds & set(seen[BLIND].result["counts"])
    assert not kinds & {row["kind"] for row in seen[BLIND].result["rows"]}
    inputs = {by: (await counter.ask_by_right("forecast", by)).result["inputs"] for by in ("ann", BLIND)}
    assert inputs["ann"] == [inputs["ann"][0], *inputs[BLIND]]
    assert inputs["ann"][0]["name"] == "blanks"
    presses = {by: (await counter.ask_by_right("why", by, thing="l1")).result for by in ("ann", BLIND)}
    assert IN_MAGAZINE in presses["ann"]["facts"]
    assert presses[BLIND] == presses["ann"] | {"facts": presses[BLIND]["facts"]}
    assert presses[BLIND]["facts"].keys() == presses["ann"]["facts"].keys() - {IN_MAGAZINE}


async def test_open_ends_are_listed_with_their_ages_and_counted_by_kind(counter):
    counter.floor.host.now_floor_s += 7_200.0
    told = (await counter.ask("open_ends")).result
    assert told["counts"]["spoiled"] == len(counter.floor.state.stock.spoiled)
    ages = [row["age_hours"] for row in told["rows"]]
    assert ages == sorted(ages, reverse=True)
    assert min(ages) >= 2.0


@pytest.mark.parametrize(
    ("verb", "args", "line"),
    [
        (
            "lost",
            {"station": "vault", "first_body": 90_000, "sheets": 2},
            {"event": "bodies.missing", "place": "vault", "first_body": 90_000, "sheets": 2},
        ),
        ("lost_blank", {}, {"event": "blank.missing"}),
    ],
)
async def test_what_cannot_be_found_is_an_alarm_in_the_log(counter, verb, args, line):
    wanted = args or {"blank": next(iter(counter.floor.state.stock.spoiled))}
    with structlog.testing.capture_logs() as lines:
        await both(counter, verb, **wanted)
    [alarm] = [one for one in lines if one["log_level"] == "error"]
    assert line.items() <= alarm.items()


async def test_a_suspect_that_is_found_missing_is_an_alarm_too():
    floor = KeepersFloor(1, trouble=0.0)
    floor.submit(1.0, 1, cards=8)
    while not any(job.step == "laminate" for job in floor.state.jobs.values()):
        floor.host.now_floor_s += 1.0
        floor.host.run(floor.host.now_floor_s)
    [job] = floor.state.jobs.values()
    floor.say(e.JobForgotten(job.station, job.job_id))
    with structlog.testing.capture_logs() as lines:
        await both(Counter(floor), "settle", sheet_id=job.sheets[0], mask=255, finding="missing")
    assert [(one["event"], one["mask"]) for one in lines if one["log_level"] == "error"] == [("blank.missing", 255)]


async def test_a_station_without_supply_says_so_where_stations_are_listed(counter):
    await counter.ask("load", station="p1", kind="film", lot="F7", units=0)
    rows = {row["station"]: row for row in (await counter.ask("stations")).result}
    assert rows["p1"]["reason"] == "no_supply film"
    assert rows["p2"]["reason"] == ""


# ---- the command line -----------------------------------------------------------------------------------------------


class Office:
    """Somebody's line to a service that knows some body sheets already; `asked` is what it was asked."""

    def __init__(self, known=(), acts=()) -> None:
        self.known, self.acts, self.asked = set(known), list(acts), []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def command(self, verb, /, **args):
        self.asked.append((verb, args))
        if verb == "acts":
            return [dict(act) for act in self.acts]
        if verb == "act" and args["args"]["first_body"] in self.known:
            raise Refused(Refusal(code="stock.known_serial", text="received before"))
        if verb == "act":
            self.acts.append({"act_id": len(self.acts) + 1, "verb": args["verb"], "args": args["args"], "by": "ann"})
        return {}


def run(monkeypatch, office, *words):
    monkeypatch.setattr(cli_stock, "line", lambda *_: office)
    monkeypatch.setattr(cli_stock, "ask", lambda verb, args, *_: office.command(verb, **args))
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture
def makers_list(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("first_body,sheets,lot\n1000,50,A7\n2000, 50,A7\n3000,20,007\n", "utf-8")
    return path


def test_a_makers_list_is_proposed_row_by_row_and_what_failed_is_listed_with_its_reason(monkeypatch, makers_list):
    office = Office(known=[2_000])
    done = run(monkeypatch, office, "stock-list", makers_list, "--as", "ann", "--json", "-")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["rows"], told["proposed"]) == (1, 3, 2)
    assert [(row["first_body"], row["code"]) for row in told["failed"]] == [(2_000, "stock.known_serial")]
    assert office.acts[-1]["args"] == {"first_body": 3_000, "sheets": 20, "lot": "007"}


def test_the_second_person_agrees_to_the_same_list_and_only_to_what_stands_on_it(monkeypatch, makers_list):
    office = Office(acts=[{"act_id": 9, "verb": "receive", "args": {"first_body": 5, "sheets": 1, "lot": "Z"}}])
    assert run(monkeypatch, office, "stock-list", makers_list, "--as", "ann").exit_code == 0
    done = run(monkeypatch, office, "stock-list", makers_list, "--second", "--as", "bob")
    assert done.exit_code == 0
    assert "3 of 3 rows received" in done.stdout
    assert [args["act_id"] for verb, args in office.asked if verb == "second"] == [2, 3, 4]


def test_a_list_that_is_proposed_twice_proposes_nothing_twice(monkeypatch, makers_list):
    office = Office()
    run(monkeypatch, office, "stock-list", makers_list, "--as", "ann")
    done = run(monkeypatch, office, "stock-list", makers_list, "--as", "ann")
    assert done.exit_code == 1
    assert len(office.acts) == 3
    assert "list.proposed" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "first,sheets,lot\n1,2,A\n",
        "first_body,sheets,lot\n1,two,A\n",
        "first_body,sheets,lot\n1,2\n",
        "first_body,sheets,lot\n1e6,2,A\n",
        "",
    ],
)
def test_a_list_that_cannot_be_read_asks_for_nothing_at_all(monkeypatch, tmp_path, text):
    path = tmp_path / "list.csv"
    path.write_text(text, "utf-8")
    office = Office()
    done = run(monkeypatch, office, "stock-list", path, "--as", "ann")
    assert done.exit_code
    assert office.asked == []


def test_the_open_ends_fit_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ends = {
        "counts": {"spoiled": 1_234},
        "rows": [{"kind": "spoiled", "name": "blank 500000017", "since_floor_s": 1.0, "age_hours": 1_000.5}],
    }
    office = SimpleNamespace(command=lambda verb, **_: {"open_ends": ends}[verb])
    done = run(monkeypatch, office, "open-ends", "--as", "ann")
    assert done.exit_code == 0
    assert "1,234 spoiled" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_counts_and_loads_say_what_they_wrote_down_and_nothing_more(monkeypatch):
    office = Office()
    assert run(monkeypatch, office, "count", "vault", 7, "--as", "ann").stdout == "recorded: place vault\n"
    assert run(monkeypatch, office, "load", "p1", "film", "F7", 400, "--as", "ann").stdout == "loaded\n"
    assert office.asked == [
        ("count", {"place": "vault", "counted": 7}),
        ("load", {"station": "p1", "kind": "film", "lot": "F7", "units": 400}),
    ]


# ---- destruction ------------------------------------------------------------------------------------------------


async def test_what_was_spoiled_while_nobody_had_signed_on_is_destroyed_by_people_who_work_at_no_station(counter):
    stock = counter.floor.state.stock
    assert stock.spoiled
    assert stock.spoilers == {}
    args, keepers, hand = {"count": len(stock.spoiled)}, {rights.STOCK_KEEPER}, {rights.STOCK_KEEPER, rights.OPERATOR}
    held = {"kim": keepers, "lee": keepers, "hand": hand}
    counter.hold_roles(held)
    refused = await counter.ask_by_right("act", "hand", verb="destroy", args=args)
    assert refused.code == BARRED
    act_id = (await counter.ask_by_right("act", "kim", verb="destroy", args=args)).result["act_id"]
    assert (await counter.ask_by_right("second", "hand", act_id=act_id)).code == BARRED
    assert stock.spoiled
    assert isinstance(await counter.ask_by_right("second", "lee", act_id=act_id), Done)
    assert not stock.spoiled


async def test_where_everybody_had_signed_on_a_keeper_who_works_elsewhere_may_destroy():
    floor = KeepersFloor(2, trouble=0.1)
    for station in ("l1", "l2", "c1", "w1", "w2", "i1"):
        floor.say(e.SignedOn(station, "worker", 0.0))
    floor.submit(1.0, 1, cards=60)
    floor.run()
    counter = Counter(floor)
    counter.hold_roles(
        {"hand": {rights.STOCK_KEEPER, rights.OPERATOR}, "worker": {rights.STOCK_KEEPER, rights.OPERATOR}}
    )
    assert floor.state.stock.spoiled
    args = {"count": len(floor.state.stock.spoiled)}
    assert (await counter.ask_by_right("act", "worker", verb="destroy", args=args)).code == BARRED
    assert isinstance(await counter.ask_by_right("act", "hand", verb="destroy", args=args), Done)
