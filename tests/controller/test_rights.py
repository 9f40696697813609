"""The table of rights is whole, denies what it does not name, and is what the page and the command line show."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from controller import cli, commands, rights
from controller.commandline import rights as cli_rights
from controller.core.acts import ACTS
from controller.core.review_folds import SHARED_NUMBER
from controller.core.rights_events import AttemptRefused
from controller.posts import Posts
from controller.report.text import status_lines
from controller.rights_page import page
from controller.wire import READING, Done
from devices.peers import PERSON_ROLES
from tests.controller.test_posts import Counter

ROOT = Path(__file__).resolve().parents[2]
TWO_PERSON = {  # duty of the centre -> the acts by which it is done
    "destruction": {"destroy", "destroy_returned"},
    "stock issue and return": {"issue", "return"},
    "override of a shared number": {"override"},
    "set-good after reject": {"set_good"},
    "purge": {"purge"},
    "key changes": {"allow_key", "revoke_key", "rotate_key"},
    "settling a suspect": {"settle"},
}
BODIES = {"first_body": 900_000, "sheets": 5}


# ---- the table --------------------------------------------------------------------------------------------------


def test_every_verb_has_its_row_and_no_row_is_of_a_verb_that_is_none():
    assert {*rights.VERB_RIGHTS, *rights.ACT_VERBS} == set(commands.VERBS)
    assert set(rights.ACT_RIGHTS) == set(ACTS)


def test_every_row_names_roles_that_exist_and_somebody():
    rows = [*rights.VERB_RIGHTS.values(), *(one for right in rights.ACT_RIGHTS.values() for one in right)]
    assert all(row and row - {""} <= set(PERSON_ROLES) for row in rows)
    assert {verb for verb, row in rights.VERB_RIGHTS.items() if "" in row} == {"status", "rights"}


def test_two_people_can_do_each_act_when_each_of_them_has_one_role():
    assert all(right.propose and right.second for right in rights.ACT_RIGHTS.values())


@pytest.mark.parametrize("duty", TWO_PERSON)
def test_what_takes_two_people_is_an_act_and_no_verb_of_one(duty):
    assert set(rights.ACT_RIGHTS) >= TWO_PERSON[duty]
    assert not TWO_PERSON[duty] & set(commands.VERBS)


def test_the_auditor_reads_everything_but_personal_data_and_decides_nothing():
    may = {verb for verb in rights.VERB_RIGHTS if rights.may({rights.AUDITOR}, verb)}
    assert may == READING
    assert not any(rights.may({rights.AUDITOR}, "act", act) for act in ACTS)


def test_personal_data_is_shown_to_who_judges_it():
    assert rights.VERB_RIGHTS["look"] == {rights.SUPERVISOR, rights.QUALITY}


def test_what_stands_in_no_row_nobody_may_do():
    assert rights.refusal(rights.STAFF, "unheard_of").code == "right.missing"
    assert not rights.may(rights.STAFF, "unheard_of")
    assert not rights.may({"king"}, "stock")


def test_of_an_act_that_is_none_whoever_may_do_some_act_is_told_so_by_the_desk():
    assert rights.may({rights.QUALITY}, "act", "")
    assert not rights.may({rights.OPERATOR}, "act", "")  # an operator proposes nothing, and agrees to some
    assert rights.may({rights.OPERATOR}, "second", "")
    assert rights.may({rights.AUDITOR}, "withdraw", "purge")
    assert not rights.may({rights.AUDITOR}, "withdraw", "issue")


def test_a_refusal_names_what_was_asked_the_roles_it_needs_and_what_to_do():
    text = rights.refusal({rights.OPERATOR, rights.AUDITOR}, "act", "issue").text
    for words in ("act issue", "stock_keeper", "you have operator, auditor", "ask somebody", "cardmill rights"):
        assert words in text
    assert "you have none" in rights.refusal(frozenset(), "decide").text


# ---- what people are shown --------------------------------------------------------------------------------------


def test_the_committed_page_of_rights_is_current():
    assert (ROOT / "docs" / "rights.md").read_text("utf-8") == page()


def test_the_page_names_every_verb_and_act_once_with_the_roles_of_its_row():
    rows = re.findall(r"^\| `(\w+)`[^|]*((?:\|[^|\n]*){6})\|$", page(), re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted({*rights.VERB_RIGHTS, *rights.ACT_RIGHTS})
    for name, cells in rows:
        marked = {role: cell.strip() for role, cell in zip(rights.ROLES, cells.split("|")[1:], strict=True)}
        for role, mark in marked.items():
            if name in rights.VERB_RIGHTS:
                assert (mark == "yes") is rights.may({role}, name)
            else:
                assert ("1" in mark) is rights.may({role}, "act", name)
                assert ("2" in mark) is rights.may({role}, "second", name)


async def test_the_table_and_who_i_am_are_shown_to_anybody_with_a_key():
    counter = desk_of(ann={rights.QUALITY})
    found = (await counter.ask("ann", "rights")).result
    assert (found["you"], found["roles"]) == ("ann", ["quality"])
    out = io.StringIO()
    cli_rights.print_rights(found, Console(file=out, width=120))
    shown = out.getvalue()
    assert "you are ann: quality" in shown
    assert re.search(r"^ *\* +look +supervisor, quality", shown, re.MULTILINE)
    assert re.search(r"^ *12 +set_good +quality +supervisor, quality", shown, re.MULTILINE)
    assert (await counter.ask("stranger", "rights")).result["roles"] == []


def test_breaking_the_glass_is_typed_with_a_role_and_a_reason(monkeypatch):
    heard = []
    monkeypatch.setattr(cli_rights, "ask", lambda verb, args, *_: heard.append((verb, args)) or {"role": "quality"})
    done = CliRunner().invoke(cli.app, ["break-glass", "quality", "danger", "--as", "root"])
    assert done.exit_code == 0
    assert heard == [("break_glass", {"role": "quality", "reason": "danger"})]
    assert "two-person acts still take two" in done.stdout


# ---- at the desk ------------------------------------------------------------------------------------------------


def desk_of(**roles: set[str]) -> Counter:
    """Give a counter whose people have these roles and no others."""
    counter = Counter(Posts())
    counter.desk.roles = lambda user: frozenset(roles.get(user, ()))
    return counter


def rows(counter: Counter) -> list[AttemptRefused]:
    return [event for event in counter.posted if isinstance(event, AttemptRefused)]


async def test_who_has_no_right_is_refused_before_anything_happens_and_leaves_a_row():
    counter = desk_of(eve={rights.OPERATOR})
    answer = await counter.ask("eve", "act", verb="issue", args={"station": "l1", **BODIES})
    assert (answer.code, answer.request) == ("right.missing", 7)
    assert counter.posted == [AttemptRefused("eve", "act", "issue", "right.missing", 1)]


async def test_a_refused_look_leaves_no_row_and_a_refused_verb_that_decides_does():
    counter = desk_of()
    assert (await counter.ask("eve", "review")).code == "right.missing"
    assert rows(counter) == []
    assert (await counter.ask("eve", "look", card=1, reason="Zhang San")).code == "right.missing"
    assert rows(counter) == [AttemptRefused("eve", "look", "", "right.missing", 1)]


@pytest.mark.parametrize(
    ("verb", "args"),
    [("act", {"verb": "Zhang San", "args": {}}), ("act", {"verb": 7}), ("second", {"act_id": "x"}), ("withdraw", {})],
)
async def test_nothing_of_the_request_s_own_words_gets_into_the_row(verb, args):
    counter = desk_of()
    assert (await counter.ask("eve", verb, **args)).code == "right.missing"
    assert counter.posted == [AttemptRefused("eve", verb, "", "right.missing", 1)]


async def test_one_person_alone_is_refused_by_the_act_and_leaves_a_row_whatever_the_roles():
    counter = desk_of(ann=rights.STAFF)
    act_id = (await counter.ask("ann", "act", verb="receive", args={**BODIES, "lot": "B"})).result["act_id"]
    assert (await counter.ask("ann", "second", act_id=act_id)).code == "act.same_person"
    assert rows(counter) == [AttemptRefused("ann", "second", "receive", "act.same_person", 1)]


async def test_one_person_who_lets_go_what_two_must_leaves_a_row():
    counter = desk_of(sue={rights.SUPERVISOR})
    counter.floor.submit(0.0, 1, cards=2, holds=1)
    counter.floor.host.run(0.5)
    counter.floor.state.holds[10_000].append(SHARED_NUMBER)
    counter.desk.ledger.reader, counter.desk.vault = SimpleNamespace(row=lambda batch_id, index: None), None
    answer = await counter.ask("sue", "decide", card=10_000, decision="release", reason="looked")
    assert answer.code == "decision.second_person"
    assert rows(counter) == [AttemptRefused("sue", "decide", "", "decision.second_person", 1)]


async def test_who_may_propose_and_not_agree_needs_somebody_who_may():
    counter = desk_of(kay={rights.STOCK_KEEPER}, kim={rights.STOCK_KEEPER}, sue={rights.SUPERVISOR})
    bodies = {"station": "vault", "first_body": 900_000, "sheets": 1}
    for verb, args in (("receive", {**BODIES, "lot": "B"}), ("lost", bodies)):
        act_id = (await counter.ask("kay", "act", verb=verb, args=args)).result["act_id"]
        by_keeper = await counter.ask("kim", "second", act_id=act_id)
        assert isinstance(by_keeper, Done) is (verb == "receive")
    assert by_keeper.code == "right.missing"
    assert rows(counter) == [AttemptRefused("kim", "second", "lost", "right.missing", 1)]
    assert (await counter.ask("sue", "second", act_id=act_id)).result == {}


async def test_what_somebody_proposed_who_may_not_any_more_nobody_agrees_to():
    keeper = {rights.STOCK_KEEPER}
    counter = desk_of(kay=keeper, kim={rights.STOCK_KEEPER})
    act_id = (await counter.ask("kay", "act", verb="receive", args={**BODIES, "lot": "B"})).result["act_id"]
    keeper.clear()
    assert (await counter.ask("kim", "second", act_id=act_id)).code == "right.proposer"
    assert act_id in counter.floor.state.acts
    keeper.add(rights.STOCK_KEEPER)
    assert isinstance(await counter.ask("kim", "second", act_id=act_id), Done)


@pytest.mark.parametrize("verb", ["second", "withdraw"])
async def test_an_act_that_is_not_proposed_yet_nobody_agrees_to_in_advance(verb):
    counter = desk_of(kay={rights.STOCK_KEEPER}, olly={rights.OPERATOR})
    nobodys = counter.floor.state.next_id("act")
    early = await counter.ask("olly", verb, act_id=nobodys, card=10_000, reason="x")
    assert early.code == "act.not_open"
    assert counter.posted == []


async def test_a_role_that_is_taken_away_is_gone_at_the_next_request():
    roles = {rights.SUPERVISOR}
    counter = desk_of()
    counter.desk.roles = lambda user: frozenset(roles)
    assert (await counter.ask("sue", "decide")).code == "command.argument"
    roles.clear()
    assert (await counter.ask("sue", "decide")).code == "right.missing"


# ---- breaking the glass -----------------------------------------------------------------------------------------


async def test_an_administrator_takes_a_role_alone_and_nobody_else_does():
    counter = desk_of(root={rights.ADMINISTRATOR}, eve={rights.OPERATOR})
    wanted = {"role": "supervisor", "reason": "nobody_there"}
    assert (await counter.ask("eve", "break_glass", **wanted)).code == "right.missing"
    assert (await counter.ask("root", "decide")).code == "right.missing"
    counter.desk.clock.now_floor_s = lambda: counter.floor.host.now_floor_s
    assert (await counter.ask("root", "break_glass", **wanted)).result["role"] == "supervisor"
    assert (await counter.ask("root", "decide")).code == "command.argument"
    assert (await counter.ask("root", "rights")).result["taken"] == {"supervisor": 3_600.0}


async def test_a_taken_role_ends_with_its_hour_and_with_the_role_of_administrator():
    counter, now = desk_of(root={rights.ADMINISTRATOR}), [0.0]
    counter.desk.clock.now_floor_s = lambda: counter.floor.host.now_floor_s + now[0]
    await counter.ask("root", "break_glass", role="supervisor", reason="danger")
    assert (await counter.ask("root", "decide")).code == "command.argument"
    own, counter.desk.roles = counter.desk.roles, lambda user: frozenset()
    assert (await counter.ask("root", "decide")).code == "right.missing"
    counter.desk.roles, now[0] = own, 3_600.0
    assert (await counter.ask("root", "decide")).code == "right.missing"


@pytest.mark.parametrize("args", [{"role": "king", "reason": "danger"}, {"role": "quality", "reason": "I want"}])
async def test_a_role_or_reason_that_is_none_is_told_with_those_that_are(args):
    counter = desk_of(root={rights.ADMINISTRATOR})
    answer = await counter.ask("root", "break_glass", **args)
    assert (answer.code, counter.posted) == ("command.argument", [])
    assert re.search(r"supervisor, stock_keeper|nobody_there, key_lost", answer.text)


def test_the_status_says_who_took_a_role_and_leaves_sums_out_for_those_who_may_not_see_them():
    tally = dict.fromkeys(("received", "made", "dispatched", "remade", "open", "held", "refused", "cancelled"), 0)
    status = {
        "last_hour": tally,
        "tally": tally,
        "simulated": False,
        "floor_time": "2026-03-02 09:00",
        "standing": "idle",
        "wants": [],
        "stations": [],
        "steps": {},
        "unencoded": 0,
        "ready": 0,
        "stopped": 0,
        "suspects": 0,
        "stock": {},
        "glass": [{"by": "root", "role": "supervisor", "reason": "danger", "left_s": 1_800.0}],
    }
    shown = "\n".join(status_lines(status))
    assert "! root took the role supervisor (danger), 30 min left" in shown
    assert "blanks: their sums are not for your roles" in shown
