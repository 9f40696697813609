"""Each role asks for each verb, and proposes, agrees to and takes back each act, over the socket: the table holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest
import trio

from controller import commands, rights
from controller.asking.conversation import Refused
from controller.config import load_config
from controller.core.acts import ACTS
from controller.core.events import ActAsked
from controller.core.moves import ActProposed
from controller.core.rights_moves import Denied, GlassBroken
from controller.floor_time import open_clock
from controller.ledger.journal import Recorded
from controller.ledger.store import open_ledger
from controller.vault.store import open_vault
from controller.wire import READING
from devices.key_files import new_pair
from devices.key_ring import KeyRing
from devices.peers import OPERATOR
from tests.whole.centre import EVERY_ROLE, Centre

pytestmark = pytest.mark.whole
BEGAN_FLOOR_S = datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()
PEOPLE = {role.replace("_", "-"): {role} for role in rights.ROLES} | {"nobody": set(), "solo": set(EVERY_ROLE)}
PROPOSER = "proposer"  # of all that the others agree to or take back
NATURE = {"centre": "cardmill", "simulated": "true"}
Ask = tuple[str, str, dict[str, object]]  # verb, act it is about, arguments that are refused later, if not now


def proposals() -> dict[tuple[str, str], int]:
    """Give the number of an open act for each person and act to take back, and of each for all to agree to."""
    names = [(name, act) for name in (*PEOPLE, "all", "own") for act in ACTS]
    return {key: number for number, key in enumerate(names, 1)}


PROPOSED = proposals()


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A service whose ledger has those acts, what each person was answered, and the moves that were left."""
    centre = Centre(tmp_path_factory.mktemp("rights"))
    try:
        for name, roles in {**PEOPLE, PROPOSER: set(EVERY_ROLE)}.items():
            pair = new_pair(centre.folder / "peers", name)
            KeyRing(centre.data / "keys").allow(OPERATOR, name, pair.public, sorted(roles))
        trio.run(write_proposals, centre)
        centre.start()
        with ThreadPoolExecutor(len(PEOPLE)) as threads:
            answered = dict(zip(PEOPLE, threads.map(partial(walk, centre), PEOPLE), strict=True))
        glass = break_glass(centre)
        assert centre.stop() == 0
        yield answered, trio.run(moves_of, centre), glass, centre.log.read_text("utf-8")
    finally:
        centre.close()


async def write_proposals(centre: Centre) -> None:
    """Let the ledger begin with acts that the proposer proposed, but those that `solo` did."""
    async with open_ledger(centre.data, nature=NATURE) as ledger, open_vault(centre.data):
        open_clock(centre.data, load_config(centre.config).clock, None)
        for (name, act), number in PROPOSED.items():
            by = "solo" if name == "own" else PROPOSER
            proposed = ActProposed(number, act, {}, by, BEGAN_FLOOR_S + 1e9)
            ledger.put(Recorded(BEGAN_FLOOR_S, ActAsked(act, {}, by), [proposed]), lambda: None)


async def moves_of(centre: Centre) -> list[object]:
    async with open_ledger(centre.data) as ledger:
        return [move for _, move in ledger.replay()]


def asks(name: str) -> list[Ask]:
    """Give all that somebody can ask, in words that are too few to do anything; what decides comes last."""
    verbs = [(verb, "", {}) for verb in commands.VERBS if verb not in rights.ACT_VERBS]
    verbs += [("act", act, {"verb": act, "args": {}}) for act in ACTS] + [("act", "", {"verb": "unheard of"})]
    verbs += [("second", act, {"act_id": PROPOSED["all", act]}) for act in ACTS] + [("second", "", {"act_id": 10**6})]
    verbs += [("withdraw", act, {"act_id": PROPOSED[name, act]}) for act in ACTS]
    return [*verbs, ("withdraw", "", {"act_id": 10**6})]


def walk(centre: Centre, name: str) -> dict[tuple[str, str], str]:
    """Ask for everything as somebody; give the code of each refusal, empty for what was done."""
    found = {}
    with centre.operator(name) as person:
        for verb, act, args in asks(name):
            found[verb, act] = code_of(person, verb, **args)
        if name == "solo":
            for act in ACTS:
                found["own", act] = code_of(person, "second", act_id=PROPOSED["own", act])
    return found


def code_of(person, verb, /, **args) -> str:
    try:
        person.command(verb, **args)
    except Refused as refused:
        return refused.code
    return ""


def break_glass(centre: Centre) -> dict[str, object]:
    """Let the administrator take a role; give what everybody sees then."""
    with centre.operator("administrator") as root, centre.operator("nobody") as anybody:
        before = code_of(root, "decide")
        root.command("break_glass", role="supervisor", reason="nobody_there")
        status, page = anybody.command("status"), centre.metrics_page()
        ring = KeyRing(centre.data / "keys")
        found = {"before": before, "after": code_of(root, "decide"), "status": status, "metrics": page}
        ring.give_roles(OPERATOR, "administrator", ())
        return found | {"dismissed": code_of(root, "decide")}


# ---- the walk ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEOPLE)
def test_exactly_what_the_table_allows_passes(walked, name):
    answered, roles = walked[0][name], PEOPLE[name]
    wanted = {(verb, act): rights.may(roles, verb, act) for verb, act, _ in asks(name)}
    passed = {(verb, act): answered[verb, act] != "right.missing" for verb, act in wanted}
    assert passed == wanted
    assert set(commands.VERBS) == {verb for verb, _ in wanted}


@pytest.mark.parametrize("name", PEOPLE)
def test_each_refused_attempt_at_what_decides_leaves_its_row_and_a_refused_look_none(walked, name):
    answered, moves, _, _ = walked
    rows = {(move.verb, move.act) for move in moves if isinstance(move, Denied) and move.by == name}
    missing = {(verb, act) for (verb, act), code in answered[name].items() if code == "right.missing"}
    asked_twice = {("decide", "")} if name == "administrator" else set()
    alone = {("second", act) for act in ACTS} if name == "solo" else set()
    assert rows == {one for one in missing if one[0] not in READING} | asked_twice | alone


@pytest.mark.parametrize("act", ACTS)
def test_one_person_with_every_role_agrees_to_no_act_of_ones_own_and_leaves_a_row(walked, act):
    answered, moves, _, _ = walked
    assert answered["solo"]["own", act] == "act.same_person"
    assert Denied("solo", "second", act, "act.same_person", 1) in moves


def test_who_has_no_role_sees_no_sums_of_stock_and_an_alarm_all_the_same(walked):
    _, moves, glass, log = walked
    assert glass["status"]["stock"] == {}
    [alarm] = glass["status"]["glass"]
    assert (alarm["by"], alarm["role"], alarm["reason"]) == ("administrator", "supervisor", "nobody_there")
    assert "cardmill_glass 1.0" in glass["metrics"]
    assert "cardmill_glass_broken_total 1.0" in glass["metrics"]
    assert "rights.glass_broken" in log
    [broken] = [move for move in moves if isinstance(move, GlassBroken)]
    assert (broken.by, broken.role, broken.reason) == ("administrator", "supervisor", "nobody_there")


def test_a_role_that_was_taken_holds_at_once_and_falls_with_the_administrator_s_own(walked):
    glass = walked[2]
    assert (glass["before"], glass["after"], glass["dismissed"]) == (
        "right.missing",
        "command.argument",
        "right.missing",
    )


def test_refused_attempts_are_counted_where_an_alarm_rule_can_see_them(walked):
    answered, _, glass, _ = walked
    [line] = [line for line in glass["metrics"].splitlines() if line.startswith("cardmill_denied_total")]
    refused = [
        (name, asked)
        for name, one in answered.items()
        for asked, code in one.items()
        if code == "right.missing" and asked[0] not in READING
    ]
    rows = len(refused) + len(ACTS)  # and the administrator's second `decide`, once its minute is over
    assert rows <= float(line.split()[1]) <= rows + 1
