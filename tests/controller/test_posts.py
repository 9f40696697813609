"""Posts: who has no certificate that holds today is refused, and nobody needs to start the service anew for it."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import structlog
from rich.console import Console

from controller import commands, rights
from controller.commandline import campaign as cli_campaign
from controller.config import Config, ConfigError, PostConfig
from controller.core import events as e
from controller.core.rights_events import AttemptRefused
from controller.denials import Denials
from controller.posts import OFFICE, Certificate, Posts, PostTableError, open_posts
from controller.wire import READING, Command, Done, Hello, Refusal, Welcome
from controller.wiring import open_floor
from devices.defects import Step
from tests.controller.core.rough_floor import RoughFloor

HEAD = "name,post,valid_until\n"
TODAY = "20260302"
TABLE = HEAD + "ann,office,2026-12-31\nann,inspect,2026-03-02\nbob,office,2026-03-01\ncay,inspect,2026-03-31\n"
DECIDING = {
    "decide",
    "act",
    "second",
    "withdraw",
    "dispatch",
    "arrived",
    "hold",
    "release",
    "count",
    "load",
    "card_back",
    "look",
    "break_glass",
    "acknowledge",
    "hold_card",
    "hold_batch",
    "release_card",
    "release_batch",
    "express",
}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text(TABLE, "utf-8")
    return path


class Rewriter:
    """Writes a table anew, each time a second later than before: how fine a file system's clock is, is no matter."""

    def __init__(self, path) -> None:
        self.path, self.at_s = path, 1_000_000_000

    def __call__(self, text: str) -> None:
        self.at_s += 1
        self.path.write_text(text, "utf-8")
        os.utime(self.path, (self.at_s, self.at_s))


# ---- the table -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "post", "today", "code"),
    [
        ("ann", OFFICE, TODAY, None),
        ("ann", "inspect", TODAY, None),  # its last day
        ("ann", "inspect", "20260303", "post.expired"),
        ("bob", OFFICE, TODAY, "post.expired"),
        ("ann", "print", TODAY, "post.none"),
        ("cay", OFFICE, TODAY, "post.none"),
        ("nobody", OFFICE, TODAY, "post.none"),
    ],
)
def test_a_certificate_holds_up_to_and_with_its_last_day(table, name, post, today, code):
    refused = Posts(table).refusal(name, post, today)
    assert (refused.code if refused else None) == code
    assert refused is None or (name in refused.text and post in refused.text)


def test_without_a_table_nobody_is_asked_and_the_log_says_so():
    with structlog.testing.capture_logs() as logs:
        posts = open_posts(PostConfig())
    assert [(one["log_level"], one["event"]) for one in logs] == [("warning", "posts not asked for")]
    assert posts.refusal("anybody", OFFICE, TODAY) is None
    assert (posts.until_floor_s("anybody", OFFICE), posts.listing(TODAY), posts.asked_for) == (0.0, [], False)


def test_a_certificate_ends_with_the_last_second_of_its_last_day(table):
    after = datetime(2026, 3, 3, tzinfo=UTC).timestamp()
    assert Posts(table).until_floor_s("ann", "inspect") == after
    assert Posts(table).until_floor_s("ann", "print") == 0.0


def test_what_ends_within_thirty_days_and_what_has_ended_is_marked(table):
    rows = {(row["name"], row["post"]): (row["days_left"], row["mark"]) for row in Posts(table).listing(TODAY)}
    assert rows == {
        ("ann", "inspect"): (0, "soon"),
        ("ann", "office"): (304, ""),
        ("bob", "office"): (-1, "ended"),
        ("cay", "inspect"): (29, "soon"),
    }
    assert Certificate("ann", OFFICE, "20260401").days_left(TODAY) == 30


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "at least one certificate"),
        ("name;post\n", 1, "the columns name,post,valid_until"),
        (HEAD, 2, "at least one certificate"),
        (TABLE + "dan,office\n", 6, "3 cells"),
        (TABLE + "dan,office,31.12.2026\n", 6, "a last day like"),
        (TABLE + "dan,office,2026-02-29\n", 6, "a last day like"),
        (TABLE + "dan,boss,2026-12-31\n", 6, "a post of print"),
        (TABLE + ",office,2026-12-31\n", 6, "a name"),
        (TABLE + "ann,office,2027-12-31\n", 6, "each person and post once"),
        (TABLE + '"dan,office,2026-12-31\n', 6, "comma separated values"),
    ],
)
def test_a_table_that_cannot_be_is_named_with_its_line(table, text, line, expected):
    table.write_text(text, "utf-8")
    with pytest.raises(PostTableError) as error:
        Posts(table)
    assert f"posts.csv, line {line}: expected {expected}" in str(error.value)
    assert isinstance(error.value, ConfigError)
    assert error.value.code == "posts.malformed"


def test_a_table_that_is_not_there_or_no_text_is_named(tmp_path):
    strange = tmp_path / "strange.csv"
    strange.write_bytes(HEAD.encode() + b"\xff")
    for path in (tmp_path / "missing.csv", strange, tmp_path):
        with pytest.raises(PostTableError, match=path.name):
            Posts(path)


def test_every_step_is_a_post(table):
    table.write_text(HEAD + "".join(f"ann,{step.value},2026-12-31\n" for step in Step), "utf-8")
    assert all(Posts(table).refusal("ann", step.value, TODAY) is None for step in Step)


# ---- the table changes -----------------------------------------------------------------------------------------


def test_who_is_added_or_taken_out_is_known_at_the_next_look(table):
    write = Rewriter(table)
    posts = Posts(table)
    write(TABLE + "dan,office,2026-12-31\n")
    assert posts.refusal("dan", OFFICE, TODAY) is None
    write(HEAD + "dan,office,2026-03-01\n")
    assert posts.refusal("dan", OFFICE, TODAY).code == "post.expired"
    assert posts.refusal("ann", OFFICE, TODAY).code == "post.none"


@pytest.mark.parametrize("ruin", [lambda path: path.write_text("nonsense"), lambda path: path.unlink()])
def test_a_table_that_breaks_later_is_named_once_and_the_last_good_one_holds(table, ruin):
    posts, write = Posts(table), Rewriter(table)
    ruin(table)
    with structlog.testing.capture_logs() as logs:
        assert posts.refusal("ann", OFFICE, TODAY) is None
        assert posts.refusal("dan", OFFICE, TODAY).code == "post.none"
    assert [(one["log_level"], one["code"]) for one in logs] == [("error", "posts.malformed")]
    assert "posts.csv" in posts.fault()
    write(TABLE + "dan,office,2026-12-31\n")
    assert posts.refusal("dan", OFFICE, TODAY) is None
    assert posts.fault() == ""


# ---- at the desk -----------------------------------------------------------------------------------------------


class Counter:
    """The operators' counter of a rough floor on 2026-03-02."""

    def __init__(self, posts: Posts) -> None:
        self.floor = RoughFloor(1, trouble=0.0)
        now = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
        clock = SimpleNamespace(now_floor_s=lambda: now, scale=1.0)
        ledger = SimpleNamespace(write=self._write)
        self.posted: list[e.AnyEvent] = []
        self.desk = SimpleNamespace(
            clock=clock,
            ledger=ledger,
            posts=posts,
            state=self.floor.state,
            post=self._post,
            simulated=True,
            roles=lambda user: rights.STAFF,
            denials=Denials(self._post),
        )

    async def _write(self, change: object) -> None:
        """Everything is durable here."""

    def _post(self, event: e.AnyEvent) -> SimpleNamespace:
        self.posted.append(event)
        turn = self.floor.host.handle(event, self.floor.host.now_floor_s)

        async def wait():
            return turn

        return SimpleNamespace(wait=wait)

    async def ask(self, user: str, verb: str, /, **args: object) -> Done | Refusal:
        return await commands.answer_certified(self.desk, user, Command(request=7, verb=verb, args=args))


def test_every_verb_only_reads_or_asks_for_a_certificate():
    assert set(commands.VERBS) - READING - commands.AT_A_STATION == DECIDING
    assert set(commands.VERBS) >= READING | commands.AT_A_STATION


@pytest.mark.parametrize("verb", sorted(DECIDING))
async def test_a_verb_that_decides_is_refused_without_the_office_s_certificate_and_nothing_happens(table, verb):
    counter = Counter(Posts(table))
    for user, code in (("bob", "post.expired"), ("cay", "post.none")):
        answer = await counter.ask(user, verb)
        assert (answer.code, answer.request) == (code, 7)
    rows = [AttemptRefused(user, verb, "", code, 1) for user, code in (("bob", "post.expired"), ("cay", "post.none"))]
    assert counter.posted == rows, "the attempts are recorded, and nothing else"


async def test_who_may_decide_decides_and_anybody_may_look_and_greet(table):
    counter = Counter(Posts(table))
    body = {"verb": "receive", "args": {"first_body": 900_000, "sheets": 5, "lot": "B"}}
    assert isinstance(await counter.ask("ann", "act", **body), Done)
    assert isinstance(await counter.ask("cay", "acts"), Done)
    assert isinstance(await commands.answer_certified(counter.desk, "cay", Hello(version=1, request=1)), Welcome)
    assert (await counter.ask("cay", "no_such_verb")).code == "command.unknown"


async def test_the_second_of_two_people_needs_the_certificate_too(table):
    counter = Counter(Posts(table))
    body = {"verb": "receive", "args": {"first_body": 900_000, "sheets": 5, "lot": "B"}}
    act_id = (await counter.ask("ann", "act", **body)).result["act_id"]
    assert (await counter.ask("bob", "second", act_id=act_id)).code == "post.expired"


async def test_somebody_signs_on_only_with_the_certificate_of_that_step_and_until_it_ends(table):
    counter = Counter(Posts(table))
    assert isinstance(await counter.ask("ann", "sign_on", station="i1"), Done)
    assert isinstance(await counter.ask("cay", "sign_on", station="i1"), Done)  # no office is asked for here
    assert (await counter.ask("ann", "sign_on", station="p1")).code == "post.none"
    assert (await counter.ask("bob", "sign_on", station="i1")).code == "post.none"
    ends = [event.until_floor_s for event in counter.posted if isinstance(event, e.SignedOn)]
    assert ends == [datetime(2026, 3, 3, tzinfo=UTC).timestamp(), datetime(2026, 4, 1, tzinfo=UTC).timestamp()]


async def test_signing_on_asks_for_nothing_without_a_table():
    counter = Counter(Posts())
    assert isinstance(await counter.ask("bob", "sign_on", station="p1"), Done)
    assert [event.until_floor_s for event in counter.posted] == [0.0]


async def test_the_list_says_who_may_what_until_when(table):
    counter = Counter(Posts(table))
    found = (await counter.ask("anybody", "posts")).result
    assert (found["asked_for"], found["today"], len(found["certificates"])) == (True, TODAY, 4)
    out = io.StringIO()
    cli_campaign._print_posts(found, Console(file=out, width=120))
    assert all(word in out.getvalue() for word in ("岗位", "bob", "已到期 ended", "将到期 ends soon", "304"))


async def test_a_table_that_broke_is_named_where_the_certificates_are_listed(table):
    counter, write, out = Counter(Posts(table)), Rewriter(table), io.StringIO()
    assert (await counter.ask("anybody", "posts")).result["error"] == ""
    write(TABLE + "dan,office\n")
    found = (await counter.ask("anybody", "posts")).result
    assert found["error"].endswith("posts.csv, line 6: expected 3 cells")
    assert len(found["certificates"]) == 4
    cli_campaign._print_posts(found, Console(file=out, width=80))
    assert found["error"] in out.getvalue()
    assert "DAMAGED" in out.getvalue()


async def test_a_service_with_a_broken_table_does_not_open(table):
    table.write_text("nonsense", "utf-8")
    books = SimpleNamespace(foreman=SimpleNamespace(state=None))
    parts = SimpleNamespace(books=books, ledger=None, vault=None)
    config = Config(posts=PostConfig(table=str(table)))
    with pytest.raises(PostTableError, match="line 1: expected the columns"):
        await open_floor(config, parts, None, None)
